/* What was read from a stream and not taken yet. The memory is a chunk of the runtime's, or a block
 * of its own when more is wanted; it is held only while there is something in it. */
#include "runtime/stream/stream.h"

#include <string.h>

#define SMALLEST_BLOCK (2 * (size_t)STREAM_CHUNK_BYTES)

static void memory_free(struct streams *streams, const struct stream_buffer *buffer)
{
    if (buffer->capacity == STREAM_CHUNK_BYTES)
        bight__chunk_give(streams, buffer->data);
    else
        bight__free(buffer->data);
}

static void move_to_front(struct stream_buffer *buffer, char *data)
{
    size_t held = buffer->end - buffer->begin;

    if (held)
        memmove(data, buffer->data + buffer->begin, held);
    buffer->begin = 0;
    buffer->end = held;
}

/* The capacity for `bytes`: it doubles, so that bytes are moved a constant number of times. */
static size_t capacity_for(size_t bytes)
{
    size_t capacity = SMALLEST_BLOCK;

    if (bytes <= STREAM_CHUNK_BYTES)
        return STREAM_CHUNK_BYTES;
    while (capacity < bytes && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    return capacity < bytes ? bytes : capacity;
}

int bight__buffer_reserve(struct bight_stream *stream, size_t bytes)
{
    struct stream_buffer *buffer = &stream->buffer;
    struct stream_buffer old = *buffer;
    size_t capacity;
    char *data;

    /* When as many bytes were taken as would be moved: it pays for itself. */
    if (buffer->begin && buffer->begin >= buffer->end - buffer->begin)
        move_to_front(buffer, buffer->data);
    if (buffer->capacity - buffer->begin >= bytes)
        return 0;
    if (buffer->capacity >= bytes) {
        move_to_front(buffer, buffer->data);
        return 0;
    }
    capacity = capacity_for(bytes);
    data = capacity == STREAM_CHUNK_BYTES ? bight__chunk_take(stream->streams)
                                          : bight__alloc(&stream->sched->seams, capacity);
    if (!data)
        return BIGHT_ENOMEM;
    move_to_front(buffer, data);
    buffer->data = data;
    buffer->capacity = capacity;
    if (old.data)
        memory_free(stream->streams, &old);
    return 0;
}

void bight__buffer_free(struct bight_stream *stream)
{
    if (stream->buffer.data)
        memory_free(stream->streams, &stream->buffer);
    stream->buffer = (struct stream_buffer){.data = NULL};
}

void bight__buffer_rest(struct bight_stream *stream)
{
    if (bight__stream_held(stream) == 0)
        bight__buffer_free(stream);
}

size_t bight__buffer_take(struct bight_stream *stream, void *to, size_t bytes)
{
    struct stream_buffer *buffer = &stream->buffer;
    size_t held = buffer->end - buffer->begin;
    size_t taken = bytes < held ? bytes : held;

    if (to && taken)
        memcpy(to, buffer->data + buffer->begin, taken);
    buffer->begin += taken;
    bight__buffer_rest(stream);
    return taken;
}

int bight__buffer_put_back(struct bight_stream *stream, const void *from, size_t bytes)
{
    struct stream_buffer *buffer = &stream->buffer;
    size_t held = buffer->end - buffer->begin;

    if (buffer->begin < bytes) {
        int rc = bight__buffer_reserve(stream, held + bytes);

        if (rc)
            return rc;
        if (held)
            memmove(buffer->data + bytes, buffer->data + buffer->begin, held);
        buffer->begin = bytes;
        buffer->end = bytes + held;
    }
    buffer->begin -= bytes;
    memcpy(buffer->data + buffer->begin, from, bytes);
    return 0;
}
