/* The scheduler of a thread: its record, the ready queue, the queue of calls, and what it asks
 * of its surroundings. Owns no clock and no I/O; what it needs of those it asks of struct
 * bight_driver, which runtime/ implements. Of the headers here each includes the one before:
 * sched.h, task.h, scope.h, group.h; source.h is for those who build something that waits. Read
 * <bight/waiter.h> first, then park.c, sched.c, task.c, scope.c, group.c. */
#ifndef BIGHT_CORO_CORE_SCHED_H
#define BIGHT_CORO_CORE_SCHED_H

#include <bight/call.h>
#include <bight/errors.h>
#include <bight/group.h>
#include <bight/runtime.h>

#include "coro/base/likely.h"
#include "coro/base/list.h"
#include "coro/base/seams.h"
#include "coro/base/ticks.h"
#include "coro/base/units.h"
#include "coro/core/own.h"
#include "coro/core/pace.h"
#include "coro/stack/stack.h"

struct bight_sched;
struct bight_marks;
struct bight_trace;

/* What the scheduler asks of its surroundings. */
struct bight_driver {
    uint64_t (*now_ns)(struct bight_sched *sched);
    void (*arm)(struct bight_sched *sched, struct bight_timer *timer, uint64_t deadline_ns);
    /* From the timer's callback: arm it again. When its new time has come as well, it fires among
     * those that fire now, in the order of their times. */
    void (*go_on)(struct bight_sched *sched, struct bight_timer *timer, uint64_t deadline_ns);
    void (*disarm)(struct bight_sched *sched, struct bight_timer *timer);
    /* The number of live tasks went from 0 to 1 or from 1 to 0. */
    void (*alive)(struct bight_sched *sched, bool any);
    /* The main task has ended: what it has left running is cancelled now, before it runs again. */
    void (*main_ended)(struct bight_sched *sched);
    /* A task became ready while none runs, and none was. */
    void (*wake)(struct bight_sched *sched);
    /* A call is about to be queued: queue those that other threads have asked for before. */
    void (*collect)(struct bight_sched *sched);
    /* `task`: whom it is about, NULL if that is not known, or it is gone. */
    void (*report)(struct bight_sched *sched, const struct bight_task *task,
                   const struct bight_report *report);
    /* A step begins or is over, while MEASURE_PLACES is on: at its end step.places says where it
     * was. */
    void (*sample)(struct bight_sched *sched, bool runs);
};

/* Who has steps measured: sched->measuring. */
#define MEASURE_SLOW 1u   /* options.slow_ms */
#define MEASURE_STATS 2u  /* bight_runtime_set_measuring */
#define MEASURE_TRACE 4u  /* <bight/trace.h> */
#define MEASURE_PLACES 8u /* options.slow_signal */

/* What runs, while it is measured; measure.c. */
struct bight_step {
    bool begun;
    uint64_t begin_ns;
    uint64_t task_id;
    char task_name[BIGHT_TASK_NAME_BYTES];
    /* For a trace: the task, and what tells whether it has ended. */
    const struct bight_task *task;
    size_t live;
    uint64_t spawned;
    /* Where it was after options.slow_ms. */
    const void *const *places;
    size_t place_count;
};

/* What was measured for bight_runtime_get_stats. */
struct bight_measured {
    uint64_t since_ns;
    uint64_t total_ns; /* once it is off again */
    uint64_t turns_ns;
    uint64_t longest_ns;
    uint64_t longest_id;
    char longest_name[BIGHT_TASK_NAME_BYTES];
    size_t ready_most;
};

/* What a task has the loop's stack do. It lies on the task's own. */
struct bight_errand {
    void (*fn)(void *arg);
    void *arg;
    struct bight_task *task;
};

struct bight_sched {
    struct bight_task *current; /* NULL while the loop's own stack runs */
    unsigned quantum;           /* steps until sched.c has to look closer, the current one too */
    unsigned calm;              /* how often more may be had by a look at the ticks alone */
    struct bight_task *front;   /* the first of the ready ones, if there is one: a load less */
    struct bight_task **ready;  /* a ring of ready_mask + 1 places, as many as tasks live or more */
    size_t ready_mask;
    size_t ready_head; /* how many were taken out, and put in, since the start */
    size_t ready_tail;
    size_t switches_left;     /* of this slice, as of the last settling */
    size_t head_settled;      /* what ready_head and */
    unsigned quantum_given;   /* quantum were then, */
    unsigned calm_given;      /* and calm */
    unsigned quantum_popped;  /* quantum after the last switch */
    size_t ops_head;          /* ready_head when the operations of the running task were counted, */
    unsigned ops;             /* how many in a row there were, */
    bool late;                /* and whether the last of them found the time over */
    struct bight_task *aside; /* the front one, if it stepped aside for the loop */
    size_t tail_left;         /* what ready_tail was after the last slice */
    size_t woken_until;       /* and when the loop had made something ready since */
    size_t turn_left;         /* tasks among which the pick_ready seam may choose */
    struct bight_pace pace;
    struct bight_context loop; /* the thread's own stack */
    struct bight_own own;      /* the thread's, while a task of TASK_OWNS runs */
    struct bight_stackpool stacks;
    struct bight_timer trim; /* of the stacks; trim.c */
    struct bight_group root;
    struct bight_link children; /* of the root */
    struct bight_link calls;    /* queued, in order; call.c */
    size_t calls_queued;
    struct bight_call *timed_first; /* of the queued ones whose time had come; NULL: none */
    size_t timed_queued;            /* how many of these there are */
    struct bight_link overdue;      /* those behind them, in order of time, not queued */
    size_t calls_span; /* ready tasks before the last of them: the sum of their distances */
    const struct bight_driver *driver;
    struct bight_seams seams;
    struct bight_runtime_options options;
    struct bight_task *
        *spreading;              /* where a cancellation that is on its way lists tasks; cancel.c */
    struct bight_task *dying;    /* ended on a stack that the loop's stack has to put back */
    struct bight_errand *errand; /* to be done next; NULL: none */
    struct bight_link ended;     /* tasks done, handle not yet joined */
    struct bight_link owned; /* memory that is freed with the runtime: blocks begin with a link */
    size_t live;
    uint64_t state_of_new; /* what a task's state is at first */
    size_t outside;        /* parked waits with an outside source */
    size_t stale_timers;   /* armed ones that nobody needs: of tasks with TASK_STALE, and trim */
    uint64_t spawned;
    uint64_t slices;
    uint64_t random_state; /* 0 until it is seeded */
    uint64_t chain_epoch;  /* of what tasks remember of chains, from 1 on; cycle.c */
    unsigned measuring;    /* MEASURE_*, or-ed */
    struct bight_step step;
    struct bight_measured measured;
    struct bight_trace *trace; /* NULL: none; freed with the scheduler */
    struct bight_marks *marks; /* NULL: without BIGHT_CHECK_STACKS */
    bool closing;              /* the root takes no more tasks */
    bool main_done;
    int main_status;
};

/* self.c: the runtime of this thread; the only thread-local. */
extern _Thread_local struct bight_sched *bight__sched __attribute__((tls_model("initial-exec")));

/* sched_init.c */
int bight__sched_init(struct bight_sched *sched, const struct bight_driver *driver,
                      const struct bight_runtime_options *options, const struct bight_seams *seams);
/* No task may be alive; unjoined ones are reported and freed. */
void bight__sched_fini(struct bight_sched *sched);

/* sched.c */
/* Make room for one more task among the ready ones. 0 or BIGHT_ENOMEM. */
int bight__ready_grow(struct bight_sched *sched);
/* Give room back that much fewer tasks than before leave unused. From the loop's own stack only. */
void bight__ready_shrink(struct bight_sched *sched);
/* Run ready tasks and calls until none is ready or the slice is over, which bight__pace_begin has
 * begun and this ends. From the loop's own stack only. */
void bight__sched_run(struct bight_sched *sched);
/* Have the loop's stack call `fn`, for what needs more stack than a task may have. The running task
 * goes on as soon as `fn` has returned: nothing else runs, and no step is counted. */
void bight__errand(struct bight_sched *sched, void (*fn)(void *arg), void *arg);
/* Let the tasks that are ready run first. */
void bight__requeue(struct bight_sched *sched, struct bight_task *self);
/* The same, and observe cancellation: 0 or BIGHT_ECANCELED. */
int bight__give_way(struct bight_sched *sched, struct bight_task *self);

/* Count the steps made and the tasks popped since the last time. */
void bight__quantum_settle(struct bight_sched *sched);
/* Let the quantum end where the first call's turn is. Settled. */
void bight__quantum_cap(struct bight_sched *sched);
/* Look at the time after the step that runs. */
void bight__quantum_end(struct bight_sched *sched);
/* The running task is in an operation, and the quantum is used up. It may have to pass through the
 * ready queue. */
void bight__op(struct bight_sched *sched, struct bight_task *self);

/* measure.c: measure one step; `task` is NULL for what is no task. */
void bight__step_begun(struct bight_sched *sched, const struct bight_task *task);
/* Count the step, and report it if it was slow. Nothing happens when there is none. From the loop's
 * own stack only. */
void bight__step_ended(struct bight_sched *sched);
/* Have steps measured for `who`, one of MEASURE_*, from the next one on, or not any more. */
void bight__measure(struct bight_sched *sched, unsigned who, bool on);
/* How long has been measured for bight_runtime_get_stats. */
uint64_t bight__measured_ns(struct bight_sched *sched);

/* call.c */
/* Queue a call that is not pending, whatever other threads have asked for. */
void bight__call_queue(struct bight_sched *sched, struct bight_call *call);
/* Make the calls whose turn it is. True when some were made and the slice goes on. */
bool bight__calls_run(struct bight_sched *sched);
/* A deadline has passed: calls whose time came before it are made first, wherever they stand in
 * the queue, as many as there is time for. From the callback of a timer. */
void bight__calls_before_deadline(struct bight_sched *sched);
/* The timers have been passed, and such calls were made. */
void bight__calls_passed(struct bight_sched *sched);
/* A slice has used its time up: timed calls that it left in the queue make room there. */
void bight__calls_step_back(struct bight_sched *sched);
/* No slice will come any more: make what is queued by now, once. */
void bight__calls_run_last(struct bight_sched *sched);
/* Forget what is queued; nothing of it is pending afterwards. */
void bight__calls_drop(struct bight_sched *sched);

/* trim.c: have the pool keep as many stacks warm as are needed, and give them back by a timer, if
 * `config` has no limit. */
void bight__trim_init(struct bight_sched *sched, struct bight_stackpool_config *config);

/* random.c: 64 random bits, and a number below `bound`, which is not 0. */
BIGHT_INTERNAL_API uint64_t bight__random(struct bight_sched *sched);
uint64_t bight__random_below(struct bight_sched *sched, uint64_t bound);

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

/* The quantum is used up, but there is more where that came from. */
__attribute__((always_inline)) static inline bool bight__is_calm(struct bight_sched *sched)
{
    if (!sched->calm || bight__ticks() >= sched->pace.calm_until)
        return false;
    sched->calm--;
    sched->quantum = STEPS_PER_LOOK;
    return true;
}

/* The same for an operation, which is one of those in a row that are counted. */
__attribute__((always_inline)) static inline bool bight__ops_are_calm(struct bight_sched *sched)
{
    return sched->ops_head == sched->ready_head && bight__is_calm(sched);
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

/* Around a call, a post or a hook. */
static inline void bight__slow_begin(struct bight_sched *sched)
{
    if (unlikely(sched->measuring))
        bight__step_begun(sched, NULL);
}

static inline void bight__slow_end(struct bight_sched *sched)
{
    if (unlikely(sched->measuring))
        bight__step_ended(sched);
}

#endif
