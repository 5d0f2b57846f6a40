/* robots.txt by RFC 9309: which paths of an origin a crawler may ask for. Text in, answers out.
 * sites.c fetches it and knows what its absence means. */
#ifndef SCRAPER_ROBOTS_H
#define SCRAPER_ROBOTS_H

#include <bight/base.h>

/* How much is read of a robots.txt; the RFC asks for at least 500 KiB. */
#define ROBOTS_BYTES_MAX ((size_t)500 * 1024)

struct robots;

/* The rules of `text` for the crawler whose product token begins `user_agent` ("bight-scrape" of
 * "bight-scrape/0.1 (+https://...)"). Bytes beyond ROBOTS_BYTES_MAX are not read.
 * Returns 0 or BIGHT_ENOMEM. Gives *out. */
BIGHT_MUST_CHECK int robots_parse(struct robots **out, const char *text, size_t size,
                                  const char *user_agent);
void robots_free(struct robots *robots);

/* Whether `url`, in normal form, may be asked for; anything may when `robots` is NULL. For want of
 * memory the answer is no. */
bool robots_allows(const struct robots *robots, const char *url);

#endif
