/* Strings as JSON has them. */
#ifndef BIGHT_CORO_BASE_JSON_H
#define BIGHT_CORO_BASE_JSON_H

#include <stddef.h>

/* The most that a text of so many bytes becomes: quotes, a final NUL, and six for each. */
#define BIGHT_JSON_ROOM(bytes) (6 * (bytes) + 3)

/* Write `text` with quotes and a final NUL to `out`, which has room for it. What is not ASCII stays
 * if it is UTF-8; other bytes become the character of that number. Returns `out`. */
char *bight__json_string(char *out, const char *text);

/* How many bytes the character at `at` has if it is well-formed UTF-8 of more than one; else 0. */
size_t bight__utf8_bytes(const unsigned char *at);

#endif
