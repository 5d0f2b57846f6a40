/* Segments that a pool gives to its workers, by number. A number is a bit in `wanted` and in each
 * worker's `sent`: before a job is posted to a worker, the missing ones are sent to it. */
#ifndef BIGHT_OFFLOAD_POOL_SHARES_H
#define BIGHT_OFFLOAD_POOL_SHARES_H

#include "offload/shared/segment.h"

#define SHARES_WORDS (SHARES_MAX / 64)

struct pool;
struct worker;
struct share;

struct shares {
    uint64_t wanted[SHARES_WORDS];
    struct share *by_number[SHARES_MAX];
    struct bight_link mourned; /* workers that will have ended in a moment */
    struct bight_timer again;  /* when to try to send what could not be sent */
};

struct worker_shares {
    uint32_t member; /* the worker's number in all segments of this process */
    uint64_t sent[SHARES_WORDS];
};

void bight__shares_init(struct shares *shares);
/* The pool ends. */
void bight__shares_free(struct pool *pool);
/* Give a new worker its number, before anybody else sees its channel. */
void bight__shares_enlist(struct worker *worker);
/* Send what the worker has not been sent. False while its socket is full, or as many descriptors
 * are under way as there may be, or when it is gone; the pool is pumped when to try again. */
bool bight__shares_send(struct worker *worker);

static inline bool shares_are_sent(const struct shares *shares, const struct worker_shares *sent)
{
    uint64_t missing = 0;

    for (unsigned i = 0; i < SHARES_WORDS; i++)
        missing |= shares->wanted[i] & ~sent->sent[i];
    return !missing;
}
/* Something else could not be sent to a worker, with this -errno: the same. */
void bight__shares_try_again(struct pool *pool, int rc);
/* The worker has ended, or, if not `certain`, will have in a moment: others get what it held. */
void bight__shares_worker_ended(struct worker *worker, bool certain);

#endif
