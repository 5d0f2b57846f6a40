/* The header block of a response, kept as it came. It is taken apart in place when the first
 * question comes: most programs look at one or two headers of some responses. */
#include "net/http/buffer.h"

#include <strings.h>

#include <bight/errors.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *skip_blank(const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

static const char *trim(const char *begin, const char *end)
{
    while (end > begin && is_blank(end[-1]))
        end--;
    return end;
}

/* Move [from, end) and a NUL to `to`, which is not behind `from`. */
static char *put(char *to, const char *from, const char *end)
{
    memmove(to, from, (size_t)(end - from));
    to += end - from;
    *to = '\0';
    return to + 1;
}

/* "Name: value CR LF" becomes "Name NUL value NUL", never longer than it was. A line that begins
 * with white space continues the last value (obsolete, but it occurs). */
static char *split_line(struct http_headers *headers, char *to, const char *line, const char *end)
{
    const char *colon = memchr(line, ':', (size_t)(end - line));
    const char *value = skip_blank(line, end);

    end = trim(line, end);
    if (value > line) {
        if (!headers->count || value >= end)
            return to;
        to[-1] = ' ';
        return put(to, value, end);
    }
    /* This is not a header, and its two NULs might not fit; some builds of libcurl let it pass. */
    if (!colon || colon >= end)
        return to;
    value = skip_blank(colon + 1, end);
    headers->count++;
    to = put(to, line, trim(line, colon));
    return put(to, value, end);
}

static void split(struct http_headers *headers)
{
    const char *line = headers->text.data;
    const char *end = line + headers->text.bytes;
    char *to = headers->text.data;

    headers->split = true;
    while (line < end) {
        const char *feed = memchr(line, '\n', (size_t)(end - line));
        const char *next = feed ? feed + 1 : end;
        to = split_line(headers, to, line, next);
        line = next;
    }
    headers->text.bytes = (size_t)(to - headers->text.data);
}

/* From `at` on, where a name begins or all of them end. */
static const char *find(const struct http_headers *headers, const char *at, const char *name)
{
    const char *end = headers->text.data + headers->text.bytes;

    while (at < end) {
        const char *value = at + strlen(at) + 1;
        if (strcasecmp(at, name) == 0)
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

const char *bight__http_headers_find(struct http_headers *headers, const char *name)
{
    if (!headers->split)
        split(headers);
    return find(headers, headers->text.data, name);
}

const char *bight__http_headers_find_after(struct http_headers *headers, const char *name,
                                           const char *value)
{
    return find(headers, value + strlen(value) + 1, name);
}

int bight__http_headers_at(struct http_headers *headers, size_t index, const char **name,
                           const char **value)
{
    const char *at;

    if (!headers->split)
        split(headers);
    if (index >= headers->count)
        return BIGHT_ENOENT;
    at = headers->text.data;
    for (size_t i = 0; i < 2 * index; i++)
        at += strlen(at) + 1;
    *name = at;
    *value = at + strlen(at) + 1;
    return 0;
}
