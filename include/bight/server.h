/* The HTTP/1.1 server: a task per connection, and for each request a handler in direct style.
 * <bight/listener.h> has what takes the connections. HTTP/2 is left to a proxy in front.
 *
 *     static int hello(struct bight_exchange *exchange, void *arg)
 *     {
 *         return bight_exchange_answer(exchange, 200, "text/plain", "hello\n", 6);
 *     }
 *     ...
 *     rc = bight_http_serve(listener, hello, NULL, NULL);
 *
 * An exchange is one request and its answer. It belongs to the server, and to the task in which the
 * handler runs, for as long as the handler does; so do the strings that it gives. Requests of one
 * connection are handled one behind the other, in order.
 *
 * When a handler returns 0, the answer goes out as it said. When it returns a failure, or has not
 * answered at all, the client gets a 500; what had begun by then is cut off by a reset, so that no
 * half answer looks whole. Where the failure is the client's, such as a body that is too long or
 * malformed, the handler returns what it got from the call, and the client gets the status that
 * says so.
 *
 * A handler is cancelled when its client is gone, when its time is over
 * (bight_http_serve_options.handler_ms), and when the server's is (bight_serve_options.drain_ms).
 * What all calls with an exchange can return: BIGHT_EINVAL for a NULL that they need, and those
 * that suspend what bight_stream_read and bight_stream_write do, and BIGHT_ETIMEDOUT: the client
 * was too slow. Their comments do not repeat it. */
#ifndef BIGHT_SERVER_H
#define BIGHT_SERVER_H

#include <bight/address.h>
#include <bight/base.h>
#include <bight/errors.h>
#include <bight/listener.h>
#include <bight/stream.h>
#include <bight/trace_context.h>

BIGHT_BEGIN_DECLS

struct bight_exchange;

/* Which headers of a trusted proxy say who its client is. */
enum bight_forwarded {
    BIGHT_FORWARDED_IGNORED,
    BIGHT_FORWARDED_X,       /* X-Forwarded-For and X-Forwarded-Proto */
    BIGHT_FORWARDED_RFC7239, /* Forwarded */
};

/* Which requests are part of the trace that their headers traceparent and tracestate name; see
 * <bight/trace_context.h>. */
enum bight_trace_from {
    BIGHT_TRACE_OFF,          /* none: handlers have no trace context */
    BIGHT_TRACE_FROM_TRUSTED, /* those of trusted peers; of all others each begins a new trace */
    BIGHT_TRACE_FROM_ANYONE,  /* all; those without such headers begin a new trace */
};

/* Zero is the default for every field. Times: negative for none. */
struct bight_http_serve_options {
    /* Of the connections. `max_connections` is 10,000 by default here; negative is not needed:
     * SIZE_MAX is no limit. */
    struct bight_serve_options serve;
    /* Connections at a time of one IP address; those beyond are answered 503, or just closed where
     * there is a `layer`. Default: no limit, for behind a proxy all come from one. */
    size_t max_per_peer;
    /* Handlers that run at a time; requests beyond are answered 503 with Retry-After, of so many
     * seconds, default 1. Default: no limit. */
    size_t max_running;
    unsigned retry_after_s;
    /* Requests on one connection, of which the last is answered with "Connection: close". Default
     * 1,000; UINT_MAX: no limit. */
    unsigned max_requests;
    /* Bytes of the request line, default 8 KiB (answered 414), of the line and all headers, default
     * 32 KiB, and the number of headers, default and most 128 (answered 431). */
    size_t max_line_bytes;
    size_t max_head_bytes;
    unsigned max_headers;
    /* Bytes of a request's body; default 1 MiB (answered 413); UINT64_MAX: no limit. */
    uint64_t max_body_bytes;
    /* From the first byte of a request, or from the beginning of the connection, until its headers
     * are there; default 10,000 (answered 408). */
    int64_t header_ms;
    /* Between two requests; default 75,000, which is longer than what nginx keeps a connection to
     * an upstream for: whoever closes first must be the one that sends. */
    int64_t idle_ms;
    /* While a handler reads the body or writes the answer, the client may make it wait for as long
     * as `slack_ms`, default 10,000, and so much longer as the bytes that it moved take at
     * `min_rate` bytes a second, default 500. Negative `slack_ms`: for ever. */
    int64_t slack_ms;
    unsigned min_rate;
    /* From the call of the handler to its return; it is cancelled then, and the client gets a 503.
     * Default: none. */
    int64_t handler_ms;
    /* Cancel a handler also when the client has ended its half of the connection, and not only when
     * that was reset. A client may do so and wait for its answer. */
    bool cancel_on_end;
    /* Of the header Server; default: there is none. */
    const char *server_name;
    /* Addresses and networks of proxies that are believed what they say of their clients, and
     * "unix" for all peers of Unix sockets: "127.0.0.1, 10.0.0.0/8, ::1". Default: nobody. */
    const char *trusted;
    /* What they say so with: a header that each of them sets or removes, and nothing else. */
    enum bight_forwarded forwarded;
    /* Connections of trusted peers begin with a header of the PROXY protocol, version 1 or 2. */
    bool proxy_protocol;
    /* Each request has a number: see bight_exchange_id. */
    bool request_ids;
    /* Each handler has a trace context, of a new span: see bight_exchange_trace_context. */
    enum bight_trace_from trace_context;
    /* Called for each connection before its first request: it may put a stream of its own above
     * *stream, such as bight_tls_server makes it (with bight_tls_options.keep_below), and that is
     * then the connection. A failure ends the connection. The server ends what it was given, and
     * `serve` the one below, which therefore has to be left open. */
    int (*layer)(void *arg, struct bight_stream **stream);
    void *layer_arg;
    /* Called when a handler has failed, on the loop's thread, before the client is told; it must
     * not suspend. Default: the runtime's report handler, except for what the client did. */
    void (*on_failure)(void *arg, const struct bight_exchange *exchange, int code);
    /* Called when an exchange is over, as for an access log; it must not suspend. Of a request that
     * was refused it finds what was understood: the fields of a head that was whole, else none. */
    void (*on_done)(void *arg, const struct bight_exchange *exchange);
    void *callback_arg;
};

/** Accept connections and run `handler(exchange, arg)` for each request, until the listener is
 *  closed or the call is cancelled.
 *
 *  After bight_listener_close the running handlers may finish within `serve.drain_ms`; what they
 *  answer says "Connection: close". Idle connections stay for up to a second, so that a request
 *  that is on its way is answered too.
 *
 *  @return as bight_serve; BIGHT_EINVAL also for a `server_name` that cannot be sent and a
 *          `max_headers` above 128.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, after all handlers were cancelled and have returned.
 *  Allocates: a stream and a task per connection, memory per exchange that runs, which is reused.
 *  Thread: the loop's.
 *  Ownership: keeps listener, arg and what options point to until it returns; borrows options,
 *  NULL for the defaults.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_http_serve(struct bight_listener *listener,
                 int (*handler)(struct bight_exchange *exchange, void *arg), void *arg,
                 const struct bight_http_serve_options *options);

/** The same for one connection, until it ends: of `options` those about connections do nothing. The
 *  stream may be of any kind; a handler is tried out on one end of a bight_stream_pair.
 *
 *  @return 0: one of both sides has ended it in order; a failure: it is to be aborted, and the
 *          failure says why: BIGHT_EPROTOCOL: no header of the PROXY protocol; BIGHT_ETIMEDOUT: the
 *          client was too slow; BIGHT_EPIPE, BIGHT_ECONNRESET: it is gone; BIGHT_EBROKEN: an answer
 *          was cut short; BIGHT_ECANCELED; BIGHT_ENOMEM.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, after the handler has returned; 0 where it had not begun to answer,
 *  and the client was told (503).
 *  Allocates: memory for an exchange.  Thread: the loop's.
 *  Ownership: keeps stream, arg and what options point to until it returns; the caller ends the
 *  stream, or aborts it after a failure; borrows options, NULL for the defaults.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_http_serve_stream(struct bight_stream *stream,
                        int (*handler)(struct bight_exchange *exchange, void *arg), void *arg,
                        const struct bight_http_serve_options *options);

/* The request */

/** The method, such as "GET"; methods are case-sensitive. */
BIGHT_API const char *bight_exchange_method(const struct bight_exchange *exchange);

/** The target as it came: a path with a query, a whole URL, "*", or HOST:PORT of CONNECT. */
BIGHT_API const char *bight_exchange_target(const struct bight_exchange *exchange);

/** The path of the target, percent-decoded, with dot segments and empty segments removed, so that
 *  it begins with "/" and never leads above that. What was written %2F and %25 stays so: a "/" in
 *  a segment does not make two, and to decode these once more gives the segment without doubt. "/"
 *  for a whole URL without a path, and for "*" and CONNECT the target. */
BIGHT_API const char *bight_exchange_path(const struct bight_exchange *exchange);

/** What follows the first "?" of the target, as it came; NULL when there is none. */
BIGHT_API const char *bight_exchange_query(const struct bight_exchange *exchange);

/** Host and port for which the request is: of a whole URL those, otherwise the header Host; "" when
 *  it has none. */
BIGHT_API const char *bight_exchange_host(const struct bight_exchange *exchange);

/** The protocol: 10 or 11 for HTTP/1.0 and 1.1. */
BIGHT_API int bight_exchange_version(const struct bight_exchange *exchange);

/** The value of the first header `name`, compared without regard to case; NULL when there is
 *  none. */
BIGHT_API const char *bight_exchange_header(const struct bight_exchange *exchange,
                                            const char *name);

/** Header number `index` in the order of arrival. White space around the value is removed.
 *
 *  @return 0; BIGHT_ENOENT beyond the last one.
 */
BIGHT_API int bight_exchange_header_at(const struct bight_exchange *exchange, size_t index,
                                       const char **name, const char **value);

/** The connection, to ask for its addresses, for bight_stream_describe and the like. Neither read
 *  from it nor write to it nor end it. */
BIGHT_API struct bight_stream *bight_exchange_stream(const struct bight_exchange *exchange);

/** Who asks: the peer of the connection, or whom a trusted proxy names, which is the last in its
 *  list that is not trusted itself.
 *
 *  @return 0; BIGHT_ENOTSUP: the connection has no IP address.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_exchange_peer(const struct bight_exchange *exchange,
                                                   struct bight_address *address);

/** Whether the client uses HTTPS: a trusted proxy says so, or, when it says nothing, there is a
 *  `layer`. */
BIGHT_API bool bight_exchange_is_secure(const struct bight_exchange *exchange);

/** The number of the request, which no other of this server has, or that a trusted peer has given
 *  it (16 hexadecimal digits in X-Request-Id); 0 without `request_ids`. While its handler runs, the
 *  connection's task is called "request ID", so that reports and dumps say so too.
 */
BIGHT_API uint64_t bight_exchange_id(const struct bight_exchange *exchange);

/** bight_exchange_id of the request for which the calling task works: of which it is the handler's
 *  task, or was started by that or one of its descendants; 0: none.
 */
BIGHT_API uint64_t bight_request_id(void);

/** Get the trace context that the handler of this request began with, which on_failure and on_done
 *  can ask for too.
 *
 *  @return 0; BIGHT_ENOENT: it has none, because `trace_context` is off or the request was refused.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_exchange_trace_context(const struct bight_exchange *exchange,
                                                            struct bight_trace_context *out);

/** Have this handler cancelled, or not, when the client ends its half of the connection: as
 *  bight_http_serve_options.cancel_on_end for all. If that has happened, it is cancelled now.
 *
 *  @return 0; BIGHT_EALREADY: the connection was handed over.
 */
BIGHT_API int bight_exchange_cancel_on_end(struct bight_exchange *exchange, bool cancel);

/** Let the body of this request be of up to `bytes`, instead of
 *  bight_http_serve_options.max_body_bytes.
 *
 *  @return 0.
 */
BIGHT_API int bight_exchange_set_max_body(struct bight_exchange *exchange, uint64_t bytes);

/** The length that the request says of its body, 0 when it has none, -1 when it comes in chunks. */
BIGHT_API int64_t bight_exchange_body_bytes(const struct bight_exchange *exchange);

/** Read what there is of the body, up to `bytes`, sleeping until there is something. The first read
 *  tells a client that waits for it that it may send ("100 Continue"). What a handler does not read
 *  is dropped afterwards if it is short, and otherwise the connection is closed.
 *
 *  @return how many bytes, at least 1; 0 at the end of the body or for `bytes` 0; BIGHT_ETOOBIG: it
 *          is longer than `max_body_bytes` (413); BIGHT_EPROTOCOL: it is malformed (400), or was
 *          cut short; BIGHT_ETIMEDOUT (408); BIGHT_EBUSY: another task reads; BIGHT_ENOMEM;
 *          BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing was taken.
 *  Allocates: the stream's buffer, for chunks.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_exchange_read(struct bight_exchange *exchange,
                                                       void *buffer, size_t bytes);

/** Read the whole body, or what is left of it, with a NUL behind it. *bytes, which may be NULL, is
 *  its length.
 *
 *  @return 0; otherwise as bight_exchange_read.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED; what was read is lost.
 *  Allocates: the body.  Thread: the loop's.
 *  Ownership: borrows exchange; *body is the exchange's, and a second call invalidates it.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_exchange_read_all(struct bight_exchange *exchange,
                                                       const char **body, size_t *bytes);

/* The answer */

/** Add a header to the answer, before it begins. Connection, Content-Length and Transfer-Encoding
 *  are the server's, which also adds Date unless there is one.
 *
 *  @return 0; BIGHT_EINVAL: not the name of a header, one of the server's, or a value with a
 *          control character; BIGHT_EALREADY: the answer has begun; BIGHT_ETOOBIG: more than 64 KiB
 *          of headers; BIGHT_ENOMEM.
 *  Ownership: borrows all, and copies.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_exchange_add_header(struct bight_exchange *exchange,
                                                         const char *name, const char *value);

/** Have the body of the answer compressed with gzip if the client accepts that, and if it is not
 *  known to be shorter than 256 bytes; adds Vary and Content-Encoding. What is written then goes
 *  out when there is enough of it, or at a bight_exchange_flush. Not for what mixes secrets with
 *  what others may choose (the BREACH attack), and an ETag has to be a weak one.
 *
 *  @return 0; BIGHT_ENOTSUP: the library was built without zlib, and the body goes out as it is;
 *          BIGHT_EALREADY: the answer has begun.
 */
BIGHT_API int bight_exchange_compress(struct bight_exchange *exchange);

/** Close the connection after this answer, which says so. */
BIGHT_API void bight_exchange_close(struct bight_exchange *exchange);

/** Answer with `body`, all at once. A HEAD gets the headers alone, and so do 204 and 304, for which
 *  `body` has to be empty.
 *
 *  @return 0; BIGHT_EINVAL: a status below 200 or above 999, a content type that is no value of a
 *          header, a body where there can be none; BIGHT_EALREADY: the answer has begun;
 *          BIGHT_EBUSY: another task is just writing; BIGHT_ETIMEDOUT: the client takes too little;
 *          BIGHT_EPIPE and other failures of the connection; BIGHT_ECANCELED.
 *  Suspends: yes, while the client takes nothing.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the connection is reset unless nothing had gone out.
 *  Allocates: no.  Thread: the loop's.
 *  Ownership: borrows all; content_type may be NULL.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_exchange_answer(struct bight_exchange *exchange, int status,
                                                     const char *content_type, const void *body,
                                                     size_t bytes);

/** Answer with a status and, as text, what it is called.
 *
 *  @return as bight_exchange_answer.
 *  Suspends: yes, while the client takes nothing.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the connection is reset unless nothing had gone out.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows exchange.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_exchange_answer_status(struct bight_exchange *exchange,
                                                            int status);

/** Send the client elsewhere: 301, 302, 303, 307 or 308 with the header Location.
 *
 *  @return as bight_exchange_answer; BIGHT_EINVAL also for another status.
 *  Suspends: yes, while the client takes nothing.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the connection is reset unless nothing had gone out.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_exchange_redirect(struct bight_exchange *exchange, int status,
                                                       const char *location);

/** Begin an answer whose body follows by bight_exchange_write and bight_exchange_send_file. With
 *  `bytes` negative its length is not known: it goes in chunks, or to an HTTP/1.0 client until the
 *  connection is closed. Nothing goes out before the body does, or bight_exchange_flush is called,
 *  or the handler returns.
 *
 *  @return 0; BIGHT_EINVAL: a status below 200 or above 999, a length where there can be no body;
 *          BIGHT_EALREADY: the answer has begun.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_exchange_begin(struct bight_exchange *exchange, int status,
                                                    int64_t bytes);

/** Write the next bytes of the body: they go out at once. A HEAD's are dropped.
 *
 *  @return 0; BIGHT_EINVAL: the answer has not begun; BIGHT_ETOOBIG: more than the answer's length:
 *          none of it is sent, and the connection will be reset; otherwise as
 *          bight_exchange_answer.
 *  Suspends: yes, while the client takes nothing.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the connection is reset when the handler returns.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_exchange_write(struct bight_exchange *exchange,
                                                    const void *data, size_t bytes);

/** Write `bytes` of the regular file `file` from `offset` on, as bight_stream_send_file does. Of an
 *  answer that has not begun it is the whole body, with status 200.
 *
 *  @return as bight_exchange_write; BIGHT_EOF: the file has fewer, and the connection will be
 *          reset; BIGHT_EINVAL: a negative offset or length.
 *  Suspends: yes, while the client takes nothing.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the connection is reset when the handler returns.
 *  Allocates: as bight_stream_send_file.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_exchange_send_file(struct bight_exchange *exchange, int file,
                                                        int64_t offset, int64_t bytes);

/** Send the headers of an answer that has begun, if they have not gone out yet.
 *
 *  @return as bight_exchange_write.
 *  Suspends: yes, while the client takes nothing.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the connection is reset when the handler returns.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows exchange.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_exchange_flush(struct bight_exchange *exchange);

/** Leave HTTP: answer 101 with "Upgrade: `protocol`", or 200 to CONNECT with `protocol` NULL, and
 *  hand over the connection, of which all was read that belongs to the request. What it carries
 *  from then on is the handler's affair, for as long as it likes; its return ends the connection.
 *
 *  @return 0; BIGHT_EINVAL: the request asks for no such protocol, or has a body; BIGHT_EALREADY:
 *          the answer has begun; otherwise as bight_exchange_answer.
 *  Suspends: yes, while the client takes nothing.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the connection is reset when the handler returns.
 *  Allocates: no.  Thread: the loop's.
 *  Ownership: borrows exchange and protocol; *stream stays the server's, which ends it.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_exchange_upgrade(struct bight_exchange *exchange,
                                                      const char *protocol,
                                                      struct bight_stream **stream);

/** Memory for whatever goes with this exchange, aligned for any type and not cleared.
 *
 *  @return it; NULL: there is none.
 *  Allocates: only what is large.  Ownership: it is freed with the exchange.
 */
BIGHT_API void *bight_exchange_keep(struct bight_exchange *exchange, size_t bytes);

/* What became of it, for logs */

/** The status that was sent, or is to be; 0: none yet. */
BIGHT_API int bight_exchange_status(const struct bight_exchange *exchange);

/** Bytes of the answer's body that were written. */
BIGHT_API uint64_t bight_exchange_bytes_sent(const struct bight_exchange *exchange);

/** When the request's first byte was there, in ns of bight_now_ns. */
BIGHT_API uint64_t bight_exchange_started_ns(const struct bight_exchange *exchange);

BIGHT_END_DECLS

#endif
