/* See keeper.h. */
#include "offload/child/keeper.h"

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

#include "offload/child/process.h"

/* The part that we need of one line of /proc/self/maps. */
struct mapping {
    uintptr_t low;
    uintptr_t high;
};

/* Smaller mappings may be variables of the C library, and dropping them gains little. */
#define LARGE_BYTES ((uintptr_t)1 << 20)
/* How much is kept on either side of a needed address; a multiple of any page size. */
#define KEPT_BYTES ((uintptr_t)64 << 10)

/* Parse "low-high perms offset device inode ...", without stdio: other threads of the parent may
 * have held its locks. True for a mapping that is large, private, writable, and of no file. */
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
        return false;
    for (; *line && spaces < 4; line++)
        spaces += *line == ' ';
    return line[0] == '0' && (line[1] == ' ' || line[1] == '\0') &&
           out->high - out->low >= LARGE_BYTES;
}

static void drop_range(uintptr_t low, uintptr_t high)
{
    if (high > low)
        (void)madvise((void *)low, high - low, MADV_DONTNEED);
}

/* Drop the mapping except for the surroundings of two addresses, of which `low` is the lower. */
static void drop_around(const struct mapping *mapping, uintptr_t low, uintptr_t high)
{
    uintptr_t needed[2] = {low / KEPT_BYTES * KEPT_BYTES, high / KEPT_BYTES * KEPT_BYTES};
    uintptr_t from = mapping->low;

    for (int i = 0; i < 2; i++) {
        uintptr_t end = needed[i] + 2 * KEPT_BYTES;

        if (end <= from || needed[i] - KEPT_BYTES >= mapping->high)
            continue;
        drop_range(from, needed[i] - KEPT_BYTES);
        from = end;
    }
    drop_range(from, mapping->high);
}

/* The keeper of a large parent would hold a copy of every page that the parent changes from now on.
 * Drop the large mappings, except for what it needs to sleep: the running frame, and errno. */
__attribute__((unused)) static void drop_memory(void)
{
    char buffer[1024], line[128];
    size_t length = 0;
    ssize_t got;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    uintptr_t stack = (uintptr_t)buffer, local = (uintptr_t)&errno;
    struct mapping mapping;

    while (fd >= 0 && (got = read(fd, buffer, sizeof(buffer))) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            if (buffer[i] != '\n') {
                if (length < sizeof(line) - 1)
                    line[length++] = buffer[i];
                continue;
            }
            line[length] = '\0';
            length = 0;
            if (parse(line, &mapping))
                drop_around(&mapping, stack < local ? stack : local, stack < local ? local : stack);
        }
    }
    if (fd >= 0)
        close(fd);
}

static _Noreturn void keep(__attribute__((unused)) bool threads)
{
    bight__close_from(0);
    (void)prctl(PR_SET_NAME, "bight-keeper");
#if !defined(BIGHT_ASAN) && !defined(BIGHT_TSAN) /* their own records lie in such mappings */
    if (threads)
        drop_memory();
#endif
    while (syscall(SYS_wait4, -1, NULL, __WALL, NULL) >= 0 || errno == EINTR)
        continue;
    _exit(0);
}

/* fork() without its handlers, which may wait for locks that no thread of this copy releases. */
static pid_t fork_plainly(void)
{
    struct clone_args args = {.exit_signal = SIGCHLD};

    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

int bight__keeper_fork(pid_t parent, bool threads)
{
    pid_t keeper = getpid();
    int parent_fd = (int)syscall(SYS_pidfd_open, parent, 0);
    pid_t pid;

    if (getppid() != parent)
        _exit(0);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid = threads ? fork_plainly() : fork();
    if (pid < 0)
        _exit(1);
    if (pid > 0)
        keep(threads);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != keeper)
        _exit(0);
    return parent_fd;
}
