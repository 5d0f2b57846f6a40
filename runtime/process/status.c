/* The end of a process, and signals to it, all by its pidfd. */
#include "runtime/process/process.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* Linux 6.9: to the group that it leads. */
#define SIGNAL_TO_GROUP 4u

/* Linux 6.15: what the kernel still knows of one that has been reaped. The first form of the
 * record, which newer ones only lengthen. */
struct pidfd_facts {
    uint64_t mask;
    uint64_t cgroup;
    uint32_t ids[11];
    int32_t exit_code; /* as waitpid(2) has it */
};
#define FACTS_EXIT 8u
#define GET_FACTS _IOWR(0xFF, 11, struct pidfd_facts)

_Static_assert(sizeof(struct pidfd_facts) == 64, "as the kernel has it");

/* Between the moment when another wait(2) has it and that when the kernel has noted its status. */
#define FACTS_ATTEMPTS 1000

static void exited(struct bight_process_status *status, int code)
{
    status->state = BIGHT_PROCESS_EXITED;
    status->code = code;
}

static void signaled(struct bight_process_status *status, int signum, bool dumped_core)
{
    status->state = BIGHT_PROCESS_SIGNALED;
    status->signum = signum;
    status->dumped_core = dumped_core;
}

/* Somebody else has reaped it, or the system has, for SIGCHLD is ignored. */
static void collect_late(int pidfd, struct bight_process_status *status)
{
    struct pidfd_facts facts;
    int rc;

    for (int i = 0; i < FACTS_ATTEMPTS; i++) {
        facts = (struct pidfd_facts){.mask = FACTS_EXIT};
        rc = ioctl(pidfd, GET_FACTS, &facts);
        if (rc < 0 || facts.mask & FACTS_EXIT)
            break;
        sched_yield();
    }
    if (rc < 0 || !(facts.mask & FACTS_EXIT))
        status->state = BIGHT_PROCESS_UNKNOWN;
    else if (WIFSIGNALED(facts.exit_code))
        signaled(status, WTERMSIG(facts.exit_code), WCOREDUMP(facts.exit_code));
    else
        exited(status, WEXITSTATUS(facts.exit_code));
}

static uint64_t to_us(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

static void use_noted(struct bight_process_status *status, const struct rusage *usage)
{
    status->user_cpu_us = to_us(&usage->ru_utime);
    status->system_cpu_us = to_us(&usage->ru_stime);
    status->max_resident_bytes = (uint64_t)usage->ru_maxrss * 1024;
}

bool bight__process_collect(struct bight_process *process)
{
    struct bight_process_status *status = &process->status;
    siginfo_t info = {.si_pid = 0};
    struct rusage usage;
    long rc;

    do {
        rc =
            syscall(SYS_waitid, P_PIDFD, process->pidfd, &info, WEXITED | WNOHANG | __WALL, &usage);
    } while (rc < 0 && errno == EINTR);
    if (rc == 0 && info.si_pid == 0)
        return false;
    if (rc < 0) {
        collect_late(process->pidfd, status);
        return true;
    }
    if (info.si_code == CLD_EXITED)
        exited(status, info.si_status);
    else
        signaled(status, info.si_status, info.si_code == CLD_DUMPED);
    use_noted(status, &usage);
    return true;
}

int bight__process_send(const struct bight_process *process, int signum)
{
    return bight__process_signal(process->pid, process->pidfd, signum);
}

/* Without the call: as long as it is not reaped nobody else gets its number. */
static int group_send(const struct bight_process *process, int signum)
{
    if (syscall(SYS_pidfd_send_signal, process->pidfd, signum, NULL, SIGNAL_TO_GROUP) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    return kill(-process->pid, signum) ? -errno : 0;
}

/* It may have gone to another group, and left its own to its children. */
int bight__process_send_group(const struct bight_process *process, int signum)
{
    int rc = process->leads ? group_send(process, signum) : BIGHT_ESRCH;

    return rc == 0 && signum != SIGKILL ? 0 : bight__process_send(process, signum);
}
