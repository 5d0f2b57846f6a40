/* A socket that libcurl watches: watch.c has it while libcurl wants something of it, idle.c while
 * it is kept for the next request. */
#ifndef BIGHT_NET_HTTP_WATCH_H
#define BIGHT_NET_HTTP_WATCH_H

#include "net/http/transfer.h"

/* One opened through our callback keeps its handle until libcurl closes it; of any other we only
 * hear. */
struct http_watch {
    uv_poll_t poll;
    struct bight_http_session *session;
    struct http_transfer *transfer; /* which connects it; NULL when it did or was given up */
    struct bight_link attempt;      /* in transfer->attempts */
    curl_socket_t fd;
    int port;      /* its own; 0 until it is connected */
    uint8_t want;  /* what libcurl waits for: UV_READABLE, UV_WRITABLE */
    uint8_t have;  /* what libuv watches for */
    uint8_t grace; /* how often it may be ready in vain while what uses it is paused */
    bool foreign;
    bool connected; /* seen to be, so that libcurl will not close it without our callback */
    bool streams;   /* HTTP/2: several transfers may use it, and the peer may speak unasked */
    bool spent;     /* shut down; libcurl does not know it yet */
};

/* watch.c */
void bight__http_watch_arm(struct http_watch *watch, int events);

/* idle.c: something has come, or may have come, on a socket of which libcurl wants nothing. */
void bight__http_idle_event(struct http_watch *watch);

#endif
