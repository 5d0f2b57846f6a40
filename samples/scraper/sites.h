/* What each origin's robots.txt says, asked for once (RFC 9309, 2.3): its rules; everything is
 * allowed when there is none (status 4xx); nothing when it cannot be had (status 5xx, no
 * connection). */
#ifndef SCRAPER_SITES_H
#define SCRAPER_SITES_H

#include "samples/scraper/fetch.h"
#include "samples/scraper/robots.h"
#include "samples/scraper/table.h"

struct site;

struct sites {
    struct table table;
    const struct fetcher *fetcher;
    const char *user_agent;
};

/* Returns 0 or the negative errno of the kernel's random source. */
BIGHT_MUST_CHECK int sites_init(struct sites *sites, const struct fetcher *fetcher,
                                const char *user_agent);
void sites_free(struct sites *sites);

/* The site of `url`, after its robots.txt was read; waits while another task asks for it.
 * Returns 0, BIGHT_ECANCELED or BIGHT_ENOMEM. *out lives as long as `sites`. */
BIGHT_MUST_CHECK int sites_ask(struct sites *sites, const char *url, const struct site **out);

/* The same if it is known already, else NULL. */
const struct site *sites_get(const struct sites *sites, const char *url);

/* Why robots.txt could not be had: FAILURE_ROBOTS or what prevented it; FAILURE_NONE if it
 * could. */
enum failure site_failure(const struct site *site, const char **text);

/* Whether its rules allow `url`. */
bool site_allows(const struct site *site, const char *url);

#endif
