/* What stands behind <bight/job.h>: the table of calls of the place where a job runs.
 * child/worker.c has the one for processes, threads/job.c the one for threads. */
#ifndef BIGHT_OFFLOAD_JOB_H
#define BIGHT_OFFLOAD_JOB_H

#include <bight/job.h>

struct bight__job_ops {
    /* Give job->output room for `bytes` in all and keep what is in it. 0 or an error; BIGHT_ETOOBIG
     * is remembered as the job's end until `clear`. */
    int (*grow)(struct bight_job *job, size_t bytes);
    void (*clear)(struct bight_job *job);
    void (*set_local)(struct bight_job *job, void *local);
    /* Hand at most BIGHT_JOB_PROGRESS_MAX bytes to the caller. 0 or an error. */
    int (*progress)(struct bight_job *job, const void *data, size_t bytes);
    /* A function of the job has returned. Does not return where that is in a copy of the worker. */
    void (*returned)(struct bight_job *job);
};

#endif
