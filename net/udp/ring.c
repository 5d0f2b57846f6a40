/* A ring of blocks into which one system call fetches several datagrams. With UDP GRO a block may
 * have more than one, of the same sender and, but for the last, the same length: they are taken out
 * one by one. */
#include "net/udp/udp.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "net/stream/socket.h"
#include "runtime/address.h"

/* No datagram is longer, glued or not. */
#define BLOCK_BYTES ((size_t)65536)

struct udp_block {
    struct iovec room;
    union udp_name from;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    size_t each; /* of the datagrams in it; 0: it is one */
};

struct udp_ring {
    unsigned batch;
    unsigned filled; /* blocks that the last fetch has filled */
    unsigned at;     /* the first of them that is not empty yet */
    size_t offset;   /* where the next datagram begins in that one */
    struct udp_block *blocks;
    struct mmsghdr headers[]; /* then the blocks, then their room */
};

struct udp_ring *bight__udp_ring_new(const struct bight_seams *seams, unsigned batch)
{
    size_t headers_bytes = sizeof(struct udp_ring) + batch * sizeof(struct mmsghdr);
    size_t blocks_bytes = batch * sizeof(struct udp_block);
    struct udp_ring *ring = bight__alloc(seams, headers_bytes + blocks_bytes + batch * BLOCK_BYTES);
    char *room;

    if (!ring)
        return NULL;
    memset(ring, 0, headers_bytes + blocks_bytes);
    ring->batch = batch;
    ring->blocks = (void *)((char *)ring + headers_bytes);
    room = (char *)ring + headers_bytes + blocks_bytes;
    for (unsigned i = 0; i < batch; i++) {
        struct udp_block *block = &ring->blocks[i];
        struct msghdr *header = &ring->headers[i].msg_hdr;

        block->room = (struct iovec){room + i * BLOCK_BYTES, BLOCK_BYTES};
        header->msg_iov = &block->room;
        header->msg_iovlen = 1;
        header->msg_name = &block->from;
        header->msg_control = block->control;
    }
    return ring;
}

void bight__udp_ring_glue(const struct bight_seams *seams, int fd)
{
    (void)bight__socket_set(seams, fd, IPPROTO_UDP, UDP_GRO, 1);
}

/* How many datagrams are in a block from `offset` on. */
static size_t count_in(const struct udp_ring *ring, unsigned index, size_t offset)
{
    size_t left = ring->headers[index].msg_len - offset;
    size_t each = ring->blocks[index].each;

    return each && left > each ? (left + each - 1) / each : 1;
}

size_t bight__udp_ring_held(const struct udp_ring *ring)
{
    size_t held = 0;

    for (unsigned i = ring->at; i < ring->filled; i++)
        held += count_in(ring, i, i == ring->at ? ring->offset : 0);
    return held;
}

bool bight__udp_ring_has(const struct udp_ring *ring)
{
    return ring->at < ring->filled;
}

/* The length of each datagram in a block that has several; 0: it has one. */
static size_t length_of_each(struct msghdr *header)
{
    int each = 0;

    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level == IPPROTO_UDP && part->cmsg_type == UDP_GRO)
            memcpy(&each, CMSG_DATA(part), sizeof(each));
    }
    return each > 0 ? (size_t)each : 0;
}

/* Fewer than asked for: there were no more, and the next one makes an event. */
int bight__udp_ring_fetch(struct bight_udp *udp)
{
    struct udp_ring *ring = udp->ring;
    int count;

    for (unsigned i = 0; i < ring->batch; i++) {
        ring->headers[i].msg_hdr.msg_namelen = sizeof(union udp_name);
        ring->headers[i].msg_hdr.msg_controllen = sizeof(ring->blocks[i].control);
    }
    count = bight__call_fails(bight__udp_seams(udp), "recvmmsg")
                ? -1
                : recvmmsg(udp->fd, ring->headers, ring->batch, 0, NULL);
    if (count < 0)
        return bight__udp_receive_failed(udp);
    udp->stats.fetches++;
    udp->in.ready = (unsigned)count == ring->batch;
    ring->filled = (unsigned)count;
    ring->at = 0;
    ring->offset = 0;
    for (int i = 0; i < count; i++)
        ring->blocks[i].each = length_of_each(&ring->headers[i].msg_hdr);
    return count;
}

int64_t bight__udp_ring_take(struct bight_udp *udp, void *buffer, size_t bytes,
                             struct bight_udp_info *info)
{
    struct udp_ring *ring = udp->ring;
    const struct udp_block *block = &ring->blocks[ring->at];
    size_t left = ring->headers[ring->at].msg_len - ring->offset;
    size_t whole = block->each && block->each < left ? block->each : left;
    size_t count = whole < bytes ? whole : bytes;

    if (count)
        memcpy(buffer, (const char *)block->room.iov_base + ring->offset, count);
    if (info) {
        (void)bight__address_from_sockaddr(&block->from.any, &info->from);
        info->bytes = whole;
    }
    ring->offset += whole;
    if (whole == left) {
        ring->at++;
        ring->offset = 0;
    }
    udp->stats.truncated += whole > bytes;
    return (int64_t)count;
}
