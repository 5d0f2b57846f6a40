/* The virtual counter, which Linux lets every program read. */
#include "coro/base/ticks.h"

uint64_t bight__ticks(void)
{
    uint64_t ticks;

    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
}
