/* The worker: a child of the zygote that runs the jobs of one executor. */
#ifndef BIGHT_OFFLOAD_CHILD_WORKER_H
#define BIGHT_OFFLOAD_CHILD_WORKER_H

#include <bight/base.h>

/* Be a worker: run the jobs of the channel whose socket is `socket_fd` and whose memory is
 * `memory_fd`, until the other side closes it. */
_Noreturn void bight__worker_main(int socket_fd, int memory_fd);

#endif
