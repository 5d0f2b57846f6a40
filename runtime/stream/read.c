/* Reading: some, exactly, and looking ahead. A kind's `read` is tried while its side is ready, and
 * waited for otherwise; bytes go straight into the caller's memory unless something is buffered. */
#include "runtime/stream/stream.h"

/* One attempt. An error stays, since the system tells it once and then an end. */
__attribute__((always_inline)) static inline int64_t attempt(struct bight_stream *stream,
                                                             void *buffer, size_t bytes)
{
    int64_t count;

    if (unlikely(stream->in.error))
        return stream->in.error;
    if (!stream->in.ready)
        return BIGHT_EAGAIN;
    count = stream->ops->read(stream, buffer, bytes);
    if (likely(count > 0))
        stream->bytes_read += (uint64_t)count;
    return count;
}

static __attribute__((noinline)) int64_t read_or_wait(struct bight_stream *stream, void *buffer,
                                                      size_t bytes)
{
    for (;;) {
        int64_t count = attempt(stream, buffer, bytes);
        int rc;

        if (count != BIGHT_EAGAIN)
            return count;
        rc = bight__stream_wait(&stream->in);
        if (rc)
            return rc;
    }
}

/* Whether a read has to wait first, which is the usual case. */
static inline bool has_to_wait(const struct bight_stream *stream, size_t bytes)
{
    return !stream->in.ready && !stream->in.error && !stream->buffer.data && bytes;
}

/* To the end of a read that sleeps first; what it waits for is there then. */
__attribute__((always_inline)) static inline int64_t wait_and_read(struct bight_stream *stream,
                                                                   void *buffer, size_t bytes)
{
    struct bight_task *self = NULL;
    int64_t count = bight__stream_enter_of(stream, &stream->in, false, true, &self);

    if (unlikely(count))
        return count;
    count = bight__side_wait(&stream->in, self);
    if (likely(count == 0)) {
        count = attempt(stream, buffer, bytes);
        if (unlikely(count == BIGHT_EAGAIN))
            count = read_or_wait(stream, buffer, bytes);
    }
    bight__stream_leave(stream, &stream->in);
    return count;
}

int64_t bight__stream_read_some(struct bight_stream *stream, void *buffer, size_t bytes)
{
    if (stream->buffer.data || !bytes)
        return (int64_t)bight__buffer_take(stream, buffer, bytes);
    return read_or_wait(stream, buffer, bytes);
}

int64_t bight_stream_read(struct bight_stream *stream, void *buffer, size_t bytes)
{
    int64_t count;

    if (unlikely(!stream || (!buffer && bytes)))
        return BIGHT_EINVAL;
    if (likely(has_to_wait(stream, bytes)))
        return wait_and_read(stream, buffer, bytes);
    count = bight__stream_enter(stream, &stream->in, false);
    if (unlikely(count))
        return count;
    count = bight__stream_read_some(stream, buffer, bytes);
    bight__stream_leave(stream, &stream->in);
    return count;
}

int64_t bight__stream_take(struct bight_stream *stream, void *buffer, size_t bytes)
{
    if (stream->buffer.data)
        return (int64_t)bight__buffer_take(stream, buffer, bytes);
    return attempt(stream, buffer, bytes);
}

int64_t bight_stream_try_read(struct bight_stream *stream, void *buffer, size_t bytes)
{
    int rc;

    if (!stream || (!buffer && bytes))
        return BIGHT_EINVAL;
    rc = bight__stream_check(stream, &stream->in);
    if (rc || bytes == 0)
        return rc;
    return bight__stream_take(stream, buffer, bytes);
}

/* The `bytes` at `from` cannot be kept by a call that fails with `rc`. */
static int give_back(struct bight_stream *stream, const void *from, size_t bytes, int rc)
{
    int kept = bytes ? bight__buffer_put_back(stream, from, bytes) : 0;

    if (kept)
        stream->in.error = kept; /* bytes are missing: nothing that follows may be read */
    return rc;
}

static int read_exactly(struct bight_stream *stream, char *buffer, size_t bytes)
{
    size_t done = 0;

    while (done < bytes) {
        int64_t count = done ? bight__stream_pause(stream) : 0;

        if (likely(count == 0))
            count = bight__stream_read_some(stream, buffer + done, bytes - done);
        if (unlikely(count <= 0))
            return give_back(stream, buffer, done, count ? (int)count : BIGHT_EOF);
        done += (size_t)count;
    }
    return 0;
}

int bight_stream_read_exactly(struct bight_stream *stream, void *buffer, size_t bytes)
{
    int rc;

    if (!stream || (!buffer && bytes))
        return BIGHT_EINVAL;
    rc = bight__stream_enter(stream, &stream->in, false);
    if (unlikely(rc))
        return rc;
    rc = read_exactly(stream, buffer, bytes);
    bight__stream_leave(stream, &stream->in);
    return rc;
}

int64_t bight__stream_try_fill(struct bight_stream *stream, size_t room)
{
    struct stream_buffer *buffer = &stream->buffer;
    int64_t count;
    int rc;

    if (stream->in.error)
        return stream->in.error;
    if (!stream->in.ready)
        return BIGHT_EAGAIN; /* no memory is taken before something comes */
    rc = bight__buffer_reserve(stream, room);
    if (rc)
        return rc;
    count = attempt(stream, buffer->data + buffer->end, buffer->capacity - buffer->end);
    if (count > 0)
        buffer->end += (size_t)count;
    else
        bight__buffer_rest(stream);
    return count;
}

int64_t bight__stream_fill(struct bight_stream *stream, size_t room)
{
    for (;;) {
        int64_t count = bight__stream_try_fill(stream, room);
        int rc;

        if (count != BIGHT_EAGAIN)
            return count;
        rc = bight__stream_wait(&stream->in);
        if (rc)
            return rc;
    }
}

int64_t bight__stream_look(struct bight_stream *stream, size_t bytes, size_t room)
{
    int rc;

    while (bight__stream_held(stream) < bytes) {
        int64_t count = bight__stream_fill(stream, room);

        if (count < 0)
            return count;
        if (count == 0)
            break;
        if (bight__stream_held(stream) < bytes && (rc = bight__stream_pause(stream)))
            return rc;
    }
    return (int64_t)bight__stream_held(stream);
}

int64_t bight_stream_peek(struct bight_stream *stream, const void **data, size_t bytes)
{
    int64_t held;
    int rc;

    if (!stream || !data)
        return BIGHT_EINVAL;
    rc = bight__stream_enter(stream, &stream->in, false);
    if (unlikely(rc))
        return rc;
    held = bight__stream_look(stream, bytes, bytes);
    if (held >= 0)
        *data = held ? stream->buffer.data + stream->buffer.begin : "";
    bight__stream_leave(stream, &stream->in);
    return held;
}

int bight_stream_consume(struct bight_stream *stream, size_t bytes)
{
    int rc;

    if (!stream)
        return BIGHT_EINVAL;
    rc = bight__stream_check(stream, &stream->in);
    if (rc)
        return rc;
    if (bytes > bight__stream_held(stream))
        return BIGHT_EINVAL;
    (void)bight__buffer_take(stream, NULL, bytes);
    return 0;
}

size_t bight_stream_buffered(const struct bight_stream *stream)
{
    return stream ? bight__stream_held(stream) : 0;
}
