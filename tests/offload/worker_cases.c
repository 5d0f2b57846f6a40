/* See worker_cases.h. */
#include "tests/offload/worker_cases.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LEFT_BEHIND_SECONDS 10

extern char **environ;

struct worker_shared *worker_shared;

_Noreturn void worker_case_failed(const char *file, int line, const char *what, long a, long b)
{
    printf("%s:%d: %s: %ld, %ld\n", file, line, what, a, b);
    fflush(stdout);
    _exit(1);
}

static int factor(void)
{
    const char *text = getenv("CK_TIMEOUT_MULTIPLIER");

    return text && atoi(text) > 0 ? atoi(text) : 1;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

int worker_open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    CHECK(dir);
    for (const struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count - 1;
}

struct rlimit worker_no_descriptors(void)
{
    struct rlimit before, now;
    int next = dup(0);

    CHECK(next >= 0);
    close(next);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    now = before;
    now.rlim_cur = (rlim_t)next;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &now), 0);
    return before;
}

/* Lines of /proc/self/maps that are memory of a channel, or of a segment. */
static int channel_maps(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    int count = 0;

    CHECK(maps);
    while (fgets(line, sizeof line, maps))
        count += strstr(line, "bight-channel") || strstr(line, "bight-shared");
    fclose(maps);
    return count;
}

static int run_case(const struct worker_case *one, int argc, char **argv)
{
    int before;

    worker_shared = mmap(NULL, sizeof *worker_shared, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(worker_shared != MAP_FAILED);
    if (!(one->flags & CASE_UNPREPARED))
        CHECK_EQ(bight_workers_prepare(argc, argv), 0);
    alarm((unsigned)(WORKER_CASE_SECONDS * factor()));
    if (one->plain)
        return one->plain();
    CHECK_EQ(bight_run(nothing, NULL), 0); /* libuv keeps a pipe from its first loop */
    before = worker_open_fds();
    CHECK_EQ(bight_run(one->task, NULL), 0);
    if (one->flags & CASE_LOSES_ZYGOTE)
        before -= 1;
    if (!(one->flags & CASE_COUNTS_FDS))
        CHECK_EQ(worker_open_fds(), before);
    CHECK_EQ(channel_maps(), 0);
    return 0;
}

/* As their subreaper: everybody who descends from the case has to end soon. 0 or an error. */
static int await_left_behind(const char *name)
{
    struct timespec now, pause = {.tv_nsec = 1000000};
    time_t end;

    clock_gettime(CLOCK_MONOTONIC, &now);
    end = now.tv_sec + LEFT_BEHIND_SECONDS * factor();
    for (;;) {
        pid_t pid = waitpid(-1, NULL, WNOHANG | __WALL);

        if (pid < 0)
            return errno == ECHILD ? 0 : 1;
        if (pid > 0)
            continue;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec > end) {
            printf("%s: left processes behind\n", name);
            return 1;
        }
        nanosleep(&pause, NULL);
    }
}

int worker_execute(int (*none)(void *arg), void *arg)
{
    const struct worker_case *one = arg;
    char *argv[] = {(char *)(uintptr_t) "case", (char *)(uintptr_t)one->name, NULL};
    int status = 0;
    pid_t pid;

    (void)none;
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    ck_assert_int_eq(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ), 0);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    ck_assert_msg(await_left_behind(one->name) == 0, "processes are left behind");
    ck_assert_msg(status == 0, "wait status %#x", (unsigned)status);
    return 0;
}

void worker_begin(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 2)
        return;
    /* The name of a case, or what a re-executed zygote is called. */
    for (size_t i = 0; i < the_suite.count; i++) {
        if (strcmp(the_suite.cases[i].name, argv[1]) == 0)
            exit(run_case(the_suite.cases[i].arg, argc, argv));
    }
    exit(bight_workers_prepare(argc, argv) ? 2 : 3);
}

void worker_await(_Atomic int *value, int least)
{
    while (atomic_load(value) < least)
        CHECK_EQ(bight_sleep(1), 0);
}

struct bight_executor *worker_open(const struct bight_workers_options *options)
{
    struct bight_executor *executor = NULL;

    CHECK_EQ(bight_workers_new(&executor, options), 0);
    return executor;
}

struct bight_executor *worker_open_count(unsigned workers)
{
    struct bight_workers_options options = {.workers = workers};

    return worker_open(&options);
}

void worker_close(struct bight_executor *executor)
{
    CHECK_EQ(bight_executor_end(executor), 0);
}

struct bight_executor_stats worker_stats(const struct bight_executor *executor)
{
    struct bight_executor_stats stats;

    CHECK_EQ(bight_executor_get_stats(executor, &stats), 0);
    return stats;
}

void worker_await_ready(const struct bight_executor *executor, unsigned ready)
{
    while (worker_stats(executor).ready != ready)
        CHECK_EQ(bight_sleep(1), 0);
}

void worker_await_died(const struct bight_executor *executor, uint64_t died)
{
    while (worker_stats(executor).died < died)
        CHECK_EQ(bight_sleep(1), 0);
}

long worker_status_of(int pid, const char *name)
{
    char path[64], line[256];
    long value = -1;
    FILE *status;

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    status = fopen(path, "re");
    CHECK(status);
    while (fgets(line, sizeof line, status)) {
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtol(line + strlen(name), NULL, 10);
    }
    fclose(status);
    return value;
}

/* What bight-channel is mapped at. */
struct channel *worker_channel(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    unsigned long low = 0;

    while (fgets(line, sizeof line, maps)) {
        if (strstr(line, "bight-channel"))
            low = strtoul(line, NULL, 16);
    }
    fclose(maps);
    return (struct channel *)low;
}

int worker_keeper(const struct bight_executor *executor)
{
    return (int)worker_status_of(worker_stats(executor).zygote_pid, "PPid:");
}

int worker_pid(const struct bight_executor *executor)
{
    int pid;

    CHECK_EQ(bight_workers_pids(executor, &pid, 1), 1);
    return pid;
}

static int call_task(void *arg)
{
    struct worker_call *call = arg;

    call->rc =
        bight_execute(call->executor, call->def, call->input, call->input_bytes, &call->result);
    call->ended = true;
    return 0;
}

void worker_spawn(struct worker_call *call)
{
    call->ended = false;
    CHECK_EQ(bight_spawn(&call->task, call_task, call), 0);
}

void worker_join(struct worker_call *call)
{
    CHECK_EQ(bight_join(call->task, NULL), 0);
    CHECK(call->ended);
    bight_result_free(&call->result);
}

void worker_spawn_all(struct worker_call *calls, struct bight_executor *executor,
                      const struct bight_job_def *def, int count)
{
    for (int i = 0; i < count; i++) {
        calls[i] = (struct worker_call){.executor = executor, .def = def};
        worker_spawn(&calls[i]);
    }
}

void worker_join_all(struct worker_call *calls, int count, int rc)
{
    for (int i = 0; i < count; i++) {
        worker_join(&calls[i]);
        CHECK_EQ(calls[i].rc, rc);
    }
}

int worker_run_pid(struct bight_executor *executor)
{
    struct bight_result result;

    CHECK_EQ(bight_execute(executor, &pid_job, NULL, 0, &result), 0);
    return result.code;
}

int worker_join_within(struct bight_job_process *process, int64_t timeout_ms)
{
    struct bight_scope scope;
    int rc;

    CHECK_EQ(bight_scope_begin(&scope, timeout_ms, 0), 0);
    rc = bight_job_process_join(process);
    return bight_scope_end(&scope, rc);
}

static int echo(struct bight_job *job)
{
    return bight_job_output_append(job, job->input, job->input_bytes);
}

static int hold(struct bight_job *job)
{
    struct timespec pause = {.tv_nsec = 200000};

    atomic_store(&worker_shared->pid, (int)getpid());
    atomic_fetch_add(&worker_shared->running, 1);
    while (!atomic_load(&worker_shared->released) && !bight_job_cancelled(job))
        nanosleep(&pause, NULL);
    return (int)job->attempt;
}

static int own_pid(struct bight_job *job)
{
    (void)job;
    return (int)getpid();
}

static void note_signal(int number)
{
    atomic_store(&worker_shared->counter, number);
}

static int end_by_signal(struct bight_job *job)
{
    struct timespec pause = {.tv_nsec = 1000000};

    (void)job;
    signal(SIGTERM, note_signal);
    atomic_fetch_add(&worker_shared->running, 1);
    while (!atomic_load(&worker_shared->counter))
        nanosleep(&pause, NULL);
    return 55;
}

const struct bight_job_def handling_job = {.name = "handling", .fn = end_by_signal};
const struct bight_job_def echo_job = {.name = "echo", .fn = echo};
const struct bight_job_def hold_job = {.name = "hold", .fn = hold};
const struct bight_job_def hold_again_job = {
    .name = "hold again", .fn = hold, .flags = BIGHT_JOB_IDEMPOTENT};
const struct bight_job_def pid_job = {.name = "own pid", .fn = own_pid};

int worker_prepare(void)
{
    char *argv[] = {(char *)(uintptr_t) "case", NULL};

    return bight_workers_prepare(1, argv);
}

/* Which of the first 256 descriptors are open, as text of zeros and ones. */
static int list_fds(struct bight_job *job)
{
    struct stat about;

    for (int fd = 0; fd < 256; fd++) {
        if (bight_job_output_append(job, fcntl(fd, F_GETFD) >= 0 ? "1" : "0", 1))
            return BIGHT_EIO;
    }
    return fstat(3, &about) == 0 && S_ISSOCK(about.st_mode) ? fcntl(3, F_GETFD) : BIGHT_EBADF;
}

static const struct bight_job_def list_fds_job = {.name = "list fds", .fn = list_fds};

void worker_check_fds(struct bight_executor *executor)
{
    struct bight_result result;

    CHECK_EQ(bight_execute(executor, &list_fds_job, NULL, 0, &result), 0);
    CHECK_EQ(result.code, FD_CLOEXEC);
    CHECK_EQ(result.output_bytes, 256);
    for (int fd = 0; fd < 256; fd++)
        CHECK_EQ(((char *)result.output)[fd], fd <= 3 ? '1' : '0');
    bight_result_free(&result);
}
