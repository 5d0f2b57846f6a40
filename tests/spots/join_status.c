/* Join with status.
 *
 * Hard: a join has two outcomes that look alike, "this call was cancelled" and "the child was". The
 * return says what became of the call, the status what became of the child. After a cancelled join
 * the handle is as good as before; only a join that returned 0 uses it up. A task that joins itself
 * would sleep for ever and is told so. */
#include <bight/runtime.h>
#include <bight/scope.h>
#include <bight/task.h>
#include <bight/time.h>

#include <stdio.h>

static int returns(void *arg)
{
    return *(int *)arg;
}

static int sleeps(void *arg)
{
    (void)arg;
    return bight_sleep(-1);
}

static int joins_self(void *arg)
{
    (void)arg;
    return bight_join(bight_self(), NULL);
}

static int join(void *arg)
{
    return bight_join(arg, NULL);
}

struct seen {
    int good, bad, cancelled, self, late, again;
};

static int status_of(int (*fn)(void *arg), void *arg, int *status)
{
    struct bight_task *task;
    int rc = bight_spawn(&task, fn, arg);

    return rc ? rc : bight_join(task, status);
}

static int run(void *arg)
{
    struct seen *seen = arg;
    struct bight_task *task;
    int rc;

    rc = status_of(returns, &(int){7}, &seen->good);
    if (rc == 0)
        rc = status_of(returns, &(int){BIGHT_EIO}, &seen->bad);
    if (rc == 0)
        rc = status_of(joins_self, NULL, &seen->self);
    if (rc == 0)
        rc = bight_spawn(&task, sleeps, NULL);
    if (rc)
        return rc;
    /* The deadline ends the wait, not the child: it is joined afterwards, by the same handle. */
    seen->late = bight_timeout(5, join, task);
    bight_task_cancel(task);
    seen->again = bight_join(task, &seen->cancelled);
    return 0;
}

int main(void)
{
    struct seen seen = {0};
    int rc = bight_run(run, &seen);
    bool ok = rc == 0 && seen.good == 7 && seen.bad == BIGHT_EIO && seen.self == BIGHT_EDEADLK &&
              seen.late == BIGHT_ETIMEDOUT && seen.again == 0 && seen.cancelled == BIGHT_ECANCELED;

    printf("join_status: %d, %s, self %s; a join under a deadline %s, again %d with status %s\n",
           seen.good, bight_error_name(seen.bad), bight_error_name(seen.self),
           bight_error_name(seen.late), seen.again, bight_error_name(seen.cancelled));
    return ok ? 0 : 1;
}
