/* What streams of descriptors have in common: descriptor.c has it, and the kinds of pipes and
 * terminals; socket.c has the kinds of sockets. */
#ifndef BIGHT_RUNTIME_STREAM_DESCRIPTOR_H
#define BIGHT_RUNTIME_STREAM_DESCRIPTOR_H

#include "runtime/stream/bare_call.h"
#include "runtime/stream/stream.h"

/* Most that one system call is asked to move. */
#define DESCRIPTOR_MOST_BYTES ((size_t)1 << 30)

struct descriptor {
    struct bight_stream stream; /* first */
    struct poll_source source;
    int fd;                    /* -1: the writing end of a pipe that was shut down */
    bool asks_again;           /* a read that got less than it asked for may have left something */
    bool ended;                /* a read found the end */
    int lost;                  /* a write was told so of the connection: what the end means then */
    bool lingers;              /* it is ended and waits for the peer's end */
    bool was_blocking;         /* when its stream was made of it, and is to be so again */
    bool was_not;              /* then: whoever made it so may set it back while we need it */
    struct bight_address peer; /* of TCP; family 0: unknown */
};

static inline struct descriptor *bight__descriptor_of(const struct bight_stream *stream)
{
    return (struct descriptor *)(uintptr_t)stream;
}

static inline const struct bight_seams *bight__descriptor_seams(const struct descriptor *descriptor)
{
    return &descriptor->stream.sched->seams;
}

/* Make and register the stream of `fd`, which is non-blocking; takes it on success. */
int bight__descriptor_new(struct descriptor **out, struct streams *streams, int fd,
                          const struct stream_ops *ops);
/* Somebody else made what it is of. */
void bight__descriptor_adopted(struct descriptor *descriptor, bool was_blocking);
/* The close of all kinds, after what is special about one. */
void bight__descriptor_close(struct descriptor *descriptor);
int bight__descriptor_fd(const struct bight_stream *stream);

/* A read found the end, or a call failed with `rc`: what is returned to its caller. BIGHT_EINTR:
 * the system call is to be made again. */
int64_t bight__descriptor_read_ended(struct descriptor *descriptor, int rc);
int64_t bight__descriptor_write_failed(struct descriptor *descriptor, int rc);

/* What a read returns of whose `asked` bytes the system call moved `outcome`, or failed with it. */
static inline int64_t bight__descriptor_was_read(struct descriptor *descriptor, int64_t outcome,
                                                 size_t asked)
{
    if (unlikely(outcome <= 0))
        return bight__descriptor_read_ended(descriptor, (int)outcome);
    descriptor->stream.in.ready = (size_t)outcome == asked || descriptor->asks_again;
    return outcome;
}

static inline int64_t bight__descriptor_was_written(struct descriptor *descriptor, int64_t outcome)
{
    return likely(outcome >= 0) ? outcome
                                : bight__descriptor_write_failed(descriptor, (int)outcome);
}

/* sendfile(2) without SIGPIPE. */
ssize_t bight__quiet_sendfile(int to, int file, off_t *offset, size_t bytes);

/* socket.c: the stream of a connected socket that somebody else made. */
int bight__socket_from_fd(struct bight_stream **out, struct streams *streams, int fd);
/* Whether it is of a Unix socket. */
bool bight__stream_is_unix(const struct bight_stream *stream);
/* Have the open file be non-blocking; *was_blocking: it was not. */
int bight__set_nonblocking(const struct bight_seams *seams, int fd, bool *was_blocking);
/* The same back, if the system lets us. */
void bight__set_blocking(const struct bight_seams *seams, int fd);

#endif
