/* Memory, the permission to map, and the permission to make a system call, each behind the seam
 * that lets a test make any site fail. A site is the return address of the call, so these functions
 * are never inlined. */
#include "coro/base/seams.h"

#include <errno.h>

static bool refused(const struct bight_seams *seams, const void *site)
{
    return seams && seams->fail_alloc && seams->fail_alloc(seams->ctx, site);
}

void *bight__alloc(const struct bight_seams *seams, size_t bytes)
{
    if (refused(seams, __builtin_return_address(0)))
        return NULL;
    return malloc(bytes);
}

void *bight__alloc_zero(const struct bight_seams *seams, size_t bytes)
{
    if (refused(seams, __builtin_return_address(0)))
        return NULL;
    return calloc(1, bytes);
}

void bight__free(void *memory)
{
    free(memory);
}

bool bight__call_refused(const struct bight_seams *seams, const char *name, size_t *bytes)
{
    int error = 0;

    if (!seams->fail_call(seams->ctx, __builtin_return_address(0), name, &error, bytes))
        return false;
    errno = error;
    return true;
}

bool bight__may_map(const struct bight_seams *seams, const void *site)
{
    return !refused(seams, site);
}
