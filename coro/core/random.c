/* Random numbers for spreading and choosing, not for secrets: those of the seam in a test, else a
 * generator per runtime, seeded by the system. */
#include "coro/core/sched.h"
#include "coro/base/splitmix.h"

#include <sys/random.h>

/* A system that has no entropy yet is not worth waiting for: clock and address differ too. */
static uint64_t seed(struct bight_sched *sched)
{
    uint64_t bits;

    if (bight__call_fails(&sched->seams, "getrandom") ||
        getrandom(&bits, sizeof(bits), GRND_NONBLOCK) != (ssize_t)sizeof(bits))
        bits = splitmix_mix(sched->driver->now_ns(sched)) ^ (uintptr_t)sched;
    return bits | 1;
}

uint64_t bight__random(struct bight_sched *sched)
{
    if (sched->seams.random)
        return sched->seams.random(sched->seams.ctx);
    if (!sched->random_state)
        sched->random_state = seed(sched);
    return splitmix_next(&sched->random_state);
}

uint64_t bight__random_below(struct bight_sched *sched, uint64_t bound)
{
    return bight__random(sched) % bound; /* biased by no more than bound / 2^64 */
}
