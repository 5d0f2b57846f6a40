/* Sending: one datagram, or several with one system call. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "net/udp/udp.h"

/* Datagrams that one system call is given at a time; their records lie on the stack. */
#define SEND_BATCH 16

/* Of a connected socket: how often a datagram is tried whose failure may be about earlier ones.
 * Each attempt takes one such message away. */
#define SEND_ATTEMPTS 3

socklen_t bight__udp_name(int family, const struct bight_address *to, union udp_name *name)
{
    memset(name, 0, sizeof(*name));
    if (to->family == 4 && family == AF_INET) {
        name->v4.sin_family = AF_INET;
        name->v4.sin_port = htons(to->port);
        memcpy(&name->v4.sin_addr, to->bytes, 4);
        return sizeof(name->v4);
    }
    if (to->family != 4 && to->family != 6)
        return 0;
    name->v6.sin6_family = AF_INET6;
    name->v6.sin6_port = htons(to->port);
    name->v6.sin6_scope_id = to->scope_id;
    memcpy(&name->v6.sin6_addr, to->bytes, 16);
    if (to->family == 4) { /* as a socket for both has it */
        memset(&name->v6.sin6_addr, 0, 16);
        memset(name->v6.sin6_addr.s6_addr + 10, 0xff, 2);
        memcpy(name->v6.sin6_addr.s6_addr + 12, to->bytes, 4);
    }
    return sizeof(name->v6);
}

/* A system call that sends has left an error in errno. BIGHT_EINTR: it is to be made again. The
 * error may be what a peer answered to an earlier datagram: that is the receiver's, and this one
 * was not sent. */
static int send_failed(struct bight_udp *udp, int *attempts)
{
    int error = errno;

    if (error == EAGAIN || error == EWOULDBLOCK) {
        udp->out.ready = false;
        return BIGHT_EAGAIN;
    }
    if (error == EINTR || !udp->connected)
        return -error;
    bight__udp_take_refusals(udp);
    return ++*attempts < SEND_ATTEMPTS ? BIGHT_EINTR : -error;
}

/* A name of no bytes is the peer's. 0, or a negative code. */
static int send_one(struct bight_udp *udp, const void *data, size_t bytes,
                    const union udp_name *name, socklen_t name_bytes)
{
    int attempts = 0, rc;

    do {
        ssize_t sent;

        if (!udp->out.ready)
            return BIGHT_EAGAIN;
        sent = bight__call_fails(bight__udp_seams(udp), "sendto")
                   ? -1
                   : sendto(udp->fd, data, bytes, MSG_NOSIGNAL, name_bytes ? &name->any : NULL,
                            name_bytes);
        rc = sent < 0 ? send_failed(udp, &attempts) : 0;
    } while (rc == BIGHT_EINTR);
    if (rc == 0) {
        udp->stats.datagrams_sent++;
        udp->stats.bytes_sent += bytes;
    }
    return rc;
}

/* Of a socket that was entered. */
static int send_patiently(struct bight_udp *udp, const void *data, size_t bytes,
                          const union udp_name *name, socklen_t name_bytes)
{
    int rc;

    do {
        rc = send_one(udp, data, bytes, name, name_bytes);
        if (rc != BIGHT_EAGAIN)
            return rc;
        rc = bight__udp_wait(&udp->out);
    } while (rc == 0);
    return rc;
}

int bight_udp_send(struct bight_udp *udp, const void *data, size_t bytes)
{
    int rc;

    if (!udp || (!data && bytes))
        return BIGHT_EINVAL;
    rc = bight__udp_enter(udp, &udp->out);
    if (rc)
        return rc;
    rc = send_patiently(udp, data, bytes, NULL, 0);
    bight__udp_leave(udp, &udp->out);
    return rc;
}

int bight_udp_try_send(struct bight_udp *udp, const void *data, size_t bytes)
{
    int rc;

    if (!udp || (!data && bytes))
        return BIGHT_EINVAL;
    rc = bight__udp_check(udp, &udp->out);
    return rc ? rc : send_one(udp, data, bytes, NULL, 0);
}

/* How many bytes the receiver's name has; 0: something is not what it has to be. */
static socklen_t name_of(const struct bight_udp *udp, const struct bight_address *to,
                         const void *data, size_t bytes, union udp_name *name)
{
    return udp && to && (data || !bytes) ? bight__udp_name(udp->family, to, name) : 0;
}

int bight_udp_send_to(struct bight_udp *udp, const struct bight_address *to, const void *data,
                      size_t bytes)
{
    union udp_name name;
    socklen_t name_bytes;
    int rc;

    name_bytes = name_of(udp, to, data, bytes, &name);
    if (!name_bytes)
        return BIGHT_EINVAL;
    rc = bight__udp_enter(udp, &udp->out);
    if (rc)
        return rc;
    rc = send_patiently(udp, data, bytes, &name, name_bytes);
    bight__udp_leave(udp, &udp->out);
    return rc;
}

int bight_udp_try_send_to(struct bight_udp *udp, const struct bight_address *to, const void *data,
                          size_t bytes)
{
    union udp_name name;
    socklen_t name_bytes;
    int rc;

    name_bytes = name_of(udp, to, data, bytes, &name);
    if (!name_bytes)
        return BIGHT_EINVAL;
    rc = bight__udp_check(udp, &udp->out);
    return rc ? rc : send_one(udp, data, bytes, &name, name_bytes);
}

/* Several */

struct send_batch {
    struct mmsghdr headers[SEND_BATCH];
    struct iovec parts[SEND_BATCH];
    union udp_name names[SEND_BATCH];
    unsigned count;
};

/* Take the first of them. One whose address is no address ends the batch, so that it fails only
 * when it is the first. */
static int batch_make(struct send_batch *batch, int family,
                      const struct bight_udp_datagram *datagrams, size_t count)
{
    unsigned i;

    for (i = 0; i < SEND_BATCH && i < count; i++) {
        const struct bight_udp_datagram *datagram = &datagrams[i];
        struct msghdr *header = &batch->headers[i].msg_hdr;

        batch->parts[i] = (struct iovec){(void *)(uintptr_t)datagram->data, datagram->bytes};
        *header = (struct msghdr){.msg_iov = &batch->parts[i], .msg_iovlen = 1};
        if (datagram->to.family) {
            header->msg_name = &batch->names[i];
            header->msg_namelen = bight__udp_name(family, &datagram->to, &batch->names[i]);
            if (!header->msg_namelen)
                break;
        }
    }
    batch->count = i;
    return i ? 0 : BIGHT_EINVAL;
}

/* One attempt: how many were sent, at least 1, or a negative code. When the system sends fewer, the
 * next one may have failed for what is over by then: so it is tried again. */
static int send_some(struct bight_udp *udp, struct send_batch *batch)
{
    int attempts = 0, sent;

    do {
        if (!udp->out.ready)
            return BIGHT_EAGAIN;
        sent = bight__call_fails(bight__udp_seams(udp), "sendmmsg")
                   ? -1
                   : sendmmsg(udp->fd, batch->headers, batch->count, MSG_NOSIGNAL);
        if (sent < 0)
            sent = send_failed(udp, &attempts);
    } while (sent == BIGHT_EINTR);
    for (int i = 0; i < sent; i++) {
        udp->stats.datagrams_sent++;
        udp->stats.bytes_sent += batch->parts[i].iov_len;
    }
    return sent;
}

/* Between two batches: let others run, observe cancellation and the end of the socket. */
static int pause_sending(const struct bight_udp *udp)
{
    int rc = bight_checkpoint();

    if (rc)
        return rc;
    return udp->out.taken & SIDE_OVER ? BIGHT_ECLOSED : 0;
}

static int64_t send_many(struct bight_udp *udp, const struct bight_udp_datagram *datagrams,
                         size_t count)
{
    struct send_batch batch;
    size_t done = 0;
    int rc = 0;

    while (done < count && rc >= 0) {
        rc = batch_make(&batch, udp->family, datagrams + done, count - done);
        if (rc == 0)
            rc = send_some(udp, &batch);
        if (rc > 0) {
            done += (size_t)rc;
            if (done < count)
                rc = pause_sending(udp);
        } else if (rc == BIGHT_EAGAIN) {
            rc = bight__udp_wait(&udp->out);
        }
    }
    return done || !count ? (int64_t)done : rc;
}

static bool are_valid(const struct bight_udp_datagram *datagrams, size_t count)
{
    if (!datagrams && count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!datagrams[i].data && datagrams[i].bytes)
            return false;
    }
    return true;
}

int64_t bight_udp_send_many(struct bight_udp *udp, const struct bight_udp_datagram *datagrams,
                            size_t count)
{
    int64_t done;
    int rc;

    if (!udp || !are_valid(datagrams, count))
        return BIGHT_EINVAL;
    rc = bight__udp_enter(udp, &udp->out);
    if (rc)
        return rc;
    done = send_many(udp, datagrams, count);
    bight__udp_leave(udp, &udp->out);
    return done;
}
