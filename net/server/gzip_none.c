/* Built without zlib: answers stay as they are. */
#include "net/server/gzip.h"

#include <bight/errors.h>

bool bight__gzip_is_there(void)
{
    return false;
}

int bight__gzip_new(struct gzip **out, const struct bight_seams *seams)
{
    (void)out;
    (void)seams;
    return BIGHT_ENOTSUP;
}

void bight__gzip_free(struct gzip *gzip)
{
    (void)gzip;
}

int bight__gzip_run(struct gzip *gzip, const void *data, size_t bytes, enum gzip_step step,
                    int (*emit)(void *arg, const void *data, size_t bytes), void *arg)
{
    (void)gzip;
    (void)data;
    (void)bytes;
    (void)step;
    (void)emit;
    (void)arg;
    return BIGHT_ENOTSUP;
}
