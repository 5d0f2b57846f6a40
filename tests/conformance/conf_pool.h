/* For the suites about threads: calls of the pool that stand at a gate, each made by a task of
 * its own. */
#ifndef TESTS_CONFORMANCE_CONF_POOL_H
#define TESTS_CONFORMANCE_CONF_POOL_H

#include <bight/offload.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "tests/conformance/conf.h"
#include "tests/harness/expect.h"

/* How many threads the pool has; before the process's first call. */
void conf_pool_threads(unsigned threads);

/* A call that begins, waits at its gate, and returns. */
struct conf_pooled {
    struct bight_task *task; /* makes the call, and ends with what it gives */
    int returns;
    atomic_int runs;
    atomic_bool ended;
    pthread_t thread;
    sem_t begun;
    sem_t gate;
};

/* Spawn its task, and let that hand in the call. */
void conf_pooled_start(struct conf_pooled *pooled, int returns);
/* Block this thread until the call has begun. */
void conf_pooled_await(struct conf_pooled *pooled);
/* Open the gate. */
void conf_pooled_open(struct conf_pooled *pooled);
/* Start one and run it through: its task has ended and can be joined. */
void conf_pooled_done(struct conf_pooled *pooled, int returns);
/* Start one and have it withdrawn: its task has ended with BIGHT_ECANCELED. */
void conf_pooled_cancelled(struct conf_pooled *pooled);

#endif
