/* Content codings: which there are, and how the bytes of a body are brought back to what they were
 * before a server coded them. Which packages were found at build time decides which codings there
 * are (coding.c has the table); nothing of that is seen outside of net/http. */
#ifndef BIGHT_NET_HTTP_CODING_H
#define BIGHT_NET_HTTP_CODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coro/base/seams.h"
#include "net/http/buffer.h"

/* How many codings one body may have, "identity" apart. */
#define HTTP_CODINGS_MAX 4

/* Where a step reads and where it writes; it moves both on. */
struct http_coding_io {
    const uint8_t *in;
    size_t in_bytes;
    uint8_t *out;
    size_t out_bytes;
};

struct http_coding {
    const char *name;
    size_t state_bytes; /* all zero before `begin` */
    /* 0 or BIGHT_ENOMEM, and then there is nothing to end. */
    int (*begin)(void *state, const struct bight_seams *seams);
    /* Undo until the input is used up or the output is full. In the second case there may be more,
     * also without input. 0, BIGHT_EPROTOCOL, BIGHT_ENOMEM. */
    int (*step)(void *state, struct http_coding_io *io);
    /* Whether what came so far is whole; so is nothing at all. */
    bool (*is_whole)(const void *state);
    void (*end)(void *state);
};

/* coding_zlib.c, coding_brotli.c, coding_zstd.c, each only where there is its package */
extern const struct http_coding bight__http_gzip;
extern const struct http_coding bight__http_deflate;
extern const struct http_coding bight__http_brotli;
extern const struct http_coding bight__http_zstd;

/* The codings of one body, in the order in which they were applied. */
struct http_codings {
    const struct http_coding *list[HTTP_CODINGS_MAX];
    unsigned count;
};

struct http_decoder;

/* coding.c */
/* The value of Accept-Encoding that names all there are; "" when there is none. */
const char *bight__http_codings_known(void);
/* What the Content-Encoding headers say, repeated ones being one list. A body with a coding that is
 * not known is left as it is: then, as for "identity", there are none. BIGHT_EPROTOCOL for more
 * than HTTP_CODINGS_MAX. */
int bight__http_codings_parse(struct http_headers *headers, struct http_codings *codings);

/* `max_bytes` bounds what each of several codings may be undone to, so that none of them is worked
 * on without an end and without an output. BIGHT_ENOMEM. */
int bight__http_decoder_new(const struct bight_seams *seams, const struct http_codings *codings,
                            uint64_t max_bytes, struct http_decoder **out);
/* As http_coding.step; BIGHT_ETOOBIG beyond `max_bytes` between two codings. */
int bight__http_decoder_step(struct http_decoder *decoder, struct http_coding_io *io);
bool bight__http_decoder_is_whole(const struct http_decoder *decoder);
/* NULL does nothing. */
void bight__http_decoder_free(struct http_decoder *decoder);

#endif
