/* The three parts of a request. The call is in progress while a task is inside bight_http_fetch or
 * bight_http_open, and lies on that task's stack. The response is what the user gets in the end.
 * The hop is what is being received into the response; after several hops, the last one stays. The
 * transfer (transfer.h) stands between a hop and the wire, and is all that libcurl knows. */
#ifndef BIGHT_NET_HTTP_RESPONSE_H
#define BIGHT_NET_HTTP_RESPONSE_H

#include <curl/curl.h>

#include <bight/http.h>
#include <bight/time.h>

#include "coro/base/units.h"
#include "net/http/buffer.h"
#include "net/http/session.h"
#include "net/http/url.h"

struct http_transfer;

/* How far the hop has come. */
enum http_phase {
    HTTP_AWAITED,   /* no header block has begun, or a provisional one (1xx) has ended */
    HTTP_IN_BLOCK,  /* between a status line and the empty line */
    HTTP_UNSETTLED, /* a block ended that libcurl may answer itself: another may follow */
    HTTP_REDIRECT,  /* it is a redirect to follow; its body is dropped */
    HTTP_BODY,      /* it is the final response; its body comes */
    HTTP_COMPLETE,  /* the last byte of the response has come */
};

struct http_hop {
    enum http_phase phase;
    bool follow;             /* 3xx with a location is a redirect */
    bool head;               /* the request is a HEAD */
    bool again;              /* nothing came of it, and it may be begun once more */
    bool encoded;            /* there is a Content-Encoding; in the body, one to undo */
    bool chunked;            /* there is a Transfer-Encoding: Content-Length says nothing */
    bool framing;            /* the last line was one of the two */
    uint64_t content_length; /* UINT64_MAX: unknown */
    uint64_t header_bytes;
    uint64_t body_bytes;  /* decoded */
    uint64_t active_ms;   /* loop time of the last byte */
    curl_off_t sent;      /* of the request's body, at the last look */
    uint64_t resolved_ns; /* when things happened; 0: not yet, or not at all */
    uint64_t connected_ns;
    uint64_t secured_ns;
    uint64_t sent_ns;
    uint64_t first_byte_ns;
    uint16_t remote_port;
    char remote[BIGHT_ADDRESS_TEXT_BYTES]; /* empty: not known */
};

/* Where the task inside bight_http_read wants the next bytes. It lies on that task's stack. */
struct http_reader {
    char *buffer;
    size_t bytes; /* equal to `filled` when nothing may be written */
    size_t filled;
};

struct bight_http_response {
    struct bight_link link;             /* in session->live, or session->responses when pooled */
    struct bight_http_session *session; /* NULL when the session was closed */
    struct http_call *call;             /* the call it is for; NULL when the user has it */
    struct http_transfer *transfer;     /* NULL when nothing is on the wire */
    struct bight_waiter *waiter;        /* the task that waits for something to happen */
    struct http_reader *reader;         /* NULL when no task reads */
    size_t read_bytes;                  /* the largest buffer it was read into */
    struct http_hop hop;
    bool collect; /* the whole body is wanted at once */
    int status;
    int version;
    struct http_buffer url;
    struct http_headers headers;
    struct http_headers trailers;
    struct http_buffer history; /* redirects, see history.c */
    struct http_buffer text;    /* the body in UTF-8 and a NUL; empty: nobody asked */
    struct http_buffer body; /* collected, or read from the network and not yet taken by the task */
    struct http_buffer sent; /* the request's body, where it was made here */
    struct http_feed *feed;  /* of a request with a source; NULL: without, or not begun */
    size_t body_taken;       /* how much of `body` the task has taken */

    uint64_t max_body_bytes;
    uint64_t deadline_ns; /* UINT64_MAX: none */
    int64_t idle_ms;      /* negative: none */

    uint64_t start_ns; /* when things happened; 0: not yet */
    uint64_t started_ns;
    uint64_t headers_ns;
    uint64_t done_ns;
    unsigned redirects; /* followed */
    struct bight_http_error error;
};

/* Whose header lines go out, most important first: one is left out where an earlier list has a line
 * of that name. */
enum { HTTP_LINES_REQUEST, HTTP_LINES_BODY, HTTP_LINES_SESSION, HTTP_LINE_LISTS };

/* What goes on the wire at the next hop. */
struct http_plan {
    const char *method;
    const char *const *lines[HTTP_LINE_LISTS]; /* each up to a NULL, or NULL */
    const void *body;
    size_t body_bytes;
    struct bight_http_upload *upload;
    bool traced;     /* with the task's trace context */
    bool became_get; /* by a redirect: drop the headers about the body */
    bool crossed;    /* into another origin: drop headers and credentials */
};

struct http_call {
    struct bight_http_response *response;
    const struct bight_http_request *request;
    struct bight_task *task;
    struct http_slot_waiter *queued; /* NULL when it does not wait for a slot */
    struct resolve_waiter *resolving;
    int max_redirects;   /* negative: follow none */
    struct http_url url; /* of the hop; its text is response->url */
    struct http_plan plan;
    const char *body_lines[2]; /* HTTP_LINES_BODY: what its kind is */
    struct http_multipart *multipart;
    bool afresh; /* the hop is begun once more: over a new connection */
};

/* response.c */
struct bight_http_response *bight__http_response_new(struct bight_http_session *session);
void bight__http_response_destroy(struct bight_http_response *response);

/* call.c: hop after hop, to the final response's end, or its headers if it is to be streamed. */
int bight__http_call_run(struct http_call *call, const char *url);

/* target.c: make response->url and call->url those of the request for `url`. BIGHT_EINVAL
 * (recorded) when there is none; BIGHT_ENOMEM. */
int bight__http_target(struct http_call *call, const char *url);

/* source.c: the request's source, and the task that writes it. It ends within the call; what the
 * transfer has of it stays until the response is freed. */
struct http_feed {
    struct bight_http_upload upload;
    struct bight_http_source source;
    struct bight_http_response *response;
    const struct bight_task *task; /* NULL before and after */
    bool running;                  /* it has not ended, or not begun */
    bool wanted;                   /* the call goes on: it fails with what the source fails with */
};

/* bight__http_call_run of a call with a source. */
int bight__http_feed_run(struct http_call *call, const char *url);

/* Whether the call goes on because of it, when the headers of a response to stream have come.
 * libcurl does not send the rest of a body after a status from 300 on. */
static inline bool http_is_fed(const struct bight_http_response *response)
{
    return response->feed && response->feed->running && response->status < 300;
}

/* redirect.c: follow the redirect that was received: response->url, call->url and call->plan become
 * those of the next hop. */
int bight__http_redirect(struct http_call *call);

/* history.c: note that the response leads away from its URL. 0 or BIGHT_ENOMEM. */
int bight__http_history_add(struct bight_http_response *response, bool crosses_origin);

/* wait.c */
/* Wait until `response` changes: 0, BIGHT_ETIMEDOUT (recorded), BIGHT_ECANCELED. */
int bight__http_wait(struct bight_http_response *response);
/* Something happened: wake the waiting task, so that it looks. */
void bight__http_wake(struct bight_http_response *response);

/* error.c: fill in response->error, unless it is filled in already, and return its code. */
int bight__http_fail(struct bight_http_response *response, enum bight_http_failure kind, int code,
                     const char *text);
int bight__http_fail_curl(struct bight_http_response *response,
                          const struct http_transfer *transfer, CURLcode result);
enum bight_http_failure bight__http_kind(int code);

static inline int http_fail_late(struct bight_http_response *response, const char *text)
{
    return bight__http_fail(response, BIGHT_HTTP_TIMEOUT, BIGHT_ETIMEDOUT, text);
}

/* What is left of the request's time, in ms; negative: there is no limit. */
static inline int64_t http_time_left(const struct bight_http_response *response)
{
    uint64_t now_ns;

    if (response->deadline_ns == UINT64_MAX)
        return -1;
    now_ns = bight_now_ns();
    return response->deadline_ns <= now_ns ? 0 : (int64_t)ms_ceil(response->deadline_ns - now_ns);
}

/* The shorter of two times to wait; negative means for ever. */
static inline int64_t http_sooner(int64_t a_ms, int64_t b_ms)
{
    if (a_ms < 0)
        return b_ms;
    return b_ms < 0 || a_ms < b_ms ? a_ms : b_ms;
}

#endif
