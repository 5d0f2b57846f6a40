/* Wait: for the ends of several tasks and futures. Each record of the caller's array watches one of
 * them and notes its end by itself, so the waiting task sees all that have ended by the time it
 * runs, whichever of them woke it. */
#include "coro/combine/wait.h"

#include <limits.h>
#include <stdio.h>

#include "coro/combine/future.h"
#include "coro/core/timed.h"

static bool is_foreign(const struct bight_wait_item *item)
{
    return item->task ? bight__is_foreign(item->task) : bight__future_is_foreign(item->future);
}

int bight__items_check(const struct bight_wait_item *items, size_t count)
{
    int rc = 0;

    for (size_t i = 0; i < count; i++) {
        if (!items || (!items[i].task && !items[i].future))
            return BIGHT_EINVAL;
        /* Outside of a runtime the call is refused for that, and they are not looked at. */
        if (bight__sched && is_foreign(&items[i]))
            rc = BIGHT_EPERM;
    }
    return rc;
}

static bool has_ended(const struct bight_wait_item *item)
{
    return item->task ? item->task->flags & TASK_DONE : item->future->done;
}

/* What the item is for has ended. */
static void note(struct bight_wait_item *item)
{
    item->done = true;
    if (item->task) {
        item->status = item->task->status;
        item->cancelled = bight_task_was_cancelled(item->task);
    } else {
        item->status = item->future->status;
        item->cancelled = item->status == BIGHT_ECANCELED;
    }
}

static void note_and_tell(struct bight_wait_item *item)
{
    note(item);
    item->ended(item);
}

static void task_ended(struct bight_end_watch *watch, struct bight_task *task)
{
    (void)task;
    note_and_tell(container_of(watch, struct bight_wait_item, watch.task));
}

static void future_settled(struct bight_future_watch *watch)
{
    note_and_tell(container_of(watch, struct bight_wait_item, watch.future));
}

static void watch_end(struct bight_wait_item *item)
{
    if (item->task) {
        item->watch.task.ended = task_ended;
        bight__watch_end(item->task, &item->watch.task);
    } else {
        item->watch.future.settled = future_settled;
        bight__future_watch(item->future, &item->watch.future);
    }
}

/* The item that already watches the same for the same wait. Nothing has run since it was linked, so
 * it is the last one in the list there. */
static struct bight_wait_item *twin_of(const struct bight_wait_item *item)
{
    const struct bight_link *list = item->task ? &item->task->ends : &item->future->watches;
    struct bight_wait_item *last;
    bool is_item;

    if (!list->next || link_empty(list))
        return NULL;
    if (item->task)
        is_item = container_of(list->prev, struct bight_end_watch, link)->ended == task_ended;
    else
        is_item =
            container_of(list->prev, struct bight_future_watch, link)->settled == future_settled;
    if (!is_item)
        return NULL;
    last = container_of(list->prev, struct bight_wait_item, watch.link);
    return last->wait == item->wait ? last : NULL;
}

size_t bight__items_watch(struct bight_wait_item *items, size_t count, void *wait,
                          void (*ended)(struct bight_wait_item *item))
{
    size_t different = 0;

    for (size_t i = 0; i < count; i++) {
        struct bight_wait_item *item = &items[i];

        item->done = false;
        item->status = 0;
        item->cancelled = false;
        item->wait = wait;
        item->ended = ended;
        link_init(&item->watch.link);
        item->twin = twin_of(item);
        if (item->twin)
            continue;
        watch_end(item);
        different++;
    }
    /* Those that had already ended were watched only so that twins could be found. Stop watching
     * them: they may be joined or gone now. */
    for (size_t i = 0; i < count; i++) {
        if (has_ended(&items[i])) {
            link_remove(&items[i].watch.link);
            note(&items[i]);
        }
    }
    return different;
}

void bight__items_leave(struct bight_wait_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        link_remove(&items[i].watch.link);
        if (items[i].twin) {
            items[i].done = items[i].twin->done;
            items[i].status = items[i].twin->status;
            items[i].cancelled = items[i].twin->cancelled;
        }
    }
}

struct wait {
    struct bight__timed timed;
    size_t count; /* different ones */
    size_t done;
    bool failed;
    enum bight_wait_until until;
};

static void wait_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct wait *wait = container_of(waiter, struct wait, timed.waiter);

    snprintf(text, text_bytes, "%zu of %zu", wait->done, wait->count);
}

static const struct bight_waiter_ops wait_ops = {
    .name = "several ends",
    .abort = bight__timed_abort,
    .describe = wait_describe,
};

static bool is_over(const struct wait *wait)
{
    if (wait->done == wait->count)
        return true;
    if (wait->until == BIGHT_WAIT_FIRST_COMPLETED)
        return wait->done;
    return wait->until == BIGHT_WAIT_FIRST_FAILED && wait->failed;
}

static void count_done(struct wait *wait, const struct bight_wait_item *item)
{
    wait->done++;
    wait->failed |= bight__item_failed(item);
}

static void wait_ended(struct bight_wait_item *item)
{
    struct wait *wait = item->wait;

    count_done(wait, item);
    if (is_over(wait))
        bight__timed_unpark(&wait->timed, 0);
}

/* Whether the caller is among the tasks that it would wait for. */
static bool would_deadlock(const struct bight_wait_item *items, size_t count,
                           enum bight_wait_until until, const struct bight_task *self)
{
    for (size_t i = 0; i < count; i++) {
        if (!items[i].task)
            continue;
        if (items[i].task == self)
            return true;
        if (until == BIGHT_WAIT_ALL_COMPLETED && !(items[i].task->flags & TASK_DONE) &&
            bight__join_would_deadlock(items[i].task, self))
            return true;
    }
    return false;
}

static int wait_park(struct wait *wait, struct bight_sched *sched, int64_t timeout_ms)
{
    int rc;

    bight__timed_init(&wait->timed, &wait_ops);
    bight__timed_arm(&wait->timed, bight__deadline_after(sched, timeout_ms));
    rc = bight_park(&wait->timed.waiter);
    return rc == BIGHT_ETIMEDOUT ? 0 : rc;
}

int bight_wait(struct bight_wait_item *items, size_t count, enum bight_wait_until until,
               int64_t timeout_ms)
{
    struct wait wait = {.until = until};
    struct bight_task *self;
    int rc, checked;

    if (count == 0 || count > INT_MAX || until < BIGHT_WAIT_FIRST_COMPLETED ||
        until > BIGHT_WAIT_ALL_COMPLETED)
        return BIGHT_EINVAL;
    checked = bight__items_check(items, count);
    if (checked == BIGHT_EINVAL)
        return checked;
    rc = bight__checkpoint(&self);
    if (unlikely(rc))
        return rc;
    if (checked)
        return checked;
    if (would_deadlock(items, count, until, self))
        return BIGHT_EDEADLK;
    wait.count = bight__items_watch(items, count, &wait, wait_ended);
    for (size_t i = 0; i < count; i++) {
        if (items[i].done && !items[i].twin)
            count_done(&wait, &items[i]);
    }
    if (!is_over(&wait) && timeout_ms != 0)
        rc = wait_park(&wait, self->sched, timeout_ms);
    bight__items_leave(items, count);
    return rc ? rc : (int)wait.done;
}
