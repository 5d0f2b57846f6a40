/* What queue and pipe have in common: a ring of bytes in the segment, whose head and tail only
 * grow, and a lock around each copy. Bytes are copied first and counted by one store, so that a
 * process that is killed in between leaves a ring that is in order: its lock is opened by the maker
 * of the segment, and others go on. */
#ifndef BIGHT_OFFLOAD_SHARED_RING_H
#define BIGHT_OFFLOAD_SHARED_RING_H

#include "offload/shared/base.h"

/* Take the lock, which others have for as long as it takes to copy; false: not soon enough. */
bool bight__ring_lock(const struct bight_shared *segment, uint64_t *lock);
void bight__ring_unlock(uint64_t *lock);

/* The `bytes` at `base` + `offset`, as it was read in the segment; NULL: they are not all in it. */
unsigned char *bight__ring_storage(const struct bight_shared *segment,
                                   const struct bight__shared_base *base, int64_t offset,
                                   uint64_t bytes);

#endif
