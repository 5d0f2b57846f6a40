/* Built without libpq. */
#include "samples/service/store.h"

#include <bight/errors.h>

int store_pg_open(struct store **out, const char *url)
{
    (void)out;
    (void)url;
    return BIGHT_ENOTSUP;
}
