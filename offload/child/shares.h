/* The segments that a worker was sent over its channel, by number. */
#ifndef BIGHT_OFFLOAD_CHILD_SHARES_H
#define BIGHT_OFFLOAD_CHILD_SHARES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* This process is a worker, `member` in each segment. */
void bight__shares_begin(uint32_t member);
/* Receive what has come over the channel: wake-ups, inputs and segments. `flags` are those of
 * recvmsg; the result is too, with *any set when there were descriptors. */
ssize_t bight__shares_receive(int flags, bool *any);
/* No job runs: let go of what the host has freed. */
void bight__shares_tidy(void);

#endif
