/* Queue: places for pointers, with getters and putters that sleep. Getters wait only while it is
 * empty, putters only while it is full. An item goes straight from a putter to a waiting getter,
 * and a place freed by a getter is filled with the first putter's item at once, so the order of
 * arrival is the order of service. With a capacity of 0 there are no places: both sides meet. */
#include "coro/queue/queue.h"

#include <limits.h>

#include "coro/core/source.h"

const struct bight_waiter_ops bight__queue_get_ops = {
    .name = "queue get",
    .abort = bight__unlink_abort,
    .describe = bight__queue_describe,
};

const struct bight_waiter_ops bight__queue_put_ops = {
    .name = "queue put",
    .abort = bight__unlink_abort,
    .describe = bight__queue_describe,
};

/* A getter of many is woken by the first item and goes on taking what is put until it runs, so a
 * burst of puts is one batch and wakes one task. After it was woken it stays linked among the
 * getters until it has no more room or runs. */
struct many {
    struct bight__queue_wait wait;
    void **items;
    size_t max;
    size_t count; /* more than 0: it was woken */
};

static const struct bight_waiter_ops many_ops = {
    .name = "queue get of many",
    .abort = bight__unlink_abort,
    .describe = bight__queue_describe,
};

static const struct bight_waiter_ops join_ops = {
    .name = "queue join",
    .abort = bight__unlink_abort,
    .describe = bight__queue_describe,
};

/* Give an item to a getter of many, which was unlinked. It is linked again, in front, if it has
 * room for more. False when it does not want the item any more. */
static __attribute__((noinline)) bool many_give(struct bight_queue *queue,
                                                struct bight__queue_wait *wait, void *item)
{
    struct many *many = container_of(wait, struct many, wait);

    if (many->count == 0 && !bight_unpark(&wait->waiter, 0))
        return false;
    many->items[many->count++] = item;
    if (many->count < many->max)
        link_append(queue->getters.next, &wait->waiter.link); /* in front of the first */
    return true;
}

static struct bight__queue_wait *first_wait(struct bight_link *list)
{
    struct bight_link *link = link_take(list);

    return link ? container_of(link, struct bight__queue_wait, waiter.link) : NULL;
}

static inline void ring_push(struct bight_queue *queue, size_t room, void *item)
{
    size_t at = queue->head + queue->length++;
    size_t around = at - room;

    queue->items[around < at ? around : at] = item;
}

static inline void *ring_pop(struct bight_queue *queue)
{
    void *item = queue->items[queue->head];

    if (++queue->head == queue->room)
        queue->head = 0;
    queue->length--;
    return item;
}

/* Store an item; there is room. */
static void store(struct bight_queue *queue, void *item)
{
    if (queue->kind == BIGHT_QUEUE_FIFO)
        ring_push(queue, queue->room, item);
    else
        bight__queue_store(queue, item);
}

/* Take an item; the queue is not empty. */
static void *take(struct bight_queue *queue)
{
    return queue->kind == BIGHT_QUEUE_FIFO ? ring_pop(queue) : bight__queue_take(queue);
}

/* Hand `item` to the first getter that still wants it. */
static bool give(struct bight_queue *queue, void *item)
{
    struct bight__queue_wait *getter;

    while ((getter = first_wait(&queue->getters))) {
        if (unlikely(getter->waiter.ops == &many_ops)) {
            if (many_give(queue, getter, item))
                return true;
            continue;
        }
        getter->item = item;
        if (bight__unpark(&getter->waiter, 0))
            return true;
    }
    return false;
}

/* Take the item of the first putter that still offers it. */
static bool accept(struct bight_queue *queue, void **item)
{
    struct bight__queue_wait *putter;

    while ((putter = first_wait(&queue->putters))) {
        void *offered = putter->item;

        if (bight__unpark(&putter->waiter, 0)) {
            *item = offered;
            queue->unfinished++;
            return true;
        }
    }
    return false;
}

/* The common case of a put or get: a ring with room or an item, and nobody who waits. False: try
 * the other cases. */
static inline bool put_at_once(struct bight_queue *queue, void *item)
{
    size_t room = queue->plain_room;

    if (unlikely(queue->length >= room || !link_empty(&queue->getters)))
        return false;
    ring_push(queue, room, item);
    queue->unfinished++;
    return true;
}

static inline bool get_at_once(struct bight_queue *queue, void **item)
{
    if (unlikely(!queue->plain_room || queue->length == 0 || !link_empty(&queue->putters)))
        return false;
    *item = ring_pop(queue);
    return true;
}

/* The common case of a put that finds somebody waiting, and of a get in a rendezvous: the first
 * waiter, unlinked, if it wants one item, or offers one, and is of this runtime. NULL: nothing was
 * done. */
static inline struct bight__queue_wait *
take_first(struct bight_link *waiters, const struct bight_waiter_ops *ops, struct bight_task *self)
{
    struct bight_link *link = waiters->next;
    struct bight__queue_wait *wait = container_of(link, struct bight__queue_wait, waiter.link);

    if (link == waiters || !bight__waiter_is(&wait->waiter, ops, self))
        return NULL;
    link_remove(link);
    return wait;
}

static inline struct bight__queue_wait *getter_for(struct bight_queue *queue, void *item,
                                                   struct bight_task *self)
{
    struct bight__queue_wait *getter = take_first(&queue->getters, &bight__queue_get_ops, self);

    if (!getter)
        return NULL;
    getter->item = item;
    queue->unfinished++;
    return getter;
}

static inline struct bight__queue_wait *putter_with(struct bight_queue *queue, void **item,
                                                    struct bight_task *self)
{
    struct bight__queue_wait *putter =
        queue->length ? NULL : take_first(&queue->putters, &bight__queue_put_ops, self);

    if (!putter)
        return NULL;
    *item = putter->item;
    queue->unfinished++;
    return putter;
}

/* Whether tasks of another thread's runtime wait: then it is theirs. All that wait are of one. */
static inline bool is_foreign(const struct bight_queue *queue)
{
    if (!link_empty(&queue->getters))
        return unlikely(bight__waiters_are_foreign(&queue->getters));
    return !link_empty(&queue->putters) && unlikely(bight__waiters_are_foreign(&queue->putters));
}

/* The same, where it matters that nobody's join is woken either. */
static bool is_foreign_or_joined(const struct bight_queue *queue)
{
    return is_foreign(queue) || bight__waiters_are_foreign(&queue->joiners);
}

/* Whether the queue is full and open, and nobody waits: a put finds no place. An unbounded one is
 * never full. */
static inline bool is_full(const struct bight_queue *queue)
{
    return queue->length == queue->capacity && !queue->end && link_empty(&queue->getters) &&
           link_empty(&queue->putters);
}

/* The other cases, in functions of their own so that the common ones need no frame. */
static __attribute__((noinline)) int put_now(struct bight_queue *queue, void *item)
{
    int rc;

    if (queue->end)
        return queue->end;
    if (is_foreign(queue))
        return BIGHT_EPERM;
    if (!give(queue, item)) {
        rc = queue->length == queue->room ? bight__queue_grow(queue) : 0;
        if (rc)
            return rc;
        store(queue, item);
    }
    queue->unfinished++;
    return 0;
}

static __attribute__((noinline)) int get_now(struct bight_queue *queue, void **item)
{
    void *next;

    if (is_foreign(queue))
        return BIGHT_EPERM;
    if (queue->length == 0) {
        /* Only in a rendezvous do putters wait while the queue is empty. */
        if (accept(queue, item))
            return 0;
        return queue->end ? queue->end : BIGHT_EAGAIN;
    }
    *item = take(queue);
    if (accept(queue, &next))
        store(queue, next);
    return 0;
}

int bight_queue_try_put(struct bight_queue *queue, void *item)
{
    if (unlikely(!queue))
        return BIGHT_EINVAL;
    return likely(put_at_once(queue, item)) ? 0 : put_now(queue, item);
}

int bight_queue_try_get(struct bight_queue *queue, void **item)
{
    if (unlikely(!queue || !item))
        return BIGHT_EINVAL;
    return likely(get_at_once(queue, item)) ? 0 : get_now(queue, item);
}

static __attribute__((noinline)) int put_or_wait(struct bight_queue *queue, void *item,
                                                 struct bight_task *self)
{
    struct bight__queue_wait wait;
    int rc = is_full(queue) ? BIGHT_EAGAIN : put_now(queue, item);

    if (rc != BIGHT_EAGAIN)
        return rc;
    bight__waiter_begin_of(&wait.waiter, &bight__queue_put_ops, self);
    wait.item = item;
    bight__queue_put_arm(queue, &wait);
    return bight__park_alone(self, &wait.waiter);
}

static __attribute__((noinline)) int get_or_wait(struct bight_queue *queue, void **item,
                                                 struct bight_task *self)
{
    struct bight__queue_wait wait;
    int rc = bight__queue_is_idle(queue) ? BIGHT_EAGAIN : get_now(queue, item);

    if (rc != BIGHT_EAGAIN)
        return rc;
    bight__waiter_begin_of(&wait.waiter, &bight__queue_get_ops, self);
    bight__queue_get_arm(queue, &wait);
    rc = bight__park_alone(self, &wait.waiter);
    if (rc == 0)
        *item = wait.item;
    return rc;
}

static __attribute__((noinline)) int put_checked(struct bight_queue *queue, void *item,
                                                 const char *frame)
{
    struct bight_task *self;
    int rc = bight__observe_of(&self, frame);

    if (rc)
        return rc;
    rc = put_or_wait(queue, item, self);
    bight__breathe(self);
    return rc;
}

static __attribute__((noinline)) int get_checked(struct bight_queue *queue, void **item,
                                                 const char *frame)
{
    struct bight_task *self;
    int rc = bight__observe_of(&self, frame);

    if (rc)
        return rc;
    rc = get_or_wait(queue, item, self);
    bight__breathe(self);
    return rc;
}

/* Functions of their own as well, without a frame. */
static __attribute__((noinline)) int put_to_waiting(struct bight_queue *queue, void *item,
                                                    struct bight_task *self)
{
    struct bight__queue_wait *getter = getter_for(queue, item, self);

    return getter ? bight__unpark_of(&getter->waiter, self) : put_or_wait(queue, item, self);
}

static __attribute__((noinline)) int get_from_waiting(struct bight_queue *queue, void **item,
                                                      struct bight_task *self)
{
    struct bight__queue_wait *putter = putter_with(queue, item, self);

    return putter ? bight__unpark_of(&putter->waiter, self) : get_or_wait(queue, item, self);
}

int bight__queue_get_at_once(struct bight_queue *queue, void **item, struct bight_task *self)
{
    struct bight__queue_wait *putter;

    if (get_at_once(queue, item))
        return 0;
    putter = putter_with(queue, item, self);
    return putter ? bight__unpark_of(&putter->waiter, self) : get_now(queue, item);
}

int bight_queue_put(struct bight_queue *queue, void *item)
{
    struct bight_task *self;

    if (unlikely(!queue))
        return BIGHT_EINVAL;
    if (unlikely(!bight__checkpoint_is_clear(&self)))
        return put_checked(queue, item, CALLERS_FRAME);
    return likely(put_at_once(queue, item)) ? 0 : put_to_waiting(queue, item, self);
}

int bight_queue_get(struct bight_queue *queue, void **item)
{
    struct bight_task *self;

    if (unlikely(!queue || !item))
        return BIGHT_EINVAL;
    if (unlikely(!bight__checkpoint_is_clear(&self)))
        return get_checked(queue, item, CALLERS_FRAME);
    return likely(get_at_once(queue, item)) ? 0 : get_from_waiting(queue, item, self);
}

static bool many_sound(const struct bight_queue *queue, void **items, size_t max)
{
    return queue && items && max > 0 && max <= INT_MAX;
}

int bight_queue_try_get_many(struct bight_queue *queue, void **items, size_t max)
{
    size_t count = 0;
    int rc = 0;

    if (!many_sound(queue, items, max))
        return BIGHT_EINVAL;
    while (count < max && !(rc = bight_queue_try_get(queue, &items[count])))
        count++;
    return count ? (int)count : rc;
}

static int many_or_wait(struct bight_queue *queue, void **items, size_t max)
{
    struct many many = {.items = items, .max = max};
    int rc = bight_queue_try_get_many(queue, items, max);

    if (rc != BIGHT_EAGAIN)
        return rc;
    bight__waiter_begin(&many.wait.waiter, &many_ops);
    bight__queue_get_arm(queue, &many.wait);
    rc = bight_park(&many.wait.waiter);
    if (rc)
        return rc;
    link_remove(&many.wait.waiter.link);
    return (int)many.count;
}

int bight_queue_get_many(struct bight_queue *queue, void **items, size_t max)
{
    struct bight_task *self;
    int rc;

    if (unlikely(!many_sound(queue, items, max)))
        return BIGHT_EINVAL;
    rc = bight__observe(&self);
    if (unlikely(rc))
        return rc;
    rc = many_or_wait(queue, items, max);
    bight__breathe(self);
    return rc;
}

static void finished(struct bight_queue *queue, size_t count)
{
    queue->unfinished -= count;
    if (queue->unfinished == 0)
        bight__wake_all(&queue->joiners, 0);
}

int bight_queue_task_done(struct bight_queue *queue)
{
    if (!queue || queue->unfinished == 0)
        return BIGHT_EINVAL;
    if (bight__waiters_are_foreign(&queue->joiners))
        return BIGHT_EPERM;
    finished(queue, 1);
    return 0;
}

int bight_queue_join(struct bight_queue *queue)
{
    struct bight__queue_wait wait = {.queue = queue};
    struct bight_task *self;
    int rc;

    if (unlikely(!queue))
        return BIGHT_EINVAL;
    rc = bight__observe(&self);
    if (unlikely(rc))
        return rc;
    if (queue->unfinished)
        rc = bight__wait_in(&queue->joiners, &wait.waiter, &join_ops);
    bight__breathe(self);
    return rc;
}

int bight__queue_close(struct bight_queue *queue, int end)
{
    if (is_foreign(queue))
        return BIGHT_EPERM;
    if (!queue->end)
        queue->end = end;
    queue->plain_room = 0;
    bight__wake_all(&queue->putters, queue->end);
    if (queue->length == 0)
        bight__wake_all(&queue->getters, queue->end);
    return 0;
}

int bight_queue_close(struct bight_queue *queue)
{
    return queue ? bight__queue_close(queue, BIGHT_ECLOSED) : BIGHT_EINVAL;
}

int bight_queue_abort(struct bight_queue *queue, void (*drop)(void *arg, void *item), void *arg)
{
    size_t dropped;

    if (!queue)
        return BIGHT_EINVAL;
    if (is_foreign_or_joined(queue))
        return BIGHT_EPERM;
    dropped = queue->length;
    (void)bight_queue_close(queue);
    while (queue->length) {
        void *item = take(queue);

        if (drop)
            drop(arg, item);
    }
    bight__wake_all(&queue->getters, queue->end);
    /* Some may have been reported before they were taken. */
    finished(queue, dropped < queue->unfinished ? dropped : queue->unfinished);
    return 0;
}
