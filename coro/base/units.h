/* Times: interfaces count in ms, clocks in ns. */
#ifndef BIGHT_CORO_BASE_UNITS_H
#define BIGHT_CORO_BASE_UNITS_H

#include <bight/base.h>

#define NS_PER_MS UINT64_C(1000000)

/* `ms` after `now_ns`. A negative `ms`, or an end that the clock does not reach, gives UINT64_MAX,
 * which means never. */
static inline uint64_t ns_after(uint64_t now_ns, int64_t ms)
{
    uint64_t ns;

    if ((uint64_t)ms > UINT64_MAX / NS_PER_MS)
        return UINT64_MAX;
    ns = (uint64_t)ms * NS_PER_MS;
    return ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + ns;
}

/* In ms, rounded up. */
static inline uint64_t ms_ceil(uint64_t ns)
{
    return ns / NS_PER_MS + (ns % NS_PER_MS != 0);
}

#endif
