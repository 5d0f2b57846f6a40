/* Tasks: the control block, and what the files about a task's life offer to others. */
#ifndef BIGHT_CORO_CORE_TASK_H
#define BIGHT_CORO_CORE_TASK_H

#include "coro/core/own.h"
#include "coro/core/sched.h"

/* task->pending: why the next checkpoint must take the slow path. */
#define PENDING_CANCEL 1u
#define PENDING_DRAIN 2u
#define PENDING_STOP (PENDING_CANCEL | PENDING_DRAIN)
#define PENDING_PROBE 4u /* a seam wants to see every suspension */

/* task->flags. The first ones are the flags of a spawn. */
#define TASK_FLOAT BIGHT_SPAWN_FLOAT_CONTROL
#define TASK_EXCEPTIONS BIGHT_SPAWN_CXX_EXCEPTIONS
#define TASK_HANDLE 4u /* somebody holds a handle */
#define TASK_DONE 8u   /* the body has ended */
#define TASK_MAIN 16u  /* its end is the runtime's end */
#define TASK_STARTED 32u
#define TASK_JOINED 64u    /* somebody waits to take the handle */
#define TASK_SEEN 128u     /* somebody knows what it came to */
#define TASK_GAVE_WAY 256u /* its status says that it was cancelled, and it was */
#define TASK_DRAINED 512u  /* the same of a drain */
#define TASK_STALE 1024u   /* its timer is armed, and no deadline needs it */

/* The task has something to itself that other tasks share; see own.c. */
#define TASK_OWNS (TASK_FLOAT | TASK_EXCEPTIONS)

struct bight_group_user;
struct bight_defer;
struct bight_local_node;
struct bight_mutex;

/* A task's control block, in the top page of its stack. */
struct bight_task {
    struct bight_stack stack;  /* must be first: stack.c hands out this address */
    struct bight_scope *scope; /* innermost open one */
    union {
        struct {
            uint8_t pending;
            bool aborted; /* the abort hooks of this park have run */
            uint32_t flags;
        };
        uint64_t state; /* all of these; a new task has sched->state_of_new */
    };
    struct bight_sched *sched;
    struct bight_waiter *parked; /* asleep in bight_park; NULL otherwise */
    int status;                  /* valid once done */
    uint32_t delivered;          /* cancellations in a row */
    /* Switches, checkpoints, parking and waking touch only the cache line up to here. */
    int (*fn)(void *arg);
    void *arg;
    struct bight_link member; /* of the owner's children; of sched->ended when done with a handle */
    const void *spawned_at;
    uint64_t id;
    struct bight_scope base; /* parent of all its scopes, child of its group's */
    /* A short life touches only the lines up to the base's parent. The rest, and the rest of the
     * base, is as task_make leaves it; what changes that for good sets SCOPE_WORN in the base, and
     * what has the task's end change it back SCOPE_OWES. */
    void (*drop)(void *arg);
    struct bight_mutex *held;
    struct bight_defer *defers;
    struct bight_local_node *locals;
    struct bight_link ends;      /* end watches; next is NULL until there is one */
    struct bight_timer deadline; /* for the earliest deadline of its own scopes, or for before it */
    struct bight_link children;  /* tasks of its groups, which may die with their frames */
    struct bight_group_user *group_users;
    struct bight_group_user *starting; /* the group into which bight_group_start starts it */
    struct bight_task *chain_end; /* where its wait leads, while chain_epoch is the scheduler's */
    uint64_t chain_epoch;
    char name[BIGHT_TASK_NAME_BYTES];
    struct bight_task *cancel_next; /* link in the worklist of a cancellation */
    struct bight_own own;           /* only with TASK_OWNS */
    /* For tests only: where a cancellation would have been seen, and turns. */
    uint32_t checks;
    uint32_t turns;
    uint64_t told_ns; /* when the last scope became SCOPE_TOLD */
};

#if !defined(BIGHT_ASAN) && !defined(BIGHT_TSAN) /* which have more in a context */
#define TASK_OFFSET(member)                                                                        \
    (offsetof(struct bight_task, member) - offsetof(struct bight_stack, context))
_Static_assert(TASK_OFFSET(pending) == BIGHT_SWITCH_ASKS,
               "what a task that goes on has to ask for");
_Static_assert(TASK_OFFSET(fn) <= BIGHT_STACK_LINE, "what is touched most is one cache line");
_Static_assert(TASK_OFFSET(base.task) <= 2 * BIGHT_STACK_LINE, "a short life touches two of them");
#undef TASK_OFFSET
#endif

/* task.c */
int bight__spawn(struct bight_sched *sched, struct bight_group *group, struct bight_task **out,
                 const struct bight_spawn_options *options, int (*fn)(void *arg), void *arg,
                 const void *site);

/* The running task will sleep for long: what it has used of its stack below this call goes back to
 * the system. */
BIGHT_INTERNAL_API void bight__task_rest(void);

/* report.c */
BIGHT_INTERNAL_API void bight__task_report(const struct bight_task *task,
                                           enum bight_report_kind kind, int code, uint64_t count,
                                           const char *text);
/* Report the failure of an ended task of which nobody has a handle. */
void bight__failure_unseen(const struct bight_task *task);

/* check.c: BIGHT_CHECK_CANCELS; the task is told of its cancellation with `code`. */
void bight__check_told(struct bight_task *task, int code);

/* marks.c: BIGHT_CHECK_STACKS. */
int bight__marks_open(struct bight_sched *sched);
/* Report them, and free them. */
void bight__marks_close(struct bight_sched *sched);

/* park.c */
/* Make a parked task observe a cancellation, if its source lets go. */
void bight__abort_park(struct bight_task *task);

/* join.c: watch a task that has not ended. */
void bight__watch_end(struct bight_task *task, struct bight_end_watch *watch);
/* Tell those who watch that the task is done. */
void bight__ends_tell(struct bight_task *task);

/* tree.c: the task after `task` in a walk of all tasks, NULL at the end; *depth follows. */
struct bight_task *bight__task_next(const struct bight_task *task, unsigned *depth);
/* The first task of that walk, or NULL when there is none. */
struct bight_task *bight__task_first(const struct bight_sched *sched);

/* cleanup.c */
void bight__defers_run(struct bight_task *task);
void bight__locals_share(struct bight_task *child, const struct bight_task *parent);
void bight__locals_drop(struct bight_task *task);
/* bight_local_get of a task, NULL for none. */
void *bight__local_of(const struct bight_task *task, const struct bight_local *local);

/* Put back the stack of a task that nobody uses any more. */
static inline void bight__task_free(struct bight_task *task)
{
    bight__stack_put(&task->sched->stacks, &task->stack);
}

/* bight_self, inlined. */
static inline struct bight_task *bight__self(void)
{
    const struct bight_sched *sched = bight__sched;

    return likely(sched != NULL) ? sched->current : NULL;
}

/* Whether the task is of another thread's runtime than this one's. */
static inline bool bight__is_foreign(const struct bight_task *task)
{
    return task->sched != bight__sched;
}

/* Whether a remembered way, see cycle.c, goes through the task. */
static inline bool bight__chain_passes(const struct bight_task *task)
{
    return task->chain_epoch == task->sched->chain_epoch;
}

static inline void bight__ready(struct bight_task *task)
{
    struct bight_sched *sched = task->sched;
    bool first = sched->ready_tail == sched->ready_head;

    bight__ready_push(sched, task);
    if (unlikely(first) && !sched->current)
        sched->driver->wake(sched);
}

#endif
