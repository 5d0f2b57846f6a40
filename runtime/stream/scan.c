/* Reading up to something: a delimiter, one of several, the end of a line. The buffer is filled
 * until it is there, and searched no byte twice but for the length of a delimiter. */
#include "runtime/stream/stream.h"

#include <string.h>

/* What is looked for, in the first `most` bytes of the stream. */
struct search {
    const struct bight_slice *delimiters;
    size_t count;
    size_t longest;
    size_t most;
    size_t searched; /* no delimiter ends within so many bytes */
};

/* The end of the first `delimiter` at or behind `from`; 0: none. */
static size_t delimiter_end(const struct bight_slice *delimiter, const char *data, size_t bytes,
                            size_t from)
{
    const char *at;

    if (from >= bytes)
        return 0;
    if (delimiter->bytes == 1)
        at = memchr(data + from, *(const unsigned char *)delimiter->data, bytes - from);
    else
        at = memmem(data + from, bytes - from, delimiter->data, delimiter->bytes);
    return at ? (size_t)(at - data) + delimiter->bytes : 0;
}

/* Where the delimiter that ends first does; 0: none is there. */
static size_t search_step(struct search *search, const char *data, size_t bytes)
{
    size_t first = 0;

    for (size_t i = 0; i < search->count; i++) {
        const struct bight_slice *delimiter = &search->delimiters[i];
        size_t back = delimiter->bytes - 1;
        size_t from = search->searched > back ? search->searched - back : 0;
        size_t end = delimiter_end(delimiter, data, bytes, from);

        if (end && (!first || end < first))
            first = end;
    }
    search->searched = bytes;
    return first;
}

/* Have the buffer hold more than `held`, like bight__stream_fill. Between two fills others may
 * run. */
static int64_t fill_beyond(struct bight_stream *stream, size_t held)
{
    int rc = held ? bight__stream_pause(stream) : 0;

    return rc ? rc : bight__stream_fill(stream, held + 1);
}

/* Fill the buffer until a delimiter is in it; where it ends, or a negative code. */
static int64_t find(struct bight_stream *stream, struct search *search)
{
    for (;;) {
        size_t held = bight__stream_held(stream);
        const char *data = held ? stream->buffer.data + stream->buffer.begin : "";
        size_t end = held > search->searched ? search_step(search, data, held) : 0;
        int64_t count;

        if (end)
            return end <= search->most ? (int64_t)end : BIGHT_ETOOBIG;
        if (held >= search->most)
            return BIGHT_ETOOBIG;
        count = fill_beyond(stream, held);
        if (count <= 0)
            return count ? count : BIGHT_EOF;
    }
}

static bool are_valid(const struct bight_slice *delimiters, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!delimiters[i].data || !delimiters[i].bytes)
            return false;
    }
    return delimiters && count;
}

static int64_t read_until(struct bight_stream *stream, void *buffer, size_t bytes,
                          const struct bight_slice *delimiters, size_t count)
{
    struct search search = {.delimiters = delimiters, .count = count, .most = bytes};
    int64_t end = find(stream, &search);

    if (end > 0)
        (void)bight__buffer_take(stream, buffer, (size_t)end);
    return end;
}

int64_t bight_stream_read_until_any(struct bight_stream *stream, void *buffer, size_t bytes,
                                    const struct bight_slice *delimiters, size_t count)
{
    int64_t end;
    int rc;

    if (!stream || (!buffer && bytes) || !delimiters || !are_valid(delimiters, count))
        return BIGHT_EINVAL;
    rc = bight__stream_enter(stream, &stream->in, false);
    if (unlikely(rc))
        return rc;
    end = read_until(stream, buffer, bytes, delimiters, count);
    bight__stream_leave(stream, &stream->in);
    return end;
}

int64_t bight_stream_read_until(struct bight_stream *stream, void *buffer, size_t bytes,
                                const void *delimiter, size_t delimiter_bytes)
{
    const struct bight_slice one = {delimiter, delimiter_bytes};
    int64_t end;
    int rc;

    if (!stream || (!buffer && bytes) || !are_valid(&one, 1))
        return BIGHT_EINVAL;
    rc = bight__stream_enter(stream, &stream->in, false);
    if (unlikely(rc))
        return rc;
    end = read_until(stream, buffer, bytes, &one, 1);
    bight__stream_leave(stream, &stream->in);
    return end;
}

static const struct bight_slice line_feed = {"\n", 1};

/* Drop what has come of the line that is skipped. */
static void skip_held(struct bight_stream *stream)
{
    size_t held = bight__stream_held(stream);
    size_t end = 0;

    if (held)
        end = delimiter_end(&line_feed, stream->buffer.data + stream->buffer.begin, held, 0);
    stream->skips_line = !end;
    (void)bight__buffer_take(stream, NULL, end ? end : held);
}

/* Get past the rest of a line that was too long, of which some may be in the buffer: another call
 * has looked at it. */
static int skip_line(struct bight_stream *stream)
{
    int rc;

    while (stream->skips_line) {
        int64_t count = bight__stream_look(stream, 1, 1);

        if (count <= 0)
            return count ? (int)count : BIGHT_EOF;
        skip_held(stream);
        if (stream->skips_line && (rc = bight__stream_pause(stream)))
            return rc;
    }
    return 0;
}

/* How long the line of `bytes` is without the end that it may have. */
static size_t line_length(const char *data, size_t bytes)
{
    if (data[bytes - 1] == '\n')
        bytes -= bytes > 1 && data[bytes - 2] == '\r' ? 2 : 1;
    return bytes;
}

/* Whether so many bytes, of which none is a line feed, cannot be part of a line that fits. */
static bool is_too_long(const char *data, size_t bytes, size_t line_bytes)
{
    return bytes > line_bytes || (bytes == line_bytes && data[bytes - 1] != '\r');
}

/* Fill the buffer until a line is in it; how many bytes it has with its end, or a negative code. */
static int64_t find_line(struct bight_stream *stream, size_t line_bytes)
{
    size_t searched = 0;

    for (;;) {
        size_t held = bight__stream_held(stream);
        const char *data = held ? stream->buffer.data + stream->buffer.begin : "";
        size_t end = delimiter_end(&line_feed, data, held, searched);
        int64_t count;

        if (end)
            return line_length(data, end) < line_bytes ? (int64_t)end : BIGHT_ETOOBIG;
        if (is_too_long(data, held, line_bytes))
            return BIGHT_ETOOBIG;
        searched = held;
        count = fill_beyond(stream, held);
        if (count < 0)
            return count;
        if (count == 0 && held == 0)
            return BIGHT_EOF;
        if (count == 0)
            return held < line_bytes ? (int64_t)held : BIGHT_ETOOBIG;
    }
}

static int64_t read_line(struct bight_stream *stream, char *line, size_t line_bytes)
{
    int64_t bytes = skip_line(stream);
    size_t length;

    if (bytes)
        return bytes;
    bytes = find_line(stream, line_bytes);
    if (bytes == BIGHT_ETOOBIG)
        skip_held(stream);
    if (bytes < 0)
        return bytes;
    length = line_length(stream->buffer.data + stream->buffer.begin, (size_t)bytes);
    (void)bight__buffer_take(stream, line, length);
    (void)bight__buffer_take(stream, NULL, (size_t)bytes - length);
    line[length] = '\0';
    return (int64_t)length;
}

int64_t bight_stream_read_line(struct bight_stream *stream, char *line, size_t line_bytes)
{
    int64_t length;
    int rc;

    if (!stream || !line || !line_bytes)
        return BIGHT_EINVAL;
    rc = bight__stream_enter(stream, &stream->in, false);
    if (unlikely(rc))
        return rc;
    length = read_line(stream, line, line_bytes);
    bight__stream_leave(stream, &stream->in);
    return length;
}
