/* See definition.h. Walks the loaded files with dl_iterate_phdr; there are few, and each definition
 * is looked up once per executor and once per worker. */
#include "offload/wire/definition.h"

#include <link.h>
#include <string.h>

#include "offload/wire/library.h"

/* A range of memory of a loaded file. */
struct segment {
    uintptr_t low;
    uintptr_t high;
    const char *module;
    uintptr_t base;
};

struct search {
    uintptr_t address;
    ElfW(Word) flags; /* PF_R, PF_X: what the segment must allow */
    struct segment found;
};

static int look_for_address(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct search *search = arg;

    (void)size;
    for (ElfW(Half) i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t low = info->dlpi_addr + part->p_vaddr;

        if (part->p_type != PT_LOAD || (part->p_flags & search->flags) != search->flags)
            continue;
        if (search->address < low || search->address - low >= part->p_memsz)
            continue;
        search->found =
            (struct segment){low, low + part->p_memsz, info->dlpi_name, info->dlpi_addr};
        return 1;
    }
    return 0;
}

static bool segment_of(uintptr_t address, ElfW(Word) flags, struct segment *out)
{
    struct search search = {.address = address, .flags = flags};

    if (!dl_iterate_phdr(look_for_address, &search))
        return false;
    *out = search.found;
    return true;
}

static bool holds_definition(const struct segment *segment, uintptr_t address)
{
    return segment->high - address >= sizeof(struct bight_job_def) &&
           address % _Alignof(struct bight_job_def) == 0;
}

bool bight__definition_locate(const struct bight_job_def *def, struct definition_place *place)
{
    struct segment segment;

    if (!segment_of((uintptr_t)def, PF_R, &segment))
        return false;
    place->module = segment.module ? segment.module : "";
    place->offset = (uintptr_t)def - segment.base;
    return true;
}

struct module_search {
    const char *name;
    uintptr_t base;
};

static int look_for_module(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct module_search *search = arg;
    const char *name = info->dlpi_name ? info->dlpi_name : "";

    (void)size;
    if (strcmp(name, search->name) != 0)
        return 0;
    search->base = info->dlpi_addr;
    return 1;
}

/* Whether `def`, which lies in a readable segment, is a definition called `name`, of `version`.
 * It may be any other data, which AddressSanitizer may not allow to be read. */
__attribute__((no_sanitize("address"))) static bool is_called(const struct bight_job_def *def,
                                                              const char *name, unsigned version)
{
    struct segment segment;
    const char *text = def->name;
    size_t bytes = strlen(name) + 1;

    if (def->version != version || !segment_of((uintptr_t)text, PF_R, &segment) ||
        segment.high - (uintptr_t)text < bytes)
        return false;
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] != name[i])
            return false;
    }
    return segment_of((uintptr_t)def->fn, PF_X, &segment);
}

const struct bight_job_def *bight__definition_find(const struct definition_place *place,
                                                   const char *name, unsigned version)
{
    struct module_search module = {.name = bight__library_alias(place->module)};
    const struct bight_job_def *def;
    struct segment segment;
    uintptr_t address;

    if (!dl_iterate_phdr(look_for_module, &module))
        return NULL;
    address = module.base + (uintptr_t)place->offset;
    if (!segment_of(address, PF_R, &segment) || segment.base != module.base ||
        !holds_definition(&segment, address))
        return NULL;
    def = (const struct bight_job_def *)address;
    return is_called(def, name, version) ? def : NULL;
}
