/* For those who wait for a future among other things: a place in its list, which future.c
 * serves in order. */
#ifndef BIGHT_CORO_COMBINE_FUTURE_H
#define BIGHT_CORO_COMBINE_FUTURE_H

#include <bight/future.h>

/* Have watch->settled called when the future, which is pending, is done; the watch is unlinked
 * then. Until that the link may be removed at any time. */
void bight__future_watch(struct bight_future *future, struct bight_future_watch *watch);

/* Whether those who wait for the future are of another thread's runtime: then it is theirs. */
bool bight__future_is_foreign(const struct bight_future *future);

#endif
