/* Futures: a cell that is settled once. Tasks and callbacks that wait are watches in one list,
 * so that they are served in the order in which they came. */
#include "coro/core/source.h"

#include <bight/future.h>

#include <stdio.h>

struct future_wait {
    struct bight_waiter waiter;
    struct bight_future_watch watch;
    const struct bight_future *future; /* for future_describe */
};

static int future_abort(struct bight_waiter *waiter)
{
    link_remove(&container_of(waiter, struct future_wait, waiter)->watch.link);
    return 0;
}

static void future_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct bight_future *future = container_of(waiter, struct future_wait, waiter)->future;

    snprintf(text, text_bytes, "%p", (const void *)future);
}

static const struct bight_waiter_ops future_ops = {
    .name = "future",
    .abort = future_abort,
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

static void wake_waiter(struct bight_future_watch *watch)
{
    bight_unpark(&container_of(watch, struct future_wait, watch)->waiter, 0);
}

/* Whether the first who waits is a task of another thread's runtime. */
static bool is_foreign(const struct bight_future *future)
{
    struct bight_future_watch *first;

    if (list_empty(&future->watches))
        return false;
    first = container_of(future->watches.next, struct bight_future_watch, link);
    return first->settled == wake_waiter &&
           bight__is_foreign(container_of(first, struct future_wait, watch)->waiter.task);
}

static int settle(struct bight_future *future, int status, void *value)
{
    struct bight_link *link;

    if (!future)
        return BIGHT_EINVAL;
    if (future->done)
        return BIGHT_EALREADY;
    if (is_foreign(future))
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

static int future_park(struct bight_future *future)
{
    struct future_wait wait = {.watch.settled = wake_waiter, .future = future};

    if (is_foreign(future))
        return BIGHT_EPERM;
    bight__waiter_begin(&wait.waiter, &future_ops);
    list_append(&future->watches, &wait.watch.link);
    return bight_park(&wait.waiter);
}

int bight_future_wait(struct bight_future *future, int *status, void **value)
{
    struct bight_task *self;
    int rc;

    if (unlikely(!future))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (rc == 0 && !future->done)
        rc = future_park(future);
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
    callback->fn = fn;
    callback->future = future;
    bight_call_init(&callback->call, callback_called);
    callback->watch.settled = queue_callback;
    link_init(&callback->watch.link);
    if (future->done)
        queue_callback(&callback->watch);
    else
        list_append(&future->watches, &callback->watch.link);
    return 0;
}

bool bight_future_remove_callback(struct bight_future_callback *callback)
{
    if (!callback)
        return false;
    if (list_empty(&callback->watch.link))
        return bight_call_cancel(&callback->call);
    link_remove(&callback->watch.link);
    return true;
}
