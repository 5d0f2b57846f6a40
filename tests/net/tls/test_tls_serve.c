/* net/tls/serve.c and connect: servers with a task per connection, on loopback, and what becomes of
 * clients that are none. */
#include "tests/net/tls/wire.h"

#include <openssl/ssl.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness/support.h"

static struct bight_listener *listener;
static uint16_t port;
static struct bight_tls_context *server_context, *client_context;
static struct bight_task *server;
static struct bight_tls_serve_options how;
static int failures, last_failure, handled;

static void on_failure(void *arg, const struct bight_stream *stream, int code)
{
    char text[64];

    (void)arg;
    failures++;
    last_failure = code;
    ck_assert_ptr_nonnull(bight_stream_describe(stream, text, sizeof(text)));
}

/* Answers each line; "fail" is a failure, and "bye" the end. */
static int answers(struct bight_stream *stream, void *arg)
{
    char line[256];
    int64_t length;

    (void)arg;
    handled++;
    while ((length = bight_stream_read_line(stream, line, sizeof(line) - 1)) >= 0) {
        int rc;

        if (strcmp(line, "fail") == 0)
            return BIGHT_EIO;
        if (strcmp(line, "bye") == 0)
            return 0;
        line[length++] = '\n';
        rc = bight_stream_write(stream, line, (size_t)length);
        if (rc)
            return rc;
    }
    return length == BIGHT_EOF ? 0 : (int)length;
}

/* A handler of a plain server that forgets what it has made. */
static int leaves_a_layer(struct bight_stream *below, void *arg)
{
    struct bight_stream *stream;

    (void)arg;
    handled++;
    return bight_tls_server(&stream, below, server_context, NULL, NULL);
}

static int serve_forgetful(void *arg)
{
    (void)arg;
    return bight_serve(listener, leaves_a_layer, NULL, &how.serve);
}

static int serve(void *arg)
{
    (void)arg;
    return bight_tls_serve(listener, server_context, answers, NULL, &how);
}

static void serve_begin_as(int (*main)(void *arg), const struct bight_tls_serve_options *options)
{
    struct bight_address address;

    how = options ? *options : (struct bight_tls_serve_options){0};
    how.serve.on_failure = on_failure;
    failures = last_failure = handled = 0;
    server_context = wire_server_context(NULL, &localhost);
    client_context = wire_client_context(NULL);
    ck_ok(bight_tcp_listen(&listener, "127.0.0.1", 0, NULL));
    ck_ok(bight_listener_address(listener, &address));
    port = address.port;
    ck_ok(bight_spawn(&server, main, NULL));
}

static void serve_begin(const struct bight_tls_serve_options *options)
{
    serve_begin_as(serve, options);
}

static void serve_end(void)
{
    int status;

    ck_ok(bight_listener_close(listener));
    ck_ok(bight_join(server, &status));
    ck_ok(status);
    ck_ok(bight_listener_end(listener));
    bight_tls_context_free(server_context);
    bight_tls_context_free(client_context);
}

static struct bight_stream *dial(void)
{
    struct bight_stream *stream = NULL;
    struct bight_tls_failure failure;
    int rc = bight_tls_connect(&stream, "127.0.0.1", port, client_context, NULL, &failure);

    if (rc)
        ck_abort_msg("no connection: %s", failure.text);
    return stream;
}

static void ask(struct bight_stream *stream, const char *question)
{
    char line[256];

    ck_ok(bight_stream_write(stream, question, strlen(question)));
    ck_ok(bight_stream_write(stream, "\n", 1));
    ck_assert_int_ge(bight_stream_read_line(stream, line, sizeof(line)), 0);
    ck_assert_str_eq(line, question);
}

static int many(void *arg)
{
    struct bight_stream *clients[21];
    struct bight_tls_info info;
    char byte;

    (void)arg;
    serve_begin(NULL);
    for (int i = 0; i < 20; i++)
        clients[i] = dial();
    for (int i = 0; i < 20; i++)
        ask(clients[i], "who is there?");
    clients[20] = dial(); /* with a ticket, by bight_tls_connect's own key */
    ck_ok(bight_tls_get_info(clients[20], &info));
    ck_assert(info.resumed);
    for (int i = 0; i < 21; i++) {
        ck_ok(bight_stream_write(clients[i], "bye\n", 4));
        ck_assert_int_eq(bight_stream_read(clients[i], &byte, 1), 0); /* properly */
        ck_ok(bight_stream_end(clients[i], 1000));
    }
    ck_assert_int_eq(handled, 21);
    ck_assert_int_eq(failures, 0);
    serve_end();
    return 0;
}

/* A handler that fails leaves no answer that looks whole. */
static int failed_handler(void *arg)
{
    struct bight_stream *client;
    char byte;

    (void)arg;
    serve_begin(NULL);
    client = dial();
    ask(client, "fine");
    ck_ok(bight_stream_write(client, "fail\n", 5));
    ck_assert_int_lt(bight_stream_read(client, &byte, 1), 0);
    ck_ok(bight_stream_end(client, 0));
    ck_assert_int_eq(failures, 1);
    ck_code(last_failure, BIGHT_EIO);
    serve_end();
    return 0;
}

static void wait_for_failure(int count)
{
    while (failures < count)
        ck_ok(bight_sleep(1));
}

/* Those who do not speak TLS, say nothing, go away, or do not believe us. */
static int no_clients(void *arg)
{
    const struct bight_tls_serve_options options = {.handshake_ms = 50};
    const struct bight_tls_context_options distrustful = {.ca_pem = stranger.pem.certificate};
    struct bight_tls_context *context = wire_client_context(&distrustful);
    struct bight_tls_failure failure;
    struct bight_stream *client;
    char bytes[64];
    int64_t count;

    (void)arg;
    serve_begin(&options);
    ck_ok(bight_tcp_connect(&client, "127.0.0.1", port, NULL, NULL));
    ck_ok(bight_stream_write(client, "\x16\x03\x01\x00\x04\x05\x00\x00\x00", 9));
    wait_for_failure(1);
    ck_code(last_failure, BIGHT_ETLS);
    count = bight_stream_read(client, bytes, sizeof(bytes));
    ck_assert_int_eq(count, 7); /* it is told so by an alert */
    ck_assert_int_eq(bytes[0], 0x15);
    ck_ok(bight_stream_end(client, 0));
    ck_ok(bight_tcp_connect(&client, "127.0.0.1", port, NULL, NULL));
    wait_for_failure(2);
    ck_code(last_failure, BIGHT_ETIMEDOUT);
    ck_ok(bight_stream_end(client, 0));
    ck_ok(bight_tcp_connect(&client, "127.0.0.1", port, NULL, NULL));
    ck_ok(bight_stream_end(client, 0));
    wait_for_failure(3);
    ck_code(last_failure, BIGHT_EOF);
    ck_code(bight_tls_connect(&client, "127.0.0.1", port, context, NULL, &failure), BIGHT_ETLS);
    ck_assert_int_eq(failure.verify_code, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    wait_for_failure(4);
    ck_code(last_failure, BIGHT_ETLS);
    ck_assert_int_eq(handled, 0);
    client = dial();
    ask(client, "still here?");
    ck_ok(bight_stream_end(client, 1000));
    bight_tls_context_free(context);
    serve_end();
    return 0;
}

/* Drained: handlers that take too long are cancelled. */
static int drained(void *arg)
{
    const struct bight_tls_serve_options options = {.serve = {.drain_ms = 20, .end_ms = 20}};
    struct bight_stream *client;
    char byte;

    (void)arg;
    serve_begin(&options);
    client = dial();
    ask(client, "I stay");
    ck_ok(bight_listener_close(listener));
    ck_assert_int_lt(bight_stream_read(client, &byte, 1), 0);
    ck_ok(bight_stream_end(client, 0));
    ck_ok(bight_join(server, NULL));
    ck_ok(bight_listener_end(listener));
    bight_tls_context_free(server_context);
    bight_tls_context_free(client_context);
    return 0;
}

static int nobody_there(void *arg)
{
    struct bight_tls_failure failure;
    struct bight_stream *stream;
    struct sockaddr_in address;
    int fd = test_bound_socket(&address);

    (void)arg;
    ck_code(bight_tls_connect(&stream, "127.0.0.1", ntohs(address.sin_port), NULL, NULL, &failure),
            BIGHT_ECONNREFUSED);
    ck_assert_str_eq(failure.text, bight_strerror(BIGHT_ECONNREFUSED));
    close(fd);
    return 0;
}

static int forgotten(void *arg)
{
    struct bight_stream *stream;
    char byte;

    (void)arg;
    serve_begin_as(serve_forgetful, NULL);
    stream = dial();
    ck_code((int)bight_stream_read(stream, &byte, 1), BIGHT_ECONNRESET);
    ck_assert_int_eq(handled, 1);
    ck_assert_int_eq(failures, 1);
    ck_code(last_failure, BIGHT_EBUSY);
    bight_stream_abort(stream);
    serve_end();
    return 0;
}

static int drained_reported(int (*body)(void *arg), void *arg)
{
    struct world_reports reports = {0};
    int rc = world_run(body, arg, &reports);

    ck_assert_uint_eq(reports.count[BIGHT_REPORT_PROGRAM], 1);
    return rc;
}

static const struct suite_case cases[] = {
    world_case(many_clients_are_served, many),
    world_case(a_failed_handler_resets_the_connection, failed_handler),
    world_case(who_is_no_client_is_told_and_reported, no_clients),
    body_case(a_drain_cancels_who_remains, drained_reported, drained),
    world_case(a_layer_that_a_handler_left_is_a_failure, forgotten),
    world_case(a_connect_to_nobody_says_so, nobody_there),
};

test_suite("tls_serve", cases, .open = wire_open, .close = wire_close);
