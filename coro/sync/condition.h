/* What a runtime that is stuck asks of conditions. */
#ifndef BIGHT_CORO_SYNC_CONDITION_H
#define BIGHT_CORO_SYNC_CONDITION_H

#include <bight/condition.h>

/* Nothing can happen any more. A task that waits to lock a mutex again, which cannot be cancelled,
 * ends that wait without the mutex. False: it does not wait so. */
bool bight__condition_give_up(struct bight_task *task);

#endif
