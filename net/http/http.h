/* Inside of the HTTP client. http_request.c is the direct-style part that tasks run: limits, names,
 * redirects. http_transfer.c is one hop on one pooled easy handle; http_multi.c joins libcurl to
 * libuv; http_limits.c has origins and slots; http_session.c makes and ends it all.
 *
 * Who calls whom: tasks call libcurl (add, remove, pause), libuv's callbacks call it (socket_action),
 * libcurl's callbacks call only us, and there nothing of libcurl may be called. */
#ifndef BIGHT_NET_HTTP_HTTP_H
#define BIGHT_NET_HTTP_HTTP_H

#include <string.h>

#include <curl/curl.h>
#include <uv.h>

#include <bight/curl.h>
#include <bight/http.h>

#include "coro/base/hash.h"
#include "net/resolve/resolve.h"
#include "runtime/runtime.h"

#define HTTP_HOST_BYTES 256

/* How long libcurl keeps a name that it was told. */
#define HTTP_LIBCURL_CACHE_SECONDS 480L

/* Why a callback of ours made libcurl give up although nothing is wrong: the body of a redirect is
 * too long to be worth reading. Not an error code. */
#define HTTP_CUT_SHORT 1

/* What bight has to know of a URL; `text` is what libcurl gets. */
struct http_url {
    bool https;
    bool literal; /* the host is an IP address: nothing to resolve */
    uint16_t port;
    char host[HTTP_HOST_BYTES]; /* lower-case ASCII; literals as in the URL, without brackets */
};

/* Bytes that grow. */
struct http_buffer {
    char *data;
    size_t bytes;
    size_t capacity;
};

/* A header block: lines as they came, or once `split`, name NUL value NUL and so on. */
struct http_headers {
    struct http_buffer text;
    size_t count; /* valid when split */
    bool split;
};

/* Scheme, host and port: the unit of the limit per host, and of what libcurl was told about names.
 * Kept for a while when unused. */
struct http_origin {
    struct hash_node place;
    struct bight_link idle;    /* in the session's list while refs is 0 */
    struct bight_link waiting; /* slot waiters, FIFO */
    uint64_t fed_until_ns;     /* until when libcurl's own cache has the right addresses */
    uint64_t fed_serial;
    int active; /* slots taken */
    unsigned refs;
    uint16_t port;
    bool https;
    bool literal;
    bool large; /* the last body was: read in larger pieces */
    char host[];
};

/* A task that waits for its slot: first in its origin's queue, then, with the origin's slot in hand,
 * in the session's. Both are FIFO, so nobody who waits for a full host holds up the others. */
struct http_slot_waiter {
    struct bight_waiter waiter;
    struct bight_http_session *session;
    struct http_origin *origin;
    bool has_origin_slot;
};

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_OTHER, /* anything that leaves options behind on the easy handle */
};

/* One hop: an easy handle and its error buffer, pooled. Options that all requests share are set once
 * and for all; the fields say which of the others are set now. */
struct http_transfer {
    CURL *easy;
    struct bight_http_session *session;
    struct bight_http_response *response; /* NULL in the pool */
    struct http_origin *origin;
    struct http_transfer *next; /* in the pool */
    struct curl_slist *headers; /* one block of memory, ours */
    struct curl_slist addresses;
    char *addresses_text;
    enum http_method method;
    bool https;
    bool large;
    bool resolve_set;
    uint64_t fed_until_ns; /* how long the addresses it was given are good; 0: it was given none */
    bool tainted;          /* not to be used again */
    unsigned sent;         /* how many times the request went out */
    bool paused;
    bool filtered;               /* the address filter refused one ... */
    bool allowed;                /* ... let one pass */
    struct bight_link attempts;  /* its sockets that are not connected yet */
    struct bight_link attention; /* in session->attention, or by itself */
    int code;                    /* why a callback made libcurl fail; 0: it did not */
    int socket_code;             /* why the last socket could not be opened */
    char error[CURL_ERROR_SIZE];
};

/* A socket that libcurl watches. One opened through our callback keeps its handle until libcurl
 * closes it; of any other we only hear. */
struct http_watch {
    uv_poll_t poll;
    struct bight_http_session *session;
    struct http_transfer *transfer; /* which connects it; NULL when it did or was given up */
    struct bight_link attempt;      /* in transfer->attempts */
    curl_socket_t fd;
    uint8_t want; /* what libcurl waits for: UV_READABLE, UV_WRITABLE */
    uint8_t have; /* what libuv watches for */
    bool foreign;
    bool connected; /* seen to be, so that libcurl will not close it without our callback */
};

/* What a request asks for, its defaults filled in. */
struct http_plan {
    const char *method;
    const char *const *headers;
    const void *body;
    size_t body_bytes;
    int max_redirects; /* negative: none is followed */
    bool became_get;   /* by a redirect: headers about the body stay behind */
    bool crossed;      /* into another origin: headers and credentials stay behind */
    const struct bight_http_request *request;
};

struct bight_http_response {
    struct bight_link link;             /* in session->live, or session->responses when pooled */
    struct bight_http_session *session; /* NULL when it was closed */
    struct http_transfer *transfer;     /* NULL when nothing is on the wire */
    struct bight_waiter *waiter;        /* the task that waits for something to happen */
    struct resolve_waiter *resolving;
    struct http_slot_waiter *queued;

    struct bight_task *caller; /* the task inside bight_http_fetch or bight_http_open for it */
    bool reading;              /* a task is inside bight_http_read */
    bool collect;              /* the whole body is wanted at once */
    bool follow;               /* 3xx with a location is a hop */
    bool headers_done;         /* of a final response */
    bool hop;                  /* the response is a redirect to follow */
    bool done;                 /* the last byte was there */
    bool head;                 /* the request is a HEAD */
    bool provisional;          /* a block has ended, which may not be the last */
    bool in_block;             /* between a status line and the empty line */
    int status;
    int version;
    bool encoded;            /* there is a Content-Encoding */
    uint64_t content_length; /* UINT64_MAX: unknown */
    struct http_buffer url;
    struct http_headers headers;
    struct http_buffer body; /* collected, or read from the network but not yet by the task */
    size_t body_taken;       /* of `body`, by the task */
    uint64_t header_bytes;   /* of this hop */
    uint64_t received;       /* decoded bytes of the body */
    curl_off_t sent;         /* of the request's body, when last looked at */
    uint64_t max_body_bytes;
    char *reader; /* where the waiting task wants the next bytes */
    size_t reader_bytes;
    size_t reader_filled;

    uint64_t start_ns;
    uint64_t started_ns;
    uint64_t headers_ns;
    uint64_t done_ns;
    uint64_t deadline_ns; /* UINT64_MAX: none */
    int64_t idle_ms;      /* negative: none */
    uint64_t active_ms;   /* loop time of the last byte */
    unsigned hops;
    struct bight_http_error error;
};

struct bight_http_session {
    struct bight_plugin plugin; /* closes a session that was left open */
    struct bight_runtime *runtime;
    CURLM *multi;
    uv_timer_t timer;
    uint64_t timer_due_ms; /* what the uv timer is armed for, in the loop's time; UINT64_MAX: not */
    uint64_t due_ms;       /* when libcurl wants to be called; UINT64_MAX: never */
    bool forgets_to_go_on; /* libcurl does, when an attempt to connect failed */
    bool spoils_handles;   /* libcurl does, with every response */
    struct bight_link attention; /* transfers that libcurl has left behind, see http_multi.c */
    struct http_watch **watches; /* by descriptor */
    size_t watch_count;
    size_t handles;                            /* of libuv, not yet called back as closed */
    struct bight_http_session_options options; /* defaults filled in, strings our own */
    struct bight_resolver *resolver;
    bool owns_resolver;
    bool closing;
    size_t calls;                      /* tasks inside a call on this session */
    struct bight_waiter *awaits_calls; /* the closer: until `calls` is 0, then ... */
    struct bight_waiter *awaits_handles;

    struct hash_table origins;
    struct bight_link idle_origins; /* least recently used first */
    size_t idle_origin_count;
    uint64_t fed_serial;
    int active;
    struct bight_link queue; /* slot waiters that have their origin's slot */
    size_t waiting;

    struct http_transfer *pool;
    size_t pooled;
    struct bight_link live;
    struct bight_link responses;
    size_t response_count;
    struct bight_http_stats stats;
};

static inline const struct bight_seams *http_seams(const struct bight_http_session *session)
{
    return &session->runtime->sched.seams;
}

/* http_url.c: take apart the URL in `text`, which ends with a NUL, and bring it into the form that
 * libcurl gets and no version of it changes: 0; BIGHT_EINVAL for what is no URL, BIGHT_ENOTSUP for
 * one that is neither http nor https; BIGHT_ENOMEM. */
int bight__http_url_parse(const struct bight_seams *seams, struct http_buffer *text,
                          struct http_url *out);
bool bight__http_same_origin(const struct http_url *a, const struct http_url *b);
/* Append to `out` where `location` leads from `base`, which was parsed, and a NUL. It is not yet
 * parsed itself. */
int bight__http_url_join(const struct bight_seams *seams, const char *base, const char *location,
                         struct http_buffer *out);

/* http_check.c: what must not reach the wire. */
bool bight__http_valid_value(const char *text);
bool bight__http_valid_token(const char *text, size_t bytes);
int bight__http_check_headers(const char *const *headers);

/* http_limits.c */
int bight__http_origin_get(struct bight_http_session *session, const struct http_url *url,
                           struct http_origin **out);
void bight__http_origin_put(struct bight_http_session *session, struct http_origin *origin);
/* True: a slot is taken. Never ahead of somebody who waits. */
bool bight__http_slot_try(struct bight_http_session *session, struct http_origin *origin);
/* Wait for a slot; 0: it is taken. Bounded by the scopes around it. */
int bight__http_slot_wait(struct bight_http_session *session, struct bight_http_response *response,
                          struct http_origin *origin);
void bight__http_slot_give(struct bight_http_session *session, struct http_origin *origin);
void bight__http_slot_interrupt(struct http_slot_waiter *waiter, int code);
/* Whether libcurl still knows the origin's addresses; that it does now. */
bool bight__http_origin_fed(const struct bight_http_session *session,
                            const struct http_origin *origin);
void bight__http_origin_feed(struct bight_http_session *session, struct http_origin *origin,
                             uint64_t fresh_until_ns);
int bight__http_limits_init(struct bight_http_session *session);
void bight__http_limits_fini(struct bight_http_session *session);

/* http_multi.c */
int bight__http_multi_init(struct bight_http_session *session);
/* Close every connection and handle. session->handles falls to 0 in the loop. */
void bight__http_multi_fini(struct bight_http_session *session);
/* The transfer is off the multi handle: what is known of it here must be forgotten. */
void bight__http_multi_forget(struct http_transfer *transfer);
curl_socket_t bight__http_on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to);
int bight__http_on_close(void *arg, curl_socket_t fd);

/* http_transfer.c */
/* Put `response`'s request on the wire; the slot is taken. On failure nothing has begun. */
int bight__http_transfer_start(struct bight_http_response *response, const struct http_plan *plan,
                               const struct http_url *url, struct http_origin *origin,
                               const struct bight_resolved *resolved);
/* libcurl is done with it: called outside of libcurl's callbacks. */
void bight__http_transfer_done(struct http_transfer *transfer, CURLcode result);
/* Take it off the wire, whatever it is doing; the slot is given back. */
void bight__http_transfer_abort(struct http_transfer *transfer);
/* Let a paused transfer go on. */
void bight__http_transfer_resume(struct http_transfer *transfer);
void bight__http_transfer_destroy(struct http_transfer *transfer);

/* http_receive.c: libcurl's callbacks for header lines and body. */
size_t bight__http_on_header(char *line, size_t size, size_t count, void *arg);
/* Take a response that libcurl might have answered itself for the final one, since it did not. */
int bight__http_settle(struct bight_http_response *response);
size_t bight__http_on_body(char *bytes, size_t size, size_t count, void *arg);

/* http_request.c */
/* Wait until `response` changes: 0, BIGHT_ETIMEDOUT (recorded), BIGHT_ECANCELED. */
int bight__http_wait(struct bight_http_response *response);

/* http_session.c */
/* Around every call that may suspend: the session is not freed meanwhile. Not when it is closing. */
void bight__http_call_begin(struct bight_http_session *session);
void bight__http_call_end(struct bight_http_response *response, struct bight_http_session *session);
/* A libuv handle of the session has been closed; the last one may free the session. */
void bight__http_handle_closed(struct bight_http_session *session);

/* http_response.c */
struct bight_http_response *bight__http_response_new(struct bight_http_session *session);
/* Something happened: let the waiting task look. */
void bight__http_wake(struct bight_http_response *response);
void bight__http_response_destroy(struct bight_http_response *response);

/* http_buffer.c */
int bight__http_buffer_reserve(const struct bight_seams *seams, struct http_buffer *buffer,
                               size_t more);

static inline int bight__http_buffer_append(const struct bight_seams *seams,
                                            struct http_buffer *buffer, const char *bytes,
                                            size_t count)
{
    int rc = buffer->capacity - buffer->bytes >= count
                 ? 0
                 : bight__http_buffer_reserve(seams, buffer, count);

    if (rc < 0)
        return rc;
    memcpy(buffer->data + buffer->bytes, bytes, count);
    buffer->bytes += count;
    return 0;
}

void bight__http_buffer_free(struct http_buffer *buffer);

/* http_headers.c */
void bight__http_headers_clear(struct http_headers *headers);
int bight__http_headers_add(const struct bight_seams *seams, struct http_headers *headers,
                            const char *line, size_t bytes);
/* The value of the first header of that name, NULL for none. */
const char *bight__http_headers_find(struct http_headers *headers, const char *name);
int bight__http_headers_at(struct http_headers *headers, size_t index, const char **name,
                           const char **value);

/* http_error.c: fill in response->error, unless it has been already, and give its code. */
int bight__http_fail(struct bight_http_response *response, enum bight_http_failure kind, int code,
                     const char *text);
int bight__http_fail_curl(struct bight_http_response *response,
                          const struct http_transfer *transfer, CURLcode result);
enum bight_http_failure bight__http_kind(int code);

#endif
