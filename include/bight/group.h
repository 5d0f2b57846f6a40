/* Groups: tasks that are waited for together. A group is a scope that owns tasks: it ends after all
 * of them, and the first failure cancels the rest and the body. Because it outlives its tasks,
 * their arguments may live on the stack of the task that opened it. */
#ifndef BIGHT_GROUP_H
#define BIGHT_GROUP_H

#include <bight/scope.h>
#include <bight/task.h>
#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

/* A failing task does not cancel the others; bight_group_end still returns the first failure. */
#define BIGHT_GROUP_COLLECT 1u

/* The first task that ends with a status that is not negative cancels the others, and its status is
 * what bight_group_end returns. Failures cancel nobody and count only when no task succeeded. */
#define BIGHT_GROUP_FIRST_SUCCESS 2u

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
    /* Readable: the first failures in order of time. A cancelled task has not failed; one that
     * returned BIGHT_ECANCELED without having been cancelled has, and so has such a body. */
    size_t failed;
    struct bight_failure failures[BIGHT_GROUP_FAILURES];
    /* Readable, with BIGHT_GROUP_FIRST_SUCCESS: the task that succeeded first, 0 while there is
     * none, and its status. */
    uint64_t winner_id;
    int winner_status;
    /* Readable: how many tasks have not ended. */
    size_t live;
    /* Private from here. */
    unsigned flags;
    bool gave_way;
    bool failed_first; /* a failure is what cancelled it */
    size_t wakes_at;   /* with so many left or fewer, look at `waiters` */
    struct bight_link waiters;
    void (*on_failure)(void *arg, const struct bight_failure *failure);
    void *on_failure_arg;
};

/* How to open a group. Zero is the default for every field. */
struct bight_group_options {
    /* BIGHT_GROUP_COLLECT, BIGHT_GROUP_FIRST_SUCCESS or 0: the first failure cancels the others. */
    unsigned flags;
    /* Called for each failure as it happens, also for those that the group no longer lists; on the
     * loop's thread, possibly inside the task that fails; must not suspend. */
    void (*on_failure)(void *arg, const struct bight_failure *failure);
    void *on_failure_arg;
};

/** Run `body(group, arg)` in a new group and wait for every task spawned into it.
 *
 *  @return as bight_group_end with what body returned; BIGHT_EINVAL without body; BIGHT_ENOTASK.
 *  Suspends: yes.
 *  Cancellable: no; a cancellation is passed on to body and tasks, all of which are awaited.
 *  On cancel: BIGHT_ECANCELED after all have ended.  Allocates: no.  Thread: the loop's.
 *  Ownership: borrows arg.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_group_run(int (*body)(struct bight_group *group, void *arg),
                                               void *arg);

/** Open `group` as the calling task's innermost scope; what follows is its body.
 *
 *  @return 0; BIGHT_EALREADY when it is open; BIGHT_EINVAL for an unknown flag or two policies;
 *          BIGHT_ENOTASK.
 *  Ownership: keeps group until bight_group_end returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_group_begin(struct bight_group *group, unsigned flags);

/** bight_group_begin with options; NULL for the defaults.
 *
 *  @return 0; BIGHT_EALREADY when it is open; BIGHT_EINVAL for an unknown flag or two policies;
 *          BIGHT_ENOTASK.
 *  Ownership: keeps group until bight_group_end returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_group_begin_with(struct bight_group *group,
                                                      const struct bight_group_options *options);

/** Queue `fn(arg)` as a task of `group`; any task may do so while the group is open. `options` may
 *  be NULL, and `out` too: the group waits in any case. A task spawned into a cancelled group is
 *  cancelled before its first step.
 *
 *  @return 0; BIGHT_ENOMEM; BIGHT_EINVAL; BIGHT_ECLOSED when the group has ended.
 *  Ownership: keeps arg until the task ends; gives *out, valid until joined or detached, also when
 *  the group has ended.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_group_spawn(struct bight_task **out, struct bight_group *group,
                                                 const struct bight_spawn_options *options,
                                                 int (*fn)(void *arg), void *arg);

/** Spawn `fn(arg)` and sleep until it calls bight_group_started: for a task that has to prepare
 *  something, such as a port to listen on, before its caller goes on. Until then the task belongs
 *  to the caller: what cancels the caller cancels it, and its failure is the result of this call.
 *  From then on it belongs to `group`, which stays open meanwhile.
 *
 *  @return 0: it is ready, `*value` (may be NULL) is what it passed; its status, if it failed
 *          before it was ready; BIGHT_ENOTREADY: it ended without calling bight_group_started;
 *          BIGHT_ECANCELED: this call was cancelled, and the task has ended; BIGHT_ECLOSED: the
 *          group has ended; BIGHT_ENOMEM; BIGHT_EINVAL; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: no; a cancellation is passed on to the task, whose end is awaited.
 *  On cancel: BIGHT_ECANCELED after it has ended, or 0 if it was ready and ended well all the same.
 *  Allocates: a stack, as every spawn.  Thread: the loop's.
 *  Ownership: borrows options and value; keeps arg until the task ends; gives *out on success.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_group_start(struct bight_task **out, struct bight_group *group,
                                                 const struct bight_spawn_options *options,
                                                 int (*fn)(void *arg), void *arg, int *value);

/** In a task of bight_group_start: say that it is ready, pass a value to its starter, and go on as
 *  a task of the group. When the starter is cancelled already the task stays with it, cancelled.
 *
 *  @return 0; BIGHT_EINVAL: no starter waits for it, or it was called before; BIGHT_ENOTASK.
 */
BIGHT_API int bight_group_started(int value);

/** Sleep until no task of `group` is left, and keep it open. Others may spawn into it meanwhile.
 *
 *  @return 0; BIGHT_ECANCELED; BIGHT_EDEADLK: the caller is a task of the group, or was started by
 *          one; BIGHT_ECLOSED when the group has ended; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, the tasks go on.  Allocates: no.
 *  Thread: the loop's.  Ownership: keeps group until it returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_group_drain(struct bight_group *group);

/** The group that `task` belongs to, or will belong to once it is started; NULL for the root group.
 *
 *  Ownership: borrows task, whose group has not ended; the result is valid until it has.
 */
BIGHT_API struct bight_group *bight_task_group(const struct bight_task *task);

/** Call `visit(arg, group)` for every group that `task` has open, in the order in which they were
 *  opened, until it returns false. `visit` must not suspend.
 */
BIGHT_API void bight_task_groups(const struct bight_task *task,
                                 bool (*visit)(void *arg, struct bight_group *group), void *arg);

/** Wait for all tasks of `group` and end it. `rc` is the result of the body; a negative one cancels
 *  the tasks.
 *
 *  @return with BIGHT_GROUP_FIRST_SUCCESS, when a task succeeded, its status. Else the first
 *          failure of a task or the body. Else, when the body or a task gave way to a cancellation:
 *          BIGHT_ECANCELED if a scope around the group is cancelled; BIGHT_ETIMEDOUT if the group's
 *          own deadline passed; 0 for BIGHT_ECANCELED of the body if the group was cancelled
 *          itself. Else rc. BIGHT_ESCOPE: the group is not open in the calling task; or scopes were
 *          left open inside it, which are ended as by bight_scope_end, and the result would not
 *          have been negative.
 *  Suspends: yes.
 *  Cancellable: no; a cancellation is passed on to the tasks, all of which are awaited.
 *  On cancel: BIGHT_ECANCELED after all have ended.  Allocates: no.  Thread: the loop's.
 *  Ownership: borrows group.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_group_end(struct bight_group *group, int rc);

BIGHT_END_DECLS

#endif
