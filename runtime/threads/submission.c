/* Running something in a runtime from another thread, and waiting for it there: a submission is
 * posted, spawns its task when it arrives, and is told of the task's end. It is counted by
 * reference: one is the submitter's, one the runtime's until the end, one that of a cancellation on
 * its way. What runs, and whether it has ended, is under the lock; `task` is touched by the loop's
 * thread only. */
#include <bight/submission.h>

#include "runtime/threads/thread_case.h"
#include "runtime/threads/thread_wait.h"

enum state {
    POSTED,
    RUNNING,
    ENDED,
};

struct bight_submission {
    uv_mutex_t lock;
    size_t refs;
    enum state state;
    bool cancelled; /* `cancel` was posted */
    bool is_call;   /* fn runs outside of tasks */
    int status;
    int (*fn)(void *arg);
    void *arg;
    struct bight_mailbox *mailbox; /* until the end */
    struct bight_post start;
    struct bight_post cancel;
    struct bight_task *task;
    struct bight_end_watch watch;
    struct bight_link waiters;
    struct bight_link cases;
};

struct bight_submission *bight_submission_ref(struct bight_submission *submission)
{
    if (!submission)
        return NULL;
    uv_mutex_lock(&submission->lock);
    submission->refs++;
    uv_mutex_unlock(&submission->lock);
    return submission;
}

void bight_submission_unref(struct bight_submission *submission)
{
    if (!submission)
        return;
    uv_mutex_lock(&submission->lock);
    bool last = --submission->refs == 0;
    uv_mutex_unlock(&submission->lock);
    if (!last)
        return;
    bight_mailbox_unref(submission->mailbox);
    uv_mutex_destroy(&submission->lock);
    bight__free(submission);
}

/* Called with the lock held; releases it. The mailbox is held no longer than the task lives. */
static void end(struct bight_submission *submission, int status)
{
    struct bight_mailbox *mailbox = submission->mailbox;

    submission->mailbox = NULL;
    submission->state = ENDED;
    submission->status = status;
    bight__thread_wake_all(&submission->waiters, 0);
    bight__thread_case_tell_all(&submission->cases);
    uv_mutex_unlock(&submission->lock);
    bight_mailbox_unref(mailbox);
}

/* The runtime has finished with it. Returns whether nobody else wanted to know. */
static bool finish(struct bight_submission *submission, int status)
{
    submission->task = NULL;
    uv_mutex_lock(&submission->lock);
    bool unseen = submission->refs == 1;
    end(submission, status);
    bight_submission_unref(submission);
    return unseen;
}

/* The task had a handle while it lived, so that its failure counted as seen. Now it has none. */
static void task_ended(struct bight_end_watch *watch, struct bight_task *task)
{
    task->flags &= ~TASK_HANDLE;
    if (finish(container_of(watch, struct bight_submission, watch), task->status))
        bight__failure_unseen(task);
}

static const struct bight_spawn_options options = {.name = "submitted"};

/* The waiters get the code too, but it is the loop that lacks something, so the loop reports it. */
static void report_unspawned(int code)
{
    const struct bight_report report = {
        .kind = BIGHT_REPORT_UNSEEN_FAILURE,
        .code = code,
        .task_name = options.name,
        .text = "could not be spawned",
    };

    bight__sched->driver->report(bight__sched, NULL, &report);
}

static void spawn(struct bight_submission *submission)
{
    int rc = bight_spawn_with(&submission->task, &options, submission->fn, submission->arg);

    if (rc == 0) {
        submission->watch.ended = task_ended;
        bight__watch_end(submission->task, &submission->watch);
    } else if (rc == BIGHT_ECLOSED) { /* cancelled with everything else that main left */
        finish(submission, BIGHT_ECANCELED);
    } else {
        report_unspawned(rc);
        finish(submission, rc);
    }
}

static void on_start(struct bight_post *post)
{
    struct bight_submission *submission = container_of(post, struct bight_submission, start);

    uv_mutex_lock(&submission->lock);
    bool ended = submission->state == ENDED;
    if (!ended)
        submission->state = RUNNING;
    uv_mutex_unlock(&submission->lock);
    if (ended)
        bight_submission_unref(submission);
    else if (submission->is_call)
        finish(submission, submission->fn(submission->arg));
    else
        spawn(submission);
}

static void on_cancel(struct bight_post *post)
{
    struct bight_submission *submission = container_of(post, struct bight_submission, cancel);

    if (submission->task)
        bight_task_cancel(submission->task);
    bight_submission_unref(submission);
}

static int submit(struct bight_submission **out, struct bight_mailbox *mailbox, bool is_call,
                  int (*fn)(void *arg), void *arg)
{
    struct bight_submission *submission;
    int rc;

    if (!out || !mailbox || !fn)
        return BIGHT_EINVAL;
    submission = bight__thread_alloc(sizeof *submission);
    if (!submission)
        return BIGHT_ENOMEM;
    rc = bight__thread_lock_init(&submission->lock);
    if (rc)
        goto free_submission;
    submission->refs = 2;
    submission->is_call = is_call;
    submission->fn = fn;
    submission->arg = arg;
    submission->mailbox = bight_mailbox_ref(mailbox);
    submission->start.fn = on_start;
    submission->cancel.fn = on_cancel;
    link_init(&submission->waiters);
    link_init(&submission->cases);
    rc = bight_post_record(mailbox, &submission->start);
    if (rc)
        goto destroy;
    *out = submission;
    return 0;

destroy:
    bight_mailbox_unref(mailbox);
    uv_mutex_destroy(&submission->lock);
free_submission:
    bight__free(submission);
    return rc;
}

int bight_thread_submit(struct bight_submission **out, struct bight_mailbox *mailbox,
                        int (*fn)(void *arg), void *arg)
{
    return submit(out, mailbox, false, fn, arg);
}

static const struct bight_waiter_ops wait_ops = {
    .name = "submission",
    .abort = bight__thread_wait_abort,
    .flags = THREAD_WAIT_FLAGS,
};

static int wait_end(struct bight_submission *submission, int64_t timeout_ms, int *status)
{
    struct bight_thread_wait wait;
    int rc = 0;

    uv_mutex_lock(&submission->lock);
    if (submission->state == ENDED)
        uv_mutex_unlock(&submission->lock);
    else
        rc = bight__thread_wait_in(&submission->waiters, &submission->lock, &wait, &wait_ops,
                                   timeout_ms);
    if (rc == 0 && status)
        *status = submission->status;
    return rc;
}

int bight_submission_wait(struct bight_submission *submission, int64_t timeout_ms, int *status)
{
    int rc;

    if (!submission)
        return BIGHT_EINVAL;
    rc = bight__thread_wait_begin();
    return rc ? rc : wait_end(submission, timeout_ms, status);
}

/* The case of a select */

static int case_abort(struct bight_waiter *waiter)
{
    struct bight_submission *submission = bight_case_of(waiter)->source;

    return bight__thread_case_abort(waiter, &submission->cases, &submission->lock);
}

static const struct bight_waiter_ops case_wait = {
    .name = "select: submission",
    .abort = case_abort,
    .flags = BIGHT_WAITER_OUTSIDE,
};

static bool case_attempt(struct bight_case *chosen)
{
    struct bight_submission *submission = chosen->source;

    uv_mutex_lock(&submission->lock);
    bool ended = submission->state == ENDED;
    if (ended)
        chosen->status = submission->status;
    uv_mutex_unlock(&submission->lock);
    return ended;
}

static int case_arm(struct bight_case *chosen)
{
    struct bight_submission *submission = chosen->source;

    uv_mutex_lock(&submission->lock);
    int rc = submission->state == ENDED ? 0 : BIGHT_EAGAIN;
    return bight__thread_case_arm(chosen, rc, &submission->cases, &submission->lock);
}

static void case_settle(struct bight_case *chosen)
{
    (void)case_attempt(chosen); /* it has ended */
}

static const struct bight_case_ops case_ops = {&case_wait, case_attempt, case_arm, case_settle};

void bight_case_submission(struct bight_case *to, struct bight_submission *submission)
{
    bight__thread_case_make(to, &case_ops, submission);
}

int bight_submission_cancel(struct bight_submission *submission)
{
    int rc = 0;

    if (!submission)
        return BIGHT_EINVAL;
    uv_mutex_lock(&submission->lock);
    if (submission->state == POSTED) {
        end(submission, BIGHT_ECANCELED);
        return 0;
    }
    if (submission->state == ENDED) {
        rc = BIGHT_EALREADY;
    } else if (!submission->cancelled) {
        submission->cancelled = true;
        /* The mailbox is closed only once no task can be spawned; then the submission will end. */
        if (bight_post_record(submission->mailbox, &submission->cancel) == 0)
            submission->refs++;
    }
    uv_mutex_unlock(&submission->lock);
    return rc;
}

static int run(struct bight_mailbox *mailbox, bool is_call, int (*fn)(void *arg), void *arg,
               int *status)
{
    struct bight_submission *submission;
    int rc;

    if (!mailbox || !fn)
        return BIGHT_EINVAL;
    if (bight__sched)
        return BIGHT_EDEADLK;
    rc = submit(&submission, mailbox, is_call, fn, arg);
    if (rc)
        return rc;
    rc = wait_end(submission, -1, status);
    bight_submission_unref(submission);
    return rc;
}

int bight_thread_run(struct bight_mailbox *mailbox, int (*fn)(void *arg), void *arg, int *status)
{
    return run(mailbox, false, fn, arg, status);
}

int bight_thread_call(struct bight_mailbox *mailbox, int (*fn)(void *arg), void *arg, int *result)
{
    return run(mailbox, true, fn, arg, result);
}
