/* Condition: a place to sleep until something that a mutex guards may have changed. Waiters are
 * notified in FIFO order and move straight to the queue of the mutex, so a notification never wakes
 * a task that would have to sleep again at once. Using one never allocates. Not for threads. */
#ifndef BIGHT_CONDITION_H
#define BIGHT_CONDITION_H

#include <bight/mutex.h>

BIGHT_BEGIN_DECLS

/* All fields are private. */
struct bight_condition {
    struct bight_mutex *mutex;
    struct bight_link waiters;
};

/* A condition over what `mutex` guards, as bight_condition_init makes it. One that is all zero has
 * no mutex: calls on it say BIGHT_EINVAL. */
#define BIGHT_CONDITION_INIT(mutex)                                                                \
    {                                                                                              \
        (mutex), BIGHT__LIST_INIT                                                                  \
    }

/** Make a condition over what `mutex` guards. Several conditions may share one mutex. There is
 *  nothing to destroy.
 *
 *  Thread: any.  Ownership: keeps mutex as long as the condition is used.
 */
BIGHT_API void bight_condition_init(struct bight_condition *condition, struct bight_mutex *mutex);

/** Unlock the mutex, sleep until notified, and lock it again. The lock is taken again also when a
 *  scope around the call was cancelled, however long that takes: the caller can rely on what the
 *  mutex guards, and has it to unlock.
 *
 *  Being notified is a hint, look at the state again: other tasks may have held the mutex in
 *  between. A notification that reached a task whose wait ends cancelled goes on to the next
 *  waiter, also when it was queueing for the mutex already.
 *
 *  @return 0, the mutex is held; BIGHT_ECANCELED, the mutex is held too; BIGHT_EPERM: the caller
 *          does not hold the mutex; BIGHT_ENOTASK; BIGHT_EDEADLK: the mutex is not held. Either its
 *          owner waits, directly or through others, for the caller, which was cancelled; or every
 *          task waits for another one, and this wait, which cannot be cancelled, had to end.
 *  Suspends: yes.  Cancellable: yes, until notified; locking the mutex again is not.
 *  On cancel: BIGHT_ECANCELED with the mutex held, once its owner has let go.  Allocates: no.
 *  Thread: the loop's.  Ownership: keeps condition until it returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_condition_wait(struct bight_condition *condition);

/** Wait until `predicate(arg)` is true. It is called with the mutex held, first at once and then
 *  after each notification. If it is true at once the mutex need not be held and is not touched.
 *
 *  @return 0: it is true; BIGHT_EINVAL without predicate; else as bight_condition_wait.
 *  Suspends: yes.  Cancellable: yes, until notified; locking the mutex again is not.
 *  On cancel: BIGHT_ECANCELED with the mutex held as before the call.  Allocates: no.
 *  Thread: the loop's.  Ownership: keeps condition until it returns; borrows arg.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_condition_wait_until(struct bight_condition *condition,
                                                          bool (*predicate)(void *arg), void *arg);

/** Let the first `count` waiters go on, or all if they are fewer, one after the other as they get
 *  the mutex, beginning when the caller unlocks it.
 *
 *  @return 0; BIGHT_EPERM: the caller does not hold the mutex; BIGHT_ENOTASK.
 */
BIGHT_API int bight_condition_notify(struct bight_condition *condition, size_t count);

/** bight_condition_notify with all that wait now. */
BIGHT_API int bight_condition_notify_all(struct bight_condition *condition);

/** How many tasks sleep and have not been notified. Counts them, one by one. */
BIGHT_API size_t bight_condition_waiting(const struct bight_condition *condition);

BIGHT_END_DECLS

#endif
