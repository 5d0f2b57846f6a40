/* Writing: all of it, what goes now, a file. A write that ends early after some bytes went out
 * leaves a hole in what the peer sees, so the stream takes no further ones. Between two attempts
 * that moved something others may run: a peer that takes all there is makes no call wait. */
#include "runtime/stream/stream.h"

#include <errno.h>
#include <unistd.h>

/* How much of a file is asked for at a time. */
#define FILE_STEP_BYTES ((size_t)1 << 20)
#define FILE_BUFFER_BYTES ((size_t)128 << 10)

/* Errors that say nothing about the connection. */
static bool may_pass(int rc)
{
    return rc == BIGHT_ENOMEM || rc == -ENOBUFS || rc == BIGHT_EINTR;
}

int bight__stream_write_failed(struct bight_stream *stream, int rc)
{
    if (bight_is_stop(rc) || rc == BIGHT_ECLOSED) {
        if (stream->last_written)
            stream->out.error = BIGHT_EBROKEN;
    } else if (stream->last_written || !may_pass(rc)) {
        stream->out.error = rc;
    }
    return rc;
}

__attribute__((always_inline)) static inline int64_t
put(struct bight_stream *stream, const struct bight_slice *slices, size_t count)
{
    int64_t written =
        likely(stream->out.ready) ? stream->ops->write(stream, slices, count) : BIGHT_EAGAIN;

    if (likely(written > 0)) {
        stream->bytes_written += (uint64_t)written;
        stream->last_written += (size_t)written;
    }
    return written;
}

int64_t bight__stream_put(struct bight_stream *stream, const struct bight_slice *slices,
                          size_t count)
{
    return put(stream, slices, count);
}

/* The first slices that have not gone out, of which the first begins at `offset`. */
struct window {
    struct bight_slice slices[STREAM_SLICES];
    size_t count;
};

static void window_make(struct window *window, const struct bight_slice *slices, size_t count,
                        size_t offset)
{
    window->count = 0;
    for (size_t i = 0; i < count && window->count < STREAM_SLICES; i++) {
        if (slices[i].bytes > offset)
            window->slices[window->count++] = (struct bight_slice){
                (const char *)slices[i].data + offset, slices[i].bytes - offset};
        offset = 0;
    }
}

int bight__stream_write_all(struct bight_stream *stream, const struct bight_slice *slices,
                            size_t count)
{
    struct window window;
    size_t offset = 0;   /* into the first slice */
    int64_t written = 0; /* by the last attempt */

    for (;;) {
        while (count && offset >= slices->bytes) {
            offset -= slices->bytes;
            slices++;
            count--;
        }
        if (count == 0)
            return 0;
        written = written ? bight__stream_pause(stream) : 0;
        if (written == 0) {
            window_make(&window, slices, count, offset);
            written = bight__stream_put(stream, window.slices, window.count);
        }
        if (written == BIGHT_EAGAIN)
            written = bight__stream_wait(&stream->out);
        if (written < 0)
            return bight__stream_write_failed(stream, (int)written);
        offset += (size_t)written;
    }
}

/* What a first attempt has left, if it was one. */
static __attribute__((noinline)) int write_rest(struct bight_stream *stream, const void *data,
                                                size_t bytes, int64_t written)
{
    struct bight_slice rest = {data, bytes};

    for (;;) {
        if (written == BIGHT_EAGAIN)
            written = bight__stream_wait(&stream->out);
        if (written < 0)
            return bight__stream_write_failed(stream, (int)written);
        rest.data = (const char *)rest.data + written;
        rest.bytes -= (size_t)written;
        if (!rest.bytes)
            return 0;
        written = written ? bight__stream_pause(stream) : 0;
        if (written == 0)
            written = bight__stream_put(stream, &rest, 1);
    }
}

/* The usual case is one piece, which the peer takes at once. */
int bight_stream_write(struct bight_stream *stream, const void *data, size_t bytes)
{
    const struct bight_slice all = {data, bytes};
    int64_t written;
    int rc;

    if (unlikely(!stream || (!data && bytes)))
        return BIGHT_EINVAL;
    rc = bight__stream_enter(stream, &stream->out, true);
    if (unlikely(rc))
        return rc;
    rc = stream->out.error;
    if (likely(!rc && bytes)) {
        written = put(stream, &all, 1);
        if (unlikely(written != (int64_t)bytes))
            rc = write_rest(stream, data, bytes, written);
    }
    bight__stream_leave(stream, &stream->out);
    return rc;
}

static bool are_valid(const struct bight_slice *slices, size_t count)
{
    if (!slices && count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!slices[i].data && slices[i].bytes)
            return false;
    }
    return true;
}

int bight_stream_writev(struct bight_stream *stream, const struct bight_slice *slices, size_t count)
{
    int rc;

    if (!stream || !are_valid(slices, count))
        return BIGHT_EINVAL;
    rc = bight__stream_enter(stream, &stream->out, true);
    if (unlikely(rc))
        return rc;
    rc = stream->out.error;
    if (likely(!rc))
        rc = bight__stream_write_all(stream, slices, count);
    bight__stream_leave(stream, &stream->out);
    return rc;
}

/* What an attempt without a wait begins with: 0, or why there is none. */
static int try_begin(struct bight_stream *stream)
{
    int rc = bight__stream_check(stream, &stream->out);

    if (rc)
        return rc;
    stream->last_written = 0;
    return stream->out.error;
}

static int64_t try_end(struct bight_stream *stream, int64_t written)
{
    if (written < 0 && written != BIGHT_EAGAIN)
        return bight__stream_write_failed(stream, (int)written);
    return written;
}

int64_t bight_stream_try_write(struct bight_stream *stream, const void *data, size_t bytes)
{
    const struct bight_slice slice = {data, bytes};
    int rc;

    if (!stream || (!data && bytes))
        return BIGHT_EINVAL;
    rc = try_begin(stream);
    if (rc || bytes == 0)
        return rc;
    return try_end(stream, bight__stream_put(stream, &slice, 1));
}

int64_t bight__stream_try_writev(struct bight_stream *stream, const struct bight_slice *slices,
                                 size_t count)
{
    int rc = try_begin(stream);

    return rc ? rc : try_end(stream, bight__stream_put(stream, slices, count));
}

int64_t bight__stream_try_write_more(struct bight_stream *stream, const struct bight_slice *slice)
{
    int64_t written = try_begin(stream);

    if (written || slice->bytes == 0)
        return written;
    if (!stream->ops->write_more)
        return try_end(stream, bight__stream_put(stream, slice, 1));
    written = stream->out.ready ? stream->ops->write_more(stream, slice) : BIGHT_EAGAIN;
    if (written > 0) {
        stream->bytes_written += (uint64_t)written;
        stream->last_written += (size_t)written;
    }
    return try_end(stream, written);
}

int bight__stream_wait_writable(struct bight_stream *stream)
{
    int rc = bight__stream_enter(stream, &stream->out, false);

    if (rc)
        return rc;
    if (!stream->out.ready)
        rc = bight__stream_wait(&stream->out);
    bight__stream_leave(stream, &stream->out);
    return rc;
}

size_t bight_stream_last_written(const struct bight_stream *stream)
{
    return stream ? stream->last_written : 0;
}

/* A file */

/* The error may be the file's, which says nothing about the connection. */
static int file_failed(struct bight_stream *stream, int rc)
{
    return stream->last_written ? bight__stream_write_failed(stream, rc) : rc;
}

struct file_part {
    int file;
    int64_t offset;
    uint64_t left; /* UINT64_MAX: to its end */
};

/* `bytes` have gone out, or 0: the file has no more. True: that was all. */
static bool file_moved(struct file_part *part, int64_t bytes, int *rc)
{
    bool to_the_end = part->left == UINT64_MAX;

    *rc = 0;
    if (bytes == 0) {
        *rc = to_the_end ? 0 : BIGHT_EOF;
        return true;
    }
    part->offset += bytes;
    if (!to_the_end)
        part->left -= (uint64_t)bytes;
    return part->left == 0;
}

static size_t file_step(const struct file_part *part, size_t most)
{
    return part->left < most ? (size_t)part->left : most;
}

static int send_from_kernel(struct bight_stream *stream, struct file_part part)
{
    int rc = 0;

    while (part.left) {
        int64_t sent = stream->out.ready ? stream->ops->send_file(stream, part.file, part.offset,
                                                                  file_step(&part, FILE_STEP_BYTES))
                                         : BIGHT_EAGAIN;

        if (sent == BIGHT_EAGAIN) {
            sent = bight__stream_wait(&stream->out);
            if (sent == 0)
                continue;
        }
        if (sent < 0)
            return file_failed(stream, (int)sent);
        stream->bytes_written += (uint64_t)sent;
        stream->last_written += (size_t)sent;
        if (file_moved(&part, sent, &rc))
            break;
        rc = bight__stream_pause(stream);
        if (rc)
            return bight__stream_write_failed(stream, rc);
    }
    return rc;
}

int64_t bight__stream_try_send_file(struct bight_stream *stream, int file, int64_t offset,
                                    size_t bytes)
{
    int64_t sent = try_begin(stream);

    if (sent)
        return sent;
    if (!stream->ops->send_file)
        return BIGHT_EINVAL;
    sent = stream->out.ready ? stream->ops->send_file(stream, file, offset, bytes) : BIGHT_EAGAIN;
    if (sent > 0) {
        stream->bytes_written += (uint64_t)sent;
        stream->last_written += (size_t)sent;
        return sent;
    }
    /* The error may be the file's: the connection's next write tells. */
    return sent ? sent : BIGHT_EOF;
}

static int64_t read_file(const struct bight_stream *stream, const struct file_part *part,
                         char *buffer)
{
    const struct bight_seams *seams = &stream->sched->seams;
    size_t most = file_step(part, FILE_BUFFER_BYTES);
    ssize_t count;

    do {
        count = bight__transfer_fails(seams, "pread", &most)
                    ? -1
                    : pread(part->file, buffer, most, part->offset);
    } while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

static int send_by_buffer(struct bight_stream *stream, struct file_part part, char *buffer)
{
    int rc = 0;

    while (part.left) {
        int64_t count = read_file(stream, &part, buffer);
        struct bight_slice slice = {buffer, count > 0 ? (size_t)count : 0};

        if (count < 0)
            return file_failed(stream, (int)count);
        rc = bight__stream_write_all(stream, &slice, 1);
        if (rc || file_moved(&part, count, &rc))
            break;
    }
    return rc;
}

/* Some files the kernel cannot send: of most in /proc it says that the call is invalid. */
static int send_file(struct bight_stream *stream, const struct file_part *part)
{
    char *buffer;
    int rc = BIGHT_EINVAL;

    if (stream->ops->send_file)
        rc = send_from_kernel(stream, *part);
    if (rc != BIGHT_EINVAL || stream->last_written)
        return rc;
    buffer = bight__alloc(&stream->sched->seams, FILE_BUFFER_BYTES);
    if (!buffer)
        return BIGHT_ENOMEM;
    rc = send_by_buffer(stream, *part, buffer);
    bight__free(buffer);
    return rc;
}

int bight_stream_send_file(struct bight_stream *stream, int file, int64_t offset, int64_t bytes)
{
    const struct file_part part = {file, offset, bytes < 0 ? UINT64_MAX : (uint64_t)bytes};
    int rc;

    if (!stream || offset < 0)
        return BIGHT_EINVAL;
    rc = bight__stream_enter(stream, &stream->out, true);
    if (unlikely(rc))
        return rc;
    rc = stream->out.error;
    if (!rc)
        rc = send_file(stream, &part);
    bight__stream_leave(stream, &stream->out);
    return rc;
}

int bight_stream_shutdown(struct bight_stream *stream)
{
    int rc;

    if (!stream)
        return BIGHT_EINVAL;
    rc = bight__stream_enter(stream, &stream->out, false);
    if (unlikely(rc))
        return rc;
    if (stream->shut)
        rc = BIGHT_EALREADY;
    else if (stream->out.error)
        rc = stream->out.error;
    else if (!stream->ops->shutdown)
        rc = BIGHT_ENOTSUP;
    while (rc == 0 && (rc = stream->ops->shutdown(stream)) == BIGHT_EAGAIN)
        rc = bight__stream_wait(&stream->out);
    if (rc == 0) {
        stream->shut = true;
        stream->out.error = BIGHT_ECLOSED;
    }
    bight__stream_leave(stream, &stream->out);
    return rc;
}
