/* Looking for a job before the worker sleeps. */
#ifndef BIGHT_OFFLOAD_CHILD_SPIN_H
#define BIGHT_OFFLOAD_CHILD_SPIN_H

#include "offload/wire/channel.h"

static inline bool spin_finds(struct channel_slot *slot)
{
    uint32_t state = atomic_load_explicit(&slot->state, memory_order_acquire);

    return state == SLOT_READY || state == SLOT_REVOKED;
}

/* Look at the slot `looks` times, and then for `us`, until the host has filled it. */
void bight__spin(struct channel_slot *slot, uint32_t looks, uint32_t us);

#endif
