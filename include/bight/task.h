/* Tasks: functions that run on stacks of their own and wait in direct style. Spawning queues a
 * task, which starts in a later turn; at most one task of a runtime runs at a time, and only the
 * calls marked "Suspends: yes" let another one run. Every task belongs to a group (see group.h);
 * those spawned here belong to the runtime's root group. */
#ifndef BIGHT_TASK_H
#define BIGHT_TASK_H

#include <bight/base.h>
#include <bight/call.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

struct bight_task;

/* The task changes floating-point control words (rounding, traps) and keeps them across waits. They
 * are saved and restored at each of its switches, which makes those several times slower. Without
 * the flag a task must restore them before it suspends. */
#define BIGHT_SPAWN_FLOAT_CONTROL 1u

/* The task suspends while C++ handles an exception in it: in a catch block, or in a destructor that
 * runs because an exception is on its way, or in what those call. C++ counts exceptions per thread
 * and not per task: without the flag `throw;` and std::current_exception() may then find the
 * exception of another task, and std::uncaught_exceptions() counts those of all. With it they are
 * saved and restored at each of the task's switches, which then take about twice as long.
 *
 * No effect in a program without a C++ runtime at its start, be it linked or loaded: one that only
 * a dlopen brings in comes too late. An exception must not leave the task's function, nor any other
 * function that bight calls. */
#define BIGHT_SPAWN_CXX_EXCEPTIONS 2u

/* The longest name of a task, with its final NUL; longer ones are cut. */
#define BIGHT_TASK_NAME_BYTES 32

/* How to spawn. Zero is the default for every field. */
struct bight_spawn_options {
    /* Shown in dumps, failures and reports. Copied. */
    const char *name;
    /* Address space for the stack, committed on touch; default: the runtime's. */
    size_t stack_bytes;
    /* Called instead of the body, as the task, when it was cancelled before its first step; every
     * suspending call in it is cancelled. */
    void (*drop)(void *arg);
    /* BIGHT_SPAWN_FLOAT_CONTROL, BIGHT_SPAWN_CXX_EXCEPTIONS, both or 0; what the runtime's option
     * spawn_flags has is added. */
    unsigned flags;
};

/** Queue `fn(arg)` as a new task of the root group. A negative return of fn is a failure. With
 *  `out` the caller gets a handle that is valid until bight_join or bight_task_detach; with NULL
 *  the task is freed at its end and a failure goes to the runtime's report handler.
 *
 *  May be called outside of tasks, on a thread that has a runtime.
 *
 *  @return 0; BIGHT_EINVAL without fn; BIGHT_ENOMEM; BIGHT_ENORUNTIME; BIGHT_ECLOSED when the
 *          runtime is ending.
 *  Ownership: keeps arg until the task ends; gives *out.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_spawn(struct bight_task **out, int (*fn)(void *arg),
                                           void *arg);

/** bight_spawn with options; NULL for the defaults.
 *
 *  @return as bight_spawn; BIGHT_EINVAL for an unknown flag or an invalid stack size.
 *  Ownership: keeps arg until the task ends; gives *out.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_spawn_with(struct bight_task **out,
                                                const struct bight_spawn_options *options,
                                                int (*fn)(void *arg), void *arg);

/** Wait until `task` has ended and free its handle. What the task returned goes to `status`, never
 *  into the return of this call. It is BIGHT_ECANCELED for a task that gave way to a cancellation
 *  or was cancelled before its first step; a cancelled task may also end with another status, and
 *  another task with this one: bight_join_result tells them apart.
 *
 *  @return 0: the handle is gone; BIGHT_ECANCELED: this call was cancelled, the task goes on and
 *          the handle stays valid; BIGHT_EDEADLK: the task is the caller, waits for it, or has open
 *          the group that the caller is in; BIGHT_EALREADY: another task joins it; BIGHT_EINVAL: it
 *          was spawned without a handle; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, the handle stays valid.  Allocates: no.
 *  Thread: the loop's.  Ownership: takes task on success; borrows status, which may be NULL.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_join(struct bight_task *task, int *status);

/* What a task came to. */
struct bight_task_result {
    /* What it returned, as from bight_join. */
    int status;
    /* As bight_task_was_cancelled. */
    bool cancelled;
};

/** bight_join, with more to know of the end.
 *
 *  @return as bight_join; BIGHT_EINVAL also without result.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, the handle stays valid.  Allocates: no.
 *  Thread: the loop's.  Ownership: takes task on success; borrows result.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_join_result(struct bight_task *task,
                                                 struct bight_task_result *result);

/** Give up a handle without waiting: the task is freed at its end, or now if it has ended. A
 *  failure that nobody has seen is then reported, like that of a task without a handle.
 *
 *  @return 0; BIGHT_EALREADY: somebody joins it; BIGHT_EINVAL: it has no handle.
 *  Ownership: takes task.
 */
BIGHT_API int bight_task_detach(struct bight_task *task);

/** Cancel the task's outermost scope: every suspending call in it returns BIGHT_ECANCELED from now
 *  on, outside of shields. A task that has not begun never runs. A task that has ended stays as it
 *  is, and its failure counts as seen.
 *
 *  @return whether the task had not ended; true even if it was cancelled before.
 */
BIGHT_API bool bight_task_cancel(struct bight_task *task);

/** Drain the task's outermost scope: see bight_scope_drain.
 *
 *  @return whether the task had not ended; true even if it drained before.
 */
BIGHT_API bool bight_task_drain(struct bight_task *task);

/** Whether the task as a whole is cancelled, by bight_task_cancel or by a scope around it; still
 *  true when it has ended. For the calling task and the scopes it has open, see bight_cancelled.
 */
BIGHT_API bool bight_task_cancelling(const struct bight_task *task);

/** Whether the task has ended because it was cancelled: it gave way with BIGHT_ECANCELED to a
 *  cancellation of the task as a whole, or never began. A task that returned this code without
 *  having been cancelled, for instance the status of a cancelled future, has failed.
 */
BIGHT_API bool bight_task_was_cancelled(const struct bight_task *task);

/** Whether the task has ended; bight_join then returns at once. */
BIGHT_API bool bight_task_done(const struct bight_task *task);

/** What the task returned, once it has ended. Does not wait, and keeps the handle. A failure counts
 *  as seen then: bight_task_detach does not report it.
 *
 *  @return 0; BIGHT_EAGAIN: it has not ended, `*status` is unchanged.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_task_status(struct bight_task *task, int *status);

/* Private: a place in the list of those who wait for a task's end. */
struct bight_end_watch {
    struct bight_link link;
    /* Called when the task has ended and the watch is unlinked, possibly on the stack of that task:
     * must only unpark or record. */
    void (*ended)(struct bight_end_watch *watch, struct bight_task *task);
};

/* A function to be called after a task's end. Caller's memory. */
struct bight_task_callback {
    /* Called on the loop's thread, outside of tasks; must not suspend. The task may be gone by
     * then. It finds what is around its record with bight_container_of. */
    void (*fn)(struct bight_task_callback *callback);
    /* What the task returned. */
    int status;
    /* As bight_task_was_cancelled. */
    bool cancelled;
    /* Private from here. */
    struct bight_call call;
    struct bight_end_watch watch;
};

/** Have `fn(callback)` called when `task` has ended, as by bight_call_soon at that moment; now if
 *  it has ended. Callbacks of one task are called in the order in which they were added. The task
 *  needs no handle.
 *
 *  @return 0; BIGHT_EINVAL without fn.
 *  Ownership: keeps callback until it was called or removed.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_task_add_callback(struct bight_task *task, struct bight_task_callback *callback,
                        void (*fn)(struct bight_task_callback *callback));

/** Remove a callback that was added and not yet called.
 *
 *  @return whether it was still to be called.
 *  Ownership: returns callback to the caller.
 */
BIGHT_API bool bight_task_remove_callback(struct bight_task_callback *callback);

/** Call `visit(arg, task)` for every task of this thread's runtime that has not ended, parents
 *  before their children, until it returns false. `visit` must neither suspend nor spawn. The task
 *  that it gets is not a handle: it may be looked at and cancelled, but not joined or detached.
 */
BIGHT_API void bight_tasks(bool (*visit)(void *arg, struct bight_task *task), void *arg);

/* Where a task is in its life. */
enum bight_task_state {
    BIGHT_TASK_NEW, /* spawned, and has not run yet */
    BIGHT_TASK_READY,
    BIGHT_TASK_RUNNING,
    BIGHT_TASK_WAITING,
    BIGHT_TASK_ENDED,
};

/* What there is to see of a task. */
struct bight_task_info {
    uint64_t id;
    /* The task that opened its group; 0 for the root group, and for a task that has ended. */
    uint64_t parent_id;
    enum bight_task_state state;
    /* As bight_task_cancelling. */
    bool cancelled;
    /* Until the earliest deadline of its scopes, in ms; negative: there is none. */
    int64_t deadline_ms;
    /* The place that spawned it: an address to return to. */
    const void *spawned_at;
    /* Of its stack: how much there is, and the most that was used when it switched. */
    size_t stack_bytes;
    size_t stack_used;
    char name[BIGHT_TASK_NAME_BYTES];
    /* What it waits for, as bight_dump has it, cut to this length; "" when it does not wait. */
    char waits_for[128];
};

/** See what `task` is doing.
 *
 *  @return 0; BIGHT_EINVAL.
 *  Ownership: borrows task, which lives or whose handle is valid.
 */
BIGHT_API int bight_task_get_info(const struct bight_task *task, struct bight_task_info *info);

/** The task that opened the group of `task`; NULL for a task of the root group.
 *
 *  Ownership: borrows task, which has not ended; the result is valid as long as that task lives.
 */
BIGHT_API struct bight_task *bight_task_parent(const struct bight_task *task);

/** The calling task, or NULL outside of tasks.
 *
 *  Thread: any.  Ownership: the pointer is valid while the task lives.
 */
BIGHT_API struct bight_task *bight_self(void);

/** A number that no other task of this runtime has; 1 is the main task. */
BIGHT_API uint64_t bight_task_id(const struct bight_task *task);

/** The task's name, "" when it has none.
 *
 *  Ownership: the string is valid while the task lives and is not renamed.
 */
BIGHT_API const char *bight_task_name(const struct bight_task *task);

/** Name the task; longer names are cut at BIGHT_TASK_NAME_BYTES - 1 bytes. */
BIGHT_API void bight_task_set_name(struct bight_task *task, const char *name);

/** Let every other ready task run once.
 *
 *  @return 0; BIGHT_ECANCELED in a cancelled scope; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED.  Allocates: no.
 *  Thread: the loop's.  Ownership: none.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_yield(void);

/** Run `fn(arg)` when the calling task ends, however it ends: in reverse order of the calls, under
 *  a shield, so that fn may suspend in spite of a cancellation. The runtime's option
 *  cleanup_timeout_ms bounds all handlers of one task together.
 *
 *  @return 0; BIGHT_ENOMEM: fn will not be called; BIGHT_EINVAL without fn; BIGHT_ENOTASK.
 *  Ownership: keeps arg until fn was called.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_defer(void (*fn)(void *arg), void *arg);

/* A variable with one value per task. Define it static, with its address as its identity:
 * `static const struct bight_local request_id = {"request id"};` */
struct bight_local {
    const char *name;
    /* The value in tasks that never set it. */
    void *initial;
};

/** The calling task's value of `local`: what the task has set, else what its spawner had at the
 *  time of the spawn, else the initial value.
 */
BIGHT_API void *bight_local_get(const struct bight_local *local);

/** Set the calling task's value; tasks that it spawns from now on begin with it.
 *
 *  @return 0; BIGHT_ENOMEM: nothing changed; BIGHT_ENOTASK.
 *  Ownership: keeps local and the value pointer until the task, and all tasks that inherited the
 *  value, have ended.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_local_set(const struct bight_local *local, void *value);

/** bight_local_set with a copy of `bytes` at `data`, for what has to outlive the one who sets it.
 *  The copy lasts until the last task that has it ends or sets another value. It must not be
 *  written to, for tasks share it.
 *
 *  @return 0; BIGHT_ENOMEM: nothing changed; BIGHT_EINVAL without data; BIGHT_ENOTASK.
 *  Ownership: keeps local as bight_local_set does; borrows data.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_local_set_copy(const struct bight_local *local,
                                                    const void *data, size_t bytes);

BIGHT_END_DECLS

#endif
