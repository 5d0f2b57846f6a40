/* net/server/events.c: events that are sent. Input: how long to wait before a new connection, as
 * two bytes, then the event, its id and its data, a NUL behind each of the first two. A reader as
 * the HTML Standard has it, 9.2.6, finds one event with just that in it. */
#include <bight/events.h>
#include <bight/server_testing.h>

#include "tests/fuzz/talk.h"

struct event {
    struct bight_sent_event sent;
    int rc;
    struct fuzz_buffer body;
};

static int send_event(struct bight_exchange *exchange, void *arg)
{
    struct event *event = arg;
    int rc = bight_events_begin(exchange);

    if (rc == 0)
        rc = bight_events_ping(exchange);
    FUZZ_CHECK(rc == 0);
    event->rc = bight_events_send(exchange, &event->sent);
    FUZZ_CHECK(event->rc == 0 || event->rc == BIGHT_EINVAL);
    return bight_events_ping(exchange);
}

static int ask(void *arg)
{
    struct event *event = arg;
    struct bight_server_answer *answer;
    size_t bytes;

    FUZZ_CHECK(bight_server_ask(&answer, send_event, event, &fuzz_talk_options,
                                "GET / HTTP/1.1\r\nHost: a\r\n\r\n") == 0);
    const char *body = bight_server_answer_body(answer, &bytes);
    FUZZ_CHECK(strlen(body) == bytes);
    fuzz_put_text(&event->body, body);
    bight_server_answer_free(answer);
    return 0;
}

/* What a reader has of an event. NULL: it was not said. */
struct heard {
    char *event, *id, *retry;
    struct fuzz_buffer data; /* a line feed behind each line */
    unsigned events;         /* ended by an empty line */
};

static void hear_field(struct heard *heard, const char *name, size_t bytes, const char *value,
                       size_t value_bytes)
{
    char **text = bytes == 5 && memcmp(name, "event", 5) == 0   ? &heard->event
                  : bytes == 2 && memcmp(name, "id", 2) == 0    ? &heard->id
                  : bytes == 5 && memcmp(name, "retry", 5) == 0 ? &heard->retry
                                                                : NULL;

    if (text) {
        FUZZ_CHECK(!*text);
        *text = strndup(value, value_bytes);
    } else if (bytes == 4 && memcmp(name, "data", 4) == 0) {
        fuzz_put(&heard->data, value, value_bytes);
        fuzz_put(&heard->data, "\n", 1);
    } else {
        FUZZ_CHECK(bytes == 0 && value_bytes == 0); /* the ping */
    }
}

static void hear(struct heard *heard, const char *at)
{
    bool begun = false;

    while (*at) {
        size_t bytes = strcspn(at, "\r\n");
        const char *colon = memchr(at, ':', bytes);

        FUZZ_CHECK(at[bytes]);
        heard->events += bytes == 0 && begun;
        begun = bytes && (begun || *at != ':');
        if (bytes) {
            FUZZ_CHECK(colon);
            const char *value = colon + 1 + (colon + 1 < at + bytes && colon[1] == ' ');
            hear_field(heard, at, (size_t)(colon - at), value, (size_t)(at + bytes - value));
        }
        at += bytes;
        at += at[0] == '\r' && at[1] == '\n' ? 2 : 1;
    }
}

static bool is_same(const char *one, const char *other)
{
    return !one == !other && (!one || strcmp(one, other) == 0);
}

/* The lines of the data, each with a line feed. */
static void look_at_data(const struct fuzz_buffer *heard, const char *data)
{
    const char *at = heard->data, *end = at + heard->bytes;

    for (;;) {
        size_t bytes = strcspn(data, "\r\n");

        FUZZ_CHECK((size_t)(end - at) > bytes && memcmp(at, data, bytes) == 0 && at[bytes] == '\n');
        at += bytes + 1;
        data += bytes;
        if (!*data)
            break;
        data += data[0] == '\r' && data[1] == '\n' ? 2 : 1;
    }
    FUZZ_CHECK(at == end);
}

static void look_at(const struct event *event)
{
    const struct bight_sent_event *sent = &event->sent;
    struct heard heard = {.event = NULL};

    hear(&heard, event->body.data);
    if (event->rc) {
        FUZZ_CHECK(strpbrk(sent->event, "\r\n") || strpbrk(sent->id, "\r\n"));
        FUZZ_CHECK(heard.events == 0 && !heard.event && !heard.id);
    } else {
        FUZZ_CHECK(heard.events == 1 && is_same(heard.event, sent->event));
        FUZZ_CHECK(is_same(heard.id, sent->id));
        FUZZ_CHECK((sent->retry_ms ? sent->retry_ms : 0) ==
                   (heard.retry ? strtoul(heard.retry, NULL, 10) : 0));
        look_at_data(&heard.data, sent->data);
    }
    free(heard.event);
    free(heard.id);
    free(heard.retry);
    free(heard.data.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event event = {.rc = 0};
    size_t at = 2;
    char *texts[3];

    if (size < at || size > FUZZ_RUN_BYTES)
        return 0;
    for (size_t i = 0; i < 3; i++) {
        texts[i] = fuzz_text(data + at, size - at);
        at += strlen(texts[i]) + 1;
        at = at < size ? at : size;
    }
    event.sent = (struct bight_sent_event){.retry_ms = (unsigned)(data[0] << 8 | data[1]),
                                           .event = texts[0],
                                           .id = texts[1],
                                           .data = texts[2]};
    fuzz_run(ask, &event);
    look_at(&event);
    free(event.body.data);
    for (size_t i = 0; i < 3; i++)
        free(texts[i]);
    return 0;
}
