/* See lockstep.h: the model's side, and how the two are compared. */
#include "tests/model/lockstep.h"
#include "tests/harness/random.h"

#include <string.h>

unsigned order_pick(uint64_t *state, unsigned count)
{
    if (*state == 0 || count < 2)
        return 0;
    return (unsigned)((test_random(state) >> 11) % count);
}

static void record(void *arg, const struct event *event)
{
    struct trace *trace = arg;

    if (trace->count < TRACE_MAX)
        trace->events[trace->count++] = *event;
}

/* All timers that are due first, those of one time in order of arming. */
static void pass_time(struct model *m)
{
    int due = model_next_due(m);

    while (model_next_due(m) == due) {
        unsigned first = 0;

        while (m->timers[first].due_ms != due)
            first++;
        model_fire(m, first);
        model_check(m);
    }
}

static void run(struct model *m, uint64_t order)
{
    for (;;) {
        unsigned count = model_turn(m);

        if (count)
            model_run_ready(m, order_pick(&order, count));
        else if (model_next_due(m) != NEVER)
            pass_time(m);
        else if (model_all_done(m) || !model_stall(m))
            break;
        model_check(m);
    }
    model_check_end(m);
    if (!model_all_done(m))
        model_break(m, "a task never ends");
}

static void look_at_remains(const struct model *m, struct remains *remains)
{
    for (unsigned i = 0; i < MUTEXES; i++)
        remains->locked[i] = m->mutexes[i].owner != NOBODY;
    for (unsigned i = 0; i < EVENTS; i++)
        remains->set[i] = m->events[i].set;
    for (unsigned i = 0; i < SEMAPHORES; i++)
        remains->units[i] = m->semaphores[i].value;
    for (unsigned i = 0; i < QUEUES; i++) {
        const struct model_queue *queue = &m->queues[i];

        remains->closed[i] = queue->closed;
        remains->unfinished[i] = queue->unfinished;
        remains->length[i] = queue->length;
        for (unsigned n = 0; n < queue->length; n++)
            remains->items[i][n] = queue->items[m->program->lifo[i] ? queue->length - 1u - n : n];
    }
}

void trace_of_model(struct trace *trace, const struct program *program, uint64_t order,
                    enum mutant mutant)
{
    struct model m;

    memset(trace, 0, sizeof *trace);
    model_start(&m, program, mutant);
    m.record = record;
    m.record_arg = trace;
    run(&m, order);
    look_at_remains(&m, &trace->remains);
    trace->broken = m.broken;
}

/* Comparing */

bool trace_equal(const struct trace *one, const struct trace *other)
{
    return one->count == other->count &&
           !memcmp(one->events, other->events, one->count * sizeof one->events[0]) &&
           !memcmp(&one->remains, &other->remains, sizeof one->remains);
}

static void print_from(FILE *out, const char *whose, const struct program *program,
                       const struct trace *trace, unsigned first)
{
    fprintf(out, "%s:\n", whose);
    if (trace->broken)
        fprintf(out, "%s\n", trace->broken);
    for (unsigned i = first; i < trace->count; i++)
        event_print(out, program, &trace->events[i]);
    for (unsigned i = 0; i < QUEUES; i++)
        fprintf(out, "queue %u: %u items, %u unfinished%s\n", i, trace->remains.length[i],
                trace->remains.unfinished[i], trace->remains.closed[i] ? ", closed" : "");
    for (unsigned i = 0; i < MUTEXES; i++)
        fprintf(out, "mutex %u: %s\n", i, trace->remains.locked[i] ? "locked" : "free");
}

void trace_print(FILE *out, const struct program *program, const struct trace *model,
                 const struct trace *runtime)
{
    unsigned same = 0;

    program_print(out, program);
    while (same < model->count && same < runtime->count &&
           !memcmp(&model->events[same], &runtime->events[same], sizeof model->events[0]))
        event_print(out, program, &model->events[same++]);
    if (trace_equal(model, runtime) && !model->broken)
        return;
    print_from(out, "model", program, model, same);
    print_from(out, "runtime", program, runtime, same);
}
