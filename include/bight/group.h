/* Groups: tasks that are waited for together. A group is a scope that owns tasks: it ends after all
 * of them, and the first failure cancels the rest and the body. Because it outlives its tasks, what
 * they are given may live on the stack of the one that opened it. */
#ifndef BIGHT_GROUP_H
#define BIGHT_GROUP_H

#include <bight/scope.h>
#include <bight/task.h>
#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

/* A failing task does not cancel the others; bight_group_end still returns the first failure. */
#define BIGHT_GROUP_COLLECT 1u

/* How many failures a group lists; `failed` counts them all. */
#define BIGHT_GROUP_FAILURES 16

struct bight_failure {
    int code;
    char task[BIGHT_TASK_NAME_BYTES];
};

struct bight_group {
    /* Cancel the group with bight_scope_cancel(&group->scope), give it a deadline with
     * bight_scope_set_timeout(&group->scope, timeout_ms), read its state there. */
    struct bight_scope scope;
    /* Readable: the first failures in order of time. A cancelled task has not failed. */
    size_t failed;
    struct bight_failure failures[BIGHT_GROUP_FAILURES];
    /* Private from here. */
    unsigned flags;
    bool gave_way;
    size_t live;
    size_t closes_at; /* wake the closer when so many are left */
    struct bight_waiter *closer;
};

/** Run `body(group, arg)` in a new group and wait for every task spawned into it.
 *
 *  @return as bight_group_end with what body returned; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: no; a cancellation is passed on to body and tasks, all of which are
 *  awaited.  On cancel: BIGHT_ECANCELED after all have ended.  Allocates: no.
 *  Thread: the loop's.  Ownership: borrows arg.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_group(int (*body)(struct bight_group *group, void *arg),
                                           void *arg);

/** Open `group` as the calling task's innermost scope; the rest of the body is in it.
 *
 *  @return 0; BIGHT_EALREADY when it is open; BIGHT_EINVAL for an unknown flag; BIGHT_ENOTASK.
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.
 *  Ownership: keeps group until bight_group_end returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_group_begin(struct bight_group *group, unsigned flags);

/** Queue `fn(arg)` as a task of `group`; any task may do so while the group is open. `options` may
 *  be NULL, and `out` too: the group waits in any case. A task spawned into a cancelled group is
 *  cancelled before its first step.
 *
 *  @return 0; BIGHT_ENOMEM; BIGHT_EINVAL; BIGHT_ECLOSED when the group has ended.
 *  Suspends: no.  Cancellable: no.  Thread: the loop's.
 *  Ownership: borrows options; keeps arg until the task ends; gives *out, valid until joined or
 *  detached, also when the group has ended.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_group_spawn(struct bight_group *group, struct bight_task **out,
                                                 const struct bight_spawn_options *options,
                                                 int (*fn)(void *arg), void *arg);

/** Wait for all tasks of `group` and close it. `rc` is what the body ended with; a negative one
 *  cancels the tasks.
 *
 *  @return the first failure of a task or the body. Else, when the body or a task gave way to a
 *          cancellation: BIGHT_ECANCELED if a scope around the group is cancelled; BIGHT_ETIMEDOUT if
 *          the group's own deadline passed; 0 for BIGHT_ECANCELED of the body if the group was
 *          cancelled itself. Else rc.
 *          BIGHT_ESCOPE: the group is not open in the calling task. Scopes left open inside it are
 *          closed as by bight_scope_end.
 *  Suspends: yes.  Cancellable: no; a cancellation is passed on to the tasks, all of which are
 *  awaited.  On cancel: BIGHT_ECANCELED after all have ended.  Allocates: no.
 *  Thread: the loop's.  Ownership: borrows group.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_group_end(struct bight_group *group, int rc);

BIGHT_END_DECLS

#endif
