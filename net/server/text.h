/* Small parts of the texts of HTTP, for this room and for those that build on it. */
#ifndef BIGHT_NET_SERVER_TEXT_H
#define BIGHT_NET_SERVER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static inline bool bight__is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static inline bool bight__is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The value of a hexadecimal digit; -1: it is none. */
static inline int bight__hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether all of `text` are characters of a token, at least one: RFC 9110 5.6.2. */
static inline bool bight__is_token(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (!bight__is_alphanumeric(text[i]) && !(text[i] && strchr("!#$%&'*+-.^_`|~", text[i])))
            return false;
    }
    return bytes;
}

/* Whether `text` is `lower`, which is in lower case, but for case. */
static inline bool bight__is_name(const char *text, size_t bytes, const char *lower)
{
    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];

        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c != lower[i] || !lower[i])
            return false;
    }
    return !lower[bytes];
}

/* Take the next element of a list with commas from *at up to `end`, without the white space around:
 * its length to *bytes. NULL: there is none. Empty elements are passed over. */
static inline const char *bight__list_next(const char **at, const char *end, size_t *bytes)
{
    const char *begin = *at, *last;

    while (begin < end && (bight__is_blank(*begin) || *begin == ','))
        begin++;
    if (begin == end)
        return NULL;
    last = memchr(begin, ',', (size_t)(end - begin));
    if (!last)
        last = end;
    *at = last;
    while (bight__is_blank(last[-1]))
        last--;
    *bytes = (size_t)(last - begin);
    return begin;
}

#endif
