/* What a stuck runtime asks of conditions. */
#ifndef BIGHT_CORO_SYNC_CONDITION_H
#define BIGHT_CORO_SYNC_CONDITION_H

#include <bight/condition.h>

/* Called when nothing can happen any more. A task that waits to lock a mutex again, which cannot be
 * cancelled, ends that wait without the mutex. False: the task does not wait for that. */
bool bight__condition_give_up(struct bight_task *task);

#endif
