/* Who learns of a task's end: the one that joins it and takes its handle, those that wait for
 * several tasks, callbacks. All are watches in one list, told in the order in which they came. */
#include "coro/core/source.h"

#include <stdio.h>

void bight__watch_end(struct bight_task *task, struct bight_end_watch *watch)
{
    if (!task->ends.next)
        link_init(&task->ends);
    task->base.kind |= SCOPE_OWES;
    link_append(&task->ends, &watch->link);
}

__attribute__((noinline)) void bight__ends_tell(struct bight_task *task)
{
    struct bight_link *link;

    if (!task->ends.next)
        return;
    while ((link = link_take(&task->ends))) {
        struct bight_end_watch *watch = container_of(link, struct bight_end_watch, link);

        watch->ended(watch, task);
    }
    task->ends.next = NULL;
}

/* What a joiner knows about its wait. */
struct join_wait {
    struct bight_waiter waiter;
    struct bight_end_watch watch;
    struct bight_task *task;
};

static int join_abort(struct bight_waiter *waiter)
{
    struct join_wait *wait = container_of(waiter, struct join_wait, waiter);

    link_remove(&wait->watch.link);
    wait->task->flags &= ~TASK_JOINED;
    return 0;
}

static struct bight_task *join_waits_for(const struct bight_waiter *waiter)
{
    return container_of(waiter, struct join_wait, waiter)->task;
}

static void join_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct bight_task *task = container_of(waiter, struct join_wait, waiter)->task;

    snprintf(text, text_bytes, "#%llu %s", (unsigned long long)task->id, task->name);
}

static const struct bight_waiter_ops join_ops = {
    .name = "join",
    .abort = join_abort,
    .waits_for = join_waits_for,
    .describe = join_describe,
    .flags = WAITER_LINK,
};

static void join_ended(struct bight_end_watch *watch, struct bight_task *task)
{
    (void)task;
    bight_unpark(&container_of(watch, struct join_wait, watch)->waiter, 0);
}

static int join_park(struct bight_task *self, struct bight_task *task)
{
    struct join_wait wait = {.task = task, .watch.ended = join_ended};

    if (bight__join_would_deadlock(task, self))
        return BIGHT_EDEADLK;
    bight__waiter_begin(&wait.waiter, &join_ops);
    task->flags |= TASK_JOINED;
    bight__watch_end(task, &wait.watch);
    return bight_park(&wait.waiter);
}

/* Wait until the task has ended; its handle is the caller's to free. */
static inline int join(struct bight_task *task, struct bight_task *self)
{
    if (unlikely(task->sched != self->sched))
        return BIGHT_EPERM;
    if (unlikely(!(task->flags & TASK_HANDLE)))
        return BIGHT_EINVAL;
    if (unlikely(task->flags & TASK_JOINED))
        return task == self ? BIGHT_EDEADLK : BIGHT_EALREADY;
    return task->flags & TASK_DONE ? 0 : join_park(self, task);
}

static inline void handle_free(struct bight_task *task)
{
    link_cut(&task->member);
    bight__task_free(task);
}

int bight_join(struct bight_task *task, int *status)
{
    struct bight_task *self;
    int rc;

    if (unlikely(!task))
        return BIGHT_EINVAL;
    rc = bight__observe(&self);
    if (unlikely(rc))
        return rc;
    rc = join(task, self);
    if (likely(rc == 0)) {
        if (status)
            *status = task->status;
        handle_free(task);
    }
    bight__breathe(self);
    return rc;
}

int bight_join_result(struct bight_task *task, struct bight_task_result *result)
{
    struct bight_task *self;
    int rc;

    if (!task || !result)
        return BIGHT_EINVAL;
    rc = bight__observe(&self);
    if (rc)
        return rc;
    rc = join(task, self);
    if (rc == 0) {
        result->status = task->status;
        result->cancelled = bight_task_was_cancelled(task);
        handle_free(task);
    }
    bight__breathe(self);
    return rc;
}

int bight_task_detach(struct bight_task *task)
{
    if (!task)
        return BIGHT_EINVAL;
    if (bight__is_foreign(task))
        return BIGHT_EPERM;
    if (!(task->flags & TASK_HANDLE))
        return BIGHT_EINVAL;
    if (task->flags & TASK_JOINED)
        return BIGHT_EALREADY;
    task->flags &= ~TASK_HANDLE;
    if (task->flags & TASK_DONE) {
        bight__failure_unseen(task);
        handle_free(task);
    }
    return 0;
}

bool bight_task_done(const struct bight_task *task)
{
    return task && task->flags & TASK_DONE;
}

int bight_task_status(struct bight_task *task, int *status)
{
    if (!task || !status)
        return BIGHT_EINVAL;
    if (!(task->flags & TASK_DONE))
        return BIGHT_EAGAIN;
    task->flags |= TASK_SEEN;
    *status = task->status;
    return 0;
}

static void callback_called(struct bight_call *call)
{
    struct bight_task_callback *callback = container_of(call, struct bight_task_callback, call);

    callback->fn(callback);
}

static void callback_ended(struct bight_end_watch *watch, struct bight_task *task)
{
    struct bight_task_callback *callback = container_of(watch, struct bight_task_callback, watch);

    callback->status = task->status;
    callback->cancelled = bight_task_was_cancelled(task);
    /* It is never pending here: it was initialised when it was added, and is queued once. */
    (void)!bight_call_soon(&callback->call);
}

int bight_task_add_callback(struct bight_task *task, struct bight_task_callback *callback,
                            void (*fn)(struct bight_task_callback *callback))
{
    if (!task || !callback || !fn)
        return BIGHT_EINVAL;
    if (bight__is_foreign(task))
        return BIGHT_EPERM;
    callback->fn = fn;
    callback->status = 0;
    callback->cancelled = false;
    bight_call_init(&callback->call, callback_called);
    callback->watch.ended = callback_ended;
    link_init(&callback->watch.link);
    if (task->flags & TASK_DONE)
        callback_ended(&callback->watch, task);
    else
        bight__watch_end(task, &callback->watch);
    return 0;
}

bool bight_task_remove_callback(struct bight_task_callback *callback)
{
    if (!callback)
        return false;
    if (list_empty(&callback->watch.link))
        return bight_call_cancel(&callback->call);
    link_remove(&callback->watch.link);
    return true;
}
