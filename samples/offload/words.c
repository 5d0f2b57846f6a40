/* See words.h. */
#include "samples/offload/words.h"

#include <bight/errors.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static int add(struct table *counts, const char *word, size_t length, uintptr_t times)
{
    struct table_entry *entry;
    bool added;
    int rc = table_put(counts, word, length, &entry, &added);

    if (rc == 0)
        entry->value = (void *)((uintptr_t)entry->value + times); /* a number in its place */
    return rc;
}

int words_add_file(struct table *counts, const char *path)
{
    char word[WORD_BYTES_MAX];
    size_t length = 0;
    FILE *file = fopen(path, "r");
    int c, rc = 0;

    if (!file)
        return -errno;
    do {
        c = getc(file);
        if (c < 0x80 && isalpha(c)) {
            if (length < sizeof word)
                word[length++] = (char)tolower(c);
        } else if (length) {
            rc = add(counts, word, length, 1);
            length = 0;
        }
    } while (c != EOF && rc == 0);
    if (rc == 0 && ferror(file))
        rc = BIGHT_EIO;
    (void)fclose(file);
    return rc;
}

int words_add_lines(struct table *counts, const char *at, size_t bytes)
{
    const char *end = at + bytes;
    int rc = 0;

    while (at < end && rc == 0) {
        const char *word = at, *space = memchr(at, ' ', (size_t)(end - at));
        uintptr_t times = 0;

        if (!space)
            return BIGHT_EPROTOCOL;
        for (at = space + 1; at < end && *at != '\n'; at++)
            times = 10 * times + (uintptr_t)(*at - '0');
        at += at < end;
        rc = add(counts, word, (size_t)(space - word), times);
    }
    return rc;
}

uintptr_t words_times(const struct table_entry *entry)
{
    return (uintptr_t)entry->value;
}

bool words_equal(const struct table *a, const struct table *b)
{
    size_t equal = 0;

    for (size_t i = 0; i < a->capacity; i++) {
        const struct table_entry *entry = &a->entries[i];

        equal += entry->key && table_get(b, entry->key, strlen(entry->key)) == entry->value;
    }
    return equal == a->count && a->count == b->count;
}
