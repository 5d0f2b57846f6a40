/* One hop on the wire: transfer.c puts it there and takes it off, multi.c joins libcurl to libuv.
 * This is what libcurl points at; it lives in the heap, whatever becomes of the task and its
 * call. */
#ifndef BIGHT_NET_HTTP_TRANSFER_H
#define BIGHT_NET_HTTP_TRANSFER_H

#include <bight/curl.h>

#include "net/http/session.h"
#include "net/http/url.h"

struct bight_resolved;
struct http_call;
struct http_decoder;

/* Why a callback of ours made libcurl give up although nothing is wrong: the body of a redirect is
 * too long to be worth reading. Not an error code. */
#define HTTP_CUT_SHORT 1

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
    enum http_method method;
    bool https;
    bool large;
    bool resolve_set;
    bool tainted; /* not to be used again */
    bool paused;
    bool filtered;                /* the address filter refused one ... */
    bool allowed;                 /* ... let one pass */
    struct http_decoder *decoder; /* of a body that is coded, from its first byte on */
    size_t decoded;               /* of what libcurl will hand over again after the pause */
    unsigned sent;                /* how many times the request went out */
    uint64_t fed_until_ns;        /* how long the addresses it was given are good; 0: none given */
    struct bight_link attempts;   /* its sockets that are not connected yet */
    struct bight_link attention;  /* in session->attention, or by itself */
    int code;                     /* why a callback made libcurl fail; 0: it did not */
    int socket_code;              /* why the last socket could not be opened */
    char error[CURL_ERROR_SIZE];
};

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
void bight__http_transfer_destroy(struct http_transfer *transfer);

/* multi.c */
int bight__http_multi_init(struct bight_http_session *session);
/* Close every connection and handle. session->handles falls to 0 in the loop. */
void bight__http_multi_fini(struct bight_http_session *session);
/* 0 or BIGHT_ENOMEM. */
int bight__http_multi_add(struct http_transfer *transfer);
/* What is known of it here is forgotten. */
void bight__http_multi_remove(struct http_transfer *transfer);
/* libcurl's callbacks for connections. */
curl_socket_t bight__http_on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to);
int bight__http_on_send(void *arg, char *to, char *from, int to_port, int from_port);
int bight__http_on_close(void *arg, curl_socket_t fd);

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
