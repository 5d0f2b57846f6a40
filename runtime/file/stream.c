/* The stream of a file, for reading. A chunk is read ahead by a request of uv_fs while somebody
 * waits for bytes; a read that was cancelled leaves it under way, and what comes is for the next
 * read. The record lives until libuv has called back, also when the stream is gone by then. */
#include "runtime/stream/stream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/file/file.h"

#define CHUNK_BYTES ((size_t)64 << 10)

struct file_stream {
    struct bight_stream stream; /* first */
    struct bight_runtime *runtime;
    int64_t offset; /* of the next request; negative: the file's position */
    int fd;
    bool asked; /* libuv has the request */
    bool over;  /* the stream is closed */
    bool ended; /* the last request found nothing */
    size_t begin, end;
    uv_fs_t fs;
    char chunk[CHUNK_BYTES];
};

_Static_assert(offsetof(struct file_stream, stream) == 0, "the stream is the first member");

static struct file_stream *file_of(const struct bight_stream *stream)
{
    return (struct file_stream *)(uintptr_t)stream;
}

static void release(struct file_stream *file)
{
    close(file->fd);
    bight__free(file);
}

/* In a stream BIGHT_EAGAIN means that somebody will say when to go on, and nobody would: what gives
 * it is no file, but a pipe that does not block. */
static int failure(int rc)
{
    return rc == BIGHT_EAGAIN ? BIGHT_ENOTSUP : rc;
}

static void on_read(uv_fs_t *fs)
{
    struct file_stream *file = container_of(fs, struct file_stream, fs);
    struct bight_runtime *runtime = file->runtime;
    ssize_t result = fs->result;

    uv_fs_req_cleanup(fs);
    file->asked = false;
    if (file->over) {
        release(file);
    } else {
        file->begin = 0;
        file->end = result > 0 ? (size_t)result : 0;
        if (file->offset >= 0)
            file->offset += (int64_t)file->end;
        file->ended = result == 0;
        if (result < 0 && result != UV_EINTR)
            file->stream.in.error = failure((int)result);
        bight__stream_ready(&file->stream, &file->stream.in);
    }
    bight__handle_closed(runtime);
}

static int ask(struct file_stream *file)
{
    size_t most = CHUNK_BYTES;
    uv_buf_t part;
    int rc;

    if (bight__transfer_fails(&file->stream.sched->seams, "read", &most))
        return -errno;
    part = (uv_buf_t){.base = file->chunk, .len = most};
    rc = uv_fs_read(file->runtime->loop, &file->fs, file->fd, &part, 1, file->offset, on_read);
    if (rc < 0)
        return rc;
    bight__handle_opened(file->runtime);
    file->asked = true;
    return 0;
}

/* Behind the end it asks anew: the file may have grown. */
static int64_t file_read(struct bight_stream *stream, void *buffer, size_t bytes)
{
    struct file_stream *file = file_of(stream);
    size_t held = file->end - file->begin;
    int rc = 0;

    if (held) {
        bytes = bytes < held ? bytes : held;
        memcpy(buffer, file->chunk + file->begin, bytes);
        file->begin += bytes;
        return (int64_t)bytes;
    }
    if (file->ended) {
        file->ended = false;
        return 0;
    }
    if (!file->asked)
        rc = ask(file);
    if (rc == BIGHT_EINTR)
        rc = ask(file);
    if (rc)
        return failure(rc);
    stream->in.ready = false;
    return BIGHT_EAGAIN;
}

static int64_t file_write(struct bight_stream *stream, const struct bight_slice *slices,
                          size_t count)
{
    (void)stream, (void)slices, (void)count;
    return BIGHT_EBADF;
}

static void file_close(struct bight_stream *stream, bool reset)
{
    struct file_stream *file = file_of(stream);

    (void)reset;
    file->over = true;
    if (file->asked)
        (void)uv_cancel((uv_req_t *)&file->fs);
    else
        release(file);
}

static int file_fd(const struct bight_stream *stream)
{
    return file_of(stream)->fd;
}

static void file_describe(const struct bight_stream *stream, char *text, size_t text_bytes)
{
    snprintf(text, text_bytes, "file %d", file_of(stream)->fd);
}

static const struct stream_ops file_ops = {
    .read = file_read,
    .write = file_write,
    .close = file_close,
    .fd = file_fd,
    .describe = file_describe,
};

int bight_file_stream(struct bight_stream **out, struct bight_file *file, int64_t offset)
{
    struct file_stream *stream;
    struct streams *streams;
    int rc;

    if (!out || !file)
        return BIGHT_EINVAL;
    if (&file->files->runtime->sched != bight__sched)
        return BIGHT_EPERM;
    if (file->ending || file->inside)
        return file->ending ? BIGHT_ECLOSED : BIGHT_EBUSY;
    rc = bight__streams_get(&streams);
    if (rc)
        return rc;
    stream = bight__alloc(&bight__sched->seams, sizeof(*stream));
    if (!stream)
        return BIGHT_ENOMEM;
    memset(stream, 0, offsetof(struct file_stream, chunk)); /* the chunk is large */
    stream->runtime = file->files->runtime;
    stream->fd = file->fd;
    stream->offset = offset < 0 ? -1 : offset;
    bight__stream_open(&stream->stream, streams, &file_ops);
    bight__file_delist(file);
    bight__free(file);
    *out = &stream->stream;
    return 0;
}
