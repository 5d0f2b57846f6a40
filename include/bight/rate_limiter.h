/* Rate limiter: a token bucket. Tokens come at an even rate up to a burst, and are given out in the
 * order in which they were asked for, never early. Using one never allocates. */
#ifndef BIGHT_RATE_LIMITER_H
#define BIGHT_RATE_LIMITER_H

#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

/* All fields are private. One that is all zero has no rate: calls on it say BIGHT_EINVAL. */
struct bight_rate_limiter {
    /* Levels count shares of a token: each ns brings `amount` of them, a token is `period_ns`. So
     * nothing is ever rounded. */
    uint64_t amount;
    uint64_t period_ns;
    uint64_t capacity;
    uint64_t level;
    uint64_t filled_ns; /* when `level` was computed */
    struct bight_link waiters;
};

/** Make a limiter that lets `amount` tokens through per `period_ms`, and up to `burst` at once
 *  after a pause. It begins full. There is nothing to destroy.
 *
 *  @return 0; BIGHT_EINVAL for a zero; BIGHT_ERANGE for a burst or an amount that is too large to
 *          count.
 *  Thread: any.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_rate_limiter_init(struct bight_rate_limiter *limiter,
                                                       uint32_t amount, uint32_t period_ms,
                                                       uint32_t burst);

/** Take `tokens`, sleeping in FIFO order until there are as many: small requests do not overtake a
 *  large one ahead of them.
 *
 *  @return 0; BIGHT_ECANCELED: none was taken; BIGHT_ERANGE: more than the burst; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, no token was taken.
 *  Allocates: no.  Thread: the loop's.  Ownership: keeps limiter until it returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_rate_limiter_acquire(struct bight_rate_limiter *limiter,
                                                          uint32_t tokens);

/** Take `tokens` if there are as many and nobody waits. Does not observe cancellation; needs no
 *  task.
 *
 *  @return 0; BIGHT_EAGAIN; BIGHT_ERANGE: more than the burst; BIGHT_ENORUNTIME.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_rate_limiter_try_acquire(struct bight_rate_limiter *limiter,
                                                              uint32_t tokens);

/** How many whole tokens there are now; 0 without a runtime. */
BIGHT_API uint32_t bight_rate_limiter_available(struct bight_rate_limiter *limiter);

BIGHT_END_DECLS

#endif
