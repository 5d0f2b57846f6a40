/* A job whose caller is cancelled while it runs.
 *
 * Hard: the job works in a thread on memory of the caller's stack, so the caller may not leave
 * before the job does, and the work that was done should not be thrown away. The wait refuses to
 * let go, returns the job's result when it is over, and the cancellation, being a state, is
 * still there for the next call that waits. */
#include <bight/event.h>
#include <bight/mailbox.h>
#include <bight/offload.h>
#include <bight/runtime.h>
#include <bight/task.h>
#include <bight/time.h>

#include <semaphore.h>
#include <stdio.h>

struct caller {
    struct bight_mailbox *mailbox;
    struct bight_event begun;
    sem_t finish;
    int result, next;
};

struct job {
    struct caller *caller;
    int answer;
};

static void say_begun(void *arg)
{
    bight_event_set(arg);
}

/* In a thread. */
static int compute(void *arg)
{
    struct job *job = arg;

    if (bight_post_call(job->caller->mailbox, say_begun, &job->caller->begun))
        return BIGHT_ECLOSED;
    while (sem_wait(&job->caller->finish))
        ;
    return job->answer * 2;
}

static int call(void *arg)
{
    struct caller *caller = arg;
    struct job job = {.caller = caller, .answer = 21}; /* on this task's stack */

    caller->result = bight_offload(compute, &job);
    caller->next = bight_yield();
    return 0;
}

static int run(void *arg)
{
    struct caller *caller = arg;
    struct bight_task *task;
    int rc = bight_mailbox_get(&caller->mailbox);

    if (rc)
        return rc;
    rc = bight_spawn(&task, call, caller);
    if (rc == 0)
        rc = bight_event_wait(&caller->begun);
    if (rc)
        return rc;
    bight_mailbox_unref(caller->mailbox);
    bight_task_cancel(task);
    rc = bight_yield();
    if (rc == 0 && bight_task_done(task))
        rc = BIGHT_EINVAL; /* it left while the job used its stack */
    sem_post(&caller->finish);
    return rc ? rc : bight_join(task, NULL);
}

int main(void)
{
    struct caller caller = {0};

    bight_event_init(&caller.begun);
    int rc = sem_init(&caller.finish, 0, 0) ? BIGHT_EIO : bight_run(run, &caller);
    bool ok = rc == 0 && caller.result == 42 && caller.next == BIGHT_ECANCELED;

    printf("job_cancelled: the job gave %d, the next wait %s\n", caller.result,
           bight_error_name(caller.next));
    return ok ? 0 : 1;
}
