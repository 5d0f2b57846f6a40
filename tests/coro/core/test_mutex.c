/* Mutex: hand-over, cancellation, cycles, owners that end. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <stdio.h>
#include <string.h>

struct shared {
    struct bight_mutex mutex;
    struct bight_mutex second;
    int inside;
    char order[16];
    int status[4];
};

static void shared_init(struct shared *shared)
{
    memset(shared, 0, sizeof(*shared));
    bight_mutex_init(&shared->mutex);
    bight_mutex_init(&shared->second);
}

static int increments(void *arg)
{
    struct shared *shared = arg;

    for (int i = 0; i < 20; i++) {
        ck_ok(bight_mutex_lock(&shared->mutex));
        ck_assert_int_eq(shared->inside++, 0);
        ck_ok(bight_yield());
        shared->inside--;
        ck_ok(bight_mutex_unlock(&shared->mutex));
    }
    return 0;
}

static int exclusion_body(struct bight_group *group, void *arg)
{
    for (int i = 0; i < 5; i++)
        ck_ok(bight_group_spawn(NULL, group, NULL, increments, arg));
    return 0;
}

static int exclusion(void *arg)
{
    return bight_group_run(exclusion_body, arg);
}

static void mutex_lets_one_in_at_a_time(void)
{
    struct shared shared;

    shared_init(&shared);
    ck_ok(world_run(exclusion, &shared, NULL));
    ck_assert_ptr_null(bight_mutex_owner(&shared.mutex));
}

struct named {
    struct shared *shared;
    const char *name;
};

static int locks_named(void *arg)
{
    struct named *named = arg;
    char *order = named->shared->order;
    int rc = bight_mutex_lock(&named->shared->mutex);

    if (rc)
        return rc;
    size_t held = strlen(order);
    snprintf(order + held, sizeof named->shared->order - held, "%s", named->name);
    return bight_mutex_unlock(&named->shared->mutex);
}

static int fifo(void *arg)
{
    struct shared *shared = arg;
    struct named named[4] = {{shared, "a"}, {shared, "b"}, {shared, "c"}, {shared, "d"}};
    struct bight_task *tasks[4];

    ck_ok(bight_mutex_lock(&shared->mutex));
    for (int i = 0; i < 3; i++)
        ck_ok(bight_spawn(&tasks[i], locks_named, &named[i]));
    world_settle();
    bight_task_cancel(tasks[1]); /* cancelled, then unlocked: passes on to the next */
    ck_assert_ptr_eq(bight_mutex_owner(&shared->mutex), bight_self());
    ck_assert_uint_eq(bight_mutex_waiting(&shared->mutex), 2);
    ck_ok(bight_mutex_unlock(&shared->mutex));
    ck_assert_ptr_eq(bight_mutex_owner(&shared->mutex), tasks[0]); /* no barging */
    ck_assert_uint_eq(bight_mutex_waiting(&shared->mutex), 1);
    ck_code(bight_mutex_try_lock(&shared->mutex), BIGHT_EBUSY);
    for (int i = 0; i < 3; i++)
        ck_ok(bight_join(tasks[i], &shared->status[i]));
    ck_assert_str_eq(shared->order, "ac");
    ck_code(shared->status[1], BIGHT_ECANCELED);
    return 0;
}

static void mutex_is_handed_over_in_order_past_the_cancelled(void)
{
    struct shared shared;

    shared_init(&shared);
    ck_ok(world_run(fifo, &shared, NULL));
}

static int woken_then_cancelled(void *arg)
{
    struct shared *shared = arg;
    struct named named = {shared, "x"};
    struct bight_task *task;
    int status;

    ck_ok(bight_mutex_lock(&shared->mutex));
    ck_ok(bight_spawn(&task, locks_named, &named));
    world_settle();
    ck_ok(bight_mutex_unlock(&shared->mutex));
    bight_task_cancel(task); /* it owns the mutex already: the wake is kept */
    ck_ok(bight_join(task, &status));
    ck_ok(status);
    ck_assert_str_eq(shared->order, "x");
    ck_ok(bight_mutex_try_lock(&shared->mutex));
    return bight_mutex_unlock(&shared->mutex);
}

static void mutex_woken_then_cancelled_waiter_owns(void)
{
    struct shared shared;

    shared_init(&shared);
    ck_ok(world_run(woken_then_cancelled, &shared, NULL));
}

static int second_then_first(void *arg)
{
    struct shared *shared = arg;
    int rc;

    ck_ok(bight_mutex_lock(&shared->second));
    ck_ok(bight_yield());
    rc = bight_timeout(1000, (int (*)(void *))bight_mutex_lock, &shared->mutex);
    shared->status[0] = rc;
    ck_ok(bight_mutex_unlock(&shared->second));
    return 0;
}

static int cycle(void *arg)
{
    struct shared *shared = arg;
    struct bight_task *task;

    ck_ok(bight_mutex_lock(&shared->mutex));
    ck_code(bight_mutex_lock(&shared->mutex), BIGHT_EDEADLK);
    ck_code(bight_mutex_try_lock(&shared->mutex), BIGHT_EDEADLK);
    ck_ok(bight_spawn(&task, second_then_first, shared));
    ck_ok(bight_yield());
    ck_ok(bight_mutex_lock(&shared->second)); /* the other one backed off with EDEADLK */
    ck_code(shared->status[0], BIGHT_EDEADLK);
    ck_ok(bight_mutex_unlock(&shared->second));
    ck_ok(bight_mutex_unlock(&shared->mutex));
    return bight_join(task, NULL);
}

static void mutex_cycle_is_refused_at_once_also_under_a_deadline(void)
{
    struct shared shared;

    shared_init(&shared);
    ck_ok(world_run(cycle, &shared, NULL));
}

static int locks(void *arg)
{
    struct shared *shared = arg;
    int rc = bight_mutex_lock(&shared->mutex);

    return rc ? rc : bight_mutex_unlock(&shared->mutex);
}

static int joins_its_waiter(void *arg)
{
    struct shared *shared = arg;
    struct bight_task *task;

    ck_ok(bight_mutex_lock(&shared->mutex));
    ck_ok(bight_spawn(&task, locks, shared));
    ck_ok(bight_yield());
    ck_code(bight_join(task, NULL), BIGHT_EDEADLK);
    ck_ok(bight_mutex_unlock(&shared->mutex));
    return bight_join(task, NULL);
}

static void mutex_owner_that_joins_a_waiter_is_refused(void)
{
    struct shared shared;

    shared_init(&shared);
    ck_ok(world_run(joins_its_waiter, &shared, NULL));
}

static int not_owner(void *arg)
{
    struct shared *shared = arg;

    return bight_mutex_unlock(&shared->mutex);
}

static int wrong_unlock(void *arg)
{
    struct shared *shared = arg;
    struct bight_task *task;
    int status;

    ck_code(bight_mutex_unlock(&shared->mutex), BIGHT_EPERM);
    ck_ok(bight_mutex_lock(&shared->mutex));
    ck_ok(bight_spawn(&task, not_owner, shared));
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_EPERM);
    return bight_mutex_unlock(&shared->mutex);
}

static void mutex_is_unlocked_by_its_owner_only(void)
{
    struct shared shared;

    shared_init(&shared);
    ck_ok(world_run(wrong_unlock, &shared, NULL));
}

static int keeps_locked(void *arg)
{
    struct shared *shared = arg;

    ck_ok(bight_mutex_lock(&shared->mutex));
    ck_ok(bight_mutex_lock(&shared->second));
    return bight_yield();
}

static int owner_ends(void *arg)
{
    struct shared *shared = arg;
    struct bight_task *task;

    ck_ok(bight_spawn(&task, keeps_locked, shared));
    ck_ok(bight_yield());
    ck_ok(bight_mutex_lock(&shared->mutex)); /* given by the end of its owner */
    ck_ok(bight_mutex_try_lock(&shared->second));
    ck_ok(bight_mutex_unlock(&shared->mutex));
    ck_ok(bight_mutex_unlock(&shared->second));
    return bight_join(task, NULL);
}

static void mutex_of_an_owner_that_ended_is_given_on_and_reported(void)
{
    struct world_reports reports;
    struct shared shared;

    shared_init(&shared);
    ck_ok(world_run(owner_ends, &shared, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_MUTEX_HELD], 1);
}

static const struct suite_case cases[] = {
    plain_case(mutex_lets_one_in_at_a_time),
    plain_case(mutex_is_handed_over_in_order_past_the_cancelled),
    plain_case(mutex_woken_then_cancelled_waiter_owns),
    plain_case(mutex_cycle_is_refused_at_once_also_under_a_deadline),
    plain_case(mutex_owner_that_joins_a_waiter_is_refused),
    plain_case(mutex_is_unlocked_by_its_owner_only),
    plain_case(mutex_of_an_owner_that_ended_is_given_on_and_reported),
};

test_suite("mutex", cases);
