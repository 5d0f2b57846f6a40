/* See resp.h. */
#include "samples/net/resp.h"

#include <bight/errors.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERROR_BYTES 128
/* A mark, a number and its line end. */
#define HEAD_BYTES 24

static bool goes_on(struct resp_request *request, size_t at_least)
{
    request->bytes = at_least;
    return false;
}

static bool is_wrong(struct resp_request *request, const char *error)
{
    request->error = error;
    return false;
}

/* "*2\r\n" or "$5\r\n" at data[*at]: the number, and *at moves behind it. A number that is none, or
 * beyond `max`, is `error`. */
static bool parse_head(struct resp_request *request, const char *data, size_t bytes, size_t *at,
                       size_t max, const char *error, size_t *number)
{
    size_t here = *at + 1;

    *number = 0;
    while (here < bytes && isdigit((unsigned char)data[here]) && *number <= max)
        *number = *number * 10 + (size_t)(data[here++] - '0');
    if (*number > max || here > *at + HEAD_BYTES)
        return is_wrong(request, error);
    if (here < bytes && (data[here] != '\r' || here == *at + 1))
        return is_wrong(request, error);
    if (here + 1 >= bytes)
        return goes_on(request, here + 2);
    if (data[here + 1] != '\n')
        return is_wrong(request, error);
    *at = here + 2;
    return true;
}

static bool parse_arg(struct resp_request *request, const char *data, size_t bytes, size_t *at)
{
    size_t length, end;

    if (*at >= bytes)
        return goes_on(request, *at + 1);
    if (data[*at] != '$')
        return is_wrong(request, "expected '$'");
    if (!parse_head(request, data, bytes, at, RESP_ARG_BYTES, "invalid bulk length", &length))
        return false;
    end = *at + length;
    if (end + 2 > RESP_REQUEST_BYTES)
        return is_wrong(request, "too big request");
    if (end + 2 > bytes)
        return goes_on(request, end + 2);
    if (data[end] != '\r' || data[end + 1] != '\n')
        return is_wrong(request, "expected a line end");
    request->args[request->count++] = (struct bight_slice){data + *at, length};
    *at = end + 2;
    return true;
}

static bool parse_array(struct resp_request *request, const char *data, size_t bytes)
{
    size_t at = 0, count;

    if (!parse_head(request, data, bytes, &at, RESP_ARGS, "invalid multibulk length", &count))
        return false;
    while (request->count < count)
        if (!parse_arg(request, data, bytes, &at))
            return false;
    request->bytes = at;
    return true;
}

/* Words in a line, as somebody types them; quotes are letters like others. */
static bool parse_inline(struct resp_request *request, const char *data, size_t bytes)
{
    size_t most = bytes < RESP_INLINE_BYTES ? bytes : RESP_INLINE_BYTES;
    const char *end = memchr(data, '\n', most);

    if (!end && most == RESP_INLINE_BYTES)
        return is_wrong(request, "too big inline request");
    if (!end)
        return goes_on(request, bytes + 1);
    for (const char *at = data; at < end;) {
        const char *word = at;

        while (at < end && !isspace((unsigned char)*at))
            at++;
        if (at > word && request->count == RESP_ARGS)
            return is_wrong(request, "too big inline request");
        if (at > word)
            request->args[request->count++] = (struct bight_slice){word, (size_t)(at - word)};
        else
            at++;
    }
    request->bytes = (size_t)(end - data) + 1;
    return true;
}

bool resp_parse(struct resp_request *request, const char *data, size_t bytes)
{
    request->count = 0;
    request->error = NULL;
    return *data == '*' ? parse_array(request, data, bytes) : parse_inline(request, data, bytes);
}

static void add(struct resp_answers *answers, const void *data, size_t bytes)
{
    if (answers->status == 0 && answers->room - answers->bytes < bytes) {
        size_t room = 2 * answers->room + bytes;
        char *grown = realloc(answers->data, room);

        if (grown) {
            answers->data = grown;
            answers->room = room;
        } else {
            answers->status = BIGHT_ENOMEM;
        }
    }
    if (answers->status || bytes == 0)
        return;
    memcpy(answers->data + answers->bytes, data, bytes);
    answers->bytes += bytes;
}

static void add_text(struct resp_answers *answers, const char *text)
{
    add(answers, text, strlen(text));
}

void resp_status(struct resp_answers *answers, const char *text)
{
    add_text(answers, "+");
    add_text(answers, text);
    add_text(answers, "\r\n");
}

/* What came from the peer may be in it: a line end in the middle would be the end of the answer. */
void resp_error(struct resp_answers *answers, const char *format, ...)
{
    char text[ERROR_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *at = text; *at; at++)
        if (iscntrl((unsigned char)*at))
            *at = ' ';
    add_text(answers, "-");
    add_text(answers, text);
    add_text(answers, "\r\n");
}

void resp_number(struct resp_answers *answers, int64_t number)
{
    char text[32];

    snprintf(text, sizeof text, ":%" PRId64 "\r\n", number);
    add_text(answers, text);
}

void resp_bulk(struct resp_answers *answers, struct bight_slice text)
{
    char head[32];

    snprintf(head, sizeof head, "$%zu\r\n", text.bytes);
    add_text(answers, head);
    add(answers, text.data, text.bytes);
    add_text(answers, "\r\n");
}

void resp_nil(struct resp_answers *answers)
{
    add_text(answers, "$-1\r\n");
}

void resp_empty_array(struct resp_answers *answers)
{
    add_text(answers, "*0\r\n");
}

void resp_drop(struct resp_answers *answers)
{
    free(answers->data);
    *answers = (struct resp_answers){0};
}
