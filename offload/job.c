/* The calls of <bight/job.h>: a job's output and flags. The kind of executor knows where the output
 * lies; it grows through job->ops. */
#include "offload/job.h"

#include <string.h>

#include <bight/errors.h>

int bight_job_output_reserve(struct bight_job *job, size_t bytes, void **room)
{
    size_t need;

    if (!job || !room)
        return BIGHT_EINVAL;
    if (__builtin_add_overflow(job->output_bytes, bytes, &need))
        need = SIZE_MAX;
    if (need > job->output_room) {
        int rc = job->ops->grow(job, need);

        if (rc)
            return rc;
    }
    *room = job->output + job->output_bytes;
    return 0;
}

int bight_job_output_commit(struct bight_job *job, size_t bytes)
{
    if (!job || bytes > job->output_room - job->output_bytes)
        return BIGHT_EINVAL;
    job->output_bytes += bytes;
    return 0;
}

int bight_job_output_append(struct bight_job *job, const void *data, size_t bytes)
{
    void *room;
    int rc;

    if (!job || (!data && bytes))
        return BIGHT_EINVAL;
    rc = bight_job_output_reserve(job, bytes, &room);
    if (rc)
        return rc;
    if (bytes)
        memcpy(room, data, bytes);
    job->output_bytes += bytes;
    return 0;
}

void bight_job_output_clear(struct bight_job *job)
{
    if (!job)
        return;
    job->output_bytes = 0;
    job->ops->clear(job);
}

bool bight_job_cancelled(const struct bight_job *job)
{
    return job && __atomic_load_n(job->cancel_flag, __ATOMIC_RELAXED) != 0;
}

int bight_job_trace_context(const struct bight_job *job, struct bight_trace_context *out)
{
    if (!job || !out)
        return BIGHT_EINVAL;
    if (!job->trace)
        return BIGHT_ENOENT;
    *out = *job->trace;
    return 0;
}

int bight_job_progress(struct bight_job *job, const void *data, size_t bytes)
{
    if (!job || (!data && bytes))
        return BIGHT_EINVAL;
    if (bytes > BIGHT_JOB_PROGRESS_MAX)
        return BIGHT_ETOOBIG;
    return job->ops->progress(job, data, bytes);
}

void bight_job_set_local(struct bight_job *job, void *local)
{
    if (!job)
        return;
    job->local = local;
    job->ops->set_local(job, local);
}
