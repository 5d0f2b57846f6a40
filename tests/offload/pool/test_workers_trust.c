/* Nobody gets more from a zygote than he has: not a host that gave its privileges up, when the
 * kernel cannot be asked about it, nor a child of the host that did, nor a stranger who executes
 * the program as if he were a keeper. */
#include "tests/offload/worker_cases.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/support.h"

#include "offload/wire/control.h"

#define SOMEBODY 60124

static bool privileged(void)
{
    /* In a user namespace others' numbers may be missing. */
    if (geteuid() == 0 && setgroups(0, NULL) == 0 && setegid(SOMEBODY) == 0 && setegid(0) == 0)
        return true;
    printf("not tried without privileges\n");
    return false;
}

static void become_somebody(void)
{
    CHECK_EQ(setgroups(0, NULL), 0);
    CHECK_EQ(setgid(SOMEBODY), 0);
    CHECK_EQ(setuid(SOMEBODY), 0);
    CHECK_EQ(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0); /* so that descriptors can be counted */
}

static int tell_uid(struct bight_job *job)
{
    (void)job;
    return (int)getuid();
}

static int leave(struct bight_job *job)
{
    (void)job;
    _exit(1);
}

static const struct bight_job_def uid_job = {.name = "uid", .fn = tell_uid};
static const struct bight_job_def leaving_job = {.name = "leaving", .fn = leave};

/* The zygote has descriptors for a request, and none to look who its host is. */
static int a_zygote_that_cannot_look_starts_no_worker(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .start_ms = 200};
    struct bight_executor *executor;
    struct bight_result result;
    int line = 5, rc;

    (void)arg;
    if (!privileged())
        return 0;
    executor = worker_open(&options);
    CHECK_EQ(prlimit(worker_stats(executor).zygote_pid, RLIMIT_NOFILE,
                     &(struct rlimit){(rlim_t)line + 4, (rlim_t)line + 4}, NULL),
             0);
    become_somebody();
    CHECK_EQ(bight_execute(executor, &leaving_job, NULL, 0, NULL), BIGHT_EWORKERDIED);
    rc = bight_execute(executor, &uid_job, NULL, 0, &result);
    if (rc == 0)
        printf("user %d\n", result.code);
    CHECK_EQ(rc, BIGHT_EAGAIN);
    worker_close(executor);
    return 0;
}

static int use_workers_of_somebody(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_result result;

    CHECK(worker_stats(executor).zygote_pid != *(const int *)arg);
    CHECK_EQ(worker_status_of(worker_keeper(executor), "PPid:"), getpid());
    CHECK_EQ(bight_execute(executor, &uid_job, NULL, 0, &result), 0);
    CHECK_EQ(result.code, (int)getuid());
    worker_close(executor);
    return 0;
}

static int note_zygote(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);

    *(int *)arg = worker_stats(executor).zygote_pid;
    worker_close(executor);
    return 0;
}

/* As a server does that forks processes with fewer privileges. */
static int a_child_of_the_host_has_workers_of_its_own(void)
{
    int status, zygote;
    pid_t child;

    CHECK_EQ(bight_run(note_zygote, &zygote), 0);
    child = fork();
    if (child == 0) {
        if (privileged())
            become_somebody();
        exit(bight_run(use_workers_of_somebody, &zygote));
    }
    CHECK_EQ(test_waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_EQ(kill(zygote, 0), 0); /* and it has left the parent's alone */
    return 0;
}

/* A copy of this program that is executed with the privileges of its owner. */
static void copy_program(const char *path)
{
    char buffer[65536];
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    ssize_t got;

    CHECK(from >= 0 && to >= 0);
    while ((got = read(from, buffer, sizeof buffer)) > 0)
        CHECK_EQ(write(to, buffer, (size_t)got), got);
    CHECK_EQ(fchmod(to, 04755), 0);
    close(from);
    close(to);
}

/* Execute `path` as a keeper would, claiming that its host is process 1. */
static pid_t execute_as_zygote(const char *path, int socket_fd)
{
    char marker[64], name[] = "case", arg[] = "bight-zygote";
    char *argv[] = {name, arg, NULL}, *environment[] = {marker, NULL};
    pid_t pid = fork();

    if (pid)
        return pid;
    snprintf(marker, sizeof marker, "BIGHT_ZYGOTE_OF=1.%ld.1",
             BIGHT_VERSION_MAJOR * 1000000L + BIGHT_VERSION_MINOR * 1000L + BIGHT_VERSION_PATCH);
    become_somebody();
    if (dup2(socket_fd, CONTROL_FD) < 0)
        _exit(1);
    execve(path, argv, environment);
    _exit(1);
}

/* The next message, or false when the zygote has ended. */
static bool hear(int fd, struct control_message *message)
{
    int fds[CONTROL_FDS_MAX];
    int got;

    while ((got = bight__control_receive(fd, message, fds)) == -EAGAIN)
        (void)poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1);
    return got == 1;
}

/* Ask for a worker, and look what the zygote is then. */
static void be_refused_a_worker(int zygote_fd)
{
    struct control_message message = {.kind = CONTROL_CLIENT};
    int line[2], channel[2];
    pid_t pid;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel), 0);
    CHECK_EQ(bight__control_send(zygote_fd, &message, &line[1], 1), 0);
    close(line[1]);
    CHECK(hear(line[0], &message));
    CHECK_EQ(message.kind, CONTROL_HELLO);
    pid = message.pid;
    message = (struct control_message){.kind = CONTROL_SPAWN, .worker = 1};
    CHECK_EQ(bight__control_send(line[0], &message, channel, 2), 0);
    CHECK(hear(line[0], &message));
    CHECK_EQ(worker_status_of(pid, "Uid:"), SOMEBODY);
    CHECK_EQ(message.kind, CONTROL_FAILED); /* it is not what process 1 is */
    CHECK_EQ(message.value, EPERM);
    close(line[0]);
    close(channel[0]);
    close(channel[1]);
}

static int a_stranger_gains_nothing_by_a_setuid_program(void)
{
    char directory[] = "/tmp/bight-workers-XXXXXX", path[64];
    int pair[2], status;
    pid_t pid;

    if (!privileged())
        return 0;
    CHECK(mkdtemp(directory));
    CHECK_EQ(chmod(directory, 0755), 0);
    snprintf(path, sizeof path, "%s/program", directory);
    signal(SIGUSR1, SIG_IGN); /* which the zygote may send to its keeper */
    copy_program(path);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    pid = execute_as_zygote(path, pair[1]);
    close(pair[1]);
    be_refused_a_worker(pair[0]);
    close(pair[0]);
    CHECK_EQ(test_waitpid(pid, &status, 0), pid);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(rmdir(directory), 0);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(a_zygote_that_cannot_look_starts_no_worker, 0),
    worker_plain(a_child_of_the_host_has_workers_of_its_own, 0),
    worker_plain(a_stranger_gains_nothing_by_a_setuid_program, CASE_UNPREPARED),
};

worker_suite("workers_trust", cases);
