/* The parent's side of the zygote: forks it, or re-executes this program to become one, finds out
 * that it died, and gives executors lines to it. Its state is guarded by a mutex, and is the only
 * one in the library that belongs to the process and not to a runtime: a zygote is a copy of a
 * process.
 *
 * The child that is forked here is made with clone3 and exit_signal 0: then it raises no SIGCHLD,
 * and neither wait() nor waitpid(-1) of the parent sees it; it is reaped through its pidfd. It
 * forks the zygote and stays as its keeper (keeper.h). Where clone3 is missing (valgrind,
 * qemu-user, old kernels) the zygote is an ordinary child. */
#include "offload/pool/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <uv.h>

#include <bight/workers.h>

#include "coro/core/sched.h"
#include "offload/child/fresh_stack.h"
#include "offload/child/keeper.h"
#include "offload/child/process.h"
#include "offload/child/zygote.h"
#include "offload/wire/control.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* In the environment of a re-executed zygote: the process id of its parent. */
#define MARKER "BIGHT_ZYGOTE_OF"

/* How long the keeper may take to end after the zygote, while its workers are being killed. */
#define BURY_MS 200

extern char **environ;

static struct {
    pthread_mutex_t lock;
    bool prepared;
    const char *argv0;
    int fd;    /* the zygote's own socket; -1 while there is none */
    int pidfd; /* of the keeper; -1 where the zygote is an ordinary child */
    pid_t pid;
    unsigned generation;
} zygote = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1, .pidfd = -1};

/* The number of threads of this process, or 0 when it is unknown. */
static unsigned thread_count(void)
{
    struct stat tasks;

    if (stat("/proc/self/task", &tasks) < 0 || tasks.st_nlink < 3)
        return 0;
#ifdef BIGHT_TSAN
    return (unsigned)tasks.st_nlink - 3; /* ThreadSanitizer has one of its own */
#else
    return (unsigned)tasks.st_nlink - 2;
#endif
}

/* fork(), but if *hidden then the wait calls of this process do not see the child. If this process
 * has threads, the child may make async-signal-safe calls only. Returns the pid, 0 in the child, or
 * -errno. */
static pid_t fork_unseen(int *pidfd, bool *hidden)
{
    struct clone_args args = {
        .flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)pidfd, .exit_signal = 0};
    long pid;

    *pidfd = -1;
    *hidden = true;
    pid = syscall(SYS_clone3, &args, sizeof(args));
    if (pid < 0 && errno == ENOSYS) {
        *hidden = false;
        pid = fork();
    }
    return pid < 0 ? (pid_t)-errno : (pid_t)pid;
}

static void run_late_zygote(void *arg)
{
    bight__zygote_main((pid_t)(intptr_t)arg, true);
}

/* Runs in the forked child of a parent with one thread. If the parent has a runtime, one of its
 * tasks forked: but the child is not a task, and a task's small stack is no place for jobs. libuv
 * was in use then too, and remembers the numbers of descriptors that are closed here: in each child
 * of fork() it would close them again, whatever they are by then. */
static _Noreturn void become_zygote(int socket_fd, int parent_fd, pid_t parent)
{
    bool late = bight__sched != NULL;

    if (late)
        uv_library_shutdown();
    bight__sched = NULL;
    bight__keep_only(socket_fd, parent_fd);
    (void)pthread_mutex_init(&zygote.lock, NULL); /* a job may have executors of its own */
    zygote.fd = zygote.pidfd = -1;
    if (late)
        bight__on_fresh_stack(run_late_zygote, (void *)(intptr_t)parent);
    bight__zygote_main(parent, false);
}

/* Runs in the forked child of a parent with threads: makes async-signal-safe calls only. */
static _Noreturn void become_program(int socket_fd, int parent_fd, char *const *argv,
                                     char *const *environment)
{
    bight__keep_only(socket_fd, parent_fd);
    bight__signals_reset();
    execve("/proc/self/exe", argv, environment);
    _exit(127);
}

/* Copy the environment with the marker in front, in one block, which the caller frees. NULL when
 * there is no memory. */
static char **marked_environment(char marker[static 64])
{
    size_t count = 0;
    char **copy;

    while (environ && environ[count])
        count++;
    copy = malloc((count + 2) * sizeof(*copy));
    if (!copy)
        return NULL;
    snprintf(marker, 64, MARKER "=%ld", (long)getpid());
    copy[0] = marker;
    if (count)
        memcpy(copy + 1, environ, count * sizeof(*copy));
    copy[count + 1] = NULL;
    return copy;
}

/* Fork; the child becomes the zygote and does not return. Signals are blocked meanwhile, because
 * handlers of the parent must not run in the child. */
static pid_t fork_zygote(const int pair[2], bool execute, int *pidfd)
{
    char *argv[] = {(char *)(uintptr_t)zygote.argv0, (char *)(uintptr_t) "bight-zygote", NULL};
    char marker[64];
    char **environment = NULL;
    sigset_t all, before;
    pid_t parent = getpid();
    int parent_fd = -1;
    bool hidden;
    pid_t pid;

    if (execute && !(environment = marked_environment(marker)))
        return BIGHT_ENOMEM;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = fork_unseen(pidfd, &hidden);
    if (pid == 0)
        close(pair[0]); /* the parent's end: this makes room for a pidfd */
    if (pid == 0 && hidden) {
        parent_fd = bight__keeper_fork(parent, execute);
        bight__zygote_say_hello(pair[1]);
    }
    if (pid == 0 && execute)
        become_program(pair[1], parent_fd, argv, environment);
    if (pid == 0)
        become_zygote(pair[1], parent_fd, parent);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    free(environment);
    return pid;
}

/* Start a zygote; there is none, and the lock is held. The first one after bight_workers_prepare is
 * a fork of a process with one thread; later ones are executed anew, which only a prepared program
 * understands. */
static int start(bool execute)
{
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    pid = fork_zygote(pair, execute, &zygote.pidfd);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return pid;
    }
    zygote.fd = pair[0];
    zygote.pid = pid;
    zygote.generation++;
    return 0;
}

/* The parent of a process, or 0 when it is unknown. */
static pid_t parent_of(pid_t pid)
{
    char path[32], text[256];
    const char *end;
    int parent = 0;
    ssize_t got;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    got = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    end = strrchr(text, ')'); /* this ends the name, which may contain anything */
    return end && sscanf(end, ") %*c %d", &parent) == 1 ? parent : 0;
}

/* Kill the zygote while its keeper lives and takes in its workers. If the keeper is the parent of
 * that process id after its pidfd was opened, the id is still the zygote's. */
static void kill_zygote(void)
{
    struct control_message hello;
    int fds[CONTROL_FDS_MAX];
    int pidfd;

    if (bight__control_receive(zygote.fd, &hello, fds) != 1 || hello.kind != CONTROL_HELLO)
        return;
    pidfd = (int)syscall(SYS_pidfd_open, hello.pid, 0);
    if (pidfd < 0)
        return;
    if (parent_of(hello.pid) == zygote.pid)
        (void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    close(pidfd);
}

/* Make sure that the zygote has ended, and reap it. The lock is held. */
static void bury(void)
{
    if (zygote.fd < 0)
        return;
    if (zygote.pidfd >= 0)
        kill_zygote();
    close(zygote.fd);
    zygote.fd = -1;
    if (zygote.pidfd >= 0) {
        struct pollfd keeper = {.fd = zygote.pidfd, .events = POLLIN};
        siginfo_t info;

        /* The keeper ends by itself as soon as it has reaped the zygote and its workers. Killing it
         * is the last resort, because it would leave them to this process. */
        if (poll(&keeper, 1, BURY_MS) != 1)
            (void)syscall(SYS_pidfd_send_signal, zygote.pidfd, SIGKILL, NULL, 0);
        while (waitid((idtype_t)P_PIDFD, (id_t)zygote.pidfd, &info, WEXITED | __WALL) < 0 &&
               errno == EINTR)
            continue;
        close(zygote.pidfd);
        zygote.pidfd = -1;
        return;
    }
    if (waitpid(zygote.pid, NULL, WNOHANG) == 0) {
        (void)kill(zygote.pid, SIGKILL);
        while (waitpid(zygote.pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
}

/* Whether this process has one thread. The kernel may count a joined one for a moment longer. */
static bool has_one_thread(void)
{
    for (int i = 0; i < 50 && thread_count() > 1; i++)
        (void)poll(NULL, 0, 1);
    return thread_count() == 1;
}

static int ensure(void)
{
    if (zygote.fd >= 0)
        return 0;
    if (zygote.prepared)
        return start(true);
    return has_one_thread() ? start(false) : BIGHT_ENOTPREPARED;
}

/* Hand the zygote one end of a new pair. The lock is held. */
static int introduce(int *out)
{
    const struct control_message message = {.kind = CONTROL_CLIENT};
    int pair[2];
    int rc;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    rc = bight__control_send(zygote.fd, &message, &pair[1], 1);
    close(pair[1]);
    if (rc)
        close(pair[0]);
    else
        *out = pair[0];
    return rc;
}

int bight__zygote_connect(struct zygote_line *line)
{
    int fd = -1;
    int rc;

    pthread_mutex_lock(&zygote.lock);
    rc = ensure();
    if (!rc)
        rc = introduce(&fd);
    if (rc == BIGHT_EPIPE || rc == BIGHT_ECONNRESET) { /* it died unnoticed */
        bury();
        rc = ensure();
        if (!rc)
            rc = introduce(&fd);
    }
    if (!rc)
        *line = (struct zygote_line){fd, zygote.generation};
    pthread_mutex_unlock(&zygote.lock);
    return rc;
}

void bight__zygote_lost(unsigned generation)
{
    pthread_mutex_lock(&zygote.lock);
    if (generation == zygote.generation)
        bury();
    pthread_mutex_unlock(&zygote.lock);
}

/* Be a zygote if start() executed this process: then the marker is set, and CONTROL_FD is a socket
 * that keeps messages apart. */
static void zygote_entry(void)
{
    const char *marker = getenv(MARKER);
    int type = 0;
    socklen_t bytes = sizeof(type);
    pid_t parent;

    if (!marker || getsockopt(CONTROL_FD, SOL_SOCKET, SO_TYPE, &type, &bytes) < 0 ||
        type != SOCK_SEQPACKET)
        return;
    parent = (pid_t)strtol(marker, NULL, 10);
    (void)unsetenv(MARKER);
    bight__zygote_main(parent, false);
}

int bight_workers_prepare(int argc, char **argv)
{
    int rc;

    zygote_entry();
    if (thread_count() > 1)
        return BIGHT_ENOTPREPARED;
    pthread_mutex_lock(&zygote.lock);
    rc = zygote.prepared ? BIGHT_EALREADY : 0;
    if (!rc && zygote.fd < 0)
        rc = start(false);
    if (!rc) {
        zygote.prepared = true;
        zygote.argv0 = argc > 0 && argv && argv[0] ? argv[0] : "bight";
    }
    pthread_mutex_unlock(&zygote.lock);
    return rc;
}
