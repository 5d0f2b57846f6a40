/* See spin.h. */
#include "offload/child/spin.h"

#include <time.h>

#include "coro/base/relax.h"

/* How often it looks for one look at the clock. */
#define LOOKS 64u

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool look(struct channel_slot *slot, uint32_t looks)
{
    for (uint32_t i = 0; i < looks; i++) {
        if (spin_finds(slot))
            return true;
        relax();
    }
    return false;
}

void bight__spin(struct channel_slot *slot, uint32_t looks, uint32_t us)
{
    uint64_t until_ns;

    if (look(slot, looks) || us == 0)
        return;
    until_ns = now_ns() + (uint64_t)us * 1000u;
    while (!look(slot, LOOKS) && now_ns() < until_ns)
        continue;
}
