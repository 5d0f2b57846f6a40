/* Groups: a scope that owns tasks. This file has the rules of what the end of a member means to the
 * others; cancel.c has how cancellation travels. The root group of a runtime is one of these
 * without an owner: its members do not fail each other. */
#include "coro/core/group.h"
#include "coro/core/source.h"

#include <stdio.h>
#include <string.h>

/* A wait until fewer than `below` tasks are left. */
struct drain_wait {
    struct bight_waiter waiter;
    struct bight_group_user user;
    size_t below;
};

static void drain_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct drain_wait *wait = container_of(waiter, struct drain_wait, waiter);

    snprintf(text, text_bytes, "%zu tasks", wait->user.group->live);
}

/* No abort hook: the group ends after its tasks, and the scope carries a cancellation to those. */
static const struct bight_waiter_ops end_ops = {
    .name = "end of group",
    .describe = drain_describe,
};

static const struct bight_waiter_ops drain_ops = {
    .name = "tasks of group",
    .abort = bight__unlink_abort,
    .describe = drain_describe,
};

static const struct bight_waiter_ops below_ops = {
    .name = "room in a group",
    .abort = bight__unlink_abort,
    .describe = drain_describe,
};

void bight__group_setup(struct bight_group *group, unsigned flags)
{
    bight__scope_start(&group->scope, SCOPE_GROUP, SCOPE_MAGIC, NULL, NULL);
    group->failed = 0;
    group->winner_id = 0;
    group->winner_status = 0;
    group->live = 0;
    group->flags = flags;
    group->gave_way = false;
    group->failed_first = false;
    group->wakes_at = 0;
    link_init(&group->waiters);
    group->on_failure = NULL;
}

static void record_failure(struct bight_group *group, const struct bight_task *task, int code)
{
    struct bight_failure failure = {.code = code};

    memcpy(failure.task, task->name, sizeof(failure.task));
    if (group->failed < BIGHT_GROUP_FAILURES)
        group->failures[group->failed] = failure;
    if (group->failed++ == 0 && !group->flags) {
        group->failed_first = !group->scope.cancelled && !group->scope.expired;
        bight__scope_cancel(&group->scope);
    }
    if (group->on_failure)
        group->on_failure(group->on_failure_arg, &failure);
}

void bight__group_succeeded_by(struct bight_group *group, const struct bight_task *task)
{
    if (group->winner_id)
        return;
    group->winner_id = task->id;
    group->winner_status = task->status;
    bight__scope_cancel(&group->scope);
}

void bight__group_wake(struct bight_group *group)
{
    struct bight_link *link;

    for (link = group->waiters.next; link != &group->waiters; link = link->next) {
        struct drain_wait *wait = container_of(link, struct drain_wait, waiter.link);

        if (group->live < wait->below)
            bight_unpark(&wait->waiter, 0);
    }
    if (link_empty(&group->waiters))
        group->wakes_at = 0;
}

void bight__group_shrink(struct bight_group *group)
{
    if (--group->live <= group->wakes_at)
        bight__group_wake(group);
}

void bight__group_move(struct bight_group *group, struct bight_task *task)
{
    struct bight_group *left = bight__group_of(task);

    link_remove(&task->member);
    link_append(bight__group_siblings(group), &task->member);
    task->base.parent = &group->scope;
    bight__scope_follow(&task->base);
    bight__drain_follow(task);
    bight__group_shrink(left);
}

void bight__group_adopt(struct bight_group *group, struct bight_task *task)
{
    link_remove(&task->member);
    link_append(bight__group_siblings(group), &task->member);
    task->base.parent = &group->scope;
    task->base.kind |= SCOPE_TORN;
    group->live++;
    bight__scope_cancel(&task->base);
}

void bight__group_failed_by(struct bight_group *group, struct bight_task *task)
{
    if (group->scope.task)
        task->flags |= TASK_SEEN; /* seen by the group, which may be gone when the handle is used */
    if (task->flags & TASK_GAVE_WAY)
        group->gave_way |= group->scope.effective;
    else if (task->flags & TASK_DRAINED)
        return; /* it has not failed */
    else if (group->scope.task)
        record_failure(group, task, task->status);
    else
        bight__failure_unseen(task);
}

void bight__group_use(struct bight_group_user *user, struct bight_group *group)
{
    struct bight_task *owner = group->scope.task;

    user->group = group;
    user->place = NULL;
    if (owner == bight_self())
        return;
    user->next = owner->group_users;
    user->place = &owner->group_users;
    if (user->next)
        user->next->place = &user->next;
    owner->group_users = user;
}

void bight__group_unuse(struct bight_group_user *user)
{
    if (!user->place)
        return;
    *user->place = user->next;
    if (user->next)
        user->next->place = user->place;
    user->place = NULL;
}

void bight__group_users_tell(const struct bight_task *task)
{
    struct bight_group_user *user, *next;

    for (user = task->group_users; user; user = next) {
        next = user->next;
        if (bight__scope_is_open(&user->group->scope, task)) /* uses only its address */
            continue;
        bight__group_unuse(user);
        user->group = NULL;
        user->lost(user);
    }
}

/* The group's list, which has this wait and all others in it, is lost with the group. */
static void drain_lost(struct bight_group_user *user)
{
    struct drain_wait *wait = container_of(user, struct drain_wait, user);

    link_init(&wait->waiter.link);
    bight_unpark(&wait->waiter, BIGHT_ECLOSED);
}

/* When the waiter runs, the group may have new tasks: then it sleeps again. Or the group may have
 * ended: so the wait stays linked until it runs, and the end finds it. */
static int wait_below(struct bight_group *group, size_t below, const struct bight_waiter_ops *ops)
{
    struct drain_wait wait = {.user.lost = drain_lost, .below = below};
    int rc = 0;

    bight__group_use(&wait.user, group);
    while (wait.user.group && group->live >= below && rc == 0) {
        bight__waiter_begin(&wait.waiter, ops);
        if (group->wakes_at < below - 1)
            group->wakes_at = below - 1;
        link_append(&group->waiters, &wait.waiter.link);
        rc = bight_park(&wait.waiter);
        link_remove(&wait.waiter.link);
    }
    bight__group_unuse(&wait.user);
    return rc;
}

int bight__group_wait_below(struct bight_group *group, size_t limit)
{
    return wait_below(group, limit, &below_ops);
}

int bight_group_drain(struct bight_group *group)
{
    struct bight_task *self;
    int rc;

    if (!group)
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (rc)
        return rc;
    if (group->scope.magic != SCOPE_MAGIC || !group->scope.task)
        return BIGHT_ECLOSED;
    if (bight__is_foreign(group->scope.task))
        return BIGHT_EPERM;
    if (bight__group_contains(group, self))
        return BIGHT_EDEADLK;
    return wait_below(group, 1, &drain_ops);
}

struct bight_group *bight__start_target(const struct bight_task *task)
{
    return task->starting ? task->starting->group : NULL;
}

/* A task that is being started into a group counts as a member already. */
bool bight__group_contains(const struct bight_group *group, const struct bight_task *task)
{
    for (; task; task = bight__group_of(task)->scope.task) {
        if (bight__group_of(task) == group || bight__start_target(task) == group)
            return true;
    }
    return false;
}

const struct bight_group *bight__group_awaited(const struct bight_task *task)
{
    const struct bight_waiter *parked = task->parked;

    if (!parked || (parked->ops != &end_ops && parked->ops != &drain_ops))
        return NULL;
    return container_of(parked, struct drain_wait, waiter)->user.group;
}

/* The policies exclude each other. */
static bool flags_valid(unsigned flags)
{
    return flags == 0 || flags == BIGHT_GROUP_COLLECT || flags == BIGHT_GROUP_FIRST_SUCCESS;
}

static int group_begin(struct bight_group *group, const struct bight_group_options *options,
                       struct bight_task *self)
{
    if (bight__scope_begun(&group->scope, self))
        return BIGHT_EALREADY;
    group->scope.magic = 0;
    if (!flags_valid(options->flags))
        return BIGHT_EINVAL;
    bight__group_setup(group, options->flags);
    group->on_failure = options->on_failure;
    group->on_failure_arg = options->on_failure_arg;
    bight__scope_open(&group->scope, self, SCOPE_GROUP, NO_DEADLINE);
    return 0;
}

static const struct bight_group_options default_options;

int bight_group_begin_with(struct bight_group *group, const struct bight_group_options *options)
{
    struct bight_task *self = bight_self();

    if (!group)
        return BIGHT_EINVAL;
    if (!self) {
        group->scope.magic = 0;
        return BIGHT_ENOTASK;
    }
    bight__scopes_check(self, __builtin_frame_address(0));
    return group_begin(group, options ? options : &default_options, self);
}

int bight_group_begin(struct bight_group *group, unsigned flags)
{
    struct bight_task *self = bight_self();
    struct bight_group_options options = {.flags = flags};

    if (!group)
        return BIGHT_EINVAL;
    if (!self) {
        group->scope.magic = 0;
        return BIGHT_ENOTASK;
    }
    bight__scopes_check(self, __builtin_frame_address(0));
    return group_begin(group, &options, self);
}

/* The result of the group as a whole, after everything in it has ended. */
static int group_outcome(struct bight_group *group, int rc, bool cancelled_around)
{
    bool well = rc >= 0 || bight__scope_was_drained(&group->scope, rc);
    bool gave_way = rc == BIGHT_ECANCELED || (well && group->gave_way);

    if (group->winner_id)
        return group->winner_status;
    if (group->failed)
        return group->failures[0].code;
    if (!gave_way)
        return rc;
    if (cancelled_around)
        return BIGHT_ECANCELED;
    group->scope.caught = group->scope.expired || group->scope.cancelled;
    if (group->scope.expired)
        return BIGHT_ETIMEDOUT;
    return group->scope.cancelled && rc == BIGHT_ECANCELED ? 0 : rc;
}

/* The last task has ended. That has woken others too, which must not look at the group any more. */
static void waiters_released(struct bight_group *group)
{
    struct bight_link *link;

    while ((link = link_take(&group->waiters))) {
        struct drain_wait *wait = container_of(link, struct drain_wait, waiter.link);

        wait->user.group = NULL;
        bight__group_unuse(&wait->user);
    }
}

/* End the group; scopes below `frame` are gone. */
static int group_end(struct bight_group *group, struct bight_task *self, int rc, const char *frame)
{
    bool whole = bight__scopes_check(self, frame) && self->scope == &group->scope;
    bool cancelled_around;

    if (group->scope.magic != SCOPE_MAGIC || !(group->scope.kind & SCOPE_GROUP) ||
        !bight__scope_make_innermost(&group->scope, self))
        return BIGHT_ESCOPE;
    if (rc < 0 && !bight__scope_was_drained(&group->scope, rc)) {
        if (rc != BIGHT_ECANCELED || !bight__scope_was_cancelled(&group->scope))
            record_failure(group, self, rc);
        if (!group->scope.effective)
            bight__scope_cancel(&group->scope);
    }
    bight__breathe(self);
    (void)!wait_below(group, 1, &end_ops); /* cannot fail */
    waiters_released(group);
    cancelled_around = group->scope.parent->effective && !(group->scope.kind & SCOPE_SHIELDS);
    bight__scope_close(&group->scope);
    rc = group_outcome(group, rc, cancelled_around);
    return whole || rc < 0 ? rc : BIGHT_ESCOPE;
}

int bight_group_end(struct bight_group *group, int rc)
{
    struct bight_task *self = bight_self();

    if (!group)
        return BIGHT_EINVAL;
    if (!self)
        return BIGHT_ENOTASK;
    return group_end(group, self, rc, __builtin_frame_address(0));
}

int bight_group_run(int (*body)(struct bight_group *group, void *arg), void *arg)
{
    struct bight_task *self = bight_self();
    struct bight_group group;
    int rc;

    if (!body)
        return BIGHT_EINVAL;
    if (!self)
        return BIGHT_ENOTASK;
    bight__scopes_check(self, __builtin_frame_address(0));
    rc = group_begin(&group, &default_options, self);
    if (rc)
        return rc;
    rc = body(&group, arg);
    /* What lies below our own group was the body's. */
    return group_end(&group, self, rc, (const char *)&group);
}
