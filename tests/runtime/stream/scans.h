/* What the suites share that read the right end of a pair up to something: see ends.h. */
#ifndef TESTS_RUNTIME_STREAM_SCANS_H
#define TESTS_RUNTIME_STREAM_SCANS_H

#include <string.h>

#include "tests/runtime/stream/ends.h"

/* Where it is read to. */
static char text[64];

/* What `call` read is `expected`. */
#define is_read(call, expected)                                                                    \
    do {                                                                                           \
        memset(text, 0, sizeof(text));                                                             \
        ck_assert_int_eq(call, (int)strlen(expected));                                             \
        ck_assert_str_eq(text, expected);                                                          \
    } while (0)

static inline int64_t until(const char *delimiter, size_t bytes)
{
    return bight_stream_read_until(right, text, bytes, delimiter, strlen(delimiter));
}

static inline int64_t until_either(const char *one, const char *other, size_t bytes)
{
    const struct bight_slice either[] = {{one, strlen(one)}, {other, strlen(other)}};

    return bight_stream_read_until_any(right, text, bytes, either, 2);
}

static inline int64_t line(size_t bytes)
{
    return bight_stream_read_line(right, text, bytes);
}

#endif
