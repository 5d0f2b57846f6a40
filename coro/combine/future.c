/* Futures: a cell that is settled once. Tasks and callbacks that wait are watches in one list,
 * so that they are served in the order in which they came. */
#include "coro/combine/future.h"

#include <stdio.h>

#include "coro/core/timed.h"

struct future_wait {
    struct bight__timed timed;
    struct bight_future_watch watch;
    struct bight_future *future;
};

static int future_abort(struct bight_waiter *waiter)
{
    link_remove(&container_of(waiter, struct future_wait, timed.waiter)->watch.link);
    return bight__timed_abort(waiter);
}

static void future_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct bight_future *future =
        container_of(waiter, struct future_wait, timed.waiter)->future;

    snprintf(text, text_bytes, "%p", (const void *)future);
}

static const struct bight_waiter_ops future_ops = {
    .name = "future",
    .abort = future_abort,
    .describe = future_describe,
};

/* A wait that takes its future with it. The future is cancelled at once, so that nobody can give it
 * a value that would not be told any more. */
static int owner_abort(struct bight_waiter *waiter)
{
    (void)future_abort(waiter);
    (void)bight_future_cancel(container_of(waiter, struct future_wait, timed.waiter)->future);
    return 0;
}

static void owner_time_is_up(struct bight_timer *timer)
{
    struct future_wait *wait = container_of(timer, struct future_wait, timed.timer);

    bight__calls_before_deadline(bight__sched);
    (void)owner_abort(&wait->timed.waiter);
    bight_unpark(&wait->timed.waiter, BIGHT_ETIMEDOUT);
}

static const struct bight_waiter_ops owner_ops = {
    .name = "future, or an end",
    .abort = owner_abort,
    .describe = future_describe,
};

void bight_future_init(struct bight_future *future)
{
    if (!future)
        return;
    future->done = false;
    future->status = 0;
    future->value = NULL;
    link_init(&future->watches);
}

void bight__future_watch(struct bight_future *future, struct bight_future_watch *watch)
{
    watch->runtime = bight__sched;
    list_append(&future->watches, &watch->link);
}

static bool watch_is_foreign(const struct bight_future_watch *watch)
{
    return watch->runtime && watch->runtime != bight__sched;
}

bool bight__future_is_foreign(const struct bight_future *future)
{
    return !list_empty(&future->watches) &&
           watch_is_foreign(container_of(future->watches.next, struct bight_future_watch, link));
}

static int settle(struct bight_future *future, int status, void *value)
{
    struct bight_link *link;

    if (!future)
        return BIGHT_EINVAL;
    if (future->done)
        return BIGHT_EALREADY;
    if (bight__future_is_foreign(future))
        return BIGHT_EPERM;
    future->done = true;
    future->status = status;
    future->value = value;
    while ((link = list_take(&future->watches))) {
        struct bight_future_watch *watch = container_of(link, struct bight_future_watch, link);

        watch->settled(watch);
    }
    return 0;
}

int bight_future_set(struct bight_future *future, void *value)
{
    return settle(future, 0, value);
}

int bight_future_fail(struct bight_future *future, int code)
{
    return code < 0 ? settle(future, code, NULL) : BIGHT_EINVAL;
}

int bight_future_cancel(struct bight_future *future)
{
    return settle(future, BIGHT_ECANCELED, NULL);
}

int bight_future_copy(struct bight_future *to, const struct bight_future *from)
{
    if (!to || !from)
        return BIGHT_EINVAL;
    return from->done ? settle(to, from->status, from->value) : BIGHT_EAGAIN;
}

bool bight_future_done(const struct bight_future *future)
{
    return future && future->done;
}

int bight_future_get(const struct bight_future *future, int *status, void **value)
{
    if (!future)
        return BIGHT_EINVAL;
    if (!future->done)
        return BIGHT_EAGAIN;
    if (status)
        *status = future->status;
    if (value)
        *value = future->value;
    return 0;
}

static void wake_waiter(struct bight_future_watch *watch)
{
    bight__timed_unpark(&container_of(watch, struct future_wait, watch)->timed, 0);
}

static int future_park(struct bight_future *future, const struct bight_waiter_ops *ops,
                       uint64_t deadline_ns)
{
    struct future_wait wait = {.watch.settled = wake_waiter, .future = future};

    if (bight__future_is_foreign(future))
        return BIGHT_EPERM;
    bight__timed_init(&wait.timed, ops);
    wait.timed.timer.fire = owner_time_is_up;
    bight__timed_arm(&wait.timed, deadline_ns);
    bight__future_watch(future, &wait.watch);
    return bight_park(&wait.timed.waiter);
}

int bight_future_wait(struct bight_future *future, int *status, void **value)
{
    struct bight_task *self;
    int rc;

    if (unlikely(!future))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (rc == 0 && !future->done)
        rc = future_park(future, &future_ops, NO_DEADLINE);
    return rc ? rc : bight_future_get(future, status, value);
}

/* Wait for a future that is pending; it is done in any case then. */
static int owner_wait(struct bight_future *future, int64_t timeout_ms)
{
    int rc;

    if (timeout_ms != 0)
        return future_park(future, &owner_ops, bight__deadline_after(bight__sched, timeout_ms));
    rc = bight_future_cancel(future);
    return rc ? rc : BIGHT_ETIMEDOUT;
}

int bight_future_wait_for(struct bight_future *future, int64_t timeout_ms, int *status,
                          void **value)
{
    struct bight_task *self;
    int rc;

    if (unlikely(!future))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (bight_is_stop(rc))
        (void)bight_future_cancel(future);
    if (rc == 0 && !future->done)
        rc = owner_wait(future, timeout_ms);
    return rc ? rc : bight_future_get(future, status, value);
}

static void callback_called(struct bight_call *call)
{
    struct bight_future_callback *callback = container_of(call, struct bight_future_callback, call);

    callback->fn(callback);
}

static void queue_callback(struct bight_future_watch *watch)
{
    /* Never pending here: it was initialised when it was added, and is queued once. */
    (void)!bight_call_soon(&container_of(watch, struct bight_future_callback, watch)->call);
}

int bight_future_add_callback(struct bight_future *future, struct bight_future_callback *callback,
                              void (*fn)(struct bight_future_callback *callback))
{
    if (!future || !callback || !fn)
        return BIGHT_EINVAL;
    if (!bight__sched)
        return BIGHT_ENORUNTIME; /* it could not be queued */
    if (bight__future_is_foreign(future))
        return BIGHT_EPERM;
    callback->fn = fn;
    callback->future = future;
    bight_call_init(&callback->call, callback_called);
    callback->watch.settled = queue_callback;
    callback->watch.runtime = bight__sched;
    link_init(&callback->watch.link);
    if (future->done)
        queue_callback(&callback->watch);
    else
        bight__future_watch(future, &callback->watch);
    return 0;
}

bool bight_future_remove_callback(struct bight_future_callback *callback)
{
    if (!callback || watch_is_foreign(&callback->watch))
        return false;
    if (list_empty(&callback->watch.link))
        return bight_call_cancel(&callback->call);
    link_remove(&callback->watch.link);
    return true;
}
