/* The tickers of <bight/ticker.h>: a grid of points in time, and the next one to wait for. Each
 * wait is a sleep of its own, so nothing is armed in between. */
#include "coro/core/source.h"
#include "runtime/runtime.h"

#include <bight/ticker.h>
#include <bight/time.h>

#include <limits.h>

void bight_ticker_reset(struct bight_ticker *ticker)
{
    if (!ticker)
        return;
    ticker->next_ns = bight_now_ns() + ticker->period_ns;
}

int bight_ticker_init(struct bight_ticker *ticker, int64_t period_ms,
                      enum bight_ticker_policy policy)
{
    /* Half of the clock's range, so that the next tick is never beyond it. */
    if (!ticker || period_ms <= 0 || (uint64_t)period_ms > UINT64_MAX / 2 / 1000000)
        return BIGHT_EINVAL;
    if ((unsigned)policy > BIGHT_TICKER_DELAY)
        return BIGHT_EINVAL;
    ticker->period_ns = (uint64_t)period_ms * 1000000;
    ticker->policy = policy;
    bight_ticker_reset(ticker);
    return 0;
}

/* The tick at next_ns has come. */
static int advance(struct bight_ticker *ticker, uint64_t now_ns)
{
    uint64_t missed = (now_ns - ticker->next_ns) / ticker->period_ns;

    switch (ticker->policy) {
    case BIGHT_TICKER_BURST:
        ticker->next_ns += ticker->period_ns;
        return 1;
    case BIGHT_TICKER_SKIP:
        ticker->next_ns += (missed + 1) * ticker->period_ns;
        break;
    case BIGHT_TICKER_DELAY:
        ticker->next_ns = now_ns + ticker->period_ns;
        break;
    }
    return missed < INT_MAX ? (int)missed + 1 : INT_MAX;
}

int bight_ticker_wait(struct bight_ticker *ticker)
{
    struct bight_task *self;
    uint64_t now_ns;
    int rc;

    if (!ticker || !ticker->period_ns) /* a record that is all zero */
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    /* Another task may have taken the tick meanwhile. */
    for (; rc == 0; rc = bight__sleep_until(ticker->next_ns)) {
        now_ns = self->sched->driver->now_ns(self->sched);
        if (now_ns >= ticker->next_ns)
            return advance(ticker, now_ns);
    }
    return rc;
}
