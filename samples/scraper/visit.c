/* See visit.h. */
#include "samples/scraper/visit.h"

#include <stdio.h>
#include <string.h>

#include <bight/time.h>

#include "samples/scraper/url.h"

bool visit_allowed_origin(const struct crawl *crawl, const char *url)
{
    return crawl->options->any_host ||
           table_get(&crawl->origins, url, url_origin_bytes(url)) != NULL;
}

/* --- redirects -------------------------------------------------------------------------------- */

/* What both texts and a sentence of ours need fits, whatever the URL's length: it is cut. */
static int refuse(struct refusal *refusal, enum failure failure, const char *why, const char *url)
{
    refusal->failure = failure;
    (void)snprintf(refusal->text, sizeof refusal->text, "%s: %.160s", why, url);
    return BIGHT_EFORBIDDEN;
}

int visit_allow_redirect(void *arg, const char *url, struct refusal *refusal)
{
    struct crawl *crawl = arg;
    const struct site *site;
    const char *text;

    if (!visit_allowed_origin(crawl, url))
        return refuse(refusal, FAILURE_FORBIDDEN, "redirect leaves the start URL's origin", url);
    if (!crawl->options->robots)
        return 0;
    int rc = sites_ask(&crawl->sites, url, &site);
    if (rc)
        return rc;
    if (site_failure(site, &text) != FAILURE_NONE)
        return refuse(refusal, FAILURE_ROBOTS, "redirect to a site without its robots.txt", url);
    if (!site_allows(site, url))
        return refuse(refusal, FAILURE_ROBOTS, "redirect to what robots.txt disallows", url);
    return 0;
}

/* --- links ------------------------------------------------------------------------------------ */

static int follow(struct crawl *crawl, const struct frontier_item *item, struct wire *links)
{
    for (const char *url; (url = parse_next_link(links));) {
        /* The worker is trusted no more than the page is. */
        if (!url_is_plausible(url) || !visit_allowed_origin(crawl, url))
            continue;
        int rc = frontier_add(&crawl->frontier, url, item->depth + 1, false);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* --- records ---------------------------------------------------------------------------------- */

static int write_record(struct crawl *crawl, const struct frontier_item *item,
                        const struct record *record, enum failure failure)
{
    int rc = output_write(crawl->output, record);
    if (rc)
        return rc;
    progress_page(&crawl->progress, record->status, record->bytes, failure);
    if (item->start && (failure != FAILURE_NONE || record->status >= 400))
        crawl->start_failed = true;
    return 0;
}

/* Make the record of what was fetched and, with `parsed`, parsed. */
static int record_visit(struct crawl *crawl, const struct frontier_item *item,
                        const struct fetched *fetched, const struct parsed *parsed, int64_t ms)
{
    bool whole = fetched->failure == FAILURE_NONE;
    enum failure failure = whole && parsed ? parsed->failure : fetched->failure;
    struct record record = {
        .url = item->url,
        .final_url = fetched->final_url ? fetched->final_url : item->url,
        .status = fetched->status,
        .content_type = fetched->content_type,
        .bytes = whole ? (int64_t)fetched->bytes : -1,
        .sha256 = whole ? fetched->sha256 : NULL,
        .ms = ms,
    };

    if (parsed && failure == FAILURE_NONE) {
        record.parsed = true;
        record.title = parsed->facts.has_title ? parsed->facts.title : NULL;
        record.links = parsed->facts.links;
        record.words = parsed->facts.words;
        if (parsed->facts.cut) {
            failure = FAILURE_PARSE;
            record.error = "parse: the page is too complex and was read in part";
        }
    } else if (failure != FAILURE_NONE) {
        record.error = whole ? parsed->error : fetched->error;
    }
    return write_record(crawl, item, &record, failure);
}

int visit_refused(struct crawl *crawl, const struct frontier_item *item, enum failure failure,
                  const char *error)
{
    struct record record = {.url = item->url, .final_url = item->url, .bytes = -1, .error = error};

    return write_record(crawl, item, &record, failure);
}

/* --- the visit -------------------------------------------------------------------------------- */

static int parse_and_record(struct crawl *crawl, const struct frontier_item *item,
                            struct fetched *fetched, int64_t ms)
{
    struct parsed parsed;
    int rc = 0;

    parsing_run(&crawl->parsing, fetched, &parsed);
    /* The links of an error page lead nowhere useful. */
    if (parsed.failure == FAILURE_NONE && fetched->status >= 200 && fetched->status < 300)
        rc = follow(crawl, item, &parsed.links);
    if (rc == 0)
        rc = record_visit(crawl, item, fetched, &parsed, ms);
    parsed_free(&parsed);
    return rc;
}

int visit(struct crawl *crawl, const struct frontier_item *item,
          void (*arrived)(struct crawl *crawl, const struct frontier_item *item))
{
    uint64_t start_ns = bight_now_ns();
    struct fetched fetched;

    fetch_url(&crawl->fetcher, item->url, &fetched);
    int64_t ms = (int64_t)((bight_now_ns() - start_ns) / 1000000);
    arrived(crawl, item);
    int rc = fetched.failure == FAILURE_NONE && fetched.html
                 ? parse_and_record(crawl, item, &fetched, ms)
                 : record_visit(crawl, item, &fetched, NULL, ms);
    fetched_free(&fetched);
    return rc;
}
