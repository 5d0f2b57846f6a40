/* Jobs: functions that executors run elsewhere, on a thread or in a worker process. All have one
 * signature: bytes in, bytes out, a code. A job is described once, by a static definition, and a
 * call passes the definition, never a string:
 *
 *     static int count_words(struct bight_job *job);
 *     static const struct bight_job_def count_words_job = {
 *         .name = "count words", .fn = count_words};
 *
 * A job may block and compute as it likes; it is not a task and must not call what suspends. To run
 * one, see <bight/executor.h>. */
#ifndef BIGHT_JOB_H
#define BIGHT_JOB_H

#include <bight/base.h>
#include <bight/trace_context.h>

BIGHT_BEGIN_DECLS

struct bight_job;
struct bight__job_ops;

/* Running the job twice does no harm: when the worker that ran it dies, it is run again elsewhere
 * instead of ending with BIGHT_EWORKERDIED. */
#define BIGHT_JOB_IDEMPOTENT 1u

/* What a job is. Must have static storage: a worker finds its own copy by the definition's place in
 * the program or library, and checks name and version. Name the fields: more may follow. */
struct bight_job_def {
    /* Not empty; shown in dumps. */
    const char *name;
    /* The job. A negative return is a failure; it and the output reach the caller either way. */
    int (*fn)(struct bight_job *job);
    /* BIGHT_JOB_IDEMPOTENT or 0. */
    unsigned flags;
    /* Another number after each change of what input and output mean: a worker whose program or
     * library has another one does not run the job. */
    unsigned version;
};

/* One run of a job, as the job sees it. */
struct bight_job {
    /* What the caller passed; aligned to 16 bytes, NULL when there is nothing. Private to this run:
     * the job may write to it. */
    void *input;
    size_t input_bytes;
    /* 1 at the first run; higher when earlier workers died running it. */
    unsigned attempt;
    /* What bight_job_set_local, or the initialiser of a thread, set in this worker; else NULL. */
    void *local;
    /* Private from here; use the calls below. */
    unsigned char *output;
    size_t output_bytes;
    size_t output_room;
    const struct bight__job_ops *ops;
    const uint32_t *cancel_flag;
    const struct bight_trace_context *trace;
};

/** Make room for `bytes` more bytes at the end of the output, at *room, without adding them yet:
 *  fill what you need of it, then call bight_job_output_commit. The worker does not copy output
 *  that was written in place.
 *
 *  @return 0; BIGHT_ETOOBIG: the output would pass the executor's limit, and the caller will get
 *          this code whatever the job returns, unless it clears the output; BIGHT_ENOMEM.
 *  Thread: the one that runs the job.
 *  Ownership: *room is valid until the next call for this job's output.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_job_output_reserve(struct bight_job *job, size_t bytes,
                                                        void **room);

/** Add the first `bytes` of what was reserved last to the output.
 *
 *  @return 0; BIGHT_EINVAL for more than was reserved.
 *  Thread: the one that runs the job.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_job_output_commit(struct bight_job *job, size_t bytes);

/** Append a copy of `data` to the output.
 *
 *  @return as bight_job_output_reserve; on failure nothing was added.
 *  Thread: the one that runs the job.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_job_output_append(struct bight_job *job, const void *data,
                                                       size_t bytes);

/** Drop the output so far, for example to put the description of an error in its place.
 *
 *  Thread: the one that runs the job.
 */
BIGHT_API void bight_job_output_clear(struct bight_job *job);

/** Whether the caller wants the job to stop early; cheap enough for an inner loop. What the job
 *  then returns still reaches the caller. In threads it is set when the caller is cancelled, in
 *  processes only if the executor's options say that it interrupts.
 *
 *  Thread: the one that runs the job.
 */
BIGHT_API bool bight_job_cancelled(const struct bight_job *job);

/** Get the trace context of the task that has had the job run, of the time when it did so. The
 *  tracestate that goes with it does not reach jobs: docs/seeing.md says why.
 *
 *  @return 0; BIGHT_ENOENT: that task had none, or it was no task; BIGHT_EINVAL.
 *  Thread: the one that runs the job.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_job_trace_context(const struct bight_job *job,
                                                       struct bight_trace_context *out);

/* How large one report of progress may be. */
#define BIGHT_JOB_PROGRESS_MAX 1024u

/** Hand `bytes` at `data` to the progress function of the caller's options. Without such a function
 *  it does nothing. Where the caller does not keep up it blocks until there is room.
 *
 *  @return 0; BIGHT_ETOOBIG for more than BIGHT_JOB_PROGRESS_MAX bytes; BIGHT_ENOMEM; BIGHT_EINVAL.
 *  Thread: the one that runs the job.  Ownership: borrows data.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_job_progress(struct bight_job *job, const void *data,
                                                  size_t bytes);

/** Set the pointer that this and all later jobs of the same worker find in `job->local`.
 *
 *  Thread: the one that runs the job.
 *  Ownership: keeps local until the worker ends; the worker does not free it.
 */
BIGHT_API void bight_job_set_local(struct bight_job *job, void *local);

BIGHT_END_DECLS

#endif
