/* Scopes: what their cancellation reaches, who catches it, shields, and the order of leaving. */
#include "tests/conformance/conf.h"

#define R BIGHT_ERANGE

static int yields(void *arg)
{
    (void)arg;
    return bight_yield();
}

static int cancelled_twice(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, -1, 0));
    bight_scope_cancel(&scope);
    bight_scope_cancel(&scope);
    ck_ok(bight_scope_end(&scope, bight_yield()));
    ck_assert(scope.cancelled && scope.caught);
    return bight_yield();
}

static int is_a_state(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, -1, 0));
    bight_scope_cancel(&scope);
    ck_code(bight_sleep(-1), BIGHT_ECANCELED);
    ck_code(bight_sleep(-1), BIGHT_ECANCELED);
    ck_ok(bight_scope_end(&scope, BIGHT_ECANCELED));
    return bight_yield();
}

static int meets_no_wait(void *arg)
{
    struct bight_scope scope;
    struct bight_group group;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, -1, 0));
    bight_scope_cancel(&scope);
    ck_ok(bight_shield(-1, yields, NULL));
    ck_ok(bight_group_begin(&group, 0)); /* an empty group does not wait */
    ck_ok(bight_group_end(&group, 0));
    ck_ok(bight_scope_end(&scope, 0));
    ck_assert(scope.cancelled && !scope.caught);
    return bight_yield();
}

static int outer_catches(void *arg)
{
    struct bight_scope scopes[3];
    int rc;

    (void)arg;
    for (int i = 0; i < 3; i++)
        ck_ok(bight_scope_begin(&scopes[i], -1, 0));
    bight_scope_cancel(&scopes[2]);
    bight_scope_cancel(&scopes[1]);
    rc = bight_scope_end(&scopes[2], bight_sleep(-1));
    ck_code(rc, BIGHT_ECANCELED);
    ck_assert(scopes[2].cancelled && !scopes[2].caught);
    ck_ok(bight_scope_end(&scopes[1], rc));
    ck_assert(scopes[1].cancelled && scopes[1].caught);
    ck_ok(bight_yield());
    ck_ok(bight_scope_end(&scopes[0], 0));
    ck_assert(!scopes[0].cancelled && !scopes[0].caught);
    return 0;
}

/* Two tasks that fail, all of them waited for: a group of two failures. */
static int two_failures(void *arg)
{
    struct bight_group *group = arg;
    int code = R;

    ck_ok(bight_group_begin(group, BIGHT_GROUP_COLLECT));
    for (int i = 0; i < 2; i++)
        ck_ok(bight_group_spawn(NULL, group, NULL, world_return, &code));
    return bight_group_end(group, 0);
}

static int own_failures(void *arg)
{
    struct bight_scope scope;
    struct bight_group group;
    int rc;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, -1, 0));
    bight_scope_cancel(&scope);
    /* In a cancelled scope no task begins, so the body has to shield them. */
    rc = bight_shield(-1, two_failures, &group);
    ck_code(bight_scope_end(&scope, rc), R);
    ck_assert_uint_eq(group.failed, 2);
    ck_code(group.failures[0].code, R);
    ck_code(group.failures[1].code, R);
    ck_assert(scope.cancelled && !scope.caught);
    return 0;
}

struct entering {
    struct bight_scope scope;
    struct bight_scope guard;
};

static int enters_under_guard(void *arg)
{
    struct entering *entering = arg;
    int rc;

    ck_ok(bight_scope_begin(&entering->guard, 1000, 0));
    ck_ok(bight_scope_enter(&entering->scope));
    rc = bight_sleep(-1);
    ck_code(rc, BIGHT_ECANCELED);
    rc = bight_scope_end(&entering->scope, rc);
    return bight_scope_end(&entering->guard, rc);
}

static int made_and_cancelled(void *arg)
{
    struct entering before, after;
    struct bight_task *task;

    (void)arg;
    bight_scope_init(&before.scope, -1, 0);
    bight_scope_init(&after.scope, -1, 0);
    bight_scope_cancel(&before.scope);
    ck_ok(enters_under_guard(&before));
    ck_assert_int_eq(conf_now_ms(), 0);
    ck_ok(bight_spawn(&task, enters_under_guard, &after));
    ck_ok(bight_sleep(5));
    bight_scope_cancel(&after.scope);
    conf_join(task, 0);
    ck_assert_int_eq(conf_now_ms(), 5);
    ck_assert(before.scope.caught && after.scope.caught);
    ck_assert(!before.guard.expired && !after.guard.expired);
    return 0;
}

static int enters_and_sleeps(void *arg)
{
    struct bight_scope *scope = arg;

    ck_ok(bight_scope_enter(scope));
    return bight_scope_end(scope, bight_sleep(10));
}

static int used_once(void *arg)
{
    struct bight_scope left, here, there;
    struct bight_task *task;

    (void)arg;
    bight_scope_init(&left, -1, 0);
    bight_scope_init(&here, -1, 0);
    bight_scope_init(&there, -1, 0);
    ck_ok(bight_scope_enter(&left));
    ck_ok(bight_scope_end(&left, 0));
    ck_code(bight_scope_enter(&left), BIGHT_EALREADY);
    ck_ok(bight_scope_enter(&here));
    ck_code(bight_scope_enter(&here), BIGHT_EALREADY);
    ck_ok(bight_spawn(&task, enters_and_sleeps, &there));
    ck_ok(bight_yield());
    ck_code(bight_scope_enter(&there), BIGHT_EALREADY);
    conf_join(task, 0);
    bight_scope_cancel(&left);
    ck_assert(left.cancelled && !left.caught);
    ck_ok(bight_yield());
    ck_ok(bight_scope_end(&here, 0));
    return 0;
}

#define DEPTH 5000

static struct bight_scope deep[DEPTH];

static int thousands(void *arg)
{
    int rc;

    (void)arg;
    for (int i = 0; i < DEPTH; i++)
        ck_ok(bight_scope_begin(&deep[i], -1, 0));
    bight_scope_cancel(&deep[0]);
    rc = bight_sleep(-1);
    for (int i = DEPTH - 1; i > 0; i--) {
        rc = bight_scope_end(&deep[i], rc);
        ck_code(rc, BIGHT_ECANCELED);
        ck_assert(!deep[i].caught);
    }
    ck_ok(bight_scope_end(&deep[0], rc));
    ck_assert(deep[0].caught);
    return bight_yield();
}

static int keeps_out(void *arg)
{
    struct bight_scope outer, inner, third;

    (void)arg;
    ck_ok(bight_scope_begin(&outer, -1, 0));
    ck_ok(bight_scope_begin(&inner, -1, 0));
    bight_scope_cancel(&outer);
    ck_code(bight_yield(), BIGHT_ECANCELED);
    ck_ok(bight_scope_set_shield(&inner, true));
    ck_ok(bight_yield());
    ck_ok(bight_scope_begin(&third, -1, 0));
    bight_scope_cancel(&third);
    ck_ok(bight_scope_end(&third, bight_yield()));
    ck_assert(third.caught);
    ck_ok(bight_yield());
    ck_ok(bight_scope_set_shield(&inner, false));
    ck_code(bight_yield(), BIGHT_ECANCELED);
    ck_ok(bight_scope_set_shield(&inner, true));
    ck_ok(bight_yield());
    bight_scope_cancel(&inner);
    ck_ok(bight_scope_end(&inner, bight_yield()));
    ck_assert(inner.caught);
    ck_ok(bight_scope_end(&outer, 0));
    ck_assert(!outer.caught);
    return 0;
}

static int shielded_too_late(void *arg)
{
    struct bight_scope outer, inner;
    int rc;

    (void)arg;
    ck_ok(bight_scope_begin(&outer, -1, 0));
    bight_scope_cancel(&outer);
    ck_ok(bight_scope_begin(&inner, -1, 0));
    rc = bight_yield();
    ck_ok(bight_scope_set_shield(&inner, true));
    rc = bight_scope_end(&inner, rc);
    ck_code(rc, BIGHT_ECANCELED);
    ck_ok(bight_scope_end(&outer, rc));
    ck_assert(outer.caught && !inner.caught);
    return bight_yield();
}

static int shielded_before(void *arg)
{
    struct bight_scope outer, inner;
    int rc;

    (void)arg;
    bight_scope_init(&inner, -1, 0);
    ck_ok(bight_scope_set_shield(&inner, true));
    ck_ok(bight_scope_begin(&outer, -1, 0));
    bight_scope_cancel(&outer);
    ck_ok(bight_scope_enter(&inner));
    ck_ok(bight_yield());
    ck_ok(bight_scope_set_shield(&inner, false));
    rc = bight_scope_end(&inner, bight_yield());
    ck_code(rc, BIGHT_ECANCELED);
    ck_ok(bight_scope_end(&outer, rc));
    return 0;
}

static int all_together(void *arg)
{
    struct bight_scope outer, inner;
    int rc;

    (void)arg;
    ck_ok(bight_scope_begin(&outer, -1, 0));
    ck_ok(bight_scope_begin(&inner, -1, 0));
    bight_scope_cancel(&outer);
    ck_code(bight_yield(), BIGHT_ECANCELED);
    ck_code(bight_yield(), BIGHT_ECANCELED);
    ck_ok(bight_scope_set_shield(&inner, true));
    ck_ok(bight_yield());
    bight_scope_cancel(&inner);
    rc = bight_yield();
    ck_code(rc, BIGHT_ECANCELED);
    ck_ok(bight_scope_end(&inner, rc));
    ck_ok(bight_scope_end(&outer, 0));
    return 0;
}

static int outer_first(void *arg)
{
    struct bight_scope outer, inner;

    (void)arg;
    ck_ok(bight_scope_begin(&outer, -1, 0));
    ck_ok(bight_scope_begin(&inner, -1, 0));
    ck_code(bight_scope_end(&outer, 0), BIGHT_ESCOPE);
    ck_ok(bight_scope_end(&inner, 0));
    return bight_yield();
}

static void tnest_01_closing_an_outer_scope_first_is_told_there_and_not_again(void)
{
    struct world_reports reports;

    ck_ok(conf_main(outer_first, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_SCOPE_LEFT_OPEN], 1);
}

struct abandoned {
    bool in_scope;
    int saw;
    enum bight_cause cause;
};

static int sleeps_abandoned(void *arg)
{
    struct abandoned *abandoned = arg;
    struct bight_cancel_cause cause;
    struct bight_scope scope;

    if (abandoned->in_scope)
        ck_ok(bight_scope_begin(&scope, -1, 0));
    abandoned->saw = bight_sleep(-1);
    ck_assert(bight_cancel_get_cause(&cause));
    abandoned->cause = cause.kind;
    return abandoned->in_scope ? bight_scope_end(&scope, abandoned->saw) : abandoned->saw;
}

static int group_left_open(void *arg)
{
    struct abandoned tasks[2] = {{.in_scope = false}, {.in_scope = true}};
    struct bight_task *handles[2];
    struct bight_scope scope;
    struct bight_group group;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, -1, 0));
    ck_ok(bight_group_begin(&group, 0));
    for (int i = 0; i < 2; i++)
        ck_ok(bight_group_spawn(&handles[i], &group, NULL, sleeps_abandoned, &tasks[i]));
    ck_ok(bight_yield());
    ck_code(bight_scope_end(&scope, 0), BIGHT_ESCOPE);
    for (int i = 0; i < 2; i++) {
        conf_join(handles[i], BIGHT_ECANCELED);
        ck_code(tasks[i].saw, BIGHT_ECANCELED);
        ck_assert_int_eq(tasks[i].cause, BIGHT_CAUSE_LEFT_OPEN);
    }
    return 0;
}

static void tnest_02_the_tasks_of_a_group_left_open_are_cancelled(void)
{
    struct world_reports reports;

    ck_ok(conf_main(group_left_open, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_SCOPE_LEFT_OPEN], 1);
}

static const struct suite_case cases[] = {
    conf_case(tscope_02_cancelling_twice_is_cancelling_once, cancelled_twice),
    conf_case(tscope_03_a_cancellation_is_a_state, is_a_state),
    conf_case(tscope_04_a_cancellation_that_meets_no_wait_is_not_caught, meets_no_wait),
    conf_case(tscope_05_of_two_cancelled_scopes_the_outer_one_catches, outer_catches),
    conf_case(tscope_09_a_failure_of_the_bodys_own_is_not_caught, own_failures),
    conf_case(tscope_10_a_scope_is_made_and_cancelled_before_or_after_it_is_entered,
              made_and_cancelled),
    conf_case(tscope_11_a_scope_is_used_once, used_once),
    conf_case(tscope_12_thousands_of_scopes_nest, thousands),
    conf_case(tshield_01_a_shield_keeps_out_what_is_around_and_not_its_own, keeps_out),
    conf_case(tshield_04_shielding_when_the_code_is_on_its_way_changes_nothing, shielded_too_late),
    conf_case(tshield_05_a_scope_is_shielded_before_it_is_entered, shielded_before),
    conf_case(tshield_06_a_shield_and_both_cancellations_go_together, all_together),
    plain_case(tnest_01_closing_an_outer_scope_first_is_told_there_and_not_again),
    plain_case(tnest_02_the_tasks_of_a_group_left_open_are_cancelled),
};

test_suite("trio-cancel, scopes", cases);
