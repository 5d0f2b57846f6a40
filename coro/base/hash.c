/* See hash.h. */
#include "coro/base/hash.h"

#include <bight/errors.h>

#define BUCKETS_AT_START 64

int bight__hash_init(struct hash_table *table, const struct bight_seams *seams)
{
    /* Under a test it is one of its random numbers, so that orders of iteration are too. */
    table->seed = seams->random ? seams->random(seams->ctx) : hash_seed();
    table->count = 0;
    table->bucket_count = BUCKETS_AT_START;
    table->buckets = bight__alloc_zero(seams, BUCKETS_AT_START * sizeof(*table->buckets));
    return table->buckets ? 0 : BIGHT_ENOMEM;
}

void bight__hash_fini(struct hash_table *table)
{
    bight__free(table->buckets);
}

static void link_in(struct hash_node **buckets, size_t bucket_count, struct hash_node *node)
{
    struct hash_node **bucket = &buckets[node->hash & (bucket_count - 1)];

    node->chain = *bucket;
    *bucket = node;
}

static void grow(struct hash_table *table, const struct bight_seams *seams)
{
    size_t bucket_count = table->bucket_count * 2;
    struct hash_node **buckets = bight__alloc_zero(seams, bucket_count * sizeof(*buckets));

    if (!buckets)
        return;
    for (size_t i = 0; i < table->bucket_count; i++) {
        for (struct hash_node *node = table->buckets[i], *next; node; node = next) {
            next = node->chain;
            link_in(buckets, bucket_count, node);
        }
    }
    bight__free(table->buckets);
    table->buckets = buckets;
    table->bucket_count = bucket_count;
}

void bight__hash_add(struct hash_table *table, const struct bight_seams *seams,
                     struct hash_node *node, uint32_t hash)
{
    if (table->count >= table->bucket_count)
        grow(table, seams);
    node->hash = hash;
    link_in(table->buckets, table->bucket_count, node);
    table->count++;
}

void bight__hash_remove(struct hash_table *table, struct hash_node *node)
{
    struct hash_node **at = &table->buckets[node->hash & (table->bucket_count - 1)];

    while (*at != node)
        at = &(*at)->chain;
    *at = node->chain;
    table->count--;
}
