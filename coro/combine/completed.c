/* As-completed: the caller's records. Each moves from the list of its task or future to the list of
 * those that have ended, from which they are given out. */
#include "coro/combine/wait.h"
#include "coro/core/source.h"

#include <stdio.h>

struct next_wait {
    struct bight_waiter waiter;
    struct bight_wait_item *item;
    const struct bight_as_completed *completed;
};

static void next_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct next_wait *wait = container_of(waiter, struct next_wait, waiter);

    snprintf(text, text_bytes, "%zu left", wait->completed->left);
}

static const struct bight_waiter_ops next_ops = {
    .name = "next end",
    .abort = bight__unlink_abort,
    .describe = next_describe,
};

static struct bight_wait_item *take(struct bight_as_completed *completed)
{
    struct bight_link *link = list_take(&completed->finished);

    if (!link)
        return NULL;
    completed->left--;
    return container_of(link, struct bight_wait_item, watch.link);
}

static void item_ended(struct bight_wait_item *item)
{
    struct bight_as_completed *completed = item->wait;
    struct bight_link *link;

    link_append(&completed->finished, &item->watch.link);
    /* Nobody waits while there is a finished item, so this one goes to the first that waits. */
    while ((link = link_take(&completed->waiters))) {
        struct next_wait *wait = container_of(link, struct next_wait, waiter.link);

        wait->item = item;
        if (bight_unpark(&wait->waiter, 0)) {
            take(completed);
            break;
        }
    }
    if (completed->left == 0)
        bight__wake_all(&completed->waiters, BIGHT_ECLOSED);
}

int bight_as_completed_begin(struct bight_as_completed *completed, struct bight_wait_item *items,
                             size_t count)
{
    int rc = completed ? bight__items_check(items, count) : BIGHT_EINVAL;

    if (rc)
        return rc;
    completed->items = items;
    completed->count = count;
    link_init(&completed->finished);
    link_init(&completed->waiters);
    completed->left = bight__items_watch(items, count, completed, item_ended);
    for (size_t i = 0; i < count; i++) {
        if (items[i].done && !items[i].twin)
            link_append(&completed->finished, &items[i].watch.link);
    }
    return 0;
}

int bight_as_completed_next(struct bight_as_completed *completed, struct bight_wait_item **item)
{
    struct next_wait wait = {.completed = completed};
    struct bight_task *self;
    int rc;

    if (unlikely(!completed || !item))
        return BIGHT_EINVAL;
    rc = bight__observe(&self);
    if (unlikely(rc))
        return rc;
    wait.item = take(completed);
    if (!wait.item)
        rc = completed->left ? bight__wait_in(&completed->waiters, &wait.waiter, &next_ops)
                             : BIGHT_ECLOSED;
    if (rc == 0)
        *item = wait.item;
    bight__breathe(self);
    return rc;
}

int bight_as_completed_try_next(struct bight_as_completed *completed, struct bight_wait_item **item)
{
    struct bight_wait_item *taken;

    if (!completed || !item)
        return BIGHT_EINVAL;
    taken = take(completed);
    if (!taken)
        return completed->left ? BIGHT_EAGAIN : BIGHT_ECLOSED;
    *item = taken;
    return 0;
}

size_t bight_as_completed_left(const struct bight_as_completed *completed)
{
    return completed ? completed->left : 0;
}

int bight_as_completed_end(struct bight_as_completed *completed)
{
    if (!completed)
        return BIGHT_EINVAL;
    if (bight__waiters_are_foreign(&completed->waiters))
        return BIGHT_EPERM;
    bight__items_leave(completed->items, completed->count);
    completed->count = 0;
    completed->left = 0;
    bight__wake_all(&completed->waiters, BIGHT_ECLOSED);
    return 0;
}
