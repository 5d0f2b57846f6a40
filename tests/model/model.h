/* A reference model of tasks, scopes, groups, waits and what is waited for, written from
 * docs/waiting.md and docs/cancellation.md, not from the code. It has no stacks, no pointers
 * between its parts and nothing cached that can be computed: a state is plain bytes, so it can be
 * copied, compared and hashed. A task that runs, runs until it gives way; who runs when is the
 * caller's choice.
 *
 * model.c has tasks and steps, scopes.c scopes, groups and deadlines, locks.c and queues.c what is
 * waited for, checks.c what must hold in every state. */
#ifndef TESTS_MODEL_MODEL_H
#define TESTS_MODEL_MODEL_H

#include "tests/model/program.h"

#include <bight/errors.h>

#include <limits.h>
#include <string.h>

#define NOBODY 0xff
#define NEVER INT16_MAX
#define TIMERS_MAX (TASKS_MAX * (CASES_MAX + 1))

/* Results of a step that is not over. */
#define SUSPENDED INT_MIN
#define PENDING (INT_MIN + 1)

/* Ways in which the model can be wrong on purpose, to show that the checks would tell. */
enum mutant {
    MUTANT_NONE,
    MUTANT_BARGING,   /* unlock frees the mutex; the waiter it wakes takes it without a look */
    MUTANT_WAKE_LOST, /* one that has let go stays in line, and what it is given is gone */
    MUTANT_WAKE_OVERRIDDEN,   /* woken, then cancelled is cancelled */
    MUTANT_SELECT_TWICE,      /* the other cases of a select stay armed */
    MUTANT_SHIELD_LEAKS,      /* cancellations reach into shields */
    MUTANT_EDGE,              /* a cancellation is delivered once */
    MUTANT_SLEEPS_ON,         /* a cancellation does not reach who sleeps already */
    MUTANT_LATE_CHECK,        /* a call that completes at once observes no cancellation */
    MUTANT_PUT_UNSEEN,        /* put does not look for a getter that waits */
    MUTANT_PLACE_UNSEEN,      /* get does not let a waiting putter in */
    MUTANT_CLOSE_UNSEEN,      /* close tells nobody who waits */
    MUTANT_SET_WAKES_ONE,     /* of those that wait for an event */
    MUTANT_END_UNSEEN,        /* the end of a task does not wake its joiner */
    MUTANT_GROUP_HASTY,       /* the end of a group lets go when cancelled */
    MUTANT_FAILS_ALONE,       /* a failure does not cancel the group */
    MUTANT_GROUP_DEAF,        /* the cancellation of a group does not reach its tasks */
    MUTANT_NOTIFICATION_LOST, /* it ends with the one that was cancelled */
    MUTANTS,
};

enum state { UNBORN, READY, RUNNING, ASLEEP, DONE };

/* Why a task that gave way goes on. */
enum resume { RESUME_NOT, RESUME_YIELDED, RESUME_DELIVERED, RESUME_WOKEN, RESUME_LET_GO };

enum handle { HANDLE_NONE, HANDLE_VALID, HANDLE_GONE };

/* What a task in a condition sleeps in once it was notified, or cancelled. */
#define OP_RELOCK OPS

struct model_scope {
    bool shield;
    bool group;
    bool cancelled;
    bool expired;
    bool lifted;    /* it was cancelled from around, until a shield was put on */
    uint8_t policy; /* of a group: BIGHT_GROUP_* */
    bool gave_way;
    bool failed;
    bool won;
    int16_t failure; /* the first */
    int16_t success; /* the first, where the policy asks for it */
    int16_t deadline_ms;
};

struct model_task {
    uint8_t state;
    uint8_t resume;
    uint8_t handle;
    uint8_t step;
    bool begun;
    uint8_t delivered; /* cancellations in a row, as far as it matters: up to 2 */
    uint8_t birth;     /* order of spawning */
    uint8_t owner;     /* of the group it is in, NOBODY for the root */
    uint8_t slot;      /* that group is this scope of the owner */
    uint8_t joiner;
    uint8_t depth; /* scopes[depth] is the innermost */
    uint8_t held_count;
    uint8_t held[MUTEXES]; /* in order of locking */
    int16_t carried;       /* code on the way to the end of a scope */
    int16_t status;
    /* The wait: what it sleeps in, then how it was woken. */
    uint8_t count;
    uint8_t won;
    uint8_t item;
    bool notified; /* not only cancelled */
    int16_t result;
    struct choice cases[CASES_MAX]; /* b of a sleep is when it is over, NEVER for never */
    struct model_scope scopes[DEPTH_MAX + 1];
    /* For checks.c alone: what the task was told. */
    bool opened_cancelled; /* the step began in a cancelled scope */
    bool was_cancelled;    /* it was let go in one */
    uint8_t commits;       /* of the step's wait */
    uint8_t owns;          /* mutexes, by bit */
    uint32_t accepted;     /* items of its steps: by the queue */
    uint32_t refused;      /* given back to it */
    uint32_t received;     /* by somebody */
    uint32_t dropped;      /* by an abort */
};

/* Who waits, in order of arrival: a task and the case of its wait. */
struct line {
    uint8_t count;
    uint8_t who[TASKS_MAX * CASES_MAX];
};

struct model_mutex {
    uint8_t owner;
    struct line waiters;
};

struct model_queue {
    uint8_t length;
    uint8_t items[CAPACITY_MAX];
    uint8_t unfinished;
    bool closed;
    struct line getters;
    struct line putters;
    struct line joiners;
};

struct model_semaphore {
    uint8_t value;
    int8_t taken; /* for checks.c: what tasks were told they took, without what they gave back */
    struct line waiters;
};

struct model_event {
    bool set;
    struct line waiters;
};

struct model_timer {
    int16_t due_ms;
    uint8_t task;
    uint8_t which; /* a case of its wait, or CASES_MAX: the deadlines of its scopes */
};

struct model {
    int16_t now_ms;
    uint8_t births;
    bool root_cancelled;
    uint8_t cancels_left; /* of the explorer */
    struct model_mutex mutexes[MUTEXES];
    struct model_queue queues[QUEUES];
    struct model_event events[EVENTS];
    struct line conditions[MUTEXES];
    uint8_t owed[MUTEXES]; /* for checks.c: notifications that reached somebody */
    struct model_semaphore semaphores[SEMAPHORES];
    struct line ends[TASKS_MAX]; /* who waits for the end of the task */
    struct model_task tasks[TASKS_MAX];
    /* From here on: not part of the state. Who explores tries any order of ready tasks and of
     * timers that are due together; who runs in order needs these lists. */
    uint8_t ready_count;
    uint8_t ready[TASKS_MAX];
    uint8_t turn_left; /* how many of them belong to the turn */
    uint8_t timer_count;
    struct model_timer timers[TIMERS_MAX]; /* in order of arming */
    uint8_t mutant;
    const struct program *program;
    const char *broken; /* what does not hold, NULL so far */
    void (*record)(void *arg, const struct event *event);
    void *record_arg;
};

/* For who runs it. */
void model_start(struct model *m, const struct program *program, enum mutant mutant);
/* Run a ready task until it gives way or ends. */
void model_run(struct model *m, unsigned task);
/* Run the ready task that is `index`th in order, index < model_turn(m). */
void model_run_ready(struct model *m, unsigned index);
/* Begin a turn if none is on; how many tasks of it have not run. 0: nothing is ready. */
unsigned model_turn(struct model *m);
/* When the first timer is due; NEVER without one. */
int model_next_due(const struct model *m);
/* Time passes to when the timer is due, and it fires; there must be none that is due earlier. */
void model_fire(struct model *m, unsigned timer);
/* All tasks wait for each other: the first time the root is cancelled; then one that waits to
 * lock a mutex again, and could not be cancelled, gives that up. False: nothing is left to be
 * done. */
bool model_stall(struct model *m);
void model_cancel_task(struct model *m, unsigned task);
bool model_all_done(const struct model *m);

/* checks.c: sets m->broken. */
void model_check(struct model *m);
/* At the end of a run: nothing is ready and no timer is armed. */
void model_check_end(struct model *m);
void model_check_step(struct model *m, unsigned task, int rc);

/* Between the parts of the model. */
static inline const struct step *model_step(const struct model *m, unsigned task)
{
    return &m->program->scripts[task].steps[m->tasks[task].step];
}

static inline void model_break(struct model *m, const char *what)
{
    if (!m->broken)
        m->broken = what;
}

/* model.c */
void model_make_ready(struct model *m, unsigned task);
void model_spawn(struct model *m, unsigned task, unsigned owner, unsigned slot);
/* The task sleeps in its cases, which are armed. */
void model_sleep(struct model *m, unsigned task);
/* Somebody offers case `which` of the task's wait its result; false: it is not waited for any
 * more. */
bool model_resolve(struct model *m, unsigned task, unsigned which, int result);
/* The task is to let go of its wait. */
void model_let_go(struct model *m, unsigned task);

/* scopes.c */
/* Whether a suspending call of the task is cancelled: what the documents say, without mutants. */
bool model_cancelled(const struct model *m, unsigned task);
bool model_scope_cancelled(const struct model *m, unsigned task, unsigned depth);
/* The same as the model believes it. */
bool model_observes(const struct model *m, unsigned task);
struct model_scope *model_scope_open(struct model *m, unsigned task, int timeout_ms);
void model_set_shield(struct model *m, unsigned task, unsigned depth, bool shield);
int model_scope_close(struct model *m, unsigned task, int rc);
void model_scope_cancel(struct model *m, unsigned task, unsigned depth);
int model_set_timeout(struct model *m, unsigned task, unsigned depth, int timeout_ms);
int model_remaining_ms(const struct model *m, unsigned task);
void model_deadline_passed(struct model *m, unsigned task);
void model_group_close_begin(struct model *m, unsigned task, int rc);
unsigned model_group_live(const struct model *m, unsigned owner, unsigned slot);
/* A task has ended: what that means to its group. */
void model_group_left(struct model *m, unsigned task);
void model_timer_set(struct model *m, unsigned task, unsigned which, int due_ms);

/* queues.c: queues, events, joins, and what cases have in common. */
/* Do what a case waits for, if it can be done now; else PENDING. */
int model_try(struct model *m, unsigned task, const struct choice *wait, uint8_t *item);
void model_arm(struct model *m, unsigned task, unsigned which);
void model_disarm(struct model *m, unsigned task, unsigned which);
/* Tell who waits for the end of the task. */
void model_tell_end(struct model *m, unsigned task);
/* The steps that do not suspend, on objects. */
int model_act(struct model *m, unsigned task, const struct step *step, uint8_t *item);

/* locks.c: mutexes, conditions, semaphores. */
int model_try_lock(struct model *m, unsigned task, unsigned mutex);
void model_own(struct model *m, unsigned mutex, unsigned task);
void model_mutexes_abandoned(struct model *m, unsigned task);
/* Whether waiting for `task` would close a circle with `self`. */
bool model_waits_for(const struct model *m, unsigned task, unsigned self);
int model_condition_wait(struct model *m, unsigned task, unsigned which);
/* A task in a condition is cancelled. False: its wait is over, it cannot have the mutex. */
bool model_condition_cancel(struct model *m, unsigned task);
/* Its wait is over with `result`: 0, the mutex is its. What the wait gives; BIGHT_ECANCELED is
 * still to be delivered. */
int model_condition_over(struct model *m, unsigned task, int result);
/* It goes on without the mutex, if that is what it waits for. */
bool model_condition_give_up(struct model *m, unsigned task);
int model_try_acquire(struct model *m, unsigned which);
int model_act_on_lock(struct model *m, unsigned task, const struct step *step);

/* Lines */
static inline void line_add(struct line *line, unsigned task, unsigned which)
{
    if (line->count < sizeof line->who)
        line->who[line->count++] = (uint8_t)(task * CASES_MAX + which);
}

static inline void line_remove(struct line *line, unsigned at)
{
    line->count--;
    memmove(&line->who[at], &line->who[at + 1], line->count - at);
    line->who[line->count] = 0;
}

/* Take the first out of the line, who is then `*task`. */
static inline bool line_first(struct line *line, unsigned *task, unsigned *which)
{
    if (line->count == 0)
        return false;
    *task = line->who[0] / CASES_MAX;
    *which = line->who[0] % CASES_MAX;
    line_remove(line, 0);
    return true;
}

#endif
