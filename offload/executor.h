/* What stands behind <bight/executor.h>: the table of calls that a kind of executor implements.
 * pool/workers.c has the one for processes, threads/threads.c the one for threads. */
#ifndef BIGHT_OFFLOAD_EXECUTOR_H
#define BIGHT_OFFLOAD_EXECUTOR_H

#include <bight/errors.h>
#include <bight/executor.h>

struct bight__executor_ops {
    /* Called with checked arguments and a zeroed *result, by a task of the executor's runtime that
     * has just checked for cancellation. */
    int (*execute)(struct bight_executor *executor, const struct bight_job_def *def,
                   const void *input, size_t input_bytes, struct bight_result *result);
    /* Called by such a task, whatever its scopes are. BIGHT_EALREADY the second time; else the
     * executor is gone afterwards. */
    int (*end)(struct bight_executor *executor);
    void (*get_stats)(const struct bight_executor *executor, struct bight_executor_stats *stats);
};

/* The first member of every kind of executor. */
struct bight_executor {
    const struct bight__executor_ops *ops;
    const void *runtime;
};

/* How many CPUs this process may use. */
unsigned bight__cpu_count(void);

#endif
