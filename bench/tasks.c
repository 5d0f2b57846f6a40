/* What a turn of the scheduler costs: yields among 2 and 10,000 tasks, parking and unparking between
 * two, and the whole life of a short task. Baselines: the same number of steps as callbacks out of a
 * FIFO queue; for a task's life, malloc, a call and free. */
#include "bench/bench.h"

#include <stdlib.h>

#include <bight/gather.h>
#include <bight/runtime.h>
#include <bight/task.h>
#include <bight/waiter.h>

#define YIELDS 4000000u
#define PARKS 2000000u
#define BATCH 1000u
#define BATCHES 1000u

/* One sample of tasks: what to do, and what it took. */
struct sample {
    unsigned tasks;
    unsigned steps; /* of each task */
    double ns;      /* per step */
};

/* Callbacks in a FIFO queue. */
struct callback {
    struct callback *next;
    void (*fn)(struct callback *callback);
    unsigned left;
};

static struct callback *queue_head, **queue_tail = &queue_head;

static void queue_push(struct callback *callback)
{
    callback->next = NULL;
    *queue_tail = callback;
    queue_tail = &callback->next;
}

static BENCH_OPAQUE void callback_step(struct callback *callback)
{
    if (--callback->left)
        queue_push(callback);
}

static double callbacks(void *arg)
{
    const struct sample *sample = arg;
    struct callback *all = calloc(sample->tasks, sizeof *all);
    uint64_t begin;
    double ns;

    bench_check(all ? 0 : BIGHT_ENOMEM, "calloc");
    begin = bench_thread_ns();
    for (unsigned i = 0; i < sample->tasks; i++) {
        all[i] = (struct callback){.fn = callback_step, .left = sample->steps};
        queue_push(&all[i]);
    }
    for (struct callback *callback; (callback = queue_head);) {
        queue_head = callback->next;
        if (!queue_head)
            queue_tail = &queue_head;
        callback->fn(callback);
    }
    ns = (double)(bench_thread_ns() - begin) / ((double)sample->tasks * sample->steps);
    free(all);
    return ns;
}

static int yielder(void *arg)
{
    unsigned steps = *(const unsigned *)arg;

    while (steps--)
        bench_check(bight_yield(), "yield");
    return 0;
}

/* The last task to come to its first step starts the clock: stacks are warm by then. */
static int yield_main(void *arg)
{
    struct sample *sample = arg;
    struct bight_task **tasks = calloc(sample->tasks, sizeof(struct bight_task *));
    uint64_t begin;

    if (!tasks)
        return BIGHT_ENOMEM;
    for (unsigned i = 0; i < sample->tasks; i++)
        bench_check(bight_spawn(&tasks[i], yielder, &sample->steps), "spawn");
    bench_check(bight_yield(), "yield");
    begin = bench_thread_ns();
    for (unsigned i = 0; i < sample->tasks; i++)
        bench_check(bight_join(tasks[i], NULL), "join");
    sample->ns =
        (double)(bench_thread_ns() - begin) / ((double)sample->tasks * (sample->steps - 1));
    free(tasks);
    return 0;
}

static double yields(void *arg)
{
    struct sample *sample = arg;

    bench_check(bight_run(yield_main, sample), "run");
    return sample->ns;
}

/* Two tasks that wake each other in turn. */
struct pair {
    struct bight_waiter *asleep;
    unsigned left;
};

static int no_abort(struct bight_waiter *waiter)
{
    (void)waiter;
    return 0;
}

static const struct bight_wait_ops pair_ops = {.name = "other of the pair", .abort = no_abort};

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
    struct pair pair = {.left = sample->tasks * sample->steps};
    struct bight_task *tasks[2];
    uint64_t begin = bench_thread_ns();

    for (int i = 0; i < 2; i++)
        bench_check(bight_spawn(&tasks[i], parker, &pair), "spawn");
    for (int i = 0; i < 2; i++)
        bench_check(bight_join(tasks[i], NULL), "join");
    sample->ns = (double)(bench_thread_ns() - begin) / ((double)sample->tasks * sample->steps);
    return 0;
}

static double parks(void *arg)
{
    struct sample *sample = arg;

    bench_check(bight_run(park_main, sample), "run");
    return sample->ns;
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
    uint64_t begin;

    batch(); /* brings the stacks to life: spawn_1000000 says what that costs */
    begin = bench_thread_ns();
    for (unsigned i = 0; i < BATCHES; i++)
        batch();
    *(double *)arg = (double)(bench_thread_ns() - begin) / ((double)BATCH * BATCHES);
    return 0;
}

static double spawn_join(void *arg)
{
    double ns = 0;

    (void)arg;
    bench_check(bight_run(batches_main, &ns), "run");
    return ns;
}

/* The same tasks by one call: their records are made once. */
static int gathers_main(void *arg)
{
    static struct bight_gather calls[BATCH];
    uint64_t begin;

    for (unsigned i = 0; i < BATCH; i++)
        calls[i].fn = short_life;
    bench_check(bight_gather(calls, BATCH, 0), "gather");
    begin = bench_thread_ns();
    for (unsigned i = 0; i < BATCHES; i++)
        bench_check(bight_gather(calls, BATCH, 0), "gather");
    *(double *)arg = (double)(bench_thread_ns() - begin) / ((double)BATCH * BATCHES);
    return 0;
}

static double gathers(void *arg)
{
    double ns = 0;

    (void)arg;
    bench_check(bight_run(gathers_main, &ns), "run");
    return ns;
}

static double malloc_call_free(void *arg)
{
    int (*volatile fn)(void *arg) = short_life;
    uint64_t begin = bench_thread_ns();

    (void)arg;
    for (unsigned i = 0; i < BATCH * BATCHES; i++) {
        /* About what a task's control block takes. */
        void *volatile memory = malloc(512);

        fn(NULL);
        free(memory);
    }
    return (double)(bench_thread_ns() - begin) / ((double)BATCH * BATCHES);
}

int main(void)
{
    static const struct bench_row yield_2 = {"yield_2", "ns", "callback out of a FIFO queue"};
    static const struct bench_row park_unpark = {"park_unpark", "ns",
                                                 "callback out of a FIFO queue"};
    static const struct bench_row life = {"spawn_join_1000", "ns", "malloc, call, free"};
    static const struct bench_row gather = {"gather_1000", "ns", "malloc, call, free"};

    bench_compare(&yield_2, yields, callbacks, &(struct sample){2, YIELDS / 2, 0});
    bench_compare(&park_unpark, parks, callbacks, &(struct sample){2, PARKS / 2, 0});
    bench_compare(&life, spawn_join, malloc_call_free, NULL);
    bench_compare(&gather, gathers, malloc_call_free, NULL);
    return 0;
}
