/* Workers that look for jobs for a while before they sleep, and a loop that looks for results. */
#include "tests/offload/worker_cases.h"

#include <sched.h>
#include <sys/socket.h>

#include "offload/pool/pool.h"

#define ROUNDS 50

static struct bight_executor *open_spinning(unsigned spin_us)
{
    struct bight_workers_options options = {.workers = 1, .spin_us = spin_us};

    return worker_open(&options);
}

static struct worker *only_worker(struct bight_executor *executor)
{
    return container_of(pool_of(executor)->workers.next, struct worker, link);
}

/* A worker that sleeps does so at least once for each job that comes when the last one is done. */
static int a_spinning_worker_does_not_sleep_between_jobs(void *arg)
{
    struct bight_executor *executor = open_spinning(1000000);
    long before, after;

    (void)arg;
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    before = worker_status_of(worker_pid(executor), "voluntary_ctxt_switches:");
    for (int i = 0; i < ROUNDS; i++)
        CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    after = worker_status_of(worker_pid(executor), "voluntary_ctxt_switches:");
    CHECK(after - before < ROUNDS / 2);
    worker_close(executor);
    return 0;
}

static int it_sleeps_in_the_end(void *arg)
{
    struct bight_executor *executor = open_spinning(1000);
    struct channel *channel = only_worker(executor)->channel;

    (void)arg;
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
        while (atomic_load(&channel->sleeping) != SLEEPS_FOR_JOB)
            CHECK_EQ(bight_sleep(1), 0);
    }
    worker_close(executor);
    return 0;
}

static int report(struct bight_job *job)
{
    return bight_job_progress(job, "done", 4);
}

static const struct bight_job_def report_job = {.name = "report", .fn = report};

struct look {
    const struct worker *worker;
    int unread;
};

/* Whether the worker's byte is still there: the loop has not asked the kernel for it. */
static void reported(void *arg, const void *data, size_t bytes)
{
    struct look *look = arg;
    char byte;

    (void)data;
    (void)bytes;
    look->unread +=
        recv(bight__watch_fd(look->worker->watch), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

static int the_loop_looks_before_it_sleeps(void *arg)
{
    struct bight_executor *executor = open_spinning(1000);
    struct look look = {.worker = only_worker(executor)};
    const struct bight_execute_options options = {.progress = reported, .progress_arg = &look};
    const struct channel *channel = look.worker->channel;
    struct bight_execution execution;
    int status = 1;

    (void)arg;
    CHECK_EQ(bight_execution_begin(&execution, executor, &report_job, NULL, 0, &options), 0);
    while (atomic_load(&channel->finished) == look.worker->tail)
        (void)sched_yield();
    CHECK_EQ(bight_future_wait(&execution.future, &status, NULL), 0);
    CHECK_EQ(status, 0);
    CHECK_EQ(look.unread, 1);
    CHECK_EQ(bight_execution_end(&execution), 0);
    worker_close(executor);
    return 0;
}

static int a_spin_has_a_limit(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .spin_us = 1000001};
    struct bight_executor *executor;

    (void)arg;
    CHECK_EQ(bight_workers_new(&executor, &options), BIGHT_EINVAL);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(a_spinning_worker_does_not_sleep_between_jobs, 0),
    worker_case(it_sleeps_in_the_end, 0),
    worker_case(the_loop_looks_before_it_sleeps, 0),
    worker_case(a_spin_has_a_limit, 0),
};

worker_suite("workers_spin", cases);
