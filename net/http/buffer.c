/* Bytes that grow by doubling. */
#include "net/http/buffer.h"

#include <bight/errors.h>

int bight__http_buffer_grow(const struct bight_seams *seams, struct http_buffer *buffer,
                            size_t more)
{
    size_t capacity = buffer->capacity ? buffer->capacity : 256;
    char *data;

    if (more > SIZE_MAX / 2 - buffer->bytes)
        return BIGHT_ENOMEM;
    while (capacity - buffer->bytes < more)
        capacity *= 2;
    data = bight__alloc(seams, capacity);
    if (!data)
        return BIGHT_ENOMEM;
    if (buffer->bytes)
        memcpy(data, buffer->data, buffer->bytes);
    bight__free(buffer->data);
    buffer->data = data;
    buffer->capacity = capacity;
    return 0;
}

void bight__http_buffer_free(struct http_buffer *buffer)
{
    bight__free(buffer->data);
    *buffer = (struct http_buffer){0};
}
