/* Tickers: ticks at a fixed period, without drift: they stand on a grid that does not move with the
 * work in between. The record is the caller's memory, usually on its stack; there is nothing to
 * destroy. */
#ifndef BIGHT_TICKER_H
#define BIGHT_TICKER_H

#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

/* What becomes of ticks that passed while nobody waited, because the work took longer than a
 * period. */
enum bight_ticker_policy {
    /* They are made up for: the next waits return at once, one tick each, until they have caught
     * up. */
    BIGHT_TICKER_BURST,
    /* They are skipped: the next wait says how many, and goes on with the next tick of the grid. */
    BIGHT_TICKER_SKIP,
    /* They are skipped, and the grid moves: the next tick is a full period after the late one. */
    BIGHT_TICKER_DELAY,
};

struct bight_ticker {
    /* Private. */
    uint64_t next_ns;
    uint64_t period_ns;
    enum bight_ticker_policy policy;
};

/** Initialise `ticker`; its first tick is one period from now.
 *
 *  @return 0; BIGHT_EINVAL for a period that is not positive, or beyond the clock, or an unknown
 *          policy.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_ticker_init(struct bight_ticker *ticker, int64_t period_ms,
                                                 enum bight_ticker_policy policy);

/** Sleep until the next tick; return at once when it has passed. When several tasks wait for one
 *  ticker, each tick goes to one of them.
 *
 *  @return how many ticks have passed: 1, and with SKIP and DELAY also the missed ones;
 *          BIGHT_ECANCELED; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, the tick is still to come.  Allocates: no.
 *  Thread: the loop's.  Ownership: borrows ticker.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_ticker_wait(struct bight_ticker *ticker);

/** Begin again: the next tick is one period from now. */
BIGHT_API void bight_ticker_reset(struct bight_ticker *ticker);

BIGHT_END_DECLS

#endif
