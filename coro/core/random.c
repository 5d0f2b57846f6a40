/* Random numbers for spreading and choosing, not for secrets: from the seam in a test, else from a
 * generator per runtime, which the system seeds. */
#include "coro/core/sched.h"
#include "coro/base/splitmix.h"

#include <sys/random.h>

/* A system without entropy is not worth waiting for: the clock and the address differ as well. */
static __attribute__((noinline)) uint64_t seeded(struct bight_sched *sched)
{
    uint64_t bits;

    if (bight__call_fails(&sched->seams, "getrandom") ||
        getrandom(&bits, sizeof(bits), GRND_NONBLOCK) != (ssize_t)sizeof(bits))
        bits = splitmix_mix(sched->driver->now_ns(sched)) ^ (uintptr_t)sched;
    sched->random_state = bits | 1;
    return splitmix_next(&sched->random_state);
}

uint64_t bight__random(struct bight_sched *sched)
{
    if (unlikely(sched->seams.random))
        return sched->seams.random(sched->seams.ctx);
    if (unlikely(!sched->random_state))
        return seeded(sched);
    return splitmix_next(&sched->random_state);
}

uint64_t bight__random_below(struct bight_sched *sched, uint64_t bound)
{
    return bight__random(sched) % bound; /* biased by no more than bound / 2^64 */
}
