/* runtime/trace_context.c and tracestate.c: a traceparent that was read is written as its
 * beginning, but for what version and flags say; a tracestate is a list if a slow reader of the
 * standard's grammar says so, and what is kept of it is one. */
#include <bight/trace_context.h>

#include "runtime/trace_context.h"
#include "tests/fuzz/fuzz.h"

#define FLAGS_AT 53

static void try_parent(const char *text)
{
    struct bight_trace_context context, again;
    char written[BIGHT_TRACEPARENT_BYTES];

    if (bight_trace_context_parse(&context, text))
        return;
    FUZZ_CHECK(bight_trace_context_format(&context, written, sizeof(written)) == 0);
    FUZZ_CHECK(memcmp(written, "00", 2) == 0 && memcmp(text, "ff", 2) != 0);
    FUZZ_CHECK(memcmp(written + 2, text + 2, FLAGS_AT - 2) == 0);
    FUZZ_CHECK(context.flags == (strtoul(text + FLAGS_AT, NULL, 16) & 1));
    FUZZ_CHECK(bight_trace_context_parse(&again, written) == 0);
    FUZZ_CHECK(memcmp(&context, &again, sizeof(context)) == 0);
    FUZZ_CHECK(strlen(text) == strlen(written) ||
               (memcmp(text, "00", 2) != 0 && strncmp(text + sizeof(written) - 1, "-", 1) == 0));
}

/* Whether all of [text, text + bytes) are in `set`. */
static bool all_in(const char *text, size_t bytes, const char *set)
{
    return strspn(text, set) >= bytes;
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define KEY LOWER DIGITS "_-*/"

static bool is_key(const char *text, size_t bytes)
{
    const char *at = memchr(text, '@', bytes);
    size_t tenant = at ? (size_t)(at - text) : bytes, system = bytes - tenant - 1;

    if (!at)
        return bytes && bytes <= 256 && all_in(text, 1, LOWER) && all_in(text, bytes, KEY);
    return tenant && tenant <= 241 && all_in(text, 1, LOWER DIGITS) && all_in(text, tenant, KEY) &&
           system && system <= 14 && all_in(at + 1, 1, LOWER) && all_in(at + 1, system, KEY);
}

static bool is_value(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] < ' ' || text[i] > '~' || text[i] == '=')
            return false;
    }
    return bytes && bytes <= 256;
}

/* One member, or white space only. */
static bool is_member(const char *text, size_t bytes, unsigned *members)
{
    const char *equals;

    while (bytes && strchr(" \t", text[0]))
        text++, bytes--;
    while (bytes && strchr(" \t", text[bytes - 1]))
        bytes--;
    if (!bytes)
        return true;
    ++*members;
    equals = memchr(text, '=', bytes);
    return equals && is_key(text, (size_t)(equals - text)) &&
           is_value(equals + 1, bytes - (size_t)(equals + 1 - text));
}

static bool is_list(const char *text)
{
    unsigned members = 0;

    for (;;) {
        size_t bytes = strcspn(text, ",");

        if (!is_member(text, bytes, &members))
            return false;
        if (!text[bytes])
            return members <= 32;
        text += bytes + 1;
    }
}

static void try_state(const char *text)
{
    char kept[BIGHT_TRACESTATE_BYTES];
    int bytes = bight__tracestate_check(text);

    FUZZ_CHECK((bytes >= 0) == is_list(text));
    if (bytes < 0)
        return;
    FUZZ_CHECK((size_t)bytes <= strlen(text) && (size_t)bytes < sizeof(kept));
    memcpy(kept, text, (size_t)bytes);
    kept[bytes] = '\0';
    FUZZ_CHECK(bight__tracestate_check(kept) == bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);

    try_parent(text);
    try_state(text);
    free(text);
    return 0;
}
