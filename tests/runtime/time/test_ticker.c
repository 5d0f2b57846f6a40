/* runtime/time/ticker.c: when ticks come, and what becomes of those nobody was there for. In
 * virtual time, which passes only in sleeps, so every time is exact. */
#include <bight.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#define MS UINT64_C(1000000)

static uint64_t begin_ns;

static uint64_t since_begin_ms(void)
{
    ck_assert_uint_eq((bight_now_ns() - begin_ns) % MS, 0);
    return (bight_now_ns() - begin_ns) / MS;
}

static void start(struct bight_ticker *ticker, enum bight_ticker_policy policy)
{
    begin_ns = bight_now_ns();
    ck_ok(bight_ticker_init(ticker, 10, policy));
}

/* A wait gives `ticks`, at that time. */
static void expect_tick(struct bight_ticker *ticker, int ticks, uint64_t at_ms)
{
    ck_code(bight_ticker_wait(ticker), ticks);
    ck_assert_uint_eq(since_begin_ms(), at_ms);
}

static int work_in_between(void *arg)
{
    struct bight_ticker ticker;

    (void)arg;
    for (int policy = BIGHT_TICKER_BURST; policy <= BIGHT_TICKER_SKIP; policy++) {
        start(&ticker, (enum bight_ticker_policy)policy);
        for (uint64_t tick = 1; tick < 1000; tick++) {
            expect_tick(&ticker, 1, 10 * tick);
            ck_ok(bight_sleep((int64_t)(tick % 10)));
        }
    }
    return 0;
}

static int burst(void *arg)
{
    struct bight_ticker ticker;

    (void)arg;
    start(&ticker, BIGHT_TICKER_BURST);
    expect_tick(&ticker, 1, 10);
    ck_ok(bight_sleep(35));
    expect_tick(&ticker, 1, 45);
    expect_tick(&ticker, 1, 45);
    expect_tick(&ticker, 1, 45);
    expect_tick(&ticker, 1, 50);
    return 0;
}

static int skip(void *arg)
{
    struct bight_ticker ticker;

    (void)arg;
    start(&ticker, BIGHT_TICKER_SKIP);
    expect_tick(&ticker, 1, 10);
    ck_ok(bight_sleep(35));
    expect_tick(&ticker, 3, 45);
    expect_tick(&ticker, 1, 50);
    ck_ok(bight_sleep(10));
    expect_tick(&ticker, 1, 60);
    ck_ok(bight_sleep(20));
    expect_tick(&ticker, 2, 80);
    expect_tick(&ticker, 1, 90);
    return 0;
}

static int delay(void *arg)
{
    struct bight_ticker ticker;

    (void)arg;
    start(&ticker, BIGHT_TICKER_DELAY);
    expect_tick(&ticker, 1, 10);
    ck_ok(bight_sleep(35));
    expect_tick(&ticker, 3, 45);
    expect_tick(&ticker, 1, 55);
    ck_ok(bight_sleep(7));
    expect_tick(&ticker, 1, 65);
    return 0;
}

static void missed_ticks_are_made_up_for_left_out_or_move_the_grid(int i)
{
    int (*const bodies[])(void *) = {burst, skip, delay};

    ck_ok(world_run(bodies[i], NULL, NULL));
}

static int wait_tick(void *ticker)
{
    return bight_ticker_wait(ticker) == 1 ? (int)since_begin_ms() : -1;
}

static int give_up(void *arg)
{
    struct bight_ticker ticker;

    (void)arg;
    start(&ticker, BIGHT_TICKER_SKIP);
    ck_code(bight_timeout(4, wait_tick, &ticker), -1);
    ck_assert_uint_eq(since_begin_ms(), 4);
    expect_tick(&ticker, 1, 10);
    ck_ok(bight_sleep(4));
    bight_ticker_reset(&ticker);
    expect_tick(&ticker, 1, 24);
    return 0;
}

static int share(void *arg)
{
    struct bight_ticker ticker;
    struct bight_task *tasks[2];
    int status;

    (void)arg;
    start(&ticker, BIGHT_TICKER_BURST);
    for (int i = 0; i < 2; i++)
        ck_ok(bight_spawn(&tasks[i], wait_tick, &ticker));
    for (int i = 0; i < 2; i++) {
        ck_ok(bight_join(tasks[i], &status));
        ck_assert_int_eq(status, 10 * (i + 1));
    }
    return 0;
}

static void tickers_that_cannot_be_are_refused(void)
{
    struct bight_ticker ticker;

    ck_code(bight_ticker_init(&ticker, 0, BIGHT_TICKER_SKIP), BIGHT_EINVAL);
    ck_code(bight_ticker_init(&ticker, -1, BIGHT_TICKER_SKIP), BIGHT_EINVAL);
    ck_code(bight_ticker_init(&ticker, INT64_MAX, BIGHT_TICKER_SKIP), BIGHT_EINVAL);
    ck_code(bight_ticker_init(&ticker, 1, (enum bight_ticker_policy)3), BIGHT_EINVAL);
    ck_ok(bight_ticker_init(&ticker, 1, BIGHT_TICKER_SKIP));
    ck_code(bight_ticker_wait(&ticker), BIGHT_ENOTASK);
}

/* Sleeping until a time. */

static int sleep_until(void *arg)
{
    (void)arg;
    begin_ns = bight_now_ns();
    ck_ok(bight_sleep_until(begin_ns + 5 * MS));
    ck_assert_uint_eq(since_begin_ms(), 5);
    ck_ok(bight_sleep_until(begin_ns));
    ck_ok(bight_sleep_until(0));
    ck_assert_uint_eq(since_begin_ms(), 5);
    return 0;
}

static void one_may_sleep_until_a_time(void)
{
    ck_ok(world_run(sleep_until, NULL, NULL));
    ck_code(bight_sleep_until(0), BIGHT_ENOTASK);
    ck_code(bight_sleep_until(UINT64_MAX), BIGHT_ENOTASK);
}

static const struct suite_case cases[] = {
    world_case(ticks_do_not_drift_with_the_work_in_between, work_in_between),
    each_case(missed_ticks_are_made_up_for_left_out_or_move_the_grid, 3),
    world_case(a_tick_is_not_lost_to_one_who_gave_up, give_up),
    world_case(a_tick_goes_to_one_of_those_who_wait, share),
    plain_case(tickers_that_cannot_be_are_refused),
    plain_case(one_may_sleep_until_a_time),
};

test_suite("ticker", cases);
