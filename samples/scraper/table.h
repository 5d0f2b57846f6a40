/* A hash table from strings to pointers. Keys come from other people's pages, so the hash is keyed
 * (SipHash): nobody outside can choose keys that collide. Entries are never taken out. */
#ifndef SCRAPER_TABLE_H
#define SCRAPER_TABLE_H

#include <bight/base.h>

struct table_entry {
    /* The table's own copy, at a fixed address until table_free. */
    char *key;
    void *value;
    uint64_t hash;
};

struct table {
    struct table_entry *entries;
    /* A power of two, or 0. */
    size_t capacity;
    size_t count;
    uint64_t secret[2];
};

/* Returns 0 or the negative errno of the kernel's random source. */
BIGHT_MUST_CHECK int table_init(struct table *table);

/* Free entries and keys, after `drop` was called for each value (may be NULL). */
void table_free(struct table *table, void (*drop)(void *value));

/* The entry of `key`, made with a NULL value when there was none; *added says so.
 * Returns 0 or BIGHT_ENOMEM. *out is valid until the next call that adds. */
BIGHT_MUST_CHECK int table_put(struct table *table, const char *key, size_t key_bytes,
                               struct table_entry **out, bool *added);

/* The value of `key`, NULL when there is none. */
void *table_get(const struct table *table, const char *key, size_t key_bytes);

/* SipHash-2-4 of `data`. */
uint64_t table_hash(const uint64_t secret[2], const void *data, size_t size);

#endif
