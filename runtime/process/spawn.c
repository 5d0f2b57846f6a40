/* Making a child: it shares our memory, and this thread sleeps, until its program is loaded. That
 * costs the same however large this process is. What goes wrong in it before comes through a pipe.
 *
 * It is made with no exit signal, so that one which never gets to its program raises no SIGCHLD and
 * is invisible to wait(2); to load a program sets that back to what is usual. Checkers and
 * emulators (valgrind, qemu-user) make an ordinary fork of it, and may not know pidfds that are
 * taken with it. */
#include "runtime/process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif

#define KERNEL_SIGNALS 64

/* ThreadSanitizer stands between us and clone(), and takes each child for one of fork(). */
#ifdef BIGHT_TSAN
#define SHARING CLONE_VFORK
#else
#define SHARING (CLONE_VM | CLONE_VFORK)
#endif

int bight__process_signal(pid_t pid, int pidfd, int signum)
{
    if (syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, 0) == 0)
        return 0;
    if (errno != ENOSYS)
        return -errno;
    return kill(pid, signum) ? -errno : 0;
}

void bight__process_bury(pid_t pid, int pidfd)
{
    siginfo_t info;

    if (bight__process_signal(pid, pidfd, SIGKILL) == BIGHT_EPERM)
        return; /* it has become another user's */
    while (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | __WALL) < 0 && errno == EINTR)
        continue;
}

/* clone() of a child that has no pidfd yet: take one, or there is no child. */
static int take_pidfd(pid_t pid)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    int error = errno;

    if (pidfd >= 0)
        return pidfd;
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
        continue;
    return -error;
}

static int clone_child(struct process_plan *plan, const struct bight_seams *seams, pid_t *pid,
                       int *pidfd)
{
    const int flags = SHARING;
    char *top = plan->stack_top;

    *pidfd = -1;
    *pid = bight__call_fails(seams, "clone")
               ? -1
               : clone(bight__process_child, top, flags | CLONE_PIDFD, plan, pidfd);
    if (*pid < 0 && errno == EINVAL)
        *pid =
            bight__call_fails(seams, "clone") ? -1 : clone(bight__process_child, top, flags, plan);
    if (*pid < 0)
        return -errno;
    if (*pidfd < 0)
        *pidfd = take_pidfd(*pid);
    return *pidfd < 0 ? *pidfd : 0;
}

/* No handler of this process may run in the child. The C library would leave out signals of its
 * own. */
static int clone_quietly(struct process_plan *plan, const struct bight_seams *seams, pid_t *pid,
                         int *pidfd)
{
    const unsigned long all[2] = {~0ul, ~0ul};
    unsigned long before[2];
    int rc;

    (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, all, before, (long)(KERNEL_SIGNALS / 8));
    rc = clone_child(plan, seams, pid, pidfd);
    (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, before, NULL, (long)(KERNEL_SIGNALS / 8));
    return rc;
}

/* What the child says; 0: its program is loaded. If it has this memory, all has been said by now,
 * even where somebody else holds the pipe: a thread that forked meanwhile. */
static int hear(const struct process_plan *plan, const struct bight_seams *seams, int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    ssize_t count;
    int rc;

    while (!plan->shares && poll(&ready, 1, -1) < 0 && errno == EINTR)
        continue;
    count = bight__call_fails(seams, "read") ? -1 : read(fd, &rc, sizeof(rc));
    if (count < 0)
        return errno == EAGAIN ? 0 : -errno;
    return count == sizeof(rc) ? rc : 0;
}

int bight__process_spawn(struct process_plan *plan, const struct bight_seams *seams, pid_t *pid,
                         int *pidfd)
{
    int pair[2];
    int rc;

    if (bight__call_fails(seams, "pipe2") || pipe2(pair, O_CLOEXEC | O_NONBLOCK))
        return -errno;
    plan->report_fd = pair[1];
    rc = clone_quietly(plan, seams, pid, pidfd);
    close(pair[1]);
    if (rc == 0) {
        rc = hear(plan, seams, pair[0]);
        if (rc) {
            bight__process_bury(*pid, *pidfd);
            close(*pidfd);
        }
    }
    close(pair[0]);
    return rc;
}
