/* Once: one runner, its result for all, and a runner that was cancelled has a successor. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

struct shared {
    struct bight_once once;
    int begun;
    int ended;
    int result;
};

static int runs(void *arg)
{
    struct shared *shared = arg;
    int rc;

    shared->begun++;
    rc = bight_sleep(10);
    if (rc)
        return rc;
    shared->ended++;
    return shared->result;
}

static int calls(void *arg)
{
    struct shared *shared = arg;

    return bight_once_run(&shared->once, runs, shared);
}

static int for_all(struct shared *shared, int result)
{
    struct bight_task *tasks[3];
    int status;

    *shared = (struct shared){.result = result};
    bight_once_init(&shared->once);
    for (int i = 0; i < 3; i++)
        ck_ok(bight_spawn(&tasks[i], calls, shared));
    world_settle();
    ck_assert(!bight_once_done(&shared->once));
    for (int i = 0; i < 3; i++) {
        ck_ok(bight_join(tasks[i], &status));
        ck_code(status, result);
    }
    ck_assert(bight_once_done(&shared->once));
    ck_code(calls(shared), result); /* at once */
    ck_assert_int_eq(shared->begun, 1);
    return 0;
}

static int success_and_failure(void *arg)
{
    struct shared shared;

    (void)arg;
    ck_ok(for_all(&shared, 7));
    return for_all(&shared, BIGHT_EIO);
}

static int successor(void *arg)
{
    struct shared shared = {.result = 7};
    struct bight_task *tasks[4];
    int status;

    (void)arg;
    bight_once_init(&shared.once);
    for (int i = 0; i < 4; i++)
        ck_ok(bight_spawn(&tasks[i], calls, &shared));
    world_settle();
    bight_task_cancel(tasks[0]); /* it runs it */
    bight_task_cancel(tasks[1]); /* it waits */
    ck_ok(bight_yield());
    ck_assert_int_eq(shared.begun, 1);
    bight_task_cancel(tasks[2]); /* it was chosen, and has not run */
    for (int i = 0; i < 4; i++) {
        ck_ok(bight_join(tasks[i], &status));
        ck_code(status, i == 3 ? 7 : BIGHT_ECANCELED);
    }
    ck_assert_int_eq(shared.begun, 3);
    ck_assert_int_eq(shared.ended, 1);
    return 0;
}

static int nobody_left(void *arg)
{
    struct shared shared = {.result = 7};

    (void)arg;
    bight_once_init(&shared.once);
    ck_code(bight_timeout(5, calls, &shared), BIGHT_ETIMEDOUT);
    ck_assert(!bight_once_done(&shared.once));
    ck_code(calls(&shared), 7);
    ck_assert_int_eq(shared.begun, 2);
    return 0;
}

struct circle {
    struct bight_once once;
    struct bight_mutex mutex;
    int code;
};

static int needs_itself(void *arg)
{
    struct circle *circle = arg;

    ck_code(bight_once_run(&circle->once, needs_itself, circle), BIGHT_EDEADLK);
    ck_ok(bight_yield());
    circle->code = bight_mutex_lock(&circle->mutex);
    return 0;
}

static int locked_needs_once(void *arg)
{
    struct circle *circle = arg;
    int rc;

    ck_ok(bight_mutex_lock(&circle->mutex));
    rc = bight_once_run(&circle->once, needs_itself, circle);
    ck_ok(bight_mutex_unlock(&circle->mutex));
    return rc;
}

static int circles(void *arg)
{
    struct bight_task *task;
    struct circle circle;
    int status;

    (void)arg;
    bight_once_init(&circle.once);
    bight_mutex_init(&circle.mutex);
    ck_code(bight_once_run(&circle.once, NULL, NULL), BIGHT_EINVAL);
    ck_ok(bight_spawn(&task, locked_needs_once, &circle));
    ck_ok(bight_once_run(&circle.once, needs_itself, &circle));
    ck_code(circle.code, BIGHT_EDEADLK); /* the other one waits for us, with the mutex */
    ck_ok(bight_join(task, &status));
    ck_ok(status);
    return 0;
}

static void once_circle_is_refused(void)
{
    struct circle circle;

    bight_once_init(&circle.once);
    ck_code(bight_once_run(&circle.once, needs_itself, &circle), BIGHT_ENOTASK);
    ck_ok(world_run(circles, NULL, NULL));
}

static const struct suite_case cases[] = {
    world_case(once_runs_one_time_and_tells_all_the_result, success_and_failure),
    world_case(once_runner_that_is_cancelled_has_a_successor, successor),
    world_case(once_that_nobody_ended_is_run_by_the_next, nobody_left),
    plain_case(once_circle_is_refused),
};

test_suite("once", cases);
