/* Making and ending the scheduler: its options, its root group, its stacks. Above the other
 * files, which never call it. */
#include "coro/core/group.h"

#include <string.h>

#define DEFAULT_MAIN_STACK_BYTES ((size_t)1 << 20)
#define DEFAULT_TURNS 64
#define DEFAULT_SLICE_US 100
#define DEFAULT_LATE_MS 1000
#define CHECKS (BIGHT_CHECK_CANCELS | BIGHT_CHECK_OPEN | BIGHT_CHECK_STACKS)

static void options_default(struct bight_runtime_options *options)
{
    if (!options->stack_bytes)
        options->stack_bytes = BIGHT_STACK_DEFAULT;
    if (!options->main_stack_bytes)
        options->main_stack_bytes = DEFAULT_MAIN_STACK_BYTES;
    if (!options->turns_per_slice)
        options->turns_per_slice = DEFAULT_TURNS;
    if (!options->slice_us)
        options->slice_us = DEFAULT_SLICE_US;
    if (!options->late_ms)
        options->late_ms = DEFAULT_LATE_MS;
}

static uint64_t state_of_new(const struct bight_sched *sched)
{
    const struct bight_task task = {
        .pending = sched->seams.cancel_here ? PENDING_PROBE : 0,
        .flags = sched->options.spawn_flags,
    };

    return task.state;
}

int bight__sched_init(struct bight_sched *sched, const struct bight_driver *driver,
                      const struct bight_runtime_options *options, const struct bight_seams *seams)
{
    int rc;

    memset(sched, 0, sizeof(*sched));
    sched->quantum = 1;
    sched->chain_epoch = 1;
    sched->driver = driver;
    if (options)
        sched->options = *options;
    options_default(&sched->options);
    if (seams)
        sched->seams = *seams;
    if (sched->options.slow_ms)
        sched->measuring = MEASURE_SLOW;
    bight__pace_init(sched);
    link_init(&sched->ended);
    link_init(&sched->owned);
    link_init(&sched->calls);
    link_init(&sched->overdue);
    link_init(&sched->children);
    bight__group_setup(&sched->root, BIGHT_GROUP_COLLECT);
    struct bight_stackpool_config config = {
        .stack_bytes = sched->options.stack_bytes,
        .head_bytes = sizeof(struct bight_task),
        .cache_max = sched->options.stack_cache,
    };
    sched->state_of_new = state_of_new(sched);
    bight__trim_init(sched, &config);
    if (sched->options.spawn_flags & ~TASK_OWNS || sched->options.checks & ~CHECKS)
        return BIGHT_EINVAL;
    rc = bight__stackpool_init(&sched->stacks, &config, &sched->seams);
    if (rc)
        return rc;
    rc = bight__marks_open(sched);
    if (rc)
        goto destroy_stacks;
    rc = bight__ready_grow(sched);
    if (rc)
        goto free_marks;
    bight__context_thread_init(&sched->loop);
    return 0;

free_marks:
    bight__free(sched->marks);
destroy_stacks:
    bight__stackpool_destroy(&sched->stacks);
    return rc;
}

void bight__sched_fini(struct bight_sched *sched)
{
    struct bight_link *link;

    bight__stackpool_keep_all(&sched->stacks);
    while ((link = link_take(&sched->ended))) {
        struct bight_task *task = container_of(link, struct bight_task, member);

        bight__task_report(task, BIGHT_REPORT_NEVER_JOINED, task->status, 0,
                           "ended, but its handle was never joined nor detached");
        bight__task_free(task);
    }
    bight__marks_close(sched);
    while ((link = link_take(&sched->owned)))
        bight__free(link);
    bight__context_thread_fini(&sched->loop);
    bight__free(sched->ready);
    bight__free(sched->trace);
    bight__stackpool_destroy(&sched->stacks);
}
