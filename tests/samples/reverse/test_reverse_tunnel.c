/* The sample bight-reverse: SAMPLE_REVERSE is its path. WebSockets through it. */
#include "tests/samples/reverse/front.h"

#include <bight/websocket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char front_program[] = SAMPLE_REVERSE;

#define BIG_BYTES (1 << 20)

/* --- a WebSocket ------------------------------------------------------------------------------ */

static int closed_with;
static char asked_for[64], via[64];

static int echo(struct bight_exchange *exchange, void *arg)
{
    static const char *const protocols[] = {"chat"};
    const struct bight_websocket_options options = {.protocols = protocols, .protocol_count = 1};
    struct bight_websocket_message message;
    struct bight_websocket *socket;
    int rc;

    (void)arg;
    listened.begun++;
    snprintf(asked_for, sizeof asked_for, "%s", bight_exchange_target(exchange));
    snprintf(via, sizeof via, "%s", bight_exchange_header(exchange, "Via"));
    if (strcmp(bight_exchange_path(exchange), "/forbidden") == 0)
        return bight_exchange_answer(exchange, 403, "text/plain", "not you\n", 8);
    rc = bight_websocket_accept(&socket, exchange, &options);
    if (rc)
        return rc;
    if (strcmp(bight_exchange_path(exchange), "/first") == 0)
        rc = bight_websocket_send(socket, BIGHT_WEBSOCKET_TEXT, "hello", 5);
    while (rc == 0 && (rc = bight_websocket_receive(socket, &message)) == 0)
        rc = bight_websocket_send(socket, message.type, message.data, message.bytes);
    closed_with = bight_websocket_close_code(socket);
    listened.last = rc;
    ck_ok(bight_websocket_free(socket));
    listened.returned++;
    return rc == BIGHT_EOF ? 0 : rc;
}

static struct bight_websocket *connect_to(const char *path, struct bight_stream **stream)
{
    static const char *const protocols[] = {"other", "chat"};
    const struct bight_websocket_options options = {.protocols = protocols, .protocol_count = 2};
    struct bight_websocket *socket;

    *stream = front_dial();
    ck_ok(bight_websocket_connect(&socket, *stream, "site.example", path, &options, NULL));
    return socket;
}

static void echoes(struct bight_websocket *socket, const char *data, size_t bytes)
{
    struct bight_websocket_message message;

    ck_ok(bight_websocket_send(socket, BIGHT_WEBSOCKET_BINARY, data, bytes));
    ck_ok(bight_websocket_receive(socket, &message));
    ck_assert_uint_eq(message.bytes, bytes);
    ck_assert_mem_eq(message.data, data, bytes);
}

static int talk(void)
{
    struct bight_stream *stream;
    struct bight_websocket *socket = connect_to("/chat?name=a", &stream);
    char *big = malloc(BIG_BYTES);

    ck_assert_ptr_nonnull(big);
    memset(big, 'x', BIG_BYTES);
    ck_assert_str_eq(bight_websocket_protocol(socket), "chat");
    ck_assert_str_eq(asked_for, "/chat?name=a");
    ck_assert_str_eq(via, "1.1 bight-reverse");
    for (size_t bytes = 0; bytes < 200; bytes++)
        echoes(socket, big, bytes);
    echoes(socket, big, BIG_BYTES);
    ck_ok(bight_websocket_close(socket, 4000, "enough", 5000));
    listened_wait(&listened.returned, 1);
    ck_assert_int_eq(closed_with, 4000);
    ck_ok(bight_websocket_free(socket));
    free(big);
    return bight_stream_end(stream, 1000);
}

/* What the server says at once may come with its head. */
static int said_first(void)
{
    for (int i = 0; i < 20; i++) {
        struct bight_websocket_message message;
        struct bight_stream *stream;
        struct bight_websocket *socket = connect_to("/first", &stream);

        ck_ok(bight_websocket_receive(socket, &message));
        ck_assert_str_eq(message.data, "hello");
        ck_ok(bight_websocket_free(socket));
        bight_stream_abort(stream);
    }
    listened_wait(&listened.returned, 20);
    return 0;
}

static int reset(void)
{
    struct bight_stream *stream;
    struct bight_websocket *socket = connect_to("/", &stream);

    echoes(socket, "abc", 3);
    ck_ok(bight_websocket_free(socket));
    bight_stream_abort(stream);
    listened_wait(&listened.returned, 1);
    ck_assert_int_lt(listened.last, 0);
    return 0;
}

static int forbidden(void)
{
    const char *heard = front_ask("GET /forbidden HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                                  "Sec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                                  "Connection: Upgrade\r\n");

    front_has(heard, "HTTP/1.1 403 ");
    front_has(heard, "\r\n\r\nnot you\n<end>");
    /* Not what one asks for that has a body, or is not a GET. */
    heard = front_ask("POST /forbidden HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                      "Content-Length: 0\r\nConnection: Upgrade\r\n");
    front_has(heard, "HTTP/1.1 403 ");
    ck_assert_int_eq(listened.begun, 2);
    return 0;
}

static void messages_go_both_ways(void)
{
    front_play(talk, echo, NULL);
}

static void what_is_said_first_arrives(void)
{
    front_play(said_first, echo, NULL);
}

static void a_reset_goes_through(void)
{
    front_play(reset, echo, NULL);
}

static void a_refusal_goes_through(void)
{
    front_play(forbidden, echo, NULL);
}

/* --- servers that answer otherwise ------------------------------------------------------------ */

#define ASK(path)                                                                                  \
    "GET " path " HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: keep-alive, "           \
    "Upgrade\r\n"

static const struct canned answers[] = {
    {"/plain", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
    {"/chunked",
     "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
    {"/other", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"},
    {"/raw", ".HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n"
             "Sec-WebSocket-Accept: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nraw"},
    {"/odd", "HTTP/1.1 101 Switching Protocols\r\nUpgrade : websocket\r\n\r\n"},
    {"/folded", "HTTP/1.1 101 Switching Protocols\r\nUpgrade:\r\n websocket\r\n\r\n"},
    {"/no-http", "220 a ESMTP\r\n\r\n"},
    {"/status", "HTTP/1.1 1010 Odd\r\n\r\n"},
    {"/no-word", "."},
    {"/silent", ""},
    {"/field", "HTTP/1.1 403 No\r\nX\001: a\r\nContent-Length: 0\r\n\r\n"},
    {"/304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 700\r\n\r\n"},
    {"/cut", ".HTTP/1.1 403 Forbidden\r\nContent-Length: 700\r\n\r\nhalf"},
    {"/stalls", "HTTP/1.1 403 Forbidden\r\nContent-Length: 700\r\n\r\nhalf"},
    {NULL, NULL},
};

static int otherwise(void)
{
    const char *heard = front_ask(ASK("/plain"));

    front_has(heard, "HTTP/1.1 200 ");
    front_has(heard, "\r\n\r\nok<end>");
    heard = front_ask(ASK("/chunked"));
    front_has(heard, "HTTP/1.1 404 ");
    front_has(heard, "\r\nContent-Length: 0\r\n");
    heard = front_ask(ASK("/raw"));
    front_has(heard, "HTTP/1.1 101 ");
    front_has(heard, "\r\nUpgrade: websocket\r\n");
    front_has(heard, "\r\nSec-WebSocket-Accept: x\r\n");
    front_has(heard, "\r\n\r\nraw");
    front_has(front_ask(ASK("/field")), "HTTP/1.1 502 ");
    for (size_t i = 0; i < 6; i++) {
        static const char *const heads[] = {ASK("/other"),   ASK("/odd"),    ASK("/folded"),
                                            ASK("/no-http"), ASK("/status"), ASK("/no-word")};

        front_has(front_ask(heads[i]), "HTTP/1.1 502 ");
    }
    front_has(front_ask(ASK("/silent")), "HTTP/1.1 504 ");
    front_has(front_ask(ASK("/304")), "HTTP/1.1 304 ");
    front_has(front_ask(ASK("/cut")), "HTTP/1.1 502 ");
    front_has(front_ask(ASK("/stalls")), "HTTP/1.1 504 ");
    return 0;
}

static int dead(void)
{
    front_has(front_ask(ASK("/dead")), "HTTP/1.1 502 ");
    return 0;
}

static void other_answers_are_no_tunnel(void)
{
    front_play_canned(otherwise, answers, (const char *const[]){"--silence=1", NULL});
}

static void nobody_is_there(void)
{
    front_play(dead, echo, (const char *const[]){"-r", "/dead=http://127.0.0.1:1", NULL});
}

static const struct suite_case cases[] = {
    plain_case(messages_go_both_ways),       plain_case(what_is_said_first_arrives),
    plain_case(a_reset_goes_through),        plain_case(a_refusal_goes_through),
    plain_case(other_answers_are_no_tunnel), plain_case(nobody_is_there),
};

test_suite("reverse_tunnel", cases);
