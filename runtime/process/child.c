/* What a child does between its making and its program. It runs in this process's memory, on a
 * stack of its own, while the thread that made it waits: so it writes nothing but its own frames
 * and the plan's `shares`, and makes bare system calls, because those of the C library may change
 * what it keeps of all threads (setuid), and checkers would take what is closed here to be closed
 * there. */
#include "runtime/process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* They are never left, and run where checkers do not expect it. */
#define IN_CHILD __attribute__((no_sanitize("address", "thread")))

#ifdef SYS_setresuid32
#define SETGROUPS SYS_setgroups32
#define SETRESGID SYS_setresgid32
#define SETRESUID SYS_setresuid32
#else
#define SETGROUPS SYS_setgroups
#define SETRESGID SYS_setresgid
#define SETRESUID SYS_setresuid
#endif

#define KERNEL_SIGNALS 64

/* The kernel's record of an action, and more than that: all zero is the default one. */
struct no_action {
    unsigned long words[8];
};

IN_CHILD static void signals_reset(void)
{
    const struct no_action standard = {{0}};
    const unsigned long none[2] = {0};

    for (long number = 1; number <= KERNEL_SIGNALS; number++)
        (void)syscall(SYS_rt_sigaction, number, &standard, NULL, (long)(KERNEL_SIGNALS / 8));
    (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, (long)(KERNEL_SIGNALS / 8));
}

IN_CHILD static int outcome(long result)
{
    return result < 0 ? -errno : 0;
}

/* Its group or session, and its directory. */
IN_CHILD static int settle(const struct process_plan *plan)
{
    const struct bight_process_options *options = plan->options;
    int rc = 0;

    if (options->flags & BIGHT_PROCESS_NEW_SESSION || plan->terminal_fd >= 0)
        rc = outcome(syscall(SYS_setsid));
    else if (options->flags & BIGHT_PROCESS_NEW_GROUP)
        rc = outcome(syscall(SYS_setpgid, 0L, 0L));
    if (rc == 0 && options->cwd)
        rc = outcome(syscall(SYS_chdir, options->cwd));
    return rc;
}

IN_CHILD static int become(const struct bight_process_user *user)
{
    int rc;

    if (!user)
        return 0;
    rc = outcome(syscall(SETGROUPS, user->groups ? user->groups_count : 0, user->groups));
    if (rc && user->groups)
        return rc;
    rc = outcome(syscall(SETRESGID, user->gid, user->gid, user->gid));
    return rc ? rc : outcome(syscall(SETRESUID, user->uid, user->uid, user->uid));
}

/* The lowest number that is free from `above` on. */
IN_CHILD static int move_up(int *fd, int above)
{
    long moved = syscall(SYS_fcntl, (long)*fd, (long)F_DUPFD_CLOEXEC, (long)above);

    if (moved < 0)
        return -errno;
    *fd = (int)moved;
    return 0;
}

IN_CHILD static int put(const struct process_map *map)
{
    if (map->fd == map->child_fd)
        return outcome(syscall(SYS_fcntl, (long)map->fd, (long)F_SETFD, 0L));
    return outcome(syscall(SYS_dup3, (long)map->fd, (long)map->child_fd, 0L));
}

/* Those from `first` to `last`. */
IN_CHILD static void close_between(const struct process_plan *plan, unsigned first, unsigned last)
{
    if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
        return;
    for (unsigned fd = first; fd <= last && fd < (unsigned)plan->open_max; fd++)
        (void)syscall(SYS_close, (long)fd);
}

/* Put all descriptors in place and close all others but the plan's `report_fd`, which exec closes.
 * What lies where another is to be is moved above all first. */
IN_CHILD static int arrange(struct process_plan *plan)
{
    int limit = plan->maps[plan->maps_count - 1].child_fd + 1;
    unsigned next = 0;
    int rc = move_up(&plan->report_fd, limit);

    for (size_t i = 0; rc == 0 && i < plan->maps_count; i++) {
        if (plan->maps[i].fd < limit && plan->maps[i].fd != plan->maps[i].child_fd)
            rc = move_up(&plan->maps[i].fd, limit);
    }
    for (size_t i = 0; rc == 0 && i < plan->maps_count; i++) {
        unsigned at = (unsigned)plan->maps[i].child_fd;

        rc = put(&plan->maps[i]);
        if (at > next)
            close_between(plan, next, at - 1);
        next = at + 1;
    }
    if (rc)
        return rc;
    close_between(plan, next, (unsigned)plan->report_fd - 1);
    close_between(plan, (unsigned)plan->report_fd + 1, ~0u);
    return 0;
}

/* Returns why the program could not be loaded. Of several places one that has it and does not let
 * us is a better reason than those that do not. */
IN_CHILD static int load(const struct process_plan *plan)
{
    bool denied = false;
    int rc = BIGHT_ENOENT;

    for (const char **path = plan->candidates; *path; path++) {
        rc = outcome(syscall(SYS_execve, *path, plan->options->argv, plan->env));
        if (rc == BIGHT_EACCES)
            denied = true;
        else if (rc != BIGHT_ENOENT && rc != -ENOTDIR)
            return rc;
    }
    return denied ? BIGHT_EACCES : rc;
}

IN_CHILD int bight__process_child(void *arg)
{
    struct process_plan *plan = arg;
    int rc;

    plan->shares = true;
    signals_reset();
    rc = settle(plan);
    if (rc == 0)
        rc = arrange(plan);
    if (rc == 0 && plan->terminal_fd >= 0)
        rc = outcome(syscall(SYS_ioctl, (long)plan->terminal_fd, (long)TIOCSCTTY, 0L));
    if (rc == 0)
        rc = become(plan->options->user);
    if (rc == 0)
        rc = load(plan);
    (void)syscall(SYS_write, (long)plan->report_fd, &rc, sizeof(rc));
    for (;;)
        (void)syscall(SYS_exit_group, 127L);
}
