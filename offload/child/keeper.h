/* The keeper: the process between the host and the zygote. It forks the zygote, again whenever the
 * host asks for another one, and is small and single-threaded, so that this costs the host nothing,
 * however large that is. It also makes the zygote and the workers invisible to the host's wait
 * calls, even when the zygote is executed anew (execve turns a process's exit signal back into
 * SIGCHLD) or dies before its workers (which would then become children of the host, if that is a
 * subreaper or process 1). */
#ifndef BIGHT_OFFLOAD_CHILD_KEEPER_H
#define BIGHT_OFFLOAD_CHILD_KEEPER_H

#include <sys/types.h>

#include <bight/base.h>

/* How the keeper makes zygotes. */
struct keeper_plan {
    pid_t host;
    /* The host was using libuv when it forked. */
    bool late;
    /* Do not take on the privileges of the host. */
    bool keep_privileges;
    /* NULL: a zygote is a fork. Otherwise the host had threads, so that only async-signal-safe
     * calls are made, and a zygote executes this; it lies in a shared mapping, as do the others. */
    const char *program;
    char *const *argv;
    char *const *environment;
};

/* Be the keeper, in a child of plan->host in which all signals are blocked. `socket_fd` is for
 * CONTROL_ZYGOTE. Returns never here, and in each zygote by another way: see zygote.h. */
_Noreturn void bight__keeper_main(int socket_fd, const struct keeper_plan *plan);

#endif
