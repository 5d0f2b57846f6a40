/* The order in which the addresses of a name are tried. */
#include "net/stream/connect.h"

#include <string.h>

#include <bight/resolve.h>

/* The first address from `at` on that is, or is not, of `family`; `count` when there is none. */
static size_t find(const struct bight_address *addresses, size_t count, size_t at, uint8_t family,
                   bool same)
{
    while (at < count && (addresses[at].family == family) != same)
        at++;
    return at;
}

void bight__connect_order(struct bight_address *addresses, size_t count)
{
    struct bight_address before[BIGHT_RESOLVE_ADDRESSES];
    size_t next[2] = {0, 0}; /* of the other families, of the first one's */
    bool same = true;

    memcpy(before, addresses, count * sizeof(*before));
    for (size_t i = 0; i < count; i++) {
        size_t at = find(before, count, next[same], before[0].family, same);

        if (at == count) { /* the rest is of one kind */
            next[same] = count;
            same = !same;
            at = find(before, count, next[same], before[0].family, same);
        }
        addresses[i] = before[at];
        next[same] = at + 1;
        same = !same;
    }
}
