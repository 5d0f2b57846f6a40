/* See crawl.h. A dispatcher starts a task for each page whose turn it is; the tasks do the rest.
 * What they share is plain memory: tasks of one runtime do not run at the same time, and hand
 * over only where they wait. */
#include "samples/scraper/crawl.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bight/runtime.h>
#include <bight/signal.h>
#include <bight/time.h>
#include <bight/workers.h>

#include "samples/scraper/job.h"
#include "samples/scraper/url.h"
#include "samples/scraper/visit.h"

/* A job that runs when the crawl is cut short is asked to stop, and killed after twice this. */
static const int64_t grace_ms = 150;

static const size_t payload_default = (size_t)64 << 20;
static const size_t payload_max = (size_t)1 << 30;

/* --- tasks ------------------------------------------------------------------------------------ */

/* What a task is started with. */
struct errand {
    struct crawl *crawl;
    struct frontier_host *host;
    /* NULL: the host's robots.txt is to be asked for. */
    struct frontier_item *item;
};

static void transfer_over(struct crawl *crawl, struct frontier_host *host)
{
    crawl->transfers--;
    frontier_transferred(&crawl->frontier, host);
    bight_event_set(&crawl->changed);
}

static void page_arrived(struct crawl *crawl, const struct frontier_item *item)
{
    transfer_over(crawl, item->host);
}

/* Also called for a task that was cancelled before it began: its URL was never asked for. */
static void end_errand(void *arg)
{
    struct errand *errand = arg;
    struct crawl *crawl = errand->crawl;

    if (errand->item)
        frontier_done(&crawl->frontier, errand->item);
    crawl->tasks--;
    bight_event_set(&crawl->changed);
    free(errand);
}

static void drop_errand(void *arg)
{
    struct errand *errand = arg;

    transfer_over(errand->crawl, errand->host);
    end_errand(errand);
}

static int run_page(void *arg)
{
    struct errand *errand = arg;
    int rc = visit(errand->crawl, errand->item, page_arrived);

    end_errand(errand);
    return rc;
}

static int run_robots(void *arg)
{
    struct errand *errand = arg;
    struct crawl *crawl = errand->crawl;
    const struct site *site;
    /* Any URL of the origin will do; the path is replaced. */
    int rc = sites_ask(&crawl->sites, errand->host->origin, &site);

    transfer_over(crawl, errand->host);
    if (rc == 0)
        frontier_open(&crawl->frontier, errand->host);
    end_errand(errand);
    return rc;
}

/* End a turn that no task was started for. */
static void pass_over(struct crawl *crawl, const struct frontier_turn *turn)
{
    frontier_passed(&crawl->frontier, turn->host);
    if (turn->item)
        frontier_done(&crawl->frontier, turn->item);
}

/* Takes the turn's item, also when it fails. */
static int start_task(struct crawl *crawl, const struct frontier_turn *turn)
{
    struct bight_spawn_options options = {.name = turn->item ? "page" : "robots.txt",
                                          .drop = drop_errand};
    struct errand *errand = malloc(sizeof *errand);
    if (!errand) {
        pass_over(crawl, turn);
        return BIGHT_ENOMEM;
    }
    *errand = (struct errand){.crawl = crawl, .host = turn->host, .item = turn->item};
    int rc = bight_group_spawn(NULL, &crawl->pages, &options, turn->item ? run_page : run_robots,
                               errand);
    if (rc) {
        pass_over(crawl, turn);
        free(errand);
        return rc;
    }
    crawl->transfers++;
    crawl->tasks++;
    return 0;
}

/* --- whose turn it is ------------------------------------------------------------------------- */

/* Whether the item may be asked for; if not, it is finished here. Returns 1, 0, or a negative
 * code. */
static int robots_let(struct crawl *crawl, const struct frontier_turn *turn)
{
    const struct frontier_item *item = turn->item;
    const struct site *site = sites_get(&crawl->sites, item->url);
    const char *text = "";
    int rc = 0;

    if (!crawl->options->robots || (site && site_allows(site, item->url)))
        return 1;
    enum failure failure = site ? site_failure(site, &text) : FAILURE_OTHER;
    if (failure != FAILURE_NONE) {
        /* Somebody tried in vain to reach the site for this URL: the record says so. */
        crawl->started++;
        rc = visit_refused(crawl, item, failure, text);
    } else if (item->start) {
        crawl->started++;
        rc = visit_refused(crawl, item, FAILURE_ROBOTS, "robots.txt: disallowed");
    } else {
        crawl->progress.disallowed++;
    }
    pass_over(crawl, turn);
    return rc;
}

static bool is_full(const struct crawl *crawl)
{
    const struct options *options = crawl->options;

    return crawl->transfers >= options->transfers ||
           crawl->tasks - crawl->transfers >= crawl->backlog_max ||
           (options->pages_max >= 0 && crawl->started >= (uint64_t)options->pages_max);
}

/* Start all that may start now. *wait_ns is how long until a delay is over, 0 for none. */
static int start_tasks(struct crawl *crawl, uint64_t *wait_ns)
{
    *wait_ns = 0;
    while (!is_full(crawl)) {
        struct frontier_turn turn = frontier_take(&crawl->frontier, bight_now_ns());
        *wait_ns = turn.wait_ns;
        if (!turn.host)
            return 0;
        int rc = turn.item ? robots_let(crawl, &turn) : 1;
        if (rc > 0) {
            rc = start_task(crawl, &turn);
            crawl->started += rc == 0 && turn.item;
        }
        if (rc)
            return rc;
    }
    return 0;
}

static int wait_changed(void *arg)
{
    struct crawl *crawl = arg;
    return bight_event_wait(&crawl->changed);
}

/* Start tasks until nothing is left that could lead to another one. */
static int dispatch(struct crawl *crawl)
{
    for (;;) {
        uint64_t wait_ns;
        bight_event_clear(&crawl->changed);
        int rc = start_tasks(crawl, &wait_ns);
        if (rc)
            return rc;
        if (crawl->tasks == 0 && wait_ns == 0)
            return 0;
        int64_t wait_ms = wait_ns ? (int64_t)((wait_ns + 999999) / 1000000) : -1;
        rc = bight_timeout(wait_ms, wait_changed, crawl);
        if (rc && rc != BIGHT_ETIMEDOUT)
            return rc;
    }
}

/* --- helpers that run beside ------------------------------------------------------------------ */

static int show_progress(void *arg)
{
    struct crawl *crawl = arg;

    for (;;) {
        int rc = bight_sleep(progress_interval_ms(&crawl->progress));
        if (rc)
            return rc;
        progress_show(&crawl->progress, bight_now_ns(), crawl->frontier.queued, crawl->transfers);
    }
}

/* Cut the crawl short at the signal. Whoever sends it twice gets its default action. */
static int watch_signal(struct crawl *crawl, int signum)
{
    struct bight_signal *signal;
    int rc = bight_signal_open(&signal, signum);
    if (rc)
        return rc;
    rc = bight_signal_wait(signal);
    bight_signal_end(signal);
    if (rc < 0)
        return rc;
    crawl->signum = signum;
    if (crawl->pages_open)
        bight_scope_cancel(&crawl->pages.scope);
    return 0;
}

static int watch_interrupt(void *arg)
{
    return watch_signal(arg, SIGINT);
}

static int watch_terminate(void *arg)
{
    return watch_signal(arg, SIGTERM);
}

static int start_helpers(struct crawl *crawl, struct bight_group *helpers)
{
    static const struct {
        const char *name;
        int (*fn)(void *arg);
    } tasks[] = {
        {"SIGINT", watch_interrupt}, {"SIGTERM", watch_terminate}, {"progress", show_progress}};

    for (size_t i = 0; i < sizeof tasks / sizeof tasks[0]; i++) {
        struct bight_spawn_options options = {.name = tasks[i].name};
        int rc = bight_group_spawn(NULL, helpers, &options, tasks[i].fn, crawl);
        if (rc)
            return rc;
    }
    return 0;
}

static int crawl_pages(struct crawl *crawl)
{
    int rc = bight_group_begin(&crawl->pages, 0);
    if (rc)
        return rc;
    crawl->pages_open = true;
    rc = bight_group_end(&crawl->pages, dispatch(crawl));
    crawl->pages_open = false;
    return rc ? rc : crawl->signum ? BIGHT_ECANCELED : 0;
}

static int crawl_beside_helpers(struct crawl *crawl)
{
    struct bight_group helpers;
    int rc = bight_group_begin(&helpers, 0);
    if (rc)
        return rc;
    rc = start_helpers(crawl, &helpers);
    if (rc == 0)
        rc = crawl_pages(crawl);
    bight_scope_cancel(&helpers.scope);
    int end = bight_group_end(&helpers, 0);
    return rc ? rc : end;
}

/* --- beginning and end ------------------------------------------------------------------------ */

static int open_workers(struct bight_executor **out, const struct options *options)
{
    /* A page with its URL and content type. */
    uint64_t page = options->body_bytes_max + ((uint64_t)64 << 10);
    struct bight_workers_options workers = {
        .workers = options->workers,
        .init = &prepare_parser_job,
        .queue_max = (size_t)options->transfers + payload_default / 1024,
        .payload_max_bytes = page > payload_max       ? payload_max
                             : page > payload_default ? (size_t)page
                                                      : payload_default,
        .cancel = BIGHT_EXECUTOR_CANCEL_INTERRUPT,
        .grace_ms = grace_ms,
    };

    return bight_workers_new(out, &workers);
}

static int open_session(struct bight_http_session **out, const struct options *options)
{
    struct bight_http_session_options session = {
        .max_total = (int)options->transfers,
        .max_per_host = (int)options->per_host,
        .user_agent = options->user_agent,
        /* A page that drips is bounded by the total. */
        .idle_timeout_ms = -1,
        .total_timeout_ms = options->timeout_ms,
        .max_body_bytes = options->body_bytes_max,
    };

    return bight_http_session_new(out, &session);
}

/* Queue the start URLs and let links lead to their origins. */
static int add_start(struct crawl *crawl)
{
    for (size_t i = 0; i < crawl->options->url_count; i++) {
        const char *url = crawl->options->urls[i];
        struct table_entry *entry;
        bool added;
        int rc = table_put(&crawl->origins, url, url_origin_bytes(url), &entry, &added);
        if (rc)
            return rc;
        entry->value = crawl;
        rc = frontier_add(&crawl->frontier, url, 0, true);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int init(struct crawl *crawl)
{
    const struct options *options = crawl->options;
    struct frontier_limits limits = {
        .per_host = options->per_host,
        .delay_ns = (uint64_t)options->delay_ms * 1000000,
        .depth_max = options->depth_max,
        .ask_first = options->robots,
    };
    struct bight_executor_stats workers;
    int rc = bight_executor_get_stats(crawl->parsing.workers, &workers);

    /* Enough that no worker waits for the network, and a bound to what is in memory. */
    crawl->backlog_max = 4 * workers.workers;
    bight_event_init(&crawl->changed);
    if (rc == 0)
        rc = table_init(&crawl->origins);
    if (rc == 0)
        rc = frontier_init(&crawl->frontier, &limits);
    if (rc == 0)
        rc = sites_init(&crawl->sites, &crawl->fetcher, options->user_agent);
    if (rc == 0)
        rc = parsing_init(&crawl->parsing, crawl->parsing.workers);
    return rc ? rc : add_start(crawl);
}

static void destroy(struct crawl *crawl)
{
    parsing_free(&crawl->parsing);
    sites_free(&crawl->sites);
    frontier_free(&crawl->frontier);
    table_free(&crawl->origins, NULL);
}

static int with_session(struct crawl *crawl)
{
    crawl->fetcher = (struct fetcher){
        .retries = crawl->options->retries,
        .delay_ms = crawl->options->delay_ms,
        .allow = visit_allow_redirect,
        .arg = crawl,
    };
    int rc = open_session(&crawl->fetcher.session, crawl->options);
    if (rc)
        return rc;
    rc = init(crawl);
    if (rc == 0)
        rc = crawl_beside_helpers(crawl);
    destroy(crawl);
    int closed = bight_http_session_end(crawl->fetcher.session);
    return rc ? rc : closed;
}

int crawl_run(struct crawl *crawl, const struct options *options, struct output *output)
{
    *crawl = (struct crawl){.options = options, .output = output};
    progress_init(&crawl->progress, stderr, output->file, options->quiet, bight_now_ns());
    int rc = open_workers(&crawl->parsing.workers, options);
    if (rc)
        return rc;
    rc = with_session(crawl);
    progress_summary(&crawl->progress, bight_now_ns());
    int closed = bight_executor_end(crawl->parsing.workers);
    return rc ? rc : closed;
}
