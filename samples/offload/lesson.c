/* See lesson.h. */
#include "samples/offload/lesson.h"

#include <bight/errors.h>
#include <bight/time.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int job_call(struct bight_executor *executor, const struct bight_job_def *def, const void *input,
             size_t input_bytes, void *output, size_t output_bytes)
{
    struct bight_result result;
    int rc = bight_execute(executor, def, input, input_bytes, &result);

    if (rc == BIGHT_EJOBFAILED)
        rc = result.code;
    else if (rc == 0 && result.output_bytes != output_bytes)
        rc = BIGHT_EPROTOCOL;
    if (rc == 0)
        memcpy(output, result.output, output_bytes);
    bight_result_free(&result);
    return rc;
}

int job_input(const struct bight_job *job, void *input, size_t bytes)
{
    if (job->input_bytes != bytes)
        return BIGHT_EINVAL;
    memcpy(input, job->input, bytes);
    return 0;
}

int with_segment(const struct bight_workers_options *options, size_t bytes,
                 int (*fn)(struct bight_executor *workers, struct bight_shared *segment))
{
    struct bight_executor *workers;
    struct bight_shared *segment;
    int rc = bight_workers_new(&workers, options), ended;

    if (rc)
        return rc;
    rc = bight_shared_new(&segment, bytes);
    if (rc == 0) {
        rc = fn(workers, segment);
        ended = bight_shared_free(segment);
        rc = rc ? rc : ended;
    }
    ended = bight_executor_end(workers);
    return rc ? rc : ended;
}

double ms_since(uint64_t start_ns)
{
    return (double)(bight_now_ns() - start_ns) / 1e6;
}

int lesson_status(const char *name, int rc)
{
    if (rc < 0)
        (void)fprintf(stderr, "%s: %s\n", name, bight_strerror(rc));
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
