/* UDP: datagrams to one peer or to anybody, broadcast and multicast.
 *
 *     while ((count = bight_udp_receive(udp, buffer, sizeof(buffer), &info)) >= 0) {
 *         rc = bight_udp_send_to(udp, &info.from, buffer, (size_t)count);
 *         if (rc)
 *             return rc;
 *     }
 *     return (int)count;
 *
 * A datagram arrives whole or not at all, perhaps twice, and in any order; that a send has
 * succeeded says that the system took it. Time limits come from the scope around a call. A receive
 * that was cancelled has taken nothing. One task at a time may receive and one may send; a second
 * one gets BIGHT_EBUSY. A socket that is ended wakes the tasks that are inside of its calls with
 * BIGHT_ECLOSED; they must not touch it any more.
 *
 * A peer on whose port nobody listens refuses a datagram by a message of its own. Of a connected
 * socket the next receive tells it, with BIGHT_ECONNREFUSED and once, and no send does, though the
 * system would tell whoever calls first. The socket stays usable: the peer may come back. A socket
 * that is not connected is told of no refusal.
 *
 * What all calls below can return: BIGHT_EINVAL for a NULL that they need; BIGHT_EPERM: the socket
 * is of another thread's runtime; BIGHT_ECLOSED: it is being ended; and those that suspend
 * BIGHT_ENOTASK. Their comments do not repeat it. */
#ifndef BIGHT_UDP_H
#define BIGHT_UDP_H

#include <bight/address.h>
#include <bight/base.h>
#include <bight/errors.h>
#include <bight/resolve.h>
#include <bight/select.h>

BIGHT_BEGIN_DECLS

struct bight_udp;

/* The most datagrams that one system call fetches or sends. */
#define BIGHT_UDP_BATCH 64

/* Zero is the default for every field. */
struct bight_udp_options {
    /* Of bight_udp_connect: names are looked up there; default: a resolver that the runtime makes
     * when it is needed. */
    struct bight_resolver *resolver;
    /* Of the calls that connect: the local IP address (a literal) and port; default: the system's
     * choice. Addresses of another family are not tried then. */
    const char *local_host;
    uint16_t local_port;
    /* Other sockets that allow it too may have the same address and port. Of a multicast each of
     * them gets every datagram; of others only one does (SO_REUSEADDR). */
    bool reuse_address;
    /* Several sockets, also of other processes, may have the port; the system spreads datagrams
     * among them by their senders (SO_REUSEPORT). */
    bool reuse_port;
    /* On an IPv6 address: IPv6 only. By default the unspecified address takes IPv4 too. */
    bool ipv6_only;
    /* Datagrams may go to a broadcast address. */
    bool broadcast;
    /* How many networks a datagram may cross (TTL, hop limit), up to 255; default: the system's.
     * Those of a multicast: bight_udp_set_multicast. */
    int hops;
    /* How many bytes the system keeps, for what was not received and what has not gone out. It may
     * keep fewer (net.core.rmem_max, wmem_max). Default: the system's. */
    int receive_buffer_bytes;
    int send_buffer_bytes;
    /* How many datagrams a receive fetches with one system call, up to BIGHT_UDP_BATCH; the next
     * ones then need none. They wait in a ring of so many blocks of 64 KiB, whose pages become
     * resident when they are used. The system may also glue datagrams of one sender together (UDP
     * GRO), which are separate again here. Default 1: no ring. */
    unsigned batch;
};

/** Open a socket at `port` of `host`, an IP literal; NULL is every address of the machine, IPv6 and
 *  IPv4. Port 0 is one that the system chooses (bight_udp_local_address).
 *
 *  @return 0; BIGHT_EADDRINUSE; EADDRNOTAVAIL; BIGHT_EACCES; BIGHT_EINVAL: not a literal, or an
 *          option out of range; BIGHT_ENOMEM; ENOSPC; BIGHT_EMFILE; BIGHT_ENORUNTIME; BIGHT_ECLOSED
 *          when the runtime's last task has ended.
 *  Ownership: borrows options, NULL for the defaults; gives *out, to be ended with bight_udp_end.
 *  The runtime ends what is left when its last task has ended.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_udp_open(struct bight_udp **out, const char *host,
                                              uint16_t port,
                                              const struct bight_udp_options *options);

/** Open a socket that is connected to `port` of `host`, a name or an IP literal: it sends there and
 *  receives from there only. Nothing is sent. Of the addresses of a name it is the first to which
 *  the machine has a route.
 *
 *  @return 0; as bight_resolve; ENETUNREACH: no route to any address; BIGHT_EADDRINUSE: the local
 *          port; EADDRNOTAVAIL: no address of the family of `local_host`; BIGHT_EACCES: a broadcast
 *          address, without the option; BIGHT_EINVAL: not a host, port 0, or an option out of
 *          range; BIGHT_ENOMEM; ENOSPC; BIGHT_EMFILE; BIGHT_ECANCELED; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing is left open.
 *  Allocates: the socket; as bight_resolve.  Thread: the loop's.
 *  Ownership: borrows all; gives *out.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_udp_connect(struct bight_udp **out, const char *host,
                                                 uint16_t port,
                                                 const struct bight_udp_options *options);

/** Open a socket that is connected to one address, as bight_udp_connect to one of a name.
 *
 *  @return 0; as bight_udp_connect.
 *  Ownership: borrows all; gives *out.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_udp_connect_address(struct bight_udp **out,
                                                         const struct bight_address *address,
                                                         const struct bight_udp_options *options);

/** Make a socket of `fd`, a UDP socket, such as a service manager hands over. It is made
 *  non-blocking and stays so: the next process that is handed it may be at work already. Of the
 *  options only `batch` counts.
 *
 *  @return 0; BIGHT_EBADF; BIGHT_EINVAL: not a UDP socket, or an option out of range; BIGHT_ENOMEM;
 *          ENOSPC; BIGHT_EMFILE; BIGHT_ENORUNTIME; BIGHT_ECLOSED when the runtime's last task has
 *          ended.
 *  Ownership: takes fd on success; borrows options, NULL for the defaults; gives *out.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_udp_from_fd(struct bight_udp **out, int fd,
                                                 const struct bight_udp_options *options);

/* What is known of a datagram beside its bytes. */
struct bight_udp_info {
    /* Who has sent it. */
    struct bight_address from;
    /* How many bytes it had. */
    size_t bytes;
    /* The buffer was smaller, and the rest is lost. */
    bool truncated;
};

/** Receive a datagram into `buffer`, sleeping until there is one. `info` may be NULL; without it
 *  nobody is told that a datagram was longer than the buffer.
 *
 *  @return how many bytes are in the buffer, at most `bytes`; 0 for a datagram without any;
 *          BIGHT_EBUSY: another task receives; BIGHT_ECONNREFUSED and other errors that a peer
 *          answered with, of a connected socket, once; BIGHT_ENOMEM; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing was taken.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_udp_receive(struct bight_udp *udp, void *buffer,
                                                     size_t bytes, struct bight_udp_info *info);

/** bight_udp_receive that does not wait.
 *
 *  @return as bight_udp_receive; BIGHT_EAGAIN: there is no datagram now.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_udp_try_receive(struct bight_udp *udp, void *buffer,
                                                         size_t bytes, struct bight_udp_info *info);

/** Send a datagram to the peer of a connected socket, sleeping while the system has no room.
 *
 *  @return 0; BIGHT_EMSGSIZE: it is too long for a datagram; EDESTADDRREQ: the socket is not
 *          connected; BIGHT_EBUSY: another task sends; ENETUNREACH, EHOSTUNREACH: no route;
 *          BIGHT_EPERM: also what a packet filter says; ENOBUFS, BIGHT_ENOMEM: the system dropped
 *          it; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, it was not sent.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_udp_send(struct bight_udp *udp, const void *data,
                                              size_t bytes);

/** Send a datagram to `to`, sleeping while the system has no room. An IPv6 socket that takes IPv4
 *  too sends to both. A connected socket sends it there as well, and receives no answer.
 *
 *  @return 0; as bight_udp_send; BIGHT_EINVAL: `to` is no address, or has port 0; EAFNOSUPPORT:
 *          it is of the other family; BIGHT_EACCES: a broadcast address, without the option.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, it was not sent.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_udp_send_to(struct bight_udp *udp,
                                                 const struct bight_address *to, const void *data,
                                                 size_t bytes);

/** bight_udp_send that does not wait.
 *
 *  @return as bight_udp_send; BIGHT_EAGAIN: there is no room now.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_udp_try_send(struct bight_udp *udp, const void *data,
                                                  size_t bytes);

/** bight_udp_send_to that does not wait.
 *
 *  @return as bight_udp_send_to; BIGHT_EAGAIN: there is no room now.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_udp_try_send_to(struct bight_udp *udp,
                                                     const struct bight_address *to,
                                                     const void *data, size_t bytes);

/* One of several datagrams to be sent. */
struct bight_udp_datagram {
    const void *data;
    size_t bytes;
    /* Family 0: the peer of a connected socket. */
    struct bight_address to;
};

/** Send `count` datagrams in their order, in as few system calls as possible.
 *
 *  @return how many were sent: all, or fewer when the next one failed, or the call was cancelled
 *          before it; what that was is returned by the call for the rest. If the first one failed,
 *          as bight_udp_send_to.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, none was sent; or how many were.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_udp_send_many(struct bight_udp *udp,
                                                       const struct bight_udp_datagram *datagrams,
                                                       size_t count);

/** Make `to` a case that happens when a receive from `udp` would not wait. The case is the one
 *  receiver of its socket; its status is 0, BIGHT_ECLOSED, or BIGHT_EBUSY: a task receives.
 *  Readiness is a hint: the receive may wait for the next one if the system drops a datagram whose
 *  checksum is wrong.
 *
 *  The socket may be ended at any time: a select that waits for it is told so.
 *
 *  Ownership: keeps udp for as long as the case is used.
 */
BIGHT_API void bight_case_udp(struct bight_case *to, struct bight_udp *udp);

/** Join the multicast group `group`, whose port does not count, on the network interface of that
 *  name; NULL is the system's choice. Datagrams for the group at the socket's port are received
 *  from now on; those of groups that only other sockets have joined are not.
 *
 *  @return 0; BIGHT_EADDRINUSE: it has joined already; BIGHT_EINVAL: not a multicast address;
 *          ENODEV: no such interface; ENOBUFS: too many (igmp_max_memberships); ENOPROTOOPT: IPv6
 *          on an IPv4 socket.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_udp_join(struct bight_udp *udp,
                                              const struct bight_address *group,
                                              const char *interface_name);

/** Leave a group that was joined on that interface. The end of a socket leaves all.
 *
 *  @return 0; EADDRNOTAVAIL: it has not joined; otherwise as bight_udp_join.
 */
BIGHT_API int bight_udp_leave(struct bight_udp *udp, const struct bight_address *group,
                              const char *interface_name);

/* How datagrams go to multicast groups. Zero is the default for every field. */
struct bight_udp_multicast {
    /* The network interface from which they go; default: the system's choice. */
    const char *interface_name;
    /* How many networks they may cross, up to 255; default 1: none but the first. */
    int hops;
    /* Sockets of this machine that have joined do not get them. */
    bool no_loop;
};

/** Set how datagrams go to multicast groups: all of it, with NULL the defaults.
 *
 *  @return 0; BIGHT_EINVAL: out of range; ENODEV: no such interface.
 *  Ownership: borrows all.
 */
BIGHT_API int bight_udp_set_multicast(struct bight_udp *udp,
                                      const struct bight_udp_multicast *multicast);

/** The address of the socket, with the port that the system chose.
 *
 *  @return 0; BIGHT_EINVAL for NULL; what getsockname(2) says.
 *  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_udp_local_address(const struct bight_udp *udp,
                                                       struct bight_address *address);

/** The address that the socket is connected to.
 *
 *  @return 0; ENOTCONN: it is not connected.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_udp_peer_address(const struct bight_udp *udp,
                                                      struct bight_address *address);

/** The descriptor, for setsockopt and the like.
 *
 *  @return it; BIGHT_EINVAL for NULL.
 *  Ownership: it stays the socket's: do not send, receive or close it.
 */
BIGHT_API int bight_udp_fd(const struct bight_udp *udp);

struct bight_udp_stats {
    /* Datagrams and their bytes that bight_udp_receive has returned; the bytes it kept. */
    uint64_t datagrams_received;
    uint64_t bytes_received;
    /* Those of them that were longer than the buffer. */
    uint64_t truncated;
    uint64_t datagrams_sent;
    uint64_t bytes_sent;
    /* Datagrams that came and that the system had no room for (receive_buffer_bytes). */
    uint64_t dropped;
    /* Refusals, and other errors that a peer answered with. */
    uint64_t refusals;
    /* System calls that have fetched one datagram or several. */
    uint64_t fetches;
    /* Datagrams in the ring. */
    size_t buffered;
};

/** The counts of `udp`.
 *
 *  @return 0; BIGHT_EINVAL for NULL.
 *  Ownership: borrows all.
 */
BIGHT_API int bight_udp_get_stats(const struct bight_udp *udp, struct bight_udp_stats *stats);

/** End the socket: wake the tasks inside of its calls with BIGHT_ECLOSED, wait until those have
 *  returned, close, and free. What was sent goes out; what was not received is lost.
 *
 *  @return 0; BIGHT_EALREADY: another task is ending it; BIGHT_ENOTASK: tasks are inside, and there
 *          is none that could wait for them.
 *  Suspends: yes, while a task is inside.  Cancellable: no.  On cancel: goes on.  Allocates: no.
 *  Thread: the loop's.  Ownership: takes udp on success; NULL does nothing.
 */
BIGHT_API int bight_udp_end(struct bight_udp *udp);

BIGHT_END_DECLS

#endif
