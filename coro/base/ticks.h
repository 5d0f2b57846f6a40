/* The processor's own count of time: read in a fraction of what the clock costs, but in a unit that
 * nobody tells. It is good for noticing that time has passed, with a rate that is measured against
 * the clock. It may jump where a thread moves between processors or a machine between hosts. One
 * file per processor, chosen by CMake. */
#ifndef BIGHT_CORO_BASE_TICKS_H
#define BIGHT_CORO_BASE_TICKS_H

#include <stdint.h>

/* Always 0 where the processor has no such count. */
uint64_t bight__ticks(void);

#endif
