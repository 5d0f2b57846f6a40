/* Queues of pointers between tasks of one runtime: first in first out, last in first out, or by
 * priority; bounded, unbounded, or without any place (a rendezvous). Items go to waiting getters
 * and places to waiting putters in the order in which they came; an item given to a getter that is
 * cancelled goes to the next one, none is lost. For a queue with two ends, each of which learns
 * that the other has ended, see <bight/channel.h>. */
#ifndef BIGHT_QUEUE_H
#define BIGHT_QUEUE_H

#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

struct bight_queue;

/* As a capacity: no bound except memory. Putting never waits, and can fail with BIGHT_ENOMEM. */
#define BIGHT_QUEUE_UNBOUNDED SIZE_MAX

enum bight_queue_kind {
    BIGHT_QUEUE_FIFO,
    BIGHT_QUEUE_LIFO,     /* the item put last is taken first */
    BIGHT_QUEUE_PRIORITY, /* the smallest is taken first; of equal ones the one put first */
};

struct bight_queue_options {
    /* How many items it holds; 0: none, a put waits for its getter; BIGHT_QUEUE_UNBOUNDED. */
    size_t capacity;
    enum bight_queue_kind kind;
    /* For BIGHT_QUEUE_PRIORITY: negative when item a is to be taken before b, 0 when they are
     * equal, positive otherwise. Must not use the queue. */
    int (*compare)(const void *a, const void *b);
};

struct bight_queue_stats {
    size_t length; /* items that can be taken now */
    size_t capacity;
    size_t unfinished; /* put and not yet reported with bight_queue_task_done */
    size_t getters;    /* tasks that wait for an item, */
    size_t putters;    /* for a place, */
    size_t joiners;    /* for the work to be done */
    bool closed;
};

/** Make a FIFO queue for up to `capacity` items; 0 makes a rendezvous, where a put waits until its
 *  item is taken. All memory is allocated now, unless the capacity is BIGHT_QUEUE_UNBOUNDED.
 *
 *  @return 0; BIGHT_EINVAL for a capacity beyond any memory; BIGHT_ENOMEM; BIGHT_ENORUNTIME.
 *  Ownership: gives *out, to be freed with bight_queue_free.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_queue_new(struct bight_queue **out, size_t capacity);

/** Make a queue of any kind; NULL for the defaults. A priority queue does not compare an item that
 *  goes straight to a waiting getter: there is no other then.
 *
 *  @return 0; BIGHT_EINVAL for an unknown kind, a priority queue without compare, or a capacity
 *          beyond any memory; BIGHT_ENOMEM; BIGHT_ENORUNTIME.
 *  Ownership: gives *out, to be freed with bight_queue_free.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_queue_new_with(struct bight_queue **out,
                                                    const struct bight_queue_options *options);

/** Free a queue that no task waits on. Items left in it stay the caller's.
 *
 *  @return 0; BIGHT_EBUSY: a task waits on it, nothing was freed.
 *  Ownership: takes queue; NULL does nothing.
 */
BIGHT_API int bight_queue_free(struct bight_queue *queue);

/** Put `item` in, sleeping while the queue is full; in a rendezvous, until the item is taken.
 *
 *  @return 0; BIGHT_ECANCELED, BIGHT_ECLOSED or BIGHT_ENOMEM: the item is still the caller's;
 *          BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, the item was not put.
 *  Allocates: no, unless an unbounded queue grows.  Thread: the loop's.
 *  Ownership: takes item on success.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_queue_put(struct bight_queue *queue, void *item);

/** Put `item` in if there is room or somebody waits for it. Does not observe cancellation; needs no
 *  task.
 *
 *  @return 0; BIGHT_EAGAIN when full; BIGHT_ECLOSED; BIGHT_ENOMEM when an unbounded one cannot
 *          grow.
 *  Ownership: takes item on success.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_queue_try_put(struct bight_queue *queue, void *item);

/** Take the next item into `*item`, sleeping while there is none.
 *
 *  @return 0; BIGHT_ECANCELED: nothing was taken; BIGHT_ECLOSED: closed and, if it drains, empty;
 *          BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, nothing was taken.  Allocates: no.
 *  Thread: the loop's.  Ownership: gives *item.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_queue_get(struct bight_queue *queue, void **item);

/** Take the next item if there is one. Does not observe cancellation; needs no task.
 *
 *  @return 0; BIGHT_EAGAIN when empty; BIGHT_ECLOSED.
 *  Ownership: gives *item.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_queue_try_get(struct bight_queue *queue, void **item);

/** Take up to `max` items at once, sleeping while there is none. A call that sleeps is woken by the
 *  first item and also gets what is put before its task runs, in the order of the puts. So a burst
 *  is one batch, and tasks that wait for batches take turns.
 *
 *  @return how many were taken, at least 1; BIGHT_ECANCELED: nothing was taken; BIGHT_ECLOSED;
 *          BIGHT_EINVAL when max is 0 or beyond INT_MAX; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, nothing was taken.  Allocates: no.
 *  Thread: the loop's.  Ownership: gives the items; keeps the array until it returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_queue_get_many(struct bight_queue *queue, void **items,
                                                    size_t max);

/** Take up to `max` items that the queue has now. Does not observe cancellation; needs no task.
 *
 *  @return how many were taken; BIGHT_EAGAIN when empty; BIGHT_ECLOSED; BIGHT_EINVAL when max is 0
 *          or beyond INT_MAX.
 *  Ownership: gives the items.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_queue_try_get_many(struct bight_queue *queue, void **items,
                                                        size_t max);

/** Say that an item taken with get has been worked on; see bight_queue_join.
 *
 *  @return 0; BIGHT_EINVAL: called more often than items were put.
 */
BIGHT_API int bight_queue_task_done(struct bight_queue *queue);

/** Sleep until every item that was put has been reported with bight_queue_task_done.
 *
 *  @return 0; BIGHT_ECANCELED; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED.  Allocates: no.
 *  Thread: the loop's.  Ownership: borrows queue.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_queue_join(struct bight_queue *queue);

/** Take no more items; the queue stays until bight_queue_free. What is in it can still be taken;
 *  after that, getters get BIGHT_ECLOSED. Waiting putters get it now.
 *
 *  @return 0; BIGHT_EPERM: tasks of another thread's runtime wait on it.
 */
BIGHT_API int bight_queue_close(struct bight_queue *queue);

/** Close the queue and empty it: all that wait get BIGHT_ECLOSED, and `drop(arg, item)`, where drop
 *  is not NULL, gets the items left one by one; they count as worked on for bight_queue_join.
 *
 *  @return 0; BIGHT_EPERM: tasks of another thread's runtime wait on it.
 *  Ownership: gives the items to drop.
 */
BIGHT_API int bight_queue_abort(struct bight_queue *queue, void (*drop)(void *arg, void *item),
                                void *arg);

/** How many items can be taken now. */
BIGHT_API size_t bight_queue_length(const struct bight_queue *queue);

/** Whether there is nothing to take. Always true of a rendezvous. */
BIGHT_API bool bight_queue_empty(const struct bight_queue *queue);

/** Whether there is no place for an item. Always true of a rendezvous, never of an unbounded queue.
 */
BIGHT_API bool bight_queue_full(const struct bight_queue *queue);

/** The sizes of the queue and who waits on it. Takes as long as there are waiting tasks. */
BIGHT_API void bight_queue_get_stats(const struct bight_queue *queue,
                                     struct bight_queue_stats *stats);

/** Call `visit` with each item that can be taken now, until it returns false: first to last, in a
 *  LIFO queue too; in a priority queue the smallest first and the others in no order. `visit` must
 *  not use the queue.
 *
 *  Ownership: the items stay in the queue.
 */
BIGHT_API void bight_queue_visit(const struct bight_queue *queue,
                                 bool (*visit)(void *arg, const void *item), void *arg);

BIGHT_END_DECLS

#endif
