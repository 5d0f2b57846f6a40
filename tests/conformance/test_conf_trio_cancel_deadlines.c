/* Deadlines of scopes: when they pass, how they are moved, and what they are before the
 * entering. */
#include "tests/conformance/conf.h"

#include <time.h>

#define MS UINT64_C(1000000)

static int sleeps_on(void *arg)
{
    return bight_sleep(*(int64_t *)arg);
}

static int yields(void *arg)
{
    (void)arg;
    return bight_yield();
}

static int passes_after_the_end(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, 1000, 0));
    ck_ok(bight_scope_end(&scope, 0));
    ck_ok(bight_sleep(2000));
    for (int i = 0; i < 3; i++)
        ck_ok(bight_yield());
    ck_assert(!scope.expired && !scope.cancelled);
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_FINISHED);
    return 0;
}

static int moved(void *arg)
{
    uint64_t begin = bight_now_ns();
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, -1, 0));
    ck_ok(bight_yield());
    ck_ok(bight_scope_set_deadline(&scope, begin + 10000 * MS));
    ck_ok(bight_yield());
    ck_ok(bight_sleep(5000));
    ck_ok(bight_yield());
    ck_ok(bight_scope_set_deadline(&scope, begin + 1000 * MS));
    ck_code(bight_yield(), BIGHT_ECANCELED);
    ck_code(bight_yield(), BIGHT_ECANCELED);
    ck_code(bight_scope_end(&scope, BIGHT_ECANCELED), BIGHT_ETIMEDOUT);
    return 0;
}

static int not_entered(void *arg)
{
    uint64_t begin = bight_now_ns();
    struct bight_scope scope;

    (void)arg;
    bight_scope_init(&scope, -1, 0);
    ck_ok(bight_scope_set_deadline(&scope, begin + 1000 * MS));
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_MADE);
    ck_ok(bight_scope_set_deadline(&scope, begin));
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_EXPIRING);
    ck_assert(scope.expired);
    ck_code(bight_scope_set_deadline(&scope, begin + 1000 * MS), BIGHT_EALREADY);
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_EXPIRING);
    ck_assert(scope.expired);
    return 0;
}

static int relative(void *arg)
{
    struct bight_scope scope;
    uint64_t start;

    (void)arg;
    bight_scope_init(&scope, 5000, 0);
    ck_ok(bight_sleep(3000));
    start = bight_now_ns();
    ck_ok(bight_scope_enter(&scope));
    ck_assert_uint_eq(bight_scope_deadline(&scope), start + 5000 * MS);
    ck_assert_int_eq(bight_deadline_remaining_ms(), 5000);
    ck_ok(bight_scope_set_deadline(&scope, start + 3000 * MS));
    ck_assert_uint_eq(bight_scope_deadline(&scope), start + 3000 * MS);
    ck_assert_int_eq(bight_deadline_remaining_ms(), 3000);
    ck_ok(bight_scope_set_timeout(&scope, 4000));
    ck_assert_uint_eq(bight_scope_deadline(&scope), start + 4000 * MS);
    ck_assert_int_eq(bight_deadline_remaining_ms(), 4000);
    ck_ok(bight_scope_end(&scope, 0));
    return 0;
}

static int one_kind_only(void *arg)
{
    uint64_t begin = bight_now_ns();
    struct bight_scope after, at;

    (void)arg;
    bight_scope_init(&after, 5000, 0);
    bight_scope_init(&at, -1, 0);
    ck_ok(bight_scope_set_deadline(&at, begin + 6000 * MS));
    ck_assert_uint_eq(bight_scope_deadline(&after), BIGHT_NO_DEADLINE); /* not known yet */
    ck_code(bight_scope_set_deadline(&after, begin + 1 * MS), BIGHT_EINVAL);
    ck_code(bight_scope_set_timeout(&at, 1), BIGHT_EINVAL);
    ck_ok(bight_scope_enter(&at));
    ck_ok(bight_scope_enter(&after));
    ck_assert_uint_eq(bight_scope_deadline(&at), begin + 6000 * MS);
    ck_assert_uint_eq(bight_scope_deadline(&after), begin + 5000 * MS);
    ck_ok(bight_scope_end(&after, 0));
    ck_ok(bight_scope_end(&at, 0));
    return 0;
}

/* Going on after a timeout: the body's result is then what the body says. */
static int gives_up(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, 1000, 0));
    (void)!bight_sleep(100000);
    ck_ok(bight_scope_end(&scope, 0));
    ck_assert(scope.expired);
    ck_assert_int_eq(conf_now_ms(), 1000);
    return bight_sleep(1);
}

static int fails_in_time(void *arg)
{
    int64_t forever_ms = 100000;

    (void)arg;
    ck_code(bight_timeout(1000, sleeps_on, &forever_ms), BIGHT_ETIMEDOUT);
    ck_assert_int_eq(conf_now_ms(), 1000);
    ck_code(bight_deadline(bight_now_ns() + 1000 * MS, sleeps_on, &forever_ms), BIGHT_ETIMEDOUT);
    ck_assert_int_eq(conf_now_ms(), 2000);
    ck_ok(bight_timeout(100000, yields, NULL));
    ck_ok(bight_deadline(bight_now_ns() + 100000 * MS, yields, NULL));
    ck_assert_int_eq(conf_now_ms(), 2000);
    return 0;
}

#define REAL_MS UINT64_C(50)

/* Of the system's clock, not the runtime's. */
static uint64_t real_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 * MS + (uint64_t)now.tv_nsec;
}

static int in_real_time(void *arg)
{
    uint64_t begin = real_ns(), took;

    (void)arg;
    ck_code(bight_deadline(bight_now_ns() + REAL_MS * MS, world_forever, NULL), BIGHT_ETIMEDOUT);
    took = real_ns() - begin;
    ck_assert_uint_ge(took, REAL_MS * MS);
    ck_assert_uint_lt(took, REAL_MS * MS + 1000 * MS);
    return 0;
}

static int many_changes(void *arg)
{
    uint64_t begin = bight_now_ns();
    struct bight_scope scope;
    struct bight_runtime_stats stats;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, -1, 0));
    for (uint64_t i = 0; i < 10000; i++) {
        ck_ok(bight_scope_set_deadline(&scope, BIGHT_NO_DEADLINE));
        ck_ok(bight_scope_set_deadline(&scope, begin + (i % 2 ? 1000 : 3000000) * MS));
    }
    ck_ok(bight_runtime_get_stats(&stats));
    ck_assert_uint_eq(stats.timers, 1);
    ck_ok(bight_sleep(10));
    ck_ok(bight_scope_end(&scope, 0));
    ck_ok(bight_runtime_get_stats(&stats));
    ck_assert_uint_eq(stats.timers, 0);
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(tdeadline_01_a_deadline_that_passes_after_the_scope_does_nothing,
              passes_after_the_end),
    conf_case(tdeadline_03_a_deadline_can_be_moved, moved),
    conf_case(tdeadline_05_the_expiry_of_a_scope_that_was_not_entered_is_not_taken_back,
              not_entered),
    conf_case(tdeadline_08_a_relative_deadline_counts_from_the_entering, relative),
    conf_case(tdeadline_09_before_the_entering_a_deadline_keeps_its_kind, one_kind_only),
    conf_case(tdeadline_10_a_body_gives_up_and_goes_on, gives_up),
    conf_case(tdeadline_11_a_timeout_is_an_error_of_its_own, fails_in_time),
    body_case(tdeadline_13_real_time_is_never_early, bight_run, in_real_time),
    conf_case(tdeadline_14_very_many_changes_of_a_deadline_leave_nothing_behind, many_changes),
};

test_suite("trio-cancel, deadlines", cases);
