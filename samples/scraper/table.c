/* See table.h. Open addressing with linear probing, at most three quarters full. */
#include "samples/scraper/table.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <bight/errors.h>

static const size_t capacity_first = 64;

/* --- SipHash (Aumasson, Bernstein) ------------------------------------------------------------ */

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_rounds(uint64_t v[4], int rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

uint64_t table_hash(const uint64_t secret[2], const void *data, size_t size)
{
    uint64_t v[4] = {secret[0] ^ 0x736f6d6570736575u, secret[1] ^ 0x646f72616e646f6du,
                     secret[0] ^ 0x6c7967656e657261u, secret[1] ^ 0x7465646279746573u};
    const unsigned char *at = data;
    uint64_t word;
    size_t left = size;

    for (; left >= sizeof word; at += sizeof word, left -= sizeof word) {
        memcpy(&word, at, sizeof word);
        word = le64toh(word);
        v[3] ^= word;
        sip_rounds(v, 2);
        v[0] ^= word;
    }
    word = (uint64_t)size << 56;
    for (size_t i = 0; i < left; i++)
        word |= (uint64_t)at[i] << 8 * i;
    v[3] ^= word;
    sip_rounds(v, 2);
    v[0] ^= word;
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* --- the table -------------------------------------------------------------------------------- */

int table_init(struct table *table)
{
    ssize_t got;

    *table = (struct table){0};
    do {
        got = getrandom(table->secret, sizeof table->secret, 0);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof table->secret ? 0 : got < 0 ? -errno : BIGHT_EIO;
}

void table_free(struct table *table, void (*drop)(void *value))
{
    for (size_t i = 0; i < table->capacity; i++) {
        struct table_entry *entry = &table->entries[i];
        if (!entry->key)
            continue;
        if (drop)
            drop(entry->value);
        free(entry->key);
    }
    free(table->entries);
    *table = (struct table){0};
}

/* The entry of the key, or the free one where it belongs. */
static struct table_entry *find(const struct table *table, uint64_t hash, const char *key,
                                size_t key_bytes)
{
    size_t i = hash & (table->capacity - 1);

    for (;; i = (i + 1) & (table->capacity - 1)) {
        struct table_entry *entry = &table->entries[i];
        if (!entry->key)
            return entry;
        if (entry->hash == hash && strncmp(entry->key, key, key_bytes) == 0 &&
            entry->key[key_bytes] == '\0')
            return entry;
    }
}

static int grow(struct table *table)
{
    struct table bigger = {.capacity = table->capacity ? 2 * table->capacity : capacity_first};

    bigger.entries = calloc(bigger.capacity, sizeof *bigger.entries);
    if (!bigger.entries)
        return BIGHT_ENOMEM;
    for (size_t i = 0; i < table->capacity; i++) {
        const struct table_entry *entry = &table->entries[i];
        if (!entry->key)
            continue;
        size_t at = entry->hash & (bigger.capacity - 1);
        while (bigger.entries[at].key)
            at = (at + 1) & (bigger.capacity - 1);
        bigger.entries[at] = *entry;
    }
    free(table->entries);
    table->entries = bigger.entries;
    table->capacity = bigger.capacity;
    return 0;
}

int table_put(struct table *table, const char *key, size_t key_bytes, struct table_entry **out,
              bool *added)
{
    uint64_t hash = table_hash(table->secret, key, key_bytes);

    if (4 * (table->count + 1) > 3 * table->capacity) {
        int rc = grow(table);
        if (rc)
            return rc;
    }
    struct table_entry *entry = find(table, hash, key, key_bytes);
    *added = !entry->key;
    if (*added) {
        char *copy = strndup(key, key_bytes);
        if (!copy)
            return BIGHT_ENOMEM;
        *entry = (struct table_entry){.key = copy, .hash = hash};
        table->count++;
    }
    *out = entry;
    return 0;
}

void *table_get(const struct table *table, const char *key, size_t key_bytes)
{
    if (!table->count)
        return NULL;
    uint64_t hash = table_hash(table->secret, key, key_bytes);
    const struct table_entry *entry = find(table, hash, key, key_bytes);
    return entry->key ? entry->value : NULL;
}
