/* Mutex: one task of a runtime at a time. It is handed over in FIFO order and without barging;
 * using one never allocates. Not for threads. What is built on it has headers of its own:
 * condition.h, rwlock.h. */
#ifndef BIGHT_MUTEX_H
#define BIGHT_MUTEX_H

#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

/* All fields are private. */
struct bight_mutex {
    struct bight_task *owner;
    struct bight_mutex *next_held;
    struct bight_link waiters;
    /* Passes it on when its owner has ended; NULL: to the first waiter. */
    void (*abandoned)(struct bight_mutex *mutex);
};

/* A free mutex, as bight_mutex_init makes it. So is one that is all zero. */
#define BIGHT_MUTEX_INIT                                                                           \
    {                                                                                              \
        NULL, NULL, BIGHT__LIST_INIT, NULL                                                         \
    }

/** Make a free mutex. There is nothing to destroy.
 *
 *  Thread: any.
 */
BIGHT_API void bight_mutex_init(struct bight_mutex *mutex);

/** Take `mutex`, sleeping in FIFO order until it is free.
 *
 *  @return 0; BIGHT_ECANCELED: the mutex is not held; BIGHT_EDEADLK: the caller holds it, or its
 *          owner waits, directly or through others, for the caller; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, the mutex is not held.  Allocates: no.
 *  Thread: the loop's.  Ownership: keeps mutex until it is unlocked.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_mutex_lock(struct bight_mutex *mutex);

/** Take `mutex` if it is free. Does not observe cancellation.
 *
 *  @return 0; BIGHT_EBUSY when another task holds it; BIGHT_EDEADLK when the caller does;
 *          BIGHT_ENOTASK.
 *  Ownership: keeps mutex until it is unlocked.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_mutex_try_lock(struct bight_mutex *mutex);

/** Give `mutex` to the first waiter, or free it.
 *
 *  @return 0; BIGHT_EPERM: the caller does not hold it; BIGHT_ENOTASK.
 */
BIGHT_API int bight_mutex_unlock(struct bight_mutex *mutex);

/** The task that holds `mutex`, NULL when it is free. */
BIGHT_API struct bight_task *bight_mutex_owner(const struct bight_mutex *mutex);

/** How many tasks sleep until they get `mutex`. Counts them, one by one. */
BIGHT_API size_t bight_mutex_waiting(const struct bight_mutex *mutex);

BIGHT_END_DECLS

#endif
