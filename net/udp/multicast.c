/* Multicast: groups that a socket joins, and how it sends to them. A socket of IPv6 that takes IPv4
 * too has both kinds of groups, each with settings of its own. */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "net/stream/socket.h"
#include "net/udp/udp.h"

#define MOST_HOPS 255

/* The number of an interface; 0 for NULL, which is the system's choice. */
static int interface_of(const char *name, unsigned *number)
{
    *number = name ? if_nametoindex(name) : 0;
    return name && !*number ? -ENODEV : 0;
}

static int of_this_thread(const struct bight_udp *udp)
{
    if (udp->sched != bight__sched)
        return BIGHT_EPERM;
    return udp->in.taken & SIDE_OVER ? BIGHT_ECLOSED : 0;
}

static int change(struct bight_udp *udp, const struct bight_address *group, const char *name,
                  int option)
{
    int family = group->family == 4 ? AF_INET : AF_INET6;
    struct group_req request = {0};
    union udp_name address;
    socklen_t bytes = bight__udp_name(family, group, &address);
    unsigned number;
    int rc = of_this_thread(udp);

    if (rc == 0 && !bytes)
        rc = BIGHT_EINVAL;
    if (rc == 0)
        rc = interface_of(name, &number);
    if (rc)
        return rc;
    request.gr_interface = number;
    memcpy(&request.gr_group, &address, bytes);
    if (bight__call_fails(bight__udp_seams(udp), "setsockopt") ||
        setsockopt(udp->fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, option, &request,
                   sizeof(request)))
        return -errno;
    return 0;
}

int bight_udp_join(struct bight_udp *udp, const struct bight_address *group,
                   const char *interface_name)
{
    if (!udp || !group)
        return BIGHT_EINVAL;
    return change(udp, group, interface_name, MCAST_JOIN_GROUP);
}

int bight_udp_leave(struct bight_udp *udp, const struct bight_address *group,
                    const char *interface_name)
{
    if (!udp || !group)
        return BIGHT_EINVAL;
    return change(udp, group, interface_name, MCAST_LEAVE_GROUP);
}

static int set_ipv4(const struct bight_udp *udp, unsigned number, int hops, bool loop)
{
    const struct ip_mreqn from = {.imr_ifindex = (int)number};
    const struct bight_seams *seams = bight__udp_seams(udp);
    int rc = bight__socket_set(seams, udp->fd, IPPROTO_IP, IP_MULTICAST_TTL, hops);

    if (rc == 0)
        rc = bight__socket_set(seams, udp->fd, IPPROTO_IP, IP_MULTICAST_LOOP, loop);
    if (rc)
        return rc;
    return bight__call_fails(seams, "setsockopt") ||
                   setsockopt(udp->fd, IPPROTO_IP, IP_MULTICAST_IF, &from, sizeof(from))
               ? -errno
               : 0;
}

static int set_ipv6(const struct bight_udp *udp, unsigned number, int hops, bool loop)
{
    const struct bight_seams *seams = bight__udp_seams(udp);
    int rc = bight__socket_set(seams, udp->fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops);

    if (rc == 0)
        rc = bight__socket_set(seams, udp->fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, loop);
    return rc ? rc
              : bight__socket_set(seams, udp->fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)number);
}

int bight_udp_set_multicast(struct bight_udp *udp, const struct bight_udp_multicast *multicast)
{
    static const struct bight_udp_multicast defaults;
    unsigned number;
    int hops, rc;

    if (!multicast)
        multicast = &defaults;
    if (!udp || multicast->hops < 0 || multicast->hops > MOST_HOPS)
        return BIGHT_EINVAL;
    rc = of_this_thread(udp);
    if (rc == 0)
        rc = interface_of(multicast->interface_name, &number);
    if (rc)
        return rc;
    hops = multicast->hops ? multicast->hops : 1;
    if (udp->family == AF_INET6)
        rc = set_ipv6(udp, number, hops, !multicast->no_loop);
    return rc ? rc : set_ipv4(udp, number, hops, !multicast->no_loop);
}
