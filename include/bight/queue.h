/* A bounded FIFO queue of pointers between tasks of one runtime. Items go to getters and places to
 * putters in the order in which they came; an item given to a getter that is cancelled goes to the
 * next one, none is lost. */
#ifndef BIGHT_QUEUE_H
#define BIGHT_QUEUE_H

#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

struct bight_queue;

/** Make a queue for up to `capacity` items, at least 1; all memory is taken now.
 *
 *  @return 0; BIGHT_EINVAL for a capacity of 0; BIGHT_ENOMEM; BIGHT_ENORUNTIME.
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.
 *  Ownership: gives *out, to be freed with bight_queue_free.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_queue_new(struct bight_queue **out, size_t capacity);

/** Free a queue that no task waits on. Items left in it are the caller's to know about.
 *
 *  @return 0; BIGHT_EBUSY: a task waits on it, nothing was freed.
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: takes queue; NULL is allowed.
 */
BIGHT_API int bight_queue_free(struct bight_queue *queue);

/** Append `item`, sleeping while the queue is full.
 *
 *  @return 0; BIGHT_ECANCELED or BIGHT_ECLOSED: the item is still the caller's; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, the item was not put.  Allocates: no.
 *  Thread: the loop's.  Ownership: takes item on success.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_queue_put(struct bight_queue *queue, void *item);

/** Append `item` if there is room. Does not observe cancellation; needs no task.
 *
 *  @return 0; BIGHT_EAGAIN when full; BIGHT_ECLOSED.
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: takes item on success.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_queue_try_put(struct bight_queue *queue, void *item);

/** Take the oldest item into `*item`, sleeping while there is none.
 *
 *  @return 0; BIGHT_ECANCELED: nothing was taken; BIGHT_ECLOSED: closed and, if it drains, empty;
 *          BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, nothing was taken.  Allocates: no.
 *  Thread: the loop's.  Ownership: gives *item.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_queue_get(struct bight_queue *queue, void **item);

/** Take the oldest item if there is one. Does not observe cancellation; needs no task.
 *
 *  @return 0; BIGHT_EAGAIN when empty; BIGHT_ECLOSED.
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: gives *item.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_queue_try_get(struct bight_queue *queue, void **item);

/** Say that an item taken with get has been worked on; see bight_queue_join.
 *
 *  @return 0; BIGHT_EINVAL: called more often than items were put.
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: borrows queue.
 */
BIGHT_API int bight_queue_task_done(struct bight_queue *queue);

/** Sleep until every item that was put has been reported with bight_queue_task_done.
 *
 *  @return 0; BIGHT_ECANCELED; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED.  Allocates: no.
 *  Thread: the loop's.  Ownership: borrows queue.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_queue_join(struct bight_queue *queue);

/** Refuse further items. What is in the queue can still be taken; afterwards, getters are told
 *  BIGHT_ECLOSED. Waiting putters are told so now.
 *
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: borrows queue.
 */
BIGHT_API void bight_queue_close(struct bight_queue *queue);

/** Close at once: everybody who waits is told BIGHT_ECLOSED, and the items left are handed to `drop`
 *  one by one (may be NULL); they count as worked on for bight_queue_join.
 *
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: borrows queue; gives the items
 *  to drop.
 */
BIGHT_API void bight_queue_abort(struct bight_queue *queue, void (*drop)(void *item));

/** How many items can be taken now.
 *
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: borrows queue.
 */
BIGHT_API size_t bight_queue_length(const struct bight_queue *queue);

BIGHT_END_DECLS

#endif
