/* A job in a process of its own, which is made for it and ends with it: for what should be seen and
 * signalled as a process. Many short jobs go to an executor (<bight/workers.h>) instead, which uses
 * its processes again. As there, the program calls bight_workers_prepare first; the process is a
 * worker in everything that docs/workers.md says: a copy of the program's first moments, with
 * standard input, output and error open. It ends when this process does. */
#ifndef BIGHT_JOB_PROCESS_H
#define BIGHT_JOB_PROCESS_H

#include <bight/workers.h>

BIGHT_BEGIN_DECLS

struct bight_job_process;
struct bight_shared;

/* Zero is the default for every field. */
struct bight_job_process_options {
    /* What the system shows as its name, cut to 15 bytes. Copied; default: the job's. */
    const char *name;
    /* As for workers. */
    int nice;
    const struct bight_workers_limit *limits;
    size_t limit_count;
    size_t payload_max_bytes;
    /* How long the process may take to leave after its job has returned, before it is killed;
     * default 1,000. */
    int64_t grace_ms;
    /* Segments that the process is given before the job: number 0, 1, ... for bight_job_shared. */
    struct bight_shared *const *segments;
    size_t segment_count;
};

/** Start a process that runs the job `def` on a copy of `input`, and wait until it runs. The job is
 *  run once, also if it is idempotent.
 *
 *  @return 0; BIGHT_ETOOBIG: the input is larger than payload_max_bytes; BIGHT_EFULL, BIGHT_EPERM:
 *          of its segments, as from bight_workers_share; BIGHT_ENOTPREPARED,
 *          BIGHT_EWORKERDIED, BIGHT_EUNKNOWNJOB, BIGHT_EFBIG, BIGHT_ENOMEM, BIGHT_EMFILE and the
 *          like: as from bight_workers_new; BIGHT_ECANCELED; BIGHT_EINVAL; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED after the process has ended, within about grace_ms.
 *  Allocates: what an executor of one worker does; a copy of an input of more than 1 MiB.
 *  Thread: the loop's.
 *  Ownership: keeps def for ever; borrows input and options; gives *out, to be freed with
 *  bight_job_process_free in the same runtime, whose end kills what is left, and frees it.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_job_process_start(struct bight_job_process **out, const struct bight_job_def *def,
                        const void *input, size_t input_bytes,
                        const struct bight_job_process_options *options);

/** Sleep until the process has ended, at once if it has. Any number of tasks may do so.
 *
 *  @return 0; BIGHT_ECANCELED: the process goes on; BIGHT_EPERM: it belongs to another thread;
 *          BIGHT_EINVAL; BIGHT_ENOTASK. A scope with a deadline around the call makes
 *          BIGHT_ETIMEDOUT of BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, the process goes on.
 *  Allocates: no.  Thread: the loop's.  Ownership: keeps process until it returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_job_process_join(struct bight_job_process *process);

/** What is done, with `process` as its value, when the process has ended: for bight_wait,
 *  bight_select and the like. NULL for NULL.
 */
BIGHT_API struct bight_future *bight_job_process_future(struct bight_job_process *process);

/** The process id, also after the end, when it may be another process's. 0 for NULL.
 */
BIGHT_API int bight_job_process_pid(const struct bight_job_process *process);

/** Whether the process has not ended. False for NULL.
 */
BIGHT_API bool bight_job_process_alive(const struct bight_job_process *process);

/** Send SIGTERM; never to another process, also if this one has just ended. The job may handle it.
 *
 *  @return 0; BIGHT_EALREADY: it has ended; BIGHT_EPERM: it belongs to another thread;
 *          BIGHT_EINVAL.
 */
BIGHT_API int bight_job_process_terminate(struct bight_job_process *process);

/** The same with SIGKILL.
 *
 *  @return as bight_job_process_terminate.
 */
BIGHT_API int bight_job_process_kill(struct bight_job_process *process);

/** How the process has ended: exit_signal is the signal that killed it, or 0 and exit_status what
 *  it exited with, which is 0 after a job that has returned. What the job returned is the code, and
 *  its output is there.
 *
 *  @return 0: the job returned result->code, which is not negative; BIGHT_EJOBFAILED: it returned a
 *          negative one; BIGHT_EWORKERDIED: the process has ended, by a signal or exit(), before
 *          the job returned; BIGHT_EUNKNOWNJOB, BIGHT_ETOOBIG, BIGHT_EUNKNOWNOUTCOME, BIGHT_ENOMEM,
 *          BIGHT_EMFILE: as from bight_execute. BIGHT_EBUSY: it has not ended, *result is NULL;
 *          BIGHT_EINVAL.
 *  Ownership: lends *result, until bight_job_process_free.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_job_process_result(const struct bight_job_process *process,
                                                        const struct bight_result **result);

/** Forget a process that has ended, and free its result. NULL does nothing.
 *
 *  @return 0; BIGHT_EBUSY: it has not ended; BIGHT_EPERM: it belongs to another thread.
 *  Ownership: takes process on success.
 */
BIGHT_API int bight_job_process_free(struct bight_job_process *process);

BIGHT_END_DECLS

#endif
