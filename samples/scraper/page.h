/* What the crawl wants to know about an HTML page: title, links, words. Runs in worker processes,
 * on whatever the network sent; memory is bounded by a small multiple of the page's size. */
#ifndef SCRAPER_PAGE_H
#define SCRAPER_PAGE_H

#include "samples/scraper/bytes.h"

/* Longer titles are cut, at a character. */
#define PAGE_TITLE_BYTES_MAX ((size_t)4096)
/* Elements open at a time. Browsers stop at 512; beyond this, a page is an attack on the parser. */
#define PAGE_DEPTH_MAX 10000

struct page {
    /* The first <title>, white space collapsed, as UTF-8. */
    bool has_title;
    struct bytes title;
    /* The first <base href>, as written. */
    bool has_base;
    struct bytes base;
    /* The hrefs of all <a>, as written, in order: `links` strings, each with its NUL. */
    uint64_t links;
    struct bytes hrefs;
    /* Runs of non-space in the text outside of script and style. */
    uint64_t words;
    /* The page was too deep, or `stop` said so: what came after is missing. */
    bool cut;
};

/* When to give up; asked every few KiB. */
struct page_stop {
    bool (*stop)(void *arg);
    void *arg;
};

/* Parse `body` in `charset` (see charset.h) into *page, which is written in any case and freed with
 * page_free. `stop` may be NULL. Returns 0, BIGHT_ENOMEM, or BIGHT_EIO when libxml2 gives up. */
BIGHT_MUST_CHECK int page_parse(struct page *page, const char *body, size_t size,
                                const char *charset, const struct page_stop *stop);
void page_free(struct page *page);

#endif
