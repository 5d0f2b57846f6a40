/* The links in a page as browsers read them, before libcurl does: forgiveness for white space,
 * slashes and odd bytes. Texts, no URLs yet. */
#ifndef SCRAPER_HREF_H
#define SCRAPER_HREF_H

#include <bight/base.h>

/* The bytes of "scheme" in "scheme:...", 0 when there is none. */
size_t href_scheme_bytes(const char *href);

/* Whether the scheme of so many bytes is http or https. */
bool href_is_web(const char *href, size_t scheme);

/* Where the authority of `href` ends, 0 when it has none: host names keep their bytes. libcurl
 * takes one slash after a scheme, or three, for two. */
size_t href_authority_end(const char *href, size_t size);

/* Write `href` into `out`, which has URL_BYTES_MAX + 1 bytes, as browsers read it on a page with
 * this scheme, which may be NULL. Returns 0, BIGHT_ETOOBIG or BIGHT_ENOMEM. */
BIGHT_MUST_CHECK int href_clean(const char *href, const char *base_scheme, char *out);

/* The last step of href_clean: impossible bytes percent-encoded, the host in lower case. */
BIGHT_MUST_CHECK int href_encode(const char *href, char *out);

/* Write the dots of `href`'s dot segments as dots, so that every version of libcurl knows them. */
void href_spell_dots(char *href);

/* The bytes of `href` before its fragment, if they are names with a slash between any two: most
 * links are, and nothing in them is to be put right. 0 when they are something else. */
size_t href_plain_bytes(const char *href);

#endif
