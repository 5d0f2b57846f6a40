/* Checksums of slots, as the worker sees them: of what it is given, before it runs it, and of what
 * it hands over. See wire/sum.h. */
#ifndef BIGHT_OFFLOAD_CHILD_CHECK_H
#define BIGHT_OFFLOAD_CHILD_CHECK_H

#include "offload/wire/channel.h"

/* Whether the slot at `position` of a channel of `map_bytes` holds what the host has put there;
 * what it says of places may be anything otherwise. */
bool bight__check_job(const struct channel *channel, uint64_t map_bytes,
                      const struct channel_slot *slot, uint64_t position);

/* Write the sum of what the worker has put there; only the slot's state is written afterwards. */
void bight__check_write(const struct channel *channel, struct channel_slot *slot,
                        uint64_t position);

#endif
