/* See sites.h. */
#include "samples/scraper/sites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bight/event.h>

#include "samples/scraper/url.h"

/* RFC 9309, 2.3.1.2: at least five. */
static const int redirects_max = 5;

struct site {
    enum { SITE_UNKNOWN, SITE_ASKED, SITE_KNOWN } state;
    /* Set whenever nobody asks. */
    struct bight_event settled;
    /* NULL: everything is allowed. */
    struct robots *robots;
    enum failure failure;
    char error[FETCH_ERROR_BYTES];
};

int sites_init(struct sites *sites, const struct fetcher *fetcher, const char *user_agent)
{
    sites->fetcher = fetcher;
    sites->user_agent = user_agent;
    return table_init(&sites->table);
}

static void drop_site(void *value)
{
    struct site *site = value;

    if (site)
        robots_free(site->robots);
    free(site);
}

void sites_free(struct sites *sites)
{
    table_free(&sites->table, drop_site);
}

/* --- asking ----------------------------------------------------------------------------------- */

/* Read as much of the body as counts. */
static int read_text(struct bight_http_response *response, struct bytes *text)
{
    /* One byte more tells robots_parse that there is more. */
    while (text->size <= ROBOTS_BYTES_MAX) {
        int rc = bytes_reserve(text, (size_t)16 * 1024);
        if (rc)
            return rc;
        int64_t got =
            bight_http_read(response, text->data + text->size, text->capacity - text->size);
        if (got <= 0)
            return (int)got;
        text->size += (size_t)got;
    }
    return 0;
}

/* One attempt; the status to *status and the body of a success to *text. */
static int fetch_text(const struct sites *sites, const char *url, int *status, struct bytes *text,
                      struct bight_http_error *error)
{
    struct bight_http_request request = {
        .max_redirects = redirects_max,
        /* Reading stops where it is long enough, whatever the limit for pages is. */
        .max_body_bytes = UINT64_MAX,
        .error = error,
    };
    struct bight_http_response *response;
    int rc = bight_http_open(&response, sites->fetcher->session, url, &request);
    if (rc)
        return rc;
    *status = bight_http_response_status(response);
    if (*status >= 200 && *status < 300)
        rc = read_text(response, text);
    if (rc)
        *error = *bight_http_response_error(response);
    bight_http_response_free(response);
    return rc;
}

static void unreachable(struct site *site, enum failure failure, const char *text)
{
    site->failure = failure;
    (void)snprintf(site->error, sizeof site->error, "%s%s: %s", failure_name(failure),
                   failure == FAILURE_ROBOTS ? "" : ": robots.txt", text);
}

/* Turn an attempt's outcome into what the RFC says. Returns BIGHT_EAGAIN when another attempt may
 * help, 0 when the site is known, or the code that ends the crawl. */
static int settle(const struct sites *sites, struct site *site, int rc, int status,
                  const struct bytes *text, const struct bight_http_error *error)
{
    enum failure failure = fetch_failure(rc);

    site->failure = FAILURE_NONE;
    if (rc == BIGHT_ECANCELED || rc == BIGHT_ENOMEM)
        return rc;
    if (rc == 0 && status >= 500) {
        char reason[32];
        (void)snprintf(reason, sizeof reason, "HTTP %d", status);
        unreachable(site, FAILURE_ROBOTS, reason);
        return BIGHT_EAGAIN;
    }
    /* A redirect that leads nowhere is as good as no file (2.3.1.2 and 2.3.1.3). */
    if (rc == BIGHT_EREDIRECTS || rc == BIGHT_EFORBIDDEN)
        return 0;
    if (rc) {
        unreachable(site, failure, error->text[0] ? error->text : bight_strerror(rc));
        return fetch_is_transient(failure) ? BIGHT_EAGAIN : 0;
    }
    if (status < 200 || status >= 300)
        return 0;
    return robots_parse(&site->robots, text->data, text->size, sites->user_agent);
}

static int ask(const struct sites *sites, struct site *site, const char *url)
{
    int rc = BIGHT_EAGAIN;

    for (unsigned number = 0; rc == BIGHT_EAGAIN && number <= sites->fetcher->retries; number++) {
        struct bight_http_error error = {0};
        struct bytes text = {0};
        int status = 0;
        rc = number ? fetch_backoff(sites->fetcher, number) : 0;
        if (rc == 0) {
            rc = fetch_text(sites, url, &status, &text, &error);
            rc = settle(sites, site, rc, status, &text, &error);
        }
        bytes_free(&text);
    }
    return rc == BIGHT_EAGAIN ? 0 : rc;
}

static int ask_origin(const struct sites *sites, struct site *site, const char *url)
{
    static const char path[] = "/robots.txt";
    size_t origin = url_origin_bytes(url);
    char *robots_url = malloc(origin + sizeof path);
    if (!robots_url)
        return BIGHT_ENOMEM;
    memcpy(robots_url, url, origin);
    memcpy(robots_url + origin, path, sizeof path);
    int rc = ask(sites, site, robots_url);
    free(robots_url);
    return rc;
}

/* --- the table -------------------------------------------------------------------------------- */

static int site_of(struct sites *sites, const char *url, struct site **out)
{
    struct table_entry *entry;
    bool added;
    int rc = table_put(&sites->table, url, url_origin_bytes(url), &entry, &added);

    if (rc == 0 && !entry->value) {
        struct site *site = calloc(1, sizeof *site);
        if (!site)
            return BIGHT_ENOMEM;
        bight_event_init(&site->settled);
        entry->value = site;
    }
    if (rc == 0)
        *out = entry->value;
    return rc;
}

int sites_ask(struct sites *sites, const char *url, const struct site **out)
{
    struct site *site;
    int rc = site_of(sites, url, &site);

    while (rc == 0 && site->state != SITE_KNOWN) {
        if (site->state == SITE_ASKED) {
            rc = bight_event_wait(&site->settled);
            continue;
        }
        site->state = SITE_ASKED;
        bight_event_clear(&site->settled);
        rc = ask_origin(sites, site, url);
        /* A task that was cancelled while asking leaves it to the next one. */
        site->state = rc ? SITE_UNKNOWN : SITE_KNOWN;
        bight_event_set(&site->settled);
    }
    if (rc == 0)
        *out = site;
    return rc;
}

const struct site *sites_get(const struct sites *sites, const char *url)
{
    const struct site *site = table_get(&sites->table, url, url_origin_bytes(url));
    return site && site->state == SITE_KNOWN ? site : NULL;
}

enum failure site_failure(const struct site *site, const char **text)
{
    *text = site->error;
    return site->failure;
}

bool site_allows(const struct site *site, const char *url)
{
    return site->failure == FAILURE_NONE && robots_allows(site->robots, url);
}
