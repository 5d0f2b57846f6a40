/* See wire.h. */
#include "samples/scraper/wire.h"

#include <endian.h>
#include <string.h>

#include <bight/errors.h>

int wire_put_u8(struct bytes *out, uint8_t value)
{
    return bytes_append(out, &value, sizeof value);
}

int wire_put_u32(struct bytes *out, uint32_t value)
{
    uint32_t little = htole32(value);
    return bytes_append(out, &little, sizeof little);
}

int wire_put_u64(struct bytes *out, uint64_t value)
{
    uint64_t little = htole64(value);
    return bytes_append(out, &little, sizeof little);
}

int wire_put_text(struct bytes *out, const char *text, size_t size)
{
    if (size > UINT32_MAX)
        return BIGHT_ETOOBIG;
    /* All of it or nothing: a reader must not find a length without its text. */
    int rc = bytes_reserve(out, sizeof(uint32_t) + size + 1);
    if (rc == 0)
        rc = wire_put_u32(out, (uint32_t)size);
    if (rc == 0)
        rc = bytes_append(out, text, size);
    return rc ? rc : bytes_append_char(out, '\0');
}

static void take(struct wire *wire, void *value, size_t size)
{
    if (wire->left < size)
        wire->bad = true;
    if (wire->bad) {
        memset(value, 0, size);
        return;
    }
    memcpy(value, wire->at, size);
    wire->at += size;
    wire->left -= size;
}

uint8_t wire_u8(struct wire *wire)
{
    uint8_t value;
    take(wire, &value, sizeof value);
    return value;
}

uint32_t wire_u32(struct wire *wire)
{
    uint32_t value;
    take(wire, &value, sizeof value);
    return le32toh(value);
}

uint64_t wire_u64(struct wire *wire)
{
    uint64_t value;
    take(wire, &value, sizeof value);
    return le64toh(value);
}

const char *wire_text(struct wire *wire, size_t *size)
{
    size_t length = wire_u32(wire);
    const char *text = wire->at;

    if (!wire->bad && (wire->left <= length || memchr(text, '\0', length) || text[length] != '\0'))
        wire->bad = true;
    if (wire->bad) {
        length = 0;
        text = "";
    } else {
        wire->at += length + 1;
        wire->left -= length + 1;
    }
    if (size)
        *size = length;
    return text;
}
