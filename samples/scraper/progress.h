/* What the user sees of the crawl on standard error: on a terminal one line that is rewritten,
 * elsewhere a plain line now and then, and the summary at the end. Also the counters. */
#ifndef SCRAPER_PROGRESS_H
#define SCRAPER_PROGRESS_H

#include <stdio.h>

#include <bight/base.h>

/* Why pages fail, in the order in which the summary lists them. */
enum failure {
    FAILURE_NONE,
    FAILURE_RESOLVE,
    FAILURE_CONNECT,
    FAILURE_TLS,
    FAILURE_TIMEOUT,
    FAILURE_PROTOCOL,
    FAILURE_TOO_LARGE,
    FAILURE_REDIRECTS,
    FAILURE_FORBIDDEN,
    FAILURE_ROBOTS,
    FAILURE_PARSE,
    FAILURE_INTERRUPTED,
    FAILURE_OTHER,
    FAILURE_KINDS,
};

/* Short, in lower case: begins the `error` of a record. */
const char *failure_name(enum failure kind);

/* A mark is made each half a second at most. */
#define PROGRESS_MARKS 8

struct progress {
    FILE *out;
    bool quiet;
    bool terminal;
    uint64_t start_ns;
    /* When how many pages were done, the last one last: for the rate of the last seconds. */
    struct progress_mark {
        uint64_t ns;
        uint64_t pages;
    } marks[PROGRESS_MARKS];
    size_t mark_count;
    uint64_t pages;
    uint64_t bytes;
    uint64_t disallowed;
    uint64_t failures[FAILURE_KINDS];
    /* Responses by status, from 400 on. */
    uint64_t statuses[200];
};

/* `records` is where the records go: on a terminal they would be written into a line that is
 * rewritten, so there are plain ones then. */
void progress_init(struct progress *progress, FILE *out, FILE *records, bool quiet,
                   uint64_t now_ns);

/* Count a record. `status` is 0 without a response. */
void progress_page(struct progress *progress, int status, int64_t bytes, enum failure failure);

/* How long to wait before the next progress_show. */
int64_t progress_interval_ms(const struct progress *progress);

void progress_show(struct progress *progress, uint64_t now_ns, size_t queued, size_t in_flight);

void progress_summary(struct progress *progress, uint64_t now_ns);

#endif
