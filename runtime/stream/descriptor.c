/* Streams of descriptors. A descriptor stays registered, edge-triggered, from its stream's
 * beginning to its end. A read that got less than it asked for has emptied the source, so the next
 * one waits for the next event instead of asking in vain. It is asked again where that does not
 * hold: after an event that told of the end or an error there may be no other; and some reads stop
 * short of what is there: at an urgent byte of TCP, at the end of a terminal's line, at that of a
 * packet of a pipe (O_DIRECT). Here are also the kinds of pipes and terminals. */
#include "runtime/stream/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

_Static_assert(offsetof(struct descriptor, stream) == 0, "the stream is the first member");
_Static_assert(sizeof(struct bight_slice) == sizeof(struct iovec) &&
                   offsetof(struct bight_slice, data) == offsetof(struct iovec, iov_base) &&
                   offsetof(struct bight_slice, bytes) == offsetof(struct iovec, iov_len),
               "a slice is an iovec");
_Static_assert(EWOULDBLOCK == EAGAIN, "one of the two is looked for");

/* bight__side_wake of the side where most tasks sleep. What waits for a descriptor waits for
 * something outside. */
__attribute__((always_inline)) static inline void wake_reader(struct stream_side *in)
{
    struct bight_waiter *waiter = in->waiter;

    if (unlikely(!waiter))
        return;
    in->waiter = NULL;
    in->taken &= (uint8_t)~SIDE_CASE;
    bight__unpark_outside(waiter);
}

/* Any event. */
static __attribute__((noinline)) void told(struct descriptor *descriptor, uint32_t events)
{
    struct bight_stream *stream = &descriptor->stream;

    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI))
        descriptor->asks_again = true;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        bight__stream_ready(stream, &stream->out);
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        bight__stream_ready(stream, &stream->in);
    if (events & (EPOLLHUP | EPOLLERR))
        bight__stream_peer_gone(stream, PEER_RESET);
    else if (events & EPOLLRDHUP)
        bight__stream_peer_gone(stream, PEER_ENDED);
}

static void on_ready(struct poll_source *source, uint32_t events)
{
    struct descriptor *descriptor = container_of(source, struct descriptor, source);
    struct bight_stream *stream = &descriptor->stream;

    if (unlikely(events & ~(uint32_t)(EPOLLIN | EPOLLOUT) || stream->out.waiter || stream->above)) {
        told(descriptor, events);
        return;
    }
    if (events & EPOLLOUT)
        stream->out.ready = true;
    if (likely(events & EPOLLIN)) {
        stream->in.ready = true;
        wake_reader(&stream->in);
    }
}

int bight__descriptor_new(struct descriptor **out, struct streams *streams, int fd,
                          const struct stream_ops *ops)
{
    struct descriptor *descriptor =
        bight__alloc_zero(&streams->poller.runtime->sched.seams, sizeof(*descriptor));
    int rc;

    if (!descriptor)
        return BIGHT_ENOMEM;
    descriptor->fd = fd;
    descriptor->source.ready = on_ready;
    rc = bight__source_add(streams, &descriptor->source, fd);
    if (rc) {
        bight__free(descriptor);
        return rc;
    }
    bight__stream_open(&descriptor->stream, streams, ops);
    *out = descriptor;
    return 0;
}

void bight__descriptor_adopted(struct descriptor *descriptor, bool was_blocking)
{
    descriptor->was_blocking = was_blocking;
    descriptor->was_not = !was_blocking;
}

/* The open file blocks again, unless another stream is of the same one and was made later: then
 * that one is to set it back. */
static void set_mode_back(const struct descriptor *descriptor)
{
    const struct bight_link *open = &descriptor->stream.streams->open;

    bight__set_blocking(bight__descriptor_seams(descriptor), descriptor->fd);
    for (struct bight_link *link = open->next; link != open; link = link->next) {
        const struct bight_stream *stream = container_of(link, struct bight_stream, link);
        struct descriptor *other = bight__descriptor_of(stream);
        bool blocks = false;

        if (stream->ops->fd != bight__descriptor_fd || !other->was_not)
            continue;
        if (bight__set_nonblocking(bight__descriptor_seams(other), other->fd, &blocks) || !blocks)
            continue;
        bight__descriptor_adopted(other, true);
        return;
    }
}

static void let_go(struct descriptor *descriptor)
{
    bight__source_remove(descriptor->stream.streams, &descriptor->source, descriptor->fd);
    if (descriptor->was_blocking)
        set_mode_back(descriptor);
    close(descriptor->fd);
    descriptor->fd = -1;
}

void bight__descriptor_close(struct descriptor *descriptor)
{
    if (descriptor->fd >= 0)
        let_go(descriptor);
    bight__free(descriptor);
}

int bight__descriptor_fd(const struct bight_stream *stream)
{
    int fd = bight__descriptor_of(stream)->fd;

    return fd < 0 ? BIGHT_ENOTSUP : fd;
}

/* What a failed system call says of the side. */
static int call_failed(struct stream_side *side, int rc)
{
    if (rc != BIGHT_EAGAIN)
        return rc;
    side->ready = false;
    return BIGHT_EAGAIN;
}

int64_t bight__descriptor_read_ended(struct descriptor *descriptor, int rc)
{
    struct stream_side *in = &descriptor->stream.in;

    if (rc == 0 && (descriptor->ended || !descriptor->lost)) {
        descriptor->ended = true;
        return 0;
    }
    rc = rc ? call_failed(in, rc) : descriptor->lost;
    if (rc != BIGHT_EAGAIN && rc != BIGHT_EINTR && rc != BIGHT_ENOMEM)
        in->error = rc;
    return rc;
}

/* Whether it says that the connection is gone, without a proper end. */
static bool is_loss(int rc)
{
    switch (rc) {
    case BIGHT_ECONNRESET:
    case BIGHT_ETIMEDOUT:
    case -ECONNABORTED:
    case -EHOSTUNREACH:
    case -ENETUNREACH:
        return true;
    default:
        return false;
    }
}

/* The system tells a loss once, to whoever comes first, and to a reader then an end. */
int64_t bight__descriptor_write_failed(struct descriptor *descriptor, int rc)
{
    rc = call_failed(&descriptor->stream.out, rc);
    if (is_loss(rc))
        descriptor->lost = rc;
    return rc;
}

int bight__set_nonblocking(const struct bight_seams *seams, int fd, bool *was_blocking)
{
    int flags = bight__call_fails(seams, "fcntl") ? -1 : fcntl(fd, F_GETFL);

    if (flags < 0)
        return -errno;
    *was_blocking = !(flags & O_NONBLOCK);
    if (*was_blocking &&
        (bight__call_fails(seams, "fcntl") || fcntl(fd, F_SETFL, flags | O_NONBLOCK)))
        return -errno;
    return 0;
}

void bight__set_blocking(const struct bight_seams *seams, int fd)
{
    int flags = bight__call_fails(seams, "fcntl") ? -1 : fcntl(fd, F_GETFL);

    if (flags >= 0 && !bight__call_fails(seams, "fcntl"))
        (void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

/* Pipes and terminals */

static int64_t pipe_read(struct bight_stream *stream, void *buffer, size_t bytes)
{
    struct descriptor *descriptor = bight__descriptor_of(stream);
    int64_t result;

    do {
        size_t most = bytes < DESCRIPTOR_MOST_BYTES ? bytes : DESCRIPTOR_MOST_BYTES;
        ssize_t count = bight__transfer_fails(bight__descriptor_seams(descriptor), "readv", &most)
                            ? -1
                            : read(descriptor->fd, buffer, most);

        result = bight__descriptor_was_read(descriptor, bight__outcome(count), most);
    } while (result == BIGHT_EINTR);
    return result;
}

/* The controlling side of a pseudo-terminal is told of the other side's end by an error. An end
 * that a user typed is told once. */
static int64_t terminal_read(struct bight_stream *stream, void *buffer, size_t bytes)
{
    struct descriptor *descriptor = bight__descriptor_of(stream);
    int64_t result = descriptor->ended ? 0 : pipe_read(stream, buffer, bytes);
    int number;

    if (result != -EIO || ioctl(descriptor->fd, TIOCGPTN, &number))
        return result;
    stream->in.error = 0;
    descriptor->ended = true;
    return 0;
}

/* SIGPIPE is blocked for one system call that would send it, and taken back if it did. */
struct quiet {
    sigset_t before;
    bool was_pending;
};

static void quiet_make(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGPIPE);
}

static void quiet_begin(struct quiet *quiet)
{
    sigset_t signals;

    quiet_make(&signals);
    pthread_sigmask(SIG_BLOCK, &signals, &quiet->before);
    /* A signal waits only for a thread that has it blocked. */
    quiet->was_pending = sigismember(&quiet->before, SIGPIPE) == 1 && sigpending(&signals) == 0 &&
                         sigismember(&signals, SIGPIPE) == 1;
}

/* Keeps errno, which says whether there was a signal. */
static void quiet_end(const struct quiet *quiet, bool failed)
{
    static const struct timespec at_once;
    int error = errno;
    sigset_t signals;

    quiet_make(&signals);
    if (failed && error == EPIPE && !quiet->was_pending) {
        while (sigtimedwait(&signals, NULL, &at_once) < 0 && errno == EINTR)
            continue;
    }
    pthread_sigmask(SIG_SETMASK, &quiet->before, NULL);
    errno = error;
}

static ssize_t quiet_writev(int fd, const struct iovec *slices, int count)
{
    struct quiet quiet;
    ssize_t written;

    quiet_begin(&quiet);
    written = writev(fd, slices, count);
    quiet_end(&quiet, written < 0);
    return written;
}

/* sendfile has no flag for it either. */
ssize_t bight__quiet_sendfile(int to, int file, off_t *offset, size_t bytes)
{
    struct quiet quiet;
    ssize_t sent;

    quiet_begin(&quiet);
    sent = sendfile(to, file, offset, bytes);
    quiet_end(&quiet, sent < 0);
    return sent;
}

static ssize_t write_slices(const struct descriptor *descriptor, const struct bight_slice *slices,
                            size_t count)
{
    size_t most = slices[0].bytes;
    struct iovec first = {(void *)(uintptr_t)slices[0].data, 0};

    if (bight__transfer_fails(bight__descriptor_seams(descriptor), "writev", &most))
        return -1;
    first.iov_len = most;
    if (most < slices[0].bytes)
        return quiet_writev(descriptor->fd, &first, 1);
    return quiet_writev(descriptor->fd, (const struct iovec *)slices, (int)count);
}

static int64_t pipe_write(struct bight_stream *stream, const struct bight_slice *slices,
                          size_t count)
{
    struct descriptor *descriptor = bight__descriptor_of(stream);
    int64_t result;

    do {
        result = bight__descriptor_was_written(
            descriptor, bight__outcome(write_slices(descriptor, slices, count)));
    } while (result == BIGHT_EINTR);
    return result;
}

/* The peer sees the end when nobody has the writing end any more. What has another half is a
 * terminal, or a named pipe that was opened for both. */
static int pipe_shutdown(struct bight_stream *stream)
{
    struct descriptor *descriptor = bight__descriptor_of(stream);
    int flags = bight__call_fails(bight__descriptor_seams(descriptor), "fcntl")
                    ? -1
                    : fcntl(descriptor->fd, F_GETFL);

    if (flags < 0)
        return -errno;
    if ((flags & O_ACCMODE) != O_WRONLY)
        return BIGHT_ENOTSUP;
    let_go(descriptor);
    return 0;
}

static void pipe_close(struct bight_stream *stream, bool reset)
{
    (void)reset;
    bight__descriptor_close(bight__descriptor_of(stream));
}

static void pipe_describe(const struct bight_stream *stream, char *text, size_t text_bytes)
{
    snprintf(text, text_bytes, "pipe %d", bight__descriptor_of(stream)->fd);
}

static void terminal_describe(const struct bight_stream *stream, char *text, size_t text_bytes)
{
    snprintf(text, text_bytes, "terminal %d", bight__descriptor_of(stream)->fd);
}

static const struct stream_ops pipe_ops = {
    .read = pipe_read,
    .write = pipe_write,
    .shutdown = pipe_shutdown,
    .close = pipe_close,
    .fd = bight__descriptor_fd,
    .describe = pipe_describe,
};
static const struct stream_ops terminal_ops = {
    .read = terminal_read,
    .write = pipe_write,
    .close = pipe_close,
    .fd = bight__descriptor_fd,
    .describe = terminal_describe,
};

/* The kind of a descriptor that is no socket. */
static const struct stream_ops *ops_of(int fd, const struct stat *status)
{
    if (S_ISFIFO(status->st_mode))
        return &pipe_ops;
    return S_ISCHR(status->st_mode) && isatty(fd) ? &terminal_ops : NULL;
}

static int file_stream(struct bight_stream **out, struct streams *streams, int fd,
                       const struct stream_ops *ops)
{
    struct descriptor *descriptor;
    bool was_blocking = false;
    int rc;

    rc = bight__set_nonblocking(&streams->poller.runtime->sched.seams, fd, &was_blocking);
    if (rc)
        return rc;
    rc = bight__descriptor_new(&descriptor, streams, fd, ops);
    if (rc) {
        if (was_blocking)
            bight__set_blocking(&streams->poller.runtime->sched.seams, fd);
        return rc;
    }
    descriptor->asks_again = true; /* of a pipe's reading end nobody tells whether it has packets */
    bight__descriptor_adopted(descriptor, was_blocking);
    *out = &descriptor->stream;
    return 0;
}

int bight_stream_from_fd(struct bight_stream **out, int fd)
{
    const struct stream_ops *ops;
    struct streams *streams;
    struct stat status;
    int rc;

    if (!out)
        return BIGHT_EINVAL;
    rc = bight__streams_get(&streams);
    if (rc)
        return rc;
    if (fstat(fd, &status))
        return -errno;
    if (S_ISSOCK(status.st_mode))
        return bight__socket_from_fd(out, streams, fd);
    ops = ops_of(fd, &status);
    return ops ? file_stream(out, streams, fd, ops) : BIGHT_ENOTSUP;
}
