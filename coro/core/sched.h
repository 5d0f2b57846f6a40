/* The scheduler: tasks, the ready queue, and the only function that switches stacks. Owns no clock
 * and no I/O; what it needs of those it asks of struct bight_host, which runtime/ implements. Read
 * <bight/waiter.h> first, then park.c, sched.c, task.c, scope.c, group.c. */
#ifndef BIGHT_CORO_CORE_SCHED_H
#define BIGHT_CORO_CORE_SCHED_H

#include <bight/errors.h>
#include <bight/call.h>
#include <bight/group.h>
#include <bight/runtime.h>

#include "coro/base/list.h"
#include "coro/base/seams.h"
#include "coro/stack/stack.h"
#include "coro/core/timer.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

struct bight_sched;

/* Operations that a task may complete in a row before a checkpoint makes it yield. */
#define OPS_PER_SWITCH 128

/* What the scheduler asks of its surroundings. */
struct bight_host {
    uint64_t (*now_ns)(struct bight_sched *sched);
    void (*arm)(struct bight_sched *sched, struct bight_timer *timer, uint64_t deadline_ns);
    void (*disarm)(struct bight_sched *sched, struct bight_timer *timer);
    /* The number of live tasks went from 0 to 1 or from 1 to 0. */
    void (*alive)(struct bight_sched *sched, bool any);
    /* The main task has ended: what it has left running is cancelled now, before it runs again. */
    void (*main_ended)(struct bight_sched *sched);
    /* A task became ready while none runs, and none was. */
    void (*wake)(struct bight_sched *sched);
    /* A call is about to be queued: queue those that other threads have asked for before. */
    void (*collect)(struct bight_sched *sched);
    void (*report)(struct bight_sched *sched, const struct bight_report *report);
};

/* task->pending: why the next checkpoint has to look closer. */
#define PENDING_CANCEL 1u
#define PENDING_PROBE 4u /* a seam wants to see every suspension */

/* task->flags */
#define TASK_HANDLE 1u /* somebody holds a handle */
#define TASK_DONE 2u   /* the body has ended */
#define TASK_FLOAT 4u  /* BIGHT_SPAWN_FLOAT_CONTROL */
#define TASK_MAIN 8u   /* its end ends the runtime */
#define TASK_STARTED 16u
#define TASK_JOINED 32u /* somebody waits to take the handle */
#define TASK_SEEN 64u   /* somebody knows what it came to */

/* A task that uses a group which another has open: drains it, or starts a task into it. Listed in the
 * owner's control block, because the group may be lost with its frame. */
struct bight_group_user {
    struct bight_group_user *next;
    struct bight_group_user **place; /* what points here; NULL when it is not listed */
    struct bight_group *group;       /* NULL once that has ended, or is lost */
    void (*lost)(struct bight_group_user *user);
};

struct bight_defer;
struct bight_local_node;
struct bight_mutex;

/* A task's control block, in the top page of its stack. The fields that a switch touches come
 * first. */
struct bight_task {
    struct bight_stack stack;  /* must be first: stack.c hands out this address */
    struct bight_scope *scope; /* innermost open one */
    uint8_t pending;
    bool aborted; /* the abort hooks of this park have run */
    uint32_t flags;
    /* Up to here a cache line, all that a yield touches. */
    struct bight_sched *sched;
    struct bight_waiter *parked; /* asleep in bight_park; NULL otherwise. From here zero at first */
    int status;                  /* once done */
    uint32_t delivered;          /* cancellations in a row */
    void (*drop)(void *arg);
    struct bight_mutex *held;
    struct bight_defer *defers;
    struct bight_group_user *starting; /* the group that bight_group_start starts it into */
    struct bight_local_node *locals;
    struct bight_link ends; /* of end watches; next is NULL until there is one. To here */
    int (*fn)(void *arg);
    void *arg;
    struct bight_group *group;
    struct bight_link member; /* of the owner's children; of sched->ended when done with a handle */
    struct bight_link children; /* tasks of its groups; those may die with their frames */
    struct bight_group_user *group_users;
    struct bight_task *cancel_next; /* worklist of a cancellation */
    const void *spawned_at;
    uint64_t id;
    struct bight_scope base;     /* parent of all its scopes, child of its group's */
    struct bight_timer deadline; /* for the earliest deadline of its own scopes */
    char name[BIGHT_TASK_NAME_BYTES];
    struct bight_float_control float_control;
    /* Under a test only: where a cancellation would have been seen, and turns. */
    uint32_t checks;
    uint32_t turns;
};

/* What runs, while options.slow_ms has it measured; slow.c. */
struct bight_step {
    bool begun;
    uint64_t begin_ns;
    uint64_t task_id;
    char task_name[BIGHT_TASK_NAME_BYTES];
};

struct bight_sched {
    struct bight_task *current; /* NULL while the loop's own stack runs */
    unsigned quantum;           /* pops until sched.c has to look closer */
    unsigned ops_left;          /* completed operations until a checkpoint yields */
    struct bight_task *front;   /* the first of the ready ones, if there is one: a load less */
    struct bight_task **ready;  /* a ring of ready_mask + 1 places, as many as tasks live or more */
    size_t ready_mask;
    size_t ready_head; /* how many were taken out, and put in, since the start */
    size_t ready_tail;
    size_t switches_left; /* of this slice, beyond the quantum */
    size_t turn_left;     /* tasks among which the pick_ready seam may choose */
    uint64_t slice_end_ns;
    bool slice_begun;          /* its first quantum was handed out */
    struct bight_context loop; /* the thread's own stack */
    struct bight_float_control float_control;
    struct bight_stackpool stacks;
    struct bight_group root;
    struct bight_link children; /* of the root */
    struct bight_link calls;    /* queued, in order; call.c */
    size_t calls_queued;
    size_t calls_span;        /* ready tasks before the last of them: the sum of their distances */
    unsigned quantum_counted; /* of the quantum, while calls wait: what is left when pops were last
                                 counted */
    const struct bight_host *host;
    struct bight_seams seams;
    struct bight_options options;
    struct bight_task *
        *spreading;           /* where a cancellation that is on its way lists tasks; cancel.c */
    struct bight_task *dying; /* ended on a stack that the loop's stack has to put back */
    struct bight_link ended;  /* tasks done, handle not yet joined */
    size_t live;
    size_t outside; /* parked waits with an outside source */
    uint64_t spawned;
    uint64_t slices;
    uint64_t random_state; /* 0 until it is seeded */
    struct bight_step step;
    bool closing; /* the root takes no more tasks */
    bool main_done;
    int main_status;
};

/* self.c: the runtime of this thread; the only thread-local. */
extern _Thread_local struct bight_sched *bight__sched __attribute__((tls_model("initial-exec")));

/* sched_init.c */
int bight__sched_init(struct bight_sched *sched, const struct bight_host *host,
                      const struct bight_options *options, const struct bight_seams *seams);
/* No task may be alive; unjoined ones are reported and freed. */
void bight__sched_fini(struct bight_sched *sched);

/* sched.c */
/* Make room for one more task among the ready ones. 0 or BIGHT_ENOMEM. */
int bight__ready_grow(struct bight_sched *sched);
/* Run ready tasks until none is ready or the slice is over. From the loop's own stack only. */
void bight__sched_run(struct bight_sched *sched);
/* Give way to the next ready task, or the loop; returns when somebody has made `self` ready and it
 * is its turn. */
void bight__reschedule(struct bight_sched *sched, struct bight_task *self);
/* bight__ready and bight__reschedule in one: let the tasks that are ready run first. */
void bight__requeue(struct bight_sched *sched, struct bight_task *self);
/* The same, and observe cancellation: 0 or BIGHT_ECANCELED. The end of bight_yield, which has no frame of
 * its own while it sleeps. */
int bight__give_way(struct bight_sched *sched, struct bight_task *self);
/* The same for a task that never runs again and whose stack may be gone. */
_Noreturn void bight__leave(struct bight_sched *sched, struct bight_task *self);

/* Count the tasks popped since the last time, while calls wait. */
void bight__quantum_settle(struct bight_sched *sched);
/* Let the quantum end where the first call's turn is. */
void bight__quantum_cap(struct bight_sched *sched);

/* slow.c: measure one step; `task` is NULL for what is no task. */
void bight__step_begun(struct bight_sched *sched, const struct bight_task *task);
/* Report the step if it was slow. Nothing happens when there is none. From the loop's own stack only. */
void bight__step_ended(struct bight_sched *sched);

/* call.c */
/* Queue a call that is not pending, whatever other threads have asked for. */
void bight__call_queue(struct bight_sched *sched, struct bight_call *call);
/* Make the calls whose turn it is. True when some were made and the slice goes on. */
bool bight__calls_run(struct bight_sched *sched);
/* No slice will come any more: make what is queued by now, once. */
void bight__calls_run_last(struct bight_sched *sched);
/* Forget what is queued; nothing of it is pending afterwards. */
void bight__calls_drop(struct bight_sched *sched);

/* park.c */
int bight__checkpoint_slow(struct bight_sched *sched, struct bight_task *task);
/* Count a delivered cancellation and return BIGHT_ECANCELED. */
int bight__deliver(struct bight_task *task, bool passed_queue);
/* Count an operation of a call that cannot be cancelled; passes through the queue when it is time. */
void bight__breathe(struct bight_task *task);
/* Make a parked task observe a cancellation, if its source lets go. */
void bight__abort_park(struct bight_task *task);

/* park.c: what sources share that keep their waiters in a list, by the link that a waiter has. */
/* The abort hook: unlink the waiter and let go. */
int bight__unlink_abort(struct bight_waiter *waiter);
/* Unlink and wake all, in order. */
void bight__wake_all(struct bight_link *waiters, int result);

/* cycle.c: whether waiting would close a circle of tasks that wait for each other. */
bool bight__join_would_deadlock(const struct bight_task *task, const struct bight_task *self);
bool bight__lock_would_deadlock(const struct bight_task *owner, const struct bight_task *self);

/* join.c: watch a task that has not ended. */
void bight__watch_end(struct bight_task *task, struct bight_end_watch *watch);
/* Tell those who watch; the task is done. */
void bight__ends_tell(struct bight_task *task);

/* tree.c: the task after `task` in a walk of all tasks, NULL at the end; *depth follows. */
struct bight_task *bight__task_next(const struct bight_task *task, unsigned *depth);
/* The first task of that walk, NULL without any. */
struct bight_task *bight__task_first(const struct bight_sched *sched);

/* task.c */
int bight__spawn(struct bight_sched *sched, struct bight_group *group, struct bight_task **out,
                 const struct bight_spawn_options *options, int (*fn)(void *arg), void *arg,
                 const void *site);

/* report.c */
void bight__task_report(const struct bight_task *task, enum bight_report_kind kind, int code,
                        uint64_t count, const char *text);
/* Report the failure of an ended task that nobody has a handle of. */
void bight__failure_unseen(const struct bight_task *task);

/* condition.c: nothing can happen any more. A task that waits to lock a mutex again, which cannot be
 * cancelled, ends that wait without the mutex. False: it does not wait so. */
bool bight__condition_give_up(struct bight_task *task);

/* mutex.c: give away what an ending task has locked. */
void bight__mutexes_abandoned(struct bight_task *task);

/* random.c: 64 random bits, and a number below `bound`, which is not 0. */
uint64_t bight__random(struct bight_sched *sched);
uint64_t bight__random_below(struct bight_sched *sched, uint64_t bound);

/* cleanup.c */
void bight__defers_run(struct bight_task *task);
void bight__locals_share(struct bight_task *child, const struct bight_task *parent);
void bight__locals_drop(struct bight_task *task);

/* scope.c */
#define SCOPE_MAGIC 0xe5c0u /* open */
#define SCOPE_MADE 0xe5c1u  /* by bight_scope_init, not entered yet */
#define SCOPE_LEFT 0xe5c2u
#define NO_DEADLINE BIGHT_NO_DEADLINE
#define SCOPE_SHIELDS 1u /* scope->kind */
#define SCOPE_GROUP 2u
#define SCOPE_INVALID 4u /* made with a flag that does not exist */
#define SCOPE_TORN 8u    /* closed with one around it, which was told; of a base: its group was */
#define SCOPE_INTERRUPTED 16u /* the base of a main that a signal cancels */
void bight__scope_open(struct bight_scope *scope, struct bight_task *task, unsigned kind,
                       uint64_t deadline_ns);
void bight__scope_close(struct bight_scope *scope);
/* Whether `scope` is in the chain of the task, whose innermost scope is whole. */
bool bight__scope_is_open(const struct bight_scope *scope, const struct bight_task *task);
/* Close what is open inside `scope`, a scope of the running task. False when it is not open. */
bool bight__scope_make_innermost(struct bight_scope *scope, struct bight_task *task);
/* Forget the scopes of the running task that are gone: those below `frame`, whose frames have
 * returned, and those that something else was written over. What is left of their groups is
 * cancelled and passes to the innermost group around. */
void bight__scopes_cut(struct bight_task *task, const char *frame);

/* Whether the innermost scope is gone, seen from a function with that frame. */
static inline bool bight__scope_is_gone(const struct bight_task *task,
                                        const struct bight_scope *scope, const char *frame)
{
    const char *address = (const char *)scope;

    return (address < frame && address >= task->stack.lo) || scope->magic != SCOPE_MAGIC ||
           scope->task != task;
}

/* Called first by the public functions that look at the chain of the running task, or extend it, with
 * their own frame: deeper down, the frames of the library could lie over the scope that is gone.
 * False: the chain had to be cut. */
static inline bool bight__scopes_check(struct bight_task *task, const char *frame)
{
    if (task->scope == &task->base || likely(!bight__scope_is_gone(task, task->scope, frame)))
        return true;
    bight__scopes_cut(task, frame);
    return false;
}

/* cancel.c */
void bight__scope_cancel(struct bight_scope *scope);
/* `scope` became cancelled or expired: everything inside observes it. */
void bight__scope_spread(struct bight_scope *scope);
/* What is around the scope, or its shield, changed: follow it. */
void bight__scope_follow(struct bight_scope *scope);
/* The innermost scope of the task is another one. */
void bight__pending_update(struct bight_task *task);

/* deadline.c */
void bight__task_timer(struct bight_timer *timer);
/* Arm the task's timer for the earliest deadline of its scopes. */
void bight__timer_update(struct bight_task *task);
uint64_t bight__deadline_after(struct bight_sched *sched, int64_t timeout_ms);
bool bight__deadline_is_past(struct bight_sched *sched, uint64_t deadline_ns);
/* Whether a scope that is made has expired before anybody entered it. */
bool bight__scope_made_is_past(const struct bight_scope *scope);
/* The open scope was cancelled: it does not expire any more. */
void bight__deadline_over(struct bight_scope *scope);
/* The open scope's deadline has passed: do not wait for the wheel to say so. */
void bight__scope_expire(struct bight_scope *scope);

/* group.c */
void bight__group_setup(struct bight_group *group, unsigned flags);
/* A member has ended with a negative status. */
void bight__group_failed_by(struct bight_group *group, struct bight_task *task);
/* A member has ended well, where that matters. */
void bight__group_succeeded_by(struct bight_group *group, const struct bight_task *task);
/* Move a task whose group is lost to `group`, cancelled. */
void bight__group_adopt(struct bight_group *group, struct bight_task *task);
/* Move a live task to `group`, which counts it already; the group that it leaves does not count it any
 * more, and its own tasks stay with it. */
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

/* Never again in use: its stack goes back. */
static inline void bight__task_free(struct bight_task *task)
{
    bight__stack_put(&task->sched->stacks, &task->stack);
}

/* How many tasks are ready; the running one is not. */
static inline size_t bight__ready_count(const struct bight_sched *sched)
{
    return sched->ready_tail - sched->ready_head;
}

/* Whether something is ready to run, a task or a call. */
static inline bool bight__sched_busy(const struct bight_sched *sched)
{
    return bight__ready_count(sched) || sched->calls_queued;
}

/* Whether the first call is next, all tasks before it having run. */
static inline bool bight__call_is_due(struct bight_sched *sched)
{
    bight__quantum_settle(sched);
    return sched->calls_queued &&
           container_of(sched->calls.next, struct bight_call, timer.link)->before == 0;
}

/* How many ready tasks are behind the last call: its distance for one that is queued now. */
static inline size_t bight__call_distance(struct bight_sched *sched)
{
    size_t distance;

    bight__quantum_settle(sched);
    distance = bight__ready_count(sched) - sched->calls_span;
    sched->calls_span += distance;
    return distance;
}

/* There is room: spawning has seen to that. */
static inline void bight__ready_push(struct bight_sched *sched, struct bight_task *task)
{
    size_t tail = sched->ready_tail++;

    sched->ready[tail & sched->ready_mask] = task;
    if (tail == sched->ready_head)
        sched->front = task;
}

static inline void bight__ready(struct bight_task *task)
{
    struct bight_sched *sched = task->sched;
    bool first = sched->ready_tail == sched->ready_head;

    bight__ready_push(sched, task);
    if (unlikely(first) && !sched->current)
        sched->host->wake(sched);
}

/* Around a call, a post or a hook. */
static inline void bight__slow_begin(struct bight_sched *sched)
{
    if (unlikely(sched->options.slow_ms))
        bight__step_begun(sched, NULL);
}

static inline void bight__slow_end(struct bight_sched *sched)
{
    if (unlikely(sched->options.slow_ms))
        bight__step_ended(sched);
}

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

    base->cancelled = false;
    base->expired = false;
    base->caught = false;
    base->effective = group->scope.effective;
    base->kind = 0;
    base->magic = SCOPE_MAGIC;
    base->task = task;
    base->parent = &group->scope;
    base->inner = NULL;
    base->deadline_ns = NO_DEADLINE;
    base->earliest_ns = NO_DEADLINE;
    if (base->effective)
        task->pending |= PENDING_CANCEL;
    task->scope = base;
    task->group = group;
    link_append(bight__group_siblings(group), &task->member);
    group->live++;
}

/* The task has ended: take it out of its group and settle what its end means there. Its member node is
 * free for other use. */
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

/* The opening of every suspending call: finds the task and observes cancellation. Inlined, because
 * the check wants the frame of the public function. */
__attribute__((always_inline)) static inline int bight__checkpoint(struct bight_task **self)
{
    struct bight_sched *sched = bight__sched;
    struct bight_task *task = likely(sched != NULL) ? sched->current : NULL;

    if (unlikely(!task))
        return BIGHT_ENOTASK;
    *self = task;
    if (unlikely(!bight__scopes_check(task, __builtin_frame_address(0))))
        return BIGHT_ESCOPE;
    if (likely(!task->pending && --sched->ops_left))
        return 0;
    return bight__checkpoint_slow(sched, task);
}

#endif
