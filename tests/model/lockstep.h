/* One program, run by the model and by the runtime in the same order of ready tasks. */
#ifndef TESTS_MODEL_LOCKSTEP_H
#define TESTS_MODEL_LOCKSTEP_H

#include "tests/model/model.h"

#define TRACE_MAX (TASKS_MAX * (STEPS_MAX + 1))

/* What can be seen of the objects when all tasks have ended. */
struct remains {
    bool locked[MUTEXES];
    bool set[EVENTS];
    uint8_t units[SEMAPHORES];
    bool closed[QUEUES];
    uint8_t unfinished[QUEUES];
    uint8_t length[QUEUES];
    uint8_t items[QUEUES][CAPACITY_MAX];
};

/* A run: steps in the order in which they were over. */
struct trace {
    unsigned count;
    struct event events[TRACE_MAX];
    struct remains remains;
    const char *broken; /* what did not hold in itself, NULL */
};

/* The order of ready tasks: 0 is first in, first out; else they are shuffled in each turn. */
void trace_of_model(struct trace *trace, const struct program *program, uint64_t order,
                    enum mutant mutant);
void trace_of_runtime(struct trace *trace, const struct program *program, uint64_t order);

bool trace_equal(const struct trace *one, const struct trace *other);
/* Both, side by side as far as they differ. */
void trace_print(FILE *out, const struct program *program, const struct trace *model,
                 const struct trace *runtime);

/* Which of `count` tasks of a turn runs next. */
unsigned order_pick(uint64_t *state, unsigned count);

#endif
