/* Gather and map: calls run as tasks of a group that lives in the function's frame. Only tasks are
 * allocated: records are the caller's, and map's bound is on the number of tasks in the group. */
#include "coro/combine/gather.h"
#include "coro/core/source.h"

#include <limits.h>

bool bight__gather_reset(struct bight_gather *calls, size_t count)
{
    bool sound = calls || count == 0;

    if (!calls)
        return sound;
    for (size_t i = 0; i < count; i++) {
        calls[i].status = BIGHT_ECANCELED;
        calls[i].started = false;
        calls[i].cancelled = true;
        sound = sound && calls[i].fn;
    }
    return sound;
}

int bight__gather_run(struct bight_gather *call)
{
    const struct bight_task *self = bight_self();

    call->started = true;
    call->status = call->fn(call->arg);
    call->cancelled = call->status == BIGHT_ECANCELED && bight__scope_was_cancelled(&self->base);
    /* the status that the task will end with */
    if (unlikely(self->scope != &self->base) && call->status >= 0)
        call->status = BIGHT_ESCOPE;
    return call->status;
}

int bight__gather_spawn(struct bight_group *group, struct bight_gather *call, int (*fn)(void *call),
                        const void *site)
{
    const struct bight_spawn_options options = {.name = call->name};

    return bight__spawn(group->scope.task->sched, group, NULL, call->name ? &options : NULL, fn,
                        call, site);
}

bool bight__gather_cancelled(const struct bight_group *group, const struct bight_task *self, int rc)
{
    return (rc == BIGHT_ECANCELED || group->gave_way) && self->scope->effective;
}

/* End a group made with `flags`; its body spawned calls and came to `rc`. */
static int end_calls(struct bight_group *group, unsigned flags, int rc)
{
    const struct bight_task *self = group->scope.task;
    int end = bight_group_end(group, rc);

    if (!(flags & BIGHT_GROUP_COLLECT))
        return end;
    if (rc < 0 && rc != BIGHT_ECANCELED)
        return rc;
    if (bight__gather_cancelled(group, self, rc))
        return BIGHT_ECANCELED;
    return group->failed < INT_MAX ? (int)group->failed : INT_MAX;
}

static int group_flags(unsigned flags, unsigned *to)
{
    *to = flags & BIGHT_GATHER_COLLECT ? BIGHT_GROUP_COLLECT : 0;
    return flags & ~BIGHT_GATHER_COLLECT ? BIGHT_EINVAL : 0;
}

static int gather_call(void *call)
{
    return bight__gather_run(call);
}

int bight_gather_all(struct bight_gather *calls, size_t count, unsigned flags)
{
    bool sound = bight__gather_reset(calls, count);
    struct bight_group group;
    struct bight_task *self;
    int rc;

    if (!sound || group_flags(flags, &flags))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (unlikely(rc))
        return rc;
    rc = bight_group_begin(&group, flags);
    if (rc)
        return rc;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = bight__gather_spawn(&group, &calls[i], gather_call, __builtin_return_address(0));
    return end_calls(&group, flags, rc);
}

int bight_map(int (*fn)(void *item), void *items, size_t item_bytes, size_t count, size_t limit,
              unsigned flags)
{
    struct bight_group group;
    struct bight_task *self;
    int rc;

    if (!fn || (!items && count) || limit == 0 || group_flags(flags, &flags))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (unlikely(rc))
        return rc;
    rc = bight_group_begin(&group, flags);
    if (rc)
        return rc;
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = bight__group_wait_below(&group, limit);
        if (rc == 0)
            rc = bight__spawn(self->sched, &group, NULL, NULL, fn, (char *)items + i * item_bytes,
                              __builtin_return_address(0));
    }
    return end_calls(&group, flags, rc);
}
