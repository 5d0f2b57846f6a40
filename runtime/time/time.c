/* Sleeping, and the clock. A sleeper's timer lives in its own frame: the wheel points at it only
 * while the task is parked. */
#include "coro/core/source.h"
#include "runtime/runtime.h"

#include <bight/time.h>

#include <stdio.h>

struct sleep_wait {
    struct bight_waiter waiter;
    struct bight_timer timer;
};

static int sleep_abort(struct bight_waiter *waiter)
{
    struct sleep_wait *wait = container_of(waiter, struct sleep_wait, waiter);

    bight__wheel_disarm(&bight__runtime()->wheel, &wait->timer);
    return 0;
}

static void sleep_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct sleep_wait *wait = container_of(waiter, struct sleep_wait, waiter);
    uint64_t now = bight_now_ns();
    uint64_t due = wait->timer.deadline_ns;

    if (link_empty(&wait->timer.link))
        snprintf(text, text_bytes, "until cancelled");
    else
        snprintf(text, text_bytes, "%llu ms more",
                 (unsigned long long)(due > now ? ms_ceil(due - now) : 0));
}

static const struct bight_waiter_ops sleep_ops = {
    .name = "sleep",
    .abort = sleep_abort,
    .describe = sleep_describe,
};

static void sleep_over(struct bight_timer *timer)
{
    bight_unpark(&container_of(timer, struct sleep_wait, timer)->waiter, 0);
}

uint64_t bight_now_ns(void)
{
    struct bight_sched *sched = bight__sched;

    return sched ? sched->driver->now_ns(sched) : uv_hrtime();
}

int bight__sleep_until(uint64_t when_ns)
{
    struct sleep_wait wait = {.timer.fire = sleep_over};

    bight__waiter_begin(&wait.waiter, &sleep_ops);
    link_init(&wait.timer.link);
    if (when_ns != UINT64_MAX)
        bight__wheel_arm(&bight__runtime()->wheel, &wait.timer, when_ns);
    return bight_park(&wait.waiter);
}

int bight_sleep(int64_t duration_ms)
{
    struct bight_task *self;
    int rc;

    if (duration_ms == 0)
        return bight_yield();
    rc = bight__checkpoint(&self);
    if (unlikely(rc))
        return rc;
    return bight__sleep_until(ns_after(self->sched->driver->now_ns(self->sched), duration_ms));
}

int bight_sleep_until(uint64_t when_ns)
{
    struct bight_task *self;
    int rc;

    if (when_ns <= bight_now_ns())
        return bight_yield();
    rc = bight__checkpoint(&self);
    return rc ? rc : bight__sleep_until(when_ns);
}
