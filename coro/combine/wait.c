/* Wait: for the ends of several tasks. Each record of the caller's array watches one task and notes
 * its end by itself, so the waiting task sees all that have ended by the time it runs, whichever of
 * them woke it. */
#include "coro/combine/wait.h"

#include <limits.h>
#include <stdio.h>

#include "coro/core/timed.h"

int bight__items_check(const struct bight_wait_item *items, size_t count)
{
    int rc = 0;

    for (size_t i = 0; i < count; i++) {
        if (!items || !items[i].task)
            return BIGHT_EINVAL;
        /* Outside of a runtime the call is refused for that, and tasks are not looked at. */
        if (bight__sched && bight__is_foreign(items[i].task))
            rc = BIGHT_EPERM;
    }
    return rc;
}

/* The item that already watches this task for the same wait. Nothing has run since it was linked,
 * so it is the last one in the task's list. */
static struct bight_wait_item *twin_of(const struct bight_wait_item *item)
{
    const struct bight_link *ends = &item->task->ends;
    struct bight_wait_item *last;
    struct bight_end_watch *watch;

    if (!ends->next || link_empty(ends))
        return NULL;
    watch = container_of(ends->prev, struct bight_end_watch, link);
    if (watch->ended != item->watch.ended)
        return NULL;
    last = bight__item_of(watch);
    return last->wait == item->wait ? last : NULL;
}

size_t bight__items_watch(struct bight_wait_item *items, size_t count, void *wait,
                          void (*ended)(struct bight_end_watch *watch, struct bight_task *task))
{
    size_t different = 0;

    for (size_t i = 0; i < count; i++) {
        struct bight_wait_item *item = &items[i];

        item->done = false;
        item->status = 0;
        item->cancelled = false;
        item->wait = wait;
        item->watch.ended = ended;
        link_init(&item->watch.link);
        item->twin = twin_of(item);
        if (item->twin)
            continue;
        bight__watch_end(item->task, &item->watch);
        different++;
    }
    /* Tasks that had already ended were watched only so that twins could be found. Stop watching
     * them: they may be joined now. */
    for (size_t i = 0; i < count; i++) {
        if (items[i].task->flags & TASK_DONE) {
            link_remove(&items[i].watch.link);
            bight__item_note(&items[i]);
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
    size_t tasks;
    size_t done;
    bool failed;
    enum bight_wait_until until;
};

static void wait_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct wait *wait = container_of(waiter, struct wait, timed.waiter);

    snprintf(text, text_bytes, "%zu of %zu", wait->done, wait->tasks);
}

static const struct bight_waiter_ops wait_ops = {
    .name = "ends of tasks",
    .abort = bight__timed_abort,
    .describe = wait_describe,
};

static bool is_over(const struct wait *wait)
{
    if (wait->done == wait->tasks)
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

static void wait_ended(struct bight_end_watch *watch, struct bight_task *task)
{
    struct bight_wait_item *item = bight__item_of(watch);
    struct wait *wait = item->wait;

    (void)task;
    bight__item_note(item);
    count_done(wait, item);
    if (is_over(wait))
        bight__timed_unpark(&wait->timed, 0);
}

/* Whether the caller is among the tasks that it would wait for. */
static bool would_deadlock(const struct bight_wait_item *items, size_t count,
                           enum bight_wait_until until, const struct bight_task *self)
{
    for (size_t i = 0; i < count; i++) {
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
    wait.tasks = bight__items_watch(items, count, &wait, wait_ended);
    for (size_t i = 0; i < count; i++) {
        if (items[i].done && !items[i].twin)
            count_done(&wait, &items[i]);
    }
    if (!is_over(&wait) && timeout_ms != 0)
        rc = wait_park(&wait, self->sched, timeout_ms);
    bight__items_leave(items, count);
    return rc ? rc : (int)wait.done;
}
