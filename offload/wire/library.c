/* See library.h. */
#include "offload/wire/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

/* Written once, before there are workers. */
static struct {
    const char *theirs;
    const char *ours;
} alias;

static const char *name_of(void *handle)
{
    struct link_map *map;

    return dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 ? map->l_name : NULL;
}

/* The linker knows its files by device and inode, by whatever path they were loaded. */
const char *bight__library_name(const char *path)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    const char *name;

    if (!handle)
        return NULL;
    name = name_of(handle);
    (void)dlclose(handle); /* it was open before */
    return name;
}

int bight__library_load(const char *path, const char *name)
{
    void *handle;

    if (access(path, R_OK) < 0)
        return -errno;
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle || !name_of(handle))
        return -ENOEXEC;
    alias.theirs = name;
    alias.ours = name_of(handle);
    return 0;
}

const char *bight__library_alias(const char *name)
{
    return alias.theirs && strcmp(name, alias.theirs) == 0 ? alias.ours : name;
}
