/* The seams: where a test may stand between the runtime and the world. All are NULL in production,
 * and each costs one load and a branch there. Allocation goes through bight__alloc and friends so
 * that every site can be made to fail; the clock, the choice of the next task, and randomness go
 * through the calls below. The public test mode will be built on these. */
#ifndef BIGHT_CORO_SEAMS_H
#define BIGHT_CORO_SEAMS_H

#include <stdlib.h>

#include <bight/base.h>

struct bight_seams {
    void *ctx;
    /* True: the allocation (memory or address space) at return address `site` fails. */
    bool (*fail_alloc)(void *ctx, const void *site);
    /* True: the scope of the task that is about to suspend at `site` is cancelled first. */
    bool (*cancel_here)(void *ctx, const void *site);
    /* The clock in ns. */
    uint64_t (*now_ns)(void *ctx);
    /* Which of `count` ready tasks runs next, 0 being the oldest. */
    size_t (*pick_ready)(void *ctx, size_t count);
    /* 64 random bits. */
    uint64_t (*random)(void *ctx);
    /* A virtual clock moves itself to `deadline_ns`, a point of its own time at which the next timer
     * is due, and returns true. Asked only when nothing is ready, no wait has an outside source and
     * nobody else holds the mailbox: nothing but that timer can happen. */
    bool (*jump)(void *ctx, uint64_t deadline_ns);
};

__attribute__((malloc, noinline)) void *bight__alloc(const struct bight_seams *seams, size_t bytes);
__attribute__((malloc, noinline)) void *bight__alloc_zero(const struct bight_seams *seams,
                                                          size_t bytes);
void bight__free(void *memory);

/* Whether address space may be taken at `site`; for callers of mmap. */
bool bight__may_map(const struct bight_seams *seams, const void *site);

#endif
