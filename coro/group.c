/* Groups: a scope that owns tasks. Owns the rules of what the end of a member means to the others;
 * how cancellation travels is scope.c's. The root group of a runtime is one of these without an
 * owner: its members do not fail each other. */
#include "coro/sched.h"

#include <stdio.h>
#include <string.h>

struct drain_wait {
    struct bight_waiter waiter;
    struct bight_group *group;
};

static void drain_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct drain_wait *wait = container_of(waiter, struct drain_wait, waiter);

    snprintf(text, text_bytes, "%zu tasks", wait->group->live);
}

/* No abort: the group ends after its tasks, and a cancellation reaches those by the scope. */
static const struct bight_wait_ops drain_ops = {
    .name = "end of group",
    .describe = drain_describe,
};

void bight__group_setup(struct bight_group *group, unsigned flags)
{
    group->scope.cancelled = false;
    group->scope.expired = false;
    group->scope.caught = false;
    group->scope.effective = false;
    group->scope.kind = SCOPE_GROUP;
    group->scope.magic = SCOPE_MAGIC;
    group->scope.task = NULL;
    group->scope.parent = NULL;
    group->scope.inner = NULL;
    group->scope.deadline_ns = NO_DEADLINE;
    group->scope.earliest_ns = NO_DEADLINE;
    group->failed = 0;
    group->flags = flags;
    group->live = 0;
    group->gave_way = false;
    group->closes_at = 0;
    group->closer = NULL;
}

static void record_failure(struct bight_group *group, const struct bight_task *task, int code)
{
    if (group->failed < BIGHT_GROUP_FAILURES) {
        struct bight_failure *failure = &group->failures[group->failed];

        failure->code = code;
        memcpy(failure->task, task->name, sizeof(failure->task));
    }
    if (group->failed++ == 0 && !(group->flags & BIGHT_GROUP_COLLECT))
        bight__scope_cancel(&group->scope);
}

void bight__group_adopt(struct bight_group *group, struct bight_task *task)
{
    link_remove(&task->member);
    link_append(bight__group_siblings(group), &task->member);
    task->group = group;
    task->base.parent = &group->scope;
    group->live++;
    bight__scope_cancel(&task->base);
}

void bight__failure_unseen(const struct bight_task *task)
{
    if (task->status < 0 && task->status != BIGHT_ECANCELED && !task->group->scope.task &&
        !(task->flags & (TASK_HANDLE | TASK_MAIN)))
        bight__task_report(task, BIGHT_REPORT_UNSEEN_FAILURE, task->status, 0,
                           "failed, and nobody has its handle");
}

void bight__group_failed_by(struct bight_group *group, const struct bight_task *task)
{
    if (task->status == BIGHT_ECANCELED)
        group->gave_way |= group->scope.effective;
    else if (group->scope.task)
        record_failure(group, task, task->status);
    else
        bight__failure_unseen(task);
}

/* Sleep until the group has no tasks; a cancellation does not end the sleep. */
static void drain(struct bight_group *group)
{
    struct drain_wait wait = {.group = group};

    while (group->live) {
        if (bight_waiter_init(&wait.waiter, &drain_ops))
            return;
        group->closer = &wait.waiter;
        /* It has no way to fail: the wait cannot be aborted. */
        (void)!bight_park(&wait.waiter);
        group->closer = NULL;
    }
}

static int below_abort(struct bight_waiter *waiter)
{
    container_of(waiter, struct drain_wait, waiter)->group->closer = NULL;
    return 0;
}

static const struct bight_wait_ops below_ops = {
    .name = "room in a group",
    .abort = below_abort,
    .describe = drain_describe,
};

int bight__group_wait_below(struct bight_group *group, size_t limit)
{
    struct drain_wait wait = {.group = group};
    int rc = 0;

    group->closes_at = limit - 1;
    while (group->live >= limit && rc == 0) {
        rc = bight_waiter_init(&wait.waiter, &below_ops);
        if (rc)
            break;
        group->closer = &wait.waiter;
        rc = bight_park(&wait.waiter);
        group->closer = NULL;
    }
    group->closes_at = 0;
    return rc;
}

const struct bight_group *bight__group_awaited(const struct bight_task *task)
{
    if (!task->parked || task->parked->ops != &drain_ops)
        return NULL;
    return container_of(task->parked, struct drain_wait, waiter)->group;
}

static int group_begin(struct bight_group *group, unsigned flags, struct bight_task *self)
{
    if (bight__scope_is_open(&group->scope, self))
        return BIGHT_EALREADY;
    group->scope.magic = 0;
    if (flags & ~BIGHT_GROUP_COLLECT)
        return BIGHT_EINVAL;
    bight__group_setup(group, flags);
    bight__scope_open(&group->scope, self, SCOPE_GROUP, NO_DEADLINE);
    return 0;
}

int bight_group_begin(struct bight_group *group, unsigned flags)
{
    struct bight_task *self = bight_self();

    if (!self) {
        group->scope.magic = 0;
        return BIGHT_ENOTASK;
    }
    bight__scopes_check(self, __builtin_frame_address(0));
    return group_begin(group, flags, self);
}

int bight_group_spawn(struct bight_group *group, struct bight_task **out,
                      const struct bight_spawn_options *options, int (*fn)(void *arg), void *arg)
{
    if (group->scope.magic != SCOPE_MAGIC || !group->scope.task)
        return BIGHT_ECLOSED;
    return bight__spawn(group->scope.task->sched, group, out, options, fn, arg,
                        __builtin_return_address(0));
}

/* Everything has ended: what the group as a whole came to. */
static int group_outcome(const struct bight_group *group, int rc, bool cancelled_around)
{
    bool gave_way = rc == BIGHT_ECANCELED || (rc >= 0 && group->gave_way);

    if (group->failed)
        return group->failures[0].code;
    if (!gave_way)
        return rc;
    if (cancelled_around)
        return BIGHT_ECANCELED;
    if (group->scope.expired)
        return BIGHT_ETIMEDOUT;
    return group->scope.cancelled && rc == BIGHT_ECANCELED ? 0 : rc;
}

static int group_end(struct bight_group *group, struct bight_task *self, int rc)
{
    bool cancelled_around;

    if (rc < 0) {
        if (rc != BIGHT_ECANCELED)
            record_failure(group, self, rc);
        if (!group->scope.effective)
            bight__scope_cancel(&group->scope);
    }
    bight__breathe(self);
    drain(group);
    cancelled_around = group->scope.parent->effective;
    bight__scope_close(&group->scope);
    return group_outcome(group, rc, cancelled_around);
}

int bight_group_end(struct bight_group *group, int rc)
{
    struct bight_task *self = bight_self();

    if (!self)
        return BIGHT_ENOTASK;
    bight__scopes_check(self, __builtin_frame_address(0));
    if (group->scope.magic != SCOPE_MAGIC || !(group->scope.kind & SCOPE_GROUP) ||
        !bight__scope_make_innermost(&group->scope, self))
        return BIGHT_ESCOPE;
    return group_end(group, self, rc);
}

int bight_group(int (*body)(struct bight_group *group, void *arg), void *arg)
{
    struct bight_task *self = bight_self();
    struct bight_group group;
    int rc;

    if (!self)
        return BIGHT_ENOTASK;
    bight__scopes_check(self, __builtin_frame_address(0));
    rc = group_begin(&group, 0, self);
    if (rc)
        return rc;
    rc = body(&group, arg);
    /* What lies below our own group belonged to the body. */
    bight__scopes_check(self, (const char *)&group);
    if (!bight__scope_make_innermost(&group.scope, self))
        return BIGHT_ESCOPE;
    return group_end(&group, self, rc);
}
