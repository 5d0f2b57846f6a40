/* The session: what all its calls share, and what keeps it alive. session.c makes and closes it,
 * lifetime.c counts the tasks inside; the last one out frees it. */
#ifndef BIGHT_NET_HTTP_SESSION_H
#define BIGHT_NET_HTTP_SESSION_H

#include <curl/curl.h>
#include <uv.h>

#include <bight/http.h>

#include "coro/base/hash.h"
#include "net/http/buffer.h"
#include "runtime/door.h"

struct http_origin;
struct http_transfer;
struct http_watch;

struct bight_http_session {
    struct bight_plugin plugin; /* closes a session that was left open */
    struct bight_runtime *runtime;
    const struct bight_seams *seams;
    uv_loop_t *loop;
    struct bight_http_session_options options; /* defaults filled in, strings our own */
    char *accept_line;                         /* the header Accept-Encoding; NULL: not sent */
    struct http_buffer base;                   /* the URL of that name and a NUL; empty: none */
    struct bight_resolver *resolver;
    bool owns_resolver;
    bool closing;
    size_t calls;                      /* tasks inside a call on this session */
    size_t handles;                    /* libuv handles that have not been called back as closed */
    struct bight_waiter *awaits_calls; /* the task that closes: until `calls` is 0, then ... */
    struct bight_waiter *awaits_handles;

    /* multi.c */
    CURLM *multi;
    uv_timer_t timer;
    uint64_t timer_due_ms; /* when the uv timer will fire, in the loop's time; UINT64_MAX: never */
    uint64_t due_ms;       /* when libcurl wants to be called; UINT64_MAX: never */
    uint64_t added_ms;     /* when the loop looked last, as new transfers wait; UINT64_MAX: none */
    bool forgets_to_go_on; /* this libcurl does, when an attempt to connect failed */
    bool spoils_handles;   /* this libcurl does, with every response */
    struct bight_link attention; /* transfers that libcurl has left behind, see multi.c */
    struct http_watch **watches; /* by descriptor */
    size_t watch_count;
    uv_timer_t sweep_timer; /* idle.c; active while connections are shut down or in doubt */
    size_t spent;           /* connections that are shut down */
    uv_timer_t held_timer;  /* held.c; active while there are such: */
    struct bight_link held; /* transfers that libcurl may hold back, the first for longest */

    /* limits.c and names.c */
    struct hash_table origins;
    struct bight_link idle_origins; /* least recently used first */
    size_t idle_origin_count;
    uint64_t fed_serial;
    int active;
    struct bight_link queue; /* slot waiters that have their origin's slot */
    size_t waiting;

    /* transfer.c and response.c */
    struct http_transfer *pool;
    size_t pooled;
    struct bight_link live;
    struct bight_link responses;
    size_t response_count;
    struct bight_http_stats stats;
};

/* Goes around every call that may suspend: it keeps the session, which is not closing, alive. */
static inline void http_call_begin(struct bight_http_session *session)
{
    session->calls++;
}

/* Whether it belongs to the runtime of another thread. */
static inline bool http_is_foreign(const struct bight_http_session *session)
{
    return session->loop != bight_uv_loop();
}

/* target.c: copy what of `options` goes with every request. What is there of it when it fails,
 * bight__http_session_free frees. */
int bight__http_defaults_init(struct bight_http_session *session,
                              const struct bight_http_session_options *options);

/* lifetime.c */
void bight__http_call_end(struct bight_http_response *response, struct bight_http_session *session);
/* The same for a call that has made no response. */
void bight__http_call_leave(struct bight_http_session *session);
/* libuv has closed one of the session's handles; the last one may free the session. */
void bight__http_handle_closed(struct bight_http_session *session);
void bight__http_session_free(struct bight_http_session *session);

#endif
