/* See frames.h. */
#include "tests/net/websocket/frames.h"

#include <string.h>

struct bight_websocket *frames_socket;
int frames_result;
struct bight_stream *frames_stream;
const struct bight_http_serve_options *frames_options;

static struct bight_websocket_options how;
static int (*run)(struct bight_websocket *socket);

static int handle(struct bight_exchange *exchange, void *arg)
{
    int rc = bight_websocket_accept(&frames_socket, exchange, &how);

    (void)arg;
    talk_calls++;
    if (rc)
        return rc;
    frames_stream = bight_exchange_stream(exchange);
    rc = run(frames_socket);
    frames_result = rc;
    ck_ok(bight_websocket_free(frames_socket));
    frames_socket = NULL;
    return rc == BIGHT_ECANCELED ? rc : 0;
}

void frames_serve(int (*body)(struct bight_websocket *socket),
                  const struct bight_websocket_options *options,
                  const struct bight_stream_pair_options *pair)
{
    run = body;
    how = options ? *options : (struct bight_websocket_options){0};
    frames_socket = NULL;
    frames_result = 1;
    talk_begin_over(handle, frames_options, pair);
}

void frames_begin(int (*body)(struct bight_websocket *socket),
                  const struct bight_websocket_options *options)
{
    frames_serve(body, options, NULL);
    ck_assert_str_eq(talk_ask(ASK, 101), AGREED_BEGIN "\r\n");
}

struct bight_websocket *frames_connect(int (*body)(struct bight_websocket *socket),
                                       const struct bight_websocket_options *options,
                                       const struct bight_websocket_options *client_options,
                                       const struct bight_stream_pair_options *pair)
{
    struct bight_websocket *client;
    int status;

    frames_serve(body, options, pair);
    ck_ok(bight_websocket_connect(&client, talk_client, "example.org", "/chat", client_options,
                                  &status));
    ck_assert_int_eq(status, 101);
    return client;
}

int frames_leave(struct bight_websocket *client)
{
    ck_ok(bight_websocket_free(client));
    return talk_end();
}

int frames_end(int code)
{
    int rc = talk_end();

    ck_assert_int_eq(frames_result, code);
    return rc;
}

void frames_say_bytes(unsigned first, const void *payload, size_t bytes)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    const uint8_t *data = payload;
    static uint8_t frame[1 << 17];
    size_t at = 0;

    ck_assert_uint_lt(bytes, sizeof(frame) - 16);
    frame[at++] = (uint8_t)first;
    if (bytes < 126) {
        frame[at++] = (uint8_t)(0x80 | bytes);
    } else {
        unsigned size = bytes < 65536 ? 2 : 8;

        frame[at++] = size == 2 ? 0xfe : 0xff;
        while (size--)
            frame[at++] = (uint8_t)(bytes >> size * 8);
    }
    memcpy(frame + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < bytes; i++)
        frame[at++] = data[i] ^ mask[i % 4];
    ck_ok(bight_stream_write(talk_client, frame, at));
}

void frames_say(unsigned first, const char *payload)
{
    frames_say_bytes(first, payload, strlen(payload));
}

void frames_expect_bytes(const void *wanted, size_t bytes, const char *ends)
{
    static uint8_t heard[1 << 17];
    size_t length = 0;
    int64_t count;

    world_settle();
    while ((count = bight_stream_try_read(talk_client, heard + length, sizeof(heard) - length)) >
           0) {
        length += (size_t)count;
        world_settle();
    }
    ck_assert_uint_eq(length, bytes);
    ck_assert_mem_eq(heard, wanted, bytes);
    ck_assert_str_eq(count == 0 ? "<end>" : count == BIGHT_EAGAIN ? "" : "<reset>", ends);
}

int frames_echo(struct bight_websocket *socket)
{
    struct bight_websocket_message message;
    int rc;

    while ((rc = bight_websocket_receive(socket, &message)) == 0 &&
           (rc = bight_websocket_send(socket, message.type, message.data, message.bytes)) == 0)
        ck_assert_int_eq(message.data[message.bytes], '\0');
    return rc;
}

int frames_echo_pieces(struct bight_websocket *socket)
{
    enum bight_websocket_type type;
    char piece[7];
    int64_t count = 0;
    int rc;

    while ((rc = bight_websocket_next(socket, &type)) == 0) {
        while ((count = bight_websocket_read(socket, piece, sizeof(piece))) > 0)
            ck_ok(bight_websocket_send_part(socket, type, piece, (size_t)count, false));
        if (count < 0)
            return (int)count;
        ck_ok(bight_websocket_send_part(socket, type, NULL, 0, true));
    }
    return rc;
}

int frames_wait(struct bight_websocket *socket)
{
    (void)socket;
    return bight_sleep(1000000);
}
