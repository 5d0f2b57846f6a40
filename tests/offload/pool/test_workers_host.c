/* What host, zygote and workers see of each other: descriptors, signals, process groups, wait
 * calls. */
#include "tests/offload/worker_cases.h"

#include <bight/uv.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/support.h"

static void await_started(const struct bight_executor *executor, uint64_t count)
{
    while (worker_stats(executor).started < count || worker_stats(executor).ready < 2)
        CHECK_EQ(bight_sleep(1), 0);
}

static int use_workers_with_many_fds(void *arg)
{
    int opened[20];
    struct bight_executor *executor;

    (void)arg;
    for (int i = 0; i < 20; i++)
        CHECK((opened[i] = dup(1)) > 0);
    executor = worker_open_count(2);
    worker_check_fds(executor);
    CHECK_EQ(kill(worker_stats(executor).zygote_pid, SIGKILL), 0);
    await_started(executor, 4);
    worker_check_fds(executor);
    CHECK_EQ(kill(worker_keeper(executor), SIGKILL), 0);
    await_started(executor, 6);
    worker_check_fds(executor); /* the zygote was executed anew */
    CHECK_EQ(kill(worker_stats(executor).zygote_pid, SIGKILL), 0);
    await_started(executor, 8);
    worker_check_fds(executor); /* and again */
    worker_close(executor);
    for (int i = 0; i < 20; i++)
        close(opened[i]);
    return 0;
}

static int workers_inherit_stdio_and_the_channel_only(void)
{
    for (int i = 0; i < 20; i++)
        CHECK(dup(1) > 0);
    CHECK_EQ(worker_prepare(), 0);
    return bight_run(use_workers_with_many_fds, NULL);
}

static int use_workers(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);

    (void)arg;
    worker_check_fds(executor);
    worker_close(executor);
    return 0;
}

static int closed_standard_descriptors_are_not_taken(void)
{
    int kept = fcntl(1, F_DUPFD_CLOEXEC, 300);

    CHECK(kept >= 300);
    close(0);
    close(1);
    close(2);
    CHECK_EQ(worker_prepare(), 0);
    while (open("/dev/null", O_RDWR) < 2) /* libuv insists on them */
        continue;
    return bight_run(use_workers, NULL);
}

static uint64_t signal_set(const char *name)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];
    uint64_t set = UINT64_MAX;

    while (status && fgets(line, sizeof line, status)) {
        if (strncmp(line, name, strlen(name)) == 0)
            set = strtoull(line + strlen(name) + 1, NULL, 16);
    }
    if (status)
        fclose(status);
    return set;
}

/* 0 when nothing is ignored, caught or blocked. A sanitizer may catch what it likes. */
static int look_at_signals(struct bight_job *job)
{
    /* The C library's own two are ignored in whatever posix_spawn has started. */
    uint64_t ignored = signal_set("SigIgn:") & ~((uint64_t)3 << 31);
    uint64_t caught = signal_set("SigCgt:");

    (void)job;
#ifdef BIGHT_ASAN
    caught = 0;
#endif
    return ignored || signal_set("SigBlk:") || caught ? -1 : 0;
}

static const struct bight_job_def signals_job = {.name = "signals", .fn = look_at_signals};

static void on_signal(int number)
{
    if (number == SIGCHLD)
        atomic_fetch_add(&worker_shared->counter, 1);
}

static int look_at_workers_signals(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);

    (void)arg;
    CHECK_EQ(bight_execute(executor, &signals_job, NULL, 0, NULL), 0);
    CHECK_EQ(kill(worker_stats(executor).zygote_pid, SIGKILL), 0);
    while (worker_stats(executor).started < 2)
        CHECK_EQ(bight_sleep(1), 0);
    CHECK_EQ(bight_execute(executor, &signals_job, NULL, 0, NULL), 0);
    worker_close(executor);
    return 0;
}

static int workers_have_default_dispositions(void)
{
    sigset_t set;

    signal(SIGUSR1, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, on_signal);
    signal(SIGCHLD, on_signal);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    CHECK_EQ(worker_prepare(), 0);
    return bight_run(look_at_workers_signals, NULL);
}

static int interrupt_own_group(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct worker_call held = {.executor = executor, .def = &hold_job};

    (void)arg;
    worker_spawn(&held);
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(kill(0, SIGINT), 0); /* as a terminal does on Ctrl-C */
    CHECK_EQ(getpgid(worker_pid(executor)), worker_stats(executor).zygote_pid);
    atomic_store(&worker_shared->released, 1);
    worker_join(&held);
    CHECK_EQ(held.rc, 0);
    worker_close(executor);
    return 0;
}

static int ctrl_c_does_not_reach_workers(void)
{
    CHECK_EQ(setpgid(0, 0), 0);
    signal(SIGINT, on_signal);
    CHECK_EQ(worker_prepare(), 0);
    return bight_run(interrupt_own_group, NULL);
}

static bool clone3_works(void)
{
    return syscall(SYS_clone3, NULL, 0) < 0 && errno != ENOSYS;
}

static int lose_workers_and_zygotes(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    int status;

    (void)arg;
    CHECK_EQ(waitpid(-1, &status, WNOHANG), -1);
    CHECK_EQ(errno, ECHILD);
    CHECK_EQ(kill(worker_pid(executor), SIGKILL), 0);
    while (worker_stats(executor).started < 2)
        CHECK_EQ(bight_sleep(1), 0);
    CHECK_EQ(kill(worker_stats(executor).zygote_pid, SIGKILL), 0);
    while (worker_stats(executor).started < 3)
        CHECK_EQ(bight_sleep(1), 0);
    CHECK_EQ(wait(&status), -1); /* would block if it saw the new zygote */
    CHECK_EQ(errno, ECHILD);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    worker_close(executor);
    CHECK_EQ(atomic_load(&worker_shared->counter), 0);
    return 0;
}

static int the_host_sees_no_children(void)
{
    if (!clone3_works())
        return 0;
    signal(SIGCHLD, on_signal);
    CHECK_EQ(worker_prepare(), 0);
    return bight_run(lose_workers_and_zygotes, NULL);
}

static int not_even_as_a_subreaper(void)
{
    CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    return the_host_sees_no_children();
}

/* It is a copy of the host as of the time of the re-execution. */
static int the_keeper_of_a_large_host_is_small(void *arg)
{
    size_t bytes = 64u << 20;
    struct bight_executor *executor = worker_open_count(1);
    char *large = malloc(bytes);
    int keeper;

    (void)arg;
    memset(large, 1, bytes);
    CHECK_EQ(kill(worker_keeper(executor), SIGKILL), 0);
    while (worker_stats(executor).started < 2 || worker_stats(executor).ready < 1)
        CHECK_EQ(bight_sleep(1), 0);
    keeper = worker_keeper(executor);
#ifndef BIGHT_ASAN
    while (worker_status_of(keeper, "RssAnon:") > 4096)
        CHECK_EQ(bight_sleep(1), 0);
#endif
    CHECK(keeper != getpid());
    worker_close(executor);
    CHECK_EQ(large[bytes / 2], 1);
    free(large);
    return 0;
}

static long oom_score_of(const char *path)
{
    char text[16] = "";
    FILE *file = fopen(path, "r");

    CHECK(file && fgets(text, sizeof text, file));
    fclose(file);
    return strtol(text, NULL, 10);
}

static int tell_oom_score(struct bight_job *job)
{
    long score = oom_score_of("/proc/self/oom_score_adj");

    return bight_job_output_append(job, &score, sizeof score);
}

static const struct bight_job_def oom_job = {.name = "oom", .fn = tell_oom_score};

/* The host's may have changed since its zygote was made. */
static int memory_pressure_ends_a_worker_before_its_host(void *arg)
{
    static const long scores[] = {0, 100, 700, 1000};
    long first = oom_score_of("/proc/self/oom_score_adj");

    (void)arg;
    for (size_t i = 0; i < sizeof scores / sizeof *scores; i++) {
        long expected = scores[i] + 500 < 1000 ? scores[i] + 500 : 1000, score;
        struct bight_executor *executor;
        struct bight_result result;
        FILE *file;

        if (scores[i] < first)
            continue; /* lowering it takes a privilege */
        file = fopen("/proc/self/oom_score_adj", "w");
        CHECK(file && fprintf(file, "%ld", scores[i]) > 0 && fclose(file) == 0);
        executor = worker_open_count(1);
        CHECK_EQ(bight_execute(executor, &oom_job, NULL, 0, &result), 0);
        memcpy(&score, result.output, sizeof score);
        CHECK_EQ(score, expected);
        bight_result_free(&result);
        worker_close(executor);
    }
    return 0;
}

static int die(struct bight_job *job)
{
    (void)job;
    return kill(getpid(), SIGKILL);
}

static const struct bight_job_def die_job = {.name = "die", .fn = die};

static int see_a_death(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_result result;

    (void)arg;
    CHECK_EQ(bight_execute(executor, &die_job, NULL, 0, &result), BIGHT_EWORKERDIED);
    CHECK_EQ(result.exit_signal, SIGKILL);
    worker_close(executor);
    return 0;
}

static int deaths_are_seen_where_the_host_ignores_sigchld(void)
{
    signal(SIGCHLD, SIG_IGN);
    CHECK_EQ(worker_prepare(), 0);
    return bight_run(see_a_death, NULL);
}

static int print(struct bight_job *job)
{
    (void)job;
    printf("job ");
    return 0;
}

static const struct bight_job_def print_job = {.name = "print", .fn = print};

static int run_print(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);

    (void)arg;
    CHECK_EQ(bight_execute(executor, &print_job, NULL, 0, NULL), 0);
    worker_close(executor);
    return 0;
}

static int what_the_host_has_not_written_is_written_once(void)
{
    char text[64] = "";
    int ends[2], kept = dup(1);

    CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
    CHECK_EQ(dup2(ends[1], 1), 1);
    setvbuf(stdout, NULL, _IOFBF, 4096);
    printf("host ");
    CHECK_EQ(worker_prepare(), 0);
    CHECK_EQ(bight_run(run_print, NULL), 0);
    fflush(stdout);
    dup2(kept, 1);
    CHECK_EQ(read(ends[0], text, sizeof text - 1), 9);
    CHECK(strcmp(text, "job host ") == 0);
    return 0;
}

static struct bight_executor *foreign;

static int use_foreign(void *arg)
{
    struct bight_executor *own = worker_open_count(1);

    (void)arg;
    CHECK_EQ(bight_execute(foreign, &echo_job, NULL, 0, NULL), BIGHT_EPERM);
    CHECK_EQ(bight_executor_end(foreign), BIGHT_EPERM);
    CHECK_EQ(bight_execute(own, &echo_job, NULL, 0, NULL), 0);
    worker_close(own);
    return 0;
}

static void *run_elsewhere(void *arg)
{
    *(int *)arg = bight_run(use_foreign, NULL);
    return NULL;
}

static int an_executor_belongs_to_its_runtime(void *arg)
{
    pthread_t thread;
    int rc = -1;

    (void)arg;
    foreign = worker_open_count(1);
    CHECK_EQ(pthread_create(&thread, NULL, run_elsewhere, &rc), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(rc, 0);
    worker_close(foreign);
    return 0;
}

static int outside_of_tasks_nothing_suspends(void)
{
    struct bight_executor *executor = NULL;

    CHECK_EQ(bight_workers_new(&executor, NULL), BIGHT_ENOTASK);
    CHECK_EQ(bight_executor_get_stats(NULL, NULL), BIGHT_EINVAL);
    return 0;
}

static int executors_come_and_go(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20; i++) {
        struct bight_executor *executor = worker_open_count(2);

        CHECK_EQ(bight_execute(executor, &echo_job, "x", 1, NULL), 0);
        worker_close(executor);
    }
    return 0;
}

static int use_attached(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);

    CHECK_EQ(bight_execute(executor, &echo_job, "x", 1, NULL), 0);
    worker_close(executor);
    *(bool *)arg = true;
    return 0;
}

static int workers_run_under_a_hosts_loop(void)
{
    struct bight_runtime *runtime;
    bool done = false;
    uv_loop_t loop;

    CHECK_EQ(uv_loop_init(&loop), 0);
    CHECK_EQ(bight_attach(&runtime, &loop, NULL), 0);
    CHECK_EQ(bight_spawn(NULL, use_attached, &done), 0);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    CHECK(done);
    CHECK_EQ(bight_detach(runtime, NULL, NULL), 0);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    CHECK_EQ(uv_loop_close(&loop), 0);
    return 0;
}

/* As a daemon does: the process that prepared is gone, its zygote with it. */
static int a_forked_host_gets_a_zygote_of_its_own(void)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        exit(bight_run(use_workers, NULL));
    CHECK_EQ(test_waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    return 0;
}

static const struct suite_case cases[] = {
    worker_plain(workers_inherit_stdio_and_the_channel_only, CASE_UNPREPARED),
    worker_plain(closed_standard_descriptors_are_not_taken, CASE_UNPREPARED),
    worker_plain(workers_have_default_dispositions, CASE_UNPREPARED),
    worker_plain(ctrl_c_does_not_reach_workers, CASE_UNPREPARED),
    worker_plain(the_host_sees_no_children, CASE_UNPREPARED),
    worker_plain(not_even_as_a_subreaper, CASE_UNPREPARED),
    worker_plain(deaths_are_seen_where_the_host_ignores_sigchld, CASE_UNPREPARED),
    worker_plain(what_the_host_has_not_written_is_written_once, CASE_UNPREPARED),
    worker_case(an_executor_belongs_to_its_runtime, 0),
    worker_plain(outside_of_tasks_nothing_suspends, 0),
    worker_case(executors_come_and_go, 0),
    worker_case(memory_pressure_ends_a_worker_before_its_host, 0),
    worker_case(the_keeper_of_a_large_host_is_small, 0),
    worker_plain(workers_run_under_a_hosts_loop, 0),
    worker_plain(a_forked_host_gets_a_zygote_of_its_own, 0),
};

worker_suite("workers_host", cases);
