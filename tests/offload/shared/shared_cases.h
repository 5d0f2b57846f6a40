/* What the suites of shared memory have in common: a segment, and jobs that find it. */
#ifndef TESTS_OFFLOAD_SHARED_SHARED_CASES_H
#define TESTS_OFFLOAD_SHARED_SHARED_CASES_H

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tests/offload/worker_cases.h"

/* What is at the beginning of the segment in most cases. */
struct board {
    struct bight_shared_mutex mutex;
    struct bight_shared_semaphore semaphore;
    struct bight_shared_event event;
    struct bight_shared_barrier barrier;
    struct bight_shared_queue queue;
    struct bight_shared_pipe pipe;
    long plain[8]; /* guarded by the mutex, or not */
    _Atomic int came[8];
    uint64_t storage[8192];
};

/* What a job is told. */
struct order {
    int number; /* of the segment */
    int count;
    int id;
    int64_t timeout_ms;
};

/* In the main task: a segment with a board, which `executor` has; its number. */
static inline int share_board(struct bight_executor *executor, struct bight_shared **segment,
                              struct board **board)
{
    int number;

    CHECK_EQ(bight_shared_new(segment, sizeof(**board)), 0);
    *board = bight_shared_data(*segment);
    number = bight_workers_share(executor, *segment);
    CHECK(number >= 0);
    return number;
}

/* In a job. */
static inline struct board *find_board(struct bight_job *job, struct order *order)
{
    void *data = NULL;
    size_t bytes = 0;

    CHECK_EQ(job->input_bytes, sizeof(*order));
    memcpy(order, job->input, sizeof(*order));
    CHECK_EQ(bight_job_shared(job, order->number, &data, &bytes), 0);
    CHECK_EQ(bytes, sizeof(struct board));
    return data;
}

static inline void run_order(struct bight_executor *executor, const struct bight_job_def *def,
                             struct order order, int expected)
{
    struct bight_result result;

    CHECK_EQ(bight_execute(executor, def, &order, sizeof(order), &result), 0);
    CHECK_EQ(result.code, expected);
    bight_result_free(&result);
}

/* A task that has a worker run such a job. */
static inline void begin_order(struct worker_call *call, struct order *order)
{
    call->input = order;
    call->input_bytes = sizeof(*order);
    worker_spawn(call);
}

#endif
