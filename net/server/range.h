/* Which bytes a request wants of a file (RFC 9110, 14). */
#ifndef BIGHT_NET_SERVER_RANGE_H
#define BIGHT_NET_SERVER_RANGE_H

#include <bight/base.h>

/* With more ranges than this, the whole file is sent (RFC 9110, 14.2 and 17.15). */
#define RANGES_MAX 16

struct byte_range {
    int64_t first;
    int64_t bytes; /* at least 1 */
};

/* Instead of a number of ranges. */
enum {
    RANGES_WHOLE = 0,
    RANGES_UNSATISFIABLE = -1,
};

/* What `value`, that of the header Range, means for a file of `size` bytes: how many ranges of it
 * are to be sent; RANGES_WHOLE: the header is to be ignored; RANGES_UNSATISFIABLE: none of them
 * lies within the file. */
int bight__ranges_parse(const char *value, int64_t size, struct byte_range out[RANGES_MAX]);

#endif
