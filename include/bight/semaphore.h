/* Semaphore: a number of units that tasks take one at a time; any task may give one back. It then
 * goes straight to the first waiter. Using one never allocates. Not for threads. Where it matters
 * who has a unit, see limiter.h. */
#ifndef BIGHT_SEMAPHORE_H
#define BIGHT_SEMAPHORE_H

#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

/* All fields are private. */
struct bight_semaphore {
    int64_t value;
    uint64_t limit; /* the bound plus 1; 0: there is none */
    struct bight_link waiters;
};

/* A semaphore with `value` units, not negative, as bight_semaphore_init makes it. One that is all
 * zero has none. */
#define BIGHT_SEMAPHORE_INIT(value)                                                                \
    {                                                                                              \
        (value), INT64_MAX + UINT64_C(1), BIGHT__LIST_INIT                                         \
    }

/** Make a semaphore with `value` units. There is nothing to destroy.
 *
 *  @return 0; BIGHT_EINVAL for a negative value.
 *  Thread: any.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_semaphore_init(struct bight_semaphore *semaphore,
                                                    int64_t value);

/** bight_semaphore_init with a bound: there can never be more than `bound` units, a release beyond
 *  that is refused.
 *
 *  @return 0; BIGHT_EINVAL for a negative value, or a bound below it.
 *  Thread: any.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_semaphore_init_bounded(struct bight_semaphore *semaphore,
                                                            int64_t value, int64_t bound);

/** Take a unit, sleeping in FIFO order until there is one.
 *
 *  @return 0; BIGHT_ECANCELED: nothing was taken; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing was taken.
 *  Allocates: no.  Thread: the loop's.  Ownership: keeps semaphore until it returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_semaphore_acquire(struct bight_semaphore *semaphore);

/** Take a unit if there is one. Does not observe cancellation.
 *
 *  @return 0; BIGHT_EAGAIN.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_semaphore_try_acquire(struct bight_semaphore *semaphore);

/** Give back a unit: to the first waiter, or to the semaphore.
 *
 *  @return 0; BIGHT_ERANGE: there are as many as there can be, nothing changes.
 */
BIGHT_API int bight_semaphore_release(struct bight_semaphore *semaphore);

/** How many units can be taken; 0: the semaphore is locked. Units that were handed to waiters do
 *  not count, even before the waiter has run.
 */
BIGHT_API int64_t bight_semaphore_value(const struct bight_semaphore *semaphore);

/** How many tasks sleep until they get a unit. Counts them, one by one. */
BIGHT_API size_t bight_semaphore_waiting(const struct bight_semaphore *semaphore);

BIGHT_END_DECLS

#endif
