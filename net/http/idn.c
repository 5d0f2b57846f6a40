/* Host names in other letters than ASCII, by libidn2. libcurl converts them too, but takes them for
 * text in the encoding of the program's locale, which is ASCII until it calls setlocale; here they
 * are UTF-8. A build without libidn2 has idn_none.c instead. */
#include "net/http/url.h"

#include <idn2.h>
#include <string.h>

#include <bight/errors.h>

/* Some letters stand for others together with signs that mean something in a URL: those would make
 * another host of it. */
static bool is_name(const char *ascii)
{
    return ascii[strspn(ascii, "abcdefghijklmnopqrstuvwxyz0123456789-._")] == '\0';
}

int bight__http_idn(const struct bight_seams *seams, const char *name, size_t bytes,
                    struct http_buffer *out, const char **why)
{
    char text[HTTP_HOST_BYTES * 4];
    uint8_t *ascii = NULL;
    int rc;

    *why = "the host name is too long";
    if (bytes >= sizeof(text))
        return BIGHT_EINVAL;
    memcpy(text, name, bytes);
    text[bytes] = '\0';
    rc = idn2_lookup_u8((const uint8_t *)text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    *why = "the host name is not one in UTF-8";
    if (rc != IDN2_OK)
        return rc == IDN2_MALLOC ? BIGHT_ENOMEM : BIGHT_EINVAL;
    rc = BIGHT_EINVAL;
    if (is_name((const char *)ascii)) {
        *why = NULL;
        rc = http_buffer_append(seams, out, (const char *)ascii, strlen((const char *)ascii));
    }
    idn2_free(ascii);
    return rc;
}
