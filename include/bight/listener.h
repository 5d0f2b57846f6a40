/* Listeners take connections: one at a time by bight_listener_accept, or with a task for each by
 * bight_serve. <bight/tcp.h> and <bight/unix.h> make them. */
#ifndef BIGHT_LISTENER_H
#define BIGHT_LISTENER_H

#include <bight/address.h>
#include <bight/base.h>
#include <bight/errors.h>
#include <bight/select.h>
#include <bight/stream.h>

BIGHT_BEGIN_DECLS

struct bight_listener;

/* Zero is the default for every field. */
struct bight_listen_options {
    /* How many connections the system may keep that were not accepted yet; default 4,096. The
     * system has a limit of its own (net.core.somaxconn). */
    int backlog;
    /* TCP: several listeners, also of other processes, may have the port; the system spreads
     * connections among them (SO_REUSEPORT). */
    bool reuse_port;
    /* TCP on an IPv6 address: IPv6 only. By default the unspecified address takes IPv4 too. */
    bool ipv6_only;
    /* Unix: permissions of the socket file, such as 0660; default: as the umask has it. */
    unsigned mode;
};

/** Make a listener of `fd`, a listening TCP or Unix socket, such as a service manager hands over.
 *  It is made non-blocking and stays so: the next process that is handed it may be at work already.
 *
 *  @return 0; BIGHT_EBADF; BIGHT_EINVAL: not a listening stream socket; BIGHT_ENOMEM; ENOSPC;
 *          BIGHT_EMFILE; BIGHT_ENORUNTIME; BIGHT_ECLOSED when the runtime's last task has ended.
 *  Ownership: takes fd on success; gives *out, to be ended with bight_listener_end. The runtime
 *  ends what is left when its last task has ended.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_listener_from_fd(struct bight_listener **out, int fd);

/** Sleep until there is a connection and take it. Several tasks may wait; they are served in FIFO
 *  order. Connections that broke before they were taken are passed over.
 *
 *  @return 0; BIGHT_ECLOSED: the listener was closed; BIGHT_EMFILE, ENFILE: the connection waits,
 *          try again later; BIGHT_ENOMEM, ENOSPC: it waits, or was reset; BIGHT_ECANCELED;
 *          BIGHT_EPERM: it is another thread's; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, no connection was taken.
 *  Allocates: the stream.  Thread: the loop's.
 *  Ownership: keeps listener until it returns; gives *out.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_listener_accept(struct bight_stream **out,
                                                     struct bight_listener *listener);

/** bight_listener_accept that does not wait.
 *
 *  @return as bight_listener_accept; BIGHT_EAGAIN: there is no connection now.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_listener_try_accept(struct bight_stream **out,
                                                         struct bight_listener *listener);

/** Make `to` a case that happens when a connection was taken: a `struct bight_stream *` in `value`,
 *  with status 0; or with another status as bight_listener_accept. The listener may be closed
 *  and ended at any time: a select that waits for it is told so.
 *
 *  Ownership: keeps listener for as long as the case is used; gives value.
 */
BIGHT_API void bight_case_accept(struct bight_case *to, struct bight_listener *listener);

/** The IP address that the listener has, with the port that the system chose for port 0.
 *
 *  @return 0; BIGHT_ENOTSUP: a Unix socket.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_listener_address(const struct bight_listener *listener,
                                                      struct bight_address *address);

/** The listening socket, for setsockopt and the like.
 *
 *  @return it; BIGHT_EINVAL for NULL; BIGHT_ECLOSED after bight_listener_close.
 *  Ownership: it stays the listener's.
 */
BIGHT_API int bight_listener_fd(const struct bight_listener *listener);

/** Take no more connections: the socket is closed, and with it those that the system still kept
 *  are reset; the file of a Unix socket that the listener made is removed. Tasks that accept, and
 *  bight_serve, get BIGHT_ECLOSED. The object stays until bight_listener_end.
 *
 *  @return 0; BIGHT_EALREADY; BIGHT_EPERM: it is another thread's.
 */
BIGHT_API int bight_listener_close(struct bight_listener *listener);

/** bight_listener_close, and free it. Tasks that wait there touch it no more.
 *
 *  @return 0; BIGHT_EBUSY: a bight_serve of it has not returned: close it, and wait for that;
 *          BIGHT_EPERM: it is another thread's.
 *  Ownership: takes listener on success; NULL does nothing.
 */
BIGHT_API int bight_listener_end(struct bight_listener *listener);

/* Zero is the default for every field. */
struct bight_serve_options {
    /* The most connections at a time; at the limit the system keeps the next ones in its backlog.
     * Default: no limit. */
    size_t max_connections;
    /* After bight_listener_close: how long handlers may go on before they are cancelled. Default
     * 10,000; negative: as long as they like. */
    int64_t drain_ms;
    /* How long the end of a connection may take after its handler has returned 0
     * (bight_stream_end). Default 5,000; negative: for ever. */
    int64_t end_ms;
    /* Out of descriptors or memory: how long to wait before the next attempt to accept. Default
     * 100. */
    int64_t pause_ms;
    /* The stack of a handler's task; default: the runtime's. */
    size_t stack_bytes;
    /* Called once when the listener was closed and `drain_ms` begins, on the loop's thread; it must
     * not suspend. Handlers can be told so to come to an end. */
    void (*on_drain)(void *arg);
    /* Called when a handler has failed, on the loop's thread; it must not suspend. Default: the
     * runtime's report handler, except for a peer that went away (BIGHT_ECONNRESET, BIGHT_EPIPE,
     * BIGHT_EOF). */
    void (*on_failure)(void *arg, const struct bight_stream *stream, int code);
    /* Called when `drain_ms` is over, for each connection whose handler has not returned. Default:
     * the runtime's report handler. */
    void (*on_remaining)(void *arg, const struct bight_stream *stream);
    void *callback_arg;
};

/** Accept connections and run `handler(stream, arg)` for each in a task of its own, until the
 *  listener is closed or the call is cancelled. A drain around it (bight_scope_drain) takes
 *  the connections that the system has made already, as far as max_connections allows, and closes
 *  the listener. When a handler returns, its stream is ended, or aborted if it returned a failure;
 *  nobody else may do so. BIGHT_EDRAIN is no failure in a drain. A failed handler stops nothing
 *  else. A task is called by the peer's address.
 *
 *  After bight_listener_close the handlers that run may finish within `drain_ms`; who remains is
 *  reported by name and cancelled. Out of descriptors it waits, while the system keeps the
 *  connections, and goes on; that is reported once until it has succeeded again.
 *
 *  @return 0: the listener was closed and all handlers have returned; BIGHT_EALREADY: another task
 *          serves it; BIGHT_ECLOSED: it was closed before; BIGHT_EINVAL; BIGHT_ECANCELED; an error
 *          of the listening socket, after which the handlers were cancelled; BIGHT_EPERM: it is
 *          another thread's; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, after all handlers were cancelled and have returned.
 *  Allocates: a stream and a task per connection.  Thread: the loop's.
 *  Ownership: keeps listener and arg until it returns; borrows options, NULL for the defaults.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_serve(struct bight_listener *listener,
                                           int (*handler)(struct bight_stream *stream, void *arg),
                                           void *arg, const struct bight_serve_options *options);

BIGHT_END_DECLS

#endif
