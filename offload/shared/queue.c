/* The queue: a ring of places of one size, each with the length of its item before it. */
#include "offload/shared/ring.h"

#include <limits.h>
#include <string.h>

/* What an item begins with. */
struct place {
    uint32_t bytes;
};

struct queue_call {
    struct shared_call call;
    struct bight_shared_queue *queue;
    const void *item; /* to put */
    void *into;       /* or where to */
    size_t bytes;
};

/* A queue as it was read once, with the numbers that are possible. */
struct shape {
    unsigned char *storage;
    uint64_t stride;
    uint64_t head;
    uint64_t tail;
    uint32_t capacity;
    uint32_t item_bytes;
};

static struct bight_shared *segment_of(const struct bight_shared_queue *queue)
{
    return bight__shared_of(&queue->base, sizeof(*queue), SHARED_QUEUE);
}

static const struct bight_waiter_ops put_ops = {
    .name = "place in a shared queue", .abort = bight__shared_abort, .flags = BIGHT_WAITER_OUTSIDE};
static const struct bight_waiter_ops get_ops = {
    .name = "shared queue", .abort = bight__shared_abort, .flags = BIGHT_WAITER_OUTSIDE};
static const struct bight_waiter_ops join_ops = {
    .name = "work of a shared queue", .abort = bight__shared_abort, .flags = BIGHT_WAITER_OUTSIDE};

static uint64_t stride_of(size_t item_bytes)
{
    return (sizeof(struct place) + item_bytes + 7) & ~UINT64_C(7);
}

/* False when something has written over it. */
static bool look(const struct shared_call *call, struct bight_shared_queue *queue,
                 struct shape *shape)
{
    uint64_t bytes;

    shape->capacity = shared_load(queue->capacity);
    shape->item_bytes = shared_load(queue->item_bytes);
    shape->stride = stride_of(shape->item_bytes);
    if (!shape->capacity || __builtin_mul_overflow(shape->stride, shape->capacity, &bytes))
        return false;
    shape->storage =
        bight__ring_storage(call->segment, &queue->base, shared_load(queue->storage), bytes);
    /* The head first: it cannot pass a tail that is read later. */
    shape->head = shared_load(queue->head);
    shape->tail = shared_load(queue->tail);
    return shape->storage && shape->item_bytes <= INT_MAX;
}

/* How many items there are; more than the capacity: something has written over it, or, without the
 * lock, others have been faster. */
static uint64_t count(const struct shape *shape)
{
    return shape->tail - shape->head;
}

static unsigned char *place_at(const struct shape *shape, uint64_t position)
{
    return shape->storage + position % shape->capacity * shape->stride;
}

/* With the lock held. */
static int put_now(struct queue_call *put)
{
    struct bight_shared_queue *queue = put->queue;
    struct place place = {.bytes = (uint32_t)put->bytes};
    struct shape shape;
    unsigned char *at;

    if (!look(&put->call, queue, &shape) || count(&shape) > shape.capacity)
        return BIGHT_EPROTOCOL;
    if (put->bytes > shape.item_bytes)
        return BIGHT_EMSGSIZE;
    if (shared_load(queue->closed))
        return BIGHT_ECLOSED;
    if (count(&shape) == shape.capacity)
        return BIGHT_EAGAIN;
    at = place_at(&shape, shape.tail);
    memcpy(at, &place, sizeof(place));
    if (put->bytes)
        memcpy(at + sizeof(place), put->item, put->bytes);
    shared_store(queue->tail, shape.tail + 1);
    return 0;
}

static int get_now(struct queue_call *get)
{
    struct bight_shared_queue *queue = get->queue;
    struct place place;
    struct shape shape;
    unsigned char *at;

    if (!look(&get->call, queue, &shape) || count(&shape) > shape.capacity)
        return BIGHT_EPROTOCOL;
    if (count(&shape) == 0)
        return shared_load(queue->closed) ? BIGHT_ECLOSED : BIGHT_EAGAIN;
    at = place_at(&shape, shape.head);
    memcpy(&place, at, sizeof(place));
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* what was read is what is checked and used */
    if (place.bytes > shape.item_bytes)
        return BIGHT_EPROTOCOL;
    if (place.bytes > get->bytes)
        return BIGHT_EMSGSIZE;
    if (place.bytes)
        memcpy(get->into, at + sizeof(place), place.bytes);
    shared_store(queue->head, shape.head + 1);
    return (int)place.bytes;
}

/* Take the lock only where something can be done, or said. */
static int attempt_put(struct shared_call *call)
{
    struct queue_call *put = container_of(call, struct queue_call, call);
    struct shape shape;
    int rc;

    if (look(call, put->queue, &shape) && count(&shape) == shape.capacity &&
        put->bytes <= shape.item_bytes && !shared_load(put->queue->closed))
        return BIGHT_EAGAIN;
    if (!bight__ring_lock(call->segment, &put->queue->lock))
        return BIGHT_EAGAIN;
    rc = put_now(put);
    bight__ring_unlock(&put->queue->lock);
    bight__shared_changed(call->segment, call->base);
    return rc;
}

static int attempt_get(struct shared_call *call)
{
    struct queue_call *get = container_of(call, struct queue_call, call);
    struct shape shape;
    int rc;

    if (look(call, get->queue, &shape) && count(&shape) == 0 && !shared_load(get->queue->closed))
        return BIGHT_EAGAIN;
    if (!bight__ring_lock(call->segment, &get->queue->lock))
        return BIGHT_EAGAIN;
    rc = get_now(get);
    bight__ring_unlock(&get->queue->lock);
    bight__shared_changed(call->segment, call->base);
    return rc;
}

static int attempt_join(struct shared_call *call)
{
    const struct bight_shared_queue *queue = container_of(call, struct queue_call, call)->queue;

    return shared_load(queue->finished) == shared_load(queue->tail) ? 0 : BIGHT_EAGAIN;
}

size_t bight_shared_queue_storage(uint32_t capacity, size_t item_bytes)
{
    uint64_t bytes;

    if (!capacity || item_bytes > INT_MAX ||
        __builtin_mul_overflow(stride_of(item_bytes), capacity, &bytes) || bytes > SIZE_MAX)
        return 0;
    return (size_t)bytes;
}

int bight_shared_queue_init(struct bight_shared_queue *queue, void *storage, uint32_t capacity,
                            size_t item_bytes)
{
    size_t bytes = bight_shared_queue_storage(capacity, item_bytes);
    int rc;

    if (!queue || !storage || !bytes || (uintptr_t)storage % sizeof(uint64_t) ||
        bight__shared_find(storage, bytes) != bight__shared_find(queue, sizeof(*queue)))
        return BIGHT_EINVAL;
    rc = bight__shared_enter(&queue->base, sizeof(*queue), SHARED_QUEUE);
    if (rc)
        return rc;
    queue->storage = (unsigned char *)storage - (unsigned char *)queue;
    queue->capacity = capacity;
    queue->item_bytes = (uint32_t)item_bytes;
    shared_store(queue->base.kind, SHARED_QUEUE);
    return 0;
}

/* What is the same for all calls, but for how they begin. */
static int begin(struct queue_call *call, struct bight_shared_queue *queue,
                 const struct bight_waiter_ops *ops, int (*attempt)(struct shared_call *call))
{
    call->queue = queue;
    call->call = (struct shared_call){segment_of(queue), &queue->base, ops, attempt};
    return call->call.segment ? 0 : BIGHT_EINVAL;
}

int bight_shared_queue_put(struct bight_shared_queue *queue, const void *item, size_t bytes,
                           int64_t timeout_ms)
{
    struct queue_call put = {.item = item, .bytes = bytes};
    int rc;

    if (!queue || (!item && bytes))
        return BIGHT_EINVAL;
    rc = bight__shared_begin();
    if (!rc)
        rc = begin(&put, queue, &put_ops, attempt_put);
    return rc ? rc : bight__shared_call(&put.call, timeout_ms);
}

int bight_shared_queue_try_put(struct bight_shared_queue *queue, const void *item, size_t bytes)
{
    struct queue_call put = {.item = item, .bytes = bytes};

    if (!queue || (!item && bytes) || begin(&put, queue, &put_ops, attempt_put))
        return BIGHT_EINVAL;
    return attempt_put(&put.call);
}

int bight_shared_queue_get(struct bight_shared_queue *queue, void *item, size_t room,
                           int64_t timeout_ms)
{
    struct queue_call get = {.into = item, .bytes = room};
    int rc;

    if (!queue || (!item && room))
        return BIGHT_EINVAL;
    rc = bight__shared_begin();
    if (!rc)
        rc = begin(&get, queue, &get_ops, attempt_get);
    return rc ? rc : bight__shared_call(&get.call, timeout_ms);
}

int bight_shared_queue_try_get(struct bight_shared_queue *queue, void *item, size_t room)
{
    struct queue_call get = {.into = item, .bytes = room};

    if (!queue || (!item && room) || begin(&get, queue, &get_ops, attempt_get))
        return BIGHT_EINVAL;
    return attempt_get(&get.call);
}

int bight_shared_queue_task_done(struct bight_shared_queue *queue)
{
    struct bight_shared *segment = queue ? segment_of(queue) : NULL;
    uint64_t finished;

    if (!segment)
        return BIGHT_EINVAL;
    finished = shared_load(queue->finished);
    do {
        if (finished == shared_load(queue->head))
            return BIGHT_EINVAL;
    } while (!shared_swap(queue->finished, &finished, finished + 1));
    bight__shared_changed(segment, &queue->base);
    return 0;
}

int bight_shared_queue_join(struct bight_shared_queue *queue, int64_t timeout_ms)
{
    struct queue_call join = {.bytes = 0};
    int rc;

    if (!queue)
        return BIGHT_EINVAL;
    rc = bight__shared_begin();
    if (!rc)
        rc = begin(&join, queue, &join_ops, attempt_join);
    return rc ? rc : bight__shared_call(&join.call, timeout_ms);
}

int bight_shared_queue_close(struct bight_shared_queue *queue)
{
    struct bight_shared *segment = queue ? segment_of(queue) : NULL;

    if (!segment)
        return BIGHT_EINVAL;
    shared_store(queue->closed, 1);
    bight__shared_changed(segment, &queue->base);
    return 0;
}

size_t bight_shared_queue_length(const struct bight_shared_queue *queue)
{
    uint64_t head, length;
    uint32_t capacity;

    if (!queue || !segment_of(queue))
        return 0;
    head = shared_load(queue->head);
    length = shared_load(queue->tail) - head;
    capacity = shared_load(queue->capacity);
    return (size_t)(length < capacity ? length : capacity);
}
