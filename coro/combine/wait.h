/* What wait and as-completed share: a caller's records, each of which watches the end of a task, or
 * a future. */
#ifndef BIGHT_CORO_COMBINE_WAIT_H
#define BIGHT_CORO_COMBINE_WAIT_H

#include <bight/wait.h>

#include "coro/core/task.h"

/* Watch what each item is for, on behalf of `wait`. Of several items for the same thing the first
 * one watches, and the others have it as their twin. Items whose thing has ended are done at once
 * and do not watch; of others `ended` is told, when they are done and unlinked. Returns how many
 * different things there are. */
size_t bight__items_watch(struct bight_wait_item *items, size_t count, void *wait,
                          void (*ended)(struct bight_wait_item *item));

/* Stop watching, and bring the twins up to date. */
void bight__items_leave(struct bight_wait_item *items, size_t count);

/* Whether each has a task or a future of this thread's runtime. 0, BIGHT_EINVAL or BIGHT_EPERM. */
int bight__items_check(const struct bight_wait_item *items, size_t count);

static inline bool bight__item_failed(const struct bight_wait_item *item)
{
    return item->done && item->status < 0 && !item->cancelled;
}

#endif
