/* Lines of an access log. Nothing that a client sends can end a line or a field early. */
#include "net/server/server.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <bight/access_log.h>
#include <bight/time.h>

struct line {
    char *text;
    size_t bytes;
    size_t used; /* may be more than there is room for */
};

static void add(struct line *line, const char *text, size_t bytes)
{
    if (line->used + bytes < line->bytes)
        memcpy(line->text + line->used, text, bytes);
    line->used += bytes;
}

static void add_text(struct line *line, const char *text)
{
    add(line, text, strlen(text));
}

static __attribute__((format(printf, 2, 3))) void add_format(struct line *line, const char *format,
                                                             ...)
{
    char text[128];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    add_text(line, text);
}

static void add_peer(struct line *line, const struct bight_exchange *exchange)
{
    char text[BIGHT_ADDRESS_TEXT_BYTES];
    struct bight_address address;

    if (bight_exchange_peer(exchange, &address)) {
        add_text(line, "-");
        return;
    }
    address.port = 0;
    bight_address_text(&address, text);
    add_text(line, text);
}

/* As Apache and nginx do it. */
static void add_escaped(struct line *line, const char *text)
{
    if (!text || !*text) {
        add_text(line, "-");
        return;
    }
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < ' ' || c >= 0x7f || c == '"' || c == '\\')
            add_format(line, "\\x%02X", c);
        else
            add(line, text, 1);
    }
}

static void combined(struct line *line, const struct bight_exchange *exchange, time_t now)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int version = exchange->head.version;
    struct tm tm;

    gmtime_r(&now, &tm);
    add_peer(line, exchange);
    add_format(line, " - - [%02d/%s/%04d:%02d:%02d:%02d +0000] \"", tm.tm_mday, months[tm.tm_mon],
               tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    add_escaped(line, exchange->method);
    if (*exchange->target) {
        add_text(line, " ");
        add_escaped(line, exchange->target);
        add_format(line, " HTTP/%d.%d", version / 10, version % 10);
    }
    add_format(line, "\" %d %" PRIu64 " \"", exchange->status, exchange->sent);
    add_escaped(line, bight_exchange_header(exchange, "Referer"));
    add_text(line, "\" \"");
    add_escaped(line, bight_exchange_header(exchange, "User-Agent"));
    add_text(line, "\"\n");
}

/* How many bytes the character at `text` has in UTF-8; 0: it is malformed. RFC 3629. */
static size_t utf8_bytes(const unsigned char *text)
{
    static const struct {
        unsigned char first, last, low, high; /* of the first byte, and of the second */
        unsigned char bytes;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        if (text[0] < forms[i].first || text[0] > forms[i].last)
            continue;
        if (text[1] < forms[i].low || text[1] > forms[i].high)
            return 0;
        for (size_t k = 2; k < forms[i].bytes; k++) {
            if ((text[k] & 0xc0) != 0x80)
                return 0;
        }
        return forms[i].bytes;
    }
    return 0;
}

/* ,"name":"value" */
static void add_json(struct line *line, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    add_format(line, ",\"%s\":\"", name);
    while (*value) {
        unsigned char c = (unsigned char)*value;
        size_t bytes = c < 0x80 ? 1 : utf8_bytes((const unsigned char *)value);

        if (c < ' ' || c == 0x7f || c == '"' || c == '\\')
            add_format(line, "\\u%04x", c);
        else if (bytes == 0)
            add_text(line, "\\ufffd");
        else
            add(line, value, bytes);
        value += bytes ? bytes : 1;
    }
    add_text(line, "\"");
}

static void json(struct line *line, const struct bight_exchange *exchange,
                 const struct timespec *now)
{
    int version = exchange->head.version;
    struct tm tm;

    gmtime_r(&now->tv_sec, &tm);
    add_format(line, "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"", tm.tm_year + 1900,
               tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
               (int)(now->tv_nsec / 1000000));
    if (exchange->id)
        add_format(line, ",\"id\":\"%016" PRIx64 "\"", exchange->id);
    add_text(line, ",\"peer\":\"");
    add_peer(line, exchange);
    add_text(line, "\"");
    add_json(line, "method", exchange->method);
    add_json(line, "target", exchange->target);
    if (version > 0)
        add_format(line, ",\"version\":\"%d.%d\"", version / 10, version % 10);
    add_json(line, "host", exchange->host);
    add_format(line, ",\"status\":%d,\"bytes\":%" PRIu64 ",\"ms\":%.3f", exchange->status,
               exchange->sent, (double)(bight_now_ns() - exchange->started_ns) / 1e6);
    add_json(line, "referer", bight_exchange_header(exchange, "Referer"));
    add_json(line, "user_agent", bight_exchange_header(exchange, "User-Agent"));
    add_text(line, "}\n");
}

int64_t bight_access_log_line(const struct bight_exchange *exchange,
                              enum bight_access_log_format format, char *line, size_t bytes)
{
    struct line out = {line, bytes, 0};
    struct timespec now;

    if (!exchange || !line)
        return BIGHT_EINVAL;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (format == BIGHT_ACCESS_LOG_COMBINED)
        combined(&out, exchange, now.tv_sec);
    else if (format == BIGHT_ACCESS_LOG_JSON)
        json(&out, exchange, &now);
    else
        return BIGHT_EINVAL;
    if (out.used >= bytes)
        return BIGHT_ETOOBIG;
    line[out.used] = '\0';
    return (int64_t)out.used;
}
