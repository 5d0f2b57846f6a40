/* The keeper: the process between the host and the zygote. It is what makes the zygote and the
 * workers invisible to the host's wait calls even when the zygote is executed anew (execve turns a
 * process's exit signal back into SIGCHLD) or dies before its workers (which would then become
 * children of the host, if that is a subreaper or process 1). It sleeps in wait4 until nobody is
 * left.
 *
 *  */
#ifndef BIGHT_OFFLOAD_CHILD_KEEPER_H
#define BIGHT_OFFLOAD_CHILD_KEEPER_H

#include <sys/types.h>

#include <bight/base.h>

/* In a child of `host` that was made without an exit signal, all signals blocked: fork once more,
 * and stay behind as the keeper. Returns in the grandchild only, which dies with the keeper, with
 * a pidfd of the host, or -1. With `threads` (the host has some) only async-signal-safe calls are
 * made. */
int bight__keeper_fork(pid_t parent, bool threads);

#endif
