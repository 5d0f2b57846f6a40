/* Race: staggered starts, one winner, the others cancelled and awaited. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <bight/gather.h>

/* One alternative: sleep, then end with a code. */
struct runner {
    int64_t sleep_ms;
    int code;
    int began_ms;
    int ended_ms;
};

static uint64_t begin_ns;

static int elapsed_ms(void)
{
    return (int)((bight_now_ns() - begin_ns) / 1000000);
}

static int runs(void *arg)
{
    struct runner *runner = arg;
    int rc;

    runner->began_ms = elapsed_ms();
    rc = bight_sleep(runner->sleep_ms);
    runner->ended_ms = elapsed_ms();
    return rc ? rc : runner->code;
}

static void line_up(struct bight_gather *calls, struct runner *runners, size_t count)
{
    begin_ns = bight_now_ns();
    for (size_t i = 0; i < count; i++)
        calls[i] = (struct bight_gather){.fn = runs, .arg = &runners[i]};
}

static int nobody(void *arg)
{
    struct bight_gather none = {.fn = NULL};
    size_t winner = 9;

    (void)arg;
    ck_assert_int_eq(bight_race(NULL, 0, -1, &winner), 0);
    ck_assert_uint_eq(winner, 0);
    ck_code(bight_race(&none, 1, -1, &winner), BIGHT_EINVAL);
    return 0;
}

static void race_of_nobody_has_no_winner(void)
{
    ck_code(bight_race(NULL, 0, -1, NULL), BIGHT_ENOTASK);
    ck_ok(world_run(nobody, NULL, NULL));
}

static int first_wins(void *arg)
{
    struct runner runners[] = {{10, 5, 0, 0}, {0, 6, 0, 0}};
    struct bight_gather calls[2];
    size_t winner;

    (void)arg;
    line_up(calls, runners, 2);
    ck_assert_int_eq(bight_race(calls, 2, -1, &winner), 1);
    ck_assert_uint_eq(winner, 0);
    ck_assert_int_eq(calls[0].status, 5);
    ck_assert(!calls[1].started);
    return bight_checkpoint();
}

static int second_wins(void *arg)
{
    struct runner runners[] = {{10, BIGHT_EIO, 0, 0}, {10, 6, 0, 0}, {0, 0, 0, 0}};
    struct bight_gather calls[3];
    size_t winner;

    line_up(calls, runners, 3);
    ck_assert_int_eq(bight_race(calls, 3, *(int *)arg, &winner), 1);
    ck_assert_uint_eq(winner, 1);
    ck_code(calls[0].status, BIGHT_EIO);
    ck_assert_int_eq(calls[1].status, 6);
    ck_assert(!calls[2].started);
    ck_assert_int_eq(runners[1].began_ms, 10);
    return 0;
}

static void race_starts_the_next_at_once_when_one_fails(int i)
{
    int stagger_ms[] = {-1, 1000};

    ck_ok(world_run(second_wins, &stagger_ms[i], NULL));
}

static int all_fail(void *arg)
{
    struct runner runners[] = {{10, BIGHT_EIO, 0, 0}, {10, BIGHT_EPERM, 0, 0}};
    struct bight_gather calls[2];
    size_t winner = 9;

    line_up(calls, runners, 2);
    ck_assert_int_eq(bight_race(calls, 2, *(int *)arg, &winner), 0);
    ck_assert_uint_eq(winner, 2);
    ck_code(calls[0].status, BIGHT_EIO);
    ck_code(calls[1].status, BIGHT_EPERM);
    return bight_checkpoint();
}

static void race_that_nobody_wins_is_no_failure(int i)
{
    int stagger_ms[] = {-1, 0, 5};

    ck_ok(world_run(all_fail, &stagger_ms[i], NULL));
}

static int staggered(void *arg)
{
    struct runner runners[] = {{1000, 0, 0, 0}, {35, 1, 0, 0}, {30, 2, 0, 0}, {1000, 0, 0, 0}};
    struct bight_gather calls[4];
    size_t winner;

    (void)arg;
    line_up(calls, runners, 4);
    ck_assert_int_eq(bight_race(calls, 4, 10, &winner), 1);
    ck_assert_int_eq(elapsed_ms(), 45);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(runners[i].began_ms, 10 * i);
    ck_assert_uint_gt(winner, 0); /* two came at the same time, one of them has won */
    ck_assert_uint_lt(winner, 3);
    ck_assert_int_eq(calls[winner].status, (int)winner);
    ck_code(calls[0].status, BIGHT_ECANCELED);
    ck_code(calls[3].status, BIGHT_ECANCELED);
    ck_assert_int_eq(runners[3].ended_ms, 40 + 5);
    return bight_checkpoint();
}

/* The time to the next start counts from the start of the one before. */
static int fails_between(void *arg)
{
    struct runner runners[] = {{4, BIGHT_EIO, 0, 0}, {100, 1, 0, 0}, {100, 2, 0, 0}};
    struct bight_gather calls[3];

    (void)arg;
    line_up(calls, runners, 3);
    ck_assert_int_eq(bight_race(calls, 3, 10, NULL), 1);
    ck_assert_int_eq(runners[1].began_ms, 4);
    ck_assert_int_eq(runners[2].began_ms, 14);
    /* That an earlier one fails does not hurry. */
    struct runner early[] = {{12, BIGHT_EIO, 0, 0}, {100, 1, 0, 0}, {100, 2, 0, 0}};
    line_up(calls, early, 3);
    ck_assert_int_eq(bight_race(calls, 3, 10, NULL), 1);
    ck_assert_int_eq(early[2].began_ms, 20);
    return 0;
}

static int out_of_time(void *arg)
{
    struct runner runners[] = {{1000, 0, 0, 0}, {1000, 0, 0, 0}, {1000, 0, 0, 0}};
    struct bight_gather calls[3];
    struct bight_scope scope;
    size_t winner = 9;

    line_up(calls, runners, 3);
    ck_ok(bight_scope_begin(&scope, 15, 0));
    int rc = bight_race(calls, 3, *(int *)arg, &winner);
    ck_code(rc, BIGHT_ECANCELED);
    ck_code(bight_scope_end(&scope, rc), BIGHT_ETIMEDOUT);
    ck_assert_int_eq(elapsed_ms(), 15);
    ck_assert_uint_eq(winner, 3);
    ck_assert(calls[1].started == (*(int *)arg >= 0));
    ck_assert(calls[2].started == (*(int *)arg == 0));
    return 0;
}

static void race_gives_way_to_a_cancellation(int i)
{
    int stagger_ms[] = {-1, 10, 0};

    ck_ok(world_run(out_of_time, &stagger_ms[i], NULL));
}

static int is_stubborn(void *arg)
{
    int rc = bight_sleep(-1);

    *(int *)arg = bight_shield(-1, world_return, &(int){0});
    return rc == BIGHT_ECANCELED ? 7 : rc; /* too late to win */
}

static int late_success(void *arg)
{
    struct runner runner = {10, 3, 0, 0};
    int cleaned = -1;
    struct bight_gather calls[] = {{.fn = is_stubborn, .arg = &cleaned},
                                   {.fn = runs, .arg = &runner}};
    size_t winner;

    (void)arg;
    begin_ns = bight_now_ns();
    ck_assert_int_eq(bight_race(calls, 2, 0, &winner), 1);
    ck_assert_uint_eq(winner, 1);
    ck_assert_int_eq(calls[0].status, 7);
    ck_assert_int_eq(cleaned, 0);
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(race_of_nobody_has_no_winner),
    world_case(race_does_not_start_the_second_when_the_first_succeeds, first_wins),
    each_case(race_starts_the_next_at_once_when_one_fails, 2),
    each_case(race_that_nobody_wins_is_no_failure, 3),
    world_case(race_starts_them_one_after_the_other_and_cancels_the_losers, staggered),
    world_case(race_measures_the_stagger_from_the_latest_start, fails_between),
    each_case(race_gives_way_to_a_cancellation, 3),
    world_case(race_has_one_winner_whatever_the_losers_say, late_success),
};

test_suite("race", cases);
