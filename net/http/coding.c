/* The table of codings, lists of their names, and the chain that undoes several: the last that was
 * applied comes first, and each reads what the one before it wrote. */
#include "net/http/coding.h"

#include <string.h>
#include <strings.h>

#include <bight/errors.h>

#define BETWEEN_BYTES 16384

/* Names that a server may use; the first of a coding is the one to ask with. */
static const struct known {
    const char *name;
    const struct http_coding *coding; /* NULL: nothing to undo */
} known[] = {
    {"identity", NULL},
#ifdef BIGHT_HAVE_ZLIB
    {"gzip", &bight__http_gzip}, {"x-gzip", &bight__http_gzip}, {"deflate", &bight__http_deflate},
#endif
#ifdef BIGHT_HAVE_BROTLI
    {"br", &bight__http_brotli},
#endif
#ifdef BIGHT_HAVE_ZSTD
    {"zstd", &bight__http_zstd},
#endif
};

static const char accepted[] = ""
#ifdef BIGHT_HAVE_ZLIB
                               ", gzip, deflate"
#endif
#ifdef BIGHT_HAVE_BROTLI
                               ", br"
#endif
#ifdef BIGHT_HAVE_ZSTD
                               ", zstd"
#endif
    ;

/* One coding being undone. */
struct stage {
    const struct http_coding *coding;
    void *state;
    struct http_coding_io io;
    uint8_t *between; /* what it reads, of the stage before; NULL for the first */
    uint64_t made;
};

struct http_decoder {
    struct stage stages[HTTP_CODINGS_MAX];
    unsigned count;
    uint64_t max_bytes;
};

const char *bight__http_codings_known(void)
{
    return accepted[0] ? accepted + 2 : "";
}

static const struct known *find_known(const char *name, size_t bytes)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strlen(known[i].name) == bytes && strncasecmp(name, known[i].name, bytes) == 0)
            return &known[i];
    return NULL;
}

/* Add the codings of one header: 0, BIGHT_ENOTSUP for one that is not known, BIGHT_EPROTOCOL. */
static int add_value(const char *at, struct http_codings *codings)
{
    while (*(at += strspn(at, " \t,"))) {
        size_t bytes = strcspn(at, " \t,");
        const struct known *found = find_known(at, bytes);
        at += bytes;
        at += strspn(at, " \t");
        if (!found || (*at && *at != ','))
            return BIGHT_ENOTSUP;
        if (!found->coding)
            continue;
        if (codings->count == HTTP_CODINGS_MAX)
            return BIGHT_EPROTOCOL;
        codings->list[codings->count++] = found->coding;
    }
    return 0;
}

int bight__http_codings_parse(struct http_headers *headers, struct http_codings *codings)
{
    static const char name[] = "Content-Encoding";
    const char *value = bight__http_headers_find(headers, name);
    int rc = 0;

    codings->count = 0;
    for (; rc == 0 && value; value = bight__http_headers_find_after(headers, name, value))
        rc = add_value(value, codings);
    if (rc == BIGHT_ENOTSUP) {
        codings->count = 0;
        rc = 0;
    }
    return rc;
}

static int stage_begin(struct stage *stage, const struct bight_seams *seams,
                       const struct http_coding *coding, bool first)
{
    int rc = BIGHT_ENOMEM;

    if (!first && !(stage->between = bight__alloc(seams, BETWEEN_BYTES)))
        return BIGHT_ENOMEM;
    stage->state = bight__alloc_zero(seams, coding->state_bytes);
    if (!stage->state)
        goto fail;
    rc = coding->begin(stage->state, seams);
    if (rc)
        goto fail;
    stage->coding = coding;
    return 0;
fail:
    bight__free(stage->state);
    bight__free(stage->between);
    return rc;
}

int bight__http_decoder_new(const struct bight_seams *seams, const struct http_codings *codings,
                            uint64_t max_bytes, struct http_decoder **out)
{
    struct http_decoder *decoder = bight__alloc_zero(seams, sizeof(*decoder));

    if (!decoder)
        return BIGHT_ENOMEM;
    /* What is coded twice may be longer in between than it is at the end, but not by much. */
    uint64_t more = max_bytes / 64 + 65536;
    decoder->max_bytes = max_bytes > UINT64_MAX - more ? UINT64_MAX : max_bytes + more;
    while (decoder->count < codings->count) {
        const struct http_coding *coding = codings->list[codings->count - 1 - decoder->count];
        int rc = stage_begin(&decoder->stages[decoder->count], seams, coding, decoder->count == 0);
        if (rc) {
            bight__http_decoder_free(decoder);
            return rc;
        }
        decoder->count++;
    }
    *out = decoder;
    return 0;
}

static int run(struct http_decoder *decoder, unsigned index);

/* Have the stage before write what this one reads. */
static int refill(struct http_decoder *decoder, unsigned index)
{
    struct stage *before = &decoder->stages[index - 1];
    struct stage *stage = &decoder->stages[index];
    int rc;

    before->io.out = stage->between;
    before->io.out_bytes = BETWEEN_BYTES;
    rc = run(decoder, index - 1);
    stage->io.in = stage->between;
    stage->io.in_bytes = BETWEEN_BYTES - before->io.out_bytes;
    before->made += stage->io.in_bytes;
    return rc == 0 && before->made > decoder->max_bytes ? BIGHT_ETOOBIG : rc;
}

/* No deeper than there are codings. */
static int run(struct http_decoder *decoder, unsigned index)
{
    struct stage *stage = &decoder->stages[index];

    for (;;) {
        int rc = stage->coding->step(stage->state, &stage->io);
        if (rc || !stage->io.out_bytes || index == 0)
            return rc;
        rc = refill(decoder, index);
        if (rc || !stage->io.in_bytes)
            return rc;
    }
}

int bight__http_decoder_step(struct http_decoder *decoder, struct http_coding_io *io)
{
    struct http_coding_io *in = &decoder->stages[0].io;
    struct http_coding_io *out = &decoder->stages[decoder->count - 1].io;
    int rc;

    in->in = io->in;
    in->in_bytes = io->in_bytes;
    out->out = io->out;
    out->out_bytes = io->out_bytes;
    rc = run(decoder, decoder->count - 1);
    io->in = in->in;
    io->in_bytes = in->in_bytes;
    io->out = out->out;
    io->out_bytes = out->out_bytes;
    return rc;
}

bool bight__http_decoder_is_whole(const struct http_decoder *decoder)
{
    for (unsigned i = 0; i < decoder->count; i++)
        if (!decoder->stages[i].coding->is_whole(decoder->stages[i].state))
            return false;
    return true;
}

void bight__http_decoder_free(struct http_decoder *decoder)
{
    if (!decoder)
        return;
    for (unsigned i = 0; i < decoder->count; i++) {
        struct stage *stage = &decoder->stages[i];
        stage->coding->end(stage->state);
        bight__free(stage->state);
        bight__free(stage->between);
    }
    bight__free(decoder);
}
