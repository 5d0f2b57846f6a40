/* An HTTP server that behaves as its paths say, in a forked child, so that the test's own
 * descriptors and threads stay countable. Start it before the runtime. */
#ifndef TESTS_NET_HTTP_HTTP_SERVER_H
#define TESTS_NET_HTTP_HTTP_SERVER_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

/* Nearly 96 MiB, which are 0.6 MB in gzip. */
#define HTTP_BOMB_BYTES 100663345

/* In memory shared with the child. */
struct http_counts {
    atomic_int connections; /* accepted */
    atomic_int requests;    /* request heads read */
    atomic_int serving;     /* requests of /later being answered now */
    atomic_int most_serving;
    atomic_int unasked;   /* said on idle connections */
    atomic_int hung_up;   /* such a connection was closed by the client */
    atomic_int swallowed; /* requests that came in the midst of a body */
    atomic_int taken;     /* bodies of requests that /greedy has had whole */
    atomic_long sent;     /* bytes of bodies */
};

struct http_server {
    pid_t pid;
    uint16_t port;
    struct http_counts *counts;
};

/* Paths:
 *   /ok             "ok", kept open        /bytes/N     N bytes with a length
 *   /close          "ok", then closed      /chunked/N   N bytes, chunked
 *   /echo           the request as body    /gzip        "hello" in gzip
 *   /status/N       that status            /bomb        HTTP_BOMB_BYTES of zeros in gzip
 *   /to/URL         302 there, as written  /status-to/N/URL
 *   /hops/N         302 to /hops/N-1, at 0 "ok"
 *   /silent         reads, never answers   /stall       headers and a byte, no more
 *   /short          too long a length      /rst         half a body, then a reset
 *   /garbage        no HTTP at all         /headers     headers without end
 *   /early          103 before the 200     /folded      odd headers
 *   /long-redirect  302 with 1 MiB body    /drip        a byte of body each 30 ms
 *   /dead           closes without a word  /later       "ok" after 30 ms
 *   /reset-next     "ok", and a reset for the next request on that connection
 *   /no-body        401, of no body        /exit        the whole server ends
 *   /long-header    a line of 110 KB       /secret      401 until Digest is tried
 *   /unasked/WHAT   "page", and after 20 ms WHAT: 408, 200, crlf, junk, fin, reset or flood
 *   /unasked/chunked/WHAT   the same after a chunk of 40000 bytes
 *   /extension      of a chunk, without end
 *   /ill-framed/N   no response, number N; 404 beyond the last
 *   /well-framed/N  an odd one with the body "abc"
 *   /early-dead     103, and closes without another word
 *   /early/STATUS   with "Expect" that status before the body, which is read afterwards
 *   /greedy         half of 400000 bytes, the other when it has the request's body
 *   /mirror         the request's body as it comes
 *   /cut/WHAT       500000 of 1000000 bytes, and then fin or reset
 *   /sluggish       takes the request's body 64 KiB at a time, each 10 ms
 *   /say            the request's body, headers and all, is the answer
 *   /say-close      likewise, and then closed
 *   /say-bytes      likewise, seven bytes of it each ms */
void http_server_start(struct http_server *server);
void http_server_stop(struct http_server *server);

/* "http://127.0.0.1:PORT/PATH" in one of a few static buffers. */
const char *http_server_url(const struct http_server *server, const char *path);

/* Wait (in a task) until `counter` is at least `wanted`; fails the test after 10 s. */
void http_await(atomic_int *counter, int wanted);

#endif
