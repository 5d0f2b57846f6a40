/* A growing run of bytes that knows its limit, for what comes from outside: nothing that a peer
 * sends may grow without one. Plain memory, no bight. */
#ifndef SCRAPER_BYTES_H
#define SCRAPER_BYTES_H

#include <bight/base.h>

/* All zero, except for `limit`, is an empty one. */
struct bytes {
    char *data;
    size_t size;
    size_t capacity;
    /* The most that `size` may become; 0 is no limit. */
    size_t limit;
};

/* Append: 0, or BIGHT_ENOMEM or BIGHT_ETOOBIG, and nothing was appended. */
BIGHT_MUST_CHECK int bytes_append(struct bytes *bytes, const void *data, size_t size);
BIGHT_MUST_CHECK int bytes_append_text(struct bytes *bytes, const char *text);
BIGHT_MUST_CHECK int bytes_append_char(struct bytes *bytes, char c);

/* Make room for `size` more bytes without appending them: 0, BIGHT_ENOMEM or BIGHT_ETOOBIG. */
BIGHT_MUST_CHECK int bytes_reserve(struct bytes *bytes, size_t size);

/* Forget the content, keep the memory. */
void bytes_clear(struct bytes *bytes);

/* Free the memory; the limit stays. */
void bytes_free(struct bytes *bytes);

#endif
