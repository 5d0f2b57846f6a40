/* One pooled stack serves task after task: nothing of the earlier ones piles up on it, neither in
 * what a sanitizer remembers of it nor in memory. */
#include <bight.h>

#include "coro/core/task.h"
#include "tests/harness/suite.h"

/* Beyond the depth of ThreadSanitizer's stack of calls, 65,536, at one frame each. */
#define LIVES 70000

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int spawn_one_by_one(void *arg)
{
    (void)arg;
    for (int i = 0; i < LIVES; i++) {
        struct bight_task *task;
        int status = -1;
        int rc = bight_spawn(&task, nothing, NULL);
        if (!rc)
            rc = bight_join(task, &status);
        if (rc || status)
            return rc ? rc : status;
    }
    ck_assert_uint_le(bight__sched->stacks.cached, 2);
    return 0;
}

static int spawn_and_forget(void *arg)
{
    (void)arg;
    for (int i = 0; i < LIVES; i++) {
        int rc = bight_spawn(NULL, nothing, NULL);
        if (!rc)
            rc = bight_yield();
        if (rc)
            return rc;
    }
    ck_assert_uint_le(bight__sched->stacks.cached, 2);
    return 0;
}

static const struct suite_case cases[] = {
    body_case(a_stack_serves_many_joined_tasks, bight_run, spawn_one_by_one),
    body_case(a_stack_serves_many_forgotten_tasks, bight_run, spawn_and_forget),
};

test_suite("lives", cases);
