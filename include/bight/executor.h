/* Executors: what runs jobs. Each kind has its own constructor (<bight/workers.h> for processes,
 * <bight/threads.h> for threads); the calls here are the same for all. A job ends exactly once,
 * with a result or with its error. */
#ifndef BIGHT_EXECUTOR_H
#define BIGHT_EXECUTOR_H

#include <bight/job.h>

BIGHT_BEGIN_DECLS

struct bight_executor;

/* How a job ended. Always filled in by bight_execute; fields that do not apply are zero. */
struct bight_result {
    /* What the job returned; when the worker's initialiser failed, what that returned. */
    int code;
    /* The job's output, also when it failed; NULL for no bytes. Freed by bight_result_free. */
    void *output;
    size_t output_bytes;
    /* How the last worker that died running the job ended: the signal that killed it, or 0 and the
     * status it exited with. */
    int exit_signal;
    int exit_status;
    /* How many times the job was begun. */
    unsigned attempts;
    /* Private: of an output that is mapped memory. */
    size_t mapped_bytes;
};

/** Run the job `def` in `executor` on a copy of `input` and sleep until it has ended. A job waits
 *  in FIFO order until a worker is free. `result` may be NULL when only success matters.
 *
 *  A cancellation withdraws a job that has not begun at once. A job that runs is awaited;
 *  bight_job_cancelled tells it on threads, and in processes, where it is then killed after a time,
 *  if the executor's options say so.
 *
 *  @return 0: the job ran and returned result->code, which is not negative.
 *          BIGHT_EJOBFAILED: it ran and returned a negative result->code.
 *          BIGHT_EUNKNOWNJOB: the worker has no such definition, it never ran.
 *          BIGHT_EFULL: the executor holds as many jobs as it may, this one was not taken.
 *          BIGHT_ETOOBIG: the input or the output is larger than allowed.
 *          BIGHT_EWORKERDIED: the worker died running it, and so did those of all further attempts.
 *          BIGHT_EUNKNOWNOUTCOME: the worker broke the protocol; the job may have run in part, in
 *          whole or not at all.
 *          BIGHT_EINITFAILED: no worker could be initialised, it never ran; result->code is what
 *          the initialiser returned, or BIGHT_EWORKERDIED.
 *          BIGHT_EAGAIN: no worker could be started for as long as the options say, or while the
 *          executor was ending, and no thread, while there is none; it never ran.
 *          BIGHT_ENOTPREPARED: no worker can be started any more, it never ran.
 *          BIGHT_ENOMEM: no memory; if result->attempts is not 0 the job has run.
 *          BIGHT_EMFILE: it has run, and there was no free descriptor for its large output.
 *          BIGHT_ECANCELED: withdrawn before it began, or (attempts not 0) interrupted and killed.
 *          BIGHT_ECLOSED: the executor is ending. BIGHT_EPERM: it belongs to another thread.
 *          BIGHT_EINVAL; BIGHT_ENOTASK.
 *          A scope with a deadline around the call makes BIGHT_ETIMEDOUT of BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes, until the job has begun; then as the executor's policy says.
 *  On cancel: BIGHT_ECANCELED, or the job's result when it was too late.
 *  Allocates: the output, unless it is of more than 1 MiB and mapped; for a definition's first use,
 *  a place in the table of an executor of processes.
 *  Thread: the loop's.
 *  Ownership: keeps def for ever; borrows input; gives result->output, to be freed with
 *  bight_result_free.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_execute(struct bight_executor *executor,
                                             const struct bight_job_def *def, const void *input,
                                             size_t input_bytes, struct bight_result *result);

/** Free what `result` holds and zero it. A zero result stays as it is.
 *
 *  Thread: any.  Ownership: takes the output.
 */
BIGHT_API void bight_result_free(struct bight_result *result);

/** End the executor: take no more jobs, wait for those that were taken, end the workers, free it.
 *  Cancel the tasks that wait for jobs first where these should not be finished.
 *
 *  @return 0: the executor is gone; BIGHT_EALREADY: another task is ending it; BIGHT_EPERM: it
 *          belongs to another thread; BIGHT_EINVAL; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: no.  On cancel: goes on until the executor has ended.
 *  Allocates: no.  Thread: the loop's.  Ownership: takes executor on success.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_executor_end(struct bight_executor *executor);

struct bight_executor_stats {
    /* Workers that are initialised and take jobs; and how many there may be. */
    unsigned ready;
    unsigned workers;
    /* Jobs taken that have not ended. */
    size_t jobs;
    /* Since the start: jobs that ended, in any way; workers started. */
    uint64_t ended;
    uint64_t started;
    /* The rest is for processes only, else 0: workers that ended without being told to; zygotes
     * that did, each then re-executed. */
    uint64_t died;
    uint64_t zygotes_died;
    /* The zygote's process id; 0 while there is none. */
    int zygote_pid;
};

/** Counts of the executor.
 *
 *  @return 0; BIGHT_EINVAL.
 */
BIGHT_API int bight_executor_get_stats(const struct bight_executor *executor,
                                       struct bight_executor_stats *stats);

BIGHT_END_DECLS

#endif
