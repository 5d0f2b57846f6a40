/* SHA-256 of a body as it arrives, by OpenSSL's libcrypto; digest_none.c stands in where that is
 * missing. CMake chooses. */
#ifndef SCRAPER_DIGEST_H
#define SCRAPER_DIGEST_H

#include <bight/base.h>

/* 64 hexadecimal digits and a NUL. */
#define DIGEST_HEX_BYTES 65

struct digest;

/* Returns 0, BIGHT_ENOMEM, or BIGHT_EIO when libcrypto refuses. Gives *out. */
BIGHT_MUST_CHECK int digest_new(struct digest **out);
void digest_free(struct digest *digest);

BIGHT_MUST_CHECK int digest_update(struct digest *digest, const void *data, size_t size);

/* End the digest: its hexadecimal form, or "" where there is no libcrypto. */
BIGHT_MUST_CHECK int digest_hex(struct digest *digest, char hex[DIGEST_HEX_BYTES]);

#endif
