/* Bytes that grow, and the header block that is kept in them. */
#ifndef BIGHT_NET_HTTP_BUFFER_H
#define BIGHT_NET_HTTP_BUFFER_H

#include <string.h>

#include "coro/base/seams.h"

struct http_buffer {
    char *data;
    size_t bytes;
    size_t capacity;
};

/* A header block: lines as they came, or once `split`, name NUL value NUL and so on. */
struct http_headers {
    struct http_buffer text;
    size_t count; /* valid when split */
    bool split;
};

/* buffer.c: room for `more` bytes behind those that are there. 0 or BIGHT_ENOMEM. */
int bight__http_buffer_grow(const struct bight_seams *seams, struct http_buffer *buffer,
                            size_t more);
void bight__http_buffer_free(struct http_buffer *buffer);

static inline int http_buffer_reserve(const struct bight_seams *seams, struct http_buffer *buffer,
                                      size_t more)
{
    return buffer->capacity - buffer->bytes >= more ? 0
                                                    : bight__http_buffer_grow(seams, buffer, more);
}

static inline int http_buffer_append(const struct bight_seams *seams, struct http_buffer *buffer,
                                     const char *bytes, size_t count)
{
    int rc = http_buffer_reserve(seams, buffer, count);

    if (rc)
        return rc;
    if (count && buffer->data) /* of no bytes, neither side need be there */
        memcpy(buffer->data + buffer->bytes, bytes, count);
    buffer->bytes += count;
    return 0;
}

static inline void http_headers_clear(struct http_headers *headers)
{
    headers->text.bytes = 0;
    headers->count = 0;
    headers->split = false;
}

/* `line` is one line with its line feed; libcurl has refused NULs. */
static inline int http_headers_add(const struct bight_seams *seams, struct http_headers *headers,
                                   const char *line, size_t bytes)
{
    return http_buffer_append(seams, &headers->text, line, bytes);
}

/* headers.c: the value of the first header of that name, NULL for none. */
const char *bight__http_headers_find(struct http_headers *headers, const char *name);
/* The next one after that with `value`, which is one of theirs. */
const char *bight__http_headers_find_after(struct http_headers *headers, const char *name,
                                           const char *value);
int bight__http_headers_at(struct http_headers *headers, size_t index, const char **name,
                           const char **value);

#endif
