/* Messages between the host and its keeper, and an executor and the zygote, over a SOCK_SEQPACKET
 * pair each. Both ends
 * are the same program, so the messages are plain structs; answers are trusted as far as this
 * program is, because workers cannot reach this socket. */
#ifndef BIGHT_OFFLOAD_WIRE_CONTROL_H
#define BIGHT_OFFLOAD_WIRE_CONTROL_H

#include <signal.h>
#include <sys/types.h>

#include <bight/base.h>

/* In the keeper and the zygote: its own socket. In a worker: the socket of its channel. */
#define CONTROL_FD 3
/* In the keeper and the zygote: a pidfd of the host. */
#define HOST_FD 4
/* The zygote sends it to the keeper: the host has other privileges now. */
#define KEEPER_LOOK SIGUSR1

enum control_kind {
    /* To the keeper: end the zygote, if there is one, and start one with the socket that comes
     * along; without a socket, start none. It is answered only when that fails, with CONTROL_FAILED
     * and the errno `value`, before the socket is closed. */
    CONTROL_ZYGOTE = 16,
    /* To the zygote's own socket, with one descriptor: the socket of one more executor. */
    CONTROL_CLIENT = 1,
    /* Fork a process for `worker`, with its channel's socket and memory, and the host's working
     * directory unless that cannot be opened. `value`: the host's securebits. */
    CONTROL_SPAWN,
    /* Send the signal `value` to `worker`; ignored when it has ended. */
    CONTROL_SIGNAL,
    /* The first answer: the zygote is `pid`. */
    CONTROL_HELLO,
    /* Answers: forked as `pid`; not forked because of the errno `value`; ended with `value`, as
     * wait(2) has it. After the last two the zygote has forgotten the worker. */
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

#define CONTROL_FDS_MAX 3

/* Send `message` with `count` descriptors, which stay the caller's. Never blocks on a full socket
 * and never raises SIGPIPE. 0 or -errno. */
int bight__control_send(int fd, const struct control_message *message, const int *fds, int count);

/* Receive one message; descriptors arrive close-on-exec in `fds`, unused places are -1, and so are
 * all where this process may not have as many more. Returns 1,
 * 0 at the end, -EAGAIN, or another -errno. A message of a wrong length is -EPROTO; its
 * descriptors are closed. */
int bight__control_receive(int fd, struct control_message *message, int fds[CONTROL_FDS_MAX]);

#endif
