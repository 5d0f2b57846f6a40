/* Host names in other letters than ASCII, in a build without libidn2: none. */
#include "net/http/url.h"

#include <bight/errors.h>

int bight__http_idn(const struct bight_seams *seams, const char *name, size_t bytes,
                    struct http_buffer *out, const char **why)
{
    (void)seams;
    (void)name;
    (void)bytes;
    (void)out;
    *why = "the host name is not ASCII, and this build has no libidn2 to convert it";
    return BIGHT_EINVAL;
}
