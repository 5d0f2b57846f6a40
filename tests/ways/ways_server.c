/* See ways.h: the calls of the HTTP server that answer or serve, and the table of tables of the
 * program for that server. The client is at the other end of a pair in memory; only accepting needs
 * a socket. */
#include "tests/ways/ways.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bight/events.h>
#include <bight/monitor_page.h>
#include <bight/server_testing.h>
#include <bight/static.h>

#include "net/stream/listener.h"
#include "tests/harness/world.h"
#include "tests/ways/exchange.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define HEAD "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
#define UPGRADE "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n\r\n"

/* Answers */

static int answer(struct stage *stage)
{
    return bight_exchange_answer(stage->exchange, 200, NULL, "hello", 5);
}

static int answer_status(struct stage *stage)
{
    return bight_exchange_answer_status(stage->exchange, 404);
}

static int redirect(struct stage *stage)
{
    return bight_exchange_redirect(stage->exchange, 303, "/b");
}

static void begin_five(struct stage *stage)
{
    ck_ok(bight_exchange_begin(stage->exchange, 200, 5));
}

static void begin_none(struct stage *stage)
{
    ck_ok(bight_exchange_begin(stage->exchange, 200, 0));
}

static void begin_chunks(struct stage *stage)
{
    ck_ok(bight_exchange_begin(stage->exchange, 200, -1));
}

static int write_five(struct stage *stage)
{
    return bight_exchange_write(stage->exchange, "hello", 5);
}

static int flush(struct stage *stage)
{
    return bight_exchange_flush(stage->exchange);
}

static int send_file(struct stage *stage)
{
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int rc = bight_exchange_send_file(stage->exchange, file, 1, 3);

    close(file);
    return rc;
}

static int upgrade(struct stage *stage)
{
    struct bight_stream *stream;

    return bight_exchange_upgrade(stage->exchange, "echo", &stream);
}

static int begin_events(struct stage *stage)
{
    return bight_events_begin(stage->exchange);
}

static int send_event(struct stage *stage)
{
    const struct bight_sent_event event = {.data = "x"};

    return bight_events_send(stage->exchange, &event);
}

static int ping_events(struct stage *stage)
{
    return bight_events_ping(stage->exchange);
}

/* With a directory of one file. */
static int answer_static(struct stage *stage)
{
    char folder[] = "/tmp/bight-ways-XXXXXX", path[64];
    struct bight_static *files;
    int file, rc;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/index.html", folder);
    file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(write(file, "hello", 5), 5);
    close(file);
    ck_ok(bight_static_new(&files, folder, NULL));
    rc = bight_static_answer(stage->exchange, files, NULL);
    bight_static_free(files);
    unlink(path);
    rmdir(folder);
    return rc;
}

static int answer_page(struct stage *stage)
{
    return bight_monitor_page(stage->exchange, NULL);
}

static int answer_metrics(struct stage *stage)
{
    return bight_metrics_answer(stage->exchange, NULL);
}

const struct exchange_call exchange_calls[] = {
    {"bight_exchange_answer", GET, NULL, answer, LEFT_REFUSED, OK "Content-Length: 5\r\n\r\nhello"},
    {"bight_exchange_answer_status", GET, NULL, answer_status, LEFT_REFUSED,
     "HTTP/1.1 404 Not Found\r\nContent-Length: 14\r\nContent-Type: text/plain\r\n\r\n"
     "404 Not Found\n"},
    {"bight_exchange_redirect", GET, NULL, redirect, LEFT_REFUSED,
     "HTTP/1.1 303 See Other\r\nContent-Length: 14\r\nLocation: /b\r\n"
     "Content-Type: text/plain\r\n\r\n303 See Other\n"},
    {"bight_exchange_write", GET, begin_five, write_five, LEFT_NOTHING,
     OK "Content-Length: 5\r\n\r\nhello"},
    {"bight_exchange_send_file", GET, NULL, send_file, LEFT_NOTHING,
     OK "Content-Length: 3\r\n\r\nELF"},
    {"bight_exchange_flush", GET, begin_none, flush, LEFT_NOTHING, OK "Content-Length: 0\r\n\r\n"},
    {"bight_exchange_upgrade", UPGRADE, NULL, upgrade, LEFT_RESET,
     "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n<end>"},
    {"bight_events_begin", GET, NULL, begin_events, LEFT_REFUSED,
     OK "Transfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n"
        "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n\r\n0\r\n\r\n"},
    {"bight_events_send", GET, begin_chunks, send_event, LEFT_NOTHING,
     OK CHUNKED "9\r\ndata: x\n\n\r\n0\r\n\r\n"},
    {"bight_events_ping", GET, begin_chunks, ping_events, LEFT_NOTHING,
     OK CHUNKED "3\r\n:\n\n\r\n0\r\n\r\n"},
    {"bight_static_answer", GET, NULL, answer_static, LEFT_REFUSED, NULL},
    {"bight_monitor_page", GET, NULL, answer_page, LEFT_REFUSED, NULL},
    {"bight_metrics_answer", HEAD, NULL, answer_metrics, LEFT_REFUSED, NULL},
    {.name = NULL},
};

/* Serving connections ends when the listener is closed. */

static int sleeps(struct bight_exchange *exchange, void *stage)
{
    int rc = bight_event_wait(&((struct stage *)stage)->event);

    return rc ? rc : bight_exchange_answer(exchange, 200, NULL, "hello", 5);
}

static void listener_open(struct stage *stage)
{
    bight_event_init(&stage->event);
    ck_ok(bight_tcp_listen(&stage->listener, "127.0.0.1", 0, NULL));
}

static int serve_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_http_serve(seat->stage->listener, sleeps, seat->stage, NULL);
}

static void serve_wake(struct stage *stage)
{
    if (stage->listener->served)
        ck_ok(bight_listener_close(stage->listener));
}

static void serve_close(struct stage *stage)
{
    ck_assert_ptr_null(stage->listener->served);
    ck_ok(bight_listener_end(stage->listener));
}

/* Serving one ends when the client does. It says a request, or nothing. */

static void pair_open(struct stage *stage)
{
    bight_event_init(&stage->event);
    ck_ok(bight_stream_pair(&stage->ends[0], &stage->ends[1], NULL));
}

static void asked_open(struct stage *stage)
{
    pair_open(stage);
    ck_ok(bight_stream_write(stage->ends[0], GET, strlen(GET)));
}

static int serve_stream_wait(struct seat *seat)
{
    return bight_http_serve_stream(seat->stage->ends[1], sleeps, seat->stage, NULL);
}

/* A part of the answer has gone out: of another one the client would be told before the end. */
static int sleeps_amid(struct bight_exchange *exchange, void *stage)
{
    int rc = bight_exchange_begin(exchange, 200, 0);

    if (rc == 0)
        rc = bight_exchange_flush(exchange);
    return rc ? rc : bight_event_wait(&((struct stage *)stage)->event);
}

static int serve_answer_wait(struct seat *seat)
{
    return bight_http_serve_stream(seat->stage->ends[1], sleeps_amid, seat->stage, NULL);
}

static void served_wake(struct stage *stage)
{
    if (stage->given > 1)
        return;
    bight_event_set(&stage->event);
    ck_ok(bight_stream_shutdown(stage->ends[0]));
}

static void served_close(struct stage *stage)
{
    ck_assert(link_empty(&stage->event.waiters));
    ck_ok(bight_stream_end(stage->ends[0], 0));
    ck_ok(bight_stream_end(stage->ends[1], 0));
}

/* Asking waits for the handler. */

static void event_open(struct stage *stage)
{
    bight_event_init(&stage->event);
}

static int ask_wait(struct seat *seat)
{
    struct bight_server_answer *said = NULL;
    int rc = bight_server_ask(&said, sleeps, seat->stage, NULL, GET);

    seat->item = said;
    return rc;
}

static int ask_bytes_wait(struct seat *seat)
{
    struct bight_server_answer *said = NULL;
    int rc = bight_server_ask_bytes(&said, sleeps, seat->stage, NULL, GET, strlen(GET));

    seat->item = said;
    return rc;
}

static void event_wake(struct stage *stage)
{
    bight_event_set(&stage->event);
}

static void ask_leave(struct seat *seat)
{
    ck_assert_int_eq(bight_server_answer_status(seat->item), 200);
    bight_server_answer_free(seat->item);
}

static void event_close(struct stage *stage)
{
    ck_assert(link_empty(&stage->event.waiters));
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
#define FULL full_exchange_open, exchange_wait, exchange_wake, NULL, full_exchange_close
#define FULL_WITH_MEMORY                                                                           \
    full_exchange_open, exchange_wait_with_memory, exchange_wake, NULL, full_exchange_close
#define NARROW narrow_exchange_open, exchange_wait, exchange_wake, NULL, narrow_exchange_close
static const struct way server_ways[] = {
    {"bight_events_begin", 1, 0, true, 0, FULL},
    {"bight_events_send", 1, 0, true, 0, FULL},
    {"bight_events_send", 1, 0, true, 0, NARROW},
    {"bight_events_ping", 1, 0, true, 0, FULL},
    {"bight_http_serve", 1, 0, true, WAY_HINT | WAY_DRAIN_WAKES, listener_open, serve_wait,
     serve_wake, NULL, serve_close},
    {"bight_http_serve_stream", 1, 0, true, WAY_DRAIN_WAKES, pair_open, serve_stream_wait,
     served_wake, NULL, served_close},
    /* It goes on to the next request. */
    {"bight_http_serve_stream", 1, 0, true, WAY_HINT | WAY_DRAINS_ON, asked_open, serve_answer_wait,
     served_wake, NULL, served_close},
    {"bight_exchange_answer", 1, 0, true, 0, FULL},
    {"bight_exchange_answer", 1, 0, true, 0, NARROW},
    {"bight_exchange_answer_status", 1, 0, true, 0, FULL},
    {"bight_exchange_redirect", 1, 0, true, 0, FULL},
    {"bight_exchange_write", 1, 0, true, 0, FULL},
    {"bight_exchange_write", 1, 0, true, 0, NARROW},
    {"bight_exchange_send_file", 1, 0, true, 0, FULL_WITH_MEMORY},
    {"bight_exchange_flush", 1, 0, true, 0, FULL},
    {"bight_exchange_upgrade", 1, 0, true, 0, FULL},
    /* It collects what the server says piece by piece. */
    {"bight_server_ask", 1, 0, true, WAY_HINT | WAY_DRAINS_ON, event_open, ask_wait, event_wake,
     ask_leave, event_close},
    {"bight_server_ask_bytes", 1, 0, true, WAY_HINT | WAY_DRAINS_ON, event_open, ask_bytes_wait,
     event_wake, ask_leave, event_close},
    {"bight_static_answer", 1, 0, true, 0, FULL_WITH_MEMORY},
    {"bight_monitor_page", 1, 0, true, 0, FULL_WITH_MEMORY},
    {"bight_metrics_answer", 1, 0, true, 0, FULL_WITH_MEMORY},
};

const struct way_table server_way_table = {server_ways,
                                           sizeof(server_ways) / sizeof(server_ways[0])};

static const struct way_table *const tables[] = {
    &body_way_table,
    &server_way_table,
};

const int way_table_count = sizeof(tables) / sizeof(tables[0]);

const struct way_table *way_table_at(int index)
{
    return tables[index];
}

bool ways_have_header(const char *header)
{
    static const char *const headers[] = {"events", "form",           "monitor_page", "multipart",
                                          "server", "server_testing", "static"};

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        if (strcmp(headers[i], header) == 0)
            return true;
    return false;
}
