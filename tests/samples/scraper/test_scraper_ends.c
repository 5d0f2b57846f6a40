/* samples/scraper: a large site, and how a crawl ends: by its limits, by signals, by workers
 * that are killed, by mistakes on the command line. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/samples/scraper/scraper_program.h"
#include "tests/samples/scraper/scraper_site.h"
#include "tests/harness/suite.h"

/* --- a large site ----------------------------------------------------------------------------- */

enum { tree_pages = 300 };

/* Page N links to pages 2N+1 and 2N+2, and has enough text to keep a parser busy. */
static void tree_site(const char *path, int port, int hits, struct site_reply *reply)
{
    char *body = NULL;
    size_t size = 0;
    unsigned number = 0;

    (void)port;
    (void)hits;
    if (strcmp(path, "/") != 0 && sscanf(path, "/p%u", &number) != 1)
        return;
    if (number >= tree_pages)
        return;
    FILE *out = open_memstream(&body, &size);
    if (!out)
        abort();
    (void)fprintf(out, "<title>Page %u</title>", number);
    for (unsigned child = 2 * number + 1; child <= 2 * number + 2 && child < tree_pages; child++)
        (void)fprintf(out, "<a href=/p%u>child</a>", child);
    for (int i = 0; i < 4000; i++)
        (void)fprintf(out, "<p>some <b>words</b> of text &amp; <i>more</i></p>\n");
    if (fclose(out) != 0)
        abort();
    *reply = (struct site_reply){.head = OK_HTML, .body = body, .body_bytes = size, .owned = true};
}

static void run_tree(const char *line, size_t pages)
{
    struct site site;
    struct scraper scraper;
    struct records records;

    site_start(&site, tree_site);
    main_port = site.port;
    scraper_start(&scraper, line);
    scraper_wait(&scraper, 0);
    read_records(&records, scraper.output);
    ck_assert_uint_eq(records.count, pages);
    expect_each_url_once(&records);
    for (size_t i = 0; i < records.count; i++)
        ck_assert_msg(strstr(records.lines[i], "\"title\":\"Page ") != NULL, "%s",
                      records.lines[i]);
    free_records(&records);
    scraper_forget(&scraper);
    site_stop(&site);
}

static void pages_and_depth_are_limited(void)
{
    /* Levels of a binary tree; reaching a limit is no error. */
    run_tree("-d 0 http://127.0.0.1:%m/", 1);
    run_tree("-d 3 -w 1 http://127.0.0.1:%m/", 15);
    run_tree("-n 10 http://127.0.0.1:%m/", 10);
    run_tree("-d 2 -n 100 -c 1 -H 1 http://127.0.0.1:%m/", 7);
}

static void delay_is_between_requests_to_a_host(void)
{
    struct timespec start, end;

    ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &start), 0);
    run_tree("-n 5 --delay 100 http://127.0.0.1:%m/", 5);
    ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &end), 0);
    /* robots.txt and five pages: five delays between them. */
    double seconds =
        (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    ck_assert_double_ge(seconds, 0.5);
}

/* Fill in the process ids of `parent`'s children; returns how many. */
static size_t children_of(pid_t parent, pid_t *pids, size_t room)
{
    char path[64];
    size_t count = 0;
    int pid;

    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    while (count < room && fscanf(file, "%d", &pid) == 1)
        pids[count++] = pid;
    (void)fclose(file);
    return count;
}

/* The workers are the scraper's grandchildren. */
static size_t workers_of(pid_t scraper, pid_t *pids, size_t room)
{
    pid_t zygotes[8];
    size_t zygote_count = children_of(scraper, zygotes, 8);
    size_t count = 0;

    for (size_t i = 0; i < zygote_count; i++)
        count += children_of(zygotes[i], pids + count, room - count);
    return count;
}

static void killed_workers_cost_no_record(void)
{
    struct site site;
    struct scraper scraper;
    struct records records;
    unsigned kills = 0;

    site_start(&site, tree_site);
    main_port = site.port;
    scraper_start(&scraper, "-w 2 http://127.0.0.1:%m/");
    /* A worker for every few pages, for as long as the crawl lasts. */
    for (int seen = 0; scraper_runs(&scraper);) {
        const struct timespec moment = {.tv_nsec = 500000};
        pid_t workers[8];
        (void)nanosleep(&moment, NULL);
        int requests = atomic_load(&site.log->count);
        if (requests < seen + 15)
            continue;
        size_t count = workers_of(scraper.pid, workers, 8);
        if (count && kill(workers[kills % count], SIGKILL) == 0)
            kills++;
        seen = requests;
    }
    scraper_wait(&scraper, 0);
    ck_assert_uint_ge(kills, 5);
    read_records(&records, scraper.output);
    expect_each_url_once(&records);
    ck_assert_uint_eq(records.count, tree_pages);
    free_records(&records);
    scraper_forget(&scraper);
    site_stop(&site);
}

/* --- the end ---------------------------------------------------------------------------------- */

/* A site without an end, half of whose pages never come. */
static void endless_site(const char *path, int port, int hits, struct site_reply *reply)
{
    char *body;
    unsigned number = 0;

    (void)port;
    (void)hits;
    if (strcmp(path, "/robots.txt") == 0)
        return;
    if (sscanf(path, "/stuck%u", &number) == 1) {
        site_reply(reply, NULL, NULL, 0);
        return;
    }
    (void)sscanf(path, "/p%u", &number);
    int size =
        asprintf(&body, "<title>%u</title><a href=/p%u>a</a><a href=/p%u>b</a>%s", number,
                 2 * number + 1, 2 * number + 2, number < 3 ? "<a href=/stuck1>stuck</a>" : "");
    if (size < 0)
        abort();
    *reply = (struct site_reply){
        .head = OK_HTML, .body = body, .body_bytes = (size_t)size, .owned = true, .delay_ms = 5};
}

static void signal_ends_the_crawl_at_once(int round)
{
    struct site site;
    struct scraper scraper;
    struct records records;
    struct timespec start, end;
    const int signum = round == 0 ? SIGINT : SIGTERM;

    site_start(&site, endless_site);
    main_port = site.port;
    scraper_start(&scraper, "--timeout 60 http://127.0.0.1:%m/");
    while (atomic_load(&site.log->count) < 200 && scraper_runs(&scraper)) {
        const struct timespec moment = {.tv_nsec = 1000000};
        (void)nanosleep(&moment, NULL);
    }
    ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &start), 0);
    ck_assert_int_eq(kill(scraper.pid, signum), 0);
    scraper_wait(&scraper, 1);
    ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &end), 0);
    double seconds =
        (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    /* The stuck request would take 60; the rest is what a busy machine may need. */
    ck_assert_double_le(seconds, 10.0);
    read_records(&records, scraper.output);
    expect_each_url_once(&records);
    ck_assert_uint_ge(records.count, 100);
    bool stuck = false;
    for (size_t i = 0; i < records.count; i++)
        stuck = stuck || is_record(records.lines[i],
                                   ERROR("MAIN/stuck1", "MAIN/stuck1", null, "interrupted\"}"));
    ck_assert(stuck);
    ck_assert(scraper_said(&scraper, " pages, "));
    free_records(&records);
    scraper_forget(&scraper);
    site_stop(&site);
}

static void mistake_is_exit_status_2(int i)
{
    static const char *const lines[] = {"", "--nonsense http://h/", "-c 0 http://h/",
                                        "ftp://127.0.0.1/"};
    struct scraper scraper;

    scraper_start(&scraper, lines[i]);
    scraper_wait(&scraper, 2);
    ck_assert(scraper_said(&scraper, "Try 'bight-scrape --help'"));
    scraper_forget(&scraper);
}

static void help_is_exit_status_0(void)
{
    struct scraper scraper;

    scraper_start(&scraper, "--help");
    scraper_wait(&scraper, 0);
    ck_assert(scraper_said(&scraper, "Usage: bight-scrape [options] URL..."));
    scraper_forget(&scraper);
}

static void output_that_fails_is_exit_status_1(void)
{
    struct site site;
    struct scraper scraper;

    site_start(&site, tree_site);
    main_port = site.port;
    scraper_start(&scraper, "-o /dev/full http://127.0.0.1:%m/");
    scraper_wait(&scraper, 1);
    ck_assert(scraper_said(&scraper, "No space left on device"));
    scraper_forget(&scraper);
    scraper_start(&scraper, "-o /nonexistent/file http://127.0.0.1:%m/");
    scraper_wait(&scraper, 1);
    ck_assert(scraper_said(&scraper, "/nonexistent/file: no such file"));
    scraper_forget(&scraper);
    site_stop(&site);
}

static void quiet_says_nothing(void)
{
    struct site site;
    struct scraper scraper;

    site_start(&site, tree_site);
    main_port = site.port;
    scraper_start(&scraper, "-q -d 0 http://127.0.0.1:%m/");
    scraper_wait(&scraper, 0);
    char *said = scraper_words(&scraper);
    ck_assert_str_eq(said, "");
    free(said);
    scraper_forget(&scraper);
    site_stop(&site);
}

static const struct suite_case cases[] = {
    plain_case(pages_and_depth_are_limited),        plain_case(delay_is_between_requests_to_a_host),
    plain_case(killed_workers_cost_no_record),      each_case(signal_ends_the_crawl_at_once, 2),
    each_case(mistake_is_exit_status_2, 4),         plain_case(help_is_exit_status_0),
    plain_case(output_that_fails_is_exit_status_1), plain_case(quiet_says_nothing),
};

test_suite("scraper_ends", cases);
