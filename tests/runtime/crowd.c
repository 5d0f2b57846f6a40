/* See crowd.h. */
#include "tests/runtime/crowd.h"

#include "tests/harness/world.h"

uint64_t crowd_now(const struct crowd *crowd)
{
    return bight_test_clock_now_ns(&crowd->clock);
}

void crowd_spend(struct crowd *crowd, int64_t ms)
{
    ck_assert_int_eq(bight_test_clock_advance(&crowd->clock, ms), 0);
    crowd->worked_ns += (uint64_t)ms * 1000000;
}

void crowd_traced(struct crowd *crowd, uint64_t what)
{
    crowd->trace = (crowd->trace ^ what ^ crowd_now(crowd)) * UINT64_C(1099511628211);
}

void crowd_make(struct bight_call *call)
{
    struct timed *timed = bight_container_of(call, struct timed, call);
    struct crowd *crowd = timed->crowd;
    bool is_long = crowd->shorts && crowd->made % (crowd->shorts + 1) == crowd->shorts;

    ck_assert(!bight_call_pending(call));
    ck_assert_uint_ge(timed->due_ns, crowd->last_due_ns);
    ck_assert_uint_ge(crowd_now(crowd), timed->due_ns);
    ck_assert_uint_lt(crowd->made++, MADE_MOST);
    crowd->last_due_ns = timed->due_ns;
    timed->made = true;
    crowd_spend(crowd, is_long ? crowd->long_ms : crowd->step_ms);
    crowd_traced(crowd, (uint64_t)(timed - crowd->calls));
    if (crowd->again && !crowd->stop) {
        timed->due_ns = crowd_now(crowd);
        ck_ok(bight_call_later(call, 0));
    }
}

void crowd_arm(struct crowd *crowd, size_t calls)
{
    for (size_t i = 0; i < calls; i++) {
        struct timed *timed = &crowd->calls[i];

        timed->crowd = crowd;
        timed->due_ns = crowd_now(crowd) + DUE_MS * UINT64_C(1000000) - i * 1000;
        bight_call_init(&timed->call, crowd_make);
        ck_ok(bight_call_at(&timed->call, timed->due_ns));
    }
}

void crowd_run(struct crowd *crowd, int (*main)(void *arg), void *arg)
{
    const struct bight_runtime_options runtime = {.slice_us = SLICE_MS * 1000};
    struct bight_test_options options = {
        .seed = crowd->seed, .clock = &crowd->clock, .runtime = &runtime};

    bight_test_clock_init(&crowd->clock);
    bight_test_clock_set_autojump(&crowd->clock, 0);
    ck_ok(bight_test_run(&options, main, arg, NULL));
}
