/* samples/scraper: whole crawls, their limits and their ends, with real processes. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/scraper_program.h"
#include "tests/scraper_site.h"
#include "tests/support.h"

/* --- other origins ------------------------------------------------------------------------------ */

static const char other_page[] = "<title>Other</title><a href=/more>more</a><a href=/no>no</a>";

/* It has rules of its own. */
static void other_site(const char *path, int port, int hits, struct site_reply *reply)
{
    static const char rules[] = "User-agent: *\nDisallow: /no\n";

    (void)port;
    (void)hits;
    if (strcmp(path, "/robots.txt") == 0)
        site_reply(reply, OK_TYPE("text/plain"), rules, sizeof rules - 1);
    else if (strcmp(path, "/") == 0 || strcmp(path, "/more") == 0 || strcmp(path, "/no") == 0)
        site_reply(reply, OK_HTML, other_page, sizeof other_page - 1);
}

/* The main site links to the other one and to dead hosts. */
static void main_site(const char *path, int port, int hits, struct site_reply *reply)
{
    char *body;
    int size;

    (void)port;
    (void)hits;
    if (strcmp(path, "/robots.txt") == 0)
        return;
    if (strcmp(path, "/") == 0)
        size =
            asprintf(&body,
                     "<title>Hub</title><a href=http://127.0.0.1:%d/>other</a>"
                     "<a href=http://127.0.0.1:%d/a>refuses</a>"
                     "<a href=http://127.0.0.1:%d/b>refuses</a>"
                     "<a href=http://127.0.0.1:%d/>silent</a><a href=/go>go</a><a href=/hide>h</a>",
                     other_port, refusing_port, refusing_port, silent_port);
    else
        size = asprintf(&body, "302 Found\r\nLocation: http://127.0.0.1:%d/%s", other_port,
                        strcmp(path, "/go") == 0 ? "more" : "no");
    if (size < 0)
        abort();
    if (strcmp(path, "/") == 0) {
        site_reply(reply, OK_HTML, body, (size_t)size);
        reply->owned = true;
    } else {
        site_reply(reply, body, "", 0); /* a few bytes per redirect go with the process */
    }
}

static const char *const many_hosts_records[] = {
    "{\"url\":\"http://MAIN/\",...",
    PAGE("MAIN/go", "OTHER/more", 200, "text/html", 60, "\"Other\"", 2, 2),
    ERROR("MAIN/hide", "MAIN/hide", 302, "robots.txt: redirect to what robots.txt disallows: ..."),
    HTML("OTHER/", 60, "Other", 2, 2),
    HTML("OTHER/more", 60, "Other", 2, 2),
    ERROR("REFUSING/a", "REFUSING/a", null, "connect: robots.txt: ..."),
    ERROR("REFUSING/b", "REFUSING/b", null, "connect: robots.txt: ..."),
    ERROR("SILENT/", "SILENT/", null, "timeout: robots.txt: ..."),
};

static const char *const many_hosts_rude[] = {
    "{\"url\":\"http://MAIN/\",...",
    PAGE("MAIN/go", "OTHER/more", 200, "text/html", 60, "\"Other\"", 2, 2),
    PAGE("MAIN/hide", "OTHER/no", 200, "text/html", 60, "\"Other\"", 2, 2),
    HTML("OTHER/", 60, "Other", 2, 2),
    HTML("OTHER/more", 60, "Other", 2, 2),
    HTML("OTHER/no", 60, "Other", 2, 2),
    ERROR("REFUSING/a", "REFUSING/a", null, "connect: ..."),
    ERROR("REFUSING/b", "REFUSING/b", null, "connect: ..."),
    ERROR("SILENT/", "SILENT/", null, "timeout: ..."),
};

/* Two sites, a port that refuses and one that never answers. The handlers know the ports, because
 * the sites' processes are forked when those are known. */
struct hosts {
    struct site main;
    struct site other;
    int refusing;
    int silent;
};

static void start_hosts(struct hosts *hosts)
{
    hosts->refusing = site_socket(&refusing_port, false);
    hosts->silent = site_socket(&silent_port, true);
    site_start(&hosts->other, other_site);
    other_port = hosts->other.port;
    site_start(&hosts->main, main_site);
    main_port = hosts->main.port;
}

static void stop_hosts(struct hosts *hosts)
{
    site_stop(&hosts->main);
    site_stop(&hosts->other);
    ck_assert_int_eq(close(hosts->refusing), 0);
    ck_assert_int_eq(close(hosts->silent), 0);
}

START_TEST(other_hosts_are_asked_by_their_own_rules)
{
    struct hosts hosts;
    struct scraper scraper;

    start_hosts(&hosts);
    scraper_start(&scraper, "--any-host --timeout 0.5 http://127.0.0.1:%m/");
    scraper_wait(&scraper, 0);
    expect_records(scraper.output, many_hosts_records,
                   sizeof many_hosts_records / sizeof many_hosts_records[0]);
    ck_assert_int_eq(site_hits(&hosts.other, "/robots.txt"), 1);
    ck_assert_int_eq(site_hits(&hosts.other, "/no"), 0);
    scraper_forget(&scraper);
    stop_hosts(&hosts);
}
END_TEST

START_TEST(without_robots_nothing_is_held_back)
{
    struct hosts hosts;
    struct scraper scraper;

    start_hosts(&hosts);
    scraper_start(&scraper, "--any-host --no-robots --timeout 0.5 http://127.0.0.1:%m/");
    scraper_wait(&scraper, 0);
    expect_records(scraper.output, many_hosts_rude,
                   sizeof many_hosts_rude / sizeof many_hosts_rude[0]);
    ck_assert_int_eq(site_hits(&hosts.other, "/robots.txt"), 0);
    scraper_forget(&scraper);
    stop_hosts(&hosts);
}
END_TEST

START_TEST(links_stay_at_the_start_urls_origin)
{
    struct hosts hosts;
    struct scraper scraper;
    static const char *const expected[] = {
        "{\"url\":\"http://MAIN/\",...",
        ERROR("MAIN/go", "MAIN/go", 302, "forbidden: ..."),
        ERROR("MAIN/hide", "MAIN/hide", 302, "forbidden: ..."),
    };

    start_hosts(&hosts);
    scraper_start(&scraper, "http://127.0.0.1:%m/");
    scraper_wait(&scraper, 0);
    expect_records(scraper.output, expected, 3);
    ck_assert_int_eq(atomic_load(&hosts.other.log->count), 0);
    scraper_forget(&scraper);
    stop_hosts(&hosts);
}
END_TEST

START_TEST(start_url_that_fails_is_exit_status_1)
{
    static const char *const lines[] = {
        "http://127.0.0.1:%r/",
        "--no-robots http://127.0.0.1:%r/",
        "--timeout 0.3 --retries 0 http://127.0.0.1:%s/",
        "http://127.0.0.1:%m/ http://127.0.0.1:%o/missing",
        "http://127.0.0.1:%o/no",
        "http://127.0.0.1:%m/go",
    };
    struct hosts hosts;
    struct scraper scraper;

    start_hosts(&hosts);
    scraper_start(&scraper, lines[_i]);
    scraper_wait(&scraper, 1);
    scraper_forget(&scraper);
    stop_hosts(&hosts);
}
END_TEST

/* --- robots.txt that cannot be had, coded bodies ----------------------------------------------- */

static void closed_site(const char *path, int port, int hits, struct site_reply *reply)
{
    (void)port;
    (void)hits;
    if (strcmp(path, "/robots.txt") == 0)
        site_reply(reply, "503 Busy\r\nContent-Type: text/plain", "", 0);
    else
        site_reply(reply, OK_HTML, other_page, sizeof other_page - 1);
}

START_TEST(site_without_its_robots_txt_is_left_alone)
{
    static const char *const expected[] = {
        ERROR("MAIN/", "MAIN/", null, "robots.txt: HTTP 503\"}"),
    };
    struct site site;
    struct scraper scraper;

    site_start(&site, closed_site);
    main_port = site.port;
    scraper_start(&scraper, "http://127.0.0.1:%m/");
    scraper_wait(&scraper, 1);
    expect_records(scraper.output, expected, 1);
    ck_assert_int_eq(site_hits(&site, "/"), 0);
    ck_assert_int_eq(site_hits(&site, "/robots.txt"), 2);
    scraper_forget(&scraper);
    site_stop(&site);
}
END_TEST

static void coded_site(const char *path, int port, int hits, struct site_reply *reply)
{
    /* "hello", by gzip. */
    static const char hello[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9"
                                "\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00";

    (void)port;
    (void)hits;
    if (strcmp(path, "/") == 0)
        site_reply(reply, OK_TYPE("text/plain") "\r\nContent-Encoding: gzip", hello,
                   sizeof hello - 1);
}

START_TEST(bytes_and_sha256_are_of_the_decoded_body)
{
    struct site site;
    struct scraper scraper;

    site_start(&site, coded_site);
    main_port = site.port;
    scraper_start(&scraper, "http://127.0.0.1:%m/");
    scraper_wait(&scraper, 0);
    char *output = scraper_output(&scraper);
    ck_assert_msg(strstr(output, "\"bytes\":5,") != NULL, "%s", output);
    /* A program built without libcrypto leaves the field out. */
    if (strstr(output, "sha256"))
        ck_assert_msg(strstr(output, "\"sha256\":\"2cf24dba5fb0a30e26e83b2ac5b9e29e"
                                     "1b161e5c1fa7425e73043362938b9824\"") != NULL,
                      "%s", output);
    free(output);
    scraper_forget(&scraper);
    site_stop(&site);
}
END_TEST

/* --- a large site ------------------------------------------------------------------------------- */

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

START_TEST(pages_and_depth_are_limited)
{
    /* Levels of a binary tree; reaching a limit is no error. */
    run_tree("-d 0 http://127.0.0.1:%m/", 1);
    run_tree("-d 3 -w 1 http://127.0.0.1:%m/", 15);
    run_tree("-n 10 http://127.0.0.1:%m/", 10);
    run_tree("-d 2 -n 100 -c 1 -H 1 http://127.0.0.1:%m/", 7);
}
END_TEST

START_TEST(delay_is_between_requests_to_a_host)
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
END_TEST

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

START_TEST(killed_workers_cost_no_record)
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
END_TEST

/* --- the end ------------------------------------------------------------------------------------ */

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

START_TEST(signal_ends_the_crawl_within_a_second)
{
    struct site site;
    struct scraper scraper;
    struct records records;
    struct timespec start, end;
    const int signum = _i == 0 ? SIGINT : SIGTERM;

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
    ck_assert_double_le(seconds, 1.0);
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
END_TEST

START_TEST(mistake_is_exit_status_2)
{
    static const char *const lines[] = {"", "--nonsense http://h/", "-c 0 http://h/",
                                        "ftp://127.0.0.1/"};
    struct scraper scraper;

    scraper_start(&scraper, lines[_i]);
    scraper_wait(&scraper, 2);
    ck_assert(scraper_said(&scraper, "Try 'bight-scrape --help'"));
    scraper_forget(&scraper);
}
END_TEST

START_TEST(help_is_exit_status_0)
{
    struct scraper scraper;

    scraper_start(&scraper, "--help");
    scraper_wait(&scraper, 0);
    ck_assert(scraper_said(&scraper, "Usage: bight-scrape [options] URL..."));
    scraper_forget(&scraper);
}
END_TEST

START_TEST(output_that_fails_is_exit_status_1)
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
END_TEST

START_TEST(quiet_says_nothing)
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
END_TEST

int main(void)
{
    Suite *suite = suite_create("scraper_crawl");
    TCase *tc = tcase_create("crawl");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, other_hosts_are_asked_by_their_own_rules);
    tcase_add_test(tc, without_robots_nothing_is_held_back);
    tcase_add_test(tc, links_stay_at_the_start_urls_origin);
    tcase_add_loop_test(tc, start_url_that_fails_is_exit_status_1, 0, 6);
    tcase_add_test(tc, site_without_its_robots_txt_is_left_alone);
    tcase_add_test(tc, bytes_and_sha256_are_of_the_decoded_body);
    tcase_add_test(tc, pages_and_depth_are_limited);
    tcase_add_test(tc, delay_is_between_requests_to_a_host);
    tcase_add_test(tc, killed_workers_cost_no_record);
    tcase_add_loop_test(tc, signal_ends_the_crawl_within_a_second, 0, 2);
    tcase_add_loop_test(tc, mistake_is_exit_status_2, 0, 4);
    tcase_add_test(tc, help_is_exit_status_0);
    tcase_add_test(tc, output_that_fails_is_exit_status_1);
    tcase_add_test(tc, quiet_says_nothing);
    suite_add_tcase(suite, tc);
    return test_run(suite);
}
