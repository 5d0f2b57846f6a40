/* Read-write lock: many readers, or one writer. All wait in one FIFO queue: a reader that comes
 * after a waiting writer waits too, so neither side starves. Using one never allocates. Not for
 * threads. */
#ifndef BIGHT_RWLOCK_H
#define BIGHT_RWLOCK_H

#include <bight/mutex.h>

BIGHT_BEGIN_DECLS

/* All fields are private. */
struct bight_rwlock {
    struct bight_mutex writer; /* its waiters are those of both kinds */
    size_t readers;
};

/* A free lock, as bight_rwlock_init makes it. So is one that is all zero. */
#define BIGHT_RWLOCK_INIT                                                                          \
    {                                                                                              \
        BIGHT_MUTEX_INIT, 0                                                                        \
    }

/** Make a free lock. There is nothing to destroy.
 *
 *  Thread: any.
 */
BIGHT_API void bight_rwlock_init(struct bight_rwlock *lock);

/** Take `lock` together with other readers, sleeping in FIFO order until no writer has it and none
 *  is ahead. The lock does not know which tasks read. So a task that has it for reading must not
 *  take it again: with a writer in between it waits for itself. And a task that ends without
 *  unlocking keeps writers out for ever.
 *
 *  @return 0; BIGHT_ECANCELED: the lock is not held; BIGHT_EDEADLK: the caller has it for
 *          writing, or the writer waits, directly or through others, for the caller; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, the lock is not held.
 *  Allocates: no.  Thread: the loop's.  Ownership: keeps lock until it is unlocked.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_rwlock_read_lock(struct bight_rwlock *lock);

/** Take `lock` alone, sleeping in FIFO order until it is free. When the task ends without
 *  unlocking, the lock goes to the next waiter, as a mutex does.
 *
 *  @return as bight_rwlock_read_lock.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, the lock is not held.
 *  Allocates: no.  Thread: the loop's.  Ownership: keeps lock until it is unlocked.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_rwlock_write_lock(struct bight_rwlock *lock);

/** Take `lock` for reading if no writer has it or waits for it. Does not observe cancellation.
 *
 *  @return 0; BIGHT_EBUSY; BIGHT_EDEADLK: the caller has it for writing; BIGHT_ENOTASK.
 *  Ownership: keeps lock until it is unlocked.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_rwlock_try_read_lock(struct bight_rwlock *lock);

/** Take `lock` for writing if it is free. Does not observe cancellation.
 *
 *  @return as bight_rwlock_try_read_lock.
 *  Ownership: keeps lock until it is unlocked.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_rwlock_try_write_lock(struct bight_rwlock *lock);

/** Unlock `lock`, which the caller has for reading or writing. After a writer, and after the last
 *  reader, the next in the queue gets it: a writer, or all readers ahead of the next writer.
 *
 *  @return 0; BIGHT_EPERM: another task has it for writing, or nobody has it; BIGHT_ENOTASK.
 */
BIGHT_API int bight_rwlock_unlock(struct bight_rwlock *lock);

/** The task that has `lock` for writing, or NULL. */
BIGHT_API struct bight_task *bight_rwlock_writer(const struct bight_rwlock *lock);

/** How many have `lock` for reading. */
BIGHT_API size_t bight_rwlock_readers(const struct bight_rwlock *lock);

/** How many tasks sleep until they get `lock`, of both kinds. Counts them, one by one. */
BIGHT_API size_t bight_rwlock_waiting(const struct bight_rwlock *lock);

BIGHT_END_DECLS

#endif
