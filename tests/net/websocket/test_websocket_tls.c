/* WebSocket over TLS, as in wss://: the server's by bight_http_serve_options.layer, the client's on
 * a stream of bight_tls_client. */
#include "tests/net/tls/wire.h"
#include "tests/net/websocket/frames.h"

#include <string.h>

#define LARGE_BYTES 300000

static struct bight_tls_context *server_context, *client_context;
static char large[LARGE_BYTES];

static int make_tls(void *arg, struct bight_stream **stream)
{
    const struct bight_tls_options options = {.keep_below = true};

    (void)arg;
    return bight_tls_server(stream, *stream, server_context, &options, NULL);
}

static struct bight_websocket *connect_with_tls(int (*body)(struct bight_websocket *socket))
{
    static const struct bight_websocket_options larger = {.max_message_bytes = LARGE_BYTES};
    static const struct bight_http_serve_options with_tls = {.layer = make_tls};
    struct bight_websocket *client;
    struct bight_stream *plain;

    frames_options = &with_tls;
    server_context = wire_server_context(NULL, &localhost);
    client_context = wire_client_context(NULL);
    frames_serve(body, &larger, NULL);
    plain = talk_client;
    ck_ok(bight_tls_client(&talk_client, plain, "localhost", client_context, NULL, NULL));
    ck_ok(bight_websocket_connect(&client, talk_client, "localhost", "/chat", &larger, NULL));
    return client;
}

static int leave(struct bight_websocket *client)
{
    int status = frames_leave(client);

    bight_tls_context_free(server_context);
    bight_tls_context_free(client_context);
    return status;
}

static void expect(struct bight_websocket *socket, size_t bytes)
{
    struct bight_websocket_message message;

    ck_ok(bight_websocket_receive(socket, &message));
    ck_assert_uint_eq(message.bytes, bytes);
    ck_assert_mem_eq(message.data, large, bytes);
}

static int echoes(void *arg)
{
    static const size_t sizes[] = {0, 1, 125, 126, 16384, 16385, 65535, 65536, 100000};
    struct bight_websocket *client = connect_with_tls(frames_echo);

    (void)arg;
    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = (char)(i * 7);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        ck_ok(bight_websocket_send(client, BIGHT_WEBSOCKET_BINARY, large, sizes[i]));
        expect(client, sizes[i]);
    }
    ck_ok(bight_websocket_close(client, 1000, "done", 1000));
    ck_code(frames_result, BIGHT_EOF);
    return leave(client);
}

static int send_large(void *arg)
{
    return bight_websocket_send(arg, BIGHT_WEBSOCKET_BINARY, large, sizeof(large));
}

/* Each side sends more than there is room for before it receives. */
static int speak(struct bight_websocket *socket)
{
    struct bight_task *task;
    int status;

    ck_ok(bight_spawn(&task, send_large, socket));
    expect(socket, sizeof(large));
    ck_ok(bight_join(task, &status));
    return status;
}

static int both_ways(void *arg)
{
    struct bight_websocket *client = connect_with_tls(speak);

    (void)arg;
    ck_ok(speak(client));
    return leave(client);
}

static int cut_off(void *arg)
{
    struct bight_websocket *client = connect_with_tls(frames_echo);

    (void)arg;
    bight_stream_abort(talk_client);
    talk_client = NULL;
    ck_assert(talk_is_over());
    ck_code(frames_result, BIGHT_ECONNRESET);
    (void)leave(client);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(messages_of_all_lengths_come_back_through_tls, echoes),
    world_case(both_sides_may_send_much_at_once_through_tls, both_ways),
    world_case(a_reset_below_tls_ends_a_receive, cut_off),
};

test_suite("websocket_tls", cases, .open = wire_open, .close = wire_close);
