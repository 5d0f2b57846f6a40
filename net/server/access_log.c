/* Lines of an access log. Nothing that a client sends can end a line or a field early. */
#include "net/server/http_date.h"
#include "net/server/server.h"
#include "net/server/utf8.h"

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
    int version = exchange->head.version;
    char date[DATE_BYTES]; /* "Sun, 06 Nov 1994 08:49:37 GMT" */

    bight__date_format(now, date);
    add_peer(line, exchange);
    add_format(line, " - - [%.2s/%.3s/%.4s:%.8s +0000] \"", date + 5, date + 8, date + 12,
               date + 17);
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

/* How many bytes the character at `text` has in UTF-8; 0: it is malformed. */
static size_t utf8_bytes(const char *text)
{
    struct utf8 character = {0};
    size_t bytes = 0;

    do {
        if (!bight__utf8_goes_on(&character, text + bytes, 1))
            return 0;
        bytes++;
    } while (!bight__utf8_is_whole(&character));
    return bytes;
}

/* ,"name":"value" */
static void add_json(struct line *line, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    add_format(line, ",\"%s\":\"", name);
    while (*value) {
        unsigned char c = (unsigned char)*value;
        size_t bytes = c < 0x80 ? 1 : utf8_bytes(value);

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

/* ,"trace_id":"...","span_id":"..." */
static void add_trace(struct line *line, const struct bight_exchange *exchange)
{
    char parent[BIGHT_TRACEPARENT_BYTES]; /* 00-TRACE-SPAN-FLAGS */

    if (exchange->traced &&
        bight_trace_context_format(&exchange->trace, parent, sizeof(parent)) == 0)
        add_format(line, ",\"trace_id\":\"%.32s\",\"span_id\":\"%.16s\"", parent + 3, parent + 36);
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
    add_trace(line, exchange);
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
