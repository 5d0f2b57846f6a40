/* Queue: a ring of pointers with getters and putters that sleep. At most one of the two lists has
 * anybody in it, except that getters wait only while the ring is empty and putters only while it is
 * full. An item goes straight from a putter to a waiting getter, and a place freed by a getter is
 * filled with the first putter's item at once, so the order of arrival is the order of service. */
#include "coro/queue.h"

#include "coro/sched.h"

static int queue_abort(struct bight_waiter *waiter)
{
    link_remove(&waiter->link);
    return 0;
}

const struct bight_wait_ops bight__queue_get_ops = {.name = "queue get", .abort = queue_abort};
const struct bight_wait_ops bight__queue_put_ops = {.name = "queue put", .abort = queue_abort};
static const struct bight_wait_ops join_ops = {.name = "queue join", .abort = queue_abort};

static struct bight__queue_wait *first_wait(struct bight_link *list)
{
    struct bight_link *link = link_take(list);

    return link ? container_of(link, struct bight__queue_wait, waiter.link) : NULL;
}

static void wake_all(struct bight_link *list, int result)
{
    struct bight__queue_wait *wait;

    while ((wait = first_wait(list)))
        bight_unpark(&wait->waiter, result);
}

int bight_queue_new(struct bight_queue **out, size_t capacity)
{
    struct bight_queue *queue;

    if (capacity == 0 || capacity > SIZE_MAX / sizeof(void *) / 2)
        return BIGHT_EINVAL;
    if (!bight__sched)
        return BIGHT_ENORUNTIME;
    queue = bight__alloc(&bight__sched->seams, sizeof(*queue) + capacity * sizeof(void *));
    if (!queue)
        return BIGHT_ENOMEM;
    queue->capacity = capacity;
    queue->head = 0;
    queue->length = 0;
    queue->unfinished = 0;
    queue->closed = false;
    link_init(&queue->getters);
    link_init(&queue->putters);
    link_init(&queue->joiners);
    *out = queue;
    return 0;
}

int bight_queue_free(struct bight_queue *queue)
{
    if (!queue)
        return 0;
    if (!link_empty(&queue->getters) || !link_empty(&queue->putters) ||
        !link_empty(&queue->joiners))
        return BIGHT_EBUSY;
    bight__free(queue);
    return 0;
}

static void ring_push(struct bight_queue *queue, void *item)
{
    size_t at = queue->head + queue->length++;

    queue->items[at < queue->capacity ? at : at - queue->capacity] = item;
}

static void *ring_pop(struct bight_queue *queue)
{
    void *item = queue->items[queue->head];

    if (++queue->head == queue->capacity)
        queue->head = 0;
    queue->length--;
    return item;
}

int bight_queue_try_put(struct bight_queue *queue, void *item)
{
    struct bight__queue_wait *getter;

    if (queue->closed)
        return BIGHT_ECLOSED;
    while ((getter = first_wait(&queue->getters))) {
        getter->item = item;
        if (bight_unpark(&getter->waiter, 0))
            goto done;
    }
    if (queue->length == queue->capacity)
        return BIGHT_EAGAIN;
    ring_push(queue, item);
done:
    queue->unfinished++;
    return 0;
}

int bight_queue_try_get(struct bight_queue *queue, void **item)
{
    struct bight__queue_wait *putter;

    if (queue->length == 0)
        return queue->closed ? BIGHT_ECLOSED : BIGHT_EAGAIN;
    *item = ring_pop(queue);
    while ((putter = first_wait(&queue->putters))) {
        void *next = putter->item;

        if (bight_unpark(&putter->waiter, 0)) {
            ring_push(queue, next);
            queue->unfinished++;
            break;
        }
    }
    return 0;
}

int bight_queue_put(struct bight_queue *queue, void *item)
{
    struct bight__queue_wait wait = {.item = item};
    struct bight_task *self;
    int rc = bight__checkpoint(&self);

    if (unlikely(rc))
        return rc;
    rc = bight_queue_try_put(queue, item);
    if (rc != BIGHT_EAGAIN)
        return rc;
    rc = bight_waiter_init(&wait.waiter, &bight__queue_put_ops);
    if (rc)
        return rc;
    bight__queue_put_arm(queue, &wait);
    return bight_park(&wait.waiter);
}

int bight_queue_get(struct bight_queue *queue, void **item)
{
    struct bight__queue_wait wait = {.item = NULL};
    struct bight_task *self;
    int rc = bight__checkpoint(&self);

    if (unlikely(rc))
        return rc;
    rc = bight_queue_try_get(queue, item);
    if (rc != BIGHT_EAGAIN)
        return rc;
    rc = bight_waiter_init(&wait.waiter, &bight__queue_get_ops);
    if (rc)
        return rc;
    bight__queue_get_arm(queue, &wait);
    rc = bight_park(&wait.waiter);
    if (rc == 0)
        *item = wait.item;
    return rc;
}

static void finished(struct bight_queue *queue, size_t count)
{
    queue->unfinished -= count;
    if (queue->unfinished == 0)
        wake_all(&queue->joiners, 0);
}

int bight_queue_task_done(struct bight_queue *queue)
{
    if (queue->unfinished == 0)
        return BIGHT_EINVAL;
    finished(queue, 1);
    return 0;
}

int bight_queue_join(struct bight_queue *queue)
{
    struct bight__queue_wait wait;
    struct bight_task *self;
    int rc = bight__checkpoint(&self);

    if (unlikely(rc) || queue->unfinished == 0)
        return rc;
    rc = bight_waiter_init(&wait.waiter, &join_ops);
    if (rc)
        return rc;
    link_append(&queue->joiners, &wait.waiter.link);
    return bight_park(&wait.waiter);
}

void bight_queue_close(struct bight_queue *queue)
{
    queue->closed = true;
    wake_all(&queue->putters, BIGHT_ECLOSED);
    if (queue->length == 0)
        wake_all(&queue->getters, BIGHT_ECLOSED);
}

void bight_queue_abort(struct bight_queue *queue, void (*drop)(void *item))
{
    size_t dropped = queue->length;

    bight_queue_close(queue);
    while (queue->length) {
        void *item = ring_pop(queue);

        if (drop)
            drop(item);
    }
    wake_all(&queue->getters, BIGHT_ECLOSED);
    finished(queue, dropped);
}

size_t bight_queue_length(const struct bight_queue *queue)
{
    return queue->length;
}
