/* Cancellation: the lesson of `task.cancel()` and `except asyncio.CancelledError`.
 *
 * To notice: there is no exception. The call that sleeps in the task returns BIGHT_ECANCELED, the
 * task hands that on, and the joiner finds it in the task's status. What the join itself returns is
 * something else: BIGHT_ECANCELED there would mean that the joiner was cancelled. */
#include <bight/errors.h>
#include <bight/group.h>
#include <bight/runtime.h>
#include <bight/time.h>

#include <stdio.h>
#include <stdlib.h>

static int sleep_long(void *arg)
{
    (void)arg;
    return bight_sleep(10000);
}

static int cancel_one(struct bight_group *group, void *arg)
{
    struct bight_task *task;
    int rc = bight_group_spawn(&task, group, NULL, sleep_long, NULL);
    int status;

    (void)arg;
    if (rc)
        return rc;
    rc = bight_sleep(1000);
    if (rc)
        goto leave;
    bight_task_cancel(task);
    rc = bight_join(task, &status);
    if (rc)
        goto leave;
    if (status == BIGHT_ECANCELED)
        printf("Task was cancelled\n");
    return 0;

leave:
    bight_task_detach(task); /* the group cancels it and waits for it */
    return rc;
}

static int lesson(void *arg)
{
    return bight_group_run(cancel_one, arg);
}

int main(void)
{
    int rc = bight_run(lesson, NULL);

    if (rc < 0)
        fprintf(stderr, "cancellation: %s\n", bight_strerror(rc));
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
