/* Receiving: into the caller's buffer from the system, or from the ring if there is one; and the
 * case of a select. */
#include <errno.h>
#include <sys/socket.h>

#include "net/udp/udp.h"
#include "runtime/address.h"

int bight__udp_receive_failed(struct bight_udp *udp)
{
    int error = errno;

    if (error == EAGAIN || error == EWOULDBLOCK) {
        udp->in.ready = false;
        return BIGHT_EAGAIN;
    }
    if (udp->connected && error != EINTR) {
        bight__udp_take_refusals(udp);
        if (udp->refused || bight__udp_is_hint(error))
            return BIGHT_EINTR;
    }
    return -error;
}

/* From the system, without a ring. With MSG_PEEK it stays there. */
static int64_t receive_one(struct bight_udp *udp, void *buffer, size_t bytes,
                           struct bight_udp_info *info, int flags)
{
    union udp_name from;
    struct iovec part = {buffer, bytes};
    struct msghdr message = {
        .msg_name = info ? &from : NULL,
        .msg_namelen = info ? sizeof(from) : 0,
        .msg_iov = &part,
        .msg_iovlen = 1,
    };
    ssize_t whole = bight__call_fails(bight__udp_seams(udp), "recvmsg")
                        ? -1
                        : recvmsg(udp->fd, &message, flags | MSG_TRUNC);

    if (whole < 0)
        return bight__udp_receive_failed(udp);
    if (info) {
        (void)bight__address_from_sockaddr(&from.any, &info->from);
        info->bytes = (size_t)whole;
    }
    if (flags & MSG_PEEK)
        return 0;
    udp->stats.fetches++;
    udp->stats.truncated += (size_t)whole > bytes;
    return (size_t)whole < bytes ? whole : (int64_t)bytes;
}

/* Whatever was refused until now is told at once. */
static int refused(struct bight_udp *udp)
{
    int rc;

    bight__udp_take_refusals(udp);
    rc = udp->refused;
    udp->refused = 0;
    return rc;
}

static bool ring_has(const struct bight_udp *udp)
{
    return udp->ring && bight__udp_ring_has(udp->ring);
}

/* One attempt, which does not wait. */
static int64_t attempt(struct bight_udp *udp, void *buffer, size_t bytes,
                       struct bight_udp_info *info)
{
    int64_t count;

    do {
        if (ring_has(udp))
            count = bight__udp_ring_take(udp, buffer, bytes, info);
        else if (udp->refused)
            return refused(udp);
        else if (!udp->in.ready)
            return BIGHT_EAGAIN;
        else if (!udp->ring)
            count = receive_one(udp, buffer, bytes, info, 0);
        else if ((count = bight__udp_ring_fetch(udp)) > 0)
            count = BIGHT_EINTR; /* it is in the ring now */
    } while (count == BIGHT_EINTR);
    if (count >= 0) {
        udp->stats.datagrams_received++;
        udp->stats.bytes_received += (uint64_t)count;
        if (info)
            info->truncated = info->bytes > bytes;
    }
    return count;
}

int64_t bight_udp_receive(struct bight_udp *udp, void *buffer, size_t bytes,
                          struct bight_udp_info *info)
{
    int64_t count;
    int rc;

    if (!udp || (!buffer && bytes))
        return BIGHT_EINVAL;
    rc = bight__udp_enter(udp, &udp->in);
    if (rc)
        return rc;
    do {
        count = attempt(udp, buffer, bytes, info);
        if (count != BIGHT_EAGAIN)
            break;
        count = bight__udp_wait(&udp->in);
    } while (count == 0);
    bight__udp_leave(udp, &udp->in);
    return count;
}

int64_t bight_udp_try_receive(struct bight_udp *udp, void *buffer, size_t bytes,
                              struct bight_udp_info *info)
{
    int rc;

    if (!udp || (!buffer && bytes))
        return BIGHT_EINVAL;
    rc = bight__udp_check(udp, &udp->in);
    return rc ? rc : attempt(udp, buffer, bytes, info);
}

/* The case */

static int case_abort(struct bight_waiter *waiter)
{
    struct bight_udp *udp = bight_case_of(waiter)->source;

    if (udp->in.waiter != waiter)
        return 0; /* never armed */
    udp->in.waiter = NULL;
    udp->in.taken &= (uint8_t)~SIDE_CASE;
    return 0;
}

static const struct bight_waiter_ops case_wait = {
    .name = "select: udp",
    .abort = case_abort,
    .flags = BIGHT_WAITER_OUTSIDE,
};

/* Whether a receive would not wait. What a look finds is fetched, or left where it is. */
static bool has_something(struct bight_udp *udp)
{
    int64_t rc = 0;

    while (!ring_has(udp) && !udp->refused) {
        if (!udp->in.ready)
            return false;
        rc = udp->ring ? bight__udp_ring_fetch(udp) : receive_one(udp, NULL, 0, NULL, MSG_PEEK);
        if (rc != BIGHT_EINTR)
            return rc != BIGHT_EAGAIN; /* an error is what the receive will tell */
    }
    return true;
}

static bool case_attempt(struct bight_case *chosen)
{
    struct bight_udp *udp = chosen->source;
    int rc = bight__udp_check(udp, &udp->in);

    if (rc == 0 && !has_something(udp))
        return false;
    chosen->status = rc;
    return true;
}

static int case_arm(struct bight_case *chosen)
{
    struct bight_udp *udp = chosen->source;

    /* Another case of the same select may have been faster. */
    if (udp->in.taken)
        return BIGHT_EBUSY;
    udp->in.taken = SIDE_CASE;
    udp->in.waiter = &chosen->waiter;
    return 0;
}

static const struct bight_case_ops case_ops = {&case_wait, case_attempt, case_arm, NULL};

void bight_case_udp(struct bight_case *to, struct bight_udp *udp)
{
    if (!to)
        return;
    /* Without a socket it is invalid: it has no ops, and the select says so. */
    bight_case_custom(to, udp ? &case_ops : NULL, udp);
}
