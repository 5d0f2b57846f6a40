/* See process.h. All calls here but the last two are async-signal-safe, because the host may have
 * had threads. */
#include "offload/child/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "offload/wire/control.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* Of oom_score_adj, in thousandths of the machine's memory: what a worker is made to look larger by
 * than its host is. A host that has half of the memory more than its worker is still spared. */
#define OOM_ABOVE 500
#define OOM_MOST 1000

void bight__close_from(int first)
{
    if (syscall(SYS_close_range, (unsigned)first, ~0u, 0) == 0)
        return;
    long most = sysconf(_SC_OPEN_MAX);

    for (int fd = first; fd < most; fd++)
        close(fd);
}

/* Open those of 0, 1 and 2 that are closed: the zygote's own descriptors must not take them. */
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

void bight__keep_only(int socket_fd, int host_fd)
{
    /* The descriptors are moved in place, because there may be no free one. */
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

void bight__signals_default(void)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};

    for (int number = 1; number < NSIG; number++)
        (void)sigaction(number, &standard, NULL);
}

void bight__signals_reset(void)
{
    sigset_t none;

    bight__signals_default();
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Where there is no pidfd, HOST_FD is whatever was opened next. Of a pidfd waitid says that it is
 * of no child, and of others that they are none. */
int bight__host_fd(void)
{
    siginfo_t info;

    return waitid((idtype_t)P_PIDFD, HOST_FD, &info, WEXITED | WNOHANG | WNOWAIT) < 0 &&
                   errno == ECHILD
               ? HOST_FD
               : -1;
}

void bight__end_with_host(pid_t host)
{
    if (bight__host_fd() < 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != host))
        _exit(0);
}

pid_t bight__fork(bool late)
{
#ifdef BIGHT_HAVE__FORK
    if (late)
        return _Fork();
#endif
    (void)late;
    return fork();
}

/* A process that has changed its ids may not write there before it is dumpable again. */
static int open_own_score(void)
{
    int dumpable = prctl(PR_GET_DUMPABLE);
    int fd;

    if (dumpable != 1)
        (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (dumpable != 1)
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return fd;
}

void bight__oom_before(pid_t host)
{
    char text[32];
    ssize_t bytes;
    int fd, score;

    snprintf(text, sizeof(text), "/proc/%d/oom_score_adj", (int)host);
    fd = open(text, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    bytes = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (bytes <= 0)
        return;
    text[bytes] = '\0';
    score = atoi(text) + OOM_ABOVE;
    fd = open_own_score();
    if (fd < 0)
        return;
    bytes = snprintf(text, sizeof(text), "%d", score < OOM_MOST ? score : OOM_MOST);
    (void)!write(fd, text, (size_t)bytes);
    close(fd);
}
