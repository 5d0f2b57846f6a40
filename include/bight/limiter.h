/* Capacity limiter: a number of units that borrowers hold one each, and that can be changed at any
 * time. Unlike a semaphore it knows its borrowers: each has at most one unit, and can return only
 * that. Using one never allocates. Not for threads. */
#ifndef BIGHT_LIMITER_H
#define BIGHT_LIMITER_H

#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

#define BIGHT_LIMITER_UNLIMITED INT64_MAX

/* All fields are private. */
struct bight_limiter {
    int64_t total;
    int64_t borrowed;
    struct bight_link waiters;
};

/* A limiter of `total` units, not negative, as bight_limiter_init makes it. One that is all zero
 * has none. */
#define BIGHT_LIMITER_INIT(total)                                                                  \
    {                                                                                              \
        (total), 0, BIGHT__LIST_INIT                                                               \
    }

/* A borrower: a record in the frame of a task, or in whatever the unit is for. It may borrow from
 * one limiter at a time and must stay valid until it has returned the unit. All fields are
 * private. */
struct bight_borrower {
    struct bight_limiter *limiter;
    bool lent; /* else it waits */
};

/* A borrower that has nothing, as bight_borrower_init makes it. So is one that is all zero. */
#define BIGHT_BORROWER_INIT                                                                        \
    {                                                                                              \
        NULL, false                                                                                \
    }

/** Make a limiter of `total` units, which may be 0 or BIGHT_LIMITER_UNLIMITED. There is nothing to
 *  destroy.
 *
 *  @return 0; BIGHT_EINVAL for a negative total.
 *  Thread: any.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_limiter_init(struct bight_limiter *limiter, int64_t total);

/** Make a borrower that has no unit.
 *
 *  Thread: any.
 */
BIGHT_API void bight_borrower_init(struct bight_borrower *borrower);

/** Lend `borrower` a unit, sleeping in FIFO order until one is free.
 *
 *  @return 0; BIGHT_ECANCELED: nothing was lent; BIGHT_EALREADY: the borrower has a unit, or
 *          another task waits to get it one; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing was lent.
 *  Allocates: no.  Thread: the loop's.
 *  Ownership: keeps limiter and borrower until the unit is returned.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_limiter_acquire(struct bight_limiter *limiter,
                                                     struct bight_borrower *borrower);

/** Lend `borrower` a unit if one is free. Does not observe cancellation.
 *
 *  @return 0; BIGHT_EAGAIN; BIGHT_EALREADY as above.
 *  Ownership: keeps limiter and borrower until the unit is returned.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_limiter_try_acquire(struct bight_limiter *limiter,
                                                         struct bight_borrower *borrower);

/** Return the unit of `borrower`. The first waiter gets it, unless the total was lowered below what
 *  is still out. Any task may do it.
 *
 *  @return 0; BIGHT_EPERM: the borrower has no unit of this limiter.
 *  Ownership: returns borrower to the caller.
 */
BIGHT_API int bight_limiter_release(struct bight_limiter *limiter, struct bight_borrower *borrower);

/** Change the number of units. With more, waiters get theirs at once; with fewer, units that are
 *  out stay out until they are returned.
 *
 *  @return 0; BIGHT_EINVAL for a negative total.
 */
BIGHT_API int bight_limiter_set_total(struct bight_limiter *limiter, int64_t total);

/** The number of units. */
BIGHT_API int64_t bight_limiter_total(const struct bight_limiter *limiter);

/** How many units are out. It can be more than the total after that was lowered. */
BIGHT_API int64_t bight_limiter_borrowed(const struct bight_limiter *limiter);

/** How many tasks sleep until they get a unit. Counts them, one by one. */
BIGHT_API size_t bight_limiter_waiting(const struct bight_limiter *limiter);

/** The limiter of which `borrower` has a unit, or NULL. */
BIGHT_API struct bight_limiter *bight_borrower_limiter(const struct bight_borrower *borrower);

BIGHT_END_DECLS

#endif
