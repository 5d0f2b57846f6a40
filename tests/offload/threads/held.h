/* A call on an executor of threads, made by a task of its own in a scope of its own, that stands at
 * a gate or passes. */
#ifndef TESTS_OFFLOAD_THREADS_HELD_H
#define TESTS_OFFLOAD_THREADS_HELD_H

#include <semaphore.h>
#include <stdatomic.h>

#include <bight.h>

struct held {
    struct bight_executor *executor;
    int (*fn)(void *arg);
    sem_t entered;
    sem_t gate;
    atomic_int runs;
    int number; /* in `held_order`, of its beginning */
    atomic_int destroyed;
    int rc;
    int settled;
    bool owned; /* by bight_threads_call_owned */
    bool ended;
    int64_t timeout_ms;
    struct bight_scope scope;
    struct bight_task *task;
};

/* How many have begun. */
extern atomic_int held_order;

/* What the thread does: returns 17 once the gate is open. */
int held_stand(void *arg);
/* Returns how often the call has run. */
int held_pass(void *arg);

struct bight_executor *held_threads(unsigned most);

/* Make the call; it is queued when this returns. */
void held_start(struct held *held, struct bight_executor *executor, int (*fn)(void *arg));
/* The same, and a thread has begun it. */
void held_start_standing(struct held *held, struct bight_executor *executor);
/* With a deadline; or as an owned call, to be set in *held before. */
void held_start_as(struct held *held, struct bight_executor *executor, int (*fn)(void *arg));
/* Two turns of the loop pass. */
void held_turn(void);
void held_open(struct held *held);
void held_join(struct held *held);

#endif
