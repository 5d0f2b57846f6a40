/* What the labels of charsets mean, as browsers take them. */
#ifndef SCRAPER_LABELS_H
#define SCRAPER_LABELS_H

#include <bight/base.h>

/* What stands for no charset of iconv's: a page of which one U+FFFD is shown, since reading it as
 * something else could make a script of its text; and one whose bytes from 0x80 on have no
 * meaning. */
#define CHARSET_REPLACEMENT "replacement"
#define CHARSET_USER_DEFINED "x-user-defined"

/* The charset for decoder_new that a label of `size` bytes means; NULL when it means none. */
const char *charset_of_label(const char *label, size_t size);

#endif
