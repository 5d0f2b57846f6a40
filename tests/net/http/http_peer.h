/* One connection of the server (http_server.c), and what answers are made of. */
#ifndef TESTS_NET_HTTP_HTTP_PEER_H
#define TESTS_NET_HTTP_HTTP_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/net/http/http_server.h"

#define HTTP_HEAD_BYTES 65536

struct http_peer {
    int fd;
    size_t held; /* bytes in `head`, the next request's included */
    char head[HTTP_HEAD_BYTES + 1];
};

/* Of the server that this process is. */
extern struct http_counts *http_counts;

/* false: the client has gone away. */
bool http_send(const struct http_peer *peer, const void *bytes, size_t count);
__attribute__((format(printf, 2, 3))) bool http_say(const struct http_peer *peer,
                                                    const char *format, ...);
bool http_answer(const struct http_peer *peer, int status, const char *extra, const void *body,
                 size_t bytes);
/* Until the client has closed; false. */
bool http_linger(const struct http_peer *peer);
void http_nap_ms(long ms);

/* http_odd.c: whether it knows the path, and whether the connection goes on. */
bool http_serve_odd(struct http_peer *peer, const char *path, size_t head_bytes, bool *more);

#endif
