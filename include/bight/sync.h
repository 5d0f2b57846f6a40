/* Synchronisation between tasks of one runtime: mutex and event. They hand over in FIFO order and
 * without barging; using them never allocates. Not for threads: see mailbox.h. What is built on them
 * or works like them has headers of its own: condition.h, semaphore.h, limiter.h, rwlock.h,
 * barrier.h, once.h, wait_group.h. */
#ifndef BIGHT_SYNC_H
#define BIGHT_SYNC_H

#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

/* All fields are private. */
struct bight_mutex {
    struct bight_task *owner;
    struct bight_mutex *next_held;
    struct bight_link waiters;
    /* Who has it next after an owner that ended; NULL: the first waiter. */
    void (*abandoned)(struct bight_mutex *mutex);
};

/** Make a free mutex. There is nothing to destroy: one that nobody holds or waits for is memory.
 *
 *  Suspends: no.  Cancellable: no.  Thread: any.  Ownership: borrows mutex.
 */
BIGHT_API void bight_mutex_init(struct bight_mutex *mutex);

/** Take `mutex`, sleeping in FIFO order until it is free.
 *
 *  @return 0; BIGHT_ECANCELED: the mutex is then not held; BIGHT_EDEADLK: the caller holds it, or
 *          its owner waits, directly or through others, for the caller; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, the mutex is not held.  Allocates: no.
 *  Thread: the loop's.  Ownership: keeps mutex until it is unlocked.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_mutex_lock(struct bight_mutex *mutex);

/** Take `mutex` if it is free. Does not observe cancellation.
 *
 *  @return 0; BIGHT_EBUSY when another task holds it; BIGHT_EDEADLK when the caller does;
 *          BIGHT_ENOTASK.
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.
 *  Ownership: keeps mutex until it is unlocked.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_mutex_try_lock(struct bight_mutex *mutex);

/** Give `mutex` to the first waiter, or free it.
 *
 *  @return 0; BIGHT_EPERM: the caller does not hold it; BIGHT_ENOTASK.
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: borrows mutex.
 */
BIGHT_API int bight_mutex_unlock(struct bight_mutex *mutex);

/** The task that holds `mutex`, NULL when it is free.
 *
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: borrows mutex.
 */
BIGHT_API struct bight_task *bight_mutex_owner(const struct bight_mutex *mutex);

/** How many tasks sleep until they get `mutex`. Counts them, one by one.
 *
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: borrows mutex.
 */
BIGHT_API size_t bight_mutex_waiting(const struct bight_mutex *mutex);

/* All fields are private. */
struct bight_event {
    bool set;
    struct bight_link waiters;
};

/** Make an event that is not set.
 *
 *  Suspends: no.  Cancellable: no.  Thread: any.  Ownership: borrows event.
 */
BIGHT_API void bight_event_init(struct bight_event *event);

/** Set the event and wake everybody who waits now; it stays set until cleared.
 *
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: borrows event.
 */
BIGHT_API void bight_event_set(struct bight_event *event);

/** Clear the event. Those already woken stay woken.
 *
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: borrows event.
 */
BIGHT_API void bight_event_clear(struct bight_event *event);

/** Whether the event is set.
 *
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: borrows event.
 */
BIGHT_API bool bight_event_is_set(const struct bight_event *event);

/** How many tasks sleep until the event is set. Counts them, one by one.
 *
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.  Ownership: borrows event.
 */
BIGHT_API size_t bight_event_waiting(const struct bight_event *event);

/** Sleep until the event is set; at once when it is.
 *
 *  @return 0; BIGHT_ECANCELED; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED.  Allocates: no.
 *  Thread: the loop's.  Ownership: keeps event until it returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_event_wait(struct bight_event *event);

BIGHT_END_DECLS

#endif
