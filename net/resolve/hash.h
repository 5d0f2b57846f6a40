/* Hashing of short strings that a stranger may choose: FNV-1a from a random start. Good enough for
 * tables whose size is bounded, and a quarter of the instructions of SipHash. */
#ifndef BIGHT_NET_RESOLVE_HASH_H
#define BIGHT_NET_RESOLVE_HASH_H

#include <sys/random.h>

#include <bight/base.h>

static inline uint64_t hash_seed(void)
{
    uint64_t seed = 0;

    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed = (uint64_t)(uintptr_t)&seed; /* early boot: address randomisation has to do */
    return seed ^ 0xcbf29ce484222325u;
}

static inline uint32_t hash_bytes(uint64_t hash, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    return (uint32_t)(hash ^ (hash >> 32));
}

#endif
