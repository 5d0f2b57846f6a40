/* The clocks of <bight/testing_clock.h>, and the seams of time. A clock knows what it showed at the
 * last change and what the real time was then; the rest is multiplication. A run without a clock of
 * the caller's has a paced one: its rate is 1 while something outside is pending, and else 0. */
#include "runtime/testing/testing.h"

#include <math.h>

/* A clock begins an hour after the machine's start; the value has no special meaning. */
#define BEGIN_NS UINT64_C(3600000000000)

static uint64_t real_now(const struct bight_test_clock *clock)
{
    return clock->real ? clock->real(clock->real_arg) : uv_hrtime();
}

static uint64_t passed(const struct bight_test_clock *clock, uint64_t real_ns)
{
    return clock->rate > 0 ? (uint64_t)(clock->rate * (double)(real_ns - clock->real_ns)) : 0;
}

/* Note the present time, so that the clock may go on from here in another way. */
static void rebase(struct bight_test_clock *clock)
{
    uint64_t real_ns = real_now(clock);

    clock->now_ns += passed(clock, real_ns);
    clock->real_ns = real_ns;
}

void bight_test_clock_init(struct bight_test_clock *clock)
{
    if (!clock)
        return;
    *clock = (struct bight_test_clock){.autojump_ms = -1};
    clock->real_ns = real_now(clock);
}

uint64_t bight_test_clock_now_ns(const struct bight_test_clock *clock)
{
    if (!clock)
        return 0;
    return clock->rate > 0 ? clock->now_ns + passed(clock, real_now(clock)) : clock->now_ns;
}

int bight_test_clock_advance(struct bight_test_clock *clock, int64_t duration_ms)
{
    if (!clock || duration_ms < 0 || duration_ms > INT64_MAX / 1000000)
        return BIGHT_EINVAL;
    clock->now_ns += (uint64_t)duration_ms * 1000000;
    return 0;
}

int bight_test_clock_set_rate(struct bight_test_clock *clock, double rate)
{
    if (!clock || !isfinite(rate) || rate < 0)
        return BIGHT_EINVAL;
    rebase(clock);
    clock->rate = rate;
    return 0;
}

void bight_test_clock_set_autojump(struct bight_test_clock *clock, int64_t cushion_ms)
{
    if (!clock)
        return;
    clock->autojump_ms = cushion_ms < 0 ? -1 : cushion_ms;
}

void bight_test_clock_set_real(struct bight_test_clock *clock, uint64_t (*real)(void *arg),
                               void *arg)
{
    if (!clock)
        return;
    rebase(clock);
    clock->real = real;
    clock->real_arg = arg;
    clock->real_ns = real_now(clock);
}

uint64_t bight_test_clock_real_ns_until(const struct bight_test_clock *clock, uint64_t when_ns)
{
    uint64_t now_ns = bight_test_clock_now_ns(clock);

    if (!clock || when_ns <= now_ns)
        return 0;
    if (!(clock->rate > 0))
        return UINT64_MAX;
    double real_ns = (double)(when_ns - now_ns) / clock->rate;
    if (!(real_ns < 0x1p63))
        return UINT64_MAX;
    return (uint64_t)real_ns + ((double)(uint64_t)real_ns < real_ns);
}

void bight__test_clock_jump(struct bight_test_clock *clock, uint64_t when_ns)
{
    uint64_t now_ns = bight_test_clock_now_ns(clock);

    if (when_ns > now_ns)
        clock->now_ns += when_ns - now_ns;
}

/* Whether something may come from outside. */
static bool outside_pending(void)
{
    const struct bight_runtime *runtime = bight__runtime();

    return runtime && !runtime->closing &&
           (runtime->sched.outside || bight__mailbox_held(runtime->mailbox));
}

/* Time passes between two readings if something outside was pending at either of them. */
static void pace(struct bight__test *test)
{
    bool outside = outside_pending();

    test->clock->rate = outside || test->outside;
    rebase(test->clock);
    test->clock->rate = outside;
    test->outside = outside;
}

uint64_t bight__test_now(void *ctx)
{
    struct bight__test *test = ctx;

    if (test->paced)
        pace(test);
    return bight_test_clock_now_ns(test->clock);
}

uint64_t bight__test_wait(void *ctx, uint64_t deadline_ns)
{
    struct bight__test *test = ctx;

    if (test->paced)
        pace(test);
    return bight_test_clock_real_ns_until(test->clock, deadline_ns);
}

void bight__test_time(struct bight__test *test, struct bight_seams *seams)
{
    *test = (struct bight__test){.clock = &test->own_clock, .paced = true, .begin_ns = BEGIN_NS};
    bight_test_clock_init(&test->own_clock);
    test->own_clock.now_ns = BEGIN_NS;
    test->own_clock.autojump_ms = 0;
    link_init(&test->settling);
    seams->ctx = test;
    seams->now_ns = bight__test_now;
    seams->wait_ns = bight__test_wait;
    seams->idle = bight__test_idle;
}

int bight_test_advance(int64_t duration_ms)
{
    const struct bight__test *test = bight__test();

    if (!test)
        return BIGHT_ENOTSUP;
    int rc = bight_test_clock_advance(test->clock, duration_ms);
    /* Who moves the clock by hand wants timers to fire soon. */
    if (rc == 0)
        bight__quantum_end(bight__sched);
    return rc;
}

int bight_test_set_rate(double rate)
{
    struct bight__test *test = bight__test();

    if (!test)
        return BIGHT_ENOTSUP;
    (void)bight__test_now(test);
    int rc = bight_test_clock_set_rate(test->clock, rate);
    if (rc == 0)
        test->paced = false;
    return rc;
}

int bight_test_set_autojump(int64_t cushion_ms)
{
    const struct bight__test *test = bight__test();

    if (!test)
        return BIGHT_ENOTSUP;
    bight_test_clock_set_autojump(test->clock, cushion_ms);
    return 0;
}

uint64_t bight_test_elapsed_ns(void)
{
    struct bight__test *test = bight__test();

    return test ? bight__test_now(test) - test->begin_ns : 0;
}
