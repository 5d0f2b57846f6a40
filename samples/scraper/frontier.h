/* What is to be fetched: every URL once, a queue per origin, and the rules for whose turn it is
 * (how many at a time per origin, how long between them, one depth after another). Knows no
 * network and no clock: the caller says what time it is. */
#ifndef SCRAPER_FRONTIER_H
#define SCRAPER_FRONTIER_H

#include "samples/scraper/table.h"

struct frontier_limits {
    /* Transfers of one origin at a time. */
    unsigned per_host;
    /* Between the starts of two transfers of one origin. */
    uint64_t delay_ns;
    /* The largest depth; negative: none. */
    int64_t depth_max;
    /* An origin's first turn goes to its robots.txt. */
    bool ask_first;
};

struct frontier_host;

/* A URL whose turn has come. */
struct frontier_item {
    /* In normal form; lives as long as the frontier. */
    const char *url;
    unsigned depth;
    /* The user asked for it. */
    bool start;
    struct frontier_host *host;
    struct frontier_item *next;
};

struct frontier_host {
    /* Lives as long as the frontier, as does the host. */
    const char *origin;
    struct frontier_item *first;
    struct frontier_item **last;
    unsigned active;
    uint64_t next_start_ns;
    enum { FRONTIER_NEW, FRONTIER_ASKING, FRONTIER_OPEN } state;
    /* Its place among the hosts that have something to do. */
    struct frontier_host *ring_next;
    struct frontier_host *ring_prev;
};

struct frontier {
    struct frontier_limits limits;
    struct table seen;
    struct table hosts;
    /* The host whose turn is next; NULL: none has anything to do. */
    struct frontier_host *ring;
    /* Items that wait. */
    size_t queued;
    /* The depth that is being worked on, and its items that are not done; kept only with a
     * depth_max. */
    unsigned level;
    size_t level_left;
    size_t next_left;
};

/* Returns 0 or the negative errno of the kernel's random source. */
BIGHT_MUST_CHECK int frontier_init(struct frontier *frontier, const struct frontier_limits *limits);
void frontier_free(struct frontier *frontier);

/* Queue `url` (in normal form) unless it was ever queued before or is too deep.
 * Returns 1: queued; 0: not; BIGHT_ENOMEM. */
BIGHT_MUST_CHECK int frontier_add(struct frontier *frontier, const char *url, unsigned depth,
                                  bool start);

/* What frontier_take found. */
struct frontier_turn {
    /* NULL: nothing can start now. */
    struct frontier_host *host;
    /* NULL with a host: ask for its robots.txt and call frontier_open. Else gives the item, to be
     * ended with frontier_done. Both count as transfers of the host until frontier_transferred. */
    struct frontier_item *item;
    /* When nothing can start: how long until a delay is over; 0: only other calls change
     * anything. */
    uint64_t wait_ns;
};

/* Whose turn is it at `now_ns`? Hosts take turns; URLs of one host come in the order of
 * frontier_add. */
struct frontier_turn frontier_take(struct frontier *frontier, uint64_t now_ns);

/* The URLs of `host` may be taken now. */
void frontier_open(struct frontier *frontier, struct frontier_host *host);

/* A transfer of `host` is over. */
void frontier_transferred(struct frontier *frontier, struct frontier_host *host);

/* Nothing was asked of `host` after all, so its turn costs no delay. Call it instead of
 * frontier_transferred. */
void frontier_passed(struct frontier *frontier, struct frontier_host *host);

/* The item is finished, and its links were added. Takes the item. */
void frontier_done(struct frontier *frontier, struct frontier_item *item);

#endif
