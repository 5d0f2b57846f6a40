/* Making UDP sockets: bound to an address, connected to one, or of a descriptor that somebody else
 * has made. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/resolve/door.h"
#include "net/stream/socket.h"
#include "net/udp/udp.h"
#include "runtime/address.h"
#include "runtime/stream/descriptor.h"

#define MOST_HOPS 255

static const struct bight_udp_options default_options;

static bool are_valid(const struct bight_udp_options *options)
{
    return options->batch <= BIGHT_UDP_BATCH && options->hops >= 0 && options->hops <= MOST_HOPS &&
           options->receive_buffer_bytes >= 0 && options->send_buffer_bytes >= 0;
}

static int socket_new(const struct bight_seams *seams, int family)
{
    int fd = bight__call_fails(seams, "socket")
                 ? -1
                 : socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    return fd < 0 ? -errno : fd;
}

/* A socket of IPv6 sends to IPv4 too, with hops of its own. */
static int set_hops(const struct bight_seams *seams, int fd, int family,
                    const struct bight_udp_options *options)
{
    int rc = 0;

    if (!options->hops)
        return 0;
    if (family == AF_INET6)
        rc = bight__socket_set(seams, fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, options->hops);
    return rc ? rc : bight__socket_set(seams, fd, IPPROTO_IP, IP_TTL, options->hops);
}

/* Without it a socket for every address hears the groups that any other socket of the machine has
 * joined. */
static int hear_own_groups(const struct bight_seams *seams, int fd, int family)
{
    int rc = 0;

    if (family == AF_INET6)
        rc = bight__socket_set(seams, fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
    return rc ? rc : bight__socket_set(seams, fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
}

static int set_options(const struct bight_seams *seams, int fd, int family,
                       const struct bight_udp_options *options)
{
    const struct {
        int option;
        int value;
    } wanted[] = {
        {SO_REUSEADDR, options->reuse_address},  {SO_REUSEPORT, options->reuse_port},
        {SO_BROADCAST, options->broadcast},      {SO_RCVBUF, options->receive_buffer_bytes},
        {SO_SNDBUF, options->send_buffer_bytes},
    };
    int rc = 0;

    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]) && rc == 0; i++) {
        if (wanted[i].value)
            rc = bight__socket_set(seams, fd, SOL_SOCKET, wanted[i].option, wanted[i].value);
    }
    if (rc == 0 && family == AF_INET6)
        rc = bight__socket_set(seams, fd, IPPROTO_IPV6, IPV6_V6ONLY, options->ipv6_only);
    if (rc == 0)
        rc = hear_own_groups(seams, fd, family);
    return rc ? rc : set_hops(seams, fd, family, options);
}

/* A socket bound to `local`, or a negative code. */
static int bound_socket(const struct bight_seams *seams, const struct bight_address *local,
                        const struct bight_udp_options *options)
{
    union udp_name name;
    int family = local->family == 4 ? AF_INET : AF_INET6;
    int fd = socket_new(seams, family);
    int rc;

    if (fd < 0)
        return fd;
    rc = set_options(seams, fd, family, options);
    if (rc == 0)
        rc = bight__socket_bind(seams, fd, &name, bight__udp_name(family, local, &name));
    if (rc == 0)
        return fd;
    close(fd);
    return rc;
}

/* Every address of the machine, which may be one without IPv6. */
static int bound_to_all(const struct bight_seams *seams, struct bight_address *local,
                        const struct bight_udp_options *options)
{
    int fd;

    local->family = 6;
    fd = bound_socket(seams, local, options);
    if ((fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL) || options->ipv6_only)
        return fd;
    local->family = 4;
    return bound_socket(seams, local, options);
}

/* The socket of `fd`, which stays the caller's when that fails. */
static int made_of(struct bight_udp **out, struct streams *streams, int fd, int family,
                   unsigned batch, bool connected)
{
    const struct bight_seams *seams = &streams->poller.runtime->sched.seams;
    int rc = connected ? bight__udp_keep_refusals(seams, fd, family) : 0;

    if (rc == 0 && batch > 1)
        bight__udp_ring_glue(seams, fd);
    if (rc == 0)
        rc = bight__udp_new(out, streams, fd, family, batch, connected);
    return rc;
}

int bight_udp_open(struct bight_udp **out, const char *host, uint16_t port,
                   const struct bight_udp_options *options)
{
    struct bight_address local = {0};
    const struct bight_seams *seams;
    struct streams *streams;
    int fd, rc;

    if (!options)
        options = &default_options;
    if (!out || !are_valid(options) || (host && bight_address_parse(host, &local)))
        return BIGHT_EINVAL;
    rc = bight__streams_get(&streams);
    if (rc)
        return rc;
    local.port = port;
    seams = &streams->poller.runtime->sched.seams;
    fd = host ? bound_socket(seams, &local, options) : bound_to_all(seams, &local, options);
    if (fd < 0)
        return fd;
    rc = made_of(out, streams, fd, local.family == 4 ? AF_INET : AF_INET6, options->batch, false);
    if (rc)
        close(fd);
    return rc;
}

/* The local end that the options ask for; family 0: any. */
static int local_of(const struct bight_udp_options *options, struct bight_address *local)
{
    *local = (struct bight_address){0};
    if (options->local_host && bight_address_parse(options->local_host, local))
        return BIGHT_EINVAL;
    local->port = options->local_port;
    return 0;
}

static int connect_socket(const struct bight_seams *seams, int fd, int family,
                          const struct bight_address *peer)
{
    union udp_name name;
    socklen_t bytes = bight__udp_name(family, peer, &name);

    return bight__call_fails(seams, "connect") || connect(fd, &name.any, bytes) ? -errno : 0;
}

static int connect_to(struct bight_udp **out, const struct bight_address *peer,
                      const struct bight_address *wanted, const struct bight_udp_options *options)
{
    struct bight_address local = *wanted;
    const struct bight_seams *seams;
    struct streams *streams;
    int family = peer->family == 4 ? AF_INET : AF_INET6;
    int fd, rc;

    rc = bight__streams_get(&streams);
    if (rc)
        return rc;
    if (local.family && local.family != peer->family)
        return -EADDRNOTAVAIL;
    local.family = peer->family;
    seams = &streams->poller.runtime->sched.seams;
    fd = bound_socket(seams, &local, options);
    if (fd < 0)
        return fd;
    do {
        rc = connect_socket(seams, fd, family, peer);
    } while (rc == BIGHT_EINTR);
    if (rc == 0)
        rc = made_of(out, streams, fd, family, options->batch, true);
    if (rc)
        close(fd);
    return rc;
}

int bight_udp_connect_address(struct bight_udp **out, const struct bight_address *address,
                              const struct bight_udp_options *options)
{
    struct bight_address local;

    if (!options)
        options = &default_options;
    if (!out || !address || !are_valid(options) || local_of(options, &local) || !address->port ||
        (address->family != 4 && address->family != 6))
        return BIGHT_EINVAL;
    return connect_to(out, address, &local, options);
}

/* Of the errors of several addresses the first is the one to be told. */
static int connect_to_first(struct bight_udp **out, const struct bight_resolved *found,
                            uint16_t port, const struct bight_address *local,
                            const struct bight_udp_options *options)
{
    int first = 0;

    for (size_t i = 0; i < found->count; i++) {
        struct bight_address peer = found->addresses[i];
        int rc;

        peer.port = port;
        rc = connect_to(out, &peer, local, options);
        if (rc == 0)
            return 0;
        if (!first)
            first = rc;
    }
    return first;
}

int bight_udp_connect(struct bight_udp **out, const char *host, uint16_t port,
                      const struct bight_udp_options *options)
{
    struct bight_resolver *resolver;
    struct bight_resolved found;
    struct bight_address local;
    int rc;

    if (!options)
        options = &default_options;
    if (!out || !host || !port || !are_valid(options) || local_of(options, &local))
        return BIGHT_EINVAL;
    if (!bight_self())
        return BIGHT_ENOTASK;
    resolver = options->resolver;
    rc = resolver ? 0 : bight__resolver_default(&resolver);
    if (rc == 0)
        rc = bight_resolve(resolver, host, &found);
    return rc ? rc : connect_to_first(out, &found, port, &local, options);
}

static int get_int(int fd, int option, int *value)
{
    socklen_t bytes = sizeof(*value);

    return getsockopt(fd, SOL_SOCKET, option, value, &bytes) ? -errno : 0;
}

/* The family of `fd`, which has to be a UDP socket; or a negative code. */
static int family_of(int fd)
{
    int protocol = 0, family = 0;
    int rc = get_int(fd, SO_PROTOCOL, &protocol);

    if (rc == 0)
        rc = get_int(fd, SO_DOMAIN, &family);
    if (rc)
        return rc == BIGHT_EBADF ? rc : BIGHT_EINVAL;
    return protocol == IPPROTO_UDP && (family == AF_INET || family == AF_INET6) ? family
                                                                                : BIGHT_EINVAL;
}

int bight_udp_from_fd(struct bight_udp **out, int fd, const struct bight_udp_options *options)
{
    const struct bight_seams *seams;
    struct streams *streams;
    union udp_name peer;
    socklen_t bytes = sizeof(peer);
    bool was_blocking;
    int family, rc;

    if (!options)
        options = &default_options;
    if (!out || !are_valid(options))
        return BIGHT_EINVAL;
    rc = bight__streams_get(&streams);
    if (rc)
        return rc;
    family = family_of(fd);
    if (family < 0)
        return family;
    seams = &streams->poller.runtime->sched.seams;
    rc = bight__set_nonblocking(seams, fd, &was_blocking);
    if (rc)
        return rc;
    rc = made_of(out, streams, fd, family, options->batch, getpeername(fd, &peer.any, &bytes) == 0);
    if (rc && was_blocking)
        bight__set_blocking(seams, fd);
    return rc;
}
