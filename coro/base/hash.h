/* A hash table of records that their owner makes and frees: chains from a power of two of buckets,
 * which doubles with the number of records. Short strings that a stranger may choose are hashed by
 * FNV-1a from a random start: good enough for tables whose size is bounded, and a quarter of the
 * instructions of SipHash. */
#ifndef BIGHT_CORO_BASE_HASH_H
#define BIGHT_CORO_BASE_HASH_H

#include <sys/random.h>

#include <bight/base.h>

#include "coro/base/door.h"
#include "coro/base/seams.h"

/* Part of each record. */
struct hash_node {
    struct hash_node *chain;
    uint32_t hash;
};

struct hash_table {
    struct hash_node **buckets;
    size_t bucket_count; /* number of buckets: a power of two */
    size_t count;        /* number of records */
    uint64_t seed;       /* for hash_bytes */
};

/* 0 or BIGHT_ENOMEM. */
BIGHT_INTERNAL_API int bight__hash_init(struct hash_table *table, const struct bight_seams *seams);
/* The owner has freed the records, or knows them by other means. A table of zeros is allowed. */
BIGHT_INTERNAL_API void bight__hash_fini(struct hash_table *table);
/* Cannot fail: without memory for more buckets the chains just grow longer. */
BIGHT_INTERNAL_API void bight__hash_add(struct hash_table *table, const struct bight_seams *seams,
                                        struct hash_node *node, uint32_t hash);
BIGHT_INTERNAL_API void bight__hash_remove(struct hash_table *table, struct hash_node *node);

/* The first node of that hash in the chain from `node` on; NULL when there is none. */
static inline struct hash_node *hash_along(struct hash_node *node, uint32_t hash)
{
    while (node && node->hash != hash)
        node = node->chain;
    return node;
}

/* The first node of that hash; hash_along(node->chain, hash) is the next. */
static inline struct hash_node *hash_first(const struct hash_table *table, uint32_t hash)
{
    return hash_along(table->buckets[hash & (table->bucket_count - 1)], hash);
}

static inline uint64_t hash_seed(void)
{
    uint64_t seed = 0;

    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
        seed = (uint64_t)(uintptr_t)&seed; /* early boot: address randomisation has to be enough */
    return seed ^ 0xcbf29ce484222325u;
}

static inline uint32_t hash_bytes(uint64_t hash, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    return (uint32_t)(hash ^ (hash >> 32));
}

#endif
