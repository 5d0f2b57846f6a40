/* A server with TLS between it and its connections: bight_http_serve_options.layer. */
#include "tests/net/server/talk.h"
#include "tests/net/tls/wire.h"

#include <string.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static struct bight_tls_context *server_context, *client_context;
static struct bight_stream *plain; /* the client's, below its TLS */
static int layer_code;

static int make_tls(void *arg, struct bight_stream **stream)
{
    const struct bight_tls_options options = {.keep_below = true};

    (void)arg;
    layer_code = bight_tls_server(stream, *stream, server_context, &options, NULL);
    return layer_code;
}

static const struct bight_http_serve_options with_tls = {.layer = make_tls};

static void begin(int (*handler)(struct bight_exchange *exchange, void *arg))
{
    server_context = wire_server_context(NULL, &localhost);
    client_context = wire_client_context(NULL);
    layer_code = 1;
    talk_begin(handler, &with_tls);
}

/* The client makes its handshake too. */
static void begin_both(int (*handler)(struct bight_exchange *exchange, void *arg))
{
    begin(handler);
    plain = talk_client;
    ck_ok(bight_tls_client(&talk_client, plain, "localhost", client_context, NULL, NULL));
}

static int end(void)
{
    int status = talk_end();

    bight_tls_context_free(server_context);
    bight_tls_context_free(client_context);
    return status;
}

static int requests(void *arg)
{
    (void)arg;
    begin_both(talk_echo);
    talk_ask(GET, 200);
    ck_assert_ptr_nonnull(
        strstr(talk_ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 200),
               "\r\n\r\nabc"));
    ck_assert_ptr_nonnull(
        strstr(talk_ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200), "<end>"));
    ck_assert_int_eq(talk_calls, 3);
    return end();
}

static int refusal(void *arg)
{
    (void)arg;
    begin_both(talk_hello);
    ck_assert_ptr_nonnull(strstr(talk_ask("nothing of the kind\r\n", 400), "<end>"));
    return end();
}

static int begins(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_ok(bight_exchange_begin(exchange, 200, -1));
    ck_ok(bight_exchange_write(exchange, "half", 4));
    return BIGHT_EIO;
}

/* No end that looks like one: also to a client to which the end of the connection is the end of the
 * answer. */
static int half_an_answer(void *arg)
{
    (void)arg;
    begin_both(begins);
    talk_say("GET / HTTP/1.0\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(talk_hear(), "<reset>"));
    ck_code(end(), BIGHT_EBROKEN);
    return 0;
}

static int sleeps(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    (void)exchange;
    talk_calls++;
    return bight_sleep(-1);
}

static int reset(void *arg)
{
    (void)arg;
    begin_both(sleeps);
    talk_say(GET);
    world_settle();
    ck_assert_int_eq(talk_calls, 1);
    bight_stream_abort(talk_client);
    talk_client = NULL;
    ck_assert(talk_is_over());
    ck_code(end(), BIGHT_ECONNRESET);
    return 0;
}

static int no_tls(void *arg)
{
    (void)arg;
    begin(talk_hello);
    talk_say(GET);
    ck_assert_ptr_null(strstr(talk_hear(), "HTTP"));
    ck_code(layer_code, BIGHT_ETLS);
    ck_assert_int_eq(talk_calls, 0);
    ck_code(end(), BIGHT_ETLS);
    return 0;
}

/* One that is refused before its handshake is not told in plain text what is not meant for it. */
static struct bight_listener *listener;

static int serve(void *arg)
{
    const struct bight_http_serve_options one = {.max_per_peer = 1, .layer = make_tls};

    return bight_http_serve(listener, talk_hello, arg, &one);
}

static int of_a_peer(void *arg)
{
    struct bight_stream *first, *second;
    struct bight_address address;
    struct bight_task *task;
    char byte;
    int status;

    ck_ok(bight_tcp_listen(&listener, "127.0.0.1", 0, NULL));
    ck_ok(bight_listener_address(listener, &address));
    server_context = wire_server_context(NULL, &localhost);
    ck_ok(bight_spawn(&task, serve, arg));
    ck_ok(bight_tcp_connect_address(&first, &address, NULL));
    ck_ok(bight_tcp_connect_address(&second, &address, NULL));
    ck_assert_int_eq(bight_stream_read(second, &byte, 1), 0);
    bight_stream_abort(second);
    ck_ok(bight_listener_close(listener));
    bight_stream_abort(first);
    ck_ok(bight_join(task, &status));
    bight_tls_context_free(server_context);
    ck_ok(bight_listener_end(listener));
    return status;
}

static const struct suite_case cases[] = {
    world_case(requests_go_through_a_layer, requests),
    world_case(a_refusal_too, refusal),
    world_case(half_an_answer_has_no_end, half_an_answer),
    world_case(a_reset_below_it_cancels_the_handler, reset),
    world_case(a_client_without_tls_is_left, no_tls),
    world_case(a_connection_too_many_is_left_without_a_word, of_a_peer),
};

test_suite("server_tls", cases, .open = wire_open, .close = wire_close);
