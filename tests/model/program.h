/* Small programs that both the model and the runtime can run: a few tasks, each with a list of
 * steps without loops, over a few shared objects. A step that fails makes its task leave for the
 * end of the innermost open scope or group, with the code, unless the step is marked careless. */
#ifndef TESTS_MODEL_PROGRAM_H
#define TESTS_MODEL_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TASKS_MAX 6
#define STEPS_MAX 24
#define CASES_MAX 3
#define DEPTH_MAX 4 /* scopes and groups open in one task, without its outermost */
#define MUTEXES 2
#define QUEUES 2
#define EVENTS 2
#define CAPACITY_MAX 3
#define SEMAPHORES 2
#define SEMAPHORE_UNITS 1 /* that each begins with; the second can never have more */

/* What a step gives when it makes no sense now: a task that has no handle, a scope that is not
 * open. */
#define SKIPPED 99

/* X(op, name, operands). In text a step is its name, its operands `a` and `b` as far as it has
 * them, and a "!" when it is careless; steps are separated by ";". */
#define PROGRAM_OPS(X)                                                                             \
    X(YIELD, "yield", "")                                                                          \
    X(SLEEP, "sleep", "b") /* ms, negative: until cancelled */                                     \
    X(LOCK, "lock", "a")   /* a mutex */                                                           \
    X(PUT, "put", "a")     /* a queue; the item tells task and step */                             \
    X(GET, "get", "a")                                                                             \
    X(DRAIN, "queue_join", "a")                                                                    \
    X(WAIT, "wait", "a")              /* an event */                                               \
    X(NOTIFIED, "wait_notified", "a") /* a condition over the mutex of that number */              \
    X(ACQUIRE, "acquire", "a")        /* a semaphore; the second has at most one unit */           \
    X(JOIN, "join", "a")              /* a task */                                                 \
    X(SELECT, "select", "")           /* cases, in order, separated by "|" */                      \
    /* From here on they do not suspend. */                                                        \
    X(TRYLOCK, "trylock", "a")                                                                     \
    X(UNLOCK, "unlock", "a")                                                                       \
    X(TRY_PUT, "try_put", "a")                                                                     \
    X(TRY_GET, "try_get", "a")                                                                     \
    X(TASK_DONE, "task_done", "a")                                                                 \
    X(CLOSE, "close", "a")                                                                         \
    X(ABORT, "abort", "a")                                                                         \
    X(SET, "set", "a")                                                                             \
    X(CLEAR, "clear", "a")                                                                         \
    X(NOTIFY, "notify", "ab") /* a condition, how many */                                          \
    X(TRY_ACQUIRE, "try_acquire", "a")                                                             \
    X(RELEASE, "release", "a")                                                                     \
    X(SPAWN, "spawn", "a")   /* a task; into the innermost group around */                         \
    X(CANCEL, "cancel", "a") /* a task */                                                          \
    /* A task, and which of the scopes it has open: 1 is the outermost. */                         \
    X(CANCEL_SCOPE, "cancel_scope", "ab")                                                          \
    X(SET_TIMEOUT, "set_timeout", "ab") /* which of its own scopes, ms */                          \
    X(SET_SHIELD, "set_shield", "ab")   /* which of its own scopes, 0 or 1 */                      \
    X(LOOK, "look", "")                 /* bight_cancelled and bight_deadline_remaining_ms */      \
    X(RETURN, "return", "b")            /* leave with a code */                                    \
    X(SCOPE, "scope", "b")              /* timeout in ms, negative: none */                        \
    X(SHIELD, "shield", "b")            /* budget in ms, negative: none */                         \
    X(GROUP, "group", "b")              /* BIGHT_GROUP_* or 0 */                                   \
    /* Of the innermost scope or group; uncancellable, suspends for a group. */                    \
    X(END, "end", "")

enum op {
#define PROGRAM_OP(op, name, operands) OP_##op,
    PROGRAM_OPS(PROGRAM_OP)
#undef PROGRAM_OP
        OPS,
    OP_LAST_SUSPENDING = OP_SELECT,
};

/* One of the waits of a select: an op of those above, up to OP_JOIN. */
struct choice {
    uint8_t op;
    uint8_t a;
    int16_t b;
};

struct step {
    uint8_t op;
    uint8_t a;
    int16_t b;
    bool careless; /* go on whatever it returned */
    uint8_t count;
    struct choice cases[CASES_MAX];
};

struct script {
    uint8_t length;
    struct step steps[STEPS_MAX];
};

struct program {
    uint64_t seed; /* that it was made from, 0 when it was written */
    uint8_t tasks;
    uint8_t begun; /* how many of them are spawned at the start; the others by OP_SPAWN */
    uint8_t capacity[QUEUES]; /* 0: a rendezvous */
    bool lifo[QUEUES];
    struct script scripts[TASKS_MAX];
};

/* What a step came to. */
struct event {
    uint8_t task;
    uint8_t step; /* the script's length: the task ended; STEP_DROPPED: it never ran */
    int16_t rc;
    int16_t value; /* the item, the status, what was seen: by op */
    int16_t now_ms;
};

#define STEP_DROPPED 0xff

/* The item that a step puts; never 0. */
static inline uint8_t item_of(unsigned task, unsigned step)
{
    return (uint8_t)(1 + task * STEPS_MAX + step);
}

/* Where a task goes that leaves from `step`: to the end of what is open around, or of the
 * script. */
unsigned script_leave(const struct script *script, unsigned step);

/* Add the steps in `text` to the script; aborts when it is no program text. */
void script_parse(struct script *script, const char *text);

/* A random program. */
void program_generate(struct program *program, uint64_t seed);

void step_print(FILE *out, const struct step *step);
void program_print(FILE *out, const struct program *program);
void event_print(FILE *out, const struct program *program, const struct event *event);

/* Name of a code of a step or a task. */
const char *code_name(int rc);

#endif
