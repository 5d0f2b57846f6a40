/* See explore.h. Depth first, with a table of the states that were seen: a state's future
 * depends on nothing else, so each is followed once. The table has their hashes of 64 bits only. */
#include "tests/model/explore.h"

#include <stdlib.h>
#include <string.h>

#define WAY_MAX 256

enum move { MOVE_RUN, MOVE_FIRE, MOVE_CANCEL, MOVE_STALL };

struct way {
    uint8_t move;
    uint8_t which;
};

struct seen {
    uint64_t hash;
    uint64_t run; /* which exploration saw it */
};

struct explorer {
    struct seen *table;
    size_t size; /* a power of 2 */
    size_t used;
    uint64_t run;
    unsigned long long states;
    unsigned length;
    struct way way[WAY_MAX];
    const char *broken;
    struct program program;
    unsigned cancels;
    enum mutant mutant;
};

static void *claim(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

struct explorer *explorer_new(void)
{
    struct explorer *x = claim(calloc(1, sizeof *x));

    x->size = 1 << 12;
    x->table = claim(calloc(x->size, sizeof *x->table));
    return x;
}

void explorer_free(struct explorer *x)
{
    free(x->table);
    free(x);
}

unsigned long long explorer_states(const struct explorer *x)
{
    return x->states;
}

static inline uint64_t mixed(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0xff51afd7ed558ccdu;
    return hash ^ hash >> 32;
}

static uint64_t hash_of(const struct model *m)
{
    const unsigned char *bytes = (const unsigned char *)m;
    size_t state_bytes =
        offsetof(struct model, tasks) + m->program->tasks * sizeof(struct model_task);
    uint64_t words[4], hashes[4] = {1, 2, 3, 4}; /* four at once keep the processor busy */
    size_t at = 0;

    for (; at + sizeof words <= state_bytes; at += sizeof words) {
        memcpy(words, bytes + at, sizeof words);
        for (unsigned i = 0; i < 4; i++)
            hashes[i] = mixed(hashes[i], words[i]);
    }
    memset(words, 0, sizeof words);
    memcpy(words, bytes + at, state_bytes - at);
    for (unsigned i = 0; i < 4; i++)
        hashes[0] = mixed(hashes[0], mixed(hashes[i], words[i]));
    return hashes[0];
}

static struct seen *place_of(const struct seen *table, size_t size, uint64_t run, uint64_t hash)
{
    size_t at = hash & (size - 1);

    while (table[at].run == run && table[at].hash != hash)
        at = (at + 1) & (size - 1);
    return (struct seen *)&table[at];
}

static void grow(struct explorer *x)
{
    size_t size = x->size * 2;
    struct seen *table = claim(calloc(size, sizeof *table));

    for (size_t i = 0; i < x->size; i++) {
        if (x->table[i].run == x->run)
            *place_of(table, size, x->run, x->table[i].hash) = x->table[i];
    }
    free(x->table);
    x->table = table;
    x->size = size;
}

/* True the first time. */
static bool is_new(struct explorer *x, const struct model *m)
{
    uint64_t hash = hash_of(m);
    struct seen *place = place_of(x->table, x->size, x->run, hash);

    if (place->run == x->run)
        return false;
    *place = (struct seen){hash, x->run};
    x->states++;
    if (++x->used * 2 > x->size)
        grow(x);
    return true;
}

static void move(struct model *m, struct way way)
{
    switch (way.move) {
    case MOVE_RUN:
        model_run(m, way.which);
        break;
    case MOVE_FIRE:
        model_fire(m, way.which);
        break;
    case MOVE_CANCEL:
        m->cancels_left--;
        model_cancel_task(m, way.which);
        break;
    default:
        model_stall(m);
    }
    model_check(m);
}

static void follow(struct explorer *x, const struct model *m);

static void take(struct explorer *x, const struct model *from, enum move kind, unsigned which)
{
    struct way way = {(uint8_t)kind, (uint8_t)which};
    struct model next;

    if (x->broken)
        return;
    memcpy(&next, from, sizeof next);
    move(&next, way);
    if (x->length == WAY_MAX)
        model_break(&next, "a task never ends");
    else
        x->way[x->length++] = way;
    x->broken = next.broken;
    if (!x->broken && is_new(x, &next))
        follow(x, &next);
    if (!x->broken)
        x->length--;
}

static void at_the_end(struct explorer *x, const struct model *m)
{
    struct model end;

    memcpy(&end, m, sizeof end);
    if (!model_all_done(m) && model_stall(&end)) {
        take(x, m, MOVE_STALL, 0);
        return;
    }
    model_check_end(&end);
    x->broken = end.broken;
}

static void follow(struct explorer *x, const struct model *m)
{
    int due = model_next_due(m);

    for (unsigned task = 0; task < m->program->tasks; task++) {
        if (m->tasks[task].state == READY)
            take(x, m, MOVE_RUN, task);
    }
    for (unsigned i = 0; i < m->timer_count; i++) {
        if (m->timers[i].due_ms == due)
            take(x, m, MOVE_FIRE, i);
    }
    for (unsigned task = 0; task < m->program->tasks && m->cancels_left; task++) {
        const struct model_task *t = &m->tasks[task];

        if (t->state != UNBORN && t->state != DONE && !t->scopes[0].cancelled)
            take(x, m, MOVE_CANCEL, task);
    }
    if (m->ready_count == 0 && due == NEVER && !x->broken)
        at_the_end(x, m);
}

const char *explore(struct explorer *x, const struct program *program, unsigned cancels,
                    enum mutant mutant)
{
    struct model m;

    x->run++;
    x->used = 0;
    x->length = 0;
    x->broken = NULL;
    x->program = *program;
    x->cancels = cancels;
    x->mutant = mutant;
    model_start(&m, &x->program, mutant);
    m.cancels_left = (uint8_t)cancels;
    if (is_new(x, &m))
        follow(x, &m);
    return x->broken;
}

/* Go the way once more, and tell. */

struct teller {
    FILE *out;
    const struct program *program;
};

static void tell(void *arg, const struct event *event)
{
    const struct teller *teller = arg;

    event_print(teller->out, teller->program, event);
}

void explorer_explain(struct explorer *x, FILE *out)
{
    struct teller teller = {out, &x->program};
    struct model m;

    fprintf(out, "%s\n", x->broken ? x->broken : "everything holds");
    program_print(out, &x->program);
    model_start(&m, &x->program, x->mutant);
    m.cancels_left = (uint8_t)x->cancels;
    m.record = tell;
    m.record_arg = &teller;
    for (unsigned i = 0; i < x->length; i++) {
        if (x->way[i].move == MOVE_CANCEL)
            fprintf(out, "%4d ms  task %u is cancelled\n", m.now_ms, x->way[i].which);
        else if (x->way[i].move == MOVE_STALL)
            fprintf(out, "%4d ms  all wait for each other\n", m.now_ms);
        move(&m, x->way[i]);
    }
}
