/* The zygote: a small single-threaded process that forks the workers of all executors of one
 * process, its host, and reaps them. Everywhere in offload/ "the host" is the process whose
 * executors they are. A worker's parent is the zygote, and a keeper (keeper.h) may stand between
 * that and the host. Started by pool/prepare.c. */
#ifndef BIGHT_OFFLOAD_CHILD_ZYGOTE_H
#define BIGHT_OFFLOAD_CHILD_ZYGOTE_H

#include <sys/types.h>

#include <bight/base.h>

/* Be the zygote of `host`, forked by the keeper: its socket is CONTROL_FD, and HOST_FD a pidfd
 * of the host where there are such. `late`: the host was using libuv when it forked.
 * `keep_privileges`: do not take on those of the host. */
_Noreturn void bight__zygote_main(pid_t host, bool late, bool keep_privileges);

#endif
