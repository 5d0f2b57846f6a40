/* See store.h. */
#include "samples/net/store.h"

#include <bight/errors.h>
#include <bight/time.h>

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* Of an item beside its key and value, with what the tree and malloc keep for it. */
#define ITEM_BYTES (sizeof(struct store_item) + 64)

static int compare(const void *left, const void *right)
{
    const struct bight_slice *a = &((const struct store_item *)left)->key;
    const struct bight_slice *b = &((const struct store_item *)right)->key;
    int order = memcmp(a->data, b->data, a->bytes < b->bytes ? a->bytes : b->bytes);

    return order ? order : (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

static void free_item(void *item)
{
    free((void *)(uintptr_t)((struct store_item *)item)->value.data);
    free(item);
}

struct store_item *store_find(struct store *store, struct bight_slice key)
{
    struct store_item wanted = {.key = key}, *item;
    struct store_item **node = tfind(&wanted, &store->root, compare);

    if (!node)
        return NULL;
    item = *node;
    if (item->expires_ns > bight_now_ns())
        return item;
    store_remove(store, item);
    return NULL;
}

static struct store_item *add(struct store *store, struct bight_slice key)
{
    struct store_item *item = calloc(1, sizeof *item + key.bytes);
    char *copy = (char *)(item + 1);

    if (!item)
        return NULL;
    memcpy(copy, key.data, key.bytes);
    item->key = (struct bight_slice){copy, key.bytes};
    if (!tsearch(item, &store->root, compare)) {
        free(item);
        return NULL;
    }
    store->count++;
    store->bytes += ITEM_BYTES + key.bytes;
    return item;
}

int store_set(struct store *store, struct bight_slice key, struct bight_slice value,
              uint64_t expires_ns)
{
    struct store_item *item;
    char *copy = malloc(value.bytes + 1);

    if (!copy)
        return BIGHT_ENOMEM;
    memcpy(copy, value.data, value.bytes);
    item = store_find(store, key);
    if (!item)
        item = add(store, key);
    if (!item) {
        free(copy);
        return BIGHT_ENOMEM;
    }
    free((void *)(uintptr_t)item->value.data);
    store->bytes += value.bytes - item->value.bytes;
    item->value = (struct bight_slice){copy, value.bytes};
    item->expires_ns = expires_ns;
    return 0;
}

void store_remove(struct store *store, struct store_item *item)
{
    tdelete(item, &store->root, compare);
    store->count--;
    store->bytes -= ITEM_BYTES + item->key.bytes + item->value.bytes;
    free_item(item);
}

void store_clear(struct store *store)
{
    tdestroy(store->root, free_item);
    *store = (struct store){0};
}
