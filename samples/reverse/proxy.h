/* A request, handed on: pass.c by the HTTP client, tunnel.c where it leaves HTTP. */
#ifndef SAMPLES_REVERSE_PROXY_H
#define SAMPLES_REVERSE_PROXY_H

#include "samples/reverse/fields.h"

struct proxy {
    struct options options;
    /* Keeps connections to the servers behind. */
    struct bight_http_session *session;
};

/* The handler of the server; `arg` is a struct proxy. */
int proxy_answer(struct bight_exchange *exchange, void *arg);

/* pass.c */
int proxy_pass(struct bight_exchange *exchange, const struct proxy *proxy,
               const struct route *route);

/* tunnel.c */
/* Whether the request wants to go on as a WebSocket, the only protocol that is let through. */
bool proxy_is_websocket(struct bight_exchange *exchange);
int proxy_tunnel(struct bight_exchange *exchange, const struct proxy *proxy,
                 const struct route *route);
/* The same over a connection that there is; takes `server`. */
int proxy_tunnel_over(struct bight_exchange *exchange, const struct proxy *proxy,
                      const struct route *route, struct bight_stream *server);

/* proxy.c */
/* The target as the server behind gets it: the path and query, as they came. */
const char *proxy_target(struct bight_exchange *exchange);
/* The server behind has not answered, which `code` and `text` say why: 502 or 504 to the client.
 * What is not its fault is handed back. */
int proxy_refuse(struct bight_exchange *exchange, const struct route *route, int code,
                 const char *text);
/* It has begun to and has not ended: so does the answer to the client. Returns `code`. */
int proxy_break_off(struct bight_exchange *exchange, const struct route *route, int code,
                    const char *text);

#endif
