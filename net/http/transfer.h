/* One hop on the wire: transfer.c puts it there and takes it off, multi.c and watch.c join libcurl
 * to libuv.
 * This is what libcurl points at; it lives in the heap, whatever becomes of the task and its
 * call. */
#ifndef BIGHT_NET_HTTP_TRANSFER_H
#define BIGHT_NET_HTTP_TRANSFER_H

#include <bight/curl.h>

#include "coro/base/list.h"
#include "net/http/session.h"
#include "net/http/url.h"

struct bight_resolved;
struct http_call;
struct http_decoder;

/* Why a callback of ours made libcurl give up although nothing is wrong: the body of a redirect is
 * too long to be worth reading. Not an error code. */
#define HTTP_CUT_SHORT 1
/* The same: the request is to be sent again over a new connection. */
#define HTTP_SEND_AGAIN 2

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_OTHER, /* anything that leaves options behind on the easy handle */
};

/* An easy handle and its error buffer, pooled. Options that all requests share are set once and for
 * all; the fields say which of the others are set now. */
struct http_transfer {
    CURL *easy;
    struct bight_http_session *session;
    struct bight_http_response *response; /* NULL in the pool */
    struct http_origin *origin;
    struct http_transfer *next; /* in the pool */
    struct curl_slist *headers; /* one block of memory, ours */
    struct curl_slist accept;   /* Accept-Encoding; its data is NULL when none is sent */
    struct curl_slist addresses;
    char *addresses_text;
    struct bight_http_upload *upload;
    enum http_method method;
    unsigned read_bytes; /* CURLOPT_BUFFERSIZE */
    bool pipewait;       /* CURLOPT_PIPEWAIT is set */
    bool resolve_set;
    bool tainted; /* a request's hook has had it: not to be used again */
    bool spoiled; /* it has options that hooks may have set otherwise: not to be used again */
    bool paused;
    bool paused_once;             /* it was or is */
    bool resuming;                /* libcurl hands out what it has kept */
    bool filtered;                /* the address filter refused one ... */
    bool allowed;                 /* ... let one pass */
    struct http_decoder *decoder; /* of a body that is coded, from its first byte on */
    size_t decoded;               /* of what libcurl will hand over again after the pause */
    bool may_repeat;              /* the request may be sent twice */
    bool repeated;                /* it was */
    bool opened;                  /* a socket was opened for it since */
    bool afresh;                  /* CURLOPT_FRESH_CONNECT is set */
    unsigned sent;                /* how many times the request went out, and of the last time: */
    curl_off_t sent_bytes;        /* how much had been sent before, */
    uint64_t heard_bytes;         /* and received */
    uint64_t fed_until_ns;        /* how long the addresses it was given are good; 0: none given */
    int local_port;               /* of the connection that it was sent on */
    struct bight_link attempts;   /* its sockets that are not connected yet */
    struct bight_link held;       /* in session->held, or by itself */
    uint64_t held_ms;             /* since when, in the loop's time */
    struct bight_link attention;  /* in session->attention, or by itself */
    int code;                     /* why a callback made libcurl fail; 0: it did not */
    int socket_code;              /* why the last socket could not be opened */
    char error[CURL_ERROR_SIZE];
};

/* Whether it may have a body to send; a hook may have given it one. */
static inline bool http_may_send(const struct http_transfer *transfer)
{
    return transfer->method == HTTP_OTHER || transfer->tainted;
}

/* How much is read at a time of a body of which nothing is known. */
#define HTTP_SMALL_READ_BYTES (16u << 10)

/* The list of the session's own headers; NULL for none. */
static inline struct curl_slist *http_own_headers(struct http_transfer *transfer)
{
    return transfer->accept.data ? &transfer->accept : NULL;
}

static inline int http_run_hook(const struct bight_curl_hook *hook, CURL *easy)
{
    int rc = hook ? hook->prepare(hook->arg, easy) : 0;

    return rc > 0 ? BIGHT_EINVAL : rc;
}

/* handle.c: a handle of the pool, or a new one: 0, BIGHT_ENOMEM, or what the session's hook
 * returned. */
int bight__http_handle_take(struct bight_http_session *session, struct http_transfer **out);
/* Undo what the next user of the handle may not find, and keep it if it is worth keeping. */
void bight__http_handle_give(struct http_transfer *transfer);
void bight__http_handle_destroy(struct http_transfer *transfer);

/* prepare.c: set what the call's next hop needs. On failure only a part of it may be set. */
int bight__http_prepare(struct http_transfer *transfer, const struct http_call *call,
                        const struct bight_resolved *resolved);

/* transfer.c */
/* Put the call's next hop on the wire; the slot is taken. `resolved` is NULL where libcurl has the
 * addresses; otherwise they are good until `fresh_until_ns`. On failure nothing has begun. */
int bight__http_transfer_start(struct http_call *call, struct http_origin *origin,
                               const struct bight_resolved *resolved, uint64_t fresh_until_ns);
/* libcurl is done with it: called outside of libcurl's callbacks. */
void bight__http_transfer_done(struct http_transfer *transfer, CURLcode result);
/* Take it off the wire, whatever it is doing; the slot is given back. */
void bight__http_transfer_abort(struct http_transfer *transfer);
/* Let a paused transfer go on. */
void bight__http_transfer_resume(struct http_transfer *transfer);
/* There is more of the request's body to send: BIGHT_ENOMEM (the transfer has ended) or 0. */
int bight__http_transfer_feed(struct http_transfer *transfer);

/* multi.c */
int bight__http_multi_init(struct bight_http_session *session);
/* Close every connection and handle. session->handles falls to 0 in the loop. */
void bight__http_multi_fini(struct bight_http_session *session);
/* 0 or BIGHT_ENOMEM. */
int bight__http_multi_add(struct http_transfer *transfer);
/* What is known of it here is forgotten. */
void bight__http_multi_remove(struct http_transfer *transfer);
/* Tell libcurl what `fd` is ready for, and finish what ended. */
void bight__http_multi_act(struct bight_http_session *session, curl_socket_t fd, int events);
/* libcurl may leave the transfer as it is: look after the present call of it. */
void bight__http_multi_attend(struct http_transfer *transfer);
/* Call libcurl at once. From a task, which nothing else runs beside meanwhile. */
void bight__http_multi_now(struct bight_http_session *session);
/* Call libcurl in the loop's next turn. */
void bight__http_multi_soon(struct bight_http_session *session);

/* held.c: the transfer may wait for what others find out about its origin. */
void bight__http_held_begin(struct http_transfer *transfer);
/* It does not, or no longer. */
static inline void http_held_end(struct http_transfer *transfer)
{
    link_remove(&transfer->held);
}

/* idle.c: give up idle connections on which something came that the loop has not told us of. */
void bight__http_idle_look(struct bight_http_session *session);

/* watch.c: libcurl's callbacks for sockets. */
int bight__http_on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused);
curl_socket_t bight__http_on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to);
int bight__http_on_close(void *arg, curl_socket_t fd);
/* The transfer leaves. */
void bight__http_watches_forget(struct http_transfer *transfer);
/* It goes on after a pause: whether libcurl wants nothing more of its socket, where something has
 * come all the same. */
bool bight__http_watch_has_more(const struct http_transfer *transfer);
/* It has left, and has paused: its socket counts as idle, unless others use it. */
void bight__http_watch_settle(const struct http_transfer *transfer);
void bight__http_watches_free(struct bight_http_session *session);

/* upload.c */
/* The transfer is to send it. */
void bight__http_upload_begin(struct bight_http_upload *upload, struct http_transfer *transfer);
/* It does not any longer; `again`: another one will, for nothing was taken yet. */
void bight__http_upload_end(struct bight_http_upload *upload, bool again);
/* Whether all of it was written and taken. */
bool bight__http_upload_is_whole(const struct bight_http_upload *upload);
/* libcurl's callback for bytes of the request's body. */
size_t bight__http_on_upload(char *to, size_t size, size_t count, void *arg);

/* repeat.c */
bool bight__http_may_repeat(const struct http_call *call);
/* The request went out, at least in part, and nothing came since. What libcurl sends after an
 * answer, such as credentials that the peer asked for, is another request. */
bool bight__http_is_unanswered(const struct http_transfer *transfer);
/* The request went out, may not do so again, and nothing came of it: nobody knows what it did. */
bool bight__http_is_lost(const struct http_transfer *transfer);
/* Whether the call is to begin the hop anew, which libcurl might have done and did not. */
bool bight__http_left_to_us(struct http_transfer *transfer, CURLcode result);
int bight__http_on_send(void *arg, char *to, char *from, int to_port, int from_port);

/* receive.c: libcurl's callback for header lines. */
size_t bight__http_on_header(char *line, size_t size, size_t count, void *arg);
/* Take a response that libcurl might have answered itself for the final one, since it did not. */
int bight__http_settle(struct bight_http_response *response);

/* body.c: libcurl's callback for bytes of the body. */
size_t bight__http_on_body(char *bytes, size_t size, size_t count, void *arg);
/* libcurl says that the body is over: 0, or BIGHT_EPROTOCOL (recorded) when its coding is not. */
int bight__http_body_end(struct http_transfer *transfer);
/* Before the transfer is used again. */
void bight__http_body_forget(struct http_transfer *transfer);

#endif
