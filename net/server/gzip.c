/* gzip by zlib. */
#include "net/server/gzip.h"

#include <limits.h>
#include <zlib.h>

#include <bight/errors.h>

#include "coro/base/seams.h"

#define OUT_BYTES 16384
/* Of deflateInit2: gzip instead of zlib's own header. */
#define GZIP_WINDOW (15 + 16)
/* What the most servers use for what is made while somebody waits. */
#define LEVEL 5
#define MEMORY_LEVEL 8

struct gzip {
    z_stream stream;
    const struct bight_seams *seams;
    unsigned char out[OUT_BYTES];
};

static void *allocate(void *opaque, unsigned items, unsigned bytes)
{
    const struct gzip *gzip = opaque;

    return bight__alloc(gzip->seams, (size_t)items * bytes);
}

static void release(void *opaque, void *memory)
{
    (void)opaque;
    bight__free(memory);
}

bool bight__gzip_is_there(void)
{
    return true;
}

static void empty_out(struct gzip *gzip)
{
    gzip->stream.next_out = gzip->out;
    gzip->stream.avail_out = OUT_BYTES;
}

int bight__gzip_new(struct gzip **out, const struct bight_seams *seams)
{
    struct gzip *gzip = bight__alloc(seams, sizeof(*gzip));

    if (!gzip)
        return BIGHT_ENOMEM;
    gzip->seams = seams;
    gzip->stream = (z_stream){.zalloc = allocate, .zfree = release, .opaque = gzip};
    if (deflateInit2(&gzip->stream, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        bight__free(gzip);
        return BIGHT_ENOMEM;
    }
    empty_out(gzip);
    *out = gzip;
    return 0;
}

void bight__gzip_free(struct gzip *gzip)
{
    if (!gzip)
        return;
    (void)deflateEnd(&gzip->stream);
    bight__free(gzip);
}

static int emit_out(struct gzip *gzip, int (*emit)(void *arg, const void *data, size_t bytes),
                    void *arg)
{
    size_t bytes = OUT_BYTES - gzip->stream.avail_out;

    empty_out(gzip);
    return bytes ? emit(arg, gzip->out, bytes) : 0;
}

/* A part of `data` that an unsigned int can count. */
static int run_part(struct gzip *gzip, int flush,
                    int (*emit)(void *arg, const void *data, size_t bytes), void *arg)
{
    bool full = true;

    while (full) {
        int rc = 0;

        (void)deflate(&gzip->stream, flush); /* it has what it needs */
        full = gzip->stream.avail_out == 0;
        if (full || flush != Z_NO_FLUSH)
            rc = emit_out(gzip, emit, arg);
        if (rc)
            return rc;
    }
    return 0;
}

int bight__gzip_run(struct gzip *gzip, const void *data, size_t bytes, enum gzip_step step,
                    int (*emit)(void *arg, const void *data, size_t bytes), void *arg)
{
    static const int flushes[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};
    const unsigned char *at = data;

    do {
        unsigned part = bytes < INT_MAX ? (unsigned)bytes : INT_MAX;
        int rc;

        gzip->stream.next_in = (unsigned char *)(uintptr_t)at;
        gzip->stream.avail_in = part;
        at += part;
        bytes -= part;
        rc = run_part(gzip, bytes ? Z_NO_FLUSH : flushes[step], emit, arg);
        if (rc)
            return rc;
    } while (bytes);
    return 0;
}
