/* splitmix64: numbers that look random, one after the other from a state of one word. */
#ifndef BIGHT_CORO_BASE_SPLITMIX_H
#define BIGHT_CORO_BASE_SPLITMIX_H

#include <bight/base.h>

#define SPLITMIX_STEP UINT64_C(0x9e3779b97f4a7c15)

static inline uint64_t splitmix_mix(uint64_t bits)
{
    bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
    return bits ^ (bits >> 31);
}

static inline uint64_t splitmix_next(uint64_t *state)
{
    *state += SPLITMIX_STEP;
    return splitmix_mix(*state);
}

#endif
