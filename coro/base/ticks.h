/* The processor's own count of time: read in a fraction of what the clock costs, but in a unit that
 * nobody tells. It is good for noticing that time has passed, with a rate that is measured against
 * the clock. It may jump where a thread moves between processors or a machine between hosts.
 *
 * Asm in a header because the checkpoint has to inline it: see coro/core/source.h. */
#ifndef BIGHT_CORO_BASE_TICKS_H
#define BIGHT_CORO_BASE_TICKS_H

#include <stdint.h>

/* Always 0 where the processor has none. */
static inline uint64_t bight__ticks(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;

    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    return 0;
#endif
}

#endif
