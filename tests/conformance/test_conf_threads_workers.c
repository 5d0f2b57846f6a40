/* What the catalogue asks of a pool's workers, for worker processes. Each test is a process of
 * one thread until it has made them, so that it needs no bight_workers_prepare. */
#include "tests/conformance/conf.h"

#include <bight/workers.h>
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/* Seen by the test and its workers. */
static struct shared {
    sem_t begun;
    sem_t released;
    atomic_bool fail;
} * shared;

static void share_memory(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    sem_init(&shared->begun, 1, 0);
    sem_init(&shared->released, 1, 0);
}

static void no_report(void *arg, const struct bight_report *report)
{
    (void)arg;
    ck_abort_msg("report: %s", report->text);
}

static int run(int (*fn)(void *arg), void *arg)
{
    const struct bight_runtime_options options = {.on_report = no_report};

    share_memory();
    return bight_run_with(&options, fn, arg);
}

/* A task that executes a job. */
struct call {
    struct bight_executor *executor;
    const struct bight_job_def *def;
    struct bight_result result;
    struct bight_task *task;
};

static int executes(void *arg)
{
    struct call *call = arg;

    return bight_execute(call->executor, call->def, NULL, 0, &call->result);
}

static void start(struct call *call, struct bight_executor *executor,
                  const struct bight_job_def *def)
{
    *call = (struct call){.executor = executor, .def = def};
    ck_ok(bight_spawn(&call->task, executes, call));
}

/* Initialisers */

static int initialise(struct bight_job *job)
{
    static char word[] = "initialized";
    struct timespec pause = {.tv_nsec = 100000000};

    if (shared->fail) {
        nanosleep(&pause, NULL);
        return BIGHT_EIO;
    }
    bight_job_set_local(job, word);
    return 0;
}

static int read_local(struct bight_job *job)
{
    return bight_job_output_append(job, job->local, strlen(job->local) + 1);
}

static const struct bight_job_def initialise_job = {.name = "initialise", .fn = initialise};
static const struct bight_job_def read_local_job = {.name = "read local", .fn = read_local};

/* PPOOL-17 too. */
static int initialised_workers(void *arg)
{
    const struct bight_workers_options options = {.workers = 2, .init = &initialise_job};
    struct bight_executor *executor;
    struct call calls[2];

    (void)arg;
    ck_ok(bight_workers_new(&executor, &options));
    for (int i = 0; i < 2; i++)
        start(&calls[i], executor, &read_local_job);
    for (int i = 0; i < 2; i++) {
        conf_join(calls[i].task, 0);
        ck_assert_str_eq(calls[i].result.output, "initialized");
        bight_result_free(&calls[i].result);
    }
    return bight_executor_end(executor);
}

static void job_finds_pool_broken(struct bight_executor *executor)
{
    struct bight_result result;

    ck_code(bight_execute(executor, &read_local_job, NULL, 0, &result), BIGHT_EINITFAILED);
    ck_code(result.code, BIGHT_EIO); /* the initialiser's */
    ck_assert_uint_eq(result.attempts, 0);
    bight_result_free(&result);
}

static int failing_initialiser(void *arg)
{
    const struct bight_workers_options options = {.workers = 2, .init = &initialise_job};
    struct bight_executor *executor = NULL;
    int pids[2];

    (void)arg;
    shared->fail = true;
    ck_code(bight_workers_new(&executor, &options), BIGHT_EINITFAILED);
    ck_assert_ptr_null(executor);
    /* The initialiser begins to fail when there is a pool. */
    shared->fail = false;
    ck_ok(bight_workers_new(&executor, &options));
    shared->fail = true;
    ck_assert_int_eq(bight_workers_pids(executor, pids, 2), 2);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(kill(pids[i], SIGKILL), 0);
    job_finds_pool_broken(executor);
    job_finds_pool_broken(executor);
    return bight_executor_end(executor);
}

/* The end */

static int hold(struct bight_job *job)
{
    (void)job;
    sem_post(&shared->begun);
    while (sem_wait(&shared->released))
        ;
    return 0;
}

static const struct bight_job_def hold_job = {.name = "hold", .fn = hold};

static int all_end(void *arg)
{
    const struct bight_workers_options options = {.workers = 3};
    struct bight_executor *executor;
    struct call calls[3];
    int pids[4];

    (void)arg;
    ck_ok(bight_workers_new(&executor, &options));
    for (int i = 0; i < 3; i++)
        start(&calls[i], executor, &hold_job);
    ck_ok(bight_yield());
    for (int i = 0; i < 3; i++)
        sem_wait(&shared->begun);
    ck_assert_int_eq(bight_workers_pids(executor, pids, 4), 3);
    for (int i = 0; i < 3; i++)
        sem_post(&shared->released);
    ck_ok(bight_executor_end(executor));
    for (int i = 0; i < 3; i++) {
        conf_join(calls[i].task, 0);
        ck_assert(kill(pids[i], 0) == -1 && errno == ESRCH);
    }
    return 0;
}

static const struct suite_case cases[] = {
    body_case(tpool_11_each_worker_is_initialised_before_its_jobs, run, initialised_workers),
    body_case(tpool_12_a_failing_initialiser_breaks_the_pool_for_good, run, failing_initialiser),
    body_case(xshut_08_all_workers_end_when_their_work_is_done, run, all_end),
};

test_suite("workers", cases);
