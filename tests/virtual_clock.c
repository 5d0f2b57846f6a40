/* See virtual_clock.h. */
#include "tests/virtual_clock.h"

#include "runtime/runtime.h"

/* An hour after the machine's start: nothing is special about it. */
#define BEGIN_NS UINT64_C(3600000000000)

/* Whether something may come from outside: the conditions under which drive.c does not jump. */
static bool outside_pending(void)
{
    const struct bight_runtime *runtime = bight__runtime();

    return runtime && !runtime->closing &&
           (runtime->sched.outside || bight__mailbox_held(runtime->mailbox));
}

/* The time between two readings passes if at either of them something outside was pending. */
static uint64_t now_ns(void *ctx)
{
    struct virtual_clock *clock = ctx;
    uint64_t real_ns = uv_hrtime();
    bool outside = outside_pending();

    if (outside || clock->outside)
        clock->now_ns += real_ns - clock->real_ns;
    clock->real_ns = real_ns;
    clock->outside = outside;
    return clock->now_ns;
}

static bool jump(void *ctx, uint64_t deadline_ns)
{
    struct virtual_clock *clock = ctx;

    if (deadline_ns > clock->now_ns)
        clock->now_ns = deadline_ns;
    clock->jumps++;
    return true;
}

void virtual_clock_start(struct virtual_clock *clock, struct bight_seams *seams)
{
    *clock = (struct virtual_clock){.now_ns = BEGIN_NS, .real_ns = uv_hrtime()};
    seams->ctx = clock;
    seams->now_ns = now_ns;
    seams->jump = jump;
}
