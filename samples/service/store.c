/* See store.h. */
#include "samples/service/store.h"

#include <string.h>

#include <bight/errors.h>

static bool begins_with(const char *text, const char *begin)
{
    return strncmp(text, begin, strlen(begin)) == 0;
}

int store_open(struct store **out, const char *url)
{
    static const char sqlite[] = "sqlite:";

    if (begins_with(url, sqlite))
        return store_sqlite_open(out, url + strlen(sqlite));
    if (begins_with(url, "postgresql://") || begins_with(url, "postgres://"))
        return store_pg_open(out, url);
    return BIGHT_EINVAL;
}
