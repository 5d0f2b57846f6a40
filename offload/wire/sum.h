/* Checksums of what lies in a channel, 64 bits: a stray write is noticed, a forger could find
 * another text of the same sum. Sums go on from one another, so that a payload may be summed up
 * while it is copied, in pieces of SUM_BYTES; both sides cut it in the same way. */
#ifndef BIGHT_OFFLOAD_WIRE_SUM_H
#define BIGHT_OFFLOAD_WIRE_SUM_H

#include "offload/wire/channel.h"

#define SUM_BYTES ((size_t)64 << 10)

/* The sum of at most SUM_BYTES after `sum`. */
uint64_t bight__sum_on(uint64_t sum, const void *data, size_t bytes);

/* The same for a payload of any size. */
uint64_t bight__sum_all(uint64_t sum, const void *data, size_t bytes);

/* The head of the slot at `position` as the host has filled it in: where the sum of an input
 * begins. The definition before it comes next, then what is in the channel of the input: a file of
 * its own is not summed up. */
uint64_t bight__sum_of_job(const struct channel_slot *slot, uint64_t position);

/* What a worker says of a job, and so where the sum of its output begins. */
struct sum_outcome {
    uint64_t position;
    uint32_t verdict;
    int32_t code;
    uint32_t offset;
    uint32_t bytes;
    uint32_t grown;
    uint32_t unused;
};

uint64_t bight__sum_of_outcome(const struct sum_outcome *outcome);

#endif
