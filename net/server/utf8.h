/* UTF-8 that may come in pieces: RFC 3629, with the bounds of its table, so that neither surrogates
 * nor what is longer than needed pass. */
#ifndef BIGHT_NET_SERVER_UTF8_H
#define BIGHT_NET_SERVER_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* How far a character has come; zero before the first. */
struct utf8 {
    uint8_t needed;          /* bytes */
    uint8_t lowest, highest; /* of the next one */
};

/* The first byte of a character. False: there is none that begins so. */
static inline bool bight__utf8_begin(struct utf8 *text, uint8_t byte)
{
    text->lowest = 0x80;
    text->highest = 0xbf;
    if (byte < 0x80)
        return true;
    if (byte < 0xc2 || byte > 0xf4)
        return false;
    text->needed = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (byte == 0xe0)
        text->lowest = 0xa0;
    else if (byte == 0xed)
        text->highest = 0x9f;
    else if (byte == 0xf0)
        text->lowest = 0x90;
    else if (byte == 0xf4)
        text->highest = 0x8f;
    return true;
}

/* The next one. */
static inline bool bight__utf8_follow(struct utf8 *text, uint8_t byte)
{
    bool fits = byte >= text->lowest && byte <= text->highest;

    text->needed--;
    text->lowest = 0x80;
    text->highest = 0xbf;
    return fits;
}

/* Whether the text goes on with `data`. */
static inline bool bight__utf8_goes_on(struct utf8 *text, const void *data, size_t bytes)
{
    const uint8_t *at = data, *end = at + bytes;

    while (at < end) {
        uint64_t eight;

        if (!text->needed && end - at >= 8) {
            memcpy(&eight, at, 8);
            if (!(eight & UINT64_C(0x8080808080808080))) {
                at += 8;
                continue;
            }
        }
        if (!(text->needed ? bight__utf8_follow(text, *at) : bight__utf8_begin(text, *at)))
            return false;
        at++;
    }
    return true;
}

/* Whether it may end here. */
static inline bool bight__utf8_is_whole(const struct utf8 *text)
{
    return !text->needed;
}

#endif
