/* The time stamp counter, which runs at one rate on every processor of the last fifteen years. */
#include "coro/base/ticks.h"

uint64_t bight__ticks(void)
{
    return __builtin_ia32_rdtsc();
}
