/* A library that a program with threads loads, and that has workers all the same: see
 * test_workers_library.c. */
#include "tests/offload/plugin.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <bight.h>
#include <bight/workers.h>

#define TRY(condition)                                                                             \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return __LINE__;                                                                       \
    } while (0)

static int reverse(struct bight_job *job)
{
    const char *input = job->input;
    void *room;
    int rc = bight_job_output_reserve(job, job->input_bytes, &room);

    for (size_t i = 0; !rc && i < job->input_bytes; i++)
        ((char *)room)[i] = input[job->input_bytes - 1 - i];
    return rc ? rc : bight_job_output_commit(job, job->input_bytes);
}

static const struct bight_job_def reverse_job = {.name = "reverse", .fn = reverse};

static int run_job(struct bight_executor *executor)
{
    struct bight_result result;
    int rc = bight_execute(executor, &reverse_job, "stressed", 8, &result);

    if (!rc && (result.output_bytes != 8 || memcmp(result.output, "desserts", 8) != 0))
        rc = BIGHT_EIO;
    bight_result_free(&result);
    return rc;
}

static int use_workers(void *arg)
{
    struct bight_workers_options options = {.workers = 2};
    struct bight_executor *executor;
    struct bight_executor_stats stats;

    (void)arg;
    TRY(bight_workers_new(&executor, &options) == 0);
    for (uint64_t died = 0; died < 3; died++) {
        TRY(run_job(executor) == 0);
        TRY(bight_executor_get_stats(executor, &stats) == 0);
        TRY(kill(stats.zygote_pid, SIGKILL) == 0);
        while (stats.zygotes_died == died || stats.ready < 2) {
            TRY(bight_sleep(1) == 0);
            TRY(bight_executor_get_stats(executor, &stats) == 0);
        }
    }
    TRY(run_job(executor) == 0);
    TRY(bight_executor_end(executor) == 0);
    return 0;
}

static int be_refused(void *arg)
{
    struct bight_executor *executor;

    return bight_workers_new(&executor, NULL) - *(int *)arg;
}

int plugin_use_workers(const char *library, const char *helper)
{
    struct bight_workers_prepare_options options = {.library = library, .helper = helper};
    struct bight_workers_prepare_options missing = {.library = "/nowhere", .helper = helper};
    struct bight_workers_prepare_options none = {.library = library, .helper = "/nowhere"};
    struct bight_workers_prepare_options half = {.helper = helper};

    TRY(bight_workers_prepare_with(0, NULL, NULL) == BIGHT_ENOTPREPARED);
    TRY(bight_workers_prepare_with(0, NULL, &half) == BIGHT_EINVAL);
    TRY(bight_workers_prepare_with(0, NULL, &missing) == BIGHT_ENOENT);
    TRY(bight_workers_prepare_with(0, NULL, &none) == BIGHT_ENOENT);
    TRY(bight_workers_prepare_with(0, NULL, &options) == 0);
    TRY(bight_workers_prepare_with(0, NULL, &options) == BIGHT_EALREADY);
    return bight_run(use_workers, NULL);
}

int plugin_is_refused(const char *library, const char *helper, int code)
{
    struct bight_workers_prepare_options options = {.library = library, .helper = helper};

    TRY(bight_workers_prepare_with(0, NULL, &options) == 0);
    return bight_run(be_refused, &code);
}
