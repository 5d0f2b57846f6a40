/* What the resolver knows: a hash table of names, including those being looked up, and the order in
 * which known names were used. Only the loop's thread uses it. */
#include "net/resolve/resolve.h"

#include <string.h>

#include <bight/time.h>

static struct resolve_entry *entry_of(struct hash_node *node)
{
    return container_of(node, struct resolve_entry, place);
}

int bight__resolve_cache_init(struct bight_resolver *resolver)
{
    link_init(&resolver->recent);
    return bight__hash_init(&resolver->table, &resolver->sched->seams);
}

struct resolve_entry *bight__resolve_find(struct bight_resolver *resolver, const char *host,
                                          uint64_t now_ns)
{
    uint32_t hash = hash_bytes(resolver->table.seed, host, strlen(host));
    struct hash_node *node = hash_first(&resolver->table, hash);
    struct resolve_entry *entry;

    while (node && (entry_of(node)->stale || strcmp(entry_of(node)->host, host) != 0))
        node = hash_along(node->chain, hash);
    if (!node)
        return NULL;
    entry = entry_of(node);
    if (entry->job)
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
        bight__alloc_zero(&resolver->sched->seams, sizeof(*entry) + bytes + 1);

    if (!entry)
        return NULL;
    memcpy(entry->host, host, bytes + 1);
    entry->resolver = resolver;
    link_init(&entry->recent);
    link_init(&entry->waiters);
    bight__hash_add(&resolver->table, &resolver->sched->seams, &entry->place,
                    hash_bytes(resolver->table.seed, host, bytes));
    return entry;
}

void bight__resolve_keep(struct resolve_entry *entry, uint64_t now_ns)
{
    struct bight_resolver *resolver = entry->resolver;
    uint64_t ttl_ns = entry->answer.gai_code ? resolver->failure_ttl_ns : resolver->ttl_ns;

    if (!ttl_ns || entry->stale) {
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

    bight__hash_remove(&resolver->table, &entry->place);
    if (!link_empty(&entry->recent)) {
        link_remove(&entry->recent);
        resolver->known--;
    }
    bight__free(entry);
}

void bight__resolve_forget(struct resolve_entry *entry)
{
    if (entry->job)
        entry->stale = true;
    else
        bight__resolve_drop(entry);
}

void bight_resolver_flush(struct bight_resolver *resolver)
{
    struct hash_table *table;

    if (!resolver || resolver->sched != bight__sched)
        return;
    table = &resolver->table;
    for (size_t i = 0; i < table->bucket_count; i++) {
        for (struct hash_node *node = table->buckets[i], *next; node; node = next) {
            next = node->chain;
            bight__resolve_forget(entry_of(node));
        }
    }
}

int bight_resolver_forget(struct bight_resolver *resolver, const char *host)
{
    char name[RESOLVE_HOST_BYTES];
    struct resolve_entry *entry;
    int rc;

    if (!resolver || !host)
        return BIGHT_EINVAL;
    if (resolver->sched != bight__sched)
        return BIGHT_EPERM;
    rc = bight__resolve_host_name(host, name);
    if (rc)
        return rc;
    entry = bight__resolve_find(resolver, name, bight_now_ns());
    if (!entry)
        return BIGHT_ENOENT;
    bight__resolve_forget(entry);
    return 0;
}

void bight__resolve_cache_fini(struct bight_resolver *resolver)
{
    struct hash_table *table = &resolver->table;

    for (size_t i = 0; table->buckets && i < table->bucket_count; i++)
        while (table->buckets[i])
            bight__resolve_drop(entry_of(table->buckets[i]));
    bight__hash_fini(table);
}
