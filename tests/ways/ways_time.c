/* See ways.h. Waits for nothing but time, of the kinds beside bight_sleep. */
#include "tests/ways/ways.h"

#include <check.h>

static void nothing(struct stage *stage)
{
    (void)stage;
}

static void time_passes(struct stage *stage)
{
    ck_assert_int_eq(bight_test_clock_advance(stage->test.clock, SLEEP_MS), 0);
}

static int sleep_until_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_sleep_until(bight_now_ns() + SLEEP_MS * UINT64_C(1000000));
}

static int ticker_wait(struct seat *seat)
{
    struct bight_ticker ticker;

    seat->stage->no_memory = true;
    ck_assert_int_eq(bight_ticker_init(&ticker, SLEEP_MS, BIGHT_TICKER_SKIP), 0);
    return bight_ticker_wait(&ticker);
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
static const struct way time_ways[] = {
    {"bight_sleep_until", 1, 0, true, 0, nothing, sleep_until_wait, time_passes, NULL, nothing},
    {"bight_ticker_wait", 1, 1, true, 0, nothing, ticker_wait, time_passes, NULL, nothing},
};

const struct way_table time_way_table = {time_ways, sizeof(time_ways) / sizeof(time_ways[0])};
