/* br (RFC 7932), by libbrotlidec: one stream, with nothing behind it. Its window, 16 MiB at most,
 * is what it takes of memory; larger ones, which are no part of the coding, are refused. */
#include "net/http/coding.h"

#include <brotli/decode.h>

#include <bight/errors.h>

struct state {
    BrotliDecoderState *decoder;
    bool begun;
    bool whole;
};

static void *allocate(void *seams, size_t bytes)
{
    return bight__alloc(seams, bytes);
}

static void release(void *seams, void *memory)
{
    (void)seams;
    bight__free(memory);
}

static int begin(void *arg, const struct bight_seams *seams)
{
    struct state *state = arg;

    state->decoder = BrotliDecoderCreateInstance(allocate, release, (void *)seams);
    return state->decoder ? 0 : BIGHT_ENOMEM;
}

static int fault(const BrotliDecoderState *decoder)
{
    BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(decoder);

    return code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
                   code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES
               ? BIGHT_ENOMEM
               : BIGHT_EPROTOCOL;
}

static int step(void *arg, struct http_coding_io *io)
{
    struct state *state = arg;

    if (!state->whole && (state->begun || io->in_bytes)) {
        state->begun = true;
        switch (BrotliDecoderDecompressStream(state->decoder, &io->in_bytes, &io->in,
                                              &io->out_bytes, &io->out, NULL)) {
        case BROTLI_DECODER_RESULT_ERROR:
            return fault(state->decoder);
        case BROTLI_DECODER_RESULT_SUCCESS:
            state->whole = true;
            break;
        default:
            return 0;
        }
    }
    return io->in_bytes ? BIGHT_EPROTOCOL : 0;
}

static bool is_whole(const void *arg)
{
    const struct state *state = arg;

    return state->whole || !state->begun;
}

static void end(void *arg)
{
    BrotliDecoderDestroyInstance(((struct state *)arg)->decoder);
}

const struct http_coding bight__http_brotli = {
    "br", sizeof(struct state), begin, step, is_whole, end,
};
