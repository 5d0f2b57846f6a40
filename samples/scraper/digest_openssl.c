/* See digest.h. struct digest is never defined: it is libcrypto's context under a name of ours. */
#include "samples/scraper/digest.h"

#include <openssl/evp.h>

#include <bight/errors.h>

static EVP_MD_CTX *context_of(struct digest *digest)
{
    return (EVP_MD_CTX *)digest;
}

int digest_new(struct digest **out)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context)
        return BIGHT_ENOMEM;
    if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(context);
        return BIGHT_EIO;
    }
    *out = (struct digest *)context;
    return 0;
}

void digest_free(struct digest *digest)
{
    EVP_MD_CTX_free(context_of(digest));
}

int digest_update(struct digest *digest, const void *data, size_t size)
{
    return EVP_DigestUpdate(context_of(digest), data, size) == 1 ? 0 : BIGHT_EIO;
}

int digest_hex(struct digest *digest, char hex[DIGEST_HEX_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (EVP_DigestFinal_ex(context_of(digest), value, &size) != 1 ||
        2 * size + 1 != DIGEST_HEX_BYTES)
        return BIGHT_EIO;
    for (unsigned i = 0; i < size; i++) {
        hex[2 * i] = digits[value[i] >> 4];
        hex[2 * i + 1] = digits[value[i] & 15];
    }
    hex[2 * size] = '\0';
    return 0;
}
