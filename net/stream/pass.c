/* Descriptors that go over Unix sockets. The system passes them with the first byte of a write; a
 * read takes them when it takes that byte, and stops behind the bytes of that write. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bight/unix.h>

#include "net/stream/listener.h"
#include "runtime/stream/descriptor.h"

#define ALL_BYTES (BIGHT_UNIX_DESCRIPTORS * sizeof(int))

/* Room for as many descriptors as the system passes at a time, and for the credentials that it puts
 * in front when somebody has set SO_PASSCRED. */
struct control {
    _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(ALL_BYTES) + CMSG_SPACE(sizeof(struct ucred))];
};

/* Writing */

/* One attempt to write some, with the descriptors: how many bytes, or a negative code. */
static int64_t put(struct bight_stream *stream, const void *data, size_t bytes, const int *fds,
                   size_t count)
{
    struct descriptor *descriptor = bight__descriptor_of(stream);
    struct control control;
    struct iovec part = {(void *)(uintptr_t)data, bytes};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = CMSG_SPACE(count * sizeof(int)),
    };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    memset(&control, 0, message.msg_controllen);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(head), fds, count * sizeof(int));
    if (bight__transfer_fails(bight__descriptor_seams(descriptor), "send", &part.iov_len))
        return bight__descriptor_was_written(descriptor, bight__outcome(-1));
    return bight__descriptor_was_written(
        descriptor, bight__outcome(sendmsg(descriptor->fd, &message, MSG_NOSIGNAL)));
}

/* An error that says nothing about the connection. */
static bool is_of_descriptors(int rc)
{
    return rc == BIGHT_EBADF || rc == -ETOOMANYREFS;
}

/* The descriptors go with what the first attempt takes, and the rest without. */
static int write_with(struct bight_stream *stream, const void *data, size_t bytes, const int *fds,
                      size_t count)
{
    struct bight_slice rest;
    int64_t written = 0;

    do {
        if (stream->out.ready)
            written = put(stream, data, bytes, fds, count);
        else
            written = bight__stream_wait(&stream->out);
    } while (written == 0 || written == BIGHT_EAGAIN || written == BIGHT_EINTR);
    if (written < 0)
        return is_of_descriptors((int)written) ? (int)written
                                               : bight__stream_write_failed(stream, (int)written);
    stream->bytes_written += (uint64_t)written;
    stream->last_written += (size_t)written;
    rest = (struct bight_slice){(const char *)data + written, bytes - (size_t)written};
    return bight__stream_write_all(stream, &rest, 1);
}

int bight_unix_write_descriptors(struct bight_stream *stream, const void *data, size_t bytes,
                                 const int *fds, size_t count)
{
    int rc;

    if (!stream || !data || !bytes || !fds || !count || count > BIGHT_UNIX_DESCRIPTORS)
        return BIGHT_EINVAL;
    if (!bight__stream_is_unix(stream))
        return BIGHT_ENOTSUP;
    rc = bight__stream_enter(stream, &stream->out, true);
    if (rc)
        return rc;
    rc = stream->out.error;
    if (rc == 0)
        rc = write_with(stream, data, bytes, fds, count);
    bight__stream_leave(stream, &stream->out);
    return rc;
}

/* Reading */

/* What has come along with a read. */
struct passed {
    struct control control;
    const void *fds; /* in there, not aligned */
    size_t count;
    bool lost; /* there were more */
};

static void take_descriptors(struct msghdr *message, struct passed *passed)
{
    passed->count = 0;
    passed->lost = message->msg_flags & MSG_CTRUNC;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        size_t bytes = part->cmsg_len - CMSG_LEN(0);

        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS || bytes > ALL_BYTES)
            continue;
        passed->fds = CMSG_DATA(part);
        passed->count = bytes / sizeof(int);
    }
}

/* One attempt to read some. A read with descriptors stops behind them, so there may be more. */
static int64_t get(struct bight_stream *stream, void *buffer, size_t bytes, struct passed *passed)
{
    struct descriptor *descriptor = bight__descriptor_of(stream);
    struct iovec part = {buffer, bytes < DESCRIPTOR_MOST_BYTES ? bytes : DESCRIPTOR_MOST_BYTES};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &passed->control,
        .msg_controllen = sizeof(passed->control),
    };
    ssize_t count = -1;
    int64_t result;

    if (!bight__transfer_fails(bight__descriptor_seams(descriptor), "recv", &part.iov_len))
        count = recvmsg(descriptor->fd, &message, MSG_CMSG_CLOEXEC);
    if (count > 0)
        take_descriptors(&message, passed);
    result = bight__descriptor_was_read(descriptor, bight__outcome(count), part.iov_len);
    if (result > 0) {
        stream->bytes_read += (uint64_t)result;
        if (passed->count || passed->lost)
            stream->in.ready = true;
    }
    return result;
}

static int64_t read_with(struct bight_stream *stream, void *buffer, size_t bytes,
                         struct passed *passed)
{
    int64_t result = BIGHT_EAGAIN;

    passed->count = 0;
    passed->lost = false;
    if (bight__stream_held(stream) || !bytes)
        return (int64_t)bight__buffer_take(stream, buffer, bytes);
    while (result == BIGHT_EAGAIN || result == BIGHT_EINTR) {
        if (stream->in.error)
            return stream->in.error;
        if (!stream->in.ready) {
            int rc = bight__stream_wait(&stream->in);

            if (rc)
                return rc;
        }
        result = get(stream, buffer, bytes, passed);
    }
    return result;
}

/* What came cannot be handed out: the descriptors are closed, and the bytes stay in the stream. */
static int refuse(struct bight_stream *stream, const void *buffer, size_t bytes,
                  const struct passed *passed)
{
    int kept = bight__buffer_put_back(stream, buffer, bytes);

    for (size_t i = 0; i < passed->count; i++) {
        int fd;

        memcpy(&fd, (const char *)passed->fds + i * sizeof(fd), sizeof(fd));
        close(fd);
    }
    if (kept)
        stream->in.error = kept; /* bytes are missing: nothing that follows may be read */
    return passed->lost ? BIGHT_EMFILE : BIGHT_ETOOBIG;
}

int64_t bight_unix_read_descriptors(struct bight_stream *stream, void *buffer, size_t bytes,
                                    int *fds, size_t room, size_t *count)
{
    struct passed passed;
    int64_t result;
    int rc;

    if (!stream || (!buffer && bytes) || (!fds && room) || !count)
        return BIGHT_EINVAL;
    if (!bight__stream_is_unix(stream))
        return BIGHT_ENOTSUP;
    rc = bight__stream_enter(stream, &stream->in, false);
    if (rc)
        return rc;
    result = read_with(stream, buffer, bytes, &passed);
    if (passed.lost || passed.count > room) {
        result = refuse(stream, buffer, (size_t)result, &passed);
        passed.count = 0;
    }
    if (passed.count)
        memcpy(fds, passed.fds, passed.count * sizeof(int));
    *count = passed.count;
    bight__stream_leave(stream, &stream->in);
    return result;
}
