/* See run.h. */
#include "tests/fuzz/run.h"

void fuzz_run(int (*fn)(void *arg), void *arg)
{
    const struct bight_test_options options = {.skip_probe = true};

    FUZZ_CHECK(bight_test_run(&options, fn, arg, NULL) == 0);
}

void fuzz_put(struct fuzz_buffer *buffer, const void *data, size_t bytes)
{
    if (buffer->room - buffer->bytes < bytes || !buffer->data) {
        buffer->room = 2 * buffer->room + bytes + 64;
        buffer->data = realloc(buffer->data, buffer->room);
        FUZZ_CHECK(buffer->data);
    }
    if (bytes)
        memcpy(buffer->data + buffer->bytes, data, bytes);
    buffer->bytes += bytes;
}

void fuzz_put_text(struct fuzz_buffer *buffer, const char *text)
{
    fuzz_put(buffer, text ? text : "", text ? strlen(text) + 1 : 1);
}

bool fuzz_same(const struct fuzz_buffer *one, const struct fuzz_buffer *other)
{
    return one->bytes == other->bytes &&
           (!one->bytes || memcmp(one->data, other->data, one->bytes) == 0);
}
