/* What the resolver knows: a hash table of names, those being looked up included, and the order in
 * which known names were used. The loop's alone. */
#include <string.h>

#include "net/resolve/hash.h"
#include "net/resolve/resolve.h"

#define BUCKETS_AT_START 64

int bight__resolve_cache_init(struct bight_resolver *resolver)
{
    resolver->seed = hash_seed();
    resolver->bucket_count = BUCKETS_AT_START;
    resolver->buckets =
        bight__alloc_zero(&resolver->sched->seams, BUCKETS_AT_START * sizeof *resolver->buckets);
    link_init(&resolver->recent);
    return resolver->buckets ? 0 : BIGHT_ENOMEM;
}

/* Twice the buckets; without memory for them the chains just grow longer. */
static void grow(struct bight_resolver *resolver)
{
    size_t count = resolver->bucket_count * 2;
    struct resolve_entry **buckets =
        bight__alloc_zero(&resolver->sched->seams, count * sizeof *buckets);

    if (!buckets)
        return;
    for (size_t i = 0; i < resolver->bucket_count; i++) {
        for (struct resolve_entry *entry = resolver->buckets[i], *next; entry; entry = next) {
            next = entry->chain;
            entry->chain = buckets[entry->hash & (count - 1)];
            buckets[entry->hash & (count - 1)] = entry;
        }
    }
    bight__free(resolver->buckets);
    resolver->buckets = buckets;
    resolver->bucket_count = count;
}

struct resolve_entry *bight__resolve_find(struct bight_resolver *resolver, const char *host,
                                          uint64_t now_ns)
{
    uint32_t hash = hash_bytes(resolver->seed, host, strlen(host));
    struct resolve_entry *entry = resolver->buckets[hash & (resolver->bucket_count - 1)];

    while (entry && (entry->hash != hash || strcmp(entry->host, host) != 0))
        entry = entry->chain;
    if (!entry || entry->job)
        return entry;
    if (entry->fresh_until_ns <= now_ns) {
        bight__resolve_drop(entry);
        return NULL;
    }
    link_remove(&entry->recent);
    link_append(&resolver->recent, &entry->recent);
    return entry;
}

struct resolve_entry *bight__resolve_add(struct bight_resolver *resolver, const char *host)
{
    size_t bytes = strlen(host);
    struct resolve_entry *entry =
        bight__alloc_zero(&resolver->sched->seams, sizeof *entry + bytes + 1);

    if (!entry)
        return NULL;
    if (resolver->entries >= resolver->bucket_count)
        grow(resolver);
    memcpy(entry->host, host, bytes + 1);
    entry->resolver = resolver;
    entry->hash = hash_bytes(resolver->seed, host, bytes);
    link_init(&entry->recent);
    link_init(&entry->waiters);
    entry->chain = resolver->buckets[entry->hash & (resolver->bucket_count - 1)];
    resolver->buckets[entry->hash & (resolver->bucket_count - 1)] = entry;
    resolver->entries++;
    return entry;
}

void bight__resolve_keep(struct resolve_entry *entry, uint64_t now_ns)
{
    struct bight_resolver *resolver = entry->resolver;
    uint64_t ttl_ns = entry->gai_code ? resolver->failure_ttl_ns : resolver->ttl_ns;

    if (!ttl_ns) {
        bight__resolve_drop(entry);
        return;
    }
    entry->fresh_until_ns = now_ns + ttl_ns;
    link_append(&resolver->recent, &entry->recent);
    if (++resolver->known > resolver->max_entries)
        bight__resolve_drop(container_of(resolver->recent.next, struct resolve_entry, recent));
}

void bight__resolve_drop(struct resolve_entry *entry)
{
    struct bight_resolver *resolver = entry->resolver;
    struct resolve_entry **at = &resolver->buckets[entry->hash & (resolver->bucket_count - 1)];

    while (*at != entry)
        at = &(*at)->chain;
    *at = entry->chain;
    if (!link_empty(&entry->recent)) {
        link_remove(&entry->recent);
        resolver->known--;
    }
    resolver->entries--;
    bight__free(entry);
}

void bight__resolve_cache_fini(struct bight_resolver *resolver)
{
    for (size_t i = 0; resolver->buckets && i < resolver->bucket_count; i++)
        while (resolver->buckets[i])
            bight__resolve_drop(resolver->buckets[i]);
    bight__free(resolver->buckets);
}
