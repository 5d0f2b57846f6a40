/* The timer that gives warm stacks back which were not needed lately: see coro/stack/trim.c. It is
 * armed while more than a few are warm. Nobody waits for it: it keeps no loop alive, does not count
 * where the question is whether anything can happen yet, and a test's clock does not go on to it
 * (runtime/drive.c). */
#include "coro/core/task.h"

/* How many stacks stay warm without that. */
#define FEW_STACKS 32

static void on_timer(struct bight_timer *timer)
{
    struct bight_sched *sched = container_of(timer, struct bight_sched, trim);
    const uint64_t wait_ns = bight__stackpool_trim(&sched->stacks);

    if (wait_ns) {
        sched->driver->go_on(sched, timer, timer->deadline_ns + wait_ns);
        return;
    }
    sched->stale_timers--;
    bight__ready_shrink(sched);
}

static void on_crowded(struct bight_stackpool *pool)
{
    struct bight_sched *sched = container_of(pool, struct bight_sched, stacks);

    sched->stale_timers++;
    sched->driver->arm(sched, &sched->trim, sched->driver->now_ns(sched) + BIGHT_STACK_TRIM_NS);
}

void bight__trim_init(struct bight_sched *sched, struct bight_stackpool_config *config)
{
    link_init(&sched->trim.link);
    sched->trim.fire = on_timer;
    if (config->cache_max)
        return;
    config->cache_max = FEW_STACKS;
    config->crowded = on_crowded;
}
