/* The crawl: whose turn it is, the tasks that fetch, parse and record, and what ends it. */
#ifndef SCRAPER_CRAWL_H
#define SCRAPER_CRAWL_H

#include <bight/event.h>
#include <bight/group.h>

#include "samples/scraper/fetch.h"
#include "samples/scraper/frontier.h"
#include "samples/scraper/options.h"
#include "samples/scraper/output.h"
#include "samples/scraper/parsing.h"
#include "samples/scraper/progress.h"
#include "samples/scraper/sites.h"

struct crawl {
    const struct options *options;
    struct output *output;
    struct progress progress;
    struct frontier frontier;
    /* Origins that links may lead to; not used with any_host. */
    struct table origins;
    struct sites sites;
    struct fetcher fetcher;
    struct parsing parsing;
    /* The tasks of pages and of robots.txt; cancelled to cut the crawl short. */
    struct bight_group pages;
    bool pages_open;
    /* Something changed that may let another page start, or end the crawl. */
    struct bight_event changed;
    /* Transfers in flight; tasks of pages and robots.txt; pages ever started. */
    unsigned transfers;
    unsigned tasks;
    uint64_t started;
    /* How many tasks may be beyond their transfer, with the page in memory. */
    unsigned backlog_max;
    /* The signal that cut the crawl short. */
    int signum;
    bool start_failed;
};

/* Crawl as `options` says, on the calling task. Returns 0 when everything is done, though start
 * URLs may have failed (crawl->start_failed); BIGHT_ECANCELED when a signal cut it short; other
 * codes when it could not go on. */
BIGHT_MUST_CHECK int crawl_run(struct crawl *crawl, const struct options *options,
                               struct output *output);

#endif
