/* Origins and the slots under the limits (limits.c), and the names that libcurl knows (names.c). */
#ifndef BIGHT_NET_HTTP_LIMITS_H
#define BIGHT_NET_HTTP_LIMITS_H

#include <bight/waiter.h>

#include "net/http/session.h"

struct bight_resolved;
struct http_call;

/* How long libcurl keeps a name that it was given. */
#define HTTP_LIBCURL_CACHE_SECONDS 480

/* Scheme, host and port: the limit per host is for one origin, and so is the record of what libcurl
 * was told about its name. An unused origin is kept for a while. */
struct http_origin {
    struct hash_node place;
    struct bight_link idle;    /* in the session's list while refs is 0 */
    struct bight_link waiting; /* slot waiters, FIFO */
    uint64_t fed_until_ns;     /* until then libcurl's own cache has the right addresses */
    uint64_t fed_serial;
    int active; /* slots taken */
    unsigned refs;
    uint16_t port;
    bool https;
    bool literal;
    bool large;              /* the last body was large: read in larger pieces */
    unsigned streamed_bytes; /* which a streamed body was read in last; 0: none was */
    char host[];
};

/* A task that waits for its slot: first in its origin's queue, then, with the origin's slot in
 * hand, in the session's. Both are FIFO, so waiting for a full host holds up no others. */
struct http_slot_waiter {
    struct bight_waiter waiter;
    struct bight_http_session *session;
    struct http_origin *origin;
    bool has_origin_slot;
};

int bight__http_limits_init(struct bight_http_session *session);
void bight__http_limits_fini(struct bight_http_session *session);
/* Take a slot of the origin of call->url, never ahead of a task that waits: 0 and the origin. */
int bight__http_slot_take(struct http_call *call, struct http_origin **out);
void bight__http_slot_give(struct bight_http_session *session, struct http_origin *origin);
void bight__http_slot_interrupt(struct http_slot_waiter *waiter, int code);

/* names.c: make sure of the origin's addresses. 0: libcurl has them; 1: libcurl must be given
 * `resolved`, which is valid until *fresh_until_ns. */
int bight__http_names_get(struct http_call *call, const struct http_origin *origin,
                          struct bight_resolved *resolved, uint64_t *fresh_until_ns);
/* libcurl knows the origin's addresses now. */
void bight__http_names_fed(struct bight_http_session *session, struct http_origin *origin,
                           uint64_t fresh_until_ns);
/* libcurl knows none any more. */
void bight__http_names_forget(struct bight_http_session *session);

#endif
