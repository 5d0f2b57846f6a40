/* Bodies in parts: RFC 2046 5.1 and RFC 7578. Bytes come through a window in which the delimiter,
 * "\r\n--BOUNDARY", is looked for; what may be the beginning of one is not given out before the
 * rest has come. */
#include "net/server/server.h"

#include <string.h>

#include <bight/multipart.h>
#include <bight/waiter.h>

#define BOUNDARY_MAX 70u /* RFC 2046 5.1.1 */
#define DELIMITER_MAX (BOUNDARY_MAX + 4)
#define HEADERS_MAX ((size_t)8 << 10)
#define WINDOW_BYTES (HEADERS_MAX + DELIMITER_MAX + 64)
#define PARTS_MAX 1000u

enum place {
    BEFORE_ALL, /* in what comes before the first part, which is to be ignored */
    WITHIN,     /* a part */
    AT_END,     /* of a part, whose delimiter comes next */
    HEADERS,    /* behind a delimiter */
    BEHIND_ALL,
};

struct bight_multipart {
    struct bight_exchange *exchange;
    enum place place;
    unsigned count; /* of parts */
    size_t delimiter_bytes;
    char delimiter[DELIMITER_MAX];
    size_t begin, end; /* of what the window holds */
    size_t safe;       /* of that: known to be in front of the next delimiter */
    char headers[HEADERS_MAX + 1];
    char window[WINDOW_BYTES];
};

static int malformed(struct bight_multipart *parts)
{
    return bight__blame(parts->exchange, BIGHT_EPROTOCOL, 400);
}

/* The name of the next parameter of a header's value, "name=value" or with quotes, which is taken
 * apart where it is; *text is moved behind it. NULL: there is none. */
static char *next_parameter(char **text, char **value)
{
    char *name = *text + strspn(*text, "; \t"), *at, *to;

    at = name + strcspn(name, "=;");
    if (!*name || *at != '=')
        return NULL;
    *at++ = '\0';
    *value = at;
    if (*at != '"') {
        at += strcspn(at, "; \t");
        *text = *at ? at + 1 : at;
        *at = '\0';
        return name;
    }
    *value = to = ++at;
    for (; *at && *at != '"'; at++) {
        if (at[0] == '\\' && at[1] == '"') /* nothing else: some clients send C:\dir\file */
            at++;
        *to++ = *at;
    }
    *text = *at ? at + 1 : at;
    *to = '\0';
    return name;
}

static bool has_name(const char *text, const char *lower)
{
    return bight__is_name(text, strlen(text), lower);
}

static int take_boundary(struct bight_multipart *parts, char *parameters)
{
    char *name, *value;

    while ((name = next_parameter(&parameters, &value))) {
        size_t bytes = strlen(value);

        if (!has_name(name, "boundary"))
            continue;
        if (bytes == 0 || bytes > BOUNDARY_MAX)
            break;
        memcpy(parts->delimiter, "\r\n--", 4);
        memcpy(parts->delimiter + 4, value, bytes);
        parts->delimiter_bytes = bytes + 4;
        return 0;
    }
    return malformed(parts);
}

int bight_multipart_begin(struct bight_multipart **out, struct bight_exchange *exchange)
{
    struct bight_multipart *parts;
    const char *type;
    char *copy;
    size_t bytes;
    int rc;

    if (!out || !exchange)
        return BIGHT_EINVAL;
    if (!bight__has_type(exchange, "multipart/form-data"))
        return bight__blame(exchange, BIGHT_ENOTSUP, 415);
    type = bight_exchange_header(exchange, "Content-Type");
    bytes = strlen(type) + 1;
    copy = bight__exchange_keep(exchange, bytes);
    parts = bight__exchange_keep(exchange, sizeof(*parts));
    if (!copy || !parts)
        return BIGHT_ENOMEM;
    memcpy(copy, type, bytes);
    parts->exchange = exchange;
    parts->place = BEFORE_ALL;
    parts->count = 0;
    /* The first delimiter may stand at the very beginning, without its line's end. */
    memcpy(parts->window, "\r\n", 2);
    parts->begin = 0;
    parts->end = 2;
    parts->safe = 0;
    rc = take_boundary(parts, copy + strcspn(copy, ";"));
    if (rc == 0)
        *out = parts;
    return rc;
}

/* Have the window hold more: 0, or a negative code. */
static int fill(struct bight_multipart *parts)
{
    int64_t count;

    if (parts->begin) {
        parts->end -= parts->begin;
        memmove(parts->window, parts->window + parts->begin, parts->end);
        parts->begin = 0;
    }
    count =
        bight_exchange_read(parts->exchange, parts->window + parts->end, WINDOW_BYTES - parts->end);
    if (count <= 0)
        return count ? (int)count : malformed(parts);
    parts->end += (size_t)count;
    return 0;
}

static size_t held(const struct bight_multipart *parts)
{
    return parts->end - parts->begin;
}

/* How many bytes are sure to be in front of the next delimiter, at least 1; 0: it comes next. */
static int64_t before_delimiter(struct bight_multipart *parts)
{
    while (parts->safe == 0) {
        const char *begin = parts->window + parts->begin;
        const char *at = memmem(begin, held(parts), parts->delimiter, parts->delimiter_bytes);
        int rc = 0;

        if (at == begin)
            return 0;
        if (at)
            parts->safe = (size_t)(at - begin);
        else if (held(parts) >= parts->delimiter_bytes)
            parts->safe = held(parts) - parts->delimiter_bytes + 1;
        else
            rc = fill(parts);
        if (rc)
            return rc;
    }
    return (int64_t)parts->safe;
}

static void pass(struct bight_multipart *parts, size_t bytes)
{
    parts->begin += bytes;
    parts->safe -= bytes;
}

int64_t bight_multipart_read(struct bight_multipart *parts, void *buffer, size_t bytes)
{
    int64_t count;

    if (!parts || (!buffer && bytes))
        return BIGHT_EINVAL;
    count = bight_checkpoint(); /* the window may have what is asked for */
    if (count)
        return count;
    if (parts->place == AT_END || bytes == 0)
        return 0;
    if (parts->place != WITHIN)
        return BIGHT_EINVAL;
    count = before_delimiter(parts);
    if (count == 0)
        parts->place = AT_END;
    if (count <= 0)
        return count;
    if ((uint64_t)count > bytes)
        count = (int64_t)bytes;
    memcpy(buffer, parts->window + parts->begin, (size_t)count);
    pass(parts, (size_t)count);
    return count;
}

/* Pass over what is in front of the next delimiter. */
static int skip_part(struct bight_multipart *parts)
{
    while (parts->place == BEFORE_ALL || parts->place == WITHIN) {
        int64_t count = before_delimiter(parts);

        if (count < 0)
            return (int)count;
        pass(parts, (size_t)count);
        if (count == 0)
            parts->place = AT_END;
    }
    if (parts->place == AT_END) {
        parts->begin += parts->delimiter_bytes;
        parts->place = HEADERS;
    }
    return 0;
}

/* Where the headers end, empty line included, from the delimiter on; 0: behind the last part. */
static int64_t headers_end(struct bight_multipart *parts)
{
    for (;;) {
        const char *begin = parts->window + parts->begin;
        const char *at = memmem(begin, held(parts), "\r\n\r\n", 4);
        int rc;

        if (held(parts) >= 2 && memcmp(begin, "--", 2) == 0)
            return 0;
        if (at && (size_t)(at - begin) + 4 <= HEADERS_MAX)
            return at - begin + 4;
        if (held(parts) >= HEADERS_MAX) /* the window may have more, and an end there */
            return bight__blame(parts->exchange, BIGHT_ETOOBIG, 413);
        rc = fill(parts);
        if (rc)
            return rc;
    }
}

static void take_disposition(char *value, struct bight_part *part)
{
    char *name, *text;

    if (strcspn(value, "; \t") != 9 || !bight__is_name(value, 9, "form-data"))
        return;
    value += 9;
    while ((name = next_parameter(&value, &text))) {
        if (has_name(name, "name"))
            part->name = text;
        else if (has_name(name, "filename"))
            part->filename = text;
    }
}

/* A line of the headers, of which the end is cut off. False: it is malformed. */
static bool take_header(char *line, struct bight_part *part)
{
    size_t bytes = strcspn(line, ":");
    char *value = line + bytes + 1;

    if (!line[bytes] || !bight__is_token(line, bytes) ||
        !bight__is_field_value(value, strlen(value)))
        return false;
    value += strspn(value, " \t");
    for (char *end = value + strlen(value); end > value && (end[-1] == ' ' || end[-1] == '\t');)
        *--end = '\0';
    if (bight__is_name(line, bytes, "content-disposition"))
        take_disposition(value, part);
    else if (bight__is_name(line, bytes, "content-type"))
        part->content_type = value;
    return true;
}

/* From behind the delimiter: white space, the end of its line, headers, an empty line. */
static int take_headers(struct bight_multipart *parts, struct bight_part *part, size_t bytes)
{
    char *at = parts->headers, *end;

    *part = (struct bight_part){.name = NULL};
    if (strlen(at) != bytes)
        return malformed(parts); /* a NUL */
    at += strspn(at, " \t");
    if (strncmp(at, "\r\n", 2) != 0)
        return malformed(parts);
    for (at += 2; (end = strstr(at, "\r\n")) && end != at; at = end + 2) {
        *end = '\0';
        if (!take_header(at, part))
            return malformed(parts);
    }
    return part->name ? 0 : malformed(parts);
}

int bight_multipart_next(struct bight_multipart *parts, struct bight_part *part)
{
    int64_t bytes;
    int rc;

    if (!parts || !part)
        return BIGHT_EINVAL;
    rc = bight_checkpoint();
    if (rc)
        return rc;
    if (parts->place == BEHIND_ALL)
        return BIGHT_EOF;
    rc = skip_part(parts);
    if (rc)
        return rc;
    bytes = headers_end(parts);
    if (bytes == 0)
        parts->place = BEHIND_ALL;
    if (bytes <= 0)
        return bytes ? (int)bytes : BIGHT_EOF;
    if (parts->count++ == PARTS_MAX)
        return bight__blame(parts->exchange, BIGHT_ETOOBIG, 413);
    memcpy(parts->headers, parts->window + parts->begin, (size_t)bytes);
    parts->headers[bytes] = '\0';
    parts->begin += (size_t)bytes;
    parts->place = WITHIN;
    return take_headers(parts, part, (size_t)bytes);
}
