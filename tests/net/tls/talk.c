/* See talk.h. */
#include "tests/net/tls/talk.h"

#include <string.h>

struct wire_end client, server;

void both_open(const struct bight_stream_pair_options *options)
{
    wire_connect(&client, &server, options);
}

void both_end(void)
{
    wire_end(&client, &server);
}

void keep_below(void)
{
    client = (struct wire_end){.host = "localhost", .context = wire_client_context(NULL)};
    server = (struct wire_end){.context = wire_server_context(NULL, &localhost),
                               .options.keep_below = true};
    ck_ok(bight_stream_pair(&client.below, &server.below, NULL));
    wire_shake(&client, &server);
    ck_ok(client.code);
    ck_ok(server.code);
}

uint16_t sockets_open(bool kept)
{
    struct bight_listener *listener;
    struct bight_address address;

    client = (struct wire_end){.host = "localhost", .context = wire_client_context(NULL)};
    server = (struct wire_end){.context = wire_server_context(NULL, &localhost)};
    client.options.keep_below = server.options.keep_below = kept;
    ck_ok(bight_tcp_listen(&listener, "127.0.0.1", 0, NULL));
    ck_ok(bight_listener_address(listener, &address));
    ck_ok(bight_tcp_connect(&client.below, "127.0.0.1", address.port, NULL, NULL));
    ck_ok(bight_listener_accept(&server.below, listener));
    ck_ok(bight_listener_end(listener));
    wire_shake(&client, &server);
    ck_ok(client.code);
    ck_ok(server.code);
    return address.port;
}

void say(struct bight_stream *stream, const char *text)
{
    ck_ok(bight_stream_write(stream, text, strlen(text)));
}

void hear(struct bight_stream *stream, const char *text)
{
    char bytes[256];

    ck_ok(bight_stream_read_exactly(stream, bytes, strlen(text)));
    ck_assert_mem_eq(bytes, text, strlen(text));
}

void fill(char *bytes, size_t count, size_t place)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (char)((place + i) * 7 % 251);
}
