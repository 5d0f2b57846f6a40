/* What a turn of the scheduler costs: yields among 2 and 100 tasks, from one call site and from
 * two, parking and unparking between two, and the whole life of a short task. Baselines: the same
 * number of steps as callbacks in a FIFO queue; for a task's life, malloc, a call and free. */
#include "bench/run.h"

#include <stdlib.h>

#include <bight/gather.h>
#include <bight/runtime.h>
#include <bight/task.h>
#include <bight/trace.h>
#include <bight/waiter.h>

#define YIELDS 4000000u
#define PARKS 2000000u
#define LIVES 1000000u
#define BATCH 1000u
#define CROWD 100u

static int yielder(void *arg);
static int other_yielder(void *arg);

/* Who takes part in a row, one half doing each. */
struct crowd {
    unsigned tasks;
    int (*fns[2])(void *arg);
};

static struct crowd two = {2, {yielder, yielder}};
static struct crowd two_sites = {2, {yielder, other_yielder}};
static struct crowd hundred = {CROWD, {yielder, yielder}};

/* One sample of tasks: what to do, and what it took. */
struct sample {
    const struct crowd *crowd;
    uint64_t steps; /* of each task */
    double ns;      /* per step */
};

static double callbacks(void *arg, uint64_t operations)
{
    const struct crowd *crowd = arg;

    return bench_callbacks(crowd->tasks, operations);
}

static BENCH_OPAQUE int yielder(void *arg)
{
    uint64_t steps = *(const uint64_t *)arg;

    while (steps--)
        bench_check(bight_yield(), "yield");
    return 0;
}

/* The same at another place in the code: a processor that remembers where the last call of
 * bight_yield came from is wrong at each switch. It differs from the first one, because a compiler
 * would merge equal ones. */
static BENCH_OPAQUE int other_yielder(void *arg)
{
    uint64_t steps = *(const uint64_t *)arg;

    while (steps--)
        bench_check(bight_yield(), "yield");
    return 1;
}

/* The last task to reach its first step starts the clock: stacks are warm by then. */
static int yield_main(void *arg)
{
    struct sample *sample = arg;
    unsigned count = sample->crowd->tasks;
    struct bight_task **tasks = calloc(count, sizeof(struct bight_task *));
    uint64_t begin;

    if (!tasks)
        return BIGHT_ENOMEM;
    for (unsigned i = 0; i < count; i++)
        bench_check(bight_spawn(&tasks[i], sample->crowd->fns[i % 2], &sample->steps), "spawn");
    bench_check(bight_yield(), "yield");
    begin = bench_begin();
    for (unsigned i = 0; i < count; i++)
        bench_check(bight_join(tasks[i], NULL), "join");
    sample->ns = bench_end(begin, count * (sample->steps - 1));
    free(tasks);
    return 0;
}

static double yields(void *arg, uint64_t operations)
{
    const struct crowd *crowd = arg;
    struct sample sample = {.crowd = crowd, .steps = operations / crowd->tasks};

    bench_run(yield_main, &sample);
    return sample.ns;
}

/* The same with a trace of it, which keeps the last of the events. */
static int traced_main(void *arg)
{
    int rc = bight_trace_begin(NULL);

    rc = rc ? rc : yield_main(arg);
    return rc ? rc : bight_trace_end(NULL, NULL);
}

static double traced_yields(void *arg, uint64_t operations)
{
    const struct crowd *crowd = arg;
    struct sample sample = {.crowd = crowd, .steps = operations / crowd->tasks};

    bench_run(traced_main, &sample);
    return sample.ns;
}

/* Two tasks that wake each other in turn. */
struct pair {
    struct bight_waiter *asleep;
    uint64_t left;
};

static int no_abort(struct bight_waiter *waiter)
{
    (void)waiter;
    return 0;
}

static const struct bight_waiter_ops pair_ops = {.name = "other of the pair", .abort = no_abort};

static int parker(void *arg)
{
    struct pair *pair = arg;
    struct bight_waiter waiter, *other;

    while (pair->left) {
        pair->left--;
        bench_check(bight_checkpoint(), "checkpoint");
        bench_check(bight_waiter_init(&waiter, &pair_ops), "waiter");
        other = pair->asleep;
        pair->asleep = &waiter;
        if (other)
            bight_unpark(other, 0);
        bench_check(bight_park(&waiter), "park");
    }
    if (pair->asleep)
        bight_unpark(pair->asleep, 0);
    pair->asleep = NULL;
    return 0;
}

static int park_main(void *arg)
{
    struct sample *sample = arg;
    struct pair pair = {.left = sample->steps};
    struct bight_task *tasks[2];
    uint64_t begin = bench_begin();

    for (int i = 0; i < 2; i++)
        bench_check(bight_spawn(&tasks[i], parker, &pair), "spawn");
    for (int i = 0; i < 2; i++)
        bench_check(bight_join(tasks[i], NULL), "join");
    sample->ns = bench_end(begin, sample->steps);
    return 0;
}

static double parks(void *arg, uint64_t operations)
{
    struct sample sample = {.crowd = arg, .steps = operations};

    bench_run(park_main, &sample);
    return sample.ns;
}

static unsigned lives;

static BENCH_OPAQUE int short_life(void *arg)
{
    lives++;
    return arg != NULL;
}

static void batch(void)
{
    static struct bight_task *tasks[BATCH];

    for (unsigned i = 0; i < BATCH; i++)
        bench_check(bight_spawn(&tasks[i], short_life, NULL), "spawn");
    for (unsigned i = 0; i < BATCH; i++)
        bench_check(bight_join(tasks[i], NULL), "join");
}

static int batches_main(void *arg)
{
    struct sample *sample = arg;
    uint64_t begin;

    batch(); /* makes the stacks; spawn_1000000 says what that costs */
    begin = bench_begin();
    for (uint64_t i = 0; i < sample->steps; i++)
        batch();
    sample->ns = bench_end(begin, BATCH * sample->steps);
    return 0;
}

static double spawn_join(void *arg, uint64_t operations)
{
    struct sample sample = {.steps = operations / BATCH};

    (void)arg;
    bench_run(batches_main, &sample);
    return sample.ns;
}

/* The same tasks by one call: their records are made once. */
static int gathers_main(void *arg)
{
    static struct bight_gather calls[BATCH];
    struct sample *sample = arg;
    uint64_t begin;

    for (unsigned i = 0; i < BATCH; i++)
        calls[i].fn = short_life;
    bench_check(bight_gather_all(calls, BATCH, 0), "gather");
    begin = bench_begin();
    for (uint64_t i = 0; i < sample->steps; i++)
        bench_check(bight_gather_all(calls, BATCH, 0), "gather");
    sample->ns = bench_end(begin, BATCH * sample->steps);
    return 0;
}

static double gathers(void *arg, uint64_t operations)
{
    struct sample sample = {.steps = operations / BATCH};

    (void)arg;
    bench_run(gathers_main, &sample);
    return sample.ns;
}

static double malloc_call_free(void *arg, uint64_t operations)
{
    int (*volatile fn)(void *arg) = short_life;
    uint64_t begin = bench_begin();

    (void)arg;
    for (uint64_t i = 0; i < operations; i++) {
        /* About what a task's control block takes. */
        void *volatile memory = malloc(512);

        fn(NULL);
        free(memory);
    }
    return bench_end(begin, operations);
}

static const struct bench_row rows[] = {
    {"yield_2", "ns", "callback out of a FIFO queue", yields, callbacks, &two, YIELDS,
     .counted = 20000},
    {"yield_2_traced", "ns", "callback out of a FIFO queue", traced_yields, callbacks, &two,
     YIELDS / 4, .counted = 20000},
    {"yield_2_sites", "ns", "callback out of a FIFO queue", yields, callbacks, &two_sites, YIELDS,
     .counted = 20000},
    {"yield_100", "ns", "callback out of a FIFO queue", yields, callbacks, &hundred, YIELDS,
     .counted = 20000},
    {"park_unpark", "ns", "callback out of a FIFO queue", parks, callbacks, &two, PARKS,
     .counted = 20000},
    {"spawn_join_1000", "ns", "malloc, call, free", spawn_join, malloc_call_free, NULL, LIVES,
     .counted = 20000},
    {"gather_1000", "ns", "malloc, call, free", gathers, malloc_call_free, NULL, LIVES,
     .counted = 20000},
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
