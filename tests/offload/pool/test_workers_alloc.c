/* Allocation failure in the host of workers: at each site, one after the other, in a program that
 * opens an executor, runs jobs of all sizes, loses a worker, and closes. Whatever fails, jobs end
 * with a code, nothing is left, and afterwards all goes on. */
#include "tests/offload/worker_cases.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/runtime.h"

static struct {
    int failing; /* the number of the allocation that fails */
    int seen;
    const void *site;
    bool counting;
} torture;

static bool fail_alloc(void *ctx, const void *site)
{
    (void)ctx;
    if (!torture.counting || torture.seen++ != torture.failing)
        return false;
    torture.site = site;
    return true;
}

static bool expected(int rc)
{
    return rc == 0 || rc == BIGHT_ENOMEM;
}

static int die_once(struct bight_job *job)
{
    return job->attempt == 1 ? kill(getpid(), SIGKILL) : 4;
}

static const struct bight_job_def die_once_job = {
    .name = "die once", .fn = die_once, .flags = BIGHT_JOB_IDEMPOTENT};

static int init(struct bight_job *job)
{
    bight_job_set_local(job, job->input);
    return 0;
}

static const struct bight_job_def init_job = {.name = "init", .fn = init};

static int work(struct bight_executor *executor)
{
    static char large[100000], mapped[2 << 20];
    struct bight_result result;
    int rc;

    rc = bight_execute(executor, &echo_job, "small", 5, &result);
    CHECK(expected(rc));
    CHECK_EQ(result.output_bytes, rc ? 0 : 5);
    bight_result_free(&result);
    rc = bight_execute(executor, &echo_job, large, sizeof large, &result);
    CHECK(expected(rc));
    bight_result_free(&result);
    rc = bight_execute(executor, &echo_job, mapped, sizeof mapped, &result);
    CHECK(expected(rc));
    CHECK_EQ(result.output_bytes, rc ? 0 : sizeof mapped);
    bight_result_free(&result);
    rc = bight_execute(executor, &die_once_job, NULL, 0, &result);
    CHECK(expected(rc));
    bight_result_free(&result);
    return 0;
}

static int run_placed(struct bight_executor *executor)
{
    struct bight_execute_options options = {0};
    struct bight_job_input *input = NULL;
    int rc = bight_job_input_new(&input, 100);

    CHECK(expected(rc));
    CHECK(!rc == (input != NULL));
    if (rc)
        return rc;
    options.placed = input;
    rc = bight_execute_with(executor, &echo_job, bight_job_input_data(input), 100, &options, NULL);
    CHECK(expected(rc));
    bight_job_input_free(input);
    return rc;
}

/* A process of one's own, with a copy of its input. */
static int run_in_process(void)
{
    static char mapped[2 << 20];
    struct bight_job_process *process = NULL;
    const struct bight_result *result;
    int rc = bight_job_process_start(&process, &echo_job, mapped, sizeof mapped, NULL);

    CHECK(expected(rc));
    CHECK(!rc == (process != NULL));
    if (rc)
        return rc;
    CHECK_EQ(bight_job_process_join(process), 0);
    rc = bight_job_process_result(process, &result);
    CHECK(expected(rc));
    CHECK_EQ(result->output_bytes, rc ? 0 : sizeof mapped);
    CHECK_EQ(bight_job_process_free(process), 0);
    return 0;
}

static int tortured(void *arg)
{
    struct bight_workers_options options = {.workers = 1,
                                            .jobs_max = 3,
                                            .init = &init_job,
                                            .init_input = "bytes",
                                            .init_input_bytes = 5};
    struct bight_executor *executor = NULL;
    int rc;

    (void)arg;
    torture.counting = true;
    rc = bight_workers_new(&executor, &options);
    if (!rc)
        rc = work(executor);
    if (!rc)
        rc = run_placed(executor);
    if (!rc)
        rc = run_in_process();
    torture.counting = false;
    CHECK(expected(rc));
    if (!executor)
        return 0;
    CHECK_EQ(bight_execute(executor, &echo_job, "after", 5, NULL), 0);
    worker_close(executor);
    return 0;
}

static int every_site_may_fail(void)
{
    struct bight_seams seams = {.fail_alloc = fail_alloc};
    const void *sites[64];
    size_t found = 0;
    int hits = 0;

    for (torture.failing = 0;; torture.failing++) {
        size_t i = 0;

        torture.seen = 0;
        torture.site = NULL;
        CHECK_EQ(bight__run_with_seams(NULL, &seams, tortured, NULL), 0);
        if (!torture.site)
            break;
        hits++;
        while (i < found && sites[i] != torture.site)
            i++;
        if (i == found && found < 64)
            sites[found++] = torture.site;
    }
    printf("%zu allocation sites, %d failures\n", found, hits);
    CHECK(found >= 12);
    CHECK(hits >= 25);
    return 0;
}

static const struct suite_case cases[] = {
    worker_plain(every_site_may_fail, 0),
};

worker_suite("workers_alloc", cases);
