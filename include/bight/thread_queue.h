/* A bounded FIFO queue of pointers between threads: tasks of several runtimes and plain threads use
 * it at once. The queue of one runtime's tasks is in <bight/queue.h>, and faster. Items go to
 * getters and places to putters in the order in which they came, tasks and threads alike; an item
 * is never lost to a getter that is cancelled or out of time. Counted by reference: each thread
 * that has it holds one until its last call has returned. */
#ifndef BIGHT_THREAD_QUEUE_H
#define BIGHT_THREAD_QUEUE_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/select.h>

BIGHT_BEGIN_DECLS

struct bight_thread_queue;

/** Make a queue for up to `capacity` items; with 0 each item goes from a putter to a getter that
 *  waits. All memory is allocated now. What is in the queue when its last reference is released
 *  goes to `drop(drop_arg, item)`, on that thread; drop may be NULL.
 *
 *  @return 0; BIGHT_EINVAL for a capacity beyond any memory; BIGHT_ENOMEM.
 *  Thread: any.
 *  Ownership: keeps drop_arg as long as the queue; gives *out, to be released with
 *  bight_thread_queue_unref.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_thread_queue_new(struct bight_thread_queue **out,
                                                      size_t capacity,
                                                      void (*drop)(void *arg, void *item),
                                                      void *drop_arg);

/** Take one more reference.
 *
 *  @return queue.
 *  Thread: any.  Ownership: gives a reference.
 */
BIGHT_API struct bight_thread_queue *bight_thread_queue_ref(struct bight_thread_queue *queue);

/** Release a reference; the last one frees the queue.
 *
 *  Thread: any.  Ownership: takes the reference; NULL does nothing.
 */
BIGHT_API void bight_thread_queue_unref(struct bight_thread_queue *queue);

/** Append `item`, waiting for at most `timeout_ms` (negative: without a limit, 0: not at all) while
 *  the queue is full: a task sleeps, a thread without a runtime blocks. A cancellation after the
 *  item was taken comes too late.
 *
 *  @return 0; BIGHT_ETIMEDOUT, BIGHT_ECANCELED or BIGHT_ECLOSED: the item is still the caller's;
 *          BIGHT_ENOTASK outside of tasks on a thread that has a runtime, which must not block.
 *  Suspends: yes.  Cancellable: yes, until an item or place is on its way.
 *  On cancel: BIGHT_ECANCELED, the item was not put.  Allocates: no.
 *  Thread: any.  Ownership: takes item on success.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_thread_queue_put(struct bight_thread_queue *queue, void *item,
                                                      int64_t timeout_ms);

/** Append `item` if there is room, or a getter waits.
 *
 *  @return 0; BIGHT_EAGAIN when full; BIGHT_ECLOSED.
 *  Thread: any.  Ownership: takes item on success.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_thread_queue_try_put(struct bight_thread_queue *queue,
                                                          void *item);

/** Take the oldest item into `*item`, waiting for at most `timeout_ms` (negative: without a limit,
 *  0: not at all) while there is none: a task sleeps, a thread without a runtime blocks. A
 *  cancellation after an item was handed over comes too late.
 *
 *  @return 0; BIGHT_ETIMEDOUT or BIGHT_ECANCELED: nothing was taken; BIGHT_ECLOSED: closed and
 *          empty; BIGHT_ENOTASK outside of tasks on a thread that has a runtime, which must not
 *          block.
 *  Suspends: yes.  Cancellable: yes, until an item or place is on its way.
 *  On cancel: BIGHT_ECANCELED, nothing was taken.  Allocates: no.
 *  Thread: any.  Ownership: gives *item.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_thread_queue_get(struct bight_thread_queue *queue, void **item,
                                                      int64_t timeout_ms);

/** Take the oldest item if there is one, or a putter waits.
 *
 *  @return 0; BIGHT_EAGAIN when empty; BIGHT_ECLOSED when closed as well.
 *  Thread: any.  Ownership: gives *item.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_thread_queue_try_get(struct bight_thread_queue *queue,
                                                          void **item);

/** Make `to` a case of an item from `queue`, which goes to `value`; status as
 *  bight_thread_queue_get, 0 or BIGHT_ECLOSED. Those who wait in bight_thread_queue_get come first;
 *  of selects, whichever threads they are on, the one that has waited longest is told of an item,
 *  and goes on waiting if another call takes it before that select's loop comes round. A queue
 *  without places gives it the item of one who waits in bight_thread_queue_put: two selects do not
 *  meet there.
 *
 *  Ownership: keeps queue, of which the caller has a reference, for as long as the case is used;
 *  gives value.
 */
BIGHT_API void bight_case_thread_queue_get(struct bight_case *to, struct bight_thread_queue *queue);

/** Make `to` a case of room in `queue`, where `item` is put; status as bight_thread_queue_put, 0 or
 *  BIGHT_ECLOSED. It waits behind putters as bight_case_thread_queue_get does behind getters.
 *
 *  Ownership: keeps queue, of which the caller has a reference, for as long as the case is used;
 *  takes item when it is chosen with status 0.
 */
BIGHT_API void bight_case_thread_queue_put(struct bight_case *to, struct bight_thread_queue *queue,
                                           void *item);

/** Take no more items; the queue stays until its last reference is released. What is in it can
 *  still be taken; after that, getters get BIGHT_ECLOSED. Waiting putters get it now. Closing again
 *  does nothing.
 *
 *  Thread: any.
 */
BIGHT_API void bight_thread_queue_close(struct bight_thread_queue *queue);

/** How many items are in the queue at the moment of the call.
 *
 *  Thread: any.
 */
BIGHT_API size_t bight_thread_queue_length(struct bight_thread_queue *queue);

BIGHT_END_DECLS

#endif
