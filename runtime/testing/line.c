/* The replay line: `bight-test: name=NAME seed=N alloc=N ... # why`. It has no numbers that are 0,
 * except for the seed. */
#include "runtime/testing/testing.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "bight-test:"
#define BLANKS " \t\r\n"

/* The numbers of a line, in its order. */
enum { NUMBERS = 8 };
static const char *const keys[NUMBERS] = {
    "seed", "alloc", "alloc_count", "suspend", "suspend_count", "call", "call_count", "call_chance",
};

static void get_numbers(const struct bight_test_options *options, uint64_t numbers[NUMBERS])
{
    const uint64_t all[NUMBERS] = {
        options->seed,          options->alloc, options->alloc_count, options->suspend,
        options->suspend_count, options->call,  options->call_count,  options->call_chance,
    };

    memcpy(numbers, all, sizeof all);
}

static int set_numbers(struct bight_test_options *options, const uint64_t numbers[NUMBERS])
{
    if (numbers[7] > UINT32_MAX)
        return BIGHT_EINVAL;
    options->seed = numbers[0];
    options->fresh_seed = false;
    options->alloc = numbers[1];
    options->alloc_count = numbers[2];
    options->suspend = numbers[3];
    options->suspend_count = numbers[4];
    options->call = numbers[5];
    options->call_count = numbers[6];
    options->call_chance = (uint32_t)numbers[7];
    return 0;
}

struct text {
    char *at;
    size_t room;
    size_t length;
};

static __attribute__((format(printf, 2, 3))) void append(struct text *text, const char *format, ...)
{
    size_t used = text->length < text->room ? text->length : text->room;
    va_list args;

    va_start(args, format);
    int bytes = vsnprintf(text->at + used, text->room - used, format, args);
    va_end(args);
    text->length += bytes > 0 ? (size_t)bytes : 0;
}

size_t bight__test_line(const struct bight_test_options *options, const char *name,
                        const char *what, char *line, size_t line_bytes)
{
    struct text text = {.at = line, .room = line_bytes};
    uint64_t numbers[NUMBERS];

    append(&text, PREFIX);
    if (*name)
        append(&text, " name=%s", name);
    get_numbers(options, numbers);
    for (int i = 0; i < NUMBERS; i++) {
        if (numbers[i] == BIGHT_TEST_ALWAYS && i > 0)
            append(&text, " %s=always", keys[i]);
        else if (numbers[i] || i == 0)
            append(&text, " %s=%" PRIu64, keys[i], numbers[i]);
    }
    if (what)
        append(&text, " # %s", what);
    return text.length;
}

bool bight__test_is_name(const char *name)
{
    size_t bytes = strlen(name);

    return bytes > 0 && bytes < TEST_NAME_BYTES && strcspn(name, BLANKS "=#") == bytes;
}

static int parse_number(const char *text, size_t bytes, uint64_t *number)
{
    uint64_t value = 0;

    if (bytes == 0)
        return BIGHT_EINVAL;
    if (bytes == strlen("always") && strncmp(text, "always", bytes) == 0) {
        *number = BIGHT_TEST_ALWAYS;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++) {
        uint64_t digit = (uint64_t)(text[i] - '0');

        if (text[i] < '0' || text[i] > '9' || value > (UINT64_MAX - digit) / 10)
            return BIGHT_EINVAL;
        value = value * 10 + digit;
    }
    *number = value;
    return 0;
}

/* KEY=VALUE. */
static int parse_pair(const char *pair, size_t bytes, uint64_t numbers[NUMBERS], char *name)
{
    const char *equals = memchr(pair, '=', bytes);

    if (!equals)
        return BIGHT_EINVAL;
    size_t key_bytes = (size_t)(equals - pair);
    size_t value_bytes = bytes - key_bytes - 1;
    if (key_bytes == strlen("name") && strncmp(pair, "name", key_bytes) == 0) {
        if (value_bytes >= TEST_NAME_BYTES)
            return BIGHT_EINVAL;
        memcpy(name, equals + 1, value_bytes);
        name[value_bytes] = '\0';
        return bight__test_is_name(name) ? 0 : BIGHT_EINVAL;
    }
    for (int i = 0; i < NUMBERS; i++) {
        if (strlen(keys[i]) == key_bytes && strncmp(pair, keys[i], key_bytes) == 0)
            return parse_number(equals + 1, value_bytes, &numbers[i]);
    }
    return BIGHT_EINVAL;
}

int bight__test_parse(const char *text, struct bight_test_options *options, char *name)
{
    const char *begin = strstr(text, PREFIX);
    uint64_t numbers[NUMBERS] = {0};

    *name = '\0';
    if (begin)
        text = begin + strlen(PREFIX);
    for (text += strspn(text, BLANKS); *text && *text != '#'; text += strspn(text, BLANKS)) {
        size_t bytes = strcspn(text, BLANKS "#");
        int rc = parse_pair(text, bytes, numbers, name);

        if (rc)
            return rc;
        text += bytes;
    }
    return set_numbers(options, numbers);
}

int bight_test_options_parse(const char *text, struct bight_test_options *options)
{
    char name[TEST_NAME_BYTES];

    if (!text || !options)
        return BIGHT_EINVAL;
    return bight__test_parse(text, options, name);
}
