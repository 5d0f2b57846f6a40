/* Deadlines: absolute ones, those that move, those of scopes that are not entered yet. */
#include <bight.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#define MS UINT64_C(1000000)
#define HOUR_MS 3600000

static int absolute(void *arg)
{
    struct bight_scope scope;
    uint64_t begin = bight_now_ns();

    (void)arg;
    ck_code(bight_deadline(begin + 7 * MS, world_forever, NULL), BIGHT_ETIMEDOUT);
    ck_assert_uint_eq(bight_now_ns(), begin + 7 * MS);
    ck_code(bight_deadline(begin, world_forever, NULL), BIGHT_ETIMEDOUT);
    ck_code(bight_deadline(0, world_forever, NULL), BIGHT_ETIMEDOUT);
    ck_assert_uint_eq(bight_now_ns(), begin + 7 * MS);
    ck_ok(bight_scope_begin(&scope, -1, 0));
    ck_assert_uint_eq(bight_scope_deadline(&scope), BIGHT_NO_DEADLINE);
    ck_ok(bight_scope_set_deadline(&scope, begin + 20 * MS));
    ck_assert_uint_eq(bight_scope_deadline(&scope), begin + 20 * MS);
    ck_assert_int_eq(bight_deadline_remaining_ms(), 13);
    ck_ok(bight_scope_set_deadline(&scope, BIGHT_NO_DEADLINE));
    ck_assert_int_eq(bight_deadline_remaining_ms(), -1);
    ck_ok(bight_scope_set_timeout(&scope, 2));
    ck_assert_uint_eq(bight_scope_deadline(&scope), begin + 9 * MS);
    ck_code(bight_sleep(5), BIGHT_ECANCELED);
    ck_code(bight_scope_set_deadline(&scope, begin + 100 * MS), BIGHT_EALREADY);
    ck_code(bight_scope_end(&scope, BIGHT_ECANCELED), BIGHT_ETIMEDOUT);
    ck_assert_uint_eq(bight_scope_deadline(&scope), begin + 9 * MS);
    ck_code(bight_scope_set_deadline(&scope, begin), BIGHT_EINVAL);
    return 0;
}

static int moved_into_the_past(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, 10, 0));
    ck_ok(bight_sleep(5));
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_ACTIVE);
    ck_ok(bight_scope_set_deadline(&scope, bight_now_ns() - MS));
    ck_assert(scope.expired);
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_EXPIRING);
    ck_code(bight_yield(), BIGHT_ECANCELED);
    ck_code(bight_yield(), BIGHT_ECANCELED);
    ck_code(bight_scope_end(&scope, BIGHT_ECANCELED), BIGHT_ETIMEDOUT);
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_EXPIRED);
    return bight_yield();
}

static int made(void *arg)
{
    struct bight_scope after, at, moved;
    uint64_t begin = bight_now_ns();

    (void)arg;
    bight_scope_init(&after, 5, 0);
    bight_scope_init(&at, -1, 0);
    bight_scope_init(&moved, 5, 0);
    ck_code(bight_scope_set_deadline(&after, begin), BIGHT_EINVAL);
    ck_ok(bight_scope_set_deadline(&at, begin + 5 * MS));
    ck_code(bight_scope_set_timeout(&at, 5), BIGHT_EINVAL);
    ck_assert_uint_eq(bight_scope_deadline(&after), BIGHT_NO_DEADLINE);
    ck_assert_uint_eq(bight_scope_deadline(&at), begin + 5 * MS);
    ck_ok(bight_scope_set_timeout(&moved, 9));
    ck_ok(bight_sleep(3));
    ck_ok(bight_scope_enter(&at));
    ck_ok(bight_scope_enter(&after));
    ck_ok(bight_scope_enter(&moved));
    ck_assert_uint_eq(bight_scope_deadline(&after), begin + 8 * MS);
    ck_assert_uint_eq(bight_scope_deadline(&moved), begin + 12 * MS);
    ck_assert_int_eq(bight_deadline_remaining_ms(), 2);
    ck_ok(bight_scope_end(&moved, 0));
    ck_code(bight_sleep(-1), BIGHT_ECANCELED);
    ck_assert_uint_eq(bight_now_ns(), begin + 5 * MS);
    ck_code(bight_scope_end(&after, BIGHT_ECANCELED), BIGHT_ECANCELED);
    ck_assert(!after.expired && !after.caught);
    ck_code(bight_scope_end(&at, BIGHT_ECANCELED), BIGHT_ETIMEDOUT);
    ck_assert(at.expired && at.caught);
    return bight_yield();
}

static int entered_too_late(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    bight_scope_init(&scope, -1, 0);
    ck_ok(bight_scope_set_deadline(&scope, bight_now_ns() + 5 * MS));
    ck_ok(bight_sleep(5));
    ck_ok(bight_scope_enter(&scope));
    ck_assert(scope.expired);
    ck_code(bight_yield(), BIGHT_ECANCELED);
    ck_code(bight_scope_end(&scope, BIGHT_ECANCELED), BIGHT_ETIMEDOUT);
    return bight_yield();
}

static int expired_while_made(void *arg)
{
    struct bight_scope scope;
    uint64_t begin = bight_now_ns();

    (void)arg;
    bight_scope_init(&scope, -1, 0);
    ck_ok(bight_scope_set_deadline(&scope, begin + 5 * MS));
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_MADE);
    ck_ok(bight_sleep(5));
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_EXPIRING);
    ck_code(bight_scope_set_deadline(&scope, begin + 50 * MS), BIGHT_EALREADY);
    bight_scope_init(&scope, -1, 0);
    ck_ok(bight_scope_set_deadline(&scope, begin));
    ck_assert(scope.expired);
    ck_code(bight_scope_set_deadline(&scope, BIGHT_NO_DEADLINE), BIGHT_EALREADY);
    ck_ok(bight_scope_enter(&scope));
    ck_code(bight_yield(), BIGHT_ECANCELED);
    ck_code(bight_scope_end(&scope, BIGHT_ECANCELED), BIGHT_ETIMEDOUT);
    return bight_yield();
}

static int over_while_made(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    for (int late = 0; late < 2; late++) {
        bight_scope_init(&scope, -1, 0);
        ck_ok(bight_scope_set_deadline(&scope, bight_now_ns() + 5 * MS));
        ck_ok(bight_sleep(late ? 5 : 0));
        bight_scope_cancel(&scope);
        ck_ok(bight_sleep(5));
        ck_ok(bight_scope_enter(&scope));
        ck_code(bight_yield(), BIGHT_ECANCELED);
        ck_code(bight_scope_end(&scope, BIGHT_ECANCELED), late ? BIGHT_ETIMEDOUT : 0);
    }
    bight_scope_init(&scope, 0, 0);
    bight_scope_cancel(&scope);
    ck_ok(bight_scope_enter(&scope));
    ck_ok(bight_scope_end(&scope, BIGHT_ECANCELED));
    return bight_yield();
}

static int effective_deadline(void *arg)
{
    struct bight_scope outer, inner;

    (void)arg;
    ck_ok(bight_scope_begin(&outer, 5, 0));
    ck_ok(bight_scope_begin(&inner, 99, 0));
    ck_assert_int_eq(bight_deadline_remaining_ms(), 5);
    ck_ok(bight_scope_set_shield(&inner, true));
    ck_assert_int_eq(bight_deadline_remaining_ms(), 99);
    bight_scope_cancel(&outer);
    ck_assert_int_eq(bight_deadline_remaining_ms(), 99);
    ck_ok(bight_scope_set_shield(&inner, false));
    ck_assert_int_eq(bight_deadline_remaining_ms(), 0);
    ck_ok(bight_scope_end(&inner, 0));
    ck_ok(bight_scope_end(&outer, 0));
    ck_assert_int_eq(bight_deadline_remaining_ms(), -1);
    return 0;
}

static int many_moves(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, 1000, 0));
    for (int i = 0; i < 10000; i++)
        ck_ok(bight_scope_set_timeout(&scope, i % 2 ? 1000 : 2000));
    ck_ok(bight_sleep(10));
    return bight_scope_end(&scope, 0);
}

static size_t armed(void)
{
    struct bight_runtime_stats stats;

    ck_ok(bight_runtime_get_stats(&stats));
    return stats.timers;
}

static int cancelled_first(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, 1000, 0));
    ck_assert_uint_eq(armed(), 1);
    bight_scope_cancel(&scope);
    ck_assert_uint_eq(armed(), 0);
    ck_ok(bight_scope_set_timeout(&scope, 0));
    ck_ok(bight_scope_set_deadline(&scope, 0));
    ck_assert(!scope.expired);
    ck_ok(bight_scope_end(&scope, bight_yield()));
    return bight_yield();
}

/* By the real clock a timer that is armed early enough stays as it is, and is not counted while no
 * deadline needs it. */
static int begin_and_end(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, HOUR_MS, 0));
    ck_assert_uint_eq(armed(), 1);
    ck_ok(bight_scope_end(&scope, 0));
    ck_assert_uint_eq(armed(), 0);
    return 0;
}

static void expires_after(int64_t timeout_ms)
{
    uint64_t begin = bight_now_ns();
    struct bight_scope scope;

    ck_ok(bight_scope_begin(&scope, timeout_ms, 0));
    ck_code(bight_sleep(HOUR_MS), BIGHT_ECANCELED);
    ck_assert_uint_ge(bight_now_ns() - begin, (uint64_t)timeout_ms * MS);
    ck_code(bight_scope_end(&scope, BIGHT_ECANCELED), BIGHT_ETIMEDOUT);
}

static int stays_armed(void *arg)
{
    struct bight_task *task;
    struct bight_scope scope;

    ck_ok(bight_spawn(&task, begin_and_end, arg));
    ck_ok(bight_join(task, NULL));
    for (int i = 0; i < 3; i++)
        ck_ok(begin_and_end(arg));
    expires_after(3); /* sooner than what stayed armed */
    ck_ok(bight_scope_begin(&scope, 2, 0));
    ck_ok(bight_scope_end(&scope, 0));
    expires_after(10); /* later: it fires and looks again */
    ck_ok(bight_scope_begin(&scope, 2, 0));
    ck_ok(bight_scope_end(&scope, 0));
    ck_ok(bight_sleep(5)); /* it fires for nobody */
    ck_assert_uint_eq(armed(), 0);
    return begin_and_end(arg);
}

static void a_timer_that_is_armed_early_enough_stays(void)
{
    ck_ok(bight_run(stays_armed, NULL));
}

static int waits_in_vain(void *arg)
{
    struct bight_event *event = arg;

    ck_ok(begin_and_end(arg));
    return bight_event_wait(event);
}

static void a_deadline_that_was_met_hides_no_deadlock(void)
{
    struct bight_event event;

    bight_event_init(&event);
    ck_code(bight_run(waits_in_vain, &event), BIGHT_ESTALLED);
}

static const struct suite_case cases[] = {
    world_case(a_deadline_may_be_a_point_in_time, absolute),
    world_case(a_deadline_moved_into_the_past_expires_at_once, moved_into_the_past),
    world_case(a_timeout_counts_from_the_entering_of_the_scope, made),
    world_case(a_scope_entered_after_its_deadline_has_expired, entered_too_late),
    world_case(an_expiry_before_the_entering_is_not_taken_back, expired_while_made),
    world_case(a_made_scope_is_over_once, over_while_made),
    world_case(who_is_cancelled_has_no_time_left, effective_deadline),
    world_case(a_deadline_moves_any_number_of_times, many_moves),
    world_case(a_cancelled_scope_does_not_expire, cancelled_first),
    plain_case(a_timer_that_is_armed_early_enough_stays),
    plain_case(a_deadline_that_was_met_hides_no_deadlock),
};

test_suite("deadline", cases);
