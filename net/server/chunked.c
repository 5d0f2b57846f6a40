/* A body in chunks: RFC 9112 section 7.1. Each line is looked at before llhttp sees it, and both
 * have to come to the same end. */
#include "net/server/server.h"

#include <string.h>

/* Of a chunk's line, with what extensions it has. */
#define CHUNK_LINE_BYTES 1024u
/* Digits of a size; 64 bits have 16. */
#define SIZE_DIGITS 15u
/* What the line of a chunk may have for nothing, and what all lines of a body may have beyond that
 * and as much as their data: what nobody gets to see has no other limit. */
#define USUAL_LINE_BYTES 16u
#define EXTRA_BYTES ((uint64_t)16 << 10)

/* Show llhttp what comes next. True: it takes it, and stops there if and only if `stops`. */
static bool agrees(struct bight_exchange *exchange, const char *data, size_t bytes, bool stops)
{
    llhttp_t *parser = &exchange->parser;
    llhttp_errno_t said;

    if (llhttp_get_errno(parser) == HPE_PAUSED)
        llhttp_resume(parser);
    said = llhttp_execute(parser, data, bytes);
    if (!stops)
        return said == HPE_OK;
    return said == HPE_PAUSED && llhttp_get_error_pos(parser) == data + bytes;
}

static int malformed(struct bight_exchange *exchange)
{
    return bight__body_broken(exchange, BIGHT_EPROTOCOL);
}

/* Whether a chunk's line, without its end, is a size and perhaps extensions. */
static bool is_chunk_line(const char *line, const char *end)
{
    const char *p = line;

    while (p < end && bight__hex(*p) >= 0)
        p++;
    if (p == line || p - line > SIZE_DIGITS)
        return false;
    line = p;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    if (p == end)
        return p == line;
    return *p == ';' && bight__is_field_value(p, (size_t)(end - p));
}

/* Have a whole line in the stream's buffer, of up to `most` bytes: how long it is with its end, or
 * a negative code. */
static int64_t line_peek(struct bight_exchange *exchange, const char **line, size_t most)
{
    size_t wanted = 1;

    for (;;) {
        int64_t held = bight__body_peek(exchange, line, wanted);
        const char *end;

        if (held < 0)
            return held;
        end = memchr(*line, '\n', (size_t)held);
        if (end && end > *line && end[-1] == '\r')
            return end + 1 - *line;
        if (end || (size_t)held >= most)
            return malformed(exchange);
        wanted = (size_t)held + 1;
    }
}

/* Whether the lines of the chunks so far are out of all proportion to their data. */
static bool is_too_wordy(struct bight_exchange *exchange, uint64_t line_bytes, uint64_t data_bytes)
{
    uint64_t extra = exchange->body_extra + line_bytes;
    uint64_t free = data_bytes + USUAL_LINE_BYTES;

    exchange->body_extra = extra > free ? extra - free : 0;
    return exchange->body_extra > EXTRA_BYTES;
}

static int chunk_line(struct bight_exchange *exchange)
{
    const char *line;
    int64_t bytes = line_peek(exchange, &line, CHUNK_LINE_BYTES);

    if (bytes < 0)
        return (int)bytes;
    if (bytes > CHUNK_LINE_BYTES || !is_chunk_line(line, line + bytes - 2) ||
        !agrees(exchange, line, (size_t)bytes, true))
        return malformed(exchange);
    exchange->body_left = exchange->parser.content_length;
    if (is_too_wordy(exchange, (uint64_t)bytes, exchange->body_left))
        return malformed(exchange);
    if (exchange->body_left > exchange->max_body_bytes - exchange->body_read)
        return bight__body_broken(exchange, BIGHT_ETOOBIG);
    exchange->body = exchange->body_left ? BODY_CHUNK_DATA : BODY_TRAILERS;
    return bight_stream_consume(exchange->stream, (size_t)bytes);
}

static int64_t chunk_data(struct bight_exchange *exchange, void *buffer, size_t bytes)
{
    int64_t count;

    if (bytes > exchange->body_left)
        bytes = (size_t)exchange->body_left;
    count = bight__body_receive(exchange, buffer, bytes);
    if (count <= 0)
        return count;
    if (!agrees(exchange, buffer, (size_t)count, false))
        return malformed(exchange);
    exchange->body_read += (uint64_t)count;
    exchange->body_left -= (uint64_t)count;
    if (exchange->body_left == 0)
        exchange->body = BODY_CHUNK_END;
    return count;
}

static int chunk_end(struct bight_exchange *exchange)
{
    const char *data;
    int64_t held = bight__body_peek(exchange, &data, 2);

    if (held < 0)
        return (int)held;
    if (memcmp(data, "\r\n", 2) != 0 || !agrees(exchange, data, 2, false))
        return malformed(exchange);
    exchange->body = BODY_CHUNK_LINE;
    return bight_stream_consume(exchange->stream, 2);
}

/* Trailers are checked and dropped, as RFC 9110 6.5.1 allows. */
static int take_trailers(struct bight_exchange *exchange)
{
    struct trailers trailers = {.count = 0};
    size_t wanted = 2;
    const char *data;
    int64_t bytes = 0;

    while (bytes == 0) {
        int64_t held = bight__body_peek(exchange, &data, wanted);

        if (held < 0)
            return (int)held;
        bytes = bight__trailers_scan(&trailers, data, (size_t)held, &exchange->server->limits);
        wanted = (size_t)held + 1;
    }
    if (bytes < 0 || !agrees(exchange, data, (size_t)bytes, true))
        return malformed(exchange);
    exchange->body = BODY_NONE;
    return bight_stream_consume(exchange->stream, (size_t)bytes);
}

int64_t bight__chunked_read(struct bight_exchange *exchange, void *buffer, size_t bytes)
{
    int rc = 0;

    while (rc == 0 && exchange->body != BODY_NONE) {
        switch (exchange->body) {
        case BODY_CHUNK_LINE:
            rc = chunk_line(exchange);
            break;
        case BODY_CHUNK_DATA:
            return chunk_data(exchange, buffer, bytes);
        case BODY_CHUNK_END:
            rc = chunk_end(exchange);
            break;
        default:
            rc = take_trailers(exchange);
        }
    }
    return rc;
}
