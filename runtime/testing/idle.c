/* What happens in a test run when nothing is ready: the tasks that settle go on, or, if there are
 * none, the clock jumps. Either needs a cushion of real time in which nothing else happens. */
#include "runtime/testing/testing.h"
#include "coro/core/source.h"

#include <stdio.h>

struct settle_wait {
    struct bight_waiter waiter; /* its link is in test->settling */
    uint64_t cushion_ns;
};

static struct settle_wait *of_link(struct bight_link *link)
{
    return container_of(container_of(link, struct bight_waiter, link), struct settle_wait, waiter);
}

static void settle_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct settle_wait *wait = container_of(waiter, const struct settle_wait, waiter);

    snprintf(text, text_bytes, "%llu ms", (unsigned long long)(wait->cushion_ns / 1000000));
}

static const struct bight_waiter_ops settle_ops = {
    .name = "all others blocked",
    .abort = bight__unlink_abort,
    .describe = settle_describe,
};

/* Insert it behind all waits whose cushion is not longer. */
static void settle_insert(struct bight__test *test, struct settle_wait *wait)
{
    struct bight_link *at = test->settling.next;

    while (at != &test->settling && of_link(at)->cushion_ns <= wait->cushion_ns)
        at = at->next;
    link_append(at, &wait->waiter.link); /* before `at` */
}

int bight_test_settle(int64_t cushion_ms)
{
    struct bight__test *test = bight__test();
    struct settle_wait wait;
    struct bight_task *self;
    int rc;

    if (!test)
        return BIGHT_ENOTSUP;
    if (cushion_ms < 0 || cushion_ms > INT64_MAX / 1000000)
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (rc)
        return rc;
    bight__waiter_begin(&wait.waiter, &settle_ops);
    wait.cushion_ns = (uint64_t)cushion_ms * 1000000;
    settle_insert(test, &wait);
    return bight_park(&wait.waiter);
}

static bool settle_wake(struct bight__test *test)
{
    uint64_t cushion_ns = of_link(test->settling.next)->cushion_ns;

    while (!link_empty(&test->settling)) {
        struct settle_wait *wait = of_link(test->settling.next);

        if (wait->cushion_ns != cushion_ns)
            break;
        link_remove(&wait->waiter.link);
        (void)bight_unpark(&wait->waiter, 0);
    }
    return true;
}

/* How long the clock waits before it jumps; UINT64_MAX: it does not jump. Once the run has stalled,
 * only cleaning up is left, and no test moves a clock for that. */
static uint64_t jump_cushion(const struct bight__test *test, uint64_t deadline_ns, bool outside)
{
    int64_t cushion_ms = test->clock->autojump_ms;

    if (deadline_ns == UINT64_MAX)
        return UINT64_MAX;
    if (bight__runtime()->stalled)
        return 0;
    if (cushion_ms < 0 || (cushion_ms == 0 && outside))
        return UINT64_MAX;
    return (uint64_t)cushion_ms * 1000000;
}

/* Whether nothing has happened for `cushion_ns`; if not, `*again_ns` says when to look again. What
 * came from outside within that time is known only once the loop has polled after it. */
static bool cushion_passed(struct bight__test *test, uint64_t cushion_ns, uint64_t *again_ns)
{
    uint64_t slices = bight__sched->slices;
    uint64_t real_ns = uv_hrtime();

    if (slices != test->idle_slices) {
        test->idle_slices = slices;
        test->idle_since_ns = real_ns;
        test->idle_polled = false;
    }
    if (real_ns - test->idle_since_ns < cushion_ns) {
        *again_ns = cushion_ns - (real_ns - test->idle_since_ns);
        return false;
    }
    if (!test->idle_polled) {
        test->idle_polled = true;
        *again_ns = 0;
        return false;
    }
    return true;
}

bool bight__test_idle(void *ctx, uint64_t deadline_ns, bool outside, uint64_t *again_ns)
{
    struct bight__test *test = ctx;
    bool settles = !link_empty(&test->settling);
    uint64_t cushion_ns = settles ? of_link(test->settling.next)->cushion_ns
                                  : jump_cushion(test, deadline_ns, outside);

    if (deadline_ns <= bight__test_now(test))
        return true; /* the clock was moved while tasks ran */
    if (cushion_ns == UINT64_MAX)
        return false;
    if ((cushion_ns || outside) && !cushion_passed(test, cushion_ns, again_ns))
        return false;
    if (settles)
        return settle_wake(test);
    bight__test_clock_jump(test->clock, deadline_ns);
    test->jumps++;
    return true;
}
