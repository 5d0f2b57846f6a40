/* Timeouts: scopes with a deadline, when they end what is inside, and what their end makes of
 * it. */
#include "tests/conformance/conf.h"

#define MS UINT64_C(1000000)
#define Z BIGHT_EIO

static int sleeps_on(void *arg)
{
    return bight_sleep(*(int64_t *)arg);
}

static int not_hit(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, 10000, 0));
    ck_ok(bight_scope_end(&scope, bight_sleep(10)));
    ck_assert(!scope.expired && !scope.cancelled && !scope.caught);
    ck_assert_uint_gt(bight_scope_deadline(&scope), bight_now_ns());
    ck_ok(bight_timeout(10000, sleeps_on, &(int64_t){10}));
    ck_assert_int_eq(conf_now_ms(), 20);
    return 0;
}

static int no_deadline(void *arg)
{
    struct bight_scope relative, absolute;

    (void)arg;
    ck_ok(bight_scope_begin(&relative, -1, 0));
    bight_scope_init(&absolute, -1, 0);
    ck_ok(bight_scope_set_deadline(&absolute, BIGHT_NO_DEADLINE));
    ck_ok(bight_scope_enter(&absolute));
    ck_ok(bight_sleep(10));
    ck_assert_uint_eq(bight_scope_deadline(&absolute), BIGHT_NO_DEADLINE);
    ck_assert_uint_eq(bight_scope_deadline(&relative), BIGHT_NO_DEADLINE);
    ck_assert_int_eq(bight_deadline_remaining_ms(), -1);
    ck_ok(bight_scope_end(&absolute, 0));
    ck_ok(bight_scope_end(&relative, 0));
    ck_assert(!absolute.expired && !relative.expired);
    ck_ok(bight_timeout(-1, sleeps_on, &(int64_t){10}));
    ck_ok(bight_deadline(BIGHT_NO_DEADLINE, sleeps_on, &(int64_t){10}));
    return 0;
}

/* In a scope of `timeout_ms`, or of a deadline when that is negative, wait with `fn(arg)`. */
static void interrupted(int64_t timeout_ms, uint64_t deadline_ns, int (*fn)(void *arg), void *arg)
{
    uint64_t before = bight_now_ns();
    struct bight_scope scope;
    int rc;

    bight_scope_init(&scope, timeout_ms, 0);
    if (timeout_ms < 0)
        ck_ok(bight_scope_set_deadline(&scope, deadline_ns));
    ck_ok(bight_scope_enter(&scope));
    rc = fn(arg);
    ck_code(rc, BIGHT_ECANCELED);
    ck_code(bight_scope_end(&scope, rc), BIGHT_ETIMEDOUT);
    ck_assert(scope.expired && scope.caught);
    ck_assert_uint_le(bight_scope_deadline(&scope), bight_now_ns());
    if (timeout_ms < 0)
        ck_assert_uint_eq(bight_scope_deadline(&scope), deadline_ns);
    else
        ck_assert_uint_ge(bight_scope_deadline(&scope), before);
    ck_assert_uint_eq(bight_now_ns(), before);
    ck_ok(bight_yield());
}

static int yields(void *arg)
{
    (void)arg;
    return bight_yield();
}

static int zero_timeout(void *arg)
{
    (void)arg;
    interrupted(0, 0, sleeps_on, &(int64_t){10000});
    ck_code(bight_timeout(0, sleeps_on, &(int64_t){10000}), BIGHT_ETIMEDOUT);
    return 0;
}

static int zero_yield(void *arg)
{
    (void)arg;
    interrupted(0, 0, yields, NULL);
    interrupted(0, 0, sleeps_on, &(int64_t){0});
    ck_code(bight_timeout(0, yields, NULL), BIGHT_ETIMEDOUT);
    return 0;
}

/* A negative timeout is none; a time that has passed is an absolute one. */
static int past_yield(void *arg)
{
    uint64_t past = bight_now_ns() - 11000 * MS;

    (void)arg;
    interrupted(-1, past, yields, NULL);
    ck_code(bight_deadline(past, yields, NULL), BIGHT_ETIMEDOUT);
    return 0;
}

static int fails_in_cleanup(void *arg)
{
    struct bight_scope scope;
    int rc;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, 10, 0));
    rc = bight_sleep(1000);
    ck_code(rc, BIGHT_ECANCELED);
    ck_code(bight_scope_end(&scope, Z), Z);
    /* What was on its way when the failure came. */
    ck_assert(scope.expired && !scope.caught);
    ck_assert_int_eq(conf_now_ms(), 10);
    return 0;
}

static int cancels_itself(void *arg)
{
    struct bight_scope *scope = arg;

    ck_ok(bight_scope_begin(scope, 10000, 0));
    bight_task_cancel(bight_self());
    return bight_scope_end(scope, bight_sleep(10000));
}

static int foreign_cancel(void *arg)
{
    struct bight_scope scope;
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_spawn(&task, cancels_itself, &scope));
    conf_join(task, BIGHT_ECANCELED);
    ck_assert(!scope.expired && !scope.caught);
    ck_assert_int_eq(conf_now_ms(), 0);
    return 0;
}

static int handles_timeout(void *arg)
{
    (void)arg;
    ck_code(bight_timeout(1, sleeps_on, &(int64_t){10000}), BIGHT_ETIMEDOUT);
    ck_assert(!bight_cancelled());
    return 0;
}

static int outer_not_cancelled(void *arg)
{
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_spawn(&task, handles_timeout, NULL));
    conf_join(task, 0);
    ck_assert_int_eq(conf_now_ms(), 1);
    return 0;
}

static int publishes(void *arg)
{
    struct bight_scope *scope = arg;

    ck_ok(bight_scope_begin(scope, 10000, 0));
    return bight_scope_end(scope, bight_sleep(50000));
}

static int moved_from_outside(void *arg)
{
    uint64_t begin = bight_now_ns();
    struct bight_scope scope;
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_spawn(&task, publishes, &scope));
    ck_ok(bight_yield());
    ck_assert_uint_eq(bight_scope_deadline(&scope), begin + 10000 * MS);
    ck_ok(bight_scope_set_deadline(&scope, begin + 30000 * MS));
    ck_assert_uint_eq(bight_scope_deadline(&scope), begin + 30000 * MS);
    ck_ok(bight_sleep(20000)); /* the first deadline does not hold any more */
    ck_ok(bight_scope_set_deadline(&scope, BIGHT_NO_DEADLINE));
    ck_assert_uint_eq(bight_scope_deadline(&scope), BIGHT_NO_DEADLINE);
    ck_ok(bight_sleep(20000));
    bight_task_cancel(task);
    conf_join(task, BIGHT_ECANCELED);
    ck_assert(!scope.expired);
    return 0;
}

static int states(void *arg)
{
    struct bight_scope scope, endless;
    uint64_t begin = bight_now_ns();

    (void)arg;
    bight_scope_init(&scope, 10000, 0);
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_MADE);
    ck_ok(bight_scope_enter(&scope));
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_ACTIVE);
    ck_assert_uint_eq(bight_scope_deadline(&scope), begin + 10000 * MS);
    ck_ok(bight_scope_begin(&endless, -1, 0));
    ck_assert_int_eq(bight_scope_get_state(&endless), BIGHT_SCOPE_ACTIVE);
    ck_assert_uint_eq(bight_scope_deadline(&endless), BIGHT_NO_DEADLINE);
    ck_ok(bight_scope_end(&endless, 0));
    ck_ok(bight_scope_end(&scope, 0));
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_FINISHED);
    ck_ok(bight_scope_begin(&scope, 10, 0));
    ck_code(bight_sleep(1000), BIGHT_ECANCELED);
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_EXPIRING);
    ck_code(bight_scope_end(&scope, BIGHT_ECANCELED), BIGHT_ETIMEDOUT);
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_EXPIRED);
    return 0;
}

static int swallows_and_enters(void *arg)
{
    struct bight_scope *scope = arg;

    ck_code(bight_sleep(1000), BIGHT_ECANCELED); /* swallowed */
    ck_ok(bight_scope_begin(scope, 1000, 0));
    bight_task_cancel(bight_self());
    return bight_scope_end(scope, bight_sleep(2000));
}

static int entered_after_cancellation(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    conf_cancelled_after(10, swallows_and_enters, &scope, BIGHT_ECANCELED);
    ck_assert(!scope.expired && !scope.caught);
    ck_assert_int_eq(conf_now_ms(), 10);
    return 0;
}

static int entered_twice(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    bight_scope_init(&scope, 10, 0);
    ck_ok(bight_scope_enter(&scope));
    ck_code(bight_scope_enter(&scope), BIGHT_EALREADY);
    ck_code(bight_scope_begin(&scope, 10, 0), BIGHT_EALREADY);
    ck_ok(bight_yield());
    ck_ok(bight_scope_end(&scope, 0));
    ck_code(bight_scope_enter(&scope), BIGHT_EALREADY);
    ck_ok(bight_sleep(20)); /* and its deadline is gone */
    return 0;
}

static int moved_at_the_wrong_time(void *arg)
{
    uint64_t begin = bight_now_ns();
    struct bight_scope scope;

    (void)arg;
    bight_scope_init(&scope, 50, 0);
    ck_code(bight_scope_set_deadline(&scope, begin + 20 * MS), BIGHT_EINVAL);
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_MADE);
    ck_ok(bight_scope_enter(&scope));
    ck_assert_uint_eq(bight_scope_deadline(&scope), begin + 50 * MS);
    ck_ok(bight_scope_end(&scope, 0));
    ck_code(bight_scope_set_deadline(&scope, begin + 20 * MS), BIGHT_EINVAL);
    ck_code(bight_scope_set_timeout(&scope, 20), BIGHT_EINVAL);
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_FINISHED);
    ck_ok(bight_scope_begin(&scope, 10, 0));
    ck_code(bight_sleep(1000), BIGHT_ECANCELED);
    ck_code(bight_scope_set_deadline(&scope, begin + 20 * MS), BIGHT_EALREADY);
    ck_code(bight_scope_set_timeout(&scope, 20), BIGHT_EALREADY);
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_EXPIRING);
    ck_code(bight_scope_end(&scope, BIGHT_ECANCELED), BIGHT_ETIMEDOUT);
    ck_code(bight_scope_set_deadline(&scope, begin + 20 * MS), BIGHT_EINVAL);
    ck_code(bight_scope_set_timeout(&scope, 20), BIGHT_EINVAL);
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_EXPIRED);
    return 0;
}

static int begin_rc, timeout_rc, deadline_rc, enter_rc;
static struct bight_scope made;

static void enters_scope(struct bight_call *call)
{
    struct bight_scope scope;

    (void)call;
    begin_rc = bight_scope_begin(&scope, 10, 0);
    timeout_rc = bight_scope_set_timeout(&scope, 20);
    deadline_rc = bight_scope_set_deadline(&scope, bight_now_ns());
    bight_scope_init(&made, 10, 0);
    enter_rc = bight_scope_enter(&made);
}

static int without_task(void *arg)
{
    struct bight_call call;

    (void)arg;
    bight_call_init(&call, enters_scope);
    ck_ok(bight_call_soon(&call));
    world_settle();
    ck_code(begin_rc, BIGHT_ENOTASK);
    ck_code(timeout_rc, BIGHT_EINVAL);
    ck_code(deadline_rc, BIGHT_EINVAL);
    ck_code(enter_rc, BIGHT_ENOTASK);
    ck_assert_int_eq(bight_scope_get_state(&made), BIGHT_SCOPE_MADE);
    ck_code(bight_scope_set_deadline(&made, bight_now_ns()), BIGHT_EINVAL);
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(tmo_05_a_scope_that_ends_in_time_does_nothing, not_hit),
    conf_case(tmo_06_a_scope_without_a_deadline_never_ends_by_itself, no_deadline),
    conf_case(tmo_07_a_timeout_of_0_stops_the_first_wait, zero_timeout),
    conf_case(tmo_08_a_timeout_of_0_stops_even_a_yield, zero_yield),
    conf_case(tmo_09_a_deadline_in_the_past_stops_even_a_yield, past_yield),
    conf_case(tmo_12_a_body_that_fails_in_its_cleanup_fails_with_its_own_code, fails_in_cleanup),
    conf_case(tmo_14_a_cancellation_from_elsewhere_is_no_timeout, foreign_cancel),
    conf_case(tmo_15_a_task_that_handled_its_timeout_is_not_cancelled, outer_not_cancelled),
    conf_case(tmo_18_another_task_can_read_move_and_remove_the_deadline, moved_from_outside),
    conf_case(tmo_19_the_scopes_state_can_be_read, states),
    conf_case(tmo_22_a_scope_entered_after_a_swallowed_cancellation_makes_no_timeout_of_it,
              entered_after_cancellation),
    conf_case(tmo_23_a_scope_is_entered_once, entered_twice),
    /* A scope that is only made can be prepared, but not given a deadline in place of its
     * timeout: see TDEADLINE-05 and -09. */
    conf_case(tmo_24_a_deadline_cannot_be_moved_at_the_wrong_time, moved_at_the_wrong_time),
    conf_case(tmo_25_a_scope_needs_a_task, without_task),
};

test_suite("timeouts", cases);
