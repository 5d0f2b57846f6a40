/* What a head means for what follows it: RFC 9112 section 6, with nothing forgiven, since each
 * doubt about where a request ends lets one client speak for another. Of all but the plainest
 * requests llhttp reads the same bytes and has to come to the same end. */
#include "net/server/server.h"

#include <limits.h>
#include <string.h>

/* What a field says of the connection or the body; NULL: nothing. */
struct meanings {
    const struct head_field *host;
    const struct head_field *length;
    const struct head_field *coding;
    bool chunked;
    bool close;
};

static int once(const struct head_field **seen, const struct head_field *field)
{
    if (*seen)
        return -400;
    *seen = field;
    return 0;
}

/* What a character may be part of. */
#define IN_NAME 1u    /* reg-name of RFC 3986 3.2.2, but for "%" and the comma */
#define IN_LITERAL 2u /* an address in brackets */

static const uint8_t host_characters[UCHAR_MAX + 1] = {
    ['0' ... '9'] = IN_NAME | IN_LITERAL,
    ['A' ... 'Z'] = IN_NAME | IN_LITERAL,
    ['a' ... 'z'] = IN_NAME | IN_LITERAL,
    ['-'] = IN_NAME | IN_LITERAL,
    ['.'] = IN_NAME | IN_LITERAL,
    ['_'] = IN_NAME | IN_LITERAL,
    ['~'] = IN_NAME | IN_LITERAL,
    [':'] = IN_LITERAL,
    ['!'] = IN_NAME,
    ['$'] = IN_NAME,
    ['&'] = IN_NAME,
    ['\''] = IN_NAME,
    ['('] = IN_NAME,
    [')'] = IN_NAME,
    ['*'] = IN_NAME,
    ['+'] = IN_NAME,
    [';'] = IN_NAME,
    ['='] = IN_NAME,
};

/* Where the characters of that kind from `p` on end; NULL: a "%" is not followed by the number of a
 * byte. */
static const char *host_end(const char *p, const char *end, unsigned kind)
{
    for (; p < end; p++) {
        if (host_characters[(unsigned char)*p] & kind)
            continue;
        if (*p != '%')
            break;
        if (end - p < 3 || bight__hex(p[1]) < 0 || bight__hex(p[2]) < 0)
            return NULL;
    }
    return p;
}

/* host [":" port] of RFC 3986 3.2.2 without the comma, which several fields joined by a proxy would
 * have. The port, 0 when there is none; -1: it is malformed. */
static int port_of(const char *text, size_t bytes)
{
    const char *end = text + bytes, *p;
    int port = 0;

    if (bytes && *text == '[') {
        p = host_end(text + 1, end, IN_LITERAL);
        if (!p || p == text + 1 || p == end || *p++ != ']')
            return -1;
    } else {
        p = host_end(text, end, IN_NAME);
    }
    if (!p || p == text || (p < end && *p != ':'))
        return -1;
    if (end - p < 2)
        return 0;
    while (++p < end && port <= UINT16_MAX) {
        if (*p < '0' || *p > '9')
            return -1;
        port = port * 10 + (*p - '0');
    }
    return port > 0 && port <= UINT16_MAX ? port : -1;
}

static int on_host(struct bight_exchange *exchange, struct meanings *meanings,
                   const struct head_field *field)
{
    /* Empty where the target has no host either: RFC 9112 3.2. */
    if (field->value_bytes && port_of(bight__field_value(exchange, field), field->value_bytes) < 0)
        return -400;
    return once(&meanings->host, field);
}

/* llhttp takes spaces behind these values, but no tabs. */
static void blank_behind(const struct bight_exchange *exchange, const struct head_field *field)
{
    for (char *p = exchange->text + field->value + field->value_bytes; *p != '\r'; p++)
        *p = ' ';
}

static int on_length(struct bight_exchange *exchange, struct meanings *meanings,
                     const struct head_field *field)
{
    const char *text = bight__field_value(exchange, field);
    int64_t value = 0;

    if (field->value_bytes == 0 || field->value_bytes > 18)
        return -400;
    for (uint32_t i = 0; i < field->value_bytes; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -400;
        value = value * 10 + (text[i] - '0');
    }
    exchange->body_bytes = value;
    blank_behind(exchange, field);
    return once(&meanings->length, field);
}

/* "chunked" alone; other codings in front of it, which are allowed, are not known here, and empty
 * elements are not read over as they are elsewhere. */
static int on_coding(struct bight_exchange *exchange, struct meanings *meanings,
                     const struct head_field *field)
{
    const char *at = bight__field_value(exchange, field);
    const char *end = at + field->value_bytes, *item;
    size_t bytes;

    if (once(&meanings->coding, field))
        return -400;
    blank_behind(exchange, field);
    while ((item = bight__list_next(&at, end, &bytes))) {
        if (meanings->chunked)
            return -400;
        if (!bight__is_name(item, bytes, "chunked"))
            return -501;
        meanings->chunked = true;
    }
    return meanings->chunked && field->value_bytes == sizeof("chunked") - 1 ? 0 : -400;
}

static int on_connection(struct bight_exchange *exchange, struct meanings *meanings,
                         const struct head_field *field)
{
    const char *at = bight__field_value(exchange, field);
    const char *end = at + field->value_bytes, *item;
    size_t bytes;

    while ((item = bight__list_next(&at, end, &bytes))) {
        if (bight__is_name(item, bytes, "close"))
            meanings->close = true;
        else if (bight__is_name(item, bytes, "keep-alive"))
            exchange->says_keep_alive = true;
        else if (bight__is_name(item, bytes, "upgrade"))
            exchange->upgrades = true;
    }
    return 0;
}

static int on_expect(struct bight_exchange *exchange, struct meanings *meanings,
                     const struct head_field *field)
{
    (void)meanings;
    if (!bight__is_name(bight__field_value(exchange, field), field->value_bytes, "100-continue"))
        return -417;
    exchange->expects = exchange->head.version > 10; /* RFC 9110 10.1.1 */
    return 0;
}

static int on_upgrade(struct bight_exchange *exchange, struct meanings *meanings,
                      const struct head_field *field)
{
    (void)meanings;
    if (!exchange->protocol)
        exchange->protocol = field;
    return 0;
}

static const struct {
    const char *name;
    uint32_t bytes;
    int (*see)(struct bight_exchange *exchange, struct meanings *meanings,
               const struct head_field *field);
} known[] = {
    {"host", 4, on_host},
    {"content-length", 14, on_length},
    {"transfer-encoding", 17, on_coding},
    {"connection", 10, on_connection},
    {"expect", 6, on_expect},
    {"upgrade", 7, on_upgrade},
};

static int see_fields(struct bight_exchange *exchange, struct meanings *meanings)
{
    for (uint32_t i = 0; i < exchange->head.count; i++) {
        const struct head_field *field = &exchange->head.fields[i];

        for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++) {
            int rc = 0;

            if (field->name_bytes == known[k].bytes &&
                bight__is_name(exchange->text + field->name, field->name_bytes, known[k].name))
                rc = known[k].see(exchange, meanings, field);
            if (rc)
                return rc;
        }
    }
    return 0;
}

/* The forms of RFC 9112 3.2: a path, a whole URL, HOST:PORT for CONNECT, "*" for OPTIONS. */
static int see_target(const struct bight_exchange *exchange)
{
    const char *method = exchange->text + exchange->head.method;
    const char *target = exchange->text + exchange->head.target;
    size_t bytes = exchange->head.target_bytes, host_bytes = bytes;
    size_t method_bytes = exchange->head.method_bytes;
    const char *path;

    if (exchange->is_connect) /* RFC 9110 9.3.6: with a port, and without a body */
        return port_of(target, bytes) > 0 && exchange->body == BODY_NONE ? 0 : -400;
    if (target[0] == '/')
        return 0;
    if (bytes == 1 && target[0] == '*')
        return method_bytes == 7 && memcmp(method, "OPTIONS", 7) == 0 ? 0 : -400;
    target = bight__target_authority(target, &host_bytes, &path);
    return target && port_of(target, host_bytes) >= 0 ? 0 : -400;
}

static int see_meanings(struct bight_exchange *exchange, const struct meanings *meanings)
{
    const bool is_old = exchange->head.version == 10;

    if (!meanings->host && !is_old)
        return -400;
    if (meanings->coding && (meanings->length || is_old))
        return -400;
    exchange->host = meanings->host ? bight__field_value(exchange, meanings->host) : "";
    exchange->keep_alive = is_old ? exchange->says_keep_alive : !meanings->close;
    if (meanings->close)
        exchange->keep_alive = false;
    exchange->upgrades = exchange->upgrades && exchange->protocol && !is_old;
    exchange->body = BODY_NONE;
    if (meanings->chunked) {
        exchange->body = BODY_CHUNK_LINE;
        exchange->body_bytes = -1;
    } else if (exchange->body_bytes > 0) {
        exchange->body = BODY_FIXED;
        exchange->body_left = (uint64_t)exchange->body_bytes;
    }
    /* Where nothing follows there is nothing to go on with. */
    exchange->expects = exchange->expects && exchange->body != BODY_NONE;
    return see_target(exchange);
}

/* It stops where the reader of what it is shown has to stop too. */
static int stop(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_headers_complete = stop,
    .on_chunk_header = stop,
    .on_message_complete = stop,
};

/* It knows no version between 1.1 and 2.0. Nobody else reads that digit. */
static void lower_version(const struct bight_exchange *exchange)
{
    if (exchange->head.version == 11)
        exchange->text[exchange->head.target + exchange->head.target_bytes + sizeof("HTTP/1.")] =
            '1';
}

/* Whether it expects the same body. */
static bool is_of_one_mind(const struct bight_exchange *exchange)
{
    const llhttp_t *parser = &exchange->parser;
    bool is_chunked = exchange->body == BODY_CHUNK_LINE;

    return is_chunked == !!(parser->flags & F_CHUNKED) &&
           parser->content_length == (is_chunked ? 0 : exchange->body_left);
}

/* The second opinion. */
static int ask_llhttp(struct bight_exchange *exchange)
{
    const char *begin = exchange->text + exchange->head.method;
    size_t bytes = exchange->text_bytes - exchange->head.method;
    llhttp_errno_t said;

    lower_version(exchange);
    llhttp_init(&exchange->parser, HTTP_REQUEST, &settings);
    said = llhttp_execute(&exchange->parser, begin, bytes);
    /* Or one that it knows of another protocol. */
    if (said == HPE_INVALID_METHOD || exchange->parser.method >= HTTP_PRI)
        return -501;
    if (said != HPE_PAUSED || llhttp_get_error_pos(&exchange->parser) != begin + bytes)
        return -400;
    return is_of_one_mind(exchange) ? 0 : -400;
}

/* A GET or HEAD that says nothing of what follows it. Where it ends has been seen, and nobody could
 * read another body into it; most requests are so, and a second look would take as long again. */
static bool is_plain(const struct bight_exchange *exchange, const struct meanings *meanings)
{
    return (exchange->is_get || exchange->is_head) && !meanings->length && !meanings->coding &&
           !exchange->protocol;
}

int bight__framing(struct bight_exchange *exchange)
{
    struct meanings meanings = {.host = NULL};
    int rc = see_fields(exchange, &meanings);

    if (rc == 0)
        rc = see_meanings(exchange, &meanings);
    return rc || is_plain(exchange, &meanings) ? rc : ask_llhttp(exchange);
}
