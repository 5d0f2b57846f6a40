/* The text of a page, valid UTF-8 in pieces: how many words, and which title. */
#ifndef SCRAPER_TEXT_H
#define SCRAPER_TEXT_H

#include "samples/scraper/bytes.h"

/* All zero, except for the title's limit, is that of an empty page. */
struct text {
    /* The first error; nothing is added after it. */
    int rc;
    /* Runs of non-space. */
    uint64_t words;
    /* What is added while `in_title` is, white space collapsed. Beyond its limit it is cut, at a
     * character. */
    bool in_title;
    struct bytes title;
    /* The last word may go on. */
    bool in_word;
    /* White space was seen in the title, not yet written. */
    bool title_space;
};

void text_add(struct text *text, const char *at, size_t size);

/* What the character `c`, which is one of U+0080 to U+009F, is in windows-1252, as UTF-8: a page
 * that refers to it by number means that. NULL for those that are nothing there either. */
const char *text_of_windows_1252(unsigned char c);

#endif
