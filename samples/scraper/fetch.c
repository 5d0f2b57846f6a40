/* See fetch.h. */
#include "samples/scraper/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bight/time.h>

#include "samples/scraper/charset.h"
#include "samples/scraper/parse.h"
#include "samples/scraper/url.h"

/* How much is read at a time; a page of usual size is one or two of these. */
static const size_t read_bytes = (size_t)32 * 1024;
/* How much memory a page's word for its size gets it in advance. */
static const size_t announced_max = (size_t)512 * 1024;

static const int64_t backoff_first_ms = 250;
static const int64_t backoff_max_ms = 10000;

/* One attempt. */
struct attempt {
    const struct fetcher *fetcher;
    struct fetched *fetched;
    struct bight_http_error error;
    struct refusal refusal;
    struct digest *digest;
};

/* --- failures --------------------------------------------------------------------------------- */

enum failure fetch_failure(int code)
{
    switch (code) {
    case 0:
        return FAILURE_NONE;
    case BIGHT_ERESOLVE:
        return FAILURE_RESOLVE;
    case BIGHT_ECONNECT:
        return FAILURE_CONNECT;
    case BIGHT_ETLS:
        return FAILURE_TLS;
    case BIGHT_ETIMEDOUT:
        return FAILURE_TIMEOUT;
    case BIGHT_EPROTOCOL:
        return FAILURE_PROTOCOL;
    case BIGHT_ETOOBIG:
        return FAILURE_TOO_LARGE;
    case BIGHT_EREDIRECTS:
        return FAILURE_REDIRECTS;
    case BIGHT_EFORBIDDEN:
        return FAILURE_FORBIDDEN;
    case BIGHT_ECANCELED:
    case BIGHT_ECLOSED:
        return FAILURE_INTERRUPTED;
    default:
        return FAILURE_OTHER;
    }
}

bool fetch_is_transient(enum failure failure)
{
    return failure == FAILURE_RESOLVE || failure == FAILURE_CONNECT || failure == FAILURE_TLS ||
           failure == FAILURE_TIMEOUT || failure == FAILURE_PROTOCOL;
}

static void fail(struct fetched *fetched, enum failure failure, const char *text)
{
    const char *name = failure_name(failure);
    bool more = text[0] && strcmp(text, name) != 0;

    fetched->failure = failure;
    (void)snprintf(fetched->error, sizeof fetched->error, "%s%s%s", name, more ? ": " : "",
                   more ? text : "");
}

/* Record why the attempt failed with `code`; `error` is what the client said about it. */
static void fail_with(struct attempt *attempt, int code, const struct bight_http_error *error)
{
    struct fetched *fetched = attempt->fetched;
    enum failure failure = fetch_failure(code);

    if (attempt->refusal.failure != FAILURE_NONE)
        fail(fetched, attempt->refusal.failure, attempt->refusal.text);
    else if (failure == FAILURE_INTERRUPTED)
        fail(fetched, failure, "");
    else
        fail(fetched, failure, error->code && error->text[0] ? error->text : bight_strerror(code));
}

/* --- redirects -------------------------------------------------------------------------------- */

static int on_redirect(void *arg, const struct bight_http_hop *hop)
{
    struct attempt *attempt = arg;
    struct fetched *fetched = attempt->fetched;
    char *url;

    fetched->status = hop->status;
    int rc = url_normalise(hop->to, &url);
    if (rc) {
        attempt->refusal.failure = FAILURE_FORBIDDEN;
        (void)snprintf(attempt->refusal.text, sizeof attempt->refusal.text,
                       "redirect to what is no URL of http or https");
        return rc;
    }
    rc = attempt->fetcher->allow(attempt->fetcher->arg, url, &attempt->refusal);
    if (rc) {
        free(url);
        return rc;
    }
    free(fetched->final_url);
    fetched->final_url = url;
    return 0;
}

/* --- the body --------------------------------------------------------------------------------- */

static int take_headers(struct fetched *fetched, const struct bight_http_response *response)
{
    const char *type = bight_http_response_header(response, "content-type");

    fetched->status = bight_http_response_status(response);
    fetched->html = !type || content_type_is_html(type);
    fetched->content_type = type ? strdup(type) : NULL;
    return type && !fetched->content_type ? BIGHT_ENOMEM : 0;
}

/* Begin the request to the parser, with room for the body when its size is announced. */
static int begin_request(struct fetched *fetched, const struct bight_http_response *response)
{
    const char *announced = bight_http_response_header(response, "content-length");
    unsigned long long bytes = announced && fetched->html ? strtoull(announced, NULL, 10) : 0;
    int rc = bytes_reserve(&fetched->request, bytes < announced_max ? (size_t)bytes : 0);

    if (rc == 0)
        rc = parse_request(&fetched->request, fetched->final_url,
                           fetched->content_type ? fetched->content_type : "", "", 0);
    fetched->head_bytes = fetched->request.size;
    return rc;
}

static int take_body(struct attempt *attempt, struct bight_http_response *response)
{
    struct fetched *fetched = attempt->fetched;
    struct bytes *body = &fetched->request;

    for (;;) {
        int rc = bytes_reserve(body, read_bytes);
        if (rc)
            return rc;
        char *at = body->data + body->size;
        int64_t got = bight_http_read(response, at, body->capacity - body->size);
        if (got <= 0)
            return (int)got;
        rc = digest_update(attempt->digest, at, (size_t)got);
        if (rc)
            return rc;
        fetched->bytes += (uint64_t)got;
        if (fetched->html)
            body->size += (size_t)got;
    }
}

static int take_response(struct attempt *attempt, struct bight_http_response *response)
{
    struct fetched *fetched = attempt->fetched;
    int rc = take_headers(fetched, response);

    if (rc == 0)
        rc = begin_request(fetched, response);
    if (rc == 0)
        rc = digest_new(&attempt->digest);
    if (rc)
        return rc;
    rc = take_body(attempt, response);
    if (rc == 0)
        rc = digest_hex(attempt->digest, fetched->sha256);
    digest_free(attempt->digest);
    if (rc == 0 && !fetched->content_type)
        fetched->html = body_looks_like_html(fetched->request.data + fetched->head_bytes,
                                             fetched->request.size - fetched->head_bytes);
    return rc;
}

/* --- attempts --------------------------------------------------------------------------------- */

static void begin(struct fetched *fetched, const char *url)
{
    *fetched = (struct fetched){.final_url = strdup(url)};
}

static void try_once(struct attempt *attempt, const char *url)
{
    struct bight_http_request request = {
        .on_redirect = on_redirect,
        .on_redirect_arg = attempt,
        .error = &attempt->error,
    };
    struct bight_http_response *response;

    begin(attempt->fetched, url);
    if (!attempt->fetched->final_url) {
        fail(attempt->fetched, FAILURE_OTHER, bight_strerror(BIGHT_ENOMEM));
        return;
    }
    int rc = bight_http_open(&response, attempt->fetcher->session, url, &request);
    if (rc) {
        fail_with(attempt, rc, &attempt->error);
        return;
    }
    rc = take_response(attempt, response);
    if (rc)
        fail_with(attempt, rc, bight_http_response_error(response));
    bight_http_response_free(response);
}

int fetch_backoff(const struct fetcher *fetcher, unsigned attempt)
{
    int64_t wait_ms = backoff_first_ms;

    while (attempt-- > 1 && wait_ms < backoff_max_ms)
        wait_ms *= 2;
    /* Up to half as much again, so that requests that failed together do not come back together. */
    wait_ms += (int64_t)(bight_now_ns() / 1000 % (uint64_t)(wait_ms / 2));
    return bight_sleep(wait_ms > fetcher->delay_ms ? wait_ms : fetcher->delay_ms);
}

void fetch_url(const struct fetcher *fetcher, const char *url, struct fetched *fetched)
{
    for (unsigned number = 0;; number++) {
        struct attempt attempt = {.fetcher = fetcher, .fetched = fetched};
        try_once(&attempt, url);
        bool again = fetch_is_transient(fetched->failure) ||
                     (fetched->failure == FAILURE_NONE && fetched->status >= 500);
        /* A backoff that is cancelled leaves the result of the attempt before it. */
        if (!again || number >= fetcher->retries || fetch_backoff(fetcher, number + 1) != 0)
            return;
        fetched_free(fetched);
    }
}

void fetched_free(struct fetched *fetched)
{
    free(fetched->content_type);
    free(fetched->final_url);
    bytes_free(&fetched->request);
    fetched->content_type = fetched->final_url = NULL;
}
