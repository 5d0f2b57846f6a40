/* The parse of a page as bytes in and bytes out, as a worker process does it; see job.c for how it
 * becomes a job. */
#ifndef SCRAPER_PARSE_H
#define SCRAPER_PARSE_H

#include "samples/scraper/bytes.h"
#include "samples/scraper/page.h"
#include "samples/scraper/wire.h"

/* What the links that come back may take, so that a page of short links under a long base does not
 * become a flood; beyond it they are counted but not followed. */
#define PARSE_LINK_BYTES_MAX ((size_t)48 * 1024 * 1024)

/* What a page's record says about its text. */
struct page_facts {
    bool has_title;
    /* The parse stopped early, or there were more links than can be returned. */
    bool cut;
    uint64_t links;
    uint64_t words;
    const char *title;
};

/* Put a page at `url` into `out`, for parse_run; more of its body may be appended. Returns 0,
 * BIGHT_ENOMEM or BIGHT_ETOOBIG. */
BIGHT_MUST_CHECK int parse_request(struct bytes *out, const char *url, const char *content_type,
                                   const char *body, size_t size);

/* Parse what parse_request made and put facts and links into `out`. Returns 0, BIGHT_EINVAL for an
 * invalid request, BIGHT_ENOMEM, or BIGHT_EIO. */
BIGHT_MUST_CHECK int parse_run(struct bytes *out, const void *request, size_t size,
                               const struct page_stop *stop);

/* Read what parse_run made. *facts points into the reply; `links` then gives the links, in normal
 * form and each once, with parse_next_link. Returns 0 or BIGHT_EINVAL. */
BIGHT_MUST_CHECK int parse_reply(struct page_facts *facts, struct wire *links, const void *reply,
                                 size_t size);

/* The next link, or NULL after the last one. */
const char *parse_next_link(struct wire *links);

#endif
