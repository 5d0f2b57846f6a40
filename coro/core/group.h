/* Groups: what the end of a task means to its group, and who is told when a group is lost. */
#ifndef BIGHT_CORO_CORE_GROUP_H
#define BIGHT_CORO_CORE_GROUP_H

#include "coro/core/scope.h"

/* A task that uses a group which another has open: drains it, or starts a task into it. Listed
 * in the owner's control block, because the group may be lost with its frame. */
struct bight_group_user {
    struct bight_group_user *next;
    struct bight_group_user **place; /* what points here; NULL when it is not listed */
    struct bight_group *group;       /* NULL once that has ended, or is lost */
    void (*lost)(struct bight_group_user *user);
};

/* group.c */
void bight__group_setup(struct bight_group *group, unsigned flags);
/* A member has ended with a negative status. */
void bight__group_failed_by(struct bight_group *group, struct bight_task *task);
/* A member has ended well, where that matters. */
void bight__group_succeeded_by(struct bight_group *group, const struct bight_task *task);
/* Move a task whose group is lost to `group`, cancelled. */
void bight__group_adopt(struct bight_group *group, struct bight_task *task);
/* Move a live task to `group`, which counts it already; the group that it leaves does not count
 * it any more, and its own tasks stay with it. */
void bight__group_move(struct bight_group *group, struct bight_task *task);
/* Have `user` told when the group is lost; needless, and not done, for the group's owner. */
void bight__group_use(struct bight_group_user *user, struct bight_group *group);
/* It needs no telling any more. */
void bight__group_unuse(struct bight_group_user *user);
/* Tell the users of those groups of the task that are not open any more. */
void bight__group_users_tell(const struct bight_task *task);
/* One task less, or what was counted as one. */
void bight__group_shrink(struct bight_group *group);
/* Few enough tasks are left for somebody who waits for that, perhaps. */
void bight__group_wake(struct bight_group *group);
/* Sleep until fewer than `limit` tasks, at least 1, are in the group; the caller has it open. 0 or
 * BIGHT_ECANCELED. */
int bight__group_wait_below(struct bight_group *group, size_t limit);
/* The group that a task is being started into, NULL for one that is not. */
struct bight_group *bight__start_target(const struct bight_task *task);
/* Whether the task is in the group, or in one below it; a task that is being started into it is. */
bool bight__group_contains(const struct bight_group *group, const struct bight_task *task);
/* The group whose end a task sleeps in, else NULL. */
const struct bight_group *bight__group_awaited(const struct bight_task *task);

/* The children of the task that owns the group. */
static inline struct bight_link *bight__group_siblings(const struct bight_group *group)
{
    if (group->scope.task)
        return &group->scope.task->children;
    return &container_of(group, struct bight_sched, root)->children;
}

/* The halves of a task's life in its group, inlined into spawn and end. */
static inline void bight__group_joined_by(struct bight_group *group, struct bight_task *task)
{
    struct bight_scope *base = &task->base;

    bight__scope_start(base, 0, SCOPE_MAGIC, task, &group->scope);
    base->effective = group->scope.effective;
    if (base->effective)
        task->pending |= PENDING_CANCEL;
    task->scope = base;
    task->group = group;
    link_append(bight__group_siblings(group), &task->member);
    group->live++;
}

/* The task has ended: take it out of its group and settle what its end means there. Its member
 * node is free for other use. */
static inline void bight__group_left_by(struct bight_task *task)
{
    struct bight_group *group = task->group;

    link_cut(&task->member);
    if (unlikely(task->status < 0))
        bight__group_failed_by(group, task);
    else if (unlikely(group->flags & BIGHT_GROUP_FIRST_SUCCESS))
        bight__group_succeeded_by(group, task);
    if (unlikely(--group->live <= group->wakes_at))
        bight__group_wake(group);
}

#endif
