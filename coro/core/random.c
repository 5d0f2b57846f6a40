/* Random numbers for spreading and choosing, not for secrets: from the seam in a test, else from a
 * generator per runtime, which the system seeds. */
#include "coro/core/sched.h"
#include "coro/base/splitmix.h"

#include <sys/random.h>

/* A system without entropy is not worth waiting for: the clock and the address differ as well. */
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
