/* URLs in the one form in which the crawl compares them: absolute, http or https, fragment and user
 * info dropped, scheme and host in lower case, default port dropped, dot segments removed, an empty
 * path written "/". Two links to one page are then one string. Parsing is libcurl's URL API. */
#ifndef SCRAPER_URL_H
#define SCRAPER_URL_H

#include <bight/base.h>

/* Longer ones are refused: no page needs them, and they would be multiplied by every link. */
#define URL_BYTES_MAX 8192

struct url_base;

/* What relative links are resolved against. Returns 0; BIGHT_EINVAL: not a URL; BIGHT_ENOTSUP:
 * neither http nor https; BIGHT_ETOOBIG; BIGHT_ENOMEM. Gives *out. */
BIGHT_MUST_CHECK int url_base_new(struct url_base **out, const char *url);
void url_base_free(struct url_base *base);

/* The normal form of the link `href` of a page at `base`. Returns as url_base_new. Gives *out. */
BIGHT_MUST_CHECK int url_resolve(const struct url_base *base, const char *href, char **out);

/* The normal form of the absolute URL `text`. Returns as url_base_new. Gives *out. */
BIGHT_MUST_CHECK int url_normalise(const char *text, char **out);

/* The same for what a user typed: "http://" may be missing. User info, which the normal form would
 * drop silently, is BIGHT_EPERM. */
BIGHT_MUST_CHECK int url_from_user(const char *text, char **out);

/* Whether `text` can be a URL in normal form: a cheap check of what another process made, so that
 * code which relies on the form does not fail. */
bool url_is_plausible(const char *text);

/* How many bytes of a URL in normal form are its origin: scheme, "://", host and port. */
size_t url_origin_bytes(const char *url);

/* Whether two URLs in normal form have the same origin. */
bool url_same_origin(const char *a, const char *b);

#endif
