/* The inside of a queue, for those who wait on one among other things: select, channels. They try
 * first (bight_queue_try_get, _try_put), and on BIGHT_EAGAIN, without suspending in between, link a
 * waiter that was initialised with the ops below. The item is then handed over: a put writes a
 * getter's wait->item, a get reads a putter's wait->item. Linking resolves nothing, so a task may
 * offer to get and to put on one queue in one park and does not meet itself. */
#ifndef BIGHT_CORO_QUEUE_QUEUE_H
#define BIGHT_CORO_QUEUE_QUEUE_H

#include <bight/queue.h>

#include "coro/base/list.h"

/* A place in the heap of a priority queue. Of equal items, the one put first is taken first. */
struct bight__queue_entry {
    void *item;
    uint64_t number;
};

struct bight_queue {
    /* FIFO: a ring that begins at `head`. LIFO: a stack. Both of `room` places. */
    void **items;
    size_t head;
    size_t length;
    size_t room;       /* `capacity`, except in an unbounded queue, which grows */
    size_t unfinished; /* put and not yet reported with task_done */
    struct bight_link getters;
    struct bight_link putters;
    struct bight_link joiners;
    size_t plain_room; /* `room` of a queue that is FIFO and not closed; 0 of any other */
    enum bight_queue_kind kind;
    int end; /* 0, or the answer of a closed queue: BIGHT_ECLOSED, or a channel's */
    /* PRIORITY: a heap of `room` places, instead of items. */
    struct bight__queue_entry *heap;
    uint64_t put_count;
    int (*compare)(const void *a, const void *b);
    size_t capacity;
};

/* Whether the queue is empty and open, and nobody waits: a get finds nothing. */
static inline bool bight__queue_is_idle(const struct bight_queue *queue)
{
    return queue->length == 0 && !queue->end && link_empty(&queue->getters) &&
           link_empty(&queue->putters);
}

/* bight_queue_try_get by the running task `self`. */
int bight__queue_get_at_once(struct bight_queue *queue, void **item, struct bight_task *self);

/* The waiter's result is 0 once the item has been handed over, or the answer of a closed queue. */
struct bight__queue_wait {
    struct bight_waiter waiter;
    void *item; /* a getter receives it here, a putter offers it */
    const struct bight_queue *queue;
};

/* For bight_waiter_init; both let go at once, so they may share a park. */
extern const struct bight_waiter_ops bight__queue_get_ops;
extern const struct bight_waiter_ops bight__queue_put_ops;

/* To be called right after bight_queue_try_get has returned BIGHT_EAGAIN. */
static inline void bight__queue_get_arm(struct bight_queue *queue, struct bight__queue_wait *wait)
{
    wait->queue = queue;
    link_append(&queue->getters, &wait->waiter.link);
}

/* To be called right after bight_queue_try_put of wait->item has returned BIGHT_EAGAIN. */
static inline void bight__queue_put_arm(struct bight_queue *queue, struct bight__queue_wait *wait)
{
    wait->queue = queue;
    link_append(&queue->putters, &wait->waiter.link);
}

/* Close with another answer than BIGHT_ECLOSED. */
int bight__queue_close(struct bight_queue *queue, int end);

/* For the waiters' ops->describe. */
void bight__queue_describe_items(const struct bight_queue *queue, char *text, size_t text_bytes);
void bight__queue_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes);

/* queue_store.c: the kinds that are not a ring, and growth. */
void bight__queue_store(struct bight_queue *queue, void *item); /* there is room */
void *bight__queue_take(struct bight_queue *queue);             /* it is not empty */
/* Make room in a full queue: 0; BIGHT_EAGAIN when it is bounded; BIGHT_ENOMEM. */
int bight__queue_grow(struct bight_queue *queue);

#endif
