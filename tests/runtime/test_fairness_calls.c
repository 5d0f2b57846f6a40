/* Timed calls that are due by the hundred and work for long: whoever is beside them waits for a
 * slice and 16 of them at most. In virtual time, as test_fairness.c; what order is kept:
 * test_fairness_order.c. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"
#include "tests/runtime/crowd.h"

#include <bight/uv.h>

#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Somebody beside the calls goes on, who could have for so long. */
static void waited(struct crowd *crowd, uint64_t ns)
{
    int64_t ms = (int64_t)ns / 1000000;

    ck_assert_int_ge(ms, 0);
    if (ms > crowd->waited_ms)
        crowd->waited_ms = ms;
    crowd_traced(crowd, ns);
}

/* The same for one whose time had come. */
static void was_due(struct crowd *crowd, uint64_t due_ns)
{
    waited(crowd, crowd_now(crowd) - due_ns);
}

/* Those beside them */

static int yields(void *arg)
{
    struct crowd *crowd = arg;

    while (!crowd->stop) {
        uint64_t since_ns;

        crowd_spend(crowd, 1);
        since_ns = crowd->worked_ns;
        ck_ok(bight_yield());
        waited(crowd, crowd->worked_ns - since_ns);
    }
    return 0;
}

static int times_out(void *arg)
{
    struct crowd *crowd = arg;

    for (int64_t ms = 1; !crowd->stop; ms = ms % 97 + 13) {
        uint64_t due_ns = crowd_now(crowd) + (uint64_t)ms * 1000000;

        ck_code(bight_timeout(ms, world_forever, NULL), BIGHT_ETIMEDOUT);
        was_due(crowd, due_ns);
    }
    return 0;
}

static int waits_for_a_time(void *arg)
{
    struct crowd *crowd = arg;
    struct bight_event never;

    bight_event_init(&never);
    for (int64_t ms = 1; !crowd->stop; ms = ms % 89 + 17) {
        uint64_t due_ns = crowd_now(crowd) + (uint64_t)ms * 1000000;
        struct bight_case cases[2];

        bight_case_event(&cases[0], &never);
        bight_case_sleep(&cases[1], ms);
        ck_assert_int_eq(bight_select(cases, 2, 0), 1);
        was_due(crowd, due_ns);
    }
    return 0;
}

static int sleeps(void *arg)
{
    struct crowd *crowd = arg;

    for (int64_t ms = 1; !crowd->stop; ms = ms % 79 + 11) {
        uint64_t due_ns = crowd_now(crowd) + (uint64_t)ms * 1000000;

        ck_ok(bight_sleep(ms));
        was_due(crowd, due_ns);
    }
    return 0;
}

/* The descriptor is always readable: each poll of the loop says so. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct crowd *crowd = poll->data;

    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(events, UV_READABLE);
    waited(crowd, crowd->worked_ns - crowd->polled_ns);
    crowd->polled_ns = crowd->worked_ns;
    ck_ok(bight_event_set(&crowd->readable));
}

static int reads(void *arg)
{
    struct crowd *crowd = arg;

    while (!crowd->stop) {
        uint64_t since_ns = crowd->worked_ns;

        bight_event_clear(&crowd->readable);
        ck_ok(bight_event_wait(&crowd->readable));
        waited(crowd, crowd->worked_ns - since_ns);
    }
    return 0;
}

static void on_check(uv_check_t *check)
{
    struct crowd *crowd = check->data;

    waited(crowd, crowd->worked_ns - crowd->checked_ns);
    crowd->checked_ns = crowd->worked_ns;
}

static void open_host(struct crowd *crowd)
{
    ck_assert_int_eq(pipe(crowd->ends), 0);
    ck_assert_int_eq(write(crowd->ends[1], "x", 1), 1);
    ck_assert_int_eq(uv_poll_init(bight_uv_loop(), &crowd->poll, crowd->ends[0]), 0);
    ck_assert_int_eq(uv_check_init(bight_uv_loop(), &crowd->check), 0);
    crowd->poll.data = crowd->check.data = crowd;
    crowd->polled_ns = crowd->checked_ns = crowd->worked_ns;
    bight_event_init(&crowd->readable);
    ck_assert_int_eq(uv_poll_start(&crowd->poll, UV_READABLE, on_poll), 0);
    ck_assert_int_eq(uv_check_start(&crowd->check, on_check), 0);
}

static void close_host(struct crowd *crowd)
{
    ck_ok(bight_uv_close((uv_handle_t *)&crowd->poll));
    ck_ok(bight_uv_close((uv_handle_t *)&crowd->check));
    close(crowd->ends[0]);
    close(crowd->ends[1]);
}

static bool all_made(const struct crowd *crowd)
{
    for (size_t i = 0; i < CALLS; i++) {
        if (!crowd->calls[i].made)
            return false;
    }
    return true;
}

/* One way to wait, beside them all, until each call was made. */
struct beside {
    struct crowd *crowd;
    int (*fn)(void *arg);
};

static int beside_calls(void *arg)
{
    static int (*const all[])(void *arg) = {yields, times_out, waits_for_a_time, sleeps, reads};
    struct beside *beside = arg;
    struct crowd *crowd = beside->crowd;
    struct bight_task *tasks[COUNT(all)];
    size_t count = beside->fn ? 1 : COUNT(all);

    crowd_arm(crowd, CALLS);
    open_host(crowd);
    for (size_t i = 0; i < count; i++)
        ck_ok(bight_spawn(&tasks[i], beside->fn ? beside->fn : all[i], crowd));
    while (!all_made(crowd) || (crowd->again && crowd->made < MADE_MOST / 2))
        ck_ok(bight_sleep(SLICE_MS));
    crowd->stop = true;
    ck_ok(bight_event_set(&crowd->readable));
    for (size_t i = 0; i < count; i++)
        ck_ok(bight_join(tasks[i], NULL));
    close_host(crowd);
    return 0;
}

static void beside(struct crowd *crowd, int (*fn)(void *arg))
{
    struct beside beside = {crowd, fn};

    crowd_run(crowd, beside_calls, &beside);
    ck_assert(all_made(crowd));
}

/* Around the length of a slice, and far from it. */
static const int64_t lengths_ms[] = {1, 3, 5, 10, 11, 50};

static void equal(int (*fn)(void *arg), bool again)
{
    for (size_t i = 0; i < COUNT(lengths_ms); i++) {
        struct crowd crowd = {.step_ms = lengths_ms[i], .again = again};

        beside(&crowd, fn);
        ck_assert_msg(crowd.waited_ms <= SLICE_MS + 16 * lengths_ms[i],
                      "%d ms beside calls of %d ms", (int)crowd.waited_ms, (int)lengths_ms[i]);
    }
}

static void a_yield_waits_for_a_slice_and_16_calls(void)
{
    equal(yields, false);
}

static void a_deadline_waits_for_a_slice_and_16_calls(void)
{
    equal(times_out, false);
}

static void a_limit_waits_for_a_slice_and_16_calls(void)
{
    equal(waits_for_a_time, false);
}

static void a_sleep_waits_for_a_slice_and_16_calls(void)
{
    equal(sleeps, false);
}

static void a_descriptor_waits_for_a_slice_and_16_calls(void)
{
    equal(reads, false);
}

static void all_together_wait_for_a_slice_and_16_calls(void)
{
    equal(NULL, false);
}

static void calls_that_arm_themselves_for_now_starve_nobody(void)
{
    equal(NULL, true);
}

static void calls_that_differ_are_16_of_the_longest(void)
{
    static const unsigned mixes[] = {1, 3, 15, 63};

    for (size_t i = 0; i < COUNT(mixes); i++) {
        for (int again = 0; again < 2; again++) {
            struct crowd crowd = {.shorts = mixes[i], .long_ms = 40, .again = again};

            beside(&crowd, NULL);
            ck_assert_int_le(crowd.waited_ms, SLICE_MS + 16 * 40);
        }
    }
}

static void what_happens_is_the_same_each_time(void)
{
    uint64_t traces[2];

    for (uint64_t seed = 0; seed < 4; seed++) {
        for (int i = 0; i < 2; i++) {
            struct crowd crowd = {.seed = seed, .step_ms = 3, .long_ms = 40, .shorts = 7};

            beside(&crowd, NULL);
            traces[i] = crowd.trace;
        }
        ck_assert_uint_eq(traces[0], traces[1]);
    }
}

static const struct suite_case cases[] = {
    plain_case(a_yield_waits_for_a_slice_and_16_calls),
    plain_case(a_deadline_waits_for_a_slice_and_16_calls),
    plain_case(a_limit_waits_for_a_slice_and_16_calls),
    plain_case(a_sleep_waits_for_a_slice_and_16_calls),
    plain_case(a_descriptor_waits_for_a_slice_and_16_calls),
    plain_case(all_together_wait_for_a_slice_and_16_calls),
    plain_case(calls_that_arm_themselves_for_now_starve_nobody),
    plain_case(calls_that_differ_are_16_of_the_longest),
    plain_case(what_happens_is_the_same_each_time),
};

test_suite("fairness_calls", cases);
