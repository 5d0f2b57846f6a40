/* Host names in other letters than ASCII. libcurl converts them too, but takes them for text in the
 * encoding of the program's locale, which is ASCII until it calls setlocale. So libidn2 is asked
 * here, for UTF-8. It is there when libcurl was built with it, and is not needed otherwise: hence
 * it is looked for when the first such name comes. */
#include "net/http/url.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include <bight/errors.h>

/* Of <idn2.h>: IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL, IDN2_OK, IDN2_MALLOC. */
#define LOOKUP_FLAGS (1 | 8)
#define LOOKUP_OK 0
#define LOOKUP_NO_MEMORY (-100)

static int (*lookup)(const uint8_t *name, uint8_t **out, int flags);
static void (*lookup_free)(void *memory);
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
    void *library = dlopen("libidn2.so.0", RTLD_NOW | RTLD_LOCAL);

    if (!library)
        return;
    *(void **)&lookup_free = dlsym(library, "idn2_free");
    if (lookup_free)
        *(void **)&lookup = dlsym(library, "idn2_lookup_u8");
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
    pthread_once(&once, load);
    *why = "the host name is not ASCII, and libidn2 is not there to convert it";
    if (!lookup)
        return BIGHT_EINVAL;
    rc = lookup((const uint8_t *)text, &ascii, LOOKUP_FLAGS);
    *why = "the host name is not one in UTF-8";
    if (rc != LOOKUP_OK)
        return rc == LOOKUP_NO_MEMORY ? BIGHT_ENOMEM : BIGHT_EINVAL;
    *why = NULL;
    rc = http_buffer_append(seams, out, (const char *)ascii, strlen((const char *)ascii));
    lookup_free(ascii);
    return rc;
}
