/* Built without SQLite. */
#include "samples/service/store.h"

#include <bight/errors.h>

int store_sqlite_open(struct store **out, const char *file)
{
    (void)out;
    (void)file;
    return BIGHT_ENOTSUP;
}
