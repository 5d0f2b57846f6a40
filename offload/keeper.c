/* See keeper.h. */
#include "offload/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "offload/zygote.h"

/* One line of /proc/self/maps, as much of it as is needed. */
struct mapping {
    uintptr_t low;
    uintptr_t high;
    bool dispensable; /* private, writable, of no file */
};

/* Parse "low-high perms offset device inode ...". Without stdio: other threads of the host may have
 * held its locks. */
static bool parse(const char *line, struct mapping *out)
{
    uintptr_t *number = &out->low;
    int spaces = 0;

    *out = (struct mapping){0};
    for (; *line && *line != ' '; line++) {
        if (*line == '-')
            number = &out->high;
        else
            *number = *number << 4 | (uintptr_t)(*line <= '9' ? *line - '0' : *line - 'a' + 10);
    }
    if (strncmp(line, " rw-p", 5) != 0)
        return true;
    for (; *line && spaces < 4; line++)
        spaces += *line == ' ';
    out->dispensable = strncmp(line, "0", 1) == 0 && (line[1] == ' ' || line[1] == '\0');
    return out->high > out->low;
}

/* The keeper of a large host would hold on to a copy of every page that the host changes from now on:
 * give up all that is not needed to sleep, which is the stack and errno's thread-local storage. */
static void drop_memory(void)
{
    char buffer[1024], line[128];
    size_t length = 0;
    ssize_t got;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    uintptr_t stack = (uintptr_t)buffer, local = (uintptr_t)&errno;
    struct mapping mapping;

    while (fd >= 0 && (got = read(fd, buffer, sizeof buffer)) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            if (buffer[i] != '\n') {
                if (length < sizeof line - 1)
                    line[length++] = buffer[i];
                continue;
            }
            line[length] = '\0';
            length = 0;
            if (!parse(line, &mapping) || !mapping.dispensable ||
                (stack >= mapping.low && stack < mapping.high) ||
                (local >= mapping.low && local < mapping.high))
                continue;
            (void)madvise((void *)mapping.low, mapping.high - mapping.low, MADV_DONTNEED);
        }
    }
    if (fd >= 0)
        close(fd);
}

static _Noreturn void keep(bool threads)
{
    bight__close_from(0);
    (void)prctl(PR_SET_NAME, "bight-keeper");
    if (threads)
        drop_memory();
    while (syscall(SYS_wait4, -1, NULL, __WALL, NULL) >= 0 || errno == EINTR)
        continue;
    _exit(0);
}

/* fork() without its handlers, which may wait for locks that no thread of this copy will release. */
static pid_t fork_plainly(void)
{
    struct clone_args args = {.exit_signal = SIGCHLD};

    return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

int bight__keeper_fork(pid_t host, bool threads)
{
    pid_t keeper = getpid();
    int host_fd = (int)syscall(SYS_pidfd_open, host, 0);
    pid_t pid;

    if (getppid() != host)
        _exit(0);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid = threads ? fork_plainly() : fork();
    if (pid < 0)
        _exit(1);
    if (pid > 0)
        keep(threads);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != keeper)
        _exit(0);
    return host_fd;
}
