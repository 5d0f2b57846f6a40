/* samples/scraper: whole crawls with real processes. How they end is in test_scraper_ends.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/samples/scraper/scraper_program.h"
#include "tests/samples/scraper/scraper_site.h"
#include "tests/harness/suite.h"

/* --- other origins ---------------------------------------------------------------------------- */

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

static void other_hosts_are_asked_by_their_own_rules(void)
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

static void without_robots_nothing_is_held_back(void)
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

static void links_stay_at_the_start_urls_origin(void)
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

static void start_url_that_fails_is_exit_status_1(int i)
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
    scraper_start(&scraper, lines[i]);
    scraper_wait(&scraper, 1);
    scraper_forget(&scraper);
    stop_hosts(&hosts);
}

/* --- robots.txt that cannot be had, coded bodies ---------------------------------------------- */

static void closed_site(const char *path, int port, int hits, struct site_reply *reply)
{
    (void)port;
    (void)hits;
    if (strcmp(path, "/robots.txt") == 0)
        site_reply(reply, "503 Busy\r\nContent-Type: text/plain", "", 0);
    else
        site_reply(reply, OK_HTML, other_page, sizeof other_page - 1);
}

static void site_without_its_robots_txt_is_left_alone(void)
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

static void bytes_and_sha256_are_of_the_decoded_body(void)
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

static const struct suite_case cases[] = {
    plain_case(other_hosts_are_asked_by_their_own_rules),
    plain_case(without_robots_nothing_is_held_back),
    plain_case(links_stay_at_the_start_urls_origin),
    each_case(start_url_that_fails_is_exit_status_1, 6),
    plain_case(site_without_its_robots_txt_is_left_alone),
    plain_case(bytes_and_sha256_are_of_the_decoded_body),
};

test_suite("scraper_crawl", cases);
