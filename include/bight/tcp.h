/* TCP: connections to named or numbered hosts, and listeners. What is done with a connection is in
 * <bight/stream.h>, how one is accepted in <bight/listener.h>. */
#ifndef BIGHT_TCP_H
#define BIGHT_TCP_H

#include <bight/address.h>
#include <bight/base.h>
#include <bight/errors.h>
#include <bight/listener.h>
#include <bight/resolve.h>
#include <bight/stream.h>

BIGHT_BEGIN_DECLS

/* Zero is the default for every field. */
struct bight_tcp_options {
    /* Names are looked up there; default: a resolver that the runtime makes when it is needed. */
    struct bight_resolver *resolver;
    /* The local IP address (a literal) to connect from, and the local port; default: the system's
     * choice. Addresses of another family are not tried then. */
    const char *local_host;
    uint16_t local_port;
    /* How long one address is tried before the next one is tried beside it; default 250, at least
     * 10 (RFC 8305). Negative: one after the other. */
    int64_t stagger_ms;
    /* Leave Nagle's algorithm on. */
    bool nagle;
};

/* What has become of each address that bight_tcp_connect tried, in that order. */
struct bight_tcp_attempts {
    struct bight_address addresses[BIGHT_RESOLVE_ADDRESSES];
    /* 0: connected; the error of its attempt; BIGHT_ECANCELED: another one was faster;
     * BIGHT_EAGAIN: not tried. */
    int codes[BIGHT_RESOLVE_ADDRESSES];
    size_t count;
    /* Of the lookup: see struct bight_resolved. */
    int gai_code;
    const char *text;
};

/** Connect to `port` of `host`, a name or an IP literal. The addresses of a name are tried in the
 *  order of RFC 6724, families in turns, each some time after the one before, until one answers
 *  (Happy Eyeballs, RFC 8305 sections 4 and 5); the others are given up then. There is no time
 *  limit but that of the scope around the call.
 *
 *  `attempts` may be NULL; otherwise it says what became of each address.
 *
 *  @return 0; when all addresses failed, the error of the first: BIGHT_ECONNREFUSED,
 *          BIGHT_ETIMEDOUT, EHOSTUNREACH, ...; BIGHT_ERESOLVE; BIGHT_EINVAL: not a host, port 0,
 *          or `local_host` is no literal; EADDRNOTAVAIL: no address of the family of
 *          `local_host`; BIGHT_EADDRINUSE: the local port; BIGHT_EMFILE; BIGHT_ENOMEM;
 *          BIGHT_ECANCELED; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing is left open.
 *  Allocates: the stream; as bight_resolve; while it runs 4 KiB.  Thread: the loop's.
 *  Ownership: borrows all; gives *out.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_tcp_connect(struct bight_stream **out, const char *host,
                                                 uint16_t port,
                                                 const struct bight_tcp_options *options,
                                                 struct bight_tcp_attempts *attempts);

/** Connect to one address, as bight_tcp_connect does to those of a name.
 *
 *  @return 0; as bight_tcp_connect.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing is left open.
 *  Allocates: the stream; while it runs 4 KiB.  Thread: the loop's.
 *  Ownership: borrows all; gives *out.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_tcp_connect_address(struct bight_stream **out,
                                                         const struct bight_address *address,
                                                         const struct bight_tcp_options *options);

/** Listen on `port` of `host`, an IP literal; NULL is every address of the machine, IPv6 and IPv4.
 *  Port 0 is one that the system chooses (bight_listener_address). The address may be that of
 *  connections that were closed a moment ago (SO_REUSEADDR).
 *
 *  @return 0; BIGHT_EADDRINUSE; EADDRNOTAVAIL; BIGHT_EACCES; BIGHT_EINVAL: not a literal;
 *          BIGHT_ENOMEM; BIGHT_EMFILE; BIGHT_ENORUNTIME; BIGHT_ECLOSED when the runtime's last task
 *          has ended.
 *  Ownership: borrows options, NULL for the defaults; gives *out, to be ended with
 *  bight_listener_end.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_tcp_listen(struct bight_listener **out, const char *host,
                                                uint16_t port,
                                                const struct bight_listen_options *options);

BIGHT_END_DECLS

#endif
