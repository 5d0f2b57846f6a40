/* The parsing of pages in worker processes, each final page once: URLs that redirect to a page that
 * was parsed get its facts, and nobody follows its links again. */
#ifndef SCRAPER_PARSING_H
#define SCRAPER_PARSING_H

#include <bight/executor.h>

#include "samples/scraper/fetch.h"
#include "samples/scraper/parse.h"
#include "samples/scraper/table.h"

struct parsing {
    struct bight_executor *workers;
    struct table finals;
};

/* What parsing_run found; freed with parsed_free. */
struct parsed {
    /* FAILURE_NONE: the facts are known. */
    enum failure failure;
    char error[FETCH_ERROR_BYTES];
    /* Valid until parsing_free or parsed_free, whichever comes first. */
    struct page_facts facts;
    /* This call parsed the page: its links, in normal form, by parse_next_link. Else none. */
    struct wire links;
    struct bight_result result;
};

/* Returns 0 or the negative errno of the kernel's random source. */
BIGHT_MUST_CHECK int parsing_init(struct parsing *parsing, struct bight_executor *workers);
void parsing_free(struct parsing *parsing);

/* Parse the page in `fetched`, or wait for the task that does; its body is freed as soon as it
 * is not needed. A cancellation is a failure like others, FAILURE_INTERRUPTED. */
void parsing_run(struct parsing *parsing, struct fetched *fetched, struct parsed *parsed);
void parsed_free(struct parsed *parsed);

#endif
