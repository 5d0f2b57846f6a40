/* The host's side of the keeper and the zygote: forks the keeper, has it make zygotes, finds out
 * that one of them died, and gives executors lines to the zygote. Its state is guarded by a mutex,
 * and is the only one in the library that belongs to the process and not to a runtime: a zygote is
 * a copy of a process.
 *
 * The keeper is made with clone3 and exit_signal 0: then it raises no SIGCHLD, and neither
 * wait() nor waitpid(-1) of the host sees it; it is reaped through its pidfd. Where clone3 is
 * missing (valgrind, qemu-user, old kernels) it is an ordinary child. */
#include "offload/pool/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <uv.h>

#include <bight/workers.h>

#include "coro/core/sched.h"
#include "offload/child/keeper.h"
#include "offload/pool/program.h"
#include "offload/wire/control.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static struct {
    pthread_mutex_t lock;
    bool prepared;
    struct launch launch;
    int zygote_fd; /* the zygote's own socket; -1 while there is none */
    int keeper_fd; /* the keeper's; -1 while there is none */
    int pidfd;     /* of the keeper; -1 where it is an ordinary child */
    pid_t pid;     /* of the keeper */
    pid_t owner;   /* of all this: a process that was forked since is another */
    unsigned generation;
} ours = {.lock = PTHREAD_MUTEX_INITIALIZER, .zygote_fd = -1, .keeper_fd = -1, .pidfd = -1};

/* fork(), but the wait calls of this process do not see the child, where the kernel can do that:
 * *pidfd is the child's then, and otherwise -1. If this process has threads, the child may make
 * async-signal-safe calls only. Returns the pid, 0 in the child, or -errno. */
static pid_t fork_unseen(int *pidfd)
{
    struct clone_args args = {
        .flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)pidfd, .exit_signal = 0};
    long pid;

    *pidfd = -1;
    pid = syscall(SYS_clone3, &args, sizeof(args));
    if (pid < 0 && errno == ENOSYS)
        pid = fork();
    return pid < 0 ? (pid_t)-errno : (pid_t)pid;
}

/* Runs in the forked child of a process with one thread. If the host has a runtime, one of its
 * tasks forked: but the child is not a task. libuv was in use then too, and remembers the
 * numbers of descriptors that are closed here: in each child of fork() it would close them
 * again, whatever they are by then. */
static void forget_host(struct keeper_plan *plan)
{
    if (plan->late)
        uv_library_shutdown();
    bight__sched = NULL;
    (void)pthread_mutex_init(&ours.lock, NULL); /* a job may have executors of its own */
    ours.zygote_fd = ours.keeper_fd = ours.pidfd = -1;
}

/* Fork; the child becomes the keeper. Signals are blocked meanwhile, because handlers of the host
 * must not run in the child. The pid, or an error. */
static pid_t fork_keeper(const int pair[2], const struct program *program, int *pidfd)
{
    struct keeper_plan plan = {.host = getpid(),
                               .late = bight__sched != NULL,
                               .keep_privileges = ours.launch.keep_privileges,
                               .program = program ? program->path : NULL,
                               .argv = program ? program->argv : NULL,
                               .environment = program ? program->environment : NULL};
    sigset_t all, before;
    pid_t pid;

    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = fork_unseen(pidfd);
    if (pid == 0) {
        close(pair[0]); /* the host's end: this makes room for a pidfd */
        if (!program)
            forget_host(&plan);
        bight__keeper_main(pair[1], &plan);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pid;
}

/* Start a keeper; there is none, and the lock is held. The first one is a fork of a process with
 * one thread, and so are its zygotes; those of later ones are executed anew, which only a
 * prepared program understands. */
static int start_keeper(bool execute)
{
    struct program *program = execute ? bight__program_make(&ours.launch) : NULL;
    int pair[2];
    pid_t pid;

    if (execute && !program)
        return BIGHT_ENOMEM;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        pid = (pid_t)-errno;
    } else {
        pid = fork_keeper(pair, program, &ours.pidfd);
        close(pair[1]);
        if (pid < 0)
            close(pair[0]);
    }
    if (program)
        munmap(program, program->bytes);
    if (pid < 0)
        return pid;
    ours.keeper_fd = pair[0];
    ours.pid = pid;
    return 0;
}

/* Make sure that the keeper has ended, and reap it. The kernel ends the zygote with it. */
static void bury_keeper(void)
{
    siginfo_t info;

    close(ours.keeper_fd);
    ours.keeper_fd = -1;
    if (ours.pidfd < 0) {
        if (waitpid(ours.pid, NULL, WNOHANG) != 0)
            return; /* reaped, by this or by a wait of the program's own */
        (void)kill(ours.pid, SIGKILL);
        while (waitpid(ours.pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        return;
    }
    (void)syscall(SYS_pidfd_send_signal, ours.pidfd, SIGKILL, NULL, 0);
    while (waitid((idtype_t)P_PIDFD, (id_t)ours.pidfd, &info, WEXITED | __WALL) < 0 &&
           errno == EINTR)
        continue;
    close(ours.pidfd);
    ours.pidfd = -1;
}

/* Tell the keeper about the next zygote, which has `socket_fd`, or none if that is negative. */
static int tell_keeper(int socket_fd)
{
    const struct control_message message = {.kind = CONTROL_ZYGOTE};

    return bight__control_send(ours.keeper_fd, &message, &socket_fd, socket_fd >= 0);
}

static bool is_gone(int rc)
{
    return rc == BIGHT_EPIPE || rc == BIGHT_ECONNRESET;
}

/* Have a zygote made by the keeper, which there is. */
static int start_zygote(void)
{
    int pair[2];
    int rc;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    rc = tell_keeper(pair[1]);
    close(pair[1]);
    if (rc) {
        close(pair[0]);
        return rc;
    }
    ours.zygote_fd = pair[0];
    ours.generation++;
    return 0;
}

static int complaint_of(int fd)
{
    struct control_message message;
    int fds[CONTROL_FDS_MAX];
    int rc = 0;

    while (fd >= 0 && bight__control_receive(fd, &message, fds) == 1) {
        if (message.kind == CONTROL_FAILED)
            rc = -message.value;
    }
    return rc;
}

/* Why the keeper could not make the last zygote, or that could not begin, as far as they have said
 * so: 0 or an error. */
static int complaint(void)
{
    int rc = complaint_of(ours.keeper_fd);

    return rc ? rc : complaint_of(ours.zygote_fd);
}

/* Whether this process has one thread. The kernel may count a joined one for a moment longer. */
static bool has_one_thread(void)
{
    for (int i = 0; i < 50 && bight__thread_count() > 1; i++)
        (void)poll(NULL, 0, 1);
    return bight__thread_count() == 1;
}

static int ensure_keeper(void)
{
    if (ours.keeper_fd >= 0)
        return 0;
    if (ours.prepared || ours.launch.library)
        return start_keeper(true);
    return has_one_thread() ? start_keeper(false) : BIGHT_ENOTPREPARED;
}

/* In a child that was forked with what follows open: it is the parent's, whose zygote makes workers
 * that are what the parent is, and not the child. */
static void forget_parents(void)
{
    int *const fds[] = {&ours.zygote_fd, &ours.keeper_fd, &ours.pidfd};

    if (ours.owner == getpid())
        return;
    for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
    ours.owner = getpid();
}

static int ensure(void)
{
    int rc;

    forget_parents();
    if (ours.zygote_fd >= 0)
        return 0;
    rc = ensure_keeper();
    if (!rc)
        rc = start_zygote();
    if (!is_gone(rc))
        return rc;
    bury_keeper(); /* it had died unnoticed */
    rc = ensure_keeper();
    return rc ? rc : start_zygote();
}

static void drop_zygote(void)
{
    if (ours.zygote_fd < 0)
        return;
    close(ours.zygote_fd);
    ours.zygote_fd = -1;
    if (ours.keeper_fd >= 0)
        (void)tell_keeper(-1); /* if it cannot be told, it has died, or will end that one later */
}

/* Hand the zygote one end of a new pair. The lock is held. */
static int introduce(int *out)
{
    const struct control_message message = {.kind = CONTROL_CLIENT};
    int pair[2];
    int rc;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    rc = bight__control_send(ours.zygote_fd, &message, &pair[1], 1);
    close(pair[1]);
    if (rc)
        close(pair[0]);
    else
        *out = pair[0];
    return rc;
}

/* Of the zygote that is there. */
static int why_lost(void)
{
    int rc = complaint();

    return rc ? rc : BIGHT_EWORKERDIED;
}

static int connect_zygote(int *fd)
{
    int rc = ensure();

    return rc ? rc : introduce(fd);
}

int bight__zygote_connect(struct zygote_line *line)
{
    int fd = -1;
    int rc;

    pthread_mutex_lock(&ours.lock);
    rc = connect_zygote(&fd);
    if (is_gone(rc)) { /* it died unnoticed */
        drop_zygote();
        rc = connect_zygote(&fd);
    }
    if (is_gone(rc)) { /* and so did the next one */
        rc = why_lost();
        drop_zygote();
    }
    if (!rc)
        *line = (struct zygote_line){fd, ours.generation};
    pthread_mutex_unlock(&ours.lock);
    return rc;
}

int bight__zygote_lost(unsigned generation)
{
    int rc = BIGHT_EWORKERDIED;

    pthread_mutex_lock(&ours.lock);
    if (ours.owner == getpid() && generation == ours.generation && ours.zygote_fd >= 0) {
        rc = why_lost();
        drop_zygote();
    }
    pthread_mutex_unlock(&ours.lock);
    return rc;
}

static int prepare(int argc, char **argv, const struct bight_workers_prepare_options *options)
{
    int rc = 0;

    forget_parents();
    if (ours.prepared || (ours.keeper_fd >= 0 && (options->library || options->keep_privileges)))
        return BIGHT_EALREADY;
    ours.launch.argv0 = argc > 0 && argv && argv[0] ? argv[0] : "bight";
    ours.launch.keep_privileges = options->keep_privileges;
    if (options->library)
        rc = bight__launch_library(&ours.launch, options);
    if (!rc)
        rc = ensure();
    if (!rc) {
        ours.prepared = true;
        return 0;
    }
    if (ours.keeper_fd >= 0)
        bury_keeper();
    bight__launch_forget_library(&ours.launch);
    ours.launch.keep_privileges = false;
    return rc;
}

int bight_workers_prepare_with(int argc, char **argv,
                               const struct bight_workers_prepare_options *options)
{
    static const struct bight_workers_prepare_options defaults;
    int rc;

    if (!options)
        options = &defaults;
    bight__program_entry();
    if (options->helper && !options->library)
        return BIGHT_EINVAL;
    if (!options->library && bight__thread_count() > 1)
        return BIGHT_ENOTPREPARED;
    pthread_mutex_lock(&ours.lock);
    rc = prepare(argc, argv, options);
    pthread_mutex_unlock(&ours.lock);
    return rc;
}

int bight_workers_prepare(int argc, char **argv)
{
    return bight_workers_prepare_with(argc, argv, NULL);
}
