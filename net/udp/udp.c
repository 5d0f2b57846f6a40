/* The life of a UDP socket: it is registered with the runtime's epoll from its beginning to its
 * end. A call is inside from bight__udp_enter to bight__udp_leave, on one of the two sides. */
#include "net/udp/udp.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/address.h"

static int side_abort(struct bight_waiter *waiter)
{
    container_of(waiter, struct side_wait, waiter)->side->waiter = NULL;
    return 0;
}

static void describe(const struct bight_udp *udp, char *text, size_t text_bytes)
{
    char address_text[BIGHT_ADDRESS_TEXT_BYTES];
    struct bight_address address;

    if (bight_udp_local_address(udp, &address) == 0)
        snprintf(text, text_bytes, "udp %s", bight_address_text(&address, address_text));
}

static void receive_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct side_wait *wait = container_of(waiter, const struct side_wait, waiter);

    describe(container_of(wait->side, struct bight_udp, in), text, text_bytes);
}

static void send_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct side_wait *wait = container_of(waiter, const struct side_wait, waiter);

    describe(container_of(wait->side, struct bight_udp, out), text, text_bytes);
}

static const struct bight_waiter_ops receive_ops = {
    .name = "udp receive",
    .abort = side_abort,
    .describe = receive_describe,
    .flags = BIGHT_WAITER_OUTSIDE,
};
static const struct bight_waiter_ops send_ops = {
    .name = "udp send",
    .abort = side_abort,
    .describe = send_describe,
    .flags = BIGHT_WAITER_OUTSIDE,
};

static void on_ready(struct poll_source *source, uint32_t events)
{
    struct bight_udp *udp = container_of(source, struct bight_udp, source);

    if (unlikely(events & EPOLLERR))
        bight__udp_take_refusals(udp);
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        bight__side_ready(&udp->out);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        bight__side_ready(&udp->in);
}

static void udp_destroy(struct bight_udp *udp)
{
    bight__guest_remove(&udp->guest, udp->streams);
    bight__source_remove(udp->streams, &udp->source, udp->fd);
    close(udp->fd);
    bight__free(udp->ring);
    bight__free(udp);
}

static void on_runtime_end(struct stream_guest *guest)
{
    udp_destroy(container_of(guest, struct bight_udp, guest));
}

int bight__udp_new(struct bight_udp **out, struct streams *streams, int fd, int family,
                   unsigned batch, bool connected)
{
    struct bight_sched *sched = &streams->poller.runtime->sched;
    struct bight_udp *udp = bight__alloc_zero(&sched->seams, sizeof(*udp));
    int rc = BIGHT_ENOMEM;

    if (!udp)
        return BIGHT_ENOMEM;
    udp->ring = batch > 1 ? bight__udp_ring_new(&sched->seams, batch) : NULL;
    if (batch > 1 && !udp->ring)
        goto free_udp;
    udp->source.ready = on_ready;
    rc = bight__source_add(streams, &udp->source, fd);
    if (rc)
        goto free_ring;
    udp->sched = sched;
    udp->streams = streams;
    udp->fd = fd;
    udp->family = family;
    udp->connected = connected;
    udp->in = (struct stream_side){.wait = &receive_ops, .ready = true};
    udp->out = (struct stream_side){.wait = &send_ops, .ready = true};
    udp->guest = (struct stream_guest){.kind = "a UDP socket", .end = on_runtime_end};
    bight__guest_add(&udp->guest, streams);
    *out = udp;
    return 0;

free_ring:
    bight__free(udp->ring);
free_udp:
    bight__free(udp);
    return rc;
}

static bool is_over(const struct bight_udp *udp)
{
    return udp->in.taken & SIDE_OVER;
}

static bool anybody_inside(const struct bight_udp *udp)
{
    return (udp->in.taken | udp->out.taken) & SIDE_BUSY;
}

int bight__udp_refuse(const struct bight_udp *udp)
{
    const struct bight_sched *sched = bight__sched;
    int rc, why;

    if (!sched || !sched->current)
        return BIGHT_ENOTASK;
    if (udp->sched != sched)
        return BIGHT_EPERM;
    /* Nobody is inside here: the checkpoint lets others run, who may end the socket. */
    why = is_over(udp) ? BIGHT_ECLOSED : BIGHT_EBUSY;
    rc = bight_checkpoint();
    return rc ? rc : why;
}

int bight__udp_check(const struct bight_udp *udp, const struct stream_side *side)
{
    if (udp->sched != bight__sched)
        return BIGHT_EPERM;
    if (side->taken & SIDE_OVER)
        return BIGHT_ECLOSED;
    return side->taken ? BIGHT_EBUSY : 0;
}

void bight__udp_left(struct bight_udp *udp)
{
    struct bight_waiter *ender = udp->ender;

    if (anybody_inside(udp) || !ender)
        return;
    udp->ender = NULL;
    bight_unpark(ender, 0);
}

static void close_side(struct stream_side *side)
{
    side->taken |= SIDE_OVER;
    bight__side_wake(side, BIGHT_ECLOSED);
}

/* Those inside leave at once, since they wait for nothing else. */
static const struct bight_waiter_ops leave_ops = {.name = "udp end"};

int bight_udp_end(struct bight_udp *udp)
{
    struct bight_waiter waiter;
    int rc;

    if (!udp)
        return 0;
    if (udp->sched != bight__sched)
        return BIGHT_EPERM;
    if (is_over(udp))
        return BIGHT_EALREADY;
    if (anybody_inside(udp) && !bight_self())
        return BIGHT_ENOTASK;
    close_side(&udp->in);
    close_side(&udp->out);
    while (anybody_inside(udp)) {
        bight__waiter_begin(&waiter, &leave_ops);
        udp->ender = &waiter;
        rc = bight_park(&waiter);
        if (rc)
            return rc; /* does not happen: the wait cannot be cancelled */
    }
    udp_destroy(udp);
    return 0;
}

int bight_udp_local_address(const struct bight_udp *udp, struct bight_address *address)
{
    union udp_name name;
    socklen_t bytes = sizeof(name);

    if (!udp || !address)
        return BIGHT_EINVAL;
    if (getsockname(udp->fd, &name.any, &bytes))
        return -errno;
    return bight__address_from_sockaddr(&name.any, address);
}

int bight_udp_peer_address(const struct bight_udp *udp, struct bight_address *address)
{
    union udp_name name;
    socklen_t bytes = sizeof(name);

    if (!udp || !address)
        return BIGHT_EINVAL;
    if (getpeername(udp->fd, &name.any, &bytes))
        return -errno;
    return bight__address_from_sockaddr(&name.any, address);
}

int bight_udp_fd(const struct bight_udp *udp)
{
    return udp ? udp->fd : BIGHT_EINVAL;
}

/* How many datagrams the system had no room for. */
static uint64_t dropped_by_system(const struct bight_udp *udp)
{
    uint32_t counts[SK_MEMINFO_VARS];
    socklen_t bytes = sizeof(counts);

    if (getsockopt(udp->fd, SOL_SOCKET, SO_MEMINFO, counts, &bytes))
        return 0;
    return bytes == sizeof(counts) ? counts[SK_MEMINFO_DROPS] : 0;
}

int bight_udp_get_stats(const struct bight_udp *udp, struct bight_udp_stats *stats)
{
    if (!udp || !stats)
        return BIGHT_EINVAL;
    *stats = udp->stats;
    stats->dropped = dropped_by_system(udp);
    stats->buffered = udp->ring ? bight__udp_ring_held(udp->ring) : 0;
    return 0;
}
