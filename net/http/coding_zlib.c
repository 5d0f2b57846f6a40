/* gzip and deflate, by zlib. A gzip body is one member after another (RFC 1952, 2.2), and zeros may
 * follow the last, as tapes have it. "deflate" means zlib's format (RFC 9110, 8.4.1.2). Some
 * servers send the bare data, and browsers take both; the first two bytes say which it is. */
#include "net/http/coding.h"

#include <limits.h>

#include <zlib.h>

#include <bight/errors.h>

/* Some of those who send bare data put its checksum behind it. */
#define BARE_TRAILER_BYTES 4

enum phase {
    FIRST,  /* nothing has come yet */
    INSIDE, /* a member, or the data */
    BEHIND, /* it is whole; of gzip another may follow */
};

struct state {
    z_stream stream;
    enum phase phase;
    uint8_t head[2];     /* of deflate: kept until it is known what it is ... */
    unsigned head_bytes; /* ... how much of it has come ... */
    unsigned head_taken; /* ... and how much zlib has taken */
    unsigned trailer_left;
};

static void *allocate(void *seams, unsigned count, unsigned bytes)
{
    return count && bytes > UINT_MAX / count ? NULL : bight__alloc(seams, (size_t)count * bytes);
}

static void release(void *seams, void *memory)
{
    (void)seams;
    bight__free(memory);
}

/* `window_bits` says what zlib takes the data for: see its manual, inflateInit2. */
static int begin(struct state *state, const struct bight_seams *seams, int window_bits)
{
    state->stream.zalloc = allocate;
    state->stream.zfree = release;
    state->stream.opaque = (void *)seams;
    return inflateInit2(&state->stream, window_bits) == Z_OK ? 0 : BIGHT_ENOMEM;
}

static int begin_gzip(void *state, const struct bight_seams *seams)
{
    return begin(state, seams, MAX_WBITS + 16);
}

static int begin_deflate(void *state, const struct bight_seams *seams)
{
    return begin(state, seams, MAX_WBITS);
}

static unsigned no_more_than_unsigned(size_t bytes)
{
    return bytes > UINT_MAX ? UINT_MAX : (unsigned)bytes;
}

/* As much as zlib can do in one call: 1 at the end of a member or of the data. */
static int inflate_some(struct state *state, struct http_coding_io *io)
{
    z_stream *stream = &state->stream;
    unsigned in = no_more_than_unsigned(io->in_bytes), out = no_more_than_unsigned(io->out_bytes);
    int result;

    stream->next_in = (z_const Bytef *)io->in;
    stream->avail_in = in;
    stream->next_out = io->out;
    stream->avail_out = out;
    result = inflate(stream, Z_NO_FLUSH);
    io->in += in - stream->avail_in;
    io->in_bytes -= in - stream->avail_in;
    io->out += out - stream->avail_out;
    io->out_bytes -= out - stream->avail_out;
    if (result == Z_STREAM_END)
        return 1;
    if (result == Z_MEM_ERROR)
        return BIGHT_ENOMEM;
    return result == Z_OK || result == Z_BUF_ERROR ? 0 : BIGHT_EPROTOCOL;
}

/* Up to the end of what has begun; then the phase is BEHIND. */
static int inflate_all(struct state *state, struct http_coding_io *io)
{
    int rc;

    do {
        rc = inflate_some(state, io);
    } while (rc == 0 && io->in_bytes && io->out_bytes);
    if (rc <= 0)
        return rc;
    state->phase = BEHIND;
    return 0;
}

static void skip_zeros(struct http_coding_io *io)
{
    while (io->in_bytes && !*io->in) {
        io->in++;
        io->in_bytes--;
    }
}

static int step_gzip(void *arg, struct http_coding_io *io)
{
    struct state *state = arg;
    int rc;

    for (;;) {
        if (state->phase == BEHIND)
            skip_zeros(io);
        if (state->phase != INSIDE) {
            if (!io->in_bytes)
                return 0;
            /* The memory of the member before is used again, so this cannot fail. */
            if (state->phase == BEHIND)
                inflateReset(&state->stream);
            state->phase = INSIDE;
        }
        rc = inflate_all(state, io);
        if (rc || state->phase == INSIDE)
            return rc;
    }
}

/* RFC 1950, 2.2. Bare data that begins like this would be a block that is not compressed, with
 * bits set that nobody sets. */
static bool is_zlib_head(const uint8_t head[2])
{
    return (head[0] & 15) == 8 && head[0] >> 4 <= 7 && (head[0] * 256 + head[1]) % 31 == 0;
}

/* The first two bytes have come. */
static int begin_data(struct state *state)
{
    state->phase = INSIDE;
    if (is_zlib_head(state->head))
        return 0;
    state->trailer_left = BARE_TRAILER_BYTES;
    return inflateReset2(&state->stream, -MAX_WBITS) == Z_OK ? 0 : BIGHT_ENOMEM;
}

/* What was kept of it comes first; zlib may want room for output before it takes the second. */
static int inflate_data(struct state *state, struct http_coding_io *io)
{
    const size_t kept = sizeof(state->head) - state->head_taken;
    struct http_coding_io head = {state->head + state->head_taken, kept, io->out, io->out_bytes};
    int rc = 0;

    if (kept) {
        rc = inflate_all(state, &head);
        state->head_taken += (unsigned)(kept - head.in_bytes);
        io->out = head.out;
        io->out_bytes = head.out_bytes;
    }
    if (rc || state->head_taken < sizeof(state->head) || state->phase == BEHIND)
        return rc;
    return inflate_all(state, io);
}

/* Zeros, and the checksum that does not belong there. */
static int skip_trailer(struct state *state, struct http_coding_io *io)
{
    for (skip_zeros(io); io->in_bytes && state->trailer_left; skip_zeros(io)) {
        state->trailer_left--;
        io->in++;
        io->in_bytes--;
    }
    return io->in_bytes ? BIGHT_EPROTOCOL : 0;
}

static int step_deflate(void *arg, struct http_coding_io *io)
{
    struct state *state = arg;
    int rc = 0;

    while (state->phase == FIRST && io->in_bytes && rc == 0) {
        state->head[state->head_bytes++] = *io->in++;
        io->in_bytes--;
        if (state->head_bytes == sizeof(state->head))
            rc = begin_data(state);
    }
    if (rc == 0 && state->phase == INSIDE)
        rc = inflate_data(state, io);
    return rc || state->phase != BEHIND ? rc : skip_trailer(state, io);
}

static bool is_whole(const void *arg)
{
    const struct state *state = arg;

    return state->phase == BEHIND || (state->phase == FIRST && !state->head_bytes);
}

static void end(void *arg)
{
    inflateEnd(&((struct state *)arg)->stream);
}

const struct http_coding bight__http_gzip = {
    "gzip", sizeof(struct state), begin_gzip, step_gzip, is_whole, end,
};

const struct http_coding bight__http_deflate = {
    "deflate", sizeof(struct state), begin_deflate, step_deflate, is_whole, end,
};
