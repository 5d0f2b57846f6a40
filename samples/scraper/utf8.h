/* Whether bytes are UTF-8 (RFC 3629): most pages are, and those need no conversion. */
#ifndef SCRAPER_UTF8_H
#define SCRAPER_UTF8_H

#include <bight/base.h>

/* The bytes of the character at `text`, of whose `size` bytes there is at least one; 0 when it is
 * none. */
size_t utf8_character(const char *text, size_t size);

/* Where to cut `text`, of which more than `size` bytes are there, so that at most `size` are left
 * and no character is cut; `size` is at least 4. Where the bytes are no text any place will do. */
size_t utf8_cut(const char *text, size_t size);

/* Whether all of `text` is whole characters, none of them NUL. */
bool utf8_is_text(const char *text, size_t size);

#endif
