/* The private part of UDP sockets. open.c makes them, udp.c has their life and what can be asked of
 * them, receive.c receives, ring.c fetches several datagrams at a time, send.c sends, refusal.c has
 * what peers answer instead, multicast.c the groups. */
#ifndef BIGHT_NET_UDP_UDP_H
#define BIGHT_NET_UDP_UDP_H

#include <netinet/in.h>

#include <bight/udp.h>

#include "runtime/stream/stream.h"

/* An address as the system calls have it. */
union udp_name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct udp_ring;

struct bight_udp {
    struct bight_sched *sched; /* whose it is */
    struct streams *streams;
    struct stream_guest guest; /* in the runtime's list */
    struct poll_source source;
    struct stream_side in;
    struct stream_side out;
    struct udp_ring *ring;      /* NULL: datagrams are fetched one by one */
    struct bight_waiter *ender; /* waits until nobody is inside */
    int fd;
    int family;  /* AF_INET or AF_INET6 */
    int refused; /* what the next receive is to tell; 0: nothing */
    bool connected;
    struct bight_udp_stats stats;
};

static inline const struct bight_seams *bight__udp_seams(const struct bight_udp *udp)
{
    return &udp->sched->seams;
}

/* udp.c: make the socket of `fd`, which is non-blocking; takes it on success. `batch` as in the
 * options. */
int bight__udp_new(struct bight_udp **out, struct streams *streams, int fd, int family,
                   unsigned batch, bool connected);
/* The last call leaves a socket that is being ended. */
void bight__udp_left(struct bight_udp *udp);
/* The cold half of bight__udp_enter. */
int bight__udp_refuse(const struct bight_udp *udp);
/* Of a call that does not suspend, on one side. */
int bight__udp_check(const struct bight_udp *udp, const struct stream_side *side);

static inline void bight__udp_leave(struct bight_udp *udp, struct stream_side *side)
{
    side->taken &= (uint8_t)~SIDE_BUSY;
    if (unlikely(side->taken))
        bight__udp_left(udp);
}

/* The opening of a call on one side: the task is inside from here on, also while the checkpoint
 * lets others run, until bight__udp_leave. Not inside if it fails. */
__attribute__((always_inline)) static inline int bight__udp_enter(struct bight_udp *udp,
                                                                  struct stream_side *side)
{
    struct bight_task *self;
    int rc;

    if (unlikely(udp->sched != bight__sched || side->taken))
        return bight__udp_refuse(udp);
    side->taken = SIDE_BUSY;
    rc = bight__checkpoint(&self);
    if (likely(!rc && side->taken == SIDE_BUSY))
        return 0;
    bight__udp_leave(udp, side);
    return rc ? rc : BIGHT_ECLOSED;
}

/* Sleep until the side is ready. */
static inline int bight__udp_wait(struct stream_side *side)
{
    /* It may have been ended between the wake-up from the last wait and its task's turn. */
    return side->taken & SIDE_OVER ? BIGHT_ECLOSED : bight__side_wait(side, bight__sched->current);
}

/* receive.c: a system call that receives has left an error in errno. BIGHT_EAGAIN: there is
 * nothing; BIGHT_EINTR: it is to be made again, or a refusal is there to be told. */
int bight__udp_receive_failed(struct bight_udp *udp);

/* ring.c. NULL: no memory. */
struct udp_ring *bight__udp_ring_new(const struct bight_seams *seams, unsigned batch);
/* How many datagrams it has; whether it has any. */
size_t bight__udp_ring_held(const struct udp_ring *ring);
bool bight__udp_ring_has(const struct udp_ring *ring);
/* Fetch what there is into the ring, which is empty: more than 0, or what
 * bight__udp_receive_failed returns. */
int bight__udp_ring_fetch(struct bight_udp *udp);
/* Take the next one of the ring, which is not empty. */
int64_t bight__udp_ring_take(struct bight_udp *udp, void *buffer, size_t bytes,
                             struct bight_udp_info *info);
/* Have the system glue datagrams together, if it can. */
void bight__udp_ring_glue(const struct bight_seams *seams, int fd);

/* refusal.c: have the system keep what peers of a connected socket answer. */
int bight__udp_keep_refusals(const struct bight_seams *seams, int fd, int family);
/* Take what it has kept, and tell the receiver. */
void bight__udp_take_refusals(struct bight_udp *udp);
/* Whether an error is only a hint about the way to the peer. */
bool bight__udp_is_hint(int error);

/* send.c: the name of `to` for a socket of that family, and its length; 0: it is no address. */
socklen_t bight__udp_name(int family, const struct bight_address *to, union udp_name *name);

#endif
