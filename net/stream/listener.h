/* The private part of listeners. listen.c makes and ends them, accept.c takes connections, serve.c
 * runs a task for each, unix.c has the listeners that own a file. */
#ifndef BIGHT_NET_STREAM_LISTENER_H
#define BIGHT_NET_STREAM_LISTENER_H

#include <sys/types.h>

#include <bight/event.h>
#include <bight/listener.h>

#include "net/stream/socket.h"
#include "runtime/stream/stream.h"

/* The file of a Unix socket that we bound, and by which one knows it again. */
struct socket_file {
    dev_t device;
    ino_t inode;
    char path[108]; /* "": there is no file of ours */
};

/* Nobody waits while a connection may be there: whoever finds one while others wait gives it to the
 * first of them. So `ready` is false whenever `waiters` is not empty. */
struct bight_listener {
    struct streams *streams;
    struct stream_guest guest; /* in the runtime's list */
    struct poll_source source;
    struct bight_link waiters;  /* of struct accept_wait, in FIFO order */
    struct bight_event *served; /* by a bight_serve, which is told by it of the close */
    size_t calls;               /* tasks that are inside and may look at it again */
    int fd;                     /* -1: closed */
    int family;                 /* AF_* */
    bool ready;                 /* an attempt to accept may succeed */
    bool ended;                 /* freed by the last call that leaves */
    struct socket_file file;
};

static inline const struct bight_seams *bight__listener_seams(const struct bight_listener *listener)
{
    return &listener->streams->poller.runtime->sched.seams;
}

/* Whether it belongs to the runtime of another thread. */
static inline bool bight__listener_is_foreign(const struct bight_listener *listener)
{
    return &listener->streams->poller.runtime->sched != bight__sched;
}

/* listen.c: make the listener of `fd`, which listens and is non-blocking; takes it on success. */
int bight__listener_new(struct bight_listener **out, struct streams *streams, int fd, int family);
/* accept.c: what the kernel tells of the listening socket. */
void bight__listener_on_ready(struct poll_source *source, uint32_t events);

/* unix.c: remove the file if it is still ours. */
void bight__socket_file_remove(const struct socket_file *file);

#endif
