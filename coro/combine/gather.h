/* What gather and race share: how a call in the caller's array becomes a task. */
#ifndef BIGHT_CORO_COMBINE_GATHER_H
#define BIGHT_CORO_COMBINE_GATHER_H

#include <bight/gather.h>

#include "coro/core/group.h"

/* Set the results to those of calls that never began. False when a call has no function. */
bool bight__gather_reset(struct bight_gather *calls, size_t count);

/* Run the call, in its task, and record and return its status. */
int bight__gather_run(struct bight_gather *call);

/* Spawn `fn` with the call as its argument, as a task of the group. */
int bight__gather_spawn(struct bight_group *group, struct bight_gather *call, int (*fn)(void *call),
                        const void *site);

/* For a group made with BIGHT_GROUP_COLLECT, after its end: whether calls gave way to a
 * cancellation around it. `rc` is what its body ended with, `self` the task that had it open. */
bool bight__gather_cancelled(const struct bight_group *group, const struct bight_task *self,
                             int rc);

#endif
