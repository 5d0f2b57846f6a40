/* The kinds of connected stream sockets: TCP, Unix, and others, such as those between a virtual
 * machine and its host (AF_VSOCK). What can be set and asked of them. */
#include "runtime/address.h"
#include "runtime/stream/descriptor.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

/* How much a stream that is ended reads and drops at a time, and how often between two looks at the
 * clock. On the stack: there may be no other memory. */
#define DROP_BYTES 1024
#define DROP_STEPS 16

/* In a test any call may fail, or move less. */
static bool is_tested(const struct descriptor *descriptor)
{
    return unlikely(descriptor->stream.sched->seams.fail_call != NULL);
}

/* A read of which an attempt was interrupted, or none was made. */
static __attribute__((noinline)) int64_t read_again(struct descriptor *descriptor, void *buffer,
                                                    size_t bytes)
{
    int64_t result;

    do {
        size_t most = bytes;
        int64_t outcome = bight__transfer_fails(bight__descriptor_seams(descriptor), "recv", &most)
                              ? -errno
                              : bight__recv(descriptor->fd, buffer, most);

        result = bight__descriptor_was_read(descriptor, outcome, most);
    } while (result == BIGHT_EINTR);
    return result;
}

static int64_t socket_read(struct bight_stream *stream, void *buffer, size_t bytes)
{
    struct descriptor *descriptor = bight__descriptor_of(stream);
    int64_t outcome;

    if (bytes > DESCRIPTOR_MOST_BYTES)
        bytes = DESCRIPTOR_MOST_BYTES;
    if (is_tested(descriptor))
        return read_again(descriptor, buffer, bytes);
    outcome = bight__recv(descriptor->fd, buffer, bytes);
    if (unlikely(outcome == BIGHT_EINTR))
        return read_again(descriptor, buffer, bytes);
    return bight__descriptor_was_read(descriptor, outcome, bytes);
}

/* A read from a Unix socket stops behind bytes that descriptors came with. The system drops those,
 * for nobody wants them here, and says so. */
static int64_t unix_read(struct bight_stream *stream, void *buffer, size_t bytes)
{
    struct descriptor *descriptor = bight__descriptor_of(stream);
    size_t most = bytes < DESCRIPTOR_MOST_BYTES ? bytes : DESCRIPTOR_MOST_BYTES;
    struct msghdr message;
    int64_t result;

    do {
        struct iovec part = {buffer, most};
        ssize_t count = -1;

        message = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1};
        if (!bight__transfer_fails(bight__descriptor_seams(descriptor), "recv", &part.iov_len))
            count = recvmsg(descriptor->fd, &message, 0);
        result = bight__descriptor_was_read(descriptor, bight__outcome(count), part.iov_len);
    } while (unlikely(result == BIGHT_EINTR));
    if (unlikely(result > 0 && message.msg_flags & MSG_CTRUNC))
        stream->in.ready = true;
    return result;
}

static int64_t send_many(const struct descriptor *descriptor, const struct bight_slice *slices,
                         size_t count)
{
    const struct msghdr message = {
        .msg_iov = (struct iovec *)(uintptr_t)slices,
        .msg_iovlen = count,
    };

    return bight__outcome(sendmsg(descriptor->fd, &message, MSG_NOSIGNAL));
}

static int64_t send_slices(const struct descriptor *descriptor, const struct bight_slice *slices,
                           size_t count)
{
    size_t most = slices[0].bytes;

    if (bight__transfer_fails(bight__descriptor_seams(descriptor), "send", &most))
        return -errno;
    if (count == 1 || most < slices[0].bytes)
        return bight__send(descriptor->fd, slices[0].data, most);
    return send_many(descriptor, slices, count);
}

/* A write of which an attempt failed with `rc`, or BIGHT_EINTR: none was made. */
static __attribute__((noinline)) int64_t
write_again(struct descriptor *descriptor, const struct bight_slice *slices, size_t count, int rc)
{
    int64_t result = bight__descriptor_write_failed(descriptor, rc);

    while (result == BIGHT_EINTR)
        result = bight__descriptor_was_written(descriptor, send_slices(descriptor, slices, count));
    return result;
}

static int64_t socket_write(struct bight_stream *stream, const struct bight_slice *slices,
                            size_t count)
{
    struct descriptor *descriptor = bight__descriptor_of(stream);
    int64_t outcome;

    if (unlikely(count != 1) || is_tested(descriptor))
        return write_again(descriptor, slices, count, BIGHT_EINTR);
    outcome = bight__send(descriptor->fd, slices[0].data, slices[0].bytes);
    return likely(outcome >= 0) ? outcome : write_again(descriptor, slices, count, (int)outcome);
}

/* A head without a packet of its own: the client would be woken for it. */
static int64_t tcp_write_more(struct bight_stream *stream, const struct bight_slice *slice)
{
    struct descriptor *descriptor = bight__descriptor_of(stream);
    size_t most = slice->bytes;
    int64_t result;

    do {
        ssize_t sent = bight__transfer_fails(bight__descriptor_seams(descriptor), "send", &most)
                           ? -1
                           : send(descriptor->fd, slice->data, most, MSG_NOSIGNAL | MSG_MORE);

        result = bight__descriptor_was_written(descriptor, bight__outcome(sent));
    } while (result == BIGHT_EINTR);
    return result;
}

static int64_t socket_send_file(struct bight_stream *stream, int file, int64_t offset, size_t bytes)
{
    struct descriptor *descriptor = bight__descriptor_of(stream);
    int64_t result;

    do {
        off_t at = offset;
        ssize_t sent =
            bight__transfer_fails(bight__descriptor_seams(descriptor), "sendfile", &bytes)
                ? -1
                : bight__quiet_sendfile(descriptor->fd, file, &at, bytes);

        result = bight__descriptor_was_written(descriptor, bight__outcome(sent));
    } while (result == BIGHT_EINTR);
    return result;
}

static int socket_shutdown(struct bight_stream *stream)
{
    return shutdown(bight__descriptor_of(stream)->fd, SHUT_WR) ? -errno : 0;
}

static int64_t drop_some(struct bight_stream *stream)
{
    char bytes[DROP_BYTES];

    if (bight__descriptor_of(stream)->ended || stream->in.error)
        return stream->in.error;
    return stream->in.ready ? stream->ops->read(stream, bytes, sizeof(bytes)) : BIGHT_EAGAIN;
}

/* Drop what has come: 1 when there may be more at once, 0 at the end, or a negative code. *any:
 * something was dropped. */
static int drop(struct bight_stream *stream, bool *any)
{
    int64_t count = 1;

    *any = bight__stream_held(stream) > 0;
    bight__buffer_free(stream);
    for (int i = 0; i < DROP_STEPS && count > 0; i++) {
        count = drop_some(stream);
        *any = *any || count > 0;
    }
    return count > 0 ? 1 : (int)count;
}

/* Whoever closes a socket with received bytes in it sends a reset, which destroys what is still on
 * its way to the peer. So the peer is told of the end, and listened to until its own. */
static int socket_finish(struct bight_stream *stream)
{
    struct descriptor *descriptor = bight__descriptor_of(stream);
    bool any;
    int rc = drop(stream, &any);

    if ((rc <= 0 && rc != BIGHT_EAGAIN) || (!any && !descriptor->lingers))
        return 0;
    if (!descriptor->lingers && !stream->shut && shutdown(descriptor->fd, SHUT_WR))
        return 0;
    descriptor->lingers = true;
    return rc;
}

static void tcp_close(struct bight_stream *stream, bool reset)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};
    struct descriptor *descriptor = bight__descriptor_of(stream);

    if (reset)
        (void)setsockopt(descriptor->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    bight__descriptor_close(descriptor);
}

static void plain_close(struct bight_stream *stream, bool reset)
{
    (void)reset;
    bight__descriptor_close(bight__descriptor_of(stream));
}

static int tcp_local(const struct bight_stream *stream, struct bight_address *address)
{
    struct sockaddr_storage name;
    socklen_t bytes = sizeof(name);

    if (getsockname(bight__descriptor_of(stream)->fd, (struct sockaddr *)&name, &bytes))
        return -errno;
    return bight__address_from_sockaddr((const struct sockaddr *)&name, address);
}

static int tcp_peer(const struct bight_stream *stream, struct bight_address *address)
{
    *address = bight__descriptor_of(stream)->peer;
    return 0;
}

static void tcp_describe(const struct bight_stream *stream, char *text, size_t text_bytes)
{
    char address[BIGHT_ADDRESS_TEXT_BYTES];

    bight_address_text(&bight__descriptor_of(stream)->peer, address);
    snprintf(text, text_bytes, "tcp %s", address);
}

static void unix_describe(const struct bight_stream *stream, char *text, size_t text_bytes)
{
    snprintf(text, text_bytes, "unix %d", bight__descriptor_of(stream)->fd);
}

static void other_describe(const struct bight_stream *stream, char *text, size_t text_bytes)
{
    snprintf(text, text_bytes, "socket %d", bight__descriptor_of(stream)->fd);
}

#define SOCKET_OPS                                                                                 \
    .write = socket_write, .send_file = socket_send_file, .shutdown = socket_shutdown,             \
    .finish = socket_finish, .fd = bight__descriptor_fd

static const struct stream_ops tcp_ops = {
    SOCKET_OPS,
    .read = socket_read,
    .write_more = tcp_write_more,
    .close = tcp_close,
    .local_address = tcp_local,
    .peer_address = tcp_peer,
    .describe = tcp_describe,
};
static const struct stream_ops unix_ops = {
    SOCKET_OPS,
    .read = unix_read,
    .close = plain_close,
    .describe = unix_describe,
};
static const struct stream_ops other_ops = {
    SOCKET_OPS,
    .read = socket_read,
    .close = plain_close,
    .describe = other_describe,
};

static const struct stream_ops *ops_of(int family)
{
    switch (family) {
    case AF_INET:
    case AF_INET6:
        return &tcp_ops;
    case AF_UNIX:
        return &unix_ops;
    default:
        return &other_ops;
    }
}

int bight__socket_stream(struct bight_stream **out, struct streams *streams, int fd, int family,
                         const struct bight_address *peer)
{
    struct descriptor *descriptor;
    int rc = bight__descriptor_new(&descriptor, streams, fd, ops_of(family));

    if (rc)
        return rc;
    if (peer)
        descriptor->peer = *peer;
    *out = &descriptor->stream;
    return 0;
}

static bool is_tcp(const struct bight_stream *stream)
{
    return stream->ops == &tcp_ops;
}

bool bight__stream_is_unix(const struct bight_stream *stream)
{
    return stream->ops == &unix_ops;
}

static int int_option(int fd, int level, int name, int *value)
{
    socklen_t bytes = sizeof(*value);

    return getsockopt(fd, level, name, value, &bytes) ? -errno : 0;
}

/* Whether `fd` is what a stream can be of: a connected stream socket; and who is its peer. */
static int socket_check(int fd, struct sockaddr_storage *peer)
{
    socklen_t bytes = sizeof(*peer);
    int type, listens;
    int rc = int_option(fd, SOL_SOCKET, SO_TYPE, &type);

    if (rc)
        return rc;
    if (type != SOCK_STREAM)
        return BIGHT_ENOTSUP;
    rc = int_option(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens);
    if (rc || listens)
        return rc ? rc : BIGHT_EINVAL;
    if (getpeername(fd, (struct sockaddr *)peer, &bytes))
        return errno == ENOTCONN ? BIGHT_EINVAL : -errno;
    return 0;
}

int bight__socket_from_fd(struct bight_stream **out, struct streams *streams, int fd)
{
    struct sockaddr_storage name = {0};
    struct bight_address peer = {0};
    bool was_blocking;
    int rc = socket_check(fd, &name);

    if (rc == 0)
        rc = bight__set_nonblocking(&streams->poller.runtime->sched.seams, fd, &was_blocking);
    if (rc)
        return rc;
    (void)bight__address_from_sockaddr((const struct sockaddr *)&name, &peer);
    rc = bight__socket_stream(out, streams, fd, name.ss_family, &peer);
    if (rc) {
        if (was_blocking)
            bight__set_blocking(&streams->poller.runtime->sched.seams, fd);
        return rc;
    }
    bight__descriptor_adopted(bight__descriptor_of(*out), was_blocking);
    if (is_tcp(*out))
        (void)bight_stream_set_nagle(*out, false);
    return 0;
}

static int set_int(const struct bight_stream *stream, int level, int name, int value)
{
    int fd = bight__descriptor_of(stream)->fd;

    return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

int bight_stream_set_nagle(struct bight_stream *stream, bool on)
{
    const struct bight_stream *bottom;

    if (!stream)
        return BIGHT_EINVAL;
    bottom = bight__stream_bottom(stream);
    return is_tcp(bottom) ? set_int(bottom, IPPROTO_TCP, TCP_NODELAY, !on) : BIGHT_ENOTSUP;
}

int bight_stream_set_keepalive(struct bight_stream *stream, int idle_s, int interval_s, int count)
{
    const struct bight_stream *bottom;
    int rc = 0;

    if (!stream || interval_s < 0 || count < 0)
        return BIGHT_EINVAL;
    bottom = bight__stream_bottom(stream);
    if (!is_tcp(bottom))
        return BIGHT_ENOTSUP;
    if (idle_s > 0)
        rc = set_int(bottom, IPPROTO_TCP, TCP_KEEPIDLE, idle_s);
    if (rc == 0 && interval_s)
        rc = set_int(bottom, IPPROTO_TCP, TCP_KEEPINTVL, interval_s);
    if (rc == 0 && count)
        rc = set_int(bottom, IPPROTO_TCP, TCP_KEEPCNT, count);
    return rc ? rc : set_int(bottom, SOL_SOCKET, SO_KEEPALIVE, idle_s >= 0);
}

int bight_stream_peer_credentials(const struct bight_stream *stream,
                                  struct bight_stream_credentials *credentials)
{
    struct ucred who;
    socklen_t bytes = sizeof(who);

    if (!stream || !credentials)
        return BIGHT_EINVAL;
    stream = bight__stream_bottom(stream);
    if (!bight__stream_is_unix(stream))
        return BIGHT_ENOTSUP;
    if (getsockopt(bight__descriptor_of(stream)->fd, SOL_SOCKET, SO_PEERCRED, &who, &bytes))
        return -errno;
    *credentials = (struct bight_stream_credentials){who.pid, who.uid, who.gid};
    return 0;
}
