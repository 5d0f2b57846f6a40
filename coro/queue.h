/* The inside of a queue, for those who wait on one beside other things: select, channels. They try
 * first (bight_queue_try_get, _try_put), and on BIGHT_EAGAIN, without suspending in between, link a
 * waiter that was initialised with the ops below. What they wait for is then handed to it: by a put to
 * wait->item of a getter, by a get out of wait->item of a putter. Linking resolves nothing, so a task
 * may offer to get and to put on one queue in one park and does not meet itself. */
#ifndef BIGHT_CORO_QUEUE_H
#define BIGHT_CORO_QUEUE_H

#include <bight/queue.h>

#include "coro/list.h"

struct bight_queue {
    size_t capacity;
    size_t head;
    size_t length;
    size_t unfinished; /* put and not yet reported with task_done */
    bool closed;
    struct bight_link getters;
    struct bight_link putters;
    struct bight_link joiners;
    void *items[];
};

/* The waiter's result is 0 once the item has been handed over, or what a closed queue says. */
struct bight__queue_wait {
    struct bight_waiter waiter;
    void *item; /* a getter receives it here, a putter offers it */
};

/* For bight_waiter_init; both let go at once, so they may share a park. */
extern const struct bight_wait_ops bight__queue_get_ops;
extern const struct bight_wait_ops bight__queue_put_ops;

/* bight_queue_try_get has just said BIGHT_EAGAIN. */
static inline void bight__queue_get_arm(struct bight_queue *queue, struct bight__queue_wait *wait)
{
    link_append(&queue->getters, &wait->waiter.link);
}

/* bight_queue_try_put of wait->item has just said BIGHT_EAGAIN. */
static inline void bight__queue_put_arm(struct bight_queue *queue, struct bight__queue_wait *wait)
{
    link_append(&queue->putters, &wait->waiter.link);
}

#endif
