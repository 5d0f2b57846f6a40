/* The type of a file by the end of its name. */
#ifndef BIGHT_NET_SERVER_TYPES_H
#define BIGHT_NET_SERVER_TYPES_H

#include <bight/static.h>

#define TYPE_BYTES 128

/* The type of the file `name`: of the `count` types, which come first, or of the built-in ones;
 * NULL: none is known. */
const char *bight__type_of(const char *name, const struct bight_static_type *types, size_t count);

#endif
