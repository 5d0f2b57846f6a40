/* Groups: what the end of a task means to its group, and who is told when a group is lost. */
#ifndef BIGHT_CORO_CORE_GROUP_H
#define BIGHT_CORO_CORE_GROUP_H

#include "coro/core/scope.h"

/* A task that uses a group which another task has open: it drains it, or starts a task into it. It
 * is listed in the owner's control block, because the group may be lost with its frame. */
struct bight_group_user {
    struct bight_group_user *next;
    struct bight_group_user **place; /* what points here; NULL when it is not listed */
    struct bight_group *group;       /* NULL once the group has ended, or is lost */
    void (*lost)(struct bight_group_user *user);
};

/* group.c */
void bight__group_setup(struct bight_group *group, unsigned flags);
/* A member has ended with a negative status. */
void bight__group_failed_by(struct bight_group *group, struct bight_task *task);
/* A member has ended well; called only for groups where that matters. */
void bight__group_succeeded_by(struct bight_group *group, const struct bight_task *task);
/* Move a task whose group is lost to `group`, and cancel it. */
void bight__group_adopt(struct bight_group *group, struct bight_task *task);
/* Move a live task to `group`, which counts it already. The group that it leaves stops counting it,
 * and its own tasks stay with it. */
void bight__group_move(struct bight_group *group, struct bight_task *task);
/* Tell `user` when the group is lost. The group's owner needs no telling, and gets none. */
void bight__group_use(struct bight_group_user *user, struct bight_group *group);
/* `user` need not be told any more. */
void bight__group_unuse(struct bight_group_user *user);
/* Tell the users of those of the task's groups that are not open any more. */
void bight__group_users_tell(const struct bight_task *task);
/* The group counts one less: a task, or a place that was kept for one. */
void bight__group_shrink(struct bight_group *group);
/* Wake those who wait for fewer tasks, if few enough are left. */
void bight__group_wake(struct bight_group *group);
/* Sleep until fewer than `limit` tasks (at least 1) are in the group, which the caller has open.
 * Returns 0 or BIGHT_ECANCELED. */
int bight__group_wait_below(struct bight_group *group, size_t limit);
/* The group that a task is being started into, or NULL when it is not being started. */
struct bight_group *bight__start_target(const struct bight_task *task);
/* Whether the task is in the group or in one below it; also while it is being started into it. */
bool bight__group_contains(const struct bight_group *group, const struct bight_task *task);
/* The group for whose end a task sleeps, or NULL. */
const struct bight_group *bight__group_awaited(const struct bight_task *task);

/* The group of the task, whose base is the group's. */
static inline struct bight_group *bight__group_of(const struct bight_task *task)
{
    return container_of(task->base.parent, struct bight_group, scope);
}

/* The children of the task that owns the group. */
static inline struct bight_link *bight__group_siblings(const struct bight_group *group)
{
    if (group->scope.task)
        return &group->scope.task->children;
    return &container_of(group, struct bight_sched, root)->children;
}

/* The task has ended: take it out of its group and settle what its end means there. Its member
 * node is free for other use. */
static inline void bight__group_left_by(struct bight_task *task)
{
    struct bight_group *group = bight__group_of(task);

    link_cut(&task->member);
    if (unlikely(task->status < 0))
        bight__group_failed_by(group, task);
    else if (unlikely(group->flags & BIGHT_GROUP_FIRST_SUCCESS))
        bight__group_succeeded_by(group, task);
    if (unlikely(--group->live <= group->wakes_at))
        bight__group_wake(group);
}

#endif
