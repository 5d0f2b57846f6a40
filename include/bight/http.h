/* The HTTP client: sessions with kept connections, requests in direct style. bight resolves names,
 * follows redirects and keeps the limits itself; libcurl (its multi interface, driven by the
 * runtime's loop) does TLS and the protocol. <bight/curl.h> gives access to its options.
 *
 *     struct bight_http_response *page;
 *     int rc = bight_http_get(&page, session, "https://example.org/", NULL);
 *     if (rc < 0)
 *         return rc;
 *     size_t bytes;
 *     const char *body = bight_http_response_body(page, &bytes);
 *     ...
 *     bight_http_response_free(page);
 */
#ifndef BIGHT_HTTP_H
#define BIGHT_HTTP_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/resolve.h>

BIGHT_BEGIN_DECLS

struct bight_curl_hook; /* <bight/curl.h> */
struct bight_http_session;
struct bight_http_response;
struct bight_file;
struct bight_file_replace_options;
struct bight_stream;
struct bight_waiter;

/* What went wrong, and the code that calls then return. */
enum bight_http_failure {
    BIGHT_HTTP_OK,
    /* The request is invalid: its URL, method or a header (BIGHT_EINVAL). */
    BIGHT_HTTP_REQUEST,
    /* The name was not resolved (BIGHT_ERESOLVE). */
    BIGHT_HTTP_RESOLVE,
    /* No connection (BIGHT_ECONNECT). */
    BIGHT_HTTP_CONNECT,
    /* Handshake, certificate (BIGHT_ETLS). */
    BIGHT_HTTP_TLS,
    /* One of the timeouts of request and session (BIGHT_ETIMEDOUT). */
    BIGHT_HTTP_TIMEOUT,
    /* What came was not HTTP, was cut short, or the connection broke (BIGHT_EPROTOCOL). */
    BIGHT_HTTP_PROTOCOL,
    /* Headers or body beyond the limit (BIGHT_ETOOBIG). */
    BIGHT_HTTP_TOO_BIG,
    /* More hops than allowed (BIGHT_EREDIRECTS). */
    BIGHT_HTTP_REDIRECTS,
    /* Refused by the address filter, by the redirect hook, or by the rules for redirects: another
     * scheme than http and https, or from https to http (BIGHT_EFORBIDDEN). */
    BIGHT_HTTP_FORBIDDEN,
    /* A scope around the call was cancelled (BIGHT_ECANCELED). */
    BIGHT_HTTP_CANCELLED,
    /* The session was ended meanwhile (BIGHT_ECLOSED). */
    BIGHT_HTTP_CLOSED,
    /* Want of memory, descriptors, threads, or a failed hook: `code` says which. */
    BIGHT_HTTP_SYSTEM,
    /* The connection ended after the request and before an answer: it may or may not have been
     * done, and is not sent again unless it may be (BIGHT_EUNKNOWNOUTCOME). */
    BIGHT_HTTP_UNKNOWN_OUTCOME,
};

/* What a code cannot carry. */
struct bight_http_error {
    enum bight_http_failure kind;
    /* What the call returned. */
    int code;
    /* The CURLcode, 0 when libcurl was not the one that failed. */
    int curl_code;
    /* The negative errno behind a failed connection, 0 when there is none. */
    int system_code;
    /* One line, without a newline. */
    char text[160];
};

/* One step of a redirect, shown to bight_http_request.on_redirect. */
struct bight_http_hop {
    const char *from;
    const char *to;
    /* 301, 302, 303, 307 or 308. */
    int status;
    /* 1 for the first. */
    unsigned number;
    /* `to` has another scheme, host or port than `from`: the request's headers are not sent
     * there. */
    bool crosses_origin;
};

/* Zero is the default for every field. Times: negative for none. */
struct bight_http_session_options {
    /* Transfers in flight in total, and per scheme, host and port; default 100 and 8; negative: no
     * limit. Requests beyond them wait in FIFO order. */
    int max_total;
    int max_per_host;
    /* Default "bight/VERSION"; "" sends none. */
    const char *user_agent;
    /* Content codings to ask for, as in Accept-Encoding; default all that the library was built
     * with: gzip and deflate (zlib), br (libbrotlidec), zstd (libzstd). A request with a header
     * Accept-Encoding or Range of its own does not send it. Unless this is "", which asks for none
     * and undoes none, those that the library was built with are undone, asked for or not.
     *
     * Several members of gzip, and zeros after the last, are the body; a body that ends before its
     * coding does, or is broken, or has more than four codings, is BIGHT_EPROTOCOL. A body with a
     * coding that is not known stays as it came, and so does that of a 206, a part of coded
     * bytes. */
    const char *accept_encoding;
    /* Per name; default 15,000. */
    int64_t resolve_timeout_ms;
    /* Per connection, TLS included; default 15,000. */
    int64_t connect_timeout_ms;
    /* Without a byte from the peer, or of the request's body to it, while a task waits; default
     * 60,000. While a body may be on its way it is up to a quarter more. */
    int64_t idle_timeout_ms;
    /* From the call to the last byte, waiting for the limits and redirects included; default
     * 300,000. */
    int64_t total_timeout_ms;
    /* Decoded bytes of a body; default 64 MiB; UINT64_MAX: no limit. */
    uint64_t max_body_bytes;
    /* Bytes of the header block; default 128 KiB. libcurl from 8.14 on takes 5,000 lines at
     * most. */
    size_t max_header_bytes;
    /* Default 10; negative: none is followed, a 3xx is a response like any other. */
    int max_redirects;
    /* How much of a streamed body, decoded, waits in memory before the transfer pauses; default 64
     * KiB. What one read from the network brought comes on top, coded if it is (256 KiB at most),
     * and what a decoder keeps (gzip 40 KiB, zstd 8 MiB, br 16 MiB at most), and with HTTP/2 what
     * the peer may send of a stream before it hears of the pause, which libcurl decides (up to 32
     * MiB in 7.88). */
    size_t buffer_bytes;
    /* The resolver to use instead of one of the session's own. */
    struct bight_resolver *resolver;
    /* Options of the session's own resolver. */
    struct bight_resolver_options resolve;
    /* Asked before each connection: 0 to go on, negative to refuse this address. Must not suspend
     * and must not use the session. */
    int (*filter)(void *arg, const struct bight_address *address);
    void *filter_arg;
    /* Called once for each easy handle that the session makes, to set options for all requests. */
    const struct bight_curl_hook *curl;
    /* Send the trace context of the requesting task, if it has one, as the headers traceparent and
     * tracestate; see <bight/trace_context.h>. Like the caller's headers it does not follow a
     * redirect to another origin: who that is, the caller did not know. */
    bool trace_context;
    /* "Name: value" strings up to a NULL that go with every request, as if they were among its own,
     * except those of a name that one of its own has: "Name:" there leaves it out. Like its own
     * they do not follow a redirect to another origin. */
    const char *const *headers;
    /* What relative URLs of requests are resolved against (RFC 3986), http or https: with
     * "https://host/v2/", "users?id=7" is below it and "/users" at the root of that host. One with
     * a scheme stays as it is, and "//other/" names another host: what comes from elsewhere is
     * checked by the caller. Default none: each URL has a scheme. */
    const char *base_url;
};

/* A body of a request that is written while it is sent, by another task than the one that waits
 * for the answer:
 *
 *     bight_http_upload_init(&upload, -1);
 *     request.upload = &upload;
 *     rc = bight_group_spawn(NULL, &group, NULL, write_body, &upload);
 *     if (rc == 0)
 *         rc = bight_http_fetch(&response, session, url, &request);
 *
 * and in write_body, while there is something, bight_http_upload_write, and bight_http_upload_close
 * at its end. All fields are private. */
struct bight_http_upload {
    int64_t bytes;    /* announced; negative: nobody knows */
    uint64_t taken;   /* of what was written, by libcurl */
    const char *data; /* of the write that waits, and how much of it is left */
    size_t left;
    struct bight_waiter *writer;
    void *transfer; /* which takes it; NULL before and after */
    bool used;      /* a request has it, or had it */
    bool closed;
    bool broken; /* a part is missing */
    bool over;   /* nobody takes more */
    bool hungry; /* the transfer has paused, for there was nothing to take */
};

/* Where the body of a request comes from, piece by piece while it is sent. A task of the request's
 * call reads it, in step with the peer; it has ended when the call returns. */
struct bight_http_source {
    /* Give the next piece, of at most `bytes` and no more than is left of a known length: how many
     * bytes; 0: that was all; a negative code, which the request then fails with. It may suspend,
     * and is cancelled when the request needs no more; it must not end the session. */
    int64_t (*read)(void *arg, void *buffer, size_t bytes);
    void *arg;
    /* How long the body is; negative: nobody knows, and it goes in chunks, which a server of
     * HTTP/1.0 does not understand. One that ends before is BIGHT_EOF. */
    int64_t bytes;
};

/* A name and its value in a query or a form: text in UTF-8, or other bytes up to a NUL. A list of
 * them ends with one whose name is NULL. */
struct bight_http_field {
    const char *name;
    const char *value; /* NULL: the name alone, without "=" */
};

/* A part of a body of multipart/form-data (RFC 7578): a field of a form, or a file. A list of them
 * ends with one whose name is NULL. Zero is the default for every other field. */
struct bight_http_part {
    const char *name;
    /* What is in it, one of the three at most: text; bytes; the file at a path, which is read while
     * it is sent. */
    const char *value;
    const void *data;
    size_t bytes;
    const char *path;
    /* What the peer is told that the file is called; default: the last name in `path`, and without
     * a path none: it is no file. */
    const char *filename;
    /* Default: that of a file is application/octet-stream, and of others none is sent. */
    const char *content_type;
};

/* Zero is the default for every field: a plain GET under the session's limits. */
struct bight_http_request {
    /* Default "GET". A redirect 303, and 301 or 302 after a POST, turns it into GET, and drops the
     * headers Content-*, Transfer-Encoding and Expect. HEAD has no body. */
    const char *method;
    /* "Name: value" strings up to a NULL; they override what libcurl would send itself; "Name:"
     * leaves that header out. They do not follow a redirect to another origin. */
    const char *const *headers;
    /* The body to send, when not NULL. */
    const void *body;
    size_t body_bytes;
    /* Doing it twice is doing it once, as with an idempotency key: when a kept connection ends
     * before an answer the request is sent once more, on another one. GET, HEAD, OPTIONS and TRACE
     * always are; of all others the call then returns BIGHT_EUNKNOWNOUTCOME. */
    bool idempotent;
    /* 0: the session's; negative: none. */
    int64_t total_timeout_ms;
    int64_t idle_timeout_ms;
    /* 0: the session's. */
    uint64_t max_body_bytes;
    /* 0: the session's; negative: none is followed. */
    int max_redirects;
    /* Asked at every hop, in the requesting task, with no slot held: 0 to go on, negative to
     * refuse. It may suspend; the request's timeouts run on. */
    int (*on_redirect)(void *arg, const struct bight_http_hop *hop);
    void *on_redirect_arg;
    /* Called before each hop's transfer starts; the easy handle is not reused after it. Credentials
     * set there do not follow a redirect to another origin. */
    const struct bight_curl_hook *curl;
    /* Filled in on success and on failure, when not NULL. */
    struct bight_http_error *error;
    /* The body to send, as it is written, when not NULL. The request follows
     * no redirect, and nothing of its body is sent twice: a kept connection that ends before an
     * answer costs the request (BIGHT_EUNKNOWNOUTCOME), unless nothing was taken of the body yet.
     * libcurl may wait up to a second for leave to send it, unless there is a header "Expect:". */
    struct bight_http_upload *upload;
    /* Whether the trace context is sent: 0: as the session says; positive: yes; negative: no. A
     * header traceparent among `headers` goes out instead of it. */
    int trace_context;
    /* What is added to the URL's query, behind what it has and before its fragment, when not NULL.
     * All bytes but letters, digits and "-._~" are encoded (RFC 3986). */
    const struct bight_http_field *query;
    /* The body to send, as application/x-www-form-urlencoded (the URL Standard: a space is "+"),
     * when not NULL; it is copied. Its Content-Type is sent unless `headers` has one. A request has
     * one of `body`, `upload`, `form`, `source` and `parts`. */
    const struct bight_http_field *form;
    /* The body to send, as it is read from there, when not NULL. It is read from when the peer
     * takes the first bytes, not before. As with an upload no redirect is followed and nothing is
     * sent twice. bight_http_open returns when the headers have come and the body was sent, but
     * with a status of 300 and more, after which the rest is not sent, at once. */
    const struct bight_http_source *source;
    /* The body to send, as multipart/form-data, when not NULL; for the rest as with a source.
     * Files are looked at first: one that is not there fails the call before anything is sent, and
     * one that is shorter when it is read is BIGHT_EOF. Its length is announced unless one of the
     * files has none. The header Content-Type comes from here and may not be among `headers`. */
    const struct bight_http_part *parts;
    /* Called for each response that only informs (1xx), such as early hints (103): status and
     * headers can be asked for, nothing else. Must not suspend and must not use the session. */
    void (*on_informational)(void *arg, const struct bight_http_response *response);
    void *on_informational_arg;
    /* The Content-Type of `body`, `upload` or `source`, such as "text/plain", when not NULL; it is
     * sent unless `headers` has one. */
    const char *content_type;
};

/** Make a session: limits, kept connections, pooled handles.
 *
 *  @return 0; BIGHT_EINVAL for a user agent, coding or header that cannot be sent, or a base_url
 *          that is none; BIGHT_ENOMEM; BIGHT_ENORUNTIME; BIGHT_ECLOSED when the runtime is ending.
 *  Ownership: borrows options, NULL for the defaults, and copies its strings; keeps resolver, hook
 *  and filter_arg until the session has ended; gives *out, to be ended with bight_http_session_end.
 *  One that is left is ended by the runtime's end.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_http_session_new(struct bight_http_session **out,
                       const struct bight_http_session_options *options);

/** End the session and wait until all its connections and libuv handles are closed. Requests of
 *  other tasks that still run fail with BIGHT_ECLOSED; to let them finish, join their tasks first.
 *  Responses that were collected stay valid.
 *
 *  @return 0; BIGHT_EALREADY: another task is ending it; BIGHT_EDEADLK: called by one of its own
 *          requests, in on_redirect or a source; BIGHT_EPERM: it is another thread's;
 *          BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: no.  On cancel: goes on until the session has ended.
 *  Allocates: no.  Thread: the loop's.  Ownership: takes session.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_http_session_end(struct bight_http_session *session);

/** Send a request with any method, GET by default, and collect the whole body of the final
 *  response. Any status of the response is a success.
 *
 *  @return 0; the codes of enum bight_http_failure; what a source failed with, or the system says
 *          of a file to send; BIGHT_EPERM: the session is another thread's; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the transfer is aborted, its connection closed.
 *  Allocates: the response, its body, and what libcurl needs.  Thread: the loop's.
 *  Ownership: borrows url and request, NULL for the defaults; gives *out, to be freed with
 *  bight_http_response_free.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_http_fetch(struct bight_http_response **out,
                                                struct bight_http_session *session, const char *url,
                                                const struct bight_http_request *request);

/** bight_http_fetch with the method GET, also when request->method is NULL.
 *
 *  @return as bight_http_fetch; BIGHT_EINVAL if request->method is another one.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the transfer is aborted, its connection closed.
 *  Allocates: the response, its body, and what libcurl needs.
 *  Thread: the loop's.  Ownership: as bight_http_fetch.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_http_get(struct bight_http_response **out,
                                              struct bight_http_session *session, const char *url,
                                              const struct bight_http_request *request);

/** bight_http_fetch with the method HEAD; the response has no body.
 *
 *  @return as bight_http_get.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the transfer is aborted, its connection closed.
 *  Allocates: the response, its body, and what libcurl needs.
 *  Thread: the loop's.  Ownership: as bight_http_fetch.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_http_head(struct bight_http_response **out,
                                               struct bight_http_session *session, const char *url,
                                               const struct bight_http_request *request);

/** bight_http_fetch with the method POST; the request may have a body, or be NULL.
 *
 *  @return as bight_http_get.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the transfer is aborted, its connection closed.
 *  Allocates: the response, its body, and what libcurl needs.
 *  Thread: the loop's.  Ownership: as bight_http_fetch.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_http_post(struct bight_http_response **out,
                                               struct bight_http_session *session, const char *url,
                                               const struct bight_http_request *request);

/** bight_http_fetch with the method PUT; the request may have a body, or be NULL.
 *
 *  @return as bight_http_get.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the transfer is aborted, its connection closed.
 *  Allocates: the response, its body, and what libcurl needs.
 *  Thread: the loop's.  Ownership: as bight_http_fetch.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_http_put(struct bight_http_response **out,
                                              struct bight_http_session *session, const char *url,
                                              const struct bight_http_request *request);

/** bight_http_fetch with the method PATCH; the request may have a body, or be NULL.
 *
 *  @return as bight_http_get.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the transfer is aborted, its connection closed.
 *  Allocates: the response, its body, and what libcurl needs.
 *  Thread: the loop's.  Ownership: as bight_http_fetch.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_http_patch(struct bight_http_response **out,
                                                struct bight_http_session *session, const char *url,
                                                const struct bight_http_request *request);

/** bight_http_fetch with the method DELETE.
 *
 *  @return as bight_http_get.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the transfer is aborted, its connection closed.
 *  Allocates: the response, its body, and what libcurl needs.
 *  Thread: the loop's.  Ownership: as bight_http_fetch.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_http_delete(struct bight_http_response **out,
                                                 struct bight_http_session *session,
                                                 const char *url,
                                                 const struct bight_http_request *request);

/** Send a request and return when the headers of the final response have come; its body is then
 *  read with bight_http_read. The transfer occupies its place under the limits until the body has
 *  arrived or the response is freed.
 *
 *  @return as bight_http_fetch.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the transfer is aborted, its connection closed.
 *  Allocates: the response, its buffer, and what libcurl needs.  Thread: the loop's.
 *  Ownership: borrows url and request, but keeps request->body and upload until the response is
 *  freed; gives *out, to be freed with bight_http_response_free.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_http_open(struct bight_http_response **out,
                                               struct bight_http_session *session, const char *url,
                                               const struct bight_http_request *request);

/** Initialise `upload` for one request, whose body will be of `bytes`, or, negative, of a length
 *  that is not known yet: then it goes in chunks, which a server of HTTP/1.0 does not understand.
 *
 *  Ownership: the request keeps it until its response is freed or its call has failed; NULL does
 *  nothing.
 */
BIGHT_API void bight_http_upload_init(struct bight_http_upload *upload, int64_t bytes);

/** Write the next `bytes` of the body, sleeping until all of them are taken: not before the request
 *  has a connection, and no faster than the peer takes them. With `bytes` 0, sleep until the first
 *  of those that follow would be.
 *
 *  @return 0; BIGHT_EPIPE: nobody takes more: the request was answered or has failed, as its own
 *          call says; BIGHT_ETOOBIG: more than announced; BIGHT_ECLOSED after
 *          bight_http_upload_close; BIGHT_EBROKEN: an earlier write was cancelled when a part of it
 *          had been taken; BIGHT_EBUSY: another task writes; BIGHT_EINVAL; BIGHT_EPERM: the session
 *          is another thread's; BIGHT_ECANCELED; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; none of it was taken, or the request will fail (BIGHT_EBROKEN).
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_http_upload_write(struct bight_http_upload *upload,
                                                       const void *data, size_t bytes);

/** Say that the body is complete. One of a known length is so by itself.
 *
 *  @return 0; BIGHT_EINVAL: it is shorter than announced, or a task writes; BIGHT_EBROKEN: a part
 *          of it is missing; BIGHT_ENOMEM.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_http_upload_close(struct bight_http_upload *upload);

/** Make `source` read `file` from its position on: `bytes` of it, or, negative, up to its end, as
 *  what has no length. bight_file_fstat says how long a file is.
 *
 *  Ownership: keeps file while the source is used; NULL does nothing.
 */
BIGHT_API void bight_http_source_from_file(struct bight_http_source *source,
                                           struct bight_file *file, int64_t bytes);

/** Make `source` read `stream`: `bytes` of it, or, negative, up to its end.
 *
 *  Ownership: keeps stream while the source is used; NULL does nothing.
 */
BIGHT_API void bight_http_source_from_stream(struct bight_http_source *source,
                                             struct bight_stream *stream, int64_t bytes);

/** Read decoded bytes of the body, as soon as there are any. One task may do so at a time. Large
 *  bodies come fastest into a buffer of 64 to 256 KiB, which they are copied to once.
 *
 *  @return the number of bytes; 0 at the end of the body or for `bytes` 0; the codes of enum
 *          bight_http_failure (details in bight_http_response_error), after the bytes that came
 *          before; BIGHT_EBUSY: another task reads; BIGHT_EPERM: the session is another thread's;
 *          BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; nothing was taken, reading may go on.
 *  Allocates: the buffer when it grows, up to the session's buffer_bytes and one read of libcurl's.
 *  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_http_read(struct bight_http_response *response,
                                                   void *buffer, size_t bytes);

/** Write the rest of the body, decoded, to the file at `path`, as bight_file_replace does: it is at
 *  `path` when all of it has come, and until then what was there is. Of a response that was
 *  collected it is the body.
 *
 *  @return how many bytes; otherwise as bight_http_read and bight_file_replace.
 *  Suspends: yes.  Cancellable: yes, until the name is taken over.
 *  On cancel: BIGHT_ECANCELED; what is at path is as it was, what was read is lost.
 *  Allocates: a buffer, and what bight_file_replace needs.  Thread: the loop's.
 *  Ownership: borrows all; options may be NULL for the defaults.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t
bight_http_save(struct bight_http_response *response, const char *path,
                const struct bight_file_replace_options *options);

/** Write the rest of the body, decoded, to `stream`, no faster than that takes it; of a response
 *  that was collected, the body. The stream goes on.
 *
 *  @return how many bytes; otherwise as bight_http_read and bight_stream_write.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; what was read is lost, and some of it may be written.
 *  Allocates: a buffer.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_http_copy(struct bight_http_response *response,
                                                   struct bight_stream *stream);

/** Free a response; a transfer that is not over is aborted at once.
 *
 *  Ownership: takes response, which no task reads; NULL does nothing.
 */
BIGHT_API void bight_http_response_free(struct bight_http_response *response);

/** The status code, such as 200. */
BIGHT_API int bight_http_response_status(const struct bight_http_response *response);

/** The protocol: 10, 11, 20 or 30 for HTTP/1.0, 1.1, 2 and 3. */
BIGHT_API int bight_http_response_version(const struct bight_http_response *response);

/** The value of the first header `name`, compared without regard to case; NULL when there is none.
 *
 *  Ownership: the string is valid until the response is freed.
 */
BIGHT_API const char *bight_http_response_header(const struct bight_http_response *response,
                                                 const char *name);

/** Header number `index` in the order of arrival. White space around the value is removed, bytes
 *  are otherwise as they came.
 *
 *  @return 0; BIGHT_ENOENT beyond the last one.
 *  Ownership: the strings are valid until the response is freed.
 */
BIGHT_API int bight_http_response_header_at(const struct bight_http_response *response,
                                            size_t index, const char **name, const char **value);

/** The collected body, decoded, with a NUL behind it; its length to `bytes`, which may be NULL.
 *  Never NULL; "" for a response of bight_http_open.
 *
 *  Ownership: the bytes are valid until the response is freed.
 */
BIGHT_API const char *bight_http_response_body(const struct bight_http_response *response,
                                               size_t *bytes);

/** The collected body as text: UTF-8, with a NUL behind it; *bytes, which may be NULL, is its
 *  length without that. It is decoded, once, from the charset of its byte order mark, or else that
 *  of Content-Type, read as browsers do; UTF-8 where neither says one that is known. What is no
 *  character in it becomes U+FFFD. It takes the loop some milliseconds per MiB.
 *
 *  @return 0; BIGHT_ENOTSUP: the system's iconv does not have the charset; BIGHT_ENOMEM.
 *  Allocates: the text.  Ownership: *text is valid until the response is freed; "" for one of
 *  bight_http_open.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_http_response_text(struct bight_http_response *response,
                                                        const char **text, size_t *bytes);

/** What iconv calls the encoding that the first `bytes` of `label` stand for, as browsers read it
 *  (the WHATWG's Encoding Standard): "latin1" is CP1252. Two have names that iconv does not know:
 *  "replacement" and "x-user-defined".
 *
 *  @return NULL: it is no label.
 *  Thread: any.
 */
BIGHT_API const char *bight_http_charset(const char *label, size_t bytes);

/** The URL that the final response came from, as libcurl got it: dot segments are removed, also
 *  those written with %2e, an empty path is "/", and what was odd about the host is put right.
 *
 *  Ownership: the string is valid until the response is freed.
 */
BIGHT_API const char *bight_http_response_url(const struct bight_http_response *response);

/** Trailer number `index`: a header that came behind the body. There is none before the body's end.
 *
 *  @return 0; BIGHT_ENOENT beyond the last one.
 *  Ownership: the strings are valid until the response is freed.
 */
BIGHT_API int bight_http_response_trailer_at(const struct bight_http_response *response,
                                             size_t index, const char **name, const char **value);

/** The value of the first trailer `name`, compared without regard to case; NULL when there is none,
 *  or not yet.
 *
 *  Ownership: the string is valid until the response is freed.
 */
BIGHT_API const char *bight_http_response_trailer(const struct bight_http_response *response,
                                                  const char *name);

/** Redirect number `index` of those that were followed, from 0 on; bight_http_timing.hops says how
 *  many there are.
 *
 *  @return 0; BIGHT_ENOENT beyond the last one.
 *  Ownership: the strings of *hop are valid until the response is freed.
 */
BIGHT_API int bight_http_response_hop_at(const struct bight_http_response *response, size_t index,
                                         struct bight_http_hop *hop);

/** The address, with its port, that the final response came from, or its proxy's.
 *
 *  @return 0; BIGHT_ENOENT: nobody knows it, as with a Unix socket.
 */
BIGHT_API int bight_http_response_remote(const struct bight_http_response *response,
                                         struct bight_address *address);

/* Milliseconds since the call; -1 for what has not happened. */
struct bight_http_timing {
    /* The limits let the first hop begin. */
    double started_ms;
    /* The final headers had come. */
    double headers_ms;
    /* The last byte had come. */
    double done_ms;
    /* Redirects that were followed. */
    unsigned hops;
    /* Decoded bytes of the body so far. */
    uint64_t body_bytes;
    /* Of the last hop: its name was resolved, or was known; the connection was made, and TLS on it,
     * -1 where one was kept from another request; the request began to go out; the first byte of an
     * answer had come. libcurl's clock tells the second and third, to a millisecond. */
    double resolved_ms;
    double connected_ms;
    double secured_ms;
    double sent_ms;
    double first_byte_ms;
};

/** The times of the response. */
BIGHT_API void bight_http_response_timing(const struct bight_http_response *response,
                                          struct bight_http_timing *timing);

/** Why reading failed; its kind is BIGHT_HTTP_OK while it has not.
 *
 *  Ownership: valid until the response is freed.
 */
BIGHT_API const struct bight_http_error *
bight_http_response_error(const struct bight_http_response *response);

struct bight_http_stats {
    /* Transfers in flight; requests that wait for the limits. */
    size_t active;
    size_t waiting;
    /* Sockets that are open. */
    size_t sockets;
    /* Pooled easy handles that are not in use. */
    size_t idle_handles;
    /* Since the start: transfers (each hop counts), sockets opened. */
    uint64_t transfers;
    uint64_t connects;
};

/** Counts of the session. */
BIGHT_API void bight_http_session_get_stats(const struct bight_http_session *session,
                                            struct bight_http_stats *stats);

BIGHT_END_DECLS

#endif
