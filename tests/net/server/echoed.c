/* See echoed.h. */
#include "tests/net/server/echoed.h"

#include <bight/events.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int echo(struct bight_exchange *exchange)
{
    static char text[16384];
    char address_text[BIGHT_ADDRESS_TEXT_BYTES] = "(none)";
    struct bight_address address, here = {.family = 0};
    const char *name, *value, *body;
    size_t bytes, used;
    int rc = bight_exchange_read_all(exchange, &body, &bytes);

    if (rc)
        return rc;
    if (bight_exchange_peer(exchange, &address) == 0)
        bight_address_text(&address, address_text);
    ck_ok(bight_stream_peer_address(bight_exchange_stream(exchange), &here));
    used = (size_t)snprintf(text, sizeof(text), "%s %s %d\npeer %s\nport %u\nsecure %d\n",
                            bight_exchange_method(exchange), bight_exchange_target(exchange),
                            bight_exchange_version(exchange), address_text, here.port,
                            bight_exchange_is_secure(exchange));
    for (size_t i = 0; bight_exchange_header_at(exchange, i, &name, &value) == 0; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s: %s\n", name, value);
    used +=
        (size_t)snprintf(text + used, sizeof(text) - used, "\n%zu bytes: %.100s\n", bytes, body);
    return bight_exchange_answer(exchange, 200, "text/plain", text, used);
}

static int large(struct bight_exchange *exchange, int64_t bytes)
{
    static char piece[26000];
    int rc = bight_exchange_begin(exchange, 200, bytes);

    for (size_t i = 0; i < sizeof(piece); i++)
        piece[i] = (char)('a' + i / 1000);
    for (size_t at = 0; rc == 0 && at < ECHOED_LARGE_BYTES; at += sizeof(piece)) {
        size_t left = ECHOED_LARGE_BYTES - at;

        rc = bight_exchange_write(exchange, piece, left < sizeof(piece) ? left : sizeof(piece));
    }
    return rc;
}

static int events(struct bight_exchange *exchange)
{
    char text[32];
    int rc;

    ck_ok(bight_exchange_cancel_on_end(exchange, true));
    ck_ok(bight_exchange_add_header(exchange, "X-Accel-Buffering", "no"));
    rc = bight_events_begin(exchange);
    for (int i = 1; rc == 0; i++) {
        struct bight_sent_event event = {.data = text};

        rc = bight_event_wait(&listened.go_on);
        bight_event_clear(&listened.go_on);
        snprintf(text, sizeof(text), "number %d", i);
        if (rc == 0)
            rc = bight_events_send(exchange, &event);
    }
    listened.last = rc;
    listened.returned++;
    return rc;
}

static int pieces(struct bight_exchange *exchange)
{
    static char piece[4096];
    char text[32];
    int64_t count;
    int rc = bight_exchange_begin(exchange, 200, -1);

    while (rc == 0 && (count = bight_exchange_read(exchange, piece, sizeof(piece)))) {
        if (count < 0)
            return (int)count;
        listened.begun++;
        snprintf(text, sizeof(text), "number %d\n", listened.begun);
        rc = bight_exchange_write(exchange, text, strlen(text));
    }
    return rc;
}

static int half(struct bight_exchange *exchange, int64_t bytes)
{
    int rc = bight_exchange_begin(exchange, 200, bytes);

    if (rc == 0)
        rc = bight_exchange_write(exchange, "half", 4);
    return rc ? rc : BIGHT_EIO;
}

static int waits(struct bight_exchange *exchange)
{
    ck_ok(bight_exchange_cancel_on_end(exchange, true));
    listened.begun++;
    listened.last = bight_event_wait(&listened.go_on);
    listened.returned++;
    return listened.last ? listened.last : bight_exchange_answer_status(exchange, 200);
}

int echoed(struct bight_exchange *exchange, void *arg)
{
    const char *path = bight_exchange_path(exchange);

    (void)arg;
    if (strcmp(path, "/echo") == 0)
        return echo(exchange);
    if (strcmp(path, "/known") == 0)
        return large(exchange, ECHOED_LARGE_BYTES);
    if (strcmp(path, "/unknown") == 0)
        return large(exchange, -1);
    if (strcmp(path, "/events") == 0)
        return events(exchange);
    if (strcmp(path, "/pieces") == 0)
        return pieces(exchange);
    if (strcmp(path, "/half") == 0)
        return half(exchange, 100);
    if (strcmp(path, "/half-open") == 0)
        return half(exchange, -1);
    if (strcmp(path, "/waits") == 0)
        return waits(exchange);
    if (strncmp(path, "/status/", 8) == 0)
        return bight_exchange_answer(exchange, atoi(path + 8), NULL, "", 0);
    return bight_exchange_answer_status(exchange, 404);
}

void echoed_hear_large(struct bight_stream *client)
{
    static char head[4096], body[ECHOED_LARGE_BYTES];
    int64_t bytes = bight_stream_read_until(client, head, sizeof(head) - 1, "\r\n\r\n", 4);

    ck_assert_int_gt(bytes, 0);
    ck_ok(bight_stream_read_exactly(client, body, sizeof(body)));
    for (size_t i = 0; i < sizeof(body); i++)
        if (body[i] != (char)('a' + i / 1000 % 26))
            ck_abort_msg("byte %zu is %c", i, body[i]);
    ck_assert_int_eq(bight_stream_read(client, head, 1), 0);
    ck_ok(bight_stream_end(client, 0));
}
