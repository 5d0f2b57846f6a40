/* What the suites of WebSocket share: a server at one end of a pair in memory, in virtual time, and
 * at the other end frames as they are on the wire, or a client of ours. */
#ifndef TESTS_NET_WEBSOCKET_FRAMES_H
#define TESTS_NET_WEBSOCKET_FRAMES_H

#include <bight.h>
#include <bight/websocket.h>

#include "tests/net/server/talk.h"

/* The head of a request that is in order but for what `more` lines change. */
#define ASK_BEGIN                                                                                  \
    "GET /chat HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"     \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
#define ASK ASK_BEGIN "\r\n"
/* The answer to it: RFC 6455 1.3. */
#define AGREED_BEGIN                                                                               \
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"                                  \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nUpgrade: websocket\r\n"

/* The server's end, while its handler runs, and what the last handler's body returned. */
extern struct bight_websocket *frames_socket;
extern int frames_result;
/* The stream below that. */
extern struct bight_stream *frames_stream;
/* The server's options; NULL: the defaults. */
extern const struct bight_http_serve_options *frames_options;

/* Serve talk_client's other end: accept, and run `body`. */
void frames_serve(int (*body)(struct bight_websocket *socket),
                  const struct bight_websocket_options *options,
                  const struct bight_stream_pair_options *pair);
/* The same, with the handshake done by plain text. */
void frames_begin(int (*body)(struct bight_websocket *socket),
                  const struct bight_websocket_options *options);
/* The same, with a client of ours. */
struct bight_websocket *frames_connect(int (*body)(struct bight_websocket *socket),
                                       const struct bight_websocket_options *options,
                                       const struct bight_websocket_options *client_options,
                                       const struct bight_stream_pair_options *pair);
/* Free that client, and talk_end. */
int frames_leave(struct bight_websocket *client);
/* talk_end, and insist that the last body returned `code`. */
int frames_end(int code);

/* Write a masked frame: its first byte, and the payload. */
void frames_say_bytes(unsigned first, const void *payload, size_t bytes);
void frames_say(unsigned first, const char *payload);
/* What the server has sent by now must be this. `ends`: and then its end, or a reset. */
void frames_expect_bytes(const void *wanted, size_t bytes, const char *ends);
#define frames_expect(literal) frames_expect_bytes(literal, sizeof(literal) - 1, "")
#define frames_expect_end(literal) frames_expect_bytes(literal, sizeof(literal) - 1, "<end>")

/* Bodies: send each message back, until the end; the code that ended it is in frames_result. */
int frames_echo(struct bight_websocket *socket);
/* The same in pieces. */
int frames_echo_pieces(struct bight_websocket *socket);
/* Sleep for long. */
int frames_wait(struct bight_websocket *socket);

#endif
