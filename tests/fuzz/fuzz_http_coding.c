/* net/http/coding*.c: a body in one or two codings, which the first byte chooses, undone at once
 * and in pieces: the same comes out, whatever the pieces. */
#include "net/http/coding.h"
#include "tests/fuzz/fuzz.h"

#include <bight/errors.h>

#define OUTPUT_BYTES 65536

static const struct bight_seams seams;

struct result {
    int rc;
    bool whole;
    bool more; /* than OUTPUT_BYTES */
    size_t bytes;
    uint8_t data[OUTPUT_BYTES];
};

static int choose(uint8_t choice, struct http_codings *codings)
{
    static const char *const lists[] = {"gzip",       "deflate",  "br",         "zstd",
                                        "gzip, gzip", "gzip, br", "zstd, gzip", "br, deflate"};
    struct http_headers headers = {0};
    char line[64];
    int bytes = snprintf(line, sizeof line, "Content-Encoding: %s\r\n", lists[choice % 8]);

    FUZZ_CHECK(http_headers_add(&seams, &headers, line, (size_t)bytes) == 0);
    FUZZ_CHECK(bight__http_codings_parse(&headers, codings) == 0);
    bight__http_buffer_free(&headers.text);
    return codings->count > 0;
}

static void step_all(struct http_decoder *decoder, struct http_coding_io *io, size_t room,
                     struct result *result)
{
    do {
        size_t left = OUTPUT_BYTES - result->bytes;
        result->more = !left;
        if (!left)
            return;
        io->out = result->data + result->bytes;
        io->out_bytes = room < left ? room : left;
        result->rc = bight__http_decoder_step(decoder, io);
        FUZZ_CHECK(io->out >= result->data + result->bytes);
        FUZZ_CHECK(io->out + io->out_bytes <= result->data + OUTPUT_BYTES);
        result->bytes = (size_t)(io->out - result->data);
    } while (result->rc == 0 && !io->out_bytes);
    FUZZ_CHECK(result->rc || !io->in_bytes);
}

static void undo(const struct http_codings *codings, const uint8_t *data, size_t size, size_t piece,
                 size_t room, struct result *result)
{
    struct http_decoder *decoder;

    result->bytes = 0;
    result->rc = 0;
    result->more = false;
    FUZZ_CHECK(bight__http_decoder_new(&seams, codings, OUTPUT_BYTES, &decoder) == 0);
    for (size_t at = 0; at < size && result->rc == 0 && !result->more; at += piece) {
        struct http_coding_io io = {.in = data + at,
                                    .in_bytes = piece < size - at ? piece : size - at};
        step_all(decoder, &io, room, result);
    }
    result->whole = bight__http_decoder_is_whole(decoder);
    bight__http_decoder_free(decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct result at_once, in_pieces;
    struct http_codings codings;

    if (size < 2 || !choose(data[0], &codings))
        return 0;
    undo(&codings, data + 2, size - 2, size, OUTPUT_BYTES, &at_once);
    undo(&codings, data + 2, size - 2, 1 + data[1] % 16, 1 + data[1] / 16, &in_pieces);
    FUZZ_CHECK(at_once.rc == 0 || at_once.rc == BIGHT_EPROTOCOL || at_once.rc == BIGHT_ETOOBIG);
    /* Which of two faults is seen first, and whether before the output is full, may differ. Of a
     * frame that comes at once libzstd sees that it is not as long as it says, also when it is
     * empty. */
    if (at_once.more || in_pieces.more)
        return 0;
    FUZZ_CHECK((at_once.rc == 0) == (in_pieces.rc == 0) ||
               strcmp(codings.list[0]->name, "zstd") == 0);
    if (at_once.rc == 0 && in_pieces.rc == 0) {
        FUZZ_CHECK(at_once.bytes == in_pieces.bytes && at_once.whole == in_pieces.whole);
        FUZZ_CHECK(memcmp(at_once.data, in_pieces.data, at_once.bytes) == 0);
    }
    return 0;
}
