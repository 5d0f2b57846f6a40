/* zstd (RFC 8878), by libzstd: frames, one after another. libzstd's calls that take an allocator
 * are not part of its stable interface, so what it allocates is out of reach of the seams. */
#include "net/http/coding.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <bight/errors.h>

/* The largest window that the coding may have is 8 MiB (RFC 9659). */
#define WINDOW_LOG_MAX 23

struct state {
    ZSTD_DStream *stream;
    bool inside; /* of a frame */
    bool full;   /* the output was, so there may be more without input */
};

static int begin(void *arg, const struct bight_seams *seams)
{
    struct state *state = arg;

    (void)seams;
    state->stream = ZSTD_createDStream();
    if (!state->stream)
        return BIGHT_ENOMEM;
    ZSTD_DCtx_setParameter(state->stream, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    return 0;
}

static int step(void *arg, struct http_coding_io *io)
{
    struct state *state = arg;

    /* Not for nothing: libzstd takes several calls without progress for a fault. */
    while (io->out_bytes && (io->in_bytes || (state->inside && state->full))) {
        ZSTD_inBuffer in = {io->in, io->in_bytes, 0};
        ZSTD_outBuffer out = {io->out, io->out_bytes, 0};
        size_t result = ZSTD_decompressStream(state->stream, &out, &in);
        if (ZSTD_isError(result))
            return ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation ? BIGHT_ENOMEM
                                                                             : BIGHT_EPROTOCOL;
        io->in += in.pos;
        io->in_bytes -= in.pos;
        io->out += out.pos;
        io->out_bytes -= out.pos;
        state->inside = result != 0;
        state->full = !io->out_bytes;
    }
    return 0;
}

static bool is_whole(const void *arg)
{
    return !((const struct state *)arg)->inside;
}

static void end(void *arg)
{
    ZSTD_freeDStream(((struct state *)arg)->stream);
}

const struct http_coding bight__http_zstd = {
    "zstd", sizeof(struct state), begin, step, is_whole, end,
};
