/* Getting many items at once. Who waits for them is woken by the first and goes on taking what is put
 * until it runs, so a burst of puts is one batch and wakes one task. */
#include "coro/queue/queue.h"

#include <limits.h>

#include "coro/core/source.h"

/* Linked among the getters also after it was woken, as long as it has room and has not run. */
struct many {
    struct bight__queue_wait wait;
    void **items;
    size_t max;
    size_t count; /* more than 0: it was woken */
};

const struct bight_wait_ops bight__queue_many_ops = {
    .name = "queue get of many",
    .abort = bight__unlink_abort,
    .describe = bight__queue_describe,
};

bool bight__queue_many_give(struct bight_queue *queue, struct bight__queue_wait *wait, void *item)
{
    struct many *many = container_of(wait, struct many, wait);

    if (many->count == 0 && !bight_unpark(&wait->waiter, 0))
        return false;
    many->items[many->count++] = item;
    if (many->count < many->max)
        link_append(queue->getters.next, &wait->waiter.link); /* in front of the first */
    return true;
}

int bight_queue_try_get_many(struct bight_queue *queue, void **items, size_t max)
{
    size_t count = 0;
    int rc = 0;

    if (max == 0 || max > INT_MAX)
        return BIGHT_EINVAL;
    while (count < max && !(rc = bight_queue_try_get(queue, &items[count])))
        count++;
    return count ? (int)count : rc;
}

int bight_queue_get_many(struct bight_queue *queue, void **items, size_t max)
{
    struct many many = {.items = items, .max = max};
    struct bight_task *self;
    int rc = bight__checkpoint(&self);

    if (unlikely(rc))
        return rc;
    rc = bight_queue_try_get_many(queue, items, max);
    if (rc != BIGHT_EAGAIN)
        return rc;
    rc = bight_waiter_init(&many.wait.waiter, &bight__queue_many_ops);
    if (rc)
        return rc;
    bight__queue_get_arm(queue, &many.wait);
    rc = bight_park(&many.wait.waiter);
    if (rc)
        return rc;
    link_remove(&many.wait.waiter.link);
    return (int)many.count;
}
