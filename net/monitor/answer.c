/* The text of an answer, and strings in JSON. */
#include "net/monitor/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "coro/base/seams.h"

#define ROOM_AT_FIRST 4096

/* Room for `more` and a final NUL. */
static bool grow(struct bight_answer *answer, size_t more)
{
    size_t room = answer->room ? answer->room : ROOM_AT_FIRST;
    char *text;

    while (room - answer->bytes <= more)
        room *= 2;
    if (room == answer->room)
        return true;
    text = answer->failed ? NULL : bight__alloc(answer->seams, room);
    if (!text) {
        answer->failed = true;
        return false;
    }
    if (answer->text)
        memcpy(text, answer->text, answer->bytes);
    bight__free(answer->text);
    answer->text = text;
    answer->room = room;
    return true;
}

void bight__answer_add(struct bight_answer *answer, const char *format, ...)
{
    va_list args;
    int bytes;

    va_start(args, format);
    bytes = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (bytes < 0 || !grow(answer, (size_t)bytes))
        return;
    va_start(args, format);
    vsnprintf(answer->text + answer->bytes, answer->room - answer->bytes, format, args);
    va_end(args);
    answer->bytes += (size_t)bytes;
}

/* How many bytes the character at `at` has if it is well-formed UTF-8 of more than one; else 0. */
static size_t utf8_bytes(const unsigned char *at)
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

void bight__answer_add_string(struct bight_answer *answer, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    bight__answer_add(answer, "\"");
    while (*at) {
        size_t bytes = 0;

        while (is_plain(at[bytes]) || utf8_bytes(at + bytes))
            bytes += is_plain(at[bytes]) ? 1 : utf8_bytes(at + bytes);
        if (bytes)
            bight__answer_add(answer, "%.*s", (int)bytes, (const char *)at);
        else
            bight__answer_add(answer, *at == '"' || *at == '\\' ? "\\%c" : "\\u%04x", *at);
        at += bytes ? bytes : 1;
    }
    bight__answer_add(answer, "\"");
}
