/* See utf8.h. */
#include "samples/scraper/utf8.h"

size_t utf8_character(const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t length = at[0] < 0x80    ? 1
                    : at[0] < 0xc2  ? 0
                    : at[0] < 0xe0  ? 2
                    : at[0] < 0xf0  ? 3
                    : at[0] <= 0xf4 ? 4
                                    : 0;

    if (length > size)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    /* Too long a form, a surrogate, beyond the last character. */
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return length;
}

/* A byte that is not the first of its character. */
static bool is_tail(char c)
{
    return (signed char)c < -0x40;
}

size_t utf8_cut(const char *text, size_t size)
{
    size_t cut = size - 1;

    while (size - cut < 4 && is_tail(text[cut]))
        cut--;
    /* The last character is whole, or there is none of this size. */
    return utf8_character(text + cut, size - cut) == size - cut ? size : cut;
}

/* Whether `c` cannot follow the three bytes before it, `b1` the nearest. Comparisons of bytes and
 * nothing else, so that the compiler makes one vector instruction of each. */
static inline bool is_fault(uint8_t c, uint8_t b1, uint8_t b2, uint8_t b3)
{
    bool wants_tail = (b1 >= 0xc0) | (b2 >= 0xe0) | (b3 >= 0xf0);
    bool never = (c == 0) | (c == 0xc0) | (c == 0xc1) | (c > 0xf4);
    /* Too long a form, a surrogate, beyond the last character. */
    bool too_long = ((b1 == 0xe0) & (c < 0xa0)) | ((b1 == 0xf0) & (c < 0x90));
    bool beyond = ((b1 == 0xed) & (c > 0x9f)) | ((b1 == 0xf4) & (c > 0x8f));

    return (wants_tail != ((c & 0xc0) == 0x80)) | never | too_long | beyond;
}

bool utf8_is_text(const char *text, size_t size)
{
    const uint8_t *at = (const uint8_t *)text;
    uint8_t faults = 0;

    for (size_t i = 0; i < size; i++)
        faults |= (at[i] >= 0x80) | (at[i] == 0);
    if (!faults)
        return true; /* ASCII alone, as most pieces of most pages */
    faults = 0;
    for (size_t i = 0; i < size && i < 3; i++)
        faults |= is_fault(at[i], i > 0 ? at[i - 1] : 0, i > 1 ? at[i - 2] : 0, 0);
    for (size_t i = 3; i < size; i++)
        faults |= is_fault(at[i], at[i - 1], at[i - 2], at[i - 3]);
    /* The end must not cut a character. */
    for (size_t i = 0; i < size && i < 3; i++)
        faults |= at[size - 1 - i] >= (i == 0 ? 0xc0 : i == 1 ? 0xe0 : 0xf0);
    return !faults;
}
