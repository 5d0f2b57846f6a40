/* What stands behind <bight/executor.h>: the table of calls that a kind of executor implements, and
 * what all kinds share. pool/workers.c has the table for processes, threads/threads.c the one for
 * threads; docs/executors.md says what a further kind has to do.
 *
 *   executor.c   the calls about an executor as a whole, and room in it
 *   execute.c    an execution that a task waits for
 *   execution.c  one that was begun
 *   map.c        many of one definition, several of them in one job: batch.c, chunk.c */
#ifndef BIGHT_OFFLOAD_EXECUTOR_H
#define BIGHT_OFFLOAD_EXECUTOR_H

#include <bight/errors.h>
#include <bight/executor.h>

#include "coro/base/list.h"

struct bight__executor_ops {
    const char *kind; /* in metrics */
    /* Take an execution whose fields up to `kind` are filled in, and count it in executor->jobs.
     * Afterwards it ends exactly once: the kind has counted that by bight__executor_freed, filled
     * in execution->result, and calls execution->ended. Not in this call, unless what it returns is
     * negative: then it was not taken. */
    int (*begin)(struct bight_executor *executor, struct bight_execution *execution);
    /* Nobody wants it any more. True: its job has not begun and never will, it was counted as
     * ended, and `ended` is not called. False: it ends in its own time. */
    bool (*withdraw)(struct bight_executor *executor, struct bight_execution *execution);
    /* The text that a dump shows. */
    void (*describe)(const struct bight_execution *execution, char *text, size_t text_bytes);
    /* How a task waits for it: abort and describe are bight__execute_abort and
     * bight__execute_describe. */
    const struct bight_waiter_ops *wait;
    /* The executor takes no more jobs: see to it that those it has end as `how` says. May be called
     * again with a more impatient way, while `end` sleeps. */
    void (*hurry)(struct bight_executor *executor, enum bight_executor_ending how);
    /* Called once, by a task, whatever its scopes are: wait until there are no jobs, and free the
     * executor. */
    void (*end)(struct bight_executor *executor);
    void (*get_stats)(const struct bight_executor *executor, struct bight_executor_stats *stats);
};

/* The first member of every kind of executor. */
struct bight_executor {
    const struct bight__executor_ops *ops;
    const void *runtime;
    const struct bight_job_def *last_def; /* of bight_execute, and valid */
    size_t jobs;                          /* taken, and not ended */
    size_t jobs_most;
    size_t promised;            /* places for tasks that have been woken for them */
    struct bight_waiter *ender; /* waits until these have seen that the executor ends */
    struct bight_link room;     /* waiters for a place */
    struct bight_link shown;    /* in runtime->executors, or by itself */
    uint64_t number;            /* there, from 1 on */
    uint64_t ended;
    enum bight_executor_ending how;
    bool closing; /* takes no more jobs */
};

/* executor.c */
void bight__executor_init(struct bight_executor *executor, const struct bight__executor_ops *ops,
                          const void *runtime, size_t jobs_most);
/* Whether it takes a further job. Then nobody waits for a place: give_room would have given it. */
static inline bool bight__executor_takes(const struct bight_executor *executor)
{
    return !executor->closing && executor->jobs + executor->promised < executor->jobs_most;
}
/* Why it takes no further job: 0, BIGHT_ECLOSED, BIGHT_EFULL. */
int bight__executor_full(const struct bight_executor *executor);
/* The same; if it is full and `wait` is set, sleep until there is a place for the calling task,
 * which takes it at once. */
int bight__executor_enter(struct bight_executor *executor, bool wait);
void bight__executor_give_room(struct bight_executor *executor);

/* A job has ended, or was withdrawn. */
static inline void bight__executor_freed(struct bight_executor *executor)
{
    executor->jobs--;
    executor->ended++;
    if (!link_empty(&executor->room))
        bight__executor_give_room(executor);
}

/* metrics.c: have the metrics tell of it, until it begins to end. */
void bight__executor_show(struct bight_executor *executor);

/* execute.c */
/* Whether a call has what every execution needs. */
bool bight__execution_valid(const struct bight_job_def *def, const void *input, size_t input_bytes,
                            const struct bight_execute_options *options);
void bight__execution_fill(struct bight_execution *execution, struct bight_executor *executor,
                           const struct bight_job_def *def, const void *input, size_t input_bytes,
                           const struct bight_execute_options *options);
int bight__execute_abort(struct bight_waiter *waiter);
void bight__execute_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes);

#endif
