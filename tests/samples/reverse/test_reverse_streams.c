/* The sample bight-reverse: SAMPLE_REVERSE is its path. Answers while they come, and what becomes
 * of them when one of both sides is slow, or gone. */
#include "tests/samples/reverse/front.h"

#include <bight/events.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

const char front_program[] = SAMPLE_REVERSE;

#define HOST "Host: a\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

#define MIB (1 << 20)
#define LARGE_BYTES (64 * MIB)

static const char *const impatient[] = {"--silence=1", NULL};

/* --- events ----------------------------------------------------------------------------------- */

/* Each event is sent when the client has had the one before. */
static int tells_events(struct bight_exchange *exchange, void *arg)
{
    char text[32];

    (void)arg;
    if (strcmp(bight_exchange_path(exchange), "/never") == 0)
        return bight_event_wait(&listened.go_on);
    ck_ok(bight_exchange_cancel_on_end(exchange, true));
    ck_ok(bight_exchange_add_header(exchange, "X-Accel-Buffering", "no"));
    ck_ok(bight_events_begin(exchange));
    listened.begun++;
    for (int i = 1;; i++) {
        struct bight_sent_event event = {.data = text};

        listened.last = bight_event_wait(&listened.go_on);
        bight_event_clear(&listened.go_on);
        snprintf(text, sizeof text, "number %d", i);
        if (listened.last == 0)
            listened.last = bight_events_send(exchange, &event);
        if (listened.last)
            break;
    }
    listened.returned++;
    return listened.last;
}

static int one_by_one(void)
{
    struct bight_stream *client = front_dial();
    char text[32];
    const char *heard;

    listened_say(client, GET("/"));
    heard = listened_hear(client, "\r\n\r\n"); /* before there is an event */
    front_has(heard, "\r\nX-Accel-Buffering: no\r\n");
    front_has(heard, "\r\nTransfer-Encoding: chunked\r\n");
    for (int i = 1; i <= 100; i++) {
        bight_event_set(&listened.go_on);
        snprintf(text, sizeof text, "data: number %d\n\n\r\n", i);
        front_has(listened_hear(client, text), text);
    }
    /* Who is gone gets no more, and the server behind is told at once. */
    ck_ok(bight_stream_end(client, 0));
    listened_wait(&listened.returned, 1);
    ck_code(listened.last, BIGHT_ECANCELED);
    return 0;
}

static int silent_events(void)
{
    struct bight_stream *client = front_dial();

    listened_say(client, GET("/"));
    front_has(listened_hear(client, "\r\n\r\n"), "HTTP/1.1 200 ");
    /* So long that any other answer would be given up. */
    front_has(front_ask("GET /never HTTP/1.1\r\n" HOST), "HTTP/1.1 504 ");
    bight_event_set(&listened.go_on);
    front_has(listened_hear(client, "data: number 1\n\n\r\n"), "data: number 1\n\n\r\n");
    bight_stream_abort(client);
    listened_wait(&listened.returned, 1);
    return 0;
}

static void events_come_one_by_one(void)
{
    front_play(one_by_one, tells_events, NULL);
}

static void events_may_be_silent(void)
{
    front_play(silent_events, tells_events, impatient);
}

/* --- large ones ------------------------------------------------------------------------------- */

static size_t sent_bytes;

static int tells_much(struct bight_exchange *exchange, void *arg)
{
    static char piece[65536];
    bool known = strcmp(bight_exchange_path(exchange), "/known") == 0;
    int rc = bight_exchange_begin(exchange, 200, known ? LARGE_BYTES : -1);

    (void)arg;
    for (sent_bytes = 0; rc == 0 && sent_bytes < LARGE_BYTES; sent_bytes += sizeof piece) {
        for (size_t i = 0; i < sizeof piece; i++)
            piece[i] = (char)('a' + sent_bytes / sizeof piece % 26);
        rc = bight_exchange_write(exchange, piece, sizeof piece);
    }
    listened.returned++;
    return rc;
}

/* Whatever is on its way is in buffers of sockets, which the system decides about. */
#define UNDER_WAY_BYTES (24 * MIB)

static void read_slowly(struct bight_stream *client, long resident_kib)
{
    static char buffer[65536];

    for (size_t at = 0; at < LARGE_BYTES; at += sizeof buffer) {
        ck_ok(bight_stream_read_exactly(client, buffer, sizeof buffer));
        ck_assert_int_eq(buffer[0], (int)('a' + at / sizeof buffer % 26));
        ck_assert_int_eq(buffer[sizeof buffer - 1], buffer[0]);
        ck_assert_uint_le(sent_bytes, at + UNDER_WAY_BYTES);
        if (at % MIB == 0)
            ck_assert_int_le(server_resident_kib(&front), resident_kib + 4096);
    }
}

static int slow_reader(void)
{
    struct bight_stream *client = front_dial();
    static char head[4096];
    long resident_kib;

    listened_say(client, GET("/known"));
    front_has(listened_hear(client, "aaaa"), "\r\nContent-Length: 67108864\r\n");
    bight_stream_abort(client);
    listened_wait(&listened.returned, 1);
    resident_kib = server_resident_kib(&front);
    client = front_dial();
    listened_say(client, "GET /known HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    ck_assert_int_gt(bight_stream_read_until(client, head, sizeof head, "\r\n\r\n", 4), 0);
    read_slowly(client, resident_kib);
    ck_assert_str_eq(listened_hear(client, "<end>"), "<end>");
    return bight_stream_end(client, 0);
}

static void a_slow_reader_costs_no_memory(void)
{
    front_play(slow_reader, tells_much, NULL);
}

/* --- clients that are gone -------------------------------------------------------------------- */

static int waits(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_ok(bight_exchange_cancel_on_end(exchange, true));
    listened.begun++;
    listened.last = bight_event_wait(&listened.go_on);
    listened.returned++;
    return listened.last ? listened.last : bight_exchange_answer(exchange, 200, NULL, "hello\n", 6);
}

static int gone(void)
{
    struct bight_stream *client = front_dial();

    listened_say(client, GET("/"));
    listened_wait(&listened.begun, 1);
    bight_stream_abort(client);
    listened_wait(&listened.returned, 1);
    ck_code(listened.last, BIGHT_ECANCELED);
    /* Who has ended its half may wait for the answer. */
    client = front_dial();
    listened_say(client, GET("/"));
    ck_ok(bight_stream_shutdown(client));
    listened_wait(&listened.begun, 2);
    bight_event_set(&listened.go_on);
    front_has(listened_hear(client, "<end>"), "hello\n<end>");
    return bight_stream_end(client, 0);
}

static int drains(void)
{
    struct bight_stream *client = front_dial(), *late;
    const char *heard;

    listened_say(client, GET("/"));
    listened_wait(&listened.begun, 1);
    ck_assert_int_eq(kill(front.pid, SIGTERM), 0);
    front_told = true;
    while (bight_tcp_connect(&late, "127.0.0.1", front.port, NULL, NULL) == 0)
        bight_stream_abort(late);
    bight_event_set(&listened.go_on);
    heard = listened_hear(client, "<end>");
    front_has(heard, "\r\nConnection: close\r\n");
    front_has(heard, "hello\n<end>");
    return bight_stream_end(client, 0);
}

/* It has kept a connection to the server behind, which it has to end. */
static int hurried(void)
{
    bight_event_set(&listened.go_on);
    front_has(front_ask("GET / HTTP/1.1\r\n" HOST), "hello\n<end>");
    server_hurry(&front);
    front_told = true;
    return 0;
}

static void requests_of_clients_that_are_gone_end(void)
{
    front_play(gone, waits, NULL);
}

static void requests_under_way_are_finished_after_the_signal(void)
{
    front_play(drains, waits, NULL);
}

static void its_end_is_not_hurried_by_further_signals(void)
{
    front_play(hurried, waits, NULL);
}

/* --- servers that are ------------------------------------------------------------------------- */

#define OK "HTTP/1.1 200 OK\r\n"
#define KEPT OK "Content-Length: 2\r\n\r\nok"

static const struct canned failures[] = {
    {"/cut", "." OK "Content-Length: 100\r\n\r\nhalf"},
    {"/reset", "!" OK "Content-Length: 100\r\n\r\nhalf"},
    {"/cut-chunks", "." OK "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"},
    {"/bad-chunks", OK "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nx\r\n"},
    {"/reset-open", "!" OK "\r\nhalf"},
    {"/whole", ".HTTP/1.0 200 OK\r\n\r\nwhole"},
    {"/head-alone", "." OK "Content-Length: 100\r\nSet-Cookie: a\r\n\r\n"},
    {"/open-head-alone", "." OK "Transfer-Encoding: chunked\r\n\r\n"},
    {"/stalls-early", OK "Content-Length: 100\r\n\r\n"},
    {"/no-word", "."},
    {"/half-a-head", "." OK "Content-Le"},
    {"/stalls", OK "Content-Length: 100\r\n\r\nhalf"},
    {"/silent", ""},
    {"/once", "1" KEPT},
    {NULL, NULL},
};

static int cut(void)
{
    static const char *const paths[] = {"/cut", "/cut-chunks", "/bad-chunks", "/stalls"};
    char head[64];

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        for (int version = 0; version < 2; version++) {
            snprintf(head, sizeof head, "GET %s HTTP/1.%d\r\n" HOST, paths[i], version);
            front_has(front_ask(head), "half");
            front_has(front_ask(head), "<reset>");
        }
    /* The reset may overtake what came before. */
    front_has(front_ask("GET /reset HTTP/1.1\r\n" HOST), "<reset>");
    front_has(front_ask("GET /reset-open HTTP/1.1\r\n" HOST), "<reset>");
    front_has(front_ask("GET /whole HTTP/1.1\r\n" HOST), "\r\n5\r\nwhole\r\n0\r\n\r\n<end>");
    front_has(front_ask("GET /whole HTTP/1.0\r\n"), "\r\nwhole<end>");
    return 0;
}

static int without_an_answer(void)
{
    front_has(front_ask("GET /no-word HTTP/1.1\r\n" HOST), "HTTP/1.1 502 ");
    ck_assert_int_eq(asked, 1);
    front_has(front_ask("GET /half-a-head HTTP/1.1\r\n" HOST), "HTTP/1.1 502 ");
    front_has(front_ask("GET /silent HTTP/1.1\r\n" HOST), "HTTP/1.1 504 ");
    ck_assert_int_eq(asked, 3);
    front_has(front_ask("GET /head-alone HTTP/1.1\r\n" HOST), "HTTP/1.1 502 ");
    front_has(front_ask("GET /stalls-early HTTP/1.1\r\n" HOST), "HTTP/1.1 504 ");
    front_has(front_ask("GET /open-head-alone HTTP/1.1\r\n" HOST), "<reset>");
    return 0;
}

/* A kept connection that turns out to be dead. */
static int again(void)
{
    static const char *const repeated[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};
    char head[64];

    for (size_t i = 0; i < sizeof repeated / sizeof *repeated; i++) {
        asked = 0;
        front_has(front_ask("GET /once HTTP/1.1\r\n" HOST), "\r\n\r\nok");
        snprintf(head, sizeof head, "%s /once HTTP/1.1\r\n" HOST, repeated[i]);
        front_has(front_ask(head), "HTTP/1.1 200 ");
        ck_assert_int_ge(asked, 2);
        /* The connection of the repeated one is closed too, and not used for the next round. */
        front_has(front_ask("GET /no-word HTTP/1.1\r\n" HOST), "HTTP/1.1 502 ");
    }
    for (int i = 0; i < 2; i++) {
        asked = 0;
        front_has(front_ask("GET /once HTTP/1.1\r\n" HOST), "\r\n\r\nok");
        front_has(front_ask("POST /once HTTP/1.1\r\n" HOST), "HTTP/1.1 502 ");
        ck_assert_int_eq(asked, 2);
    }
    return 0;
}

static void half_an_answer_never_looks_whole(void)
{
    front_play_canned(cut, failures, impatient);
}

static void who_does_not_answer_is_told_of(void)
{
    front_play_canned(without_an_answer, failures, impatient);
}

static void what_may_be_sent_twice_is(void)
{
    front_play_canned(again, failures, NULL);
}

static const struct suite_case cases[] = {
    plain_case(events_come_one_by_one),
    plain_case(events_may_be_silent),
    plain_case(a_slow_reader_costs_no_memory),
    plain_case(requests_of_clients_that_are_gone_end),
    plain_case(requests_under_way_are_finished_after_the_signal),
    plain_case(its_end_is_not_hurried_by_further_signals),
    plain_case(half_an_answer_never_looks_whole),
    plain_case(who_does_not_answer_is_told_of),
    plain_case(what_may_be_sent_twice_is),
};

test_suite("reverse_streams", cases);
