/* Wait-for: one task under a time limit, which ends with it, however long that takes. */
#include "tests/conformance/conf.h"

static int sleeps_on(void *arg)
{
    return bight_sleep(*(int64_t *)arg);
}

/* Runs until 200 ms and ignores every cancellation. */
static int stubborn(void *arg)
{
    *(int64_t *)arg = -1;
    ck_ok(bight_shield(-1, sleeps_on, &(int64_t){200}));
    *(int64_t *)arg = conf_now_ms();
    return 0;
}

static int waits_for_stubborn(void *arg)
{
    struct bight_task *task;
    int status = -1;

    ck_ok(bight_spawn(&task, stubborn, arg));
    ck_ok(bight_wait_for(task, 400, &status));
    ck_ok(status);
    return 0;
}

static int cancelled_waiter(void *arg)
{
    int64_t ended_ms = 0;

    (void)arg;
    conf_cancelled_after(1, waits_for_stubborn, &ended_ms, 0);
    ck_assert_int_eq(ended_ms, 200);
    ck_assert_int_eq(conf_now_ms(), 200);
    return 0;
}

static int timed_out_waiter(void *arg)
{
    struct bight_task *task;
    int64_t ended_ms = 0;
    int status = -1;

    (void)arg;
    ck_ok(bight_spawn(&task, stubborn, &ended_ms));
    ck_ok(bight_wait_for(task, 100, &status)); /* it has a result after all */
    ck_ok(status);
    ck_assert_int_eq(ended_ms, 200);
    ck_assert_int_eq(conf_now_ms(), 200);
    return 0;
}

static int never_started(void *arg)
{
    struct conf_sleeper foo = {.sleep_ms = 1};
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_spawn(&task, conf_sleeper, &foo));
    ck_code(bight_wait_for(task, 0, NULL), BIGHT_ETIMEDOUT);
    world_settle();
    ck_assert(!foo.begun);
    return 0;
}

static int cancels_and_cleans_up(void *arg)
{
    struct conf_sleeper foo = {.sleep_ms = 1000000};
    struct bight_task *task;
    int status = 0;

    (void)arg;
    ck_ok(bight_spawn(&task, conf_sleeper, &foo));
    ck_code(bight_wait_for(task, 100, &status), BIGHT_ETIMEDOUT);
    ck_code(status, BIGHT_ECANCELED); /* done, and cancelled */
    ck_code(foo.saw, BIGHT_ECANCELED);
    ck_assert_int_eq(foo.ended_ms, 100);
    ck_assert_int_eq(conf_now_ms(), 100);
    return 0;
}

static int for_ever(void *arg)
{
    struct conf_sleeper done = {.sleep_ms = 3600000, .returns = 17};
    struct bight_task *task;
    int status = 0;

    (void)arg;
    ck_ok(bight_spawn(&task, conf_sleeper, &done));
    ck_ok(bight_wait_for(task, -1, &status));
    ck_assert_int_eq(status, 17);
    return 0;
}

/* A task that sleeps `sleep_ms` and answers its cancellation with `value`. */
static int answers(int64_t sleep_ms, int value, int64_t timeout_ms)
{
    struct conf_sleeper inner = {.sleep_ms = sleep_ms, .on_cancel = value};
    struct bight_task *task;
    int status = 0;

    ck_ok(bight_spawn(&task, conf_sleeper, &inner));
    ck_ok(bight_wait_for(task, timeout_ms, &status));
    ck_code(inner.saw, BIGHT_ECANCELED);
    ck_assert_int_eq(conf_now_ms(), timeout_ms);
    return status;
}

static int swallows(void *arg)
{
    (void)arg;
    ck_assert_int_eq(answers(1000, 1, 10), 1);
    return 0;
}

static int answers_late(void *arg)
{
    (void)arg;
    ck_assert_int_eq(answers(10000, 42, 100), 42);
    return 0;
}

static int cleans_up_slowly(void *arg)
{
    int rc = bight_sleep(10000);

    ck_code(rc, BIGHT_ECANCELED);
    ck_ok(bight_shield(-1, sleeps_on, &(int64_t){5}));
    *(bool *)arg = true;
    return rc;
}

static void slow_cleanup(int64_t timeout_ms)
{
    struct bight_task *task;
    bool cleaned = false;
    int status = 0;

    ck_ok(bight_spawn(&task, cleans_up_slowly, &cleaned));
    ck_ok(bight_yield()); /* it has begun */
    ck_code(bight_wait_for(task, timeout_ms, &status), BIGHT_ETIMEDOUT);
    ck_code(status, BIGHT_ECANCELED); /* what the timeout comes from */
    ck_assert(cleaned);
    ck_assert_int_eq(conf_now_ms(), timeout_ms + 5);
}

static int cleanup_after_a_moment(void *arg)
{
    (void)arg;
    slow_cleanup(1);
    return 0;
}

static int cleanup_at_once(void *arg)
{
    (void)arg;
    slow_cleanup(0);
    return 0;
}

/* A join is a shield: who waits for the joiner, and gives up, does not end the joined one. */
static int joins(void *arg)
{
    int status = 0, rc = bight_join(arg, &status);

    return rc ? rc : status;
}

static int shielded(void *arg)
{
    struct conf_sleeper slow = {.sleep_ms = 100, .returns = 17};
    struct bight_task *task, *joiner;
    int status = 0;

    (void)arg;
    ck_ok(bight_spawn(&task, conf_sleeper, &slow));
    ck_ok(bight_spawn(&joiner, joins, task));
    ck_ok(bight_wait_for(joiner, -1, &status));
    ck_assert_int_eq(status, 17);
    ck_assert_int_eq(conf_now_ms(), 100);
    ck_ok(bight_spawn(&task, conf_sleeper, &slow));
    ck_ok(bight_spawn(&joiner, joins, task));
    ck_code(bight_wait_for(joiner, 50, &status), BIGHT_ETIMEDOUT);
    ck_assert(!bight_task_done(task));
    conf_join(task, 17);
    ck_assert_int_eq(conf_now_ms(), 200);
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(waitfor_01_cancelling_the_waiter_waits_until_the_task_has_really_ended,
              cancelled_waiter),
    conf_case(waitfor_02_the_timeout_waits_until_the_task_has_really_ended, timed_out_waiter),
    conf_case(waitfor_04_a_timeout_of_0_never_starts_the_body, never_started),
    conf_case(waitfor_06_the_timeout_cancels_the_task_and_waits_for_its_cleanup,
              cancels_and_cleans_up),
    conf_case(waitfor_07_no_timeout_waits_for_ever, for_ever),
    conf_case(waitfor_09_a_body_that_swallows_the_cancellation_gives_its_value, swallows),
    conf_case(waitfor_10_a_body_may_answer_the_timeout_with_a_value, answers_late),
    conf_case(waitfor_11_the_timeout_waits_for_a_cleanup_that_waits, cleanup_after_a_moment),
    conf_case(waitfor_12_a_timeout_of_0_waits_for_a_cleanup_that_waits, cleanup_at_once),
    conf_case(waitfor_17_a_shield_without_a_timeout_waits_for_the_result, shielded),
};

test_suite("timeouts, wait-for", cases);
