/* Where promises about workers could end: a worker that dies while its executor opens, one that
 * writes over its own job's state, copies of a worker, limits and habits of the host. */
#include "tests/offload/worker_cases.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "offload/wire/channel.h"

static void pause_ms(long ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

static void *exit_soon(void *arg)
{
    (void)arg;
    pause_ms(2);
    _exit(1);
}

static int die_after_start(struct bight_job *job)
{
    pthread_t thread;

    (void)job;
    return pthread_create(&thread, NULL, exit_soon, NULL) ? -1 : 0;
}

static const struct bight_job_def die_after_start_job = {.name = "die after start",
                                                         .fn = die_after_start};

/* Keeps the loop from running meanwhile. */
static int occupy(void *arg)
{
    (void)arg;
    pause_ms(100);
    return 0;
}

/* Its start and its end are heard in the same turn of the loop. */
static int a_worker_that_dies_during_the_open_is_not_an_executor(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .init = &die_after_start_job};

    (void)arg;
    for (int i = 0; i < 3; i++) {
        struct bight_executor *executor = NULL;
        struct bight_task *task;
        int rc;

        CHECK_EQ(bight_spawn(&task, occupy, NULL), 0);
        rc = bight_workers_new(&executor, &options);
        CHECK(rc ? !executor : executor != NULL);
        if (!rc)
            worker_close(executor);
        CHECK_EQ(bight_join(task, NULL), 0);
    }
    return 0;
}

static int sleep_on(struct bight_job *job)
{
    pause_ms(*(const int *)job->input);
    return 0;
}

static const struct bight_job_def sleep_job = {.name = "sleep", .fn = sleep_on};

/* Execute under a deadline. */
static int execute_within(struct bight_executor *executor, const struct bight_job_def *def,
                          const void *input, size_t input_bytes, struct bight_result *result)
{
    struct bight_scope scope;
    int rc, settled;

    CHECK_EQ(bight_scope_begin(&scope, 50, 0), 0);
    rc = bight_execute(executor, def, input, input_bytes, result);
    settled = bight_scope_end(&scope, rc);
    CHECK(settled == rc || settled == BIGHT_ETIMEDOUT);
    return rc;
}

static struct bight_executor *open_interrupting(int64_t grace_ms)
{
    struct bight_workers_options options = {
        .workers = 1, .cancel = BIGHT_EXECUTOR_CANCEL_INTERRUPT, .grace_ms = grace_ms};

    return worker_open(&options);
}

static int the_longest_grace_is_for_ever(void *arg)
{
    struct bight_executor *executor = open_interrupting(INT64_MAX);
    struct bight_result result;
    int ms = 300;

    (void)arg;
    CHECK_EQ(execute_within(executor, &sleep_job, &ms, sizeof ms, &result), 0);
    CHECK_EQ(result.exit_signal, 0);
    worker_close(executor);
    return 0;
}

static _Atomic uint32_t *own_state(struct bight_job *job)
{
    char *cancel = (char *)(uintptr_t)job->cancel_flag;

    return (_Atomic uint32_t *)(void *)(cancel - offsetof(struct channel_slot, cancel));
}

static _Noreturn void sleep_for_ever(void)
{
    for (;;)
        pause();
}

static int forge_state(struct bight_job *job)
{
    atomic_store(own_state(job), *(const uint32_t *)job->input);
    sleep_for_ever();
}

static const struct bight_job_def forge_job = {.name = "forge state", .fn = forge_state};

static int no_state_saves_a_job_from_its_deadline(void *arg)
{
    static const uint32_t states[] = {SLOT_TAKEN, SLOT_DONE, SLOT_REVOKED, SLOT_FREE, 0x1234};
    struct bight_executor *executor = open_interrupting(30);

    (void)arg;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        int rc = execute_within(executor, &forge_job, &states[i], sizeof states[i], NULL);

        CHECK(rc == BIGHT_ECANCELED || rc == BIGHT_EUNKNOWNOUTCOME);
    }
    worker_close(executor);
    return 0;
}

static int fork_and_return(struct bight_job *job)
{
    pid_t pid = fork();

    (void)job;
    if (pid == 0)
        pause_ms(20);
    return pid < 0 ? -1 : 0;
}

static int count(struct bight_job *job)
{
    int number = *(const int *)job->input;

    atomic_fetch_add(&worker_shared->flags[number], 1);
    return bight_job_output_append(job, &number, sizeof number);
}

static const struct bight_job_def fork_job = {.name = "fork and return", .fn = fork_and_return};
static const struct bight_job_def count_job = {.name = "count", .fn = count};

static int a_copy_that_returns_from_a_job_serves_no_others(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);

    (void)arg;
    CHECK_EQ(bight_execute(executor, &fork_job, NULL, 0, NULL), 0);
    for (int i = 0; i < 400; i++) {
        struct bight_result result;

        CHECK_EQ(bight_execute(executor, &count_job, &i, sizeof i, &result), 0);
        CHECK_EQ(result.output_bytes, sizeof i);
        CHECK_EQ(*(int *)result.output, i);
        CHECK_EQ(atomic_load(&worker_shared->flags[i]), 1);
        bight_result_free(&result);
        if (i % 50 == 0)
            CHECK_EQ(bight_sleep(5), 0);
    }
    worker_close(executor);
    return 0;
}

static int forge_unbegun(struct bight_job *job)
{
    atomic_fetch_add(&worker_shared->counter, 1);
    atomic_store(own_state(job), SLOT_READY);
    _exit(1);
}

static const struct bight_job_def unbegun_job = {.name = "forge unbegun", .fn = forge_unbegun};

static int a_job_that_denies_its_beginning_ends(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);

    (void)arg;
    CHECK_EQ(bight_execute(executor, &unbegun_job, NULL, 0, NULL), BIGHT_EUNKNOWNOUTCOME);
    CHECK(atomic_load(&worker_shared->counter) <= 64);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    worker_close(executor);
    return 0;
}

static int a_limit_of_file_sizes_is_an_error(void *arg)
{
    struct bight_workers_options options = {.workers = 1};
    struct rlimit before, small;
    struct bight_executor *executor;

    (void)arg;
    CHECK_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){1 << 20, before.rlim_max};
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    CHECK_EQ(bight_workers_new(&executor, &options), BIGHT_EFBIG);
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    worker_close(worker_open(&options));
    return 0;
}

/* What a process has takes the kernel some time to take apart. */
static int grow_large(struct bight_job *job)
{
    size_t bytes = (size_t)256 << 20;
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)job;
    if (memory == MAP_FAILED)
        return -1;
    for (size_t at = 0; at < bytes; at += 4096)
        memory[at] = 1;
    return 0;
}

static const struct bight_job_def grow_job = {.name = "grow large", .fn = grow_large};

static int a_worker_slow_to_end_harms_no_other_executor(void *arg)
{
    struct bight_workers_options hasty = {.workers = 1, .grace_ms = 1};
    struct bight_executor *first = worker_open(&hasty), *second = worker_open_count(1);
    struct worker_call held = {.executor = second, .def = &hold_job};

    (void)arg;
    worker_spawn(&held);
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(bight_execute(first, &grow_job, NULL, 0, NULL), 0);
    worker_close(first);
    atomic_store(&worker_shared->released, 1);
    worker_join(&held);
    CHECK_EQ(held.rc, 0);
    CHECK_EQ(worker_stats(second).zygotes_died, 0);
    worker_close(second);
    return 0;
}

static int a_host_that_adopts_orphans_gets_no_zygote(void *arg)
{
    struct bight_workers_options options = {.workers = 2, .grace_ms = 30};
    struct bight_executor *executor;
    int pids[2];

    (void)arg;
    CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    executor = worker_open(&options);
    CHECK_EQ(bight_workers_pids(executor, pids, 2), 2);
    CHECK_EQ(kill(worker_stats(executor).zygote_pid, SIGSTOP), 0);
    CHECK_EQ(kill(pids[0], SIGSTOP), 0);
    worker_close(executor);
    CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);
    CHECK_EQ(errno, ECHILD);
    return 0;
}

/* The zygote is the fork that prepare made: not one that had to be executed anew. */
static int use_first_zygote(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    char path[64], text[256];
    size_t bytes;
    FILE *file;

    (void)arg;
    snprintf(path, sizeof path, "/proc/%d/cmdline", worker_stats(executor).zygote_pid);
    file = fopen(path, "re");
    CHECK(file);
    bytes = fread(text, 1, sizeof text, file);
    fclose(file);
    CHECK(!memmem(text, bytes, "bight-zygote", strlen("bight-zygote")));
    worker_close(executor);
    return 0;
}

/* `prepare` needs four: a socket to the keeper, the keeper's pidfd, and a pair for the zygote. */
static int four_free_descriptors_are_enough_to_prepare(void)
{
    char name[] = "program", *argv[] = {name, NULL};
    struct rlimit before, small;
    int last[4] = {-1, -1, -1, -1};

    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    small = (struct rlimit){40, before.rlim_max};
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &small), 0);
    for (int fd; (fd = dup(1)) >= 0;) {
        memmove(last, last + 1, 3 * sizeof *last);
        last[3] = fd;
    }
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(bight_workers_prepare(1, argv), BIGHT_EMFILE);
        CHECK_EQ(close(last[i]), 0); /* it has kept nothing of what there was */
    }
    CHECK_EQ(bight_workers_prepare(1, argv), 0);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    return bight_run(use_first_zygote, NULL);
}

static const struct suite_case cases[] = {
    worker_case(a_worker_that_dies_during_the_open_is_not_an_executor, 0),
    worker_case(the_longest_grace_is_for_ever, 0),
    worker_case(no_state_saves_a_job_from_its_deadline, 0),
    worker_case(a_copy_that_returns_from_a_job_serves_no_others, 0),
    worker_case(a_job_that_denies_its_beginning_ends, 0),
    worker_case(a_limit_of_file_sizes_is_an_error, 0),
    worker_case(a_worker_slow_to_end_harms_no_other_executor, 0),
    worker_case(a_host_that_adopts_orphans_gets_no_zygote, CASE_LOSES_ZYGOTE),
    worker_plain(four_free_descriptors_are_enough_to_prepare, CASE_UNPREPARED),
};

worker_suite("workers_limits", cases);
