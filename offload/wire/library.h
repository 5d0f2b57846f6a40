/* Definitions in a shared library that another program than the host's loads, to be a zygote. */
#ifndef BIGHT_OFFLOAD_WIRE_LIBRARY_H
#define BIGHT_OFFLOAD_WIRE_LIBRARY_H

#include <bight/base.h>

/* What the dynamic linker calls the loaded library that is the file `path`; NULL when none is.
 * Valid while it is loaded. */
const char *bight__library_name(const char *path);

/* Load the library `path`, and find in it the definitions of the one that the host calls `name`.
 * Once in a process. 0 or -errno; the strings have to stay. */
int bight__library_load(const char *path, const char *name);

/* Where the definitions of the host's module `name` are in this process. */
const char *bight__library_alias(const char *name);

#endif
