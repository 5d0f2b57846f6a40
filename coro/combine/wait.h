/* What wait and as-completed share: a caller's records, which watch the ends of its tasks. */
#ifndef BIGHT_CORO_COMBINE_WAIT_H
#define BIGHT_CORO_COMBINE_WAIT_H

#include <bight/wait.h>

#include "coro/core/task.h"

/* Watch the task of each item for `wait`. Of several items with the same task the first one
 * watches, and the others have it as their twin. Items whose task has ended are done at once and do
 * not watch. Returns how many different tasks there are. */
size_t bight__items_watch(struct bight_wait_item *items, size_t count, void *wait,
                          void (*ended)(struct bight_end_watch *watch, struct bight_task *task));

/* Stop watching, and bring the twins up to date. */
void bight__items_leave(struct bight_wait_item *items, size_t count);

/* Whether each has a task of this thread's runtime. 0, BIGHT_EINVAL or BIGHT_EPERM. */
int bight__items_check(const struct bight_wait_item *items, size_t count);

static inline struct bight_wait_item *bight__item_of(struct bight_end_watch *watch)
{
    return container_of(watch, struct bight_wait_item, watch);
}

/* The item's task has ended. */
static inline void bight__item_note(struct bight_wait_item *item)
{
    item->done = true;
    item->status = item->task->status;
    item->cancelled = bight_task_was_cancelled(item->task);
}

static inline bool bight__item_failed(const struct bight_wait_item *item)
{
    return item->done && item->status < 0 && !item->cancelled;
}

#endif
