/* The keeper: the process between the parent and the zygote. It makes the zygote and the workers
 * invisible to the parent's wait calls even when the zygote is executed anew (execve turns a
 * process's exit signal back into SIGCHLD) or dies before its workers (which would then become
 * children of the parent, if that is a subreaper or process 1). It sleeps in wait4 until none of
 * them is left. */
#ifndef BIGHT_OFFLOAD_CHILD_KEEPER_H
#define BIGHT_OFFLOAD_CHILD_KEEPER_H

#include <sys/types.h>

#include <bight/base.h>

/* Runs in a child of `parent` that was made without an exit signal, with all signals blocked. Forks
 * once more, and stays behind as the keeper. Returns only in the grandchild, which dies with the
 * keeper: a pidfd of the parent, or -1. `threads`: the parent has some, so only async-signal-safe
 * calls are made. */
int bight__keeper_fork(pid_t parent, bool threads);

#endif
