/* The zygote: a small single-threaded process that forks the workers of all executors of one
 * process, its parent, and reaps them. Everywhere in offload/ "the parent" is the process whose
 * executors they are, even if a keeper (keeper.h) stands between. Started by pool/prepare.c. */
#ifndef BIGHT_OFFLOAD_CHILD_ZYGOTE_H
#define BIGHT_OFFLOAD_CHILD_ZYGOTE_H

#include <sys/types.h>

#include <bight/base.h>

/* Tell the parent, which may know the keeper only, who the zygote is. Async-signal-safe. */
void bight__zygote_say_hello(int socket_fd);

/* Be the zygote of `parent`: its socket is CONTROL_FD. If it has a keeper, PARENT_FD is a pidfd of
 * the parent; else it is the parent's child. `late`: the parent was using libuv when it forked. */
_Noreturn void bight__zygote_main(pid_t parent, bool late);

#endif
