/* Switching among tasks that are too many for the caches. In `yield_10000` all stand at the same
 * depth of their stacks; in `yield_10000_varied` each has used its own depth, up to 16 KiB, so that
 * frames and records lie on two pages. Baseline: bare switches around a ring of stacks that lie and
 * are used in the same way, which is the cost of the memory alone: no queue, no checkpoint, and
 * nothing fetched ahead. */
#include "bench/run.h"
#include "coro/core/task.h"
#include "coro/stack/switch_here.h"

#include <stdlib.h>

#include <bight/task.h>

#define TASKS 10000u
#define STEPS 100u /* of each task, in one sample */
#define LEVEL_BYTES 512u

struct layout {
    unsigned levels_max; /* at most, frames of LEVEL_BYTES below which a task stands */
};

/* The same number for task i on both sides. */
static unsigned levels_of(const struct layout *layout, unsigned i)
{
    uint64_t state = 88172645463325252u + i;

    for (int round = 0; round < 3; round++)
        bench_random(&state);
    return layout->levels_max ? (unsigned)(bench_random(&state) % layout->levels_max) : 0;
}

/* Call fn(arg) this many frames further down. */
static BENCH_OPAQUE int descend(unsigned levels, int (*fn)(void *arg), void *arg)
{
    volatile char frame[LEVEL_BYTES];
    int rc;

    frame[0] = 1;
    rc = levels ? descend(levels - 1, fn, arg) : fn(arg);
    return rc + frame[0] - 1;
}

/* Tasks */

static int yielder(void *arg)
{
    for (uint64_t steps = *(const uint64_t *)arg; steps; steps--)
        bench_check(bight_yield(), "yield");
    return 0;
}

struct one {
    unsigned levels;
    uint64_t steps;
};

static int one_task(void *arg)
{
    struct one *one = arg;

    return descend(one->levels, yielder, &one->steps);
}

struct sample {
    const struct layout *layout;
    uint64_t steps; /* of each task */
    double ns;
};

static int yield_main(void *arg)
{
    struct sample *sample = arg;
    struct bight_task **tasks = calloc(TASKS, sizeof(struct bight_task *));
    struct one *ones = calloc(TASKS, sizeof *ones);
    uint64_t begin;

    bench_check(tasks && ones ? 0 : BIGHT_ENOMEM, "calloc");
    for (unsigned i = 0; i < TASKS; i++) {
        ones[i] = (struct one){levels_of(sample->layout, i), sample->steps};
        bench_check(bight_spawn(&tasks[i], one_task, &ones[i]), "spawn");
    }
    bench_check(bight_yield(), "yield"); /* all have gone down and stand in their first yield */
    begin = bench_begin();
    for (unsigned i = 0; i < TASKS; i++)
        bench_check(bight_join(tasks[i], NULL), "join");
    sample->ns = bench_end(begin, TASKS * (sample->steps - 1));
    free(ones);
    free(tasks);
    return 0;
}

/* At least two steps of each: the clock begins with the second. */
static uint64_t steps_of(uint64_t operations)
{
    return operations / TASKS < 2 ? 2 : operations / TASKS;
}

static double yields(void *arg, uint64_t operations)
{
    struct sample sample = {.layout = arg, .steps = steps_of(operations)};

    bench_run(yield_main, &sample);
    return sample.ns;
}

/* Bare switches */

struct ring {
    const struct layout *layout;
    struct bight_stackpool pool;
    struct bight_stack *stacks[TASKS];
    unsigned at;
    uint64_t left;
    void *loop_sp;
};

/* Not static, because of what switch_here.h says about gcc's ipa-reference. */
SWITCHES int bench_ring_turn(void *arg);
SWITCHES double bench_ring_run(struct ring *ring, uint64_t steps);

/* Go from each stack to the next one, and home when all rounds are over. */
SWITCHES int bench_ring_turn(void *arg)
{
    struct ring *ring = arg;

    for (;;) {
        struct bight_stack *self = ring->stacks[ring->at];

        if (!ring->left--)
            bight__switch_here(&self->context.sp, ring->loop_sp);
        if (++ring->at == TASKS)
            ring->at = 0;
        bight__switch_here(&self->context.sp, ring->stacks[ring->at]->context.sp);
    }
}

static void ring_entry(void *arg)
{
    struct ring *ring = arg;

    (void)descend(levels_of(ring->layout, ring->at), bench_ring_turn, ring);
}

SWITCHES double bench_ring_run(struct ring *ring, uint64_t steps)
{
    uint64_t begin;

    ring->at = 0;
    ring->left = TASKS; /* once around: every stack goes down */
    bight__switch_here(&ring->loop_sp, ring->stacks[0]->context.sp);
    ring->left = TASKS * steps;
    begin = bench_begin();
    bight__switch_here(&ring->loop_sp, ring->stacks[ring->at]->context.sp);
    return bench_end(begin, TASKS * steps);
}

static double bare_switches(void *arg, uint64_t operations)
{
    static struct ring ring;
    const struct bight_stackpool_config config = {.head_bytes = sizeof(struct bight_task)};
    double ns;

    ring.layout = arg;
    bench_check(bight__stackpool_init(&ring.pool, &config, NULL), "stacks");
    for (unsigned i = 0; i < TASKS; i++) {
        struct bight_stack **stack = &ring.stacks[i];

        bench_check(bight__stack_get(&ring.pool, 0, stack), "stack");
        (*stack)->context.sp = bight__switch_prepare((*stack)->lo, *stack, ring_entry, &ring);
    }
    ns = bench_ring_run(&ring, steps_of(operations));
    for (unsigned i = 0; i < TASKS; i++)
        bight__stack_put(&ring.pool, ring.stacks[i]);
    bight__stackpool_destroy(&ring.pool);
    return ns;
}

static struct layout even = {0}, varied = {16384 / LEVEL_BYTES};

static const struct bench_row rows[] = {
    {"yield_10000", "ns", "bare switch over the same stacks", yields, bare_switches, &even,
     .operations = (uint64_t)TASKS * STEPS},
    {"yield_10000_varied", "ns", "bare switch over the same stacks", yields, bare_switches, &varied,
     .operations = (uint64_t)TASKS * STEPS},
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
