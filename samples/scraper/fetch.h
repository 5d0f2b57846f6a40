/* One URL, from the request to the last byte of the answer: redirects, limits, further attempts. */
#ifndef SCRAPER_FETCH_H
#define SCRAPER_FETCH_H

#include <bight/http.h>

#include "samples/scraper/bytes.h"
#include "samples/scraper/digest.h"
#include "samples/scraper/progress.h"

#define FETCH_ERROR_BYTES 256

/* Why a redirect may not be followed. */
struct refusal {
    enum failure failure;
    /* Leaves room for the failure's name before it. */
    char text[FETCH_ERROR_BYTES - 32];
};

struct fetcher {
    struct bight_http_session *session;
    /* Attempts after the first one, and the least time between two of them. */
    unsigned retries;
    int64_t delay_ms;
    /* Asked before a redirect to `url`, in normal form, is followed: 0, or negative with *refusal
     * filled in. May suspend. */
    int (*allow)(void *arg, const char *url, struct refusal *refusal);
    void *arg;
};

struct fetched {
    /* FAILURE_NONE: an answer arrived whole, whatever its status. */
    enum failure failure;
    /* "" without a failure. */
    char error[FETCH_ERROR_BYTES];
    /* Of the last response; 0: there was none. */
    int status;
    /* NULL: none. */
    char *content_type;
    /* In normal form; NULL only for want of memory, which is a failure. */
    char *final_url;
    bool html;
    /* An HTML page as parse_request makes it for the parser: after the first `head_bytes` the body,
     * which other types have not, as it is counted and hashed, not kept. */
    struct bytes request;
    size_t head_bytes;
    /* Decoded bytes that arrived. */
    uint64_t bytes;
    char sha256[DIGEST_HEX_BYTES];
};

/* Fetch `url` into *fetched, which is written in any case and freed with fetched_free. A
 * cancellation is a failure like others, FAILURE_INTERRUPTED. */
void fetch_url(const struct fetcher *fetcher, const char *url, struct fetched *fetched);
void fetched_free(struct fetched *fetched);

/* Sleep before attempt number `attempt` (the second is 1). Returns 0 or BIGHT_ECANCELED. */
BIGHT_MUST_CHECK int fetch_backoff(const struct fetcher *fetcher, unsigned attempt);

/* The failure that a code of the HTTP client stands for, and whether another attempt may help. */
enum failure fetch_failure(int code);
bool fetch_is_transient(enum failure failure);

#endif
