/* See range.h. */
#include "net/server/range.h"

#include <strings.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_space(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

/* Digits, of which there has to be one. What does not fit is beyond the end of every file. */
static bool take_number(const char **at, int64_t *number)
{
    if (!is_digit(**at))
        return false;
    for (*number = 0; is_digit(**at); ++*at) {
        int64_t digit = **at - '0';

        if (*number > (INT64_MAX - digit) / 10)
            *number = INT64_MAX;
        else
            *number = *number * 10 + digit;
    }
    return true;
}

/* One range-spec: "FIRST-LAST", "FIRST-" or "-LENGTH". False when it is none. Its `bytes` are 0
 * where it lies outside of the file. */
static bool take_range(const char **at, int64_t size, struct byte_range *range)
{
    int64_t first, last = INT64_MAX;

    if (**at == '-') {
        ++*at;
        if (!take_number(at, &last))
            return false;
        range->bytes = last < size ? last : size;
        range->first = size - range->bytes;
        return true;
    }
    if (!take_number(at, &first) || *(*at)++ != '-')
        return false;
    if (is_digit(**at) && (!take_number(at, &last) || last < first))
        return false;
    range->first = first;
    range->bytes = 0;
    if (first < size)
        range->bytes = (last < size ? last + 1 : size) - first;
    return true;
}

/* As long as all of them together are no longer than the file, a client gets no more for many
 * ranges than for none, whether they overlap or not. */
static int limited(const struct byte_range *ranges, int count, int64_t size)
{
    int64_t left = size;

    for (int i = 0; i < count; i++) {
        if (ranges[i].bytes > left)
            return RANGES_WHOLE;
        left -= ranges[i].bytes;
    }
    return count;
}

int bight__ranges_parse(const char *value, int64_t size, struct byte_range out[RANGES_MAX])
{
    static const char unit[] = "bytes=";
    struct byte_range range;
    int count = 0;
    bool any = false;

    /* An empty file has no part: the whole of it is as good an answer as a refusal. */
    if (size == 0 || strncasecmp(value, unit, sizeof(unit) - 1) != 0)
        return RANGES_WHOLE;
    for (const char *at = value + sizeof(unit) - 1; *(at = skip_space(at)); at++) {
        if (*at != ',') { /* elements of a list may be empty (RFC 9110, 5.6.1.2) */
            if (!take_range(&at, size, &range))
                return RANGES_WHOLE;
            any = true;
            if (range.bytes > 0) {
                if (count == RANGES_MAX)
                    return RANGES_WHOLE;
                out[count++] = range;
            }
            at = skip_space(at);
        }
        if (!*at)
            break;
        if (*at != ',')
            return RANGES_WHOLE;
    }
    if (!any)
        return RANGES_WHOLE;
    return count > 0 ? limited(out, count, size) : RANGES_UNSATISFIABLE;
}
