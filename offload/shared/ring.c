/* See ring.h. Every number that is read in a segment is read once, and looked at before it is
 * used. What something wrote over a ring can make it useless, but nobody copies from or to a place
 * outside of the segment or of the caller's own memory. */
#include "offload/shared/ring.h"

#include "coro/base/relax.h"

/* Longer than it takes to copy a short item. */
#define LOOKS 200

bool bight__ring_lock(const struct bight_shared *segment, uint64_t *lock)
{
    for (int i = 0; i < LOOKS; i++) {
        uint64_t nobody = 0;

        if (shared_swap(*lock, &nobody, (uint64_t)segment->member << 32))
            return true;
        relax();
    }
    return false;
}

void bight__ring_unlock(uint64_t *lock)
{
    shared_store(*lock, 0);
}

unsigned char *bight__ring_storage(const struct bight_shared *segment,
                                   const struct bight__shared_base *base, int64_t offset,
                                   uint64_t bytes)
{
    uint64_t at = (uint64_t)((const unsigned char *)base - segment->data) + (uint64_t)offset;

    if (at > segment->room || bytes > segment->room - at)
        return NULL;
    return segment->data + at;
}
