/* Workers that end though nothing is wrong with them, after so many jobs or with too much memory,
 * and those that take their places. */
#include "tests/offload/worker_cases.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CALLS 60

static struct worker_call calls[CALLS];

/* How many of the calls that worker has run. */
static int count_runs_of(const int *pids, int count, int pid)
{
    int runs = 0;

    for (int i = 0; i < count; i++)
        runs += pids[i] == pid;
    return runs;
}

/* flags[0]: how many run at this moment; flags[1]: the most of that. The result is the worker. */
static int run_beside(struct bight_job *job)
{
    struct timespec pause = {.tv_nsec = 300000};
    int now = atomic_fetch_add(&worker_shared->flags[0], 1) + 1;
    int most = atomic_load(&worker_shared->flags[1]);
    int pid = getpid();

    while (now > most && !atomic_compare_exchange_weak(&worker_shared->flags[1], &most, now))
        continue;
    nanosleep(&pause, NULL);
    atomic_fetch_sub(&worker_shared->flags[0], 1);
    return bight_job_output_append(job, &pid, sizeof pid);
}

static const struct bight_job_def beside_job = {.name = "beside", .fn = run_beside};

struct noted {
    struct bight_executor *executor;
    int pid;
};

static int note_pid(void *arg)
{
    struct noted *noted = arg;
    struct bight_result result;

    CHECK_EQ(bight_execute(noted->executor, &beside_job, NULL, 0, &result), 0);
    noted->pid = *(int *)result.output;
    bight_result_free(&result);
    return 0;
}

/* All at once; no worker may run more than `most` of them, nor more than `workers` at a time. */
static void check_turnover(const struct bight_workers_options *options, int most)
{
    struct bight_executor *executor = worker_open(options);
    struct bight_task *tasks[CALLS];
    struct noted noted[CALLS];
    int pids[CALLS];

    atomic_store(&worker_shared->flags[1], 0);
    for (int i = 0; i < CALLS; i++) {
        noted[i].executor = executor;
        CHECK_EQ(bight_spawn(&tasks[i], note_pid, &noted[i]), 0);
    }
    for (int i = 0; i < CALLS; i++) {
        CHECK_EQ(bight_join(tasks[i], NULL), 0);
        pids[i] = noted[i].pid;
    }
    for (int i = 0; i < CALLS; i++)
        CHECK(count_runs_of(pids, CALLS, pids[i]) <= most);
    CHECK(atomic_load(&worker_shared->flags[1]) <= (int)options->workers);
    CHECK_EQ(worker_stats(executor).died, 0);
    CHECK((int)worker_stats(executor).started >= CALLS / most);
    worker_close(executor);
}

static int a_worker_is_replaced_after_so_many_jobs(void *arg)
{
    struct bight_workers_options options = {.workers = 3, .jobs_max = 10};

    (void)arg;
    check_turnover(&options, 10);
    options.ahead = 1;
    check_turnover(&options, 10);
    options.jobs_max = 1;
    check_turnover(&options, 1);
    options = (struct bight_workers_options){.workers = 1, .jobs_max = 7, .ahead = 256};
    check_turnover(&options, 7);
    options = (struct bight_workers_options){.workers = 2, .jobs_max = 1, .init = &echo_job};
    check_turnover(&options, 1);
    return 0;
}

static int the_next_worker_starts_while_the_last_job_runs(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .jobs_max = 2};
    struct bight_executor *executor = worker_open(&options);
    struct worker_call held = {.executor = executor, .def = &hold_job};
    struct worker_call next = {.executor = executor, .def = &pid_job};
    int first = worker_run_pid(executor);

    (void)arg;
    CHECK_EQ(worker_stats(executor).started, 1);
    worker_spawn(&held);
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(atomic_load(&worker_shared->pid), first);
    worker_spawn(&next);
    while (worker_stats(executor).started < 2)
        CHECK_EQ(bight_sleep(1), 0);
    CHECK_EQ(bight_sleep(20), 0);
    CHECK(!next.ended); /* it runs no job beside the old one */
    CHECK_EQ(worker_stats(executor).ready, 1);
    atomic_store(&worker_shared->released, 1);
    worker_join(&held);
    CHECK_EQ(held.rc, 0);
    worker_join(&next);
    CHECK_EQ(next.rc, 0);
    CHECK(worker_run_pid(executor) != first);
    worker_close(executor);
    return 0;
}

static int an_end_waits_for_jobs_that_need_further_workers(void *arg)
{
    struct bight_workers_options options = {.workers = 3, .jobs_max = 1};
    struct bight_executor *executor = worker_open(&options);

    (void)arg;
    worker_spawn_all(calls, executor, &pid_job, 6);
    CHECK_EQ(bight_yield(), 0);
    worker_close(executor);
    worker_join_all(calls, 6, 0);
    return 0;
}

static int a_cancelled_last_job_leaves_no_gap(void *arg)
{
    struct bight_workers_options options = {.workers = 2, .jobs_max = 1};
    struct bight_executor *executor = worker_open(&options);

    (void)arg;
    for (int round = 0; round < 60; round++) {
        struct worker_call call = {.executor = executor, .def = &pid_job};

        worker_spawn(&call);
        CHECK_EQ(bight_yield(), 0);
        (void)bight_task_cancel(call.task);
        worker_join(&call);
        CHECK(call.rc == 0 || call.rc == BIGHT_ECANCELED);
        if (round % 3 == 0)
            (void)worker_run_pid(executor);
    }
    CHECK_EQ(worker_stats(executor).died, 0);
    worker_close(executor);
    return 0;
}

static int exit_now(struct bight_job *job)
{
    (void)job;
    _exit(3);
}

static const struct bight_job_def exit_job = {.name = "exit", .fn = exit_now};

static int a_death_in_the_last_job_is_a_death(void *arg)
{
    struct bight_workers_options options = {.workers = 2, .jobs_max = 1};
    struct bight_executor *executor = worker_open(&options);

    (void)arg;
    for (int i = 0; i < 10; i++) {
        struct bight_result result;

        CHECK_EQ(bight_execute(executor, &exit_job, NULL, 0, &result), BIGHT_EWORKERDIED);
        CHECK_EQ(result.exit_status, 3);
        (void)worker_run_pid(executor);
    }
    CHECK_EQ(worker_stats(executor).died, 10);
    worker_close(executor);
    return 0;
}

static int deaths_of_everybody_lose_no_job(void *arg)
{
    struct bight_workers_options options = {.workers = 2, .jobs_max = 3, .attempts_max = 16};
    struct bight_executor *executor = worker_open(&options);

    (void)arg;
    atomic_store(&worker_shared->released, 1);
    worker_spawn_all(calls, executor, &hold_again_job, CALLS);
    for (int i = 0; i < 6; i++) {
        int pids[4], count;

        CHECK_EQ(bight_sleep(2), 0);
        count = bight_workers_pids(executor, pids, 4);
        if (i % 3 == 2 && worker_stats(executor).zygote_pid)
            (void)kill(worker_stats(executor).zygote_pid, SIGKILL);
        else if (count > 0)
            (void)kill(pids[0], SIGKILL);
    }
    worker_join_all(calls, CALLS, 0);
    worker_close(executor);
    return 0;
}

/* Text in stdio's buffer, and nobody who takes it. */
static int clog_output(struct bight_job *job)
{
    char bytes[4096] = {0};
    int ends[2];

    (void)job;
    if (pipe2(ends, O_NONBLOCK) < 0)
        return -1;
    while (write(ends[1], bytes, sizeof bytes) > 0)
        continue;
    if (fcntl(ends[1], F_SETFL, 0) < 0 || dup2(ends[1], 1) < 0)
        return -1;
    fwrite("unread", 1, 6, stdout);
    return 0;
}

static const struct bight_job_def clog_job = {.name = "clog output", .fn = clog_output};

static int a_worker_that_does_not_leave_is_killed(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .jobs_max = 1, .grace_ms = 30};
    struct bight_executor *executor = worker_open(&options);
    int pid = worker_pid(executor);

    (void)arg;
    CHECK_EQ(bight_execute(executor, &clog_job, NULL, 0, NULL), 0);
    (void)worker_run_pid(executor);
    while (kill(pid, 0) == 0)
        CHECK_EQ(bight_sleep(1), 0);
    CHECK_EQ(worker_stats(executor).died, 0);
    worker_close(executor);
    return 0;
}

/* Resident memory of one's own, in MiB. */
static int own_memory(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long all = 0, resident = 0, shared = 0;

    if (!file)
        return -1;
    if (fscanf(file, "%ld %ld %ld", &all, &resident, &shared) != 3)
        resident = shared;
    fclose(file);
    return (int)((resident - shared) * sysconf(_SC_PAGESIZE) >> 20);
}

static int tell_memory(struct bight_job *job)
{
    (void)job;
    return own_memory();
}

static volatile char *leaked;

/* Keep so many MiB; the result is the worker. */
static int leak(struct bight_job *job)
{
    size_t bytes = (size_t) * (const int *)job->input << 20;
    int pid = getpid();

    leaked = malloc(bytes + 1);
    if (!leaked)
        return -1;
    for (size_t at = 0; at < bytes; at += 1024)
        leaked[at] = (char)at;
    return bight_job_output_append(job, &pid, sizeof pid);
}

static const struct bight_job_def memory_job = {.name = "memory", .fn = tell_memory};
static const struct bight_job_def leak_job = {.name = "leak", .fn = leak};

static int run_leak(struct bight_executor *executor, int mib)
{
    struct bight_result result;
    int pid;

    CHECK_EQ(bight_execute(executor, &leak_job, &mib, sizeof mib, &result), 0);
    pid = *(int *)result.output;
    bight_result_free(&result);
    return pid;
}

static size_t memory_of_a_worker(void)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_result result;

    CHECK_EQ(bight_execute(executor, &memory_job, NULL, 0, &result), 0);
    worker_close(executor);
    return (size_t)result.code << 20;
}

static int a_worker_with_too_much_memory_is_replaced(void *arg)
{
    struct bight_workers_options options = {
        .workers = 1, .memory_max_bytes = memory_of_a_worker() + ((size_t)24 << 20)};
    struct bight_executor *executor = worker_open(&options);
    int first = run_leak(executor, 1);

    (void)arg;
    CHECK_EQ(run_leak(executor, 1), first);
    CHECK_EQ(run_leak(executor, 32), first); /* its result is there */
    CHECK(run_leak(executor, 0) != first);
    CHECK_EQ(worker_stats(executor).died, 0);
    worker_close(executor);
    return 0;
}

static int jobs_behind_one_that_took_memory_go_elsewhere(void *arg)
{
    struct bight_workers_options options = {
        .workers = 2, .memory_max_bytes = memory_of_a_worker() + ((size_t)24 << 20)};
    struct bight_executor *executor = worker_open(&options);
    int mib = 32;

    (void)arg;
    for (int i = 0; i < 20; i++) {
        calls[i] = (struct worker_call){.executor = executor,
                                        .def = i % 4 ? &pid_job : &leak_job,
                                        .input = &mib,
                                        .input_bytes = sizeof mib};
        worker_spawn(&calls[i]);
    }
    worker_join_all(calls, 20, 0);
    CHECK(worker_stats(executor).started >= 5);
    CHECK_EQ(worker_stats(executor).died, 0);
    worker_close(executor);
    return 0;
}

static const int init_mib = 8;

static int what_the_initialiser_took_ends_no_worker_before_its_job(void *arg)
{
    struct bight_workers_options options = {.workers = 1,
                                            .memory_max_bytes = 1 << 20,
                                            .init = &leak_job,
                                            .init_input = &init_mib,
                                            .init_input_bytes = sizeof init_mib};
    struct bight_executor *executor = worker_open(&options);
    int first = worker_pid(executor);

    (void)arg;
    CHECK_EQ(worker_run_pid(executor), first);
    CHECK(worker_run_pid(executor) != first);
    worker_close(executor);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(a_worker_is_replaced_after_so_many_jobs, 0),
    worker_case(the_next_worker_starts_while_the_last_job_runs, 0),
    worker_case(an_end_waits_for_jobs_that_need_further_workers, 0),
    worker_case(a_cancelled_last_job_leaves_no_gap, 0),
    worker_case(a_death_in_the_last_job_is_a_death, 0),
    worker_case(deaths_of_everybody_lose_no_job, 0),
    worker_case(a_worker_that_does_not_leave_is_killed, 0),
    worker_case(a_worker_with_too_much_memory_is_replaced, 0),
    worker_case(jobs_behind_one_that_took_memory_go_elsewhere, 0),
    worker_case(what_the_initialiser_took_ends_no_worker_before_its_job, 0),
};

worker_suite("workers_turnover", cases);
