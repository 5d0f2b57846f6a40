/* One page's way through the crawl: fetched, parsed, recorded, its links queued. */
#ifndef SCRAPER_VISIT_H
#define SCRAPER_VISIT_H

#include "samples/scraper/crawl.h"

/* Visit the item and write its one record. `arrived(crawl, item)` is called at the last byte of the
 * transfer. Returns 0, or a negative code after which the crawl cannot go on: no record was
 * written. */
BIGHT_MUST_CHECK int visit(struct crawl *crawl, const struct frontier_item *item,
                           void (*arrived)(struct crawl *crawl, const struct frontier_item *item));

/* Write the record of an item that is not asked for because of its robots.txt. Returns as visit. */
BIGHT_MUST_CHECK int visit_refused(struct crawl *crawl, const struct frontier_item *item,
                                   enum failure failure, const char *error);

/* Whether links and redirects may lead to `url`. */
bool visit_allowed_origin(const struct crawl *crawl, const char *url);

/* What the fetcher asks before a redirect; `arg` is the crawl. */
BIGHT_MUST_CHECK int visit_allow_redirect(void *arg, const char *url, struct refusal *refusal);

#endif
