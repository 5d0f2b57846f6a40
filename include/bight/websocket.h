/* WebSocket (RFC 6455), as server and as client (libbight-websocket): messages in both directions
 * over one stream.
 *
 *     static int echo(struct bight_exchange *exchange, void *arg)
 *     {
 *         struct bight_websocket_message message;
 *         struct bight_websocket *socket;
 *         int rc = bight_websocket_accept(&socket, exchange, NULL);
 *
 *         if (rc)
 *             return rc;
 *         while ((rc = bight_websocket_receive(socket, &message)) == 0 &&
 *                (rc = bight_websocket_send(socket, message.type, message.data,
 *                                           message.bytes)) == 0)
 *             continue;
 *         bight_websocket_free(socket);
 *         return rc == BIGHT_ECANCELED ? rc : 0;
 *     }
 *
 * The stream is not the WebSocket's: the server ends the one of an exchange, and a client the one
 * that it has connected, after it has freed the WebSocket. When a handler returns 0, the client can
 * read what was said last, a Close in particular; a failure resets the connection.
 *
 * One task at a time may receive, one may send, and both may be at it at the same time; a second
 * one gets BIGHT_EBUSY. Pings of the peer are answered, and its Close is, by the calls that
 * receive: so one task should always be in one of them, or soon. A receive that was cancelled has
 * lost nothing: the next one goes on where it was. Compression (permessage-deflate) is not offered.
 *
 * What all calls below can return: BIGHT_EINVAL for a NULL that they need. How a connection ends,
 * each call that receives says from then on:
 *
 *     BIGHT_EOF         the peer has sent Close, and got its answer
 *     BIGHT_ECONNRESET  it is gone without that
 *     BIGHT_EPROTOCOL   it broke the protocol (and was told 1002), or sent text that is not UTF-8
 *                       (1007)
 *     BIGHT_ETOOBIG     it sent a message above the limit (1009)
 *     BIGHT_ETIMEDOUT   it was silent for too long
 *
 * or another failure of the stream. */
#ifndef BIGHT_WEBSOCKET_H
#define BIGHT_WEBSOCKET_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/server.h>
#include <bight/stream.h>

BIGHT_BEGIN_DECLS

struct bight_websocket;

enum bight_websocket_type {
    BIGHT_WEBSOCKET_TEXT = 1, /* UTF-8 */
    BIGHT_WEBSOCKET_BINARY = 2,
};

/* Zero is the default for every field. Times: negative for none. */
struct bight_websocket_options {
    /* Bytes of a message that bight_websocket_receive takes; default 1 MiB; SIZE_MAX: no limit. */
    size_t max_message_bytes;
    /* Subprotocols, the best first: what a client offers, and what a server chooses from. A server
     * that knows none of those that are offered goes on without one. */
    const char *const *protocols;
    size_t protocol_count;
    /* After so long a silence of the peer it is sent a ping; default 30,000. It counts while a task
     * receives. */
    int64_t ping_ms;
    /* After so long a silence it is taken for gone; default twice `ping_ms`, or none without. */
    int64_t idle_ms;
    /* How long the peer has to take the Close that answers its own, or tells it what it did wrong;
     * default 5,000. */
    int64_t close_ms;
    /* Of a server: whether pages of `origin` may connect, such as "https://example.org"; called on
     * the loop's thread, and must not suspend. Browsers let pages of everybody connect, with the
     * user's cookies. Default: those whose host and port are the request's (bight_exchange_host),
     * and who says no origin, which browsers do not. */
    bool (*allows)(void *arg, const char *origin);
    void *allows_arg;
    /* Of a client: further headers, each "Name: value". */
    const char *const *headers;
    size_t header_count;
    /* Of a client: how long the server may take to answer; default 30,000. */
    int64_t handshake_ms;
    /* Of a client: send the trace context of the calling task, if it has one, as the headers
     * traceparent and tracestate of the request; see <bight/trace_context.h>. A header traceparent
     * among `headers` goes out instead. */
    bool trace_context;
};

/** Accept the WebSocket that a request asks for. Where it does not ask for one, or not in order, or
 *  from an origin that may not, it is answered: 400 or 403.
 *
 *  @return 0; 1: it was refused, and the handler returns that too; BIGHT_EINVAL also for a protocol
 *          that is not a token; BIGHT_ENOTSUP: OpenSSL is configured to make no SHA-1;
 *          BIGHT_ENOMEM; otherwise as bight_exchange_upgrade.
 *  Suspends: yes, while the client takes nothing.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the connection is reset when the handler returns.
 *  Allocates: the WebSocket, about 10 KiB.  Thread: the loop's.
 *  Ownership: borrows options, NULL for the defaults; keeps the exchange's stream until
 *  bight_websocket_free; gives *out.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_websocket_accept(struct bight_websocket **out, struct bight_exchange *exchange,
                       const struct bight_websocket_options *options);

/** Ask the server at the other side of `stream`, which may be TCP or TLS, for a WebSocket at `path`
 *  (with a query, if there is one). `host` is that of the URL, with a port other than the usual
 *  one. *status, which may be NULL, is that of the answer, 0 without one.
 *
 *  @return 0; BIGHT_EFORBIDDEN: the answer has another status than 101; BIGHT_EPROTOCOL: it is
 *          malformed, or agrees on something that was not offered; BIGHT_EOF: there was none;
 *          BIGHT_ETIMEDOUT; BIGHT_ETOOBIG: it has more than 16 KiB; BIGHT_EINVAL: a host, path,
 *          header or protocol that cannot be sent; BIGHT_ENOTSUP: OpenSSL is configured to make
 *          no SHA-1; BIGHT_ENOMEM; errors of the stream; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; as after any failure the stream is only good to be ended.
 *  Allocates: the WebSocket, about 10 KiB.  Thread: the loop's.
 *  Ownership: borrows options, NULL for the defaults; keeps stream until bight_websocket_free,
 *  which does not end it; gives *out.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_websocket_connect(struct bight_websocket **out, struct bight_stream *stream, const char *host,
                        const char *path, const struct bight_websocket_options *options,
                        int *status);

/** Free it. The stream stays as it is; without bight_websocket_close before, the peer finds the
 *  connection cut off.
 *
 *  @return 0; BIGHT_EBUSY: a task is inside of one of its calls, and nothing was done.
 *  Ownership: takes socket on success; NULL does nothing.
 */
BIGHT_API int bight_websocket_free(struct bight_websocket *socket);

struct bight_websocket_message {
    enum bight_websocket_type type;
    /* With a NUL behind. */
    const char *data;
    size_t bytes;
};

/** Receive the next message, whole, in however many fragments it comes. What is left of one that
 *  bight_websocket_next began is dropped.
 *
 *  @return 0; BIGHT_EBUSY: another task receives, or closes; BIGHT_ENOMEM: there is none now, and
 *          nothing was lost; how the connection ended; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; what has come of a message stays for the next call.
 *  Allocates: the message's memory, which is used again.  Thread: the loop's.
 *  Ownership: borrows socket; the message is the WebSocket's, until the next call that receives.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_websocket_receive(struct bight_websocket *socket,
                                                       struct bight_websocket_message *message);

/** Sleep until the next message begins, which bight_websocket_read then reads in pieces: of any
 *  length, whatever `max_message_bytes` says. What is left of the one before is dropped.
 *
 *  @return 0; otherwise as bight_websocket_receive.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing was taken.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_websocket_next(struct bight_websocket *socket,
                                                    enum bight_websocket_type *type);

/** Read what has come of the message that bight_websocket_next began, up to `bytes`, sleeping until
 *  there is something. A piece of a text may end within a character.
 *
 *  @return how many bytes, at least 1; 0: the message is complete, and for `bytes` 0; BIGHT_EINVAL:
 *          none was begun; otherwise as bight_websocket_receive.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing was taken.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_websocket_read(struct bight_websocket *socket,
                                                        void *buffer, size_t bytes);

/** Send a message, sleeping while the peer does not take it. A client sends what is longer than 16
 *  KiB in fragments.
 *
 *  @return 0; BIGHT_EINVAL: another type, text that is not UTF-8, or the parts of a message are not
 *          complete; BIGHT_EBUSY: another task sends; BIGHT_ECLOSED: one of both sides has closed;
 *          BIGHT_EBROKEN: an earlier message was cut short; BIGHT_ENOMEM; BIGHT_EPIPE and other
 *          errors of the stream; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; where a part of it has gone out, nothing more can be sent.
 *  Allocates: of a client 16 KiB, once.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_websocket_send(struct bight_websocket *socket,
                                                    enum bight_websocket_type type,
                                                    const void *data, size_t bytes);

/** Send the next part of a message whose length need not be known; `last` completes it. All parts
 *  have its type; those of a text may end within a character.
 *
 *  @return as bight_websocket_send; BIGHT_EINVAL: the type is not that of the parts before.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; where a part of it has gone out, nothing more can be sent.
 *  Allocates: of a client 16 KiB, once.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_websocket_send_part(struct bight_websocket *socket,
                                                         enum bight_websocket_type type,
                                                         const void *data, size_t bytes, bool last);

/** Send a ping, behind what is being sent. That the peer answers is noticed as any other sign of
 *  life (`idle_ms`).
 *
 *  @return 0; BIGHT_ECLOSED, BIGHT_EBROKEN, errors of the stream, BIGHT_ECANCELED as
 *          bight_websocket_send.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED; it may go out later.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows socket.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_websocket_ping(struct bight_websocket *socket);

/** Send Close, behind what is being sent, and wait for the peer's: until `timeout_ms` are over,
 *  negative for no limit. Messages that come meanwhile go to the task that receives, and are
 *  dropped without one. `code` is one of 1000 to 1003, 1007 to 1014 or 3000 to 4999, or 0 for none,
 *  and then there is no `reason`; that is NULL or at most 123 bytes of UTF-8.
 *
 *  @return 0: both sides have closed; BIGHT_ETIMEDOUT; BIGHT_EBUSY: another task closes;
 *          BIGHT_EINVAL: code or reason; BIGHT_EBROKEN: a message was cut short, so that it cannot
 *          be said; otherwise how the connection ended; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the Close may have gone out, and nothing can be sent any more.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_websocket_close(struct bight_websocket *socket, int code,
                                                     const char *reason, int64_t timeout_ms);

/** The code of the peer's Close; 1005: it had none; 1006: the connection ended without one; 0: it
 *  has not ended. */
BIGHT_API int bight_websocket_close_code(const struct bight_websocket *socket);

/** The reason in the peer's Close; "": it gave none. */
BIGHT_API const char *bight_websocket_close_reason(const struct bight_websocket *socket);

/** The subprotocol that both sides agreed on; NULL: none. */
BIGHT_API const char *bight_websocket_protocol(const struct bight_websocket *socket);

BIGHT_END_DECLS

#endif
