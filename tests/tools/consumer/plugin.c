/* A library for a program whose main is somebody else's, which is what host.c is: its workers need
 * the helper that is installed with bight. */
#include <bight.h>
#include <string.h>

static int greet(struct bight_job *job)
{
    return bight_job_output_append(job, "hello", 5);
}

static const struct bight_job_def greet_job = {.name = "greet", .fn = greet};

static int start(void *arg)
{
    struct bight_workers_options options = {.workers = 1};
    struct bight_executor *workers;
    struct bight_result result;
    int ended, rc = bight_workers_new(&workers, &options);

    (void)arg;
    if (rc)
        return rc;
    rc = bight_execute(workers, &greet_job, NULL, 0, &result);
    if (!rc && (result.output_bytes != 5 || memcmp(result.output, "hello", 5) != 0))
        rc = BIGHT_EIO;
    bight_result_free(&result);
    ended = bight_executor_end(workers);
    return rc ? rc : ended;
}

int plugin(const char *path)
{
    struct bight_workers_prepare_options options = {.library = path};
    int rc = bight_workers_prepare_with(0, NULL, &options);

    return rc ? rc : bight_run(start, NULL);
}
