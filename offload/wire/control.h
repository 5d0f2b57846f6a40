/* Messages between an executor and the zygote, over a SOCK_SEQPACKET pair per executor. The two are
 * the same program, so the messages are plain structs; what comes back is trusted as far as this
 * program is: workers have no way to this socket. */
#ifndef BIGHT_OFFLOAD_WIRE_CONTROL_H
#define BIGHT_OFFLOAD_WIRE_CONTROL_H

#include <sys/types.h>

#include <bight/base.h>

/* The zygote's own socket is this descriptor in the zygote, a worker's channel is it in the
 * worker. */
#define CONTROL_FD 3
/* In the zygote: a pidfd of the host. */
#define PARENT_FD 4

enum control_kind {
    /* On the zygote's own socket, with a descriptor: one more executor's socket. */
    CONTROL_CLIENT = 1,
    /* Fork a worker for `worker`; with its channel and its shared memory. */
    CONTROL_SPAWN,
    /* Send `value`, a signal, to `worker`; ignored when it has ended. */
    CONTROL_SIGNAL,
    /* The first answer: the zygote is `pid`. */
    CONTROL_HELLO,
    /* Answers: forked as `pid`; not forked for `value`, an errno; has ended with `value`, as
     * wait(2) has it. After the last two the zygote knows the worker no more. */
    CONTROL_SPAWNED,
    CONTROL_FAILED,
    CONTROL_ENDED,
};

struct control_message {
    uint32_t kind;
    int32_t pid;
    int32_t value;
    uint32_t unused;
    uint64_t worker;
};

#define CONTROL_FDS_MAX 2

/* Send `message` with `count` descriptors, which stay the caller's. Never blocks on a full socket,
 * nor raises SIGPIPE. 0 or -errno. */
int bight__control_send(int fd, const struct control_message *message, const int *fds, int count);

/* Receive one message; descriptors arrive close-on-exec in `fds`, unused places are -1. 1, 0 at
 * the end, -EAGAIN, or another -errno. A message of a wrong shape is -EPROTO and holds no
 * descriptors. */
int bight__control_receive(int fd, struct control_message *message, int fds[CONTROL_FDS_MAX]);

#endif
