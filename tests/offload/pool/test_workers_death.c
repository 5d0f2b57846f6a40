/* Worker processes and zygotes that die: every job ends exactly once, with its result or its error,
 * and nobody is left behind. */
#include "tests/offload/worker_cases.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/support.h"

static void await_ready(const struct bight_executor *executor, unsigned ready, uint64_t started)
{
    struct bight_executor_stats stats = worker_stats(executor);

    while (stats.ready < ready || stats.started < started) {
        CHECK_EQ(bight_sleep(1), 0);
        stats = worker_stats(executor);
    }
}

static int only_the_running_job_of_a_killed_worker_fails(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct worker_call held = {.executor = executor, .def = &hold_job};
    struct worker_call next[5];

    (void)arg;
    worker_spawn(&held);
    for (int i = 0; i < 5; i++) {
        next[i] = (struct worker_call){.executor = executor, .def = &pid_job};
        worker_spawn(&next[i]);
    }
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(kill(atomic_load(&worker_shared->pid), SIGKILL), 0);
    CHECK_EQ(bight_join(held.task, NULL), 0);
    CHECK_EQ(held.rc, BIGHT_EWORKERDIED);
    CHECK_EQ(held.result.exit_signal, SIGKILL);
    CHECK_EQ(held.result.attempts, 1);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(bight_join(next[i].task, NULL), 0);
        CHECK_EQ(next[i].rc, 0);
        CHECK_EQ(next[i].result.attempts, 1);
        CHECK(next[i].result.code != atomic_load(&worker_shared->pid));
    }
    CHECK_EQ(worker_stats(executor).died, 1);
    CHECK_EQ(worker_stats(executor).started, 2);
    worker_close(executor);
    return 0;
}

static int a_worker_killed_idle_is_replaced(void *arg)
{
    struct bight_executor *executor = worker_open_count(2);
    int pids[2];

    (void)arg;
    CHECK_EQ(bight_workers_pids(executor, pids, 2), 2);
    CHECK_EQ(kill(pids[0], SIGKILL), 0);
    CHECK_EQ(kill(pids[1], SIGKILL), 0);
    await_ready(executor, 2, 4);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    CHECK_EQ(worker_stats(executor).died, 2);
    worker_close(executor);
    return 0;
}

static int exit_early(struct bight_job *job)
{
    (void)job;
    _exit(33);
}

static const struct bight_job_def exit_job = {.name = "exit", .fn = exit_early};

static int a_job_that_exits_is_a_death_with_its_status(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_result result;

    (void)arg;
    CHECK_EQ(bight_execute(executor, &exit_job, NULL, 0, &result), BIGHT_EWORKERDIED);
    CHECK_EQ(result.exit_signal, 0);
    CHECK_EQ(result.exit_status, 33);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    worker_close(executor);
    return 0;
}

/* Kills its worker at the first `input` attempts. */
static int die_at_first(struct bight_job *job)
{
    atomic_fetch_add(&worker_shared->counter, 1);
    if (job->attempt <= *(unsigned *)job->input)
        (void)kill(getpid(), SIGKILL);
    return (int)job->attempt;
}

static const struct bight_job_def dying_job = {
    .name = "dying", .fn = die_at_first, .flags = BIGHT_JOB_IDEMPOTENT};

static int an_idempotent_job_is_run_again_up_to_a_limit(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .attempts_max = 4};
    struct bight_executor *executor = worker_open(&options);
    struct bight_result result;
    unsigned deaths = 3;

    (void)arg;
    CHECK_EQ(bight_execute(executor, &dying_job, &deaths, sizeof deaths, &result), 0);
    CHECK_EQ(result.code, 4);
    CHECK_EQ(result.attempts, 4);
    deaths = 100;
    CHECK_EQ(bight_execute(executor, &dying_job, &deaths, sizeof deaths, &result),
             BIGHT_EWORKERDIED);
    CHECK_EQ(result.attempts, 4);
    CHECK_EQ(atomic_load(&worker_shared->counter), 8);
    worker_close(executor);
    return 0;
}

/* Counts its runs by number, and works a little. */
static int count_run(struct bight_job *job)
{
    int number = *(int *)job->input;

    for (volatile unsigned i = 0; i < 20000; i++)
        ;
    atomic_fetch_add(&worker_shared->flags[number], 1);
    return number;
}

static const struct bight_job_def counting_job = {.name = "counting", .fn = count_run};
static const struct bight_job_def counting_again_job = {
    .name = "counting again", .fn = count_run, .flags = BIGHT_JOB_IDEMPOTENT};

enum { STORM_JOBS = 4000, STORM_KILLS = 60 };

struct storm {
    struct bight_executor *executor;
    int kills;
};

/* One of those that live, as soon as there is one. */
static void kill_one(struct storm *storm)
{
    for (;;) {
        int pids[4];
        int count = bight_workers_pids(storm->executor, pids, 4);

        for (int i = 0; i < count; i++) {
            if (kill(pids[(storm->kills + i) % count], SIGKILL) == 0) {
                storm->kills++;
                return;
            }
        }
        CHECK_EQ(bight_sleep(1), 0);
    }
}

/* Every job is counted once, ended once, and at most one per kill has failed. */
static int weather_storm(const struct bight_job_def *def)
{
    struct bight_workers_options options = {
        .workers = 4, .queue_max = STORM_JOBS, .attempts_max = 1000};
    struct storm storm = {.executor = worker_open(&options)};
    struct worker_call *calls = calloc(STORM_JOBS, sizeof *calls);
    int *numbers = calloc(STORM_JOBS, sizeof *numbers);
    int failed = 0;

    for (int i = 0; i < STORM_JOBS; i++) {
        numbers[i] = i;
        calls[i] = (struct worker_call){.executor = storm.executor,
                                        .def = def,
                                        .input = &numbers[i],
                                        .input_bytes = sizeof numbers[i]};
        worker_spawn(&calls[i]);
        if (i % (STORM_JOBS / STORM_KILLS) == 0) {
            CHECK_EQ(bight_yield(), 0);
            kill_one(&storm);
        }
    }
    for (int i = 0; i < STORM_JOBS; i++) {
        int runs;

        worker_join(&calls[i]);
        runs = atomic_load(&worker_shared->flags[i]);
        if (calls[i].rc) {
            CHECK_EQ(calls[i].rc, BIGHT_EWORKERDIED);
            CHECK(runs <= 1);
            failed++;
        } else {
            CHECK(def == &counting_again_job ? runs >= 1 : runs == 1);
        }
    }
    CHECK(failed <= storm.kills);
    CHECK(def != &counting_again_job || failed == 0);
    CHECK(storm.kills >= STORM_KILLS);
    CHECK_EQ(worker_stats(storm.executor).ended, STORM_JOBS);
    CHECK_EQ(worker_stats(storm.executor).jobs, 0);
    worker_close(storm.executor);
    free(calls);
    free(numbers);
    return 0;
}

static int a_storm_of_kills_fails_one_job_each_at_most(void *arg)
{
    (void)arg;
    return weather_storm(&counting_job);
}

static int a_storm_of_kills_fails_no_idempotent_job(void *arg)
{
    (void)arg;
    return weather_storm(&counting_again_job);
}

static void echo_bytes(struct bight_executor *executor)
{
    struct bight_result result;

    CHECK_EQ(bight_execute(executor, &echo_job, "bytes", 5, &result), 0);
    CHECK_EQ(result.output_bytes, 5);
    CHECK(memcmp(result.output, "bytes", 5) == 0);
    bight_result_free(&result);
}

static int a_killed_zygote_is_survived(void *arg)
{
    struct bight_executor *executor = worker_open_count(2);
    struct worker_call held = {.executor = executor, .def = &hold_job};
    struct worker_call again = {.executor = executor, .def = &echo_job};
    int before = worker_stats(executor).zygote_pid, keeper = worker_keeper(executor);

    (void)arg;
    worker_spawn(&held);
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(kill(before, SIGKILL), 0);
    worker_join(&held);
    CHECK_EQ(held.rc, BIGHT_EWORKERDIED);
    worker_spawn(&again);
    worker_join(&again);
    CHECK_EQ(again.rc, 0);
    echo_bytes(executor);
    CHECK(worker_stats(executor).zygote_pid != before);
    CHECK_EQ(worker_keeper(executor), keeper); /* which has made the new one */
    CHECK_EQ(worker_stats(executor).zygotes_died, 1);
    worker_close(executor);
    return 0;
}

/* The next zygotes are executed anew, and are at other addresses. */
static int a_killed_keeper_is_survived(void *arg)
{
    struct bight_executor *executor = worker_open_count(2);
    struct worker_call held = {.executor = executor, .def = &hold_job};
    int keeper = worker_keeper(executor);

    (void)arg;
    worker_spawn(&held);
    worker_await(&worker_shared->running, 1);
    for (uint64_t round = 1; round <= 3; round++) {
        CHECK_EQ(kill(keeper, SIGKILL), 0);
        await_ready(executor, 2, 4 * round);
        echo_bytes(executor);
        CHECK(worker_keeper(executor) != keeper);
        keeper = worker_keeper(executor);
        CHECK_EQ(kill(worker_stats(executor).zygote_pid, SIGKILL), 0);
        await_ready(executor, 2, 2 + 4 * round);
        echo_bytes(executor);
        CHECK_EQ(worker_keeper(executor), keeper);
    }
    worker_join(&held);
    CHECK_EQ(held.rc, BIGHT_EWORKERDIED);
    CHECK_EQ(worker_stats(executor).zygotes_died, 6);
    worker_close(executor);
    return 0;
}

static int a_zygote_may_be_killed_again_and_again(void *arg)
{
    enum { CALLS = 50 };
    struct bight_executor *executor = worker_open_count(2);
    struct bight_executor *other = worker_open_count(1);

    (void)arg;
    for (uint64_t round = 1; round <= 4; round++) {
        struct worker_call calls[CALLS];

        await_ready(executor, 2, 2 * round);
        await_ready(other, 1, round);
        for (int i = 0; i < CALLS; i++) {
            calls[i] = (struct worker_call){.executor = executor, .def = &pid_job};
            worker_spawn(&calls[i]);
        }
        CHECK_EQ(bight_yield(), 0);
        CHECK_EQ(kill(worker_stats(executor).zygote_pid, SIGKILL), 0);
        for (int i = 0; i < CALLS; i++) {
            worker_join(&calls[i]);
            CHECK(calls[i].rc == 0 || calls[i].rc == BIGHT_EWORKERDIED);
        }
        CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    }
    await_ready(other, 1, 5);
    CHECK_EQ(bight_execute(other, &echo_job, NULL, 0, NULL), 0);
    CHECK_EQ(worker_stats(other).zygotes_died, 4);
    worker_close(other);
    worker_close(executor);
    return 0;
}

static int a_zygote_killed_between_executors_is_replaced(void *arg)
{
    (void)arg;
    for (int i = 0; i < 4; i++) {
        struct bight_executor *executor = worker_open_count(1);
        int zygote = worker_stats(executor).zygote_pid;

        CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
        worker_close(executor);
        CHECK_EQ(kill(zygote, SIGKILL), 0);
        while (kill(zygote, 0) == 0) /* until its keeper has reaped it */
            CHECK_EQ(bight_sleep(1), 0);
    }
    worker_close(worker_open_count(1));
    return 0;
}

static int a_zygote_killed_while_its_executor_closes(void *arg)
{
    struct bight_executor *executor = worker_open_count(2);

    (void)arg;
    CHECK_EQ(kill(worker_stats(executor).zygote_pid, SIGKILL), 0);
    worker_close(executor);
    return 0;
}

static int a_stopped_zygote_does_not_hang_the_close(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .grace_ms = 30};
    struct bight_executor *executor = worker_open(&options);

    (void)arg;
    CHECK_EQ(kill(worker_stats(executor).zygote_pid, SIGSTOP), 0);
    worker_close(executor);
    return 0;
}

static int die_at_start(struct bight_job *job)
{
    (void)job;
    _exit(1);
}

static const struct bight_job_def dying_init_job = {.name = "dying init", .fn = die_at_start};

static int workers_that_die_at_their_start_are_an_error(void *arg)
{
    struct bight_workers_options options = {.workers = 2, .init = &dying_init_job};
    struct bight_executor *executor;

    (void)arg;
    CHECK_EQ(bight_workers_new(&executor, &options), BIGHT_EWORKERDIED);
    return 0;
}

/* The suite waits for all that is left behind: see worker_cases.c. */
static int exit_with_running_jobs(void *arg)
{
    struct bight_executor *executor = worker_open_count(2);
    struct worker_call held = {.executor = executor, .def = &hold_job};

    (void)arg;
    worker_spawn(&held);
    worker_await(&worker_shared->running, 1);
    _exit(0);
}

static int workers_end_when_their_host_exits(void)
{
    return bight_run(exit_with_running_jobs, NULL);
}

static int be_killed_with_running_jobs(void *arg)
{
    struct bight_executor *executor = worker_open_count(2);
    struct worker_call held = {.executor = executor, .def = &hold_job};

    (void)arg;
    worker_spawn(&held);
    worker_await(&worker_shared->running, 1);
    (void)kill(getpid(), SIGKILL);
    return 0;
}

/* Whether the process has ended; it may not have been reaped yet, which is the suite's business. */
static bool has_ended(int pid)
{
    char path[64], line[256] = "";
    const char *state;
    FILE *stat;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    stat = fopen(path, "re");
    if (!stat)
        return true;
    (void)!fgets(line, sizeof line, stat);
    fclose(stat);
    state = strrchr(line, ')');
    return !state || state[2] == 'Z' || state[2] == 'X';
}

/* In a child, whose zygote is its own; a copy of the child's descriptors lives on in another
 * one, so that the end of its sockets alone tells nobody. */
static int workers_end_when_their_host_is_killed(void)
{
    int status, lives[2];
    char byte;
    pid_t child;

    CHECK_EQ(pipe(lives), 0);
    child = fork();
    if (child == 0) {
        char *argv[] = {(char *)(uintptr_t) "killed", NULL};

        close(lives[0]);
        CHECK_EQ(bight_workers_prepare(1, argv), 0);
        if (fork() == 0) {
            (void)prctl(PR_SET_PDEATHSIG, 0);
            close(lives[1]);
            while (getppid() != 1 && atomic_load(&worker_shared->counter) == 0)
                usleep(1000);
            _exit(0);
        }
        exit(bight_run(be_killed_with_running_jobs, NULL));
    }
    close(lives[1]);
    CHECK_EQ(test_waitpid(child, &status, 0), child);
    CHECK_EQ(WTERMSIG(status), SIGKILL);
    /* Zygote and worker have not got this pipe; only the child itself had. */
    CHECK_EQ(read(lives[0], &byte, 1), 0);
    while (!has_ended(atomic_load(&worker_shared->pid)))
        usleep(1000);
    atomic_store(&worker_shared->counter, 1);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(only_the_running_job_of_a_killed_worker_fails, 0),
    worker_case(a_worker_killed_idle_is_replaced, 0),
    worker_case(a_job_that_exits_is_a_death_with_its_status, 0),
    worker_case(an_idempotent_job_is_run_again_up_to_a_limit, 0),
    worker_case(a_storm_of_kills_fails_one_job_each_at_most, 0),
    worker_case(a_storm_of_kills_fails_no_idempotent_job, 0),
    worker_case(a_killed_zygote_is_survived, 0),
    worker_case(a_killed_keeper_is_survived, 0),
    worker_case(a_zygote_may_be_killed_again_and_again, 0),
    worker_case(a_zygote_killed_between_executors_is_replaced, 0),
    worker_case(a_zygote_killed_while_its_executor_closes, CASE_LOSES_ZYGOTE),
    worker_case(a_stopped_zygote_does_not_hang_the_close, CASE_LOSES_ZYGOTE),
    worker_case(workers_that_die_at_their_start_are_an_error, 0),
    worker_plain(workers_end_when_their_host_exits, 0),
    worker_plain(workers_end_when_their_host_is_killed, CASE_UNPREPARED),
};

worker_suite("workers_death", cases);
