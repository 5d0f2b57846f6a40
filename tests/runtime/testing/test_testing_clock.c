/* Clocks that a test moves: by hand, at a rate, by jumps. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <uv.h>

#define MS_NS UINT64_C(1000000)
#define SECOND_NS UINT64_C(1000000000)
#define YEAR_MS INT64_C(31557600000)

static int run_with(struct bight_test_clock *clock, int (*fn)(void *arg), void *arg)
{
    const struct bight_test_options options = {.clock = clock};

    return bight_test_run(&options, fn, arg, NULL);
}

static int run_manual(int (*fn)(void *arg), void *arg)
{
    const struct bight_test_options options = {.manual = true};

    return bight_test_run(&options, fn, arg, NULL);
}

/* By hand */

static int read_and_jump(void *arg)
{
    struct bight_test_clock *clock = arg;

    ck_assert_uint_eq(bight_now_ns(), 0);
    ck_ok(bight_test_advance(1200));
    ck_assert_uint_eq(bight_now_ns(), 1200 * MS_NS);
    ck_assert_uint_eq(bight_test_clock_now_ns(clock), 1200 * MS_NS);
    ck_assert_uint_eq(bight_test_elapsed_ns(), 1200 * MS_NS);
    ck_code(bight_test_advance(-1000), BIGHT_EINVAL);
    ck_assert_uint_eq(bight_now_ns(), 1200 * MS_NS);
    return 0;
}

static void a_clock_stands_still_until_told(void)
{
    struct bight_test_clock clock;

    bight_test_clock_init(&clock);
    ck_assert_uint_eq(bight_test_clock_now_ns(&clock), 0);
    ck_assert_int_eq(run_with(&clock, read_and_jump, &clock), 0);
    ck_assert_int_eq(bight_test_clock_advance(&clock, -1), BIGHT_EINVAL);
    ck_assert_uint_eq(bight_test_clock_now_ns(&clock), 1200 * MS_NS);
}

static int sleep_10(void *arg)
{
    *(int *)arg = bight_sleep(10);
    return 0;
}

static int advance_over_sleeper(void *arg)
{
    struct bight_task *sleeper;
    int slept = 1;

    (void)arg;
    ck_ok(bight_spawn(&sleeper, sleep_10, &slept));
    ck_ok(bight_test_settle(0));
    ck_ok(bight_test_advance(9));
    ck_ok(bight_test_settle(0));
    ck_assert_int_eq(slept, 1);
    ck_ok(bight_test_advance(1));
    ck_ok(bight_test_settle(0));
    ck_assert_int_eq(slept, 0);
    ck_assert_uint_eq(bight_test_elapsed_ns(), 10 * MS_NS);
    return bight_join(sleeper, NULL);
}

static int sleep_forever_more(void *arg)
{
    int rc = bight_sleep(10);
    int cleaned = bight_shield(-1, world_return, arg);

    return rc ? rc : cleaned;
}

static void nobody_left_to_move_the_clock_is_a_stall(void)
{
    const struct bight_test_options options = {.manual = true, .expected = BIGHT_ESTALLED};
    int none = 0;

    ck_assert_int_eq(bight_test_run(&options, sleep_forever_more, &none, NULL), BIGHT_ESTALLED);
}

/* Rates */

static uint64_t given_real(void *arg)
{
    return *(uint64_t *)arg;
}

static void expect_waits(const struct bight_test_clock *clock, uint64_t third_ms)
{
    ck_assert_uint_eq(bight_test_clock_real_ns_until(clock, 3100 * MS_NS), 0);
    ck_assert_uint_eq(bight_test_clock_real_ns_until(clock, 3200 * MS_NS), 0);
    ck_assert_uint_eq(bight_test_clock_real_ns_until(clock, 4200 * MS_NS), third_ms * MS_NS);
}

static void a_rate_bends_the_time_from_then_on(void)
{
    struct bight_test_clock clock;
    uint64_t real = 777;

    bight_test_clock_init(&clock);
    bight_test_clock_set_real(&clock, given_real, &real);
    ck_assert_int_eq(bight_test_clock_advance(&clock, 1200), 0);
    ck_assert_int_eq(bight_test_clock_set_rate(&clock, -1), BIGHT_EINVAL);
    ck_assert_int_eq(bight_test_clock_set_rate(&clock, 1 / 0.0), BIGHT_EINVAL);
    ck_assert_uint_eq(bight_test_clock_real_ns_until(&clock, 1200 * MS_NS + 1), UINT64_MAX);
    ck_assert_int_eq(bight_test_clock_set_rate(&clock, 2), 0);
    ck_assert_uint_eq(bight_test_clock_now_ns(&clock), 1200 * MS_NS);
    real += SECOND_NS;
    ck_assert_uint_eq(bight_test_clock_now_ns(&clock), 3200 * MS_NS);
    expect_waits(&clock, 500);
    ck_assert_int_eq(bight_test_clock_set_rate(&clock, 0.5), 0);
    ck_assert_uint_eq(bight_test_clock_now_ns(&clock), 3200 * MS_NS);
    expect_waits(&clock, 2000);
    ck_assert_int_eq(bight_test_clock_advance(&clock, 800), 0);
    ck_assert_uint_eq(bight_test_clock_now_ns(&clock), 4000 * MS_NS);
    real += SECOND_NS;
    ck_assert_uint_eq(bight_test_clock_now_ns(&clock), 4500 * MS_NS);
}

static int sleep_fast(void *arg)
{
    (void)arg;
    ck_ok(bight_test_set_rate(10000));
    ck_ok(bight_sleep(100000));
    ck_assert_uint_ge(bight_test_elapsed_ns(), 100 * SECOND_NS);
    return 0;
}

static void a_sleep_at_a_rate_takes_so_much_less(void)
{
    uint64_t begin = uv_hrtime();

    ck_assert_int_eq(run_manual(sleep_fast, NULL), 0);
    ck_assert_uint_ge(uv_hrtime() - begin, 10 * MS_NS);
    ck_assert_uint_lt(uv_hrtime() - begin, 10 * SECOND_NS);
}

/* Jumps */

static int sleep_tens(void *arg)
{
    for (int64_t ms = 0; ms < 100; ms += 10) {
        uint64_t begin = bight_now_ns();

        ck_ok(bight_sleep(ms));
        ck_assert_uint_eq(bight_now_ns() - begin, (uint64_t)ms * MS_NS);
    }
    (void)arg;
    return 0;
}

static void each_sleep_advances_the_clock_by_exactly_its_length(void)
{
    struct bight_test_clock clock;

    bight_test_clock_init(&clock);
    bight_test_clock_set_autojump(&clock, 0);
    ck_assert_int_eq(run_with(&clock, sleep_tens, NULL), 0);
    ck_assert_uint_eq(bight_test_clock_now_ns(&clock), 450 * MS_NS);
}

static int sleep_10000_seconds(void *arg)
{
    (void)arg;
    return bight_sleep(10000000);
}

static void a_cushion_may_be_set_before_use(void)
{
    struct bight_test_clock clock;
    uint64_t begin = uv_hrtime();

    bight_test_clock_init(&clock);
    bight_test_clock_set_autojump(&clock, 60000);
    bight_test_clock_set_autojump(&clock, 10);
    ck_assert_int_eq(run_with(&clock, sleep_10000_seconds, NULL), 0);
    ck_assert_uint_ge(uv_hrtime() - begin, 10 * MS_NS);
    ck_assert_uint_lt(uv_hrtime() - begin, 60 * SECOND_NS);
}

/* A year */

static int tick(void *arg)
{
    int64_t period_ms = *(int64_t *)arg;

    for (int64_t ms = 0; ms < YEAR_MS; ms += period_ms)
        ck_ok(bight_sleep(period_ms));
    return 0;
}

static int year_body(struct bight_group *group, void *arg)
{
    static int64_t periods_ms[] = {300000, 3600000, 86400000};

    (void)arg;
    for (int i = 0; i < 3; i++)
        ck_ok(bight_group_spawn(NULL, group, NULL, tick, &periods_ms[i]));
    return 0;
}

static int year_main(void *arg)
{
    return bight_group_run(year_body, arg);
}

/* What happens every five minutes, every hour and every day, for a year. */
static void a_year_passes_in_less_than_a_second(void)
{
    struct bight_test_result result;
    uint64_t begin = uv_hrtime();

    ck_assert_int_eq(bight_test_run(NULL, year_main, NULL, &result), 0);
    ck_assert_uint_ge(result.elapsed_ns, (uint64_t)YEAR_MS * MS_NS);
    ck_assert_uint_ge(result.jumps, 105192);
#if !defined(BIGHT_ASAN) && !defined(BIGHT_TSAN) && !defined(BIGHT_VALGRIND)
    ck_assert_uint_lt(uv_hrtime() - begin, SECOND_NS);
#else
    (void)begin;
#endif
}

static int read_twice(void *arg)
{
    uint64_t first = bight_now_ns();

    (void)arg;
    while (bight_now_ns() == first)
        ;
    return bight_now_ns() > first ? 0 : BIGHT_EIO;
}

static const struct suite_case cases[] = {
    plain_case(a_clock_stands_still_until_told),
    body_case(a_sleeper_wakes_when_the_clock_is_moved_over_its_deadline, run_manual,
              advance_over_sleeper),
    plain_case(nobody_left_to_move_the_clock_is_a_stall),
    plain_case(a_rate_bends_the_time_from_then_on),
    plain_case(a_sleep_at_a_rate_takes_so_much_less),
    plain_case(each_sleep_advances_the_clock_by_exactly_its_length),
    plain_case(a_cushion_may_be_set_before_use),
    plain_case(a_year_passes_in_less_than_a_second),
    body_case(real_time_moves, bight_run, read_twice),
};

test_suite("testing_clock", cases);
