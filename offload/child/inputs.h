/* Inputs that come as files: the host sends their descriptors in the order of their slots, before
 * it fills these. See offload/input.c for the host's side. */
#ifndef BIGHT_OFFLOAD_CHILD_INPUTS_H
#define BIGHT_OFFLOAD_CHILD_INPUTS_H

#include <stddef.h>
#include <stdint.h>

#include "offload/wire/channel.h"

/* A message whose last byte is CHANNEL_INPUT has been received. */
void bight__inputs_take(const struct channel_message *message);

/* Map the first `bytes` of the one that was sent as number `number`, for this process alone, after
 * those before it have been dropped. NULL: there is none, or no memory for it. */
void *bight__inputs_map(uint32_t number, size_t bytes);

/* Its job has ended, or was not run: unmap it, or drop it and those before it. */
void bight__inputs_drop(uint32_t number);

#endif
