/* What peers answer instead of a datagram: nobody listens on that port, and the like. The system
 * would tell it once, to whatever call comes first, and a batch that is being sent would swallow
 * it. So a connected socket has it kept in the socket's queue of errors as well (IP_RECVERR), from
 * where it is taken for the receiver. */
#include "net/udp/udp.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/errqueue.h>

#include "net/stream/socket.h"

int bight__udp_keep_refusals(const struct bight_seams *seams, int fd, int family)
{
    int rc = 0;

    if (family == AF_INET6)
        rc = bight__socket_set(seams, fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
    return rc ? rc : bight__socket_set(seams, fd, IPPROTO_IP, IP_RECVERR, 1);
}

/* RFC 1122, 3.2.2.1: that a host or a network cannot be reached may be over in a moment. */
bool bight__udp_is_hint(int error)
{
    return error == EHOSTUNREACH || error == ENETUNREACH || error == EMSGSIZE;
}

/* The error that a message of the queue tells of, if a peer or somebody on the way has sent it;
 * else 0. */
static int error_of(struct msghdr *message)
{
    struct sock_extended_err error;

    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        if (!(part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) &&
            !(part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR))
            continue;
        memcpy(&error, CMSG_DATA(part), sizeof(error));
        return error.ee_origin == SO_EE_ORIGIN_LOCAL || bight__udp_is_hint((int)error.ee_errno)
                   ? 0
                   : (int)error.ee_errno;
    }
    return 0;
}

void bight__udp_take_refusals(struct bight_udp *udp)
{
    /* An error, and an address behind it. */
    _Alignas(struct cmsghdr) char
        control[CMSG_SPACE(sizeof(struct sock_extended_err) + sizeof(struct sockaddr_in6))];
    struct msghdr message;
    int error;

    if (!udp->connected)
        return;
    for (;;) {
        message = (struct msghdr){.msg_control = control, .msg_controllen = sizeof(control)};
        if (recvmsg(udp->fd, &message, MSG_ERRQUEUE) < 0)
            break;
        error = error_of(&message);
        if (!error)
            continue;
        udp->refused = -error;
        udp->stats.refusals++;
    }
    if (udp->refused)
        bight__side_ready(&udp->in);
}
