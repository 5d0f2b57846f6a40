/* Cancellation beyond the plain case: scopes that are cancelled before they are entered, shields
 * that come and go, and why a task is cancelled. */
#include <bight.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

static int made_and_cancelled(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    bight_scope_init(&scope, -1, 0);
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_MADE);
    bight_scope_cancel(&scope);
    ck_ok(bight_yield());
    ck_ok(bight_scope_enter(&scope));
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_CANCELLED);
    ck_code(bight_scope_enter(&scope), BIGHT_EALREADY);
    ck_code(bight_sleep(-1), BIGHT_ECANCELED);
    ck_ok(bight_scope_end(&scope, BIGHT_ECANCELED));
    ck_assert(scope.caught);
    ck_code(bight_scope_enter(&scope), BIGHT_EALREADY);
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_FINISHED);
    return bight_yield();
}

static int entered_wrongly(void *arg)
{
    struct bight_scope scope = {.magic = 0};

    (void)arg;
    ck_code(bight_scope_enter(&scope), BIGHT_EINVAL);
    bight_scope_init(&scope, -1, 8);
    ck_code(bight_scope_enter(&scope), BIGHT_EINVAL);
    ck_code(bight_scope_set_shield(&scope, true), BIGHT_EINVAL);
    ck_code(bight_scope_end(&scope, 0), BIGHT_ESCOPE);
    bight_scope_init(&scope, -1, 0);
    ck_code(bight_scope_end(&scope, 0), BIGHT_ESCOPE);
    ck_ok(bight_scope_enter(&scope));
    ck_ok(bight_scope_end(&scope, 0));
    bight_scope_cancel(&scope);
    ck_assert(scope.cancelled && !scope.caught);
    return bight_yield();
}

static void what_was_not_made_is_not_entered(void)
{
    struct bight_scope scope;

    bight_scope_init(&scope, -1, 0);
    ck_code(bight_scope_enter(&scope), BIGHT_ENOTASK);
    ck_ok(world_run(entered_wrongly, NULL, NULL));
}

static int shields_come_and_go(void *arg)
{
    struct bight_scope outer, inner, third;

    (void)arg;
    ck_ok(bight_scope_begin(&outer, -1, 0));
    ck_ok(bight_scope_begin(&inner, -1, 0));
    bight_scope_cancel(&outer);
    ck_code(bight_yield(), BIGHT_ECANCELED);
    ck_ok(bight_scope_set_shield(&inner, true));
    ck_ok(bight_yield());
    ck_assert(!bight_cancelled());
    ck_ok(bight_scope_begin(&third, -1, 0));
    bight_scope_cancel(&third);
    ck_code(bight_yield(), BIGHT_ECANCELED);
    ck_ok(bight_scope_end(&third, BIGHT_ECANCELED));
    ck_ok(bight_yield());
    ck_ok(bight_scope_set_shield(&inner, false));
    ck_code(bight_yield(), BIGHT_ECANCELED);
    ck_ok(bight_scope_set_shield(&inner, true));
    ck_ok(bight_yield());
    bight_scope_cancel(&inner);
    ck_code(bight_yield(), BIGHT_ECANCELED);
    ck_ok(bight_scope_end(&inner, BIGHT_ECANCELED));
    ck_assert(inner.caught);
    ck_code(bight_yield(), BIGHT_ECANCELED);
    ck_ok(bight_scope_end(&outer, BIGHT_ECANCELED));
    return bight_yield();
}

static int made_with_a_shield(void *arg)
{
    struct bight_scope outer, inner, other;

    (void)arg;
    bight_scope_init(&inner, -1, BIGHT_SCOPE_SHIELD);
    bight_scope_init(&other, -1, BIGHT_SCOPE_SHIELD);
    ck_ok(bight_scope_begin(&outer, -1, 0));
    bight_scope_cancel(&outer);
    ck_ok(bight_scope_enter(&inner));
    ck_ok(bight_yield());
    ck_ok(bight_scope_set_shield(&inner, false));
    ck_code(bight_yield(), BIGHT_ECANCELED);
    ck_code(bight_scope_end(&inner, BIGHT_ECANCELED), BIGHT_ECANCELED);
    ck_ok(bight_scope_set_shield(&other, false));
    ck_ok(bight_scope_enter(&other));
    ck_code(bight_yield(), BIGHT_ECANCELED);
    ck_code(bight_scope_end(&other, BIGHT_ECANCELED), BIGHT_ECANCELED);
    ck_ok(bight_scope_end(&outer, BIGHT_ECANCELED));
    ck_code(bight_scope_set_shield(&outer, true), BIGHT_EINVAL);
    return 0;
}

/* A tree of tasks below a scope whose shield comes and goes. */
struct tree {
    struct bight_scope *shield;
    int seen;
    int depth;
};

static int grow(struct bight_group *group, void *arg);

static int tree_task(void *arg)
{
    struct tree *tree = arg;
    int rc = 0;

    if (--tree->depth > 0)
        rc = bight_group_run(grow, tree);
    else
        rc = bight_sleep(50);
    tree->seen += bight_cancelled();
    return rc;
}

static int grow(struct bight_group *group, void *arg)
{
    ck_ok(bight_group_spawn(NULL, group, NULL, tree_task, arg));
    return 0;
}

static int lift_over_a_tree(void *arg)
{
    struct bight_scope outer, inner;
    struct tree tree = {.shield = &inner, .depth = 6};
    struct bight_group group;
    int rc;

    (void)arg;
    ck_ok(bight_scope_begin(&outer, -1, 0));
    ck_ok(bight_scope_begin(&inner, -1, BIGHT_SCOPE_SHIELD));
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(grow(&group, &tree));
    ck_ok(bight_sleep(1));
    bight_scope_cancel(&outer);
    ck_ok(bight_sleep(1));
    /* Off and on again: those who sleep were interrupted and unwind, uncancelled by then. */
    ck_ok(bight_scope_set_shield(&inner, false));
    ck_assert(bight_cancelled());
    ck_ok(bight_scope_set_shield(&inner, true));
    ck_assert(!bight_cancelled());
    rc = bight_group_end(&group, 0);
    ck_assert_int_eq(tree.seen, 0);
    rc = bight_scope_end(&inner, rc);
    ck_ok(bight_scope_end(&outer, rc));
    return 0;
}

/* What is cancelled by itself stays so when a shield goes on around it. */
static int cancelled_within(struct bight_group *group, void *arg)
{
    struct bight_scope *shield = arg;
    struct bight_task *victim, *other;
    int status;

    ck_ok(bight_group_spawn(&victim, group, NULL, world_forever, NULL));
    ck_ok(bight_group_spawn(&other, group, NULL, world_forever, NULL));
    bight_task_cancel(victim);
    ck_ok(bight_scope_set_shield(shield, false));
    ck_ok(bight_scope_set_shield(shield, true));
    ck_ok(bight_join(victim, &status));
    ck_assert_int_eq(status, BIGHT_ECANCELED);
    ck_ok(bight_yield());
    ck_assert(!bight_task_done(other)); /* it had not begun, so nothing interrupted it */
    bight_task_cancel(other);
    return bight_join(other, NULL);
}

static int stays_cancelled(void *arg)
{
    struct bight_scope outer, inner;
    struct bight_group group;

    (void)arg;
    ck_ok(bight_scope_begin(&outer, -1, 0));
    ck_ok(bight_scope_begin(&inner, -1, BIGHT_SCOPE_SHIELD));
    bight_scope_cancel(&outer);
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_end(&group, cancelled_within(&group, &inner)));
    ck_ok(bight_scope_end(&inner, 0));
    ck_ok(bight_scope_end(&outer, 0));
    return 0;
}

/* Causes */

static enum bight_cause cause_kind(void)
{
    struct bight_cancel_cause cause;

    ck_assert_int_eq(bight_cancel_get_cause(&cause), cause.kind != BIGHT_CAUSE_NONE);
    ck_assert_int_eq(bight_cancelled(), cause.kind != BIGHT_CAUSE_NONE);
    return cause.kind;
}

static int task_cause(void *arg)
{
    int rc = bight_sleep(-1);

    *(enum bight_cause *)arg = cause_kind();
    return rc;
}

static int fails(void *arg)
{
    (void)arg;
    return BIGHT_EIO;
}

static int sees_failure(void *arg)
{
    struct bight_cancel_cause cause;
    int rc = bight_sleep(-1);

    ck_assert(bight_cancel_get_cause(&cause));
    ck_assert_int_eq(cause.kind, BIGHT_CAUSE_FAILURE);
    ck_assert_int_eq(cause.code, BIGHT_EIO);
    ck_assert_str_eq(cause.task, "culprit");
    ck_assert_ptr_eq(cause.scope, &((struct bight_group *)arg)->scope);
    return rc;
}

static int causes(void *arg)
{
    const struct bight_spawn_options culprit = {.name = "culprit"};
    struct bight_scope scope, inner;
    struct bight_group group;
    struct bight_task *task;
    enum bight_cause kind = BIGHT_CAUSE_NONE;

    ck_assert_int_eq(cause_kind(), BIGHT_CAUSE_NONE);
    ck_ok(bight_scope_begin(&scope, 5, 0));
    ck_ok(bight_scope_begin(&inner, -1, 0));
    bight_scope_cancel(&inner);
    ck_assert_int_eq(cause_kind(), BIGHT_CAUSE_SCOPE);
    ck_ok(bight_scope_end(&inner, BIGHT_ECANCELED));
    ck_code(bight_sleep(-1), BIGHT_ECANCELED);
    ck_assert_int_eq(cause_kind(), BIGHT_CAUSE_DEADLINE);
    ck_code(bight_scope_end(&scope, BIGHT_ECANCELED), BIGHT_ETIMEDOUT);
    ck_ok(bight_spawn(&task, task_cause, &kind));
    ck_ok(bight_yield());
    bight_task_cancel(task);
    ck_ok(bight_join(task, NULL));
    ck_assert_int_eq(kind, BIGHT_CAUSE_TASK);
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, sees_failure, &group));
    ck_ok(bight_group_spawn(NULL, &group, &culprit, fails, NULL));
    ck_code(bight_group_end(&group, 0), BIGHT_EIO);
    ck_ok(bight_spawn(NULL, task_cause, arg)); /* cancelled by the end */
    return bight_yield();
}

static int fails_in_its_cleanup(void *arg)
{
    (void)arg;
    (void)!bight_sleep(-1);
    return BIGHT_EIO;
}

/* A failure that follows a cancellation is not its cause. */
static int first_cause(void *arg)
{
    enum bight_cause kind = BIGHT_CAUSE_NONE;
    struct bight_group group;

    (void)arg;
    for (int timed = 0; timed < 2; timed++) {
        ck_ok(bight_group_begin(&group, 0));
        ck_ok(bight_group_spawn(NULL, &group, NULL, fails_in_its_cleanup, NULL));
        ck_ok(bight_group_spawn(NULL, &group, NULL, task_cause, &kind));
        ck_ok(bight_yield());
        if (timed)
            ck_ok(bight_scope_set_timeout(&group.scope, 0));
        else
            bight_scope_cancel(&group.scope);
        ck_code(bight_group_end(&group, 0), BIGHT_EIO);
        ck_assert_int_eq(kind, timed ? BIGHT_CAUSE_DEADLINE : BIGHT_CAUSE_SCOPE);
    }
    return 0;
}

static void a_task_can_ask_why_it_is_cancelled(void)
{
    struct bight_cancel_cause cause;
    enum bight_cause kind = BIGHT_CAUSE_NONE;

    ck_assert(!bight_cancel_get_cause(&cause));
    ck_ok(world_run(causes, &kind, NULL));
    ck_assert_int_eq(kind, BIGHT_CAUSE_END);
}

static const struct suite_case cases[] = {
    world_case(a_scope_can_be_cancelled_before_it_is_entered_once, made_and_cancelled),
    plain_case(what_was_not_made_is_not_entered),
    world_case(a_shield_can_be_put_on_and_taken_off, shields_come_and_go),
    world_case(a_scope_can_be_shielded_before_it_is_entered, made_with_a_shield),
    world_case(lifting_a_cancellation_reaches_the_whole_tree, lift_over_a_tree),
    world_case(what_is_cancelled_by_itself_stays_so, stays_cancelled),
    plain_case(a_task_can_ask_why_it_is_cancelled),
    world_case(the_first_cause_stays, first_cause),
};

test_suite("cancel", cases);
