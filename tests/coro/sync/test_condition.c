/* Condition: notified in order, the mutex held on every way out, no notification lost. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <stdio.h>
#include <string.h>

struct shared {
    struct bight_mutex mutex;
    struct bight_mutex other;
    struct bight_condition condition;
    int state;
    char order[16];
    int code;
};

static void shared_init(struct shared *shared)
{
    memset(shared, 0, sizeof(*shared));
    bight_mutex_init(&shared->mutex);
    bight_mutex_init(&shared->other);
    bight_condition_init(&shared->condition, &shared->mutex);
}

static int run(int (*body)(void *arg), void *arg)
{
    struct shared shared;

    (void)arg;
    shared_init(&shared);
    return world_run(body, &shared, NULL);
}

struct named {
    struct shared *shared;
    const char *name;
};

static void note(struct shared *shared, const char *name)
{
    size_t held = strlen(shared->order);

    snprintf(shared->order + held, sizeof shared->order - held, "%s", name);
}

/* Waits once; notes its name, in capitals when it was cancelled, with the mutex held. */
static int waits(void *arg)
{
    struct named *named = arg;
    struct shared *shared = named->shared;
    char cancelled[2] = {(char)(named->name[0] - 'a' + 'A'), '\0'};
    int rc;

    ck_ok(bight_mutex_lock(&shared->mutex));
    rc = bight_condition_wait(&shared->condition);
    ck_assert_ptr_eq(bight_mutex_owner(&shared->mutex), bight_self());
    if (rc)
        ck_code(rc, BIGHT_ECANCELED);
    note(shared, rc ? cancelled : named->name);
    ck_ok(bight_mutex_unlock(&shared->mutex));
    return rc;
}

static void start(struct shared *shared, struct named *named, struct bight_task **tasks, int count)
{
    static const char *const names[] = {"a", "b", "c", "d"};

    for (int i = 0; i < count; i++) {
        named[i] = (struct named){shared, names[i]};
        ck_ok(bight_spawn(&tasks[i], waits, &named[i]));
    }
    world_settle();
    ck_assert_uint_eq(bight_condition_waiting(&shared->condition), count);
    ck_assert_ptr_null(bight_mutex_owner(&shared->mutex));
}

static void join_all(struct bight_task **tasks, int count)
{
    for (int i = 0; i < count; i++)
        ck_ok(bight_join(tasks[i], NULL));
}

static void notify(struct shared *shared, size_t count)
{
    ck_ok(bight_mutex_lock(&shared->mutex));
    ck_ok(bight_condition_notify(&shared->condition, count));
    ck_ok(bight_mutex_unlock(&shared->mutex));
}

static int in_order(void *arg)
{
    struct shared *shared = arg;
    struct bight_task *tasks[4];
    struct named named[4];

    start(shared, named, tasks, 4);
    ck_ok(bight_mutex_lock(&shared->mutex));
    ck_ok(bight_condition_notify(&shared->condition, 1));
    world_settle();
    ck_assert_str_eq(shared->order, ""); /* the mutex is still ours */
    ck_assert_uint_eq(bight_condition_waiting(&shared->condition), 3);
    ck_assert_uint_eq(bight_mutex_waiting(&shared->mutex), 1);
    ck_ok(bight_mutex_unlock(&shared->mutex));
    ck_assert_ptr_eq(bight_mutex_owner(&shared->mutex), tasks[0]); /* handed over directly */
    world_settle();
    ck_assert_str_eq(shared->order, "a");
    notify(shared, 0);
    notify(shared, 2);
    world_settle();
    ck_assert_str_eq(shared->order, "abc");
    notify(shared, 2048);
    notify(shared, 1); /* nobody is there: not kept for later */
    join_all(tasks, 4);
    ck_assert_str_eq(shared->order, "abcd");
    return 0;
}

static int all(void *arg)
{
    struct shared *shared = arg;
    struct bight_task *tasks[3];
    struct named named[3];

    start(shared, named, tasks, 3);
    ck_ok(bight_mutex_lock(&shared->mutex));
    ck_ok(bight_condition_notify_all(&shared->condition));
    ck_assert_uint_eq(bight_condition_waiting(&shared->condition), 0);
    ck_ok(bight_mutex_unlock(&shared->mutex));
    join_all(tasks, 3);
    ck_assert_str_eq(shared->order, "abc");
    return 0;
}

static int cancelled(void *arg)
{
    struct shared *shared = arg;
    struct bight_task *tasks[2];
    struct named named[2];

    start(shared, named, tasks, 2);
    bight_task_cancel(tasks[0]);
    ck_assert_ptr_eq(bight_mutex_owner(&shared->mutex), tasks[0]); /* it was free */
    world_settle();
    ck_assert_str_eq(shared->order, "A");
    ck_ok(bight_mutex_lock(&shared->mutex));
    bight_task_cancel(tasks[1]);
    ck_assert_uint_eq(bight_condition_waiting(&shared->condition), 0);
    world_settle();
    ck_assert(!bight_task_done(tasks[1])); /* it cannot end without the mutex */
    ck_ok(bight_condition_notify(&shared->condition, 1));
    ck_ok(bight_mutex_unlock(&shared->mutex));
    join_all(tasks, 2);
    ck_assert_str_eq(shared->order, "AB");
    return 0;
}

static int passes_on(void *arg)
{
    struct shared *shared = arg;
    struct bight_task *tasks[3];
    struct named named[3];
    int status;

    start(shared, named, tasks, 3);
    ck_ok(bight_mutex_lock(&shared->mutex));
    ck_ok(bight_condition_notify(&shared->condition, 1));
    bight_task_cancel(tasks[0]); /* it queues for the mutex */
    ck_ok(bight_mutex_unlock(&shared->mutex));
    ck_ok(bight_join(tasks[0], &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_ok(bight_join(tasks[1], &status));
    ck_ok(status);
    ck_assert_str_eq(shared->order, "Ab"); /* one notification, one waiter */
    ck_assert_uint_eq(bight_condition_waiting(&shared->condition), 1);
    notify(shared, 1);
    bight_task_cancel(tasks[2]); /* it has the mutex, but has not run */
    ck_ok(bight_join(tasks[2], &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert_str_eq(shared->order, "AbC");
    return 0;
}

/* Takes from a state that others add to, until it is negative. */
static int consumes(void *arg)
{
    struct shared *shared = arg;
    int rc;

    ck_ok(bight_mutex_lock(&shared->mutex));
    for (;;) {
        while ((rc = 0, shared->state == 0) && !(rc = bight_condition_wait(&shared->condition)))
            ;
        if (rc || shared->state < 0)
            break;
        shared->state--;
        ck_ok(bight_condition_notify_all(&shared->condition));
    }
    ck_ok(bight_mutex_unlock(&shared->mutex));
    return rc;
}

static bool is_zero(void *state)
{
    return *(int *)state == 0;
}

/* Two consumers; one is given an item and cancelled, `yields` turns later. */
static int item_for_the_other(struct shared *shared, int yields)
{
    struct bight_task *tasks[2];
    struct bight_scope scope;

    for (int i = 0; i < 2; i++)
        ck_ok(bight_spawn(&tasks[i], consumes, shared));
    world_settle();
    ck_ok(bight_mutex_lock(&shared->mutex));
    shared->state = 1;
    ck_ok(bight_condition_notify(&shared->condition, 1));
    for (int i = 0; i < yields; i++)
        ck_ok(bight_yield());
    bight_task_cancel(tasks[0]);
    ck_ok(bight_scope_begin(&scope, 10, 0));
    ck_ok(bight_scope_end(&scope,
                          bight_condition_wait_until(&shared->condition, is_zero, &shared->state)));
    ck_assert_int_eq(shared->state, 0);
    shared->state = -1;
    ck_ok(bight_condition_notify_all(&shared->condition));
    ck_ok(bight_mutex_unlock(&shared->mutex));
    join_all(tasks, 2);
    return 0;
}

static int cancelled_at_once(void *arg)
{
    return item_for_the_other(arg, 0);
}

static int cancelled_a_turn_later(void *arg)
{
    return item_for_the_other(arg, 1);
}

static void condition_loses_no_item_to_a_cancelled_consumer(void)
{
    ck_ok(run(cancelled_at_once, NULL));
    ck_ok(run(cancelled_a_turn_later, NULL));
}

static int misused(void *arg)
{
    struct shared *shared = arg;

    ck_code(bight_condition_wait(&shared->condition), BIGHT_EPERM);
    ck_code(bight_condition_notify(&shared->condition, 1), BIGHT_EPERM);
    ck_code(bight_condition_notify_all(&shared->condition), BIGHT_EPERM);
    ck_code(bight_condition_wait_until(&shared->condition, NULL, NULL), BIGHT_EINVAL);
    shared->state = 1;
    ck_code(bight_condition_wait_until(&shared->condition, is_zero, &shared->state), BIGHT_EPERM);
    shared->state = 0;
    ck_ok(bight_condition_wait_until(&shared->condition, is_zero, &shared->state));
    ck_assert_ptr_null(bight_mutex_owner(&shared->mutex));
    return 0;
}

static void condition_is_used_with_its_mutex_held(void)
{
    struct bight_mutex mutex;
    struct bight_condition condition;

    bight_mutex_init(&mutex);
    bight_condition_init(&condition, &mutex);
    ck_code(bight_condition_wait(&condition), BIGHT_ENOTASK);
    ck_code(bight_condition_notify(&condition, 1), BIGHT_ENOTASK);
    ck_ok(run(misused, NULL));
}

static int waits_for_zero(void *arg)
{
    struct shared *shared = arg;
    int rc;

    ck_ok(bight_mutex_lock(&shared->mutex));
    rc = bight_condition_wait_until(&shared->condition, is_zero, &shared->state);
    ck_ok(bight_mutex_unlock(&shared->mutex));
    return rc;
}

static int asked_again(void *arg)
{
    struct shared *shared = arg;
    struct bight_task *task;
    int status;

    shared->state = 2;
    ck_ok(bight_spawn(&task, waits_for_zero, shared));
    world_settle();
    while (shared->state) {
        ck_assert(!bight_task_done(task));
        shared->state--;
        notify(shared, 1);
        world_settle();
    }
    ck_ok(bight_join(task, &status));
    ck_ok(status);
    shared->state = 1;
    ck_code(bight_timeout(10, waits_for_zero, shared), BIGHT_ETIMEDOUT);
    return 0;
}

static int holds_other_and_waits(void *arg)
{
    struct shared *shared = arg;

    ck_ok(bight_mutex_lock(&shared->other));
    ck_ok(bight_mutex_lock(&shared->mutex));
    shared->code = bight_condition_wait(&shared->condition);
    ck_code(bight_mutex_unlock(&shared->mutex), shared->code == BIGHT_EDEADLK ? BIGHT_EPERM : 0);
    ck_ok(bight_mutex_unlock(&shared->other));
    return 0;
}

static int locks_other(void *arg)
{
    struct shared *shared = arg;
    int rc;

    ck_ok(bight_mutex_lock(&shared->mutex));
    rc = bight_mutex_lock(&shared->other);
    if (rc == 0)
        ck_ok(bight_mutex_unlock(&shared->other));
    ck_ok(bight_mutex_unlock(&shared->mutex));
    return rc;
}

/* The owner of the mutex waits for a lock that the waiter holds. */
static int circle(void *arg)
{
    struct shared *shared = arg;
    struct bight_task *waiter, *owner;
    int status;

    ck_ok(bight_spawn(&waiter, holds_other_and_waits, shared));
    world_settle();
    ck_ok(bight_spawn(&owner, locks_other, shared));
    world_settle();
    bight_task_cancel(waiter);
    ck_ok(bight_join(waiter, NULL));
    ck_code(shared->code, BIGHT_EDEADLK);
    ck_ok(bight_join(owner, &status));
    ck_ok(status);
    /* Once it is notified, the lock would close the circle. */
    ck_ok(bight_spawn(&waiter, holds_other_and_waits, shared));
    world_settle();
    ck_ok(bight_mutex_lock(&shared->mutex));
    ck_ok(bight_condition_notify(&shared->condition, 1));
    ck_code(bight_mutex_lock(&shared->other), BIGHT_EDEADLK);
    ck_ok(bight_mutex_unlock(&shared->mutex));
    ck_ok(bight_join(waiter, NULL));
    ck_ok(shared->code);
    return 0;
}

static int waits_in_group(void *arg)
{
    struct shared *shared = arg;

    ck_ok(bight_mutex_lock(&shared->mutex));
    shared->code = bight_condition_wait(&shared->condition);
    ck_code(bight_mutex_unlock(&shared->mutex), shared->code == BIGHT_EDEADLK ? BIGHT_EPERM : 0);
    return 0;
}

/* The owner of the mutex ends the group that the waiter is in, and unlocks no more. */
static int group_circle(void *arg)
{
    struct shared *shared = arg;
    struct bight_group group;

    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, waits_in_group, shared));
    world_settle();
    ck_ok(bight_mutex_lock(&shared->mutex));
    if (shared->state)
        ck_ok(bight_condition_notify(&shared->condition, 1));
    ck_ok(bight_scope_set_timeout(&group.scope, 10));
    ck_ok(bight_group_end(&group, 0));
    ck_code(shared->code, BIGHT_EDEADLK);
    ck_ok(bight_mutex_unlock(&shared->mutex));
    return 0;
}

static int group_circles(void *arg)
{
    ((struct shared *)arg)->state = 0;
    ck_ok(group_circle(arg));
    ((struct shared *)arg)->state = 1;
    return group_circle(arg);
}

/* The waiter was cancelled, and queues for the mutex, before the circle closed. */
static int late_circle(void *arg)
{
    struct shared *shared = arg;
    struct bight_group group;

    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, waits_in_group, shared));
    world_settle();
    ck_ok(bight_mutex_lock(&shared->mutex));
    bight_scope_cancel(&group.scope);
    ck_ok(bight_group_end(&group, 0));
    ck_code(shared->code, BIGHT_EDEADLK);
    ck_ok(bight_mutex_unlock(&shared->mutex));
    return 0;
}

static void condition_circle_of_waits_that_cannot_be_cancelled_is_a_stall(void)
{
    struct shared shared;
    struct world_reports reports;

    shared_init(&shared);
    ck_code(world_run(late_circle, &shared, &reports), BIGHT_ESTALLED);
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_STALLED], 1);
    ck_code(shared.code, BIGHT_EDEADLK);
}

static const struct suite_case cases[] = {
    body_case(condition_notifies_in_order_and_at_most_as_many, run, in_order),
    body_case(condition_notifies_all_who_wait, run, all),
    body_case(condition_cancelled_waiter_holds_the_mutex_again, run, cancelled),
    body_case(condition_notification_of_a_cancelled_waiter_is_passed_on, run, passes_on),
    plain_case(condition_loses_no_item_to_a_cancelled_consumer),
    plain_case(condition_is_used_with_its_mutex_held),
    body_case(condition_predicate_is_asked_after_each_notification, run, asked_again),
    body_case(condition_circle_is_told_instead_of_waited_out, run, circle),
    body_case(condition_circle_with_the_end_of_a_group_is_told, run, group_circles),
    plain_case(condition_circle_of_waits_that_cannot_be_cancelled_is_a_stall),
};

test_suite("condition", cases);
