/* The bytes that go to a parse job and come back: little-endian numbers and length-prefixed
 * strings. The reader checks every length against what is there, because a worker that a hostile
 * page has taken over may answer anything. */
#ifndef SCRAPER_WIRE_H
#define SCRAPER_WIRE_H

#include "samples/scraper/bytes.h"

BIGHT_MUST_CHECK int wire_put_u8(struct bytes *out, uint8_t value);
BIGHT_MUST_CHECK int wire_put_u32(struct bytes *out, uint32_t value);
BIGHT_MUST_CHECK int wire_put_u64(struct bytes *out, uint64_t value);
/* `size` bytes and a NUL, after their length. BIGHT_ETOOBIG from 4 GiB. */
BIGHT_MUST_CHECK int wire_put_text(struct bytes *out, const char *text, size_t size);

/* A place in bytes that are being read. It turns bad at the first read beyond the end, or of an
 * invalid text; then all further reads give 0 and "". */
struct wire {
    const char *at;
    size_t left;
    bool bad;
};

uint8_t wire_u8(struct wire *wire);
uint32_t wire_u32(struct wire *wire);
uint64_t wire_u64(struct wire *wire);
/* A string without a NUL inside and with one behind, within the bytes read; its length to *size,
 * which may be NULL. */
const char *wire_text(struct wire *wire, size_t *size);

#endif
