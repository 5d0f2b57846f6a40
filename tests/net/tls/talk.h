/* What the suites of TLS streams share: the two ends of one connection, and what they say. */
#ifndef TESTS_NET_TLS_TALK_H
#define TESTS_NET_TLS_TALK_H

#include "tests/net/tls/wire.h"

extern struct wire_end client, server;

/* Over a pair in memory. */
void both_open(const struct bight_stream_pair_options *options);
void both_end(void);
/* The connection below ends, and nobody said so: of the server the suite keeps the stream below,
 * which is left when the one above is aborted. */
void keep_below(void);
/* The usual two over a connection on loopback. */
uint16_t sockets_open(bool kept);

void say(struct bight_stream *stream, const char *text);
void hear(struct bight_stream *stream, const char *text);
/* Bytes that are known by their place. */
void fill(char *bytes, size_t count, size_t place);

#endif
