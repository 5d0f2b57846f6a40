/* See frontier.h. The ring holds exactly the hosts that could start something but for the time and
 * the depth, so that a turn does not look at idle ones. */
#include "samples/scraper/frontier.h"

#include <stdlib.h>
#include <string.h>

#include <bight/errors.h>

#include "samples/scraper/url.h"

int frontier_init(struct frontier *frontier, const struct frontier_limits *limits)
{
    *frontier = (struct frontier){.limits = *limits};
    int rc = table_init(&frontier->seen);
    return rc ? rc : table_init(&frontier->hosts);
}

static void drop_host(void *value)
{
    struct frontier_host *host = value;

    while (host && host->first) {
        struct frontier_item *item = host->first;
        host->first = item->next;
        free(item);
    }
    free(host);
}

void frontier_free(struct frontier *frontier)
{
    table_free(&frontier->hosts, drop_host);
    table_free(&frontier->seen, NULL);
}

/* --- the ring --------------------------------------------------------------------------------- */

static void ring_insert(struct frontier *frontier, struct frontier_host *host)
{
    struct frontier_host *turn = frontier->ring;

    if (!turn) {
        frontier->ring = host->ring_next = host->ring_prev = host;
        return;
    }
    host->ring_next = turn;
    host->ring_prev = turn->ring_prev;
    host->ring_prev->ring_next = host;
    turn->ring_prev = host;
}

static void ring_remove(struct frontier *frontier, struct frontier_host *host)
{
    if (frontier->ring == host)
        frontier->ring = host->ring_next == host ? NULL : host->ring_next;
    host->ring_next->ring_prev = host->ring_prev;
    host->ring_prev->ring_next = host->ring_next;
    host->ring_next = host->ring_prev = NULL;
}

/* Put `host` into the ring or take it out, as its state asks for. */
static void update(struct frontier *frontier, struct frontier_host *host)
{
    bool wanted =
        host->first && host->active < frontier->limits.per_host && host->state != FRONTIER_ASKING;

    if (wanted && !host->ring_next)
        ring_insert(frontier, host);
    else if (!wanted && host->ring_next)
        ring_remove(frontier, host);
}

/* --- adding ----------------------------------------------------------------------------------- */

static int host_of(struct frontier *frontier, const char *url, struct frontier_host **out)
{
    struct table_entry *entry;
    bool added;
    int rc = table_put(&frontier->hosts, url, url_origin_bytes(url), &entry, &added);

    if (rc == 0 && !entry->value) {
        struct frontier_host *host = calloc(1, sizeof *host);
        if (!host)
            return BIGHT_ENOMEM;
        host->origin = entry->key;
        host->last = &host->first;
        host->state = frontier->limits.ask_first ? FRONTIER_NEW : FRONTIER_OPEN;
        entry->value = host;
    }
    if (rc == 0)
        *out = entry->value;
    return rc;
}

static bool by_level(const struct frontier *frontier)
{
    return frontier->limits.depth_max >= 0;
}

static void append(struct frontier *frontier, struct frontier_host *host,
                   struct frontier_item *item)
{
    *host->last = item;
    host->last = &item->next;
    frontier->queued++;
    if (by_level(frontier) && item->depth > frontier->level)
        frontier->next_left++;
    else
        frontier->level_left++;
    update(frontier, host);
}

int frontier_add(struct frontier *frontier, const char *url, unsigned depth, bool start)
{
    struct table_entry *entry;
    struct frontier_host *host;
    bool added;

    if (by_level(frontier) && depth > frontier->limits.depth_max)
        return 0;
    int rc = table_put(&frontier->seen, url, strlen(url), &entry, &added);
    if (rc || !added)
        return rc;
    rc = host_of(frontier, url, &host);
    if (rc)
        return rc;
    struct frontier_item *item = malloc(sizeof *item);
    if (!item)
        return BIGHT_ENOMEM;
    *item = (struct frontier_item){.url = entry->key, .depth = depth, .start = start, .host = host};
    append(frontier, host, item);
    return 1;
}

/* --- taking ----------------------------------------------------------------------------------- */

/* Whether the host can start something at `now_ns`; lowers *wait_ns to its delay. */
static bool is_ready(const struct frontier *frontier, const struct frontier_host *host,
                     uint64_t now_ns, uint64_t *wait_ns)
{
    /* A page's depth is its distance from the start only if no deeper page was asked before it. */
    if (by_level(frontier) && host->first->depth > frontier->level)
        return false;
    if (now_ns >= host->next_start_ns)
        return true;
    uint64_t wait = host->next_start_ns - now_ns;
    if (*wait_ns == 0 || wait < *wait_ns)
        *wait_ns = wait;
    return false;
}

static struct frontier_item *pop(struct frontier *frontier, struct frontier_host *host)
{
    struct frontier_item *item = host->first;

    host->first = item->next;
    if (!host->first)
        host->last = &host->first;
    item->next = NULL;
    frontier->queued--;
    return item;
}

static struct frontier_turn give(struct frontier *frontier, struct frontier_host *host,
                                 uint64_t now_ns)
{
    struct frontier_turn turn = {.host = host};

    frontier->ring = host->ring_next;
    host->active++;
    host->next_start_ns = now_ns + frontier->limits.delay_ns;
    if (host->state == FRONTIER_NEW)
        host->state = FRONTIER_ASKING;
    else
        turn.item = pop(frontier, host);
    update(frontier, host);
    return turn;
}

struct frontier_turn frontier_take(struct frontier *frontier, uint64_t now_ns)
{
    struct frontier_turn nothing = {0};
    struct frontier_host *host = frontier->ring;

    if (!host)
        return nothing;
    do {
        if (is_ready(frontier, host, now_ns, &nothing.wait_ns))
            return give(frontier, host, now_ns);
        host = host->ring_next;
    } while (host != frontier->ring);
    return nothing;
}

void frontier_open(struct frontier *frontier, struct frontier_host *host)
{
    host->state = FRONTIER_OPEN;
    update(frontier, host);
}

void frontier_transferred(struct frontier *frontier, struct frontier_host *host)
{
    host->active--;
    update(frontier, host);
}

void frontier_passed(struct frontier *frontier, struct frontier_host *host)
{
    /* The delay before this turn was over, and no delay follows it. */
    host->next_start_ns = 0;
    frontier_transferred(frontier, host);
}

void frontier_done(struct frontier *frontier, struct frontier_item *item)
{
    free(item);
    if (--frontier->level_left == 0 && frontier->next_left) {
        frontier->level++;
        frontier->level_left = frontier->next_left;
        frontier->next_left = 0;
    }
}
