#include "coro/base/json.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

size_t bight__utf8_bytes(const unsigned char *at)
{
    size_t bytes = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;

    if (at[0] < 0xc2 || at[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < bytes; i++) {
        if ((at[i] & 0xc0) != 0x80) /* the final NUL, too */
            return 0;
    }
    /* Too long for what it is, a surrogate, or beyond the last character. */
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return bytes;
}

static bool is_plain(unsigned char c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

char *bight__json_string(char *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    char *to = out;

    *to++ = '"';
    while (*at) {
        size_t bytes = is_plain(*at) ? 1 : bight__utf8_bytes(at);

        memcpy(to, at, bytes);
        to += bytes;
        if (!bytes)
            to += sprintf(to, *at == '"' || *at == '\\' ? "\\%c" : "\\u%04x", *at);
        at += bytes ? bytes : 1;
    }
    memcpy(to, "\"", 2);
    return out;
}
