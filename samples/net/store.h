/* Keys with values, some until a time. It is the search tree of the C library: whatever keys a
 * hostile client chooses, a look-up takes a number of steps that grows with their logarithm. */
#ifndef SAMPLES_NET_STORE_H
#define SAMPLES_NET_STORE_H

#include <bight/stream.h>

#define STORE_NEVER UINT64_MAX

struct store_item {
    struct bight_slice key; /* behind the item */
    struct bight_slice value;
    uint64_t expires_ns; /* of bight_now_ns, or STORE_NEVER */
};

/* All zero is empty. */
struct store {
    void *root;
    size_t count; /* also those that have expired and that nobody has asked for since */
    size_t bytes; /* of all items, about */
};

/* The item of `key`; NULL: there is none, or it has expired. It is valid until its key is set or
 * removed. */
struct store_item *store_find(struct store *store, struct bight_slice key);

/* Returns 0 or BIGHT_ENOMEM; then what was there has stayed. */
BIGHT_MUST_CHECK int store_set(struct store *store, struct bight_slice key,
                               struct bight_slice value, uint64_t expires_ns);

void store_remove(struct store *store, struct store_item *item);
void store_clear(struct store *store);

#endif
