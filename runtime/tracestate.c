/* The header tracestate: what other tools hand on with a trace, each in a member "key=value" of a
 * list. Nothing here reads a value; it is checked that the list is one, as what is not is not
 * handed on. */
#include "runtime/trace_context.h"

#include <string.h>

#define MEMBERS_MOST 32
#define VALUE_MOST 256
#define KEY_MOST 256
#define TENANT_MOST 241
#define SYSTEM_MOST 14

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One part of a key, at either side of the "@". */
static size_t part_bytes(const char *text)
{
    size_t bytes = 0;

    while (is_letter(text[bytes]) || is_digit(text[bytes]) ||
           (text[bytes] && strchr("_-*/", text[bytes])))
        bytes++;
    return bytes;
}

/* How long the key at `text` is; 0: it is none. */
static size_t key_bytes(const char *text)
{
    size_t bytes = part_bytes(text), system;

    if (text[bytes] != '@')
        return is_letter(text[0]) && bytes <= KEY_MOST ? bytes : 0;
    system = part_bytes(text + bytes + 1);
    if (!(is_letter(text[0]) || is_digit(text[0])) || bytes > TENANT_MOST ||
        !is_letter(text[bytes + 1]) || system > SYSTEM_MOST)
        return 0;
    return bytes + 1 + system;
}

/* The same for a value, which may have spaces inside, and those behind that belong to the list. */
static size_t value_bytes(const char *text, size_t *with_blanks)
{
    size_t bytes = 0, end = 0;

    while (text[bytes] >= ' ' && text[bytes] <= '~' && text[bytes] != ',' && text[bytes] != '=') {
        bytes++;
        if (text[bytes - 1] != ' ')
            end = bytes;
    }
    *with_blanks = bytes;
    return end <= VALUE_MOST ? end : 0;
}

static size_t blanks(const char *text)
{
    return strspn(text, " \t");
}

/* How long the member at `text` is, with the blanks behind it; 0: it is none. */
static size_t member_bytes(const char *text)
{
    size_t bytes = key_bytes(text), value;

    if (!bytes || text[bytes] != '=' || !value_bytes(text + bytes + 1, &value))
        return 0;
    bytes += 1 + value;
    return bytes + blanks(text + bytes);
}

int bight__tracestate_check(const char *text)
{
    size_t at = 0, kept = 0;
    unsigned members = 0;

    for (;;) {
        size_t bytes;

        at += blanks(text + at);
        bytes = member_bytes(text + at); /* a member may be empty */
        if (bytes && ++members > MEMBERS_MOST)
            return BIGHT_EINVAL;
        at += bytes;
        if (text[at] && text[at] != ',')
            return BIGHT_EINVAL;
        if (bytes && at < BIGHT_TRACESTATE_BYTES)
            kept = at;
        if (!text[at])
            return (int)kept;
        at++;
    }
}
