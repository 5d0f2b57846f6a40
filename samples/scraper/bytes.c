/* See bytes.h. */
#include "samples/scraper/bytes.h"

#include <stdlib.h>
#include <string.h>

#include <bight/errors.h>

static const size_t capacity_first = 256;

int bytes_reserve(struct bytes *bytes, size_t size)
{
    if (bytes->limit && size > bytes->limit - bytes->size)
        return BIGHT_ETOOBIG;
    if (size <= bytes->capacity - bytes->size)
        return 0;
    size_t capacity = bytes->capacity ? bytes->capacity : capacity_first;
    while (capacity - bytes->size < size) {
        if (capacity > SIZE_MAX / 2)
            return BIGHT_ENOMEM;
        capacity *= 2;
    }
    char *data = realloc(bytes->data, capacity);
    if (!data)
        return BIGHT_ENOMEM;
    bytes->data = data;
    bytes->capacity = capacity;
    return 0;
}

int bytes_append(struct bytes *bytes, const void *data, size_t size)
{
    int rc = bytes_reserve(bytes, size);
    if (rc == 0 && size) {
        memcpy(bytes->data + bytes->size, data, size);
        bytes->size += size;
    }
    return rc;
}

int bytes_append_text(struct bytes *bytes, const char *text)
{
    return bytes_append(bytes, text, strlen(text));
}

int bytes_append_char(struct bytes *bytes, char c)
{
    return bytes_append(bytes, &c, 1);
}

void bytes_clear(struct bytes *bytes)
{
    bytes->size = 0;
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    bytes->data = NULL;
    bytes->size = bytes->capacity = 0;
}
