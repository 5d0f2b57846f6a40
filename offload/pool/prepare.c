/* The host's side of the zygote: forks it, or re-executes this program to become one, finds out that
 * it died, and gives executors lines to it. The one piece of the library whose state is the process's
 * rather than a runtime's, because that is what a zygote is a copy of; it is under a mutex.
 *
 * What is forked here is made with clone3 and exit_signal 0: then it raises no SIGCHLD and neither
 * wait() nor waitpid(-1) of the host sees it; it is reaped through its pidfd. It forks the zygote and
 * stays as its keeper (keeper.h). Where clone3 is missing (valgrind, qemu-user, old kernels) the
 * zygote is an ordinary child. */
#include "offload/child/zygote.h"

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
#include "offload/wire/control.h"
#include "offload/child/fresh_stack.h"
#include "offload/child/keeper.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* In the environment of a re-executed zygote: the process id of its host. */
#define MARKER "BIGHT_ZYGOTE_OF"

/* How long the keeper may take to end after the zygote: workers that are being killed. */
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
} host = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1, .pidfd = -1};

/* Threads of this process, 0 when that cannot be known. */
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

/* fork() that the host's wait calls do not see, if *hidden. In the child only async-signal-safe calls
 * may follow where the parent has threads. The pid, 0 in the child, or -errno. */
static pid_t fork_unseen(int *pidfd, bool *hidden)
{
    struct clone_args args = {
        .flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)pidfd, .exit_signal = 0};
    long pid;

    *pidfd = -1;
    *hidden = true;
    pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid < 0 && errno == ENOSYS) {
        *hidden = false;
        pid = fork();
    }
    return pid < 0 ? (pid_t)-errno : (pid_t)pid;
}

/* Standard descriptors that are closed would be taken by what the zygote opens. */
static void fill_standard_fds(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd < CONTROL_FD);
    if (fd >= 0)
        close(fd);
    for (int i = 0; i < CONTROL_FD; i++)
        (void)fcntl(i, F_SETFD, 0);
}

/* Leave nothing open but standard input, output and error, `socket_fd` as CONTROL_FD, and `host_fd`,
 * if there is one, as HOST_FD. */
static void keep_only(int socket_fd, int host_fd)
{
    /* In place: there may be no free descriptor. */
    if (host_fd == CONTROL_FD)
        host_fd = dup2(host_fd, socket_fd == HOST_FD + 1 ? HOST_FD + 2 : HOST_FD + 1);
    if (socket_fd != CONTROL_FD && dup2(socket_fd, CONTROL_FD) < 0)
        _exit(1);
    if (host_fd >= 0 && (host_fd == HOST_FD || dup2(host_fd, HOST_FD) >= 0))
        bight__close_from(HOST_FD + 1);
    else
        bight__close_from(HOST_FD);
    (void)fcntl(CONTROL_FD, F_SETFD, 0);
    (void)fcntl(HOST_FD, F_SETFD, 0);
    if (socket_fd < CONTROL_FD) /* the host had closed its standard descriptors */
        close(socket_fd);
    if (host_fd >= 0 && host_fd < CONTROL_FD)
        close(host_fd);
    fill_standard_fds();
}

static void run_late_zygote(void *arg)
{
    bight__zygote_main((pid_t)(intptr_t)arg, true);
}

/* In the forked child of a host with one thread. If a runtime lives there, it was forked by a task:
 * whose small stack is no place for jobs, and which it is no more. libuv, too, is in use there, and
 * remembers the numbers of descriptors that are closed here: it would close them again in each child
 * of fork(), whatever they then are. */
static _Noreturn void become_zygote(int socket_fd, int host_fd, pid_t parent)
{
    bool late = bight__sched != NULL;

    if (late)
        uv_library_shutdown();
    bight__sched = NULL;
    keep_only(socket_fd, host_fd);
    (void)pthread_mutex_init(&host.lock, NULL); /* a job may have executors of its own */
    host.fd = host.pidfd = -1;
    if (late)
        bight__on_fresh_stack(run_late_zygote, (void *)(intptr_t)parent);
    bight__zygote_main(parent, false);
}

/* In the forked child of a host with threads: nothing but async-signal-safe calls. */
static _Noreturn void become_program(int socket_fd, int host_fd, char *const *argv,
                                     char *const *environment)
{
    keep_only(socket_fd, host_fd);
    bight__signals_reset();
    execve("/proc/self/exe", argv, environment);
    _exit(127);
}

/* A copy of the environment with the marker in front; one block, to be freed. NULL: no memory. */
static char **marked_environment(char marker[static 64])
{
    size_t count = 0;
    char **copy;

    while (environ && environ[count])
        count++;
    copy = malloc((count + 2) * sizeof *copy);
    if (!copy)
        return NULL;
    snprintf(marker, 64, MARKER "=%ld", (long)getpid());
    copy[0] = marker;
    if (count)
        memcpy(copy + 1, environ, count * sizeof *copy);
    copy[count + 1] = NULL;
    return copy;
}

/* In a zygote that has a keeper, whom alone the host knows: who it is. See kill_zygote. */
static void say_hello(int socket_fd)
{
    const struct control_message hello = {.kind = CONTROL_HELLO, .pid = getpid()};

    (void)bight__control_send(socket_fd, &hello, NULL, 0);
}

/* Fork, and be in the child what is wanted there; signals are blocked meanwhile, because handlers of
 * the host must not run in the child. */
static pid_t fork_zygote(const int pair[2], bool execute, int *pidfd)
{
    char *argv[] = {(char *)(uintptr_t)host.argv0, (char *)(uintptr_t) "bight-zygote", NULL};
    char marker[64];
    char **environment = NULL;
    sigset_t all, before;
    pid_t parent = getpid();
    int host_fd = -1;
    bool hidden;
    pid_t pid;

    if (execute && !(environment = marked_environment(marker)))
        return BIGHT_ENOMEM;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = fork_unseen(pidfd, &hidden);
    if (pid == 0)
        close(pair[0]); /* the host's end; a pidfd needs a number too */
    if (pid == 0 && hidden) {
        host_fd = bight__keeper_fork(parent, execute);
        say_hello(pair[1]);
    }
    if (pid == 0 && execute)
        become_program(pair[1], host_fd, argv, environment);
    if (pid == 0)
        become_zygote(pair[1], host_fd, parent);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    free(environment);
    return pid;
}

/* Under the lock; there is no zygote. The first one after bight_workers_prepare is a fork of a process
 * that has one thread; later ones are executed anew, which only a prepared program understands. */
static int start(bool execute)
{
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    pid = fork_zygote(pair, execute, &host.pidfd);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return pid;
    }
    host.fd = pair[0];
    host.pid = pid;
    host.generation++;
    return 0;
}

/* The parent of a process; 0 when that cannot be known. */
static pid_t parent_of(pid_t pid)
{
    char path[32], text[256];
    const char *end;
    int parent = 0;
    ssize_t got;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    got = read(fd, text, sizeof text - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    end = strrchr(text, ')'); /* of the name, which may hold anything */
    return end && sscanf(end, ") %*c %d", &parent) == 1 ? parent : 0;
}

/* While the keeper is there to take in its workers. The process id is still the zygote's if, with its
 * pidfd open, the keeper is its parent. */
static void kill_zygote(void)
{
    struct control_message hello;
    int fds[CONTROL_FDS_MAX];
    int pidfd;

    if (bight__control_receive(host.fd, &hello, fds) != 1 || hello.kind != CONTROL_HELLO)
        return;
    pidfd = (int)syscall(SYS_pidfd_open, hello.pid, 0);
    if (pidfd < 0)
        return;
    if (parent_of(hello.pid) == host.pid)
        (void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    close(pidfd);
}

/* Under the lock: make sure that the zygote has ended, and reap it. */
static void bury(void)
{
    if (host.fd < 0)
        return;
    if (host.pidfd >= 0)
        kill_zygote();
    close(host.fd);
    host.fd = -1;
    if (host.pidfd >= 0) {
        struct pollfd keeper = {.fd = host.pidfd, .events = POLLIN};
        siginfo_t info;

        /* It ends by itself as soon as it has reaped the zygote and its workers. Killed, it would
         * leave them to the host: the last step. */
        if (poll(&keeper, 1, BURY_MS) != 1)
            (void)syscall(SYS_pidfd_send_signal, host.pidfd, SIGKILL, NULL, 0);
        while (waitid((idtype_t)P_PIDFD, (id_t)host.pidfd, &info, WEXITED | __WALL) < 0 &&
               errno == EINTR)
            continue;
        close(host.pidfd);
        host.pidfd = -1;
        return;
    }
    if (waitpid(host.pid, NULL, WNOHANG) == 0) {
        (void)kill(host.pid, SIGKILL);
        while (waitpid(host.pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
}

/* Whether this process has one thread. One that was joined may be counted for a moment longer. */
static bool has_one_thread(void)
{
    for (int i = 0; i < 50 && thread_count() > 1; i++)
        (void)poll(NULL, 0, 1);
    return thread_count() == 1;
}

static int ensure(void)
{
    if (host.fd >= 0)
        return 0;
    if (host.prepared)
        return start(true);
    return has_one_thread() ? start(false) : BIGHT_ENOTPREPARED;
}

/* Under the lock: hand the zygote one end of a new pair. */
static int introduce(int *out)
{
    const struct control_message message = {.kind = CONTROL_CLIENT};
    int pair[2];
    int rc;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    rc = bight__control_send(host.fd, &message, &pair[1], 1);
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

    pthread_mutex_lock(&host.lock);
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
        *line = (struct zygote_line){fd, host.generation};
    pthread_mutex_unlock(&host.lock);
    return rc;
}

void bight__zygote_lost(unsigned generation)
{
    pthread_mutex_lock(&host.lock);
    if (generation == host.generation)
        bury();
    pthread_mutex_unlock(&host.lock);
}

/* Be a zygote if this process was executed by start(): then there is the marker, and CONTROL_FD is a
 * socket that keeps messages apart. */
static void zygote_entry(void)
{
    const char *marker = getenv(MARKER);
    int type = 0;
    socklen_t bytes = sizeof type;
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
    pthread_mutex_lock(&host.lock);
    rc = host.prepared ? BIGHT_EALREADY : 0;
    if (!rc && host.fd < 0)
        rc = start(false);
    if (!rc) {
        host.prepared = true;
        host.argv0 = argc > 0 && argv && argv[0] ? argv[0] : "bight";
    }
    pthread_mutex_unlock(&host.lock);
    return rc;
}
