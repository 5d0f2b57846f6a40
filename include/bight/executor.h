/* Executors: what runs jobs. Each kind has its own constructor (<bight/workers.h> for processes,
 * <bight/threads.h> for threads); the calls here are the same for all. A job ends exactly once,
 * with a result or with its error. */
#ifndef BIGHT_EXECUTOR_H
#define BIGHT_EXECUTOR_H

#include <bight/future.h>
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
    /* Private: of what kind the output's memory is. */
    bool spare;
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

/* Memory in which an input is written that processes are given without a copy. */
struct bight_job_input;

/** Make such memory for an input of at most `bytes`, all zero. Write to what bight_job_input_data
 *  returns, and pass that as the input, with the record in the `placed` of the call's options. It
 *  is worth its few microseconds for large inputs, and may serve again, also for several jobs at a
 *  time.
 *
 *  @return 0; BIGHT_EINVAL; BIGHT_ENOMEM, BIGHT_EMFILE and the like; BIGHT_EFBIG: RLIMIT_FSIZE is
 *          below `bytes`.
 *  Thread: any.  Ownership: gives *out, to be freed with bight_job_input_free.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_job_input_new(struct bight_job_input **out, size_t bytes);

/** The memory of `input`; NULL for NULL.
 *
 *  Thread: any.
 */
BIGHT_API void *bight_job_input_data(const struct bight_job_input *input);

/** Free it; NULL does nothing. No execution may have it.
 *
 *  Thread: any.  Ownership: takes input.
 */
BIGHT_API void bight_job_input_free(struct bight_job_input *input);

/* What is special about one execution. Zero is the default for every field. */
struct bight_execute_options {
    /* Sleep until the executor has room for one more, in FIFO order, instead of BIGHT_EFULL. */
    bool wait_for_room;
    /* How long the job may run, apart from the time it waits; default and negative: no limit. Then
     * bight_job_cancelled turns true; in processes the worker gets SIGTERM after the executor's
     * grace_ms, and SIGKILL after as long again. The execution ends with BIGHT_ETIMEDOUT when the
     * job has returned, with what it returned, or when it was killed. */
    int64_t run_ms;
    /* How often an idempotent job is begun at most; default: what the executor's options say. */
    unsigned attempts_max;
    /* Called with the bytes of each bight_job_progress, in order, before the execution ends; on the
     * loop's thread, outside of tasks. Must not suspend; `data` is valid until it returns. */
    void (*progress)(void *arg, const void *data, size_t bytes);
    void *progress_arg;
    /* The input is the beginning of this memory, and stays as it is until the execution has ended,
     * however often its worker dies. A worker maps it, and what the job writes there is private to
     * that run. Executors of threads copy it, as any other. */
    const struct bight_job_input *placed;
};

/** bight_execute with options; NULL: the defaults.
 *
 *  @return as there; BIGHT_ETIMEDOUT: it ran for longer than options->run_ms, and result->code and
 *          the output are there if it has returned, else result->exit_signal.
 *  Suspends: yes.  Cancellable: yes, until the job has begun; then as the executor's policy says.
 *  On cancel: BIGHT_ECANCELED, or the job's result when it was too late.
 *  Allocates: as bight_execute.  Thread: the loop's.
 *  Ownership: as bight_execute; borrows options.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_execute_with(struct bight_executor *executor,
                                                  const struct bight_job_def *def,
                                                  const void *input, size_t input_bytes,
                                                  const struct bight_execute_options *options,
                                                  struct bight_result *result);

/* An execution that was begun without waiting for it, in the caller's memory. */
struct bight_execution {
    /* Done when the execution has ended, with the status that bight_execute would have returned;
     * its value is `result`. For bight_future_wait, bight_wait, bight_case_future and the like. */
    struct bight_future future;
    /* Filled in when it has ended. */
    struct bight_result result;
    /* Private from here. */
    struct bight_executor *executor; /* NULL: it has ended */
    const struct bight_job_def *def;
    const void *input;
    size_t input_bytes;
    struct bight_execute_options options;
    void (*ended)(struct bight_execution *execution, int rc);
    struct bight_waiter *ender;
    uint32_t items; /* more than 0: the input is a chunk of so many */
    bool traced;    /* with `trace` */
    struct bight_trace_context trace;
    bool bare; /* without options, trace context and items, as most */
    uint64_t kind[17];
};

/** Begin to run the job `def` on a copy of `input`, as bight_execute_with does, and return. Wait
 *  with bight_future_wait(&execution->future, &status, NULL), or however one waits for futures;
 *  then, or at any time, call bight_execution_end.
 *
 *  With options->wait_for_room the call may sleep; without, it may also be made outside of tasks.
 *
 *  @return 0: execution->future will be done. BIGHT_EFULL, BIGHT_ETOOBIG, BIGHT_ECLOSED,
 *          BIGHT_EPERM, BIGHT_EINVAL, BIGHT_ENOMEM, BIGHT_EINITFAILED, BIGHT_EAGAIN,
 *          BIGHT_ENOTPREPARED: as from bight_execute, nothing was begun. BIGHT_ECANCELED,
 *          BIGHT_ENOTASK: with wait_for_room only.
 *  Suspends: yes, with wait_for_room, until there is room; otherwise no.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, nothing was begun.
 *  Allocates: as bight_execute.  Thread: the loop's.
 *  Ownership: keeps def for ever; keeps execution and input until the execution has ended, which a
 *  cancellation of tasks does not bring about: call bight_execution_end before they go away.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_execution_begin(struct bight_execution *execution,
                                                     struct bight_executor *executor,
                                                     const struct bight_job_def *def,
                                                     const void *input, size_t input_bytes,
                                                     const struct bight_execute_options *options);

/** Withdraw an execution whose job has not begun: it ends with BIGHT_ECANCELED. A job that runs is
 *  told, as when the caller of bight_execute is cancelled, and the execution ends in its own time.
 *
 *  @return 0: it was withdrawn; BIGHT_EBUSY: its job runs; BIGHT_EALREADY: it had ended, or was
 *          never begun; BIGHT_EPERM: it belongs to another thread; BIGHT_EINVAL.
 */
BIGHT_API int bight_execution_cancel(struct bight_execution *execution);

/** Cancel the execution if it has not ended, wait until it has, and free its result. A zero record,
 *  or one whose begin failed, stays as it is.
 *
 *  @return 0; BIGHT_EPERM: it belongs to another thread; BIGHT_EALREADY: another task is ending it;
 *          BIGHT_EINVAL; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: no.  On cancel: goes on until the execution has ended.
 *  Allocates: no.  Thread: the loop's.  Ownership: returns execution and input to the caller.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_execution_end(struct bight_execution *execution);

/** Free what `result` holds and zero it. A zero result stays as it is.
 *
 *  Thread: any.  Ownership: takes the output.
 */
BIGHT_API void bight_result_free(struct bight_result *result);

/** End the executor: take no more jobs, wait for those that were taken, end the workers, free it.
 *  Tasks that wait for room get BIGHT_ECLOSED.
 *
 *  @return 0: the executor is gone; BIGHT_EALREADY: another task is ending it; BIGHT_EPERM: it
 *          belongs to another thread; BIGHT_EINVAL; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: no.  On cancel: goes on until the executor has ended.
 *  Allocates: no.  Thread: the loop's.  Ownership: takes executor on success.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_executor_end(struct bight_executor *executor);

/* What becomes of the jobs that an executor has taken. */
enum bight_executor_ending {
    /* They are awaited. */
    BIGHT_EXECUTOR_DRAIN,
    /* Those that have not begun end with BIGHT_ECLOSED; those that run are awaited. */
    BIGHT_EXECUTOR_WITHDRAW,
    /* And those that run are told by bight_job_cancelled; processes that run one are killed at
     * once, which is BIGHT_EWORKERDIED for it, also if it is idempotent. */
    BIGHT_EXECUTOR_KILL,
};

/** bight_executor_end with a choice. An end that waits can be hurried by a second call with another
 *  `how`, which returns at once.
 *
 *  @return as bight_executor_end; BIGHT_EALREADY: another task is ending it, and from now on in
 *          this way if it is the more impatient one.
 *  Suspends: yes.  Cancellable: no.  On cancel: goes on until the executor has ended.
 *  Allocates: no.  Thread: the loop's.  Ownership: takes executor on success.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_executor_end_with(struct bight_executor *executor,
                                                       enum bight_executor_ending how);

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
