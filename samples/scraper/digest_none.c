/* See digest.h: without libcrypto, records have no sha256. */
#include "samples/scraper/digest.h"

int digest_new(struct digest **out)
{
    *out = NULL;
    return 0;
}

void digest_free(struct digest *digest)
{
    (void)digest;
}

int digest_update(struct digest *digest, const void *data, size_t size)
{
    (void)digest;
    (void)data;
    (void)size;
    return 0;
}

int digest_hex(struct digest *digest, char hex[DIGEST_HEX_BYTES])
{
    (void)digest;
    hex[0] = '\0';
    return 0;
}
