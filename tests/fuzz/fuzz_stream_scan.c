/* runtime/stream/scan.c: reading up to a delimiter, or a line. Input: the size of the buffer as a
 * byte, delimiters with NULs between, a line feed, and then what comes. A model that sees all of it
 * at once says what each call returns; nothing is lost between the calls. */
#include "tests/fuzz/run.h"

#define DELIMITERS_MAX 4u

struct input {
    const char *data;
    size_t bytes;
    size_t buffer_bytes;
    struct bight_slice delimiters[DELIMITERS_MAX];
    size_t count;
};

/* Where the delimiter that ends first does, from `at` on; 0: none is there. */
static size_t first_end(const struct input *input, size_t at)
{
    for (size_t end = at + 1; end <= input->bytes; end++) {
        for (size_t i = 0; i < input->count; i++) {
            size_t bytes = input->delimiters[i].bytes;

            if (end - at >= bytes &&
                memcmp(input->data + end - bytes, input->delimiters[i].data, bytes) == 0)
                return end;
        }
    }
    return 0;
}

static void read_parts(const struct input *input, struct bight_stream *stream)
{
    char *buffer = malloc(input->buffer_bytes);
    size_t at = 0;

    FUZZ_CHECK(buffer);
    for (;;) {
        size_t end = first_end(input, at);
        int64_t expected = end                                       ? (int64_t)(end - at)
                           : input->bytes - at < input->buffer_bytes ? BIGHT_EOF
                                                                     : BIGHT_ETOOBIG;

        if (expected > (int64_t)input->buffer_bytes)
            expected = BIGHT_ETOOBIG;
        int64_t count = bight_stream_read_until_any(stream, buffer, input->buffer_bytes,
                                                    input->delimiters, input->count);
        FUZZ_CHECK(count == expected);
        if (count < 0) /* nothing was taken */
            count = bight_stream_read(stream, buffer, input->buffer_bytes);
        FUZZ_CHECK(count >= 0 && (size_t)count <= input->bytes - at);
        FUZZ_CHECK(memcmp(buffer, input->data + at, (size_t)count) == 0);
        if (count == 0)
            break;
        at += (size_t)count;
    }
    FUZZ_CHECK(at == input->bytes);
    free(buffer);
}

static void read_lines(const struct input *input, struct bight_stream *stream)
{
    const char *at = input->data, *end = at + input->bytes;
    char *line = malloc(input->buffer_bytes);
    int64_t count = 0;

    FUZZ_CHECK(line);
    while (count != BIGHT_EOF) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        size_t bytes = (size_t)((feed ? feed : end) - at);

        if (feed && bytes && feed[-1] == '\r')
            bytes--;
        count = bight_stream_read_line(stream, line, input->buffer_bytes);
        if (at == end) {
            FUZZ_CHECK(count == BIGHT_EOF);
        } else if (bytes >= input->buffer_bytes) {
            FUZZ_CHECK(count == BIGHT_ETOOBIG);
        } else {
            FUZZ_CHECK(count == (int64_t)bytes && memcmp(line, at, bytes) == 0);
            FUZZ_CHECK(line[bytes] == '\0');
        }
        at = feed ? feed + 1 : end;
    }
    free(line);
}

/* Have `read` read it, from a stream that gives so much at a time. */
static void feed(const struct input *input, size_t read_max,
                 void (*read)(const struct input *input, struct bight_stream *stream))
{
    const struct bight_stream_pair_options options = {.capacity = FUZZ_RUN_BYTES,
                                                      .read_max = read_max};
    struct bight_stream *left, *right;

    FUZZ_CHECK(bight_stream_pair(&left, &right, &options) == 0);
    FUZZ_CHECK(bight_stream_write(left, input->data, input->bytes) == 0);
    FUZZ_CHECK(bight_stream_shutdown(left) == 0);
    read(input, right);
    bight_stream_abort(left);
    bight_stream_abort(right);
}

static int feed_all(void *arg)
{
    const struct input *input = arg;

    for (size_t i = 0; i < 3; i++) {
        static const size_t sizes[] = {0, 1, 5};

        if (input->count)
            feed(input, sizes[i], read_parts);
        feed(input, sizes[i], read_lines);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data + 1;
    const char *end = size > 1 ? memchr(at, '\n', size - 1) : NULL;
    struct input input = {.count = 0};

    if (!end || size > 2048)
        return 0;
    input.buffer_bytes = data[0] + 1u;
    while (at < end && input.count < DELIMITERS_MAX) {
        const char *last = memchr(at, '\0', (size_t)(end - at));

        if (!last)
            last = end;
        if (last > at)
            input.delimiters[input.count++] = (struct bight_slice){at, (size_t)(last - at)};
        at = last + 1;
    }
    input.data = end + 1;
    input.bytes = size - (size_t)(end + 1 - (const char *)data);
    fuzz_run(feed_all, &input);
    return 0;
}
