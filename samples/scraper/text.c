/* See text.h. */
#include "samples/scraper/text.h"

#include <bight/errors.h>

/* The character at `text` and its size. The decoder's output is valid UTF-8, but the parser may cut
 * it: a piece of a character counts as one. */
static size_t character(const char *text, size_t size, uint32_t *code)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t length = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;

    *code = at[0];
    if (length == 1 || length > size)
        return 1;
    *code = at[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++)
        *code = *code << 6 | (at[i] & 0x3fu);
    return length;
}

static bool is_ascii_space(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Unicode's White_Space. */
static bool is_space(uint32_t c)
{
    if (c < 0x80)
        return is_ascii_space(c);
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
           c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

static void add_to_title(struct text *text, const char *at, size_t size, bool space)
{
    struct bytes *title = &text->title;

    if (space) {
        text->title_space = title->size > 0;
        return;
    }
    int rc = 0;
    if (text->title_space)
        rc = bytes_append_char(title, ' ');
    text->title_space = false;
    if (rc == 0)
        rc = bytes_append(title, at, size);
    if (rc == BIGHT_ETOOBIG)
        title->limit = title->size; /* full: later, shorter characters must not get in */
    else if (rc)
        text->rc = rc;
}

/* Count the words from `at` up to its end or the first byte beyond ASCII; returns the bytes. */
static size_t count_ascii(struct text *text, const char *at, size_t size)
{
    bool in_word = text->in_word;
    uint64_t words = 0;
    size_t i = 0;

    for (; i < size && (unsigned char)at[i] < 0x80; i++) {
        bool space = is_ascii_space((unsigned char)at[i]);
        words += !space & !in_word;
        in_word = !space;
    }
    text->in_word = in_word;
    text->words += words;
    return i;
}

void text_add(struct text *text, const char *at, size_t size)
{
    size_t left = size;

    while (left && text->rc == 0) {
        size_t ascii = text->in_title ? 0 : count_ascii(text, at, left);
        if (ascii) {
            at += ascii;
            left -= ascii;
            continue;
        }
        uint32_t code;
        size_t length = character(at, left, &code);
        bool space = is_space(code);
        if (text->in_title)
            add_to_title(text, at, length, space);
        text->words += !space && !text->in_word;
        text->in_word = !space;
        at += length;
        left -= length;
    }
}

const char *text_of_windows_1252(unsigned char c)
{
    static const char characters[][4] = {
        "\u20ac", "",       "\u201a", "\u0192", "\u201e", "\u2026", "\u2020", "\u2021",
        "\u02c6", "\u2030", "\u0160", "\u2039", "\u0152", "",       "\u017d", "",
        "",       "\u2018", "\u2019", "\u201c", "\u201d", "\u2022", "\u2013", "\u2014",
        "\u02dc", "\u2122", "\u0161", "\u203a", "\u0153", "",       "\u017e", "\u0178"};
    const char *character = characters[c - 0x80];

    return *character ? character : NULL;
}
