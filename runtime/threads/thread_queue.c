/* The queue of <bight/thread_queue.h>: a ring of pointers under a lock, with getters and putters
 * that wait by means of thread_wait.h. Getters wait only while there is neither an item nor a
 * putter, putters only while the ring is full. An item goes straight from a putter to a waiting
 * getter, and a place freed by a getter is filled with the first putter's item at once, so the
 * order of arrival is the order of service. Selects come behind those: each item that nobody waits
 * for, be it in the ring or a putter's, is told to one case of a get, and each place, be it free or
 * a getter's, to one of a put. */
#include "runtime/threads/thread_case.h"
#include "runtime/threads/thread_wait.h"

#include <bight/thread_queue.h>

struct bight_thread_queue {
    uv_mutex_t lock;
    size_t refs;
    size_t capacity;
    size_t head;
    size_t length;
    bool closed;
    void (*drop)(void *arg, void *item);
    void *drop_arg;
    struct bight_link getters;
    struct bight_link putters;
    struct bight_link get_cases;
    struct bight_link put_cases;
    void *items[];
};

static const struct bight_waiter_ops get_ops = {
    .name = "thread queue get",
    .abort = bight__thread_wait_abort,
    .flags = THREAD_WAIT_FLAGS,
};

static const struct bight_waiter_ops put_ops = {
    .name = "thread queue put",
    .abort = bight__thread_wait_abort,
    .flags = THREAD_WAIT_FLAGS,
};

int bight_thread_queue_new(struct bight_thread_queue **out, size_t capacity,
                           void (*drop)(void *arg, void *item), void *drop_arg)
{
    struct bight_thread_queue *queue;

    if (!out || capacity > SIZE_MAX / sizeof(void *) / 2)
        return BIGHT_EINVAL;
    queue = bight__thread_alloc(sizeof *queue + capacity * sizeof(void *));
    if (!queue)
        return BIGHT_ENOMEM;
    int rc = bight__thread_lock_init(&queue->lock);
    if (rc) {
        bight__free(queue);
        return rc;
    }
    queue->refs = 1;
    queue->capacity = capacity;
    queue->drop = drop;
    queue->drop_arg = drop_arg;
    link_init(&queue->getters);
    link_init(&queue->putters);
    link_init(&queue->get_cases);
    link_init(&queue->put_cases);
    *out = queue;
    return 0;
}

struct bight_thread_queue *bight_thread_queue_ref(struct bight_thread_queue *queue)
{
    if (!queue)
        return NULL;
    uv_mutex_lock(&queue->lock);
    queue->refs++;
    uv_mutex_unlock(&queue->lock);
    return queue;
}

static void ring_push(struct bight_thread_queue *queue, void *item)
{
    size_t at = queue->head + queue->length++;

    queue->items[at < queue->capacity ? at : at - queue->capacity] = item;
}

static void *ring_pop(struct bight_thread_queue *queue)
{
    void *item = queue->items[queue->head];

    if (++queue->head == queue->capacity)
        queue->head = 0;
    queue->length--;
    return item;
}

void bight_thread_queue_unref(struct bight_thread_queue *queue)
{
    if (!queue)
        return;
    uv_mutex_lock(&queue->lock);
    size_t refs = --queue->refs;
    uv_mutex_unlock(&queue->lock);
    if (refs)
        return;
    while (queue->length) {
        void *item = ring_pop(queue);

        if (queue->drop)
            queue->drop(queue->drop_arg, item);
    }
    uv_mutex_destroy(&queue->lock);
    bight__free(queue);
}

/* With the lock held. */
static int try_put(struct bight_thread_queue *queue, void *item)
{
    struct bight_thread_wait *getter;

    if (queue->closed)
        return BIGHT_ECLOSED;
    getter = bight__thread_wait_first(&queue->getters);
    if (getter) {
        getter->item = item;
        bight__thread_wake(getter, 0);
        return 0;
    }
    if (queue->length == queue->capacity)
        return BIGHT_EAGAIN;
    ring_push(queue, item);
    bight__thread_case_tell(&queue->get_cases);
    return 0;
}

/* With the lock held. */
static int try_get(struct bight_thread_queue *queue, void **item)
{
    struct bight_thread_wait *putter = bight__thread_wait_first(&queue->putters);
    void *next = putter ? putter->item : NULL;

    if (queue->length == 0 && !putter)
        return queue->closed ? BIGHT_ECLOSED : BIGHT_EAGAIN;
    if (putter)
        bight__thread_wake(putter, 0);
    if (queue->length == 0) { /* a queue without places */
        *item = next;
        return 0;
    }
    *item = ring_pop(queue);
    if (putter)
        ring_push(queue, next);
    else
        bight__thread_case_tell(&queue->put_cases);
    return 0;
}

int bight_thread_queue_try_put(struct bight_thread_queue *queue, void *item)
{
    if (!queue)
        return BIGHT_EINVAL;
    uv_mutex_lock(&queue->lock);
    int rc = try_put(queue, item);
    uv_mutex_unlock(&queue->lock);
    return rc;
}

int bight_thread_queue_try_get(struct bight_thread_queue *queue, void **item)
{
    if (!queue || !item)
        return BIGHT_EINVAL;
    uv_mutex_lock(&queue->lock);
    int rc = try_get(queue, item);
    uv_mutex_unlock(&queue->lock);
    return rc;
}

static int put(struct bight_thread_queue *queue, void *item, int64_t timeout_ms)
{
    struct bight_thread_wait wait;

    uv_mutex_lock(&queue->lock);
    int rc = try_put(queue, item);
    if (rc == BIGHT_EAGAIN) {
        wait.item = item;
        if (timeout_ms != 0)
            bight__thread_case_tell(&queue->get_cases);
        return bight__thread_wait_in(&queue->putters, &queue->lock, &wait, &put_ops, timeout_ms);
    }
    uv_mutex_unlock(&queue->lock);
    return rc;
}

static int get(struct bight_thread_queue *queue, void **item, int64_t timeout_ms)
{
    struct bight_thread_wait wait;

    uv_mutex_lock(&queue->lock);
    int rc = try_get(queue, item);
    if (rc != BIGHT_EAGAIN) {
        uv_mutex_unlock(&queue->lock);
        return rc;
    }
    if (timeout_ms != 0)
        bight__thread_case_tell(&queue->put_cases);
    rc = bight__thread_wait_in(&queue->getters, &queue->lock, &wait, &get_ops, timeout_ms);
    if (rc == 0)
        *item = wait.item;
    return rc;
}

int bight_thread_queue_put(struct bight_thread_queue *queue, void *item, int64_t timeout_ms)
{
    int rc;

    if (!queue)
        return BIGHT_EINVAL;
    rc = bight__thread_wait_begin();
    return rc ? rc : put(queue, item, timeout_ms);
}

int bight_thread_queue_get(struct bight_thread_queue *queue, void **item, int64_t timeout_ms)
{
    int rc;

    if (!queue || !item)
        return BIGHT_EINVAL;
    rc = bight__thread_wait_begin();
    return rc ? rc : get(queue, item, timeout_ms);
}

void bight_thread_queue_close(struct bight_thread_queue *queue)
{
    if (!queue)
        return;
    uv_mutex_lock(&queue->lock);
    queue->closed = true;
    bight__thread_wake_all(&queue->putters, BIGHT_ECLOSED);
    bight__thread_wake_all(&queue->getters, BIGHT_ECLOSED); /* they wait while it is empty */
    bight__thread_case_tell_all(&queue->put_cases);
    bight__thread_case_tell_all(&queue->get_cases);
    uv_mutex_unlock(&queue->lock);
}

size_t bight_thread_queue_length(struct bight_thread_queue *queue)
{
    if (!queue)
        return 0;
    uv_mutex_lock(&queue->lock);
    size_t length = queue->length;
    uv_mutex_unlock(&queue->lock);
    return length;
}

/* Cases */

static int get_case_abort(struct bight_waiter *waiter)
{
    struct bight_thread_queue *queue = bight_case_of(waiter)->source;

    return bight__thread_case_abort(waiter, &queue->get_cases, &queue->lock);
}

static int put_case_abort(struct bight_waiter *waiter)
{
    struct bight_thread_queue *queue = bight_case_of(waiter)->source;

    return bight__thread_case_abort(waiter, &queue->put_cases, &queue->lock);
}

static const struct bight_waiter_ops get_case_wait = {
    .name = "select: thread queue get",
    .abort = get_case_abort,
    .flags = BIGHT_WAITER_OUTSIDE,
};

static const struct bight_waiter_ops put_case_wait = {
    .name = "select: thread queue put",
    .abort = put_case_abort,
    .flags = BIGHT_WAITER_OUTSIDE,
};

static bool get_case_attempt(struct bight_case *chosen)
{
    chosen->status = bight_thread_queue_try_get(chosen->source, &chosen->value);
    return chosen->status != BIGHT_EAGAIN;
}

static bool put_case_attempt(struct bight_case *chosen)
{
    chosen->status = bight_thread_queue_try_put(chosen->source, chosen->value);
    return chosen->status != BIGHT_EAGAIN;
}

/* Other threads do not wait between the attempt and this: it tries again. */
static int get_case_arm(struct bight_case *chosen)
{
    struct bight_thread_queue *queue = chosen->source;

    uv_mutex_lock(&queue->lock);
    int rc = try_get(queue, &chosen->value);
    return bight__thread_case_arm(chosen, rc, &queue->get_cases, &queue->lock);
}

static int put_case_arm(struct bight_case *chosen)
{
    struct bight_thread_queue *queue = chosen->source;

    uv_mutex_lock(&queue->lock);
    int rc = try_put(queue, chosen->value);
    return bight__thread_case_arm(chosen, rc, &queue->put_cases, &queue->lock);
}

static const struct bight_case_ops get_case_ops = {&get_case_wait, get_case_attempt, get_case_arm,
                                                   NULL};
static const struct bight_case_ops put_case_ops = {&put_case_wait, put_case_attempt, put_case_arm,
                                                   NULL};

void bight_case_thread_queue_get(struct bight_case *to, struct bight_thread_queue *queue)
{
    bight__thread_case_make(to, &get_case_ops, queue);
}

void bight_case_thread_queue_put(struct bight_case *to, struct bight_thread_queue *queue,
                                 void *item)
{
    bight__thread_case_make(to, &put_case_ops, queue);
    if (to)
        to->value = item;
}
