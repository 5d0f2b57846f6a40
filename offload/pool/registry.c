/* See registry.h. */
#include "offload/pool/registry.h"

#include <string.h>

#include "offload/wire/channel.h"
#include "offload/wire/definition.h"

#include <bight/errors.h>

static uint32_t bucket(const struct registry *registry, const struct bight_job_def *def)
{
    uint64_t mixed = (uint64_t)(uintptr_t)def * 0x9e3779b97f4a7c15u;

    return (uint32_t)(mixed >> 32) & (registry->table_size - 1);
}

/* The place of `def` in the table, or the free one where it belongs. */
static uint32_t *place_of(const struct registry *registry, const struct bight_job_def *def)
{
    uint32_t at = bucket(registry, def);

    while (registry->table[at] && registry->entries[registry->table[at] - 1].def != def)
        at = (at + 1) & (registry->table_size - 1);
    return &registry->table[at];
}

static int grow(struct registry *registry)
{
    uint32_t room = registry->room ? registry->room * 2 : 8;
    struct registry_entry *entries = bight__alloc(registry->seams, room * sizeof(*entries));
    uint32_t *table = bight__alloc_zero(registry->seams, room * 2 * sizeof(*table));

    if (!entries || !table) {
        bight__free(entries);
        bight__free(table);
        return BIGHT_ENOMEM;
    }
    if (registry->count)
        memcpy(entries, registry->entries, registry->count * sizeof(*entries));
    bight__free(registry->entries);
    bight__free(registry->table);
    registry->entries = entries;
    registry->room = room;
    registry->table = table;
    registry->table_size = room * 2;
    for (uint32_t i = 0; i < registry->count; i++)
        *place_of(registry, entries[i].def) = i + 1;
    return 0;
}

static int describe(const struct registry *registry, const struct bight_job_def *def,
                    struct registry_entry *entry)
{
    struct definition_place place;
    struct channel_define define = {.version = def->version};
    size_t bytes;

    if (!bight__definition_locate(def, &place))
        return BIGHT_EUNKNOWNJOB;
    define.offset = place.offset;
    define.module_bytes = (uint32_t)strlen(place.module) + 1;
    define.name_bytes = (uint32_t)strlen(def->name) + 1;
    bytes = channel_round(sizeof(define) + define.module_bytes + define.name_bytes);
    if (bytes > CHANNEL_DEFINE_MAX)
        return BIGHT_EINVAL;
    entry->def = def;
    entry->record_bytes = (uint32_t)bytes;
    entry->record = bight__alloc_zero(registry->seams, bytes);
    if (!entry->record)
        return BIGHT_ENOMEM;
    memcpy(entry->record, &define, sizeof(define));
    memcpy(entry->record + sizeof(define), place.module, define.module_bytes);
    memcpy(entry->record + sizeof(define) + define.module_bytes, def->name, define.name_bytes);
    return 0;
}

static int64_t remember(struct registry *registry, const struct bight_job_def *def, uint32_t number)
{
    registry->last_def = def;
    return registry->last = number;
}

int64_t bight__registry_find(struct registry *registry, const struct bight_job_def *def)
{
    uint32_t *place;
    int rc;

    if (registry->table_size) {
        place = place_of(registry, def);
        if (*place)
            return remember(registry, def, *place - 1);
    }
    if (registry->count == registry->room) {
        rc = grow(registry);
        if (rc)
            return rc;
    }
    rc = describe(registry, def, &registry->entries[registry->count]);
    if (rc)
        return rc;
    place = place_of(registry, def);
    *place = ++registry->count;
    return remember(registry, def, registry->count - 1);
}

void bight__registry_free(struct registry *registry)
{
    for (uint32_t i = 0; i < registry->count; i++)
        bight__free(registry->entries[i].record);
    bight__free(registry->entries);
    bight__free(registry->table);
}
