/* The seams: where a test may stand between the runtime and the world. All are NULL in production,
 * and each costs one load and a branch there. Allocation goes through bight__alloc and friends so
 * that every site can be made to fail; system calls ask bight__call_fails first; the clock, the
 * choice of the next task, and randomness go through the calls below. <bight/testing.h> is built on
 * these, in runtime/testing/. */
#ifndef BIGHT_CORO_BASE_SEAMS_H
#define BIGHT_CORO_BASE_SEAMS_H

#include <stdlib.h>

#include <bight/base.h>

#include "coro/base/door.h"

struct bight_seams {
    void *ctx;
    /* True: the allocation (memory or address space) at return address `site` fails. */
    bool (*fail_alloc)(void *ctx, const void *site);
    /* The running task is about to suspend at `site`: the seam may cancel it now. */
    void (*cancel_here)(void *ctx, const void *site);
    /* True: the system call `name` at `site` fails, with *error. For a call that transfers bytes
     * and says how many, `bytes` is not NULL, and may be lowered instead, to 1 at the least. */
    bool (*fail_call)(void *ctx, const void *site, const char *name, int *error, size_t *bytes);
    /* The clock in ns. */
    uint64_t (*now_ns)(void *ctx);
    /* In how many ns of real time the clock will show `deadline_ns`; UINT64_MAX: not by itself.
     * This seam is set if and only if the clock's is. */
    uint64_t (*wait_ns)(void *ctx, uint64_t deadline_ns);
    /* Which of `count` ready tasks runs next, 0 being the oldest. */
    size_t (*pick_ready)(void *ctx, size_t count);
    /* 64 random bits. */
    uint64_t (*random)(void *ctx);
    /* Called when tasks live and none is ready. `deadline_ns` is when the first timer is due,
     * UINT64_MAX: there is none; `outside`: a wait has an outside source, or somebody else holds
     * the mailbox. True: a task was made ready, or the clock moved to the deadline. False:
     * *again_ns says after how much real time without an event to ask again; UINT64_MAX: only after
     * the next event. */
    bool (*idle)(void *ctx, uint64_t deadline_ns, bool outside, uint64_t *again_ns);
    /* The process has already probed what bight__probe and bight__probe_watchers would. */
    bool probed;
};

BIGHT_INTERNAL_API __attribute__((malloc, noinline)) void *
bight__alloc(const struct bight_seams *seams, size_t bytes);
BIGHT_INTERNAL_API __attribute__((malloc, noinline)) void *
bight__alloc_zero(const struct bight_seams *seams, size_t bytes);
BIGHT_INTERNAL_API void bight__free(void *memory);

/* Whether address space may be taken at `site`; callers of mmap ask this. */
bool bight__may_map(const struct bight_seams *seams, const void *site);

/* The cold half of the two functions below. A site is the return address of its call. */
__attribute__((noinline, cold)) bool bight__call_refused(const struct bight_seams *seams,
                                                         const char *name, size_t *bytes);

/* To be asked before a system call: true means that a test makes it fail, and errno is set. */
static inline bool bight__call_fails(const struct bight_seams *seams, const char *name)
{
    return __builtin_expect(seams && seams->fail_call, 0) && bight__call_refused(seams, name, NULL);
}

/* The same for a call that transfers *bytes: a test may lower them. */
static inline bool bight__transfer_fails(const struct bight_seams *seams, const char *name,
                                         size_t *bytes)
{
    return __builtin_expect(seams && seams->fail_call, 0) &&
           bight__call_refused(seams, name, bytes);
}

#endif
