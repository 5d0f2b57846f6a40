/* What stands behind <bight/job.h>: the table of calls of the place where a job runs.
 * child/worker.c has the one for processes. */
#ifndef BIGHT_OFFLOAD_JOB_H
#define BIGHT_OFFLOAD_JOB_H

#include <bight/job.h>

/* Where a job's output goes. */
struct bight__job_ops {
    /* Make job->output have room for `bytes` in all, keeping what is in it. 0 or an error; the
     * executor remembers BIGHT_ETOOBIG by itself, until `clear`. */
    int (*grow)(struct bight_job *job, size_t bytes);
    void (*clear)(struct bight_job *job);
    void (*set_local)(struct bight_job *job, void *local);
};

#endif
