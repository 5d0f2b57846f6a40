/* The text of an answer, and strings in JSON. */
#include "net/monitor/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "coro/base/json.h"
#include "coro/base/seams.h"

#define ROOM_AT_FIRST 4096

/* Names and waits are shorter, see <bight/task.h>. */
#define STRING_BYTES 128

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

void bight__reply_add(struct bight_answer *answer, const char *format, ...)
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

void bight__reply_add_string(struct bight_answer *answer, const char *text)
{
    char string[BIGHT_JSON_ROOM(STRING_BYTES)], cut[STRING_BYTES + 1];

    snprintf(cut, sizeof(cut), "%s", text);
    bight__reply_add(answer, "%s", bight__json_string(string, cut));
}
