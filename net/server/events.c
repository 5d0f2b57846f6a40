/* Server-sent events. */
#include "net/server/answer.h"

#include <stdio.h>
#include <string.h>

#include <bight/events.h>
#include <bight/waiter.h>

/* Of events that need no memory of their own. */
#define SHORT_EVENT_BYTES 1024u

int bight_events_begin(struct bight_exchange *exchange)
{
    static const char *const headers[][2] = {
        {"Content-Type", "text/event-stream"},
        {"Cache-Control", "no-store"},
        {"X-Accel-Buffering", "no"},
    };
    int rc;

    if (!exchange)
        return BIGHT_EINVAL;
    rc = bight__answer_turn_begin(exchange);
    if (rc)
        return rc;
    rc = bight_checkpoint();
    for (size_t i = 0; i < sizeof(headers) / sizeof(*headers) && rc == 0; i++)
        rc = bight_exchange_add_header(exchange, headers[i][0], headers[i][1]);
    if (rc == 0)
        rc = bight_exchange_begin(exchange, 200, -1);
    if (rc == 0)
        rc = bight__answer_put(exchange, NULL, 0);
    return bight__answer_turn_end(exchange, rc);
}

struct out {
    char *text; /* NULL: only counted */
    size_t bytes;
};

static void put(struct out *out, const char *text, size_t bytes)
{
    if (out->text)
        memcpy(out->text + out->bytes, text, bytes);
    out->bytes += bytes;
}

static void put_line(struct out *out, const char *name, const char *value, size_t bytes)
{
    put(out, name, strlen(name));
    put(out, value, bytes);
    put(out, "\n", 1);
}

/* A line ends with a carriage return, a line feed, or both. */
static void put_data(struct out *out, const char *data)
{
    for (;;) {
        size_t bytes = strcspn(data, "\r\n");

        put_line(out, "data: ", data, bytes);
        data += bytes;
        if (!*data)
            return;
        data += data[0] == '\r' && data[1] == '\n' ? 2 : 1;
    }
}

static void put_event(struct out *out, const struct bight_sent_event *event)
{
    char retry[24];

    if (event->event)
        put_line(out, "event: ", event->event, strlen(event->event));
    if (event->id)
        put_line(out, "id: ", event->id, strlen(event->id));
    if (event->retry_ms)
        put_line(out, "retry: ", retry,
                 (size_t)snprintf(retry, sizeof(retry), "%u", event->retry_ms));
    if (event->data)
        put_data(out, event->data);
    put(out, "\n", 1);
}

static bool is_line(const char *text)
{
    return !text || !text[strcspn(text, "\r\n")];
}

int bight_events_send(struct bight_exchange *exchange, const struct bight_sent_event *event)
{
    struct out out = {.bytes = 0};
    char room[SHORT_EVENT_BYTES], *text = room;
    int rc;

    if (!exchange || !event || !is_line(event->event) || !is_line(event->id))
        return BIGHT_EINVAL;
    put_event(&out, event);
    if (out.bytes > sizeof(room))
        text = bight__alloc(exchange->server->seams, out.bytes);
    if (!text)
        return BIGHT_ENOMEM;
    out = (struct out){.text = text};
    put_event(&out, event);
    rc = bight__answer_write(exchange, text, out.bytes, GZIP_FLUSH);
    if (text != room)
        bight__free(text);
    return rc;
}

int bight_events_ping(struct bight_exchange *exchange)
{
    return bight__answer_write(exchange, ":\n\n", 3, GZIP_FLUSH);
}

const char *bight_events_last_id(const struct bight_exchange *exchange)
{
    return bight_exchange_header(exchange, "Last-Event-ID");
}
