/* Server-sent events. */
#include <bight/events.h>

#include "tests/net/server/talk.h"

#include <string.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static int sends(struct bight_exchange *exchange, void *arg)
{
    static const struct bight_sent_event bad[] = {{.event = "a\nb"}, {.id = "a\rb"}};
    const struct bight_sent_event full = {.event = "e", .id = "7", .data = "d", .retry_ms = 10};
    const struct bight_sent_event lines = {.data = "a\nb\r\nc\rd\n"};
    const struct bight_sent_event empty = {.data = ""};
    const struct bight_sent_event id = {.id = "8"};

    (void)arg;
    ck_assert_ptr_null(bight_events_last_id(exchange));
    ck_ok(bight_events_begin(exchange));
    ck_ok(bight_sleep(1000));
    ck_ok(bight_events_send(exchange, &full));
    ck_ok(bight_sleep(1000));
    ck_ok(bight_events_send(exchange, &lines));
    ck_ok(bight_events_send(exchange, &empty));
    ck_ok(bight_events_send(exchange, &id));
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(bight_events_send(exchange, &bad[i]), BIGHT_EINVAL);
    return bight_events_ping(exchange);
}

static int goes_on(void *arg)
{
    (void)arg;
    talk_begin(sends, NULL);
    ck_assert_str_eq(talk_ask("GET / HTTP/1.0\r\nHost: a\r\n\r\n", 200),
                     "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\n"
                     "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n\r\n");
    ck_ok(bight_sleep(1000));
    ck_assert_str_eq(talk_hear(), "event: e\nid: 7\nretry: 10\ndata: d\n\n");
    ck_ok(bight_sleep(1000));
    ck_assert_str_eq(talk_hear(), "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"
                                  "data: \n\nid: 8\n\n:\n\n<end>");
    return talk_end();
}

static int sends_long(struct bight_exchange *exchange, void *arg)
{
    char text[5000];
    const struct bight_sent_event event = {.data = text};

    (void)arg;
    ck_assert_str_eq(bight_events_last_id(exchange), "41");
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    ck_ok(bight_events_begin(exchange));
    return bight_events_send(exchange, &event);
}

static int a_long_one(void *arg)
{
    const char *answer;

    (void)arg;
    talk_begin(sends_long, NULL);
    answer = talk_ask("GET / HTTP/1.1\r\nHost: a\r\nLast-Event-ID: 41\r\n\r\n", 200);
    answer = strstr(answer, "\r\ndata: ") + 8;
    ck_assert_uint_eq(strspn(answer, "x"), 4999);
    ck_assert_str_eq(answer + 4999, "\n\n\r\n0\r\n\r\n");
    return talk_end();
}

/* A client that is gone is noticed without a word. */

static int result;

static int sends_for_ever(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_ok(bight_events_begin(exchange));
    while ((result = bight_sleep(15000)) == 0 && (result = bight_events_ping(exchange)) == 0)
        continue;
    return result;
}

static int gone(void *arg)
{
    (void)arg;
    talk_begin(sends_for_ever, NULL);
    talk_ask(GET, 200);
    ck_ok(bight_sleep(31000));
    ck_assert_str_eq(talk_hear(), "3\r\n:\n\n\r\n3\r\n:\n\n\r\n");
    bight_stream_abort(talk_client);
    talk_client = NULL;
    ck_assert(talk_is_over());
    ck_assert_int_eq(result, BIGHT_ECANCELED);
    ck_assert_int_eq(talk_failures, 0);
    ck_assert_int_eq(talk_end(), BIGHT_ECONNRESET);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(events_go_out_as_they_are_sent, goes_on),
    world_case(an_event_may_be_long, a_long_one),
    world_case(a_client_that_is_gone_ends_the_handler, gone),
};

test_suite("events", cases);
