/* Wait group: a count, and those who wait until it is zero. */
#include "coro/core/source.h"

#include <bight/wait_group.h>

static const struct bight_waiter_ops wait_group_ops = {
    .name = "wait group",
    .abort = bight__unlink_abort,
};

void bight_wait_group_init(struct bight_wait_group *group)
{
    if (!group)
        return;
    group->count = 0;
    link_init(&group->waiters);
}

int bight_wait_group_add(struct bight_wait_group *group, int64_t count)
{
    if (!group)
        return BIGHT_EINVAL;
    if (count < 0 ? group->count + count < 0 : count > INT64_MAX - group->count)
        return BIGHT_ERANGE;
    if (bight__waiters_are_foreign(&group->waiters))
        return BIGHT_EPERM;
    group->count += count;
    if (group->count == 0)
        bight__wake_all(&group->waiters, 0);
    return 0;
}

int bight_wait_group_finish(struct bight_wait_group *group)
{
    return bight_wait_group_add(group, -1);
}

int bight_wait_group_wait(struct bight_wait_group *group)
{
    struct bight_waiter waiter;
    struct bight_task *self;
    int rc;

    if (unlikely(!group))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (unlikely(rc) || group->count == 0)
        return rc;
    return bight__wait_in(&group->waiters, &waiter, &wait_group_ops);
}

int64_t bight_wait_group_count(const struct bight_wait_group *group)
{
    return group ? group->count : 0;
}

size_t bight_wait_group_waiting(const struct bight_wait_group *group)
{
    return group ? list_count(&group->waiters) : 0;
}
