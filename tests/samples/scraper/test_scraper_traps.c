/* samples/scraper against a site of traps: every record compared. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/samples/scraper/scraper_program.h"
#include "tests/samples/scraper/scraper_site.h"
#include "tests/harness/suite.h"
#include "tests/harness/support.h"

struct row {
    const char *path;
    const char *head;
    const char *body;
};

static const struct row rows[] = {
    {"/robots.txt", OK_TYPE("text/plain"),
     "User-agent: *\nDisallow: /\n\n"
     "User-agent: bight-scrape\nDisallow: /private\nAllow: /private/open\nDisallow: /*.secret$\n"},
    {"/", OK_HTML,
     "<!doctype html><title>Traps</title>"
     "<a href=/>self</a> <a href=#part>part</a> <a href=''>empty</a> <a href='/?#x'>query</a>"
     "<a href=sub/page.html>relative</a> <a href=base.html>base</a> <a href=./sub/../sub/page.html>"
     "<a href=loop1>loop</a> <a href=self-redirect>self</a> <a href=alias>alias</a>"
     "<a href=alias2>alias2</a> <a href=away>away</a> <a href=away-ftp>away-ftp</a>"
     "<a href=slow>slow</a> <a href=short>short</a> <a href=long>long</a> <a href=endless>e</a>"
     "<a href=bomb>bomb</a> <a href=big>big</a> <a href=missing>404</a> <a href=broken>500</a>"
     "<a href=flaky>503</a> <a href=text.txt>text</a> <a href=image.png>png</a>"
     "<a href=latin1>latin1</a> <a href=cyrillic>1251</a> <a href=meta>meta</a>"
     "<a href=private/x>no</a> <a href=private/open>yes</a> <a href=a.secret>no</a>"
     "<a href=nul>nul</a> <a href=notype>notype</a> <a href=empty>empty</a> <a href='sp ace'>s</a>"
     "<a href=mailto:x@y.example>mail</a> <a href='javascript:void(0)'>js</a>"
     "<a href=http://127.0.0.1:1/>other origin</a> <a href=ftp://127.0.0.1/>ftp</a>"
     "<a href=hangup>hangup</a> <a href=garbage>garbage</a> <a href=stuck>stuck</a> <a "
     "href=drip>drip</a>"
     "<img src=/never> <link href=/never> <area href=/never> <!-- <a href=/never> -->"
     "<script>'<a href=/never>'</script> <a href=redirect-private>rp</a>"},
    {"/?", OK_HTML, "<title>?</title>"},
    {"/sub/page.html", OK_HTML,
     "<title>Sub</title><a href=../up.html>up</a><a href=../../../up.html>up</a>"
     "<a href=../SUB/%2e>case</a>"},
    {"/up.html", OK_HTML, "<title>Up</title>"},
    {"/SUB/", OK_HTML, "<title>Case</title>"},
    {"/base.html", OK_HTML,
     "<title>Base</title><base href=/based/x><base href=/wrong/><a href=under>u</a>"},
    {"/based/under", OK_HTML, "<title>Under</title>"},
    {"/loop1", "302 Found\r\nLocation: /loop2", ""},
    {"/loop2", "302 Found\r\nLocation: /loop1", ""},
    {"/self-redirect", "301 Moved\r\nLocation: /self-redirect", ""},
    {"/alias", "301 Moved\r\nLocation: /sub/page.html#there", "<a href=/never>"},
    {"/alias2", "307 Moved\r\nLocation: alias", ""},
    {"/away", "302 Found\r\nLocation: http://127.0.0.1:1/away", ""},
    {"/away-ftp", "302 Found\r\nLocation: ftp://127.0.0.1/", ""},
    {"/redirect-private", "302 Found\r\nLocation: /private/y", ""},
    {"/missing", "404 Not Found\r\nContent-Type: text/html",
     "<title>Gone</title><a href=/never>x</a>"},
    {"/broken", "500 Internal Server Error\r\nContent-Type: text/html",
     "<title>Oops</title><a href=/never>x</a>"},
    {"/text.txt", OK_TYPE("text/plain"), "<a href=/never>no</a>"},
    {"/image.png", OK_TYPE("image/png"), "\x89PNG"},
    {"/latin1", OK_TYPE("text/html; charset=iso-8859-1"), "<title>caf\xe9</title>"},
    {"/cyrillic", OK_TYPE("text/html; charset=windows-1251"),
     "<title>\xcf\xf0\xe8\xe2\xe5\xf2</title>"},
    {"/meta", OK_HTML, "<meta charset=windows-1251><title>\xcf\xf0</title>"},
    {"/private/open", OK_HTML, "<title>Open</title>"},
    {"/notype", "200 OK\r\nX-Nothing: here", "\n<html><title>No type</title><a href=sp%20ace>"},
    {"/empty", OK_HTML, ""},
    {"/sp%20ace", OK_HTML, "<title>Space</title>"},
};

/* Random of a kind that stays the same, so that the page cannot be compressed to nothing. */
static void big_page(struct site_reply *reply)
{
    static const char line[] = "<p>some words and <a href=big>a link</a></p>\n";
    const size_t count = (size_t)10 * 1024 * 1024 / (sizeof line - 1);
    char *body = malloc(32 + count * (sizeof line - 1));
    size_t used = 0;

    if (!body)
        abort();
    used += (size_t)sprintf(body, "<title>Big</title>");
    for (size_t i = 0; i < count; i++, used += sizeof line - 1)
        (void)memcpy(body + used, line, sizeof line - 1);
    *reply = (struct site_reply){.head = OK_HTML, .body = body, .body_bytes = used, .owned = true};
}

/* 64 MB of zeros in 64 kB. */
static void bomb_page(struct site_reply *reply)
{
    FILE *pipe = popen("head -c 64000000 /dev/zero | gzip -9", "r");
    char *body = malloc(1 << 20);

    if (!pipe || !body)
        abort();
    size_t size = test_read_all(fileno(pipe), body, 1 << 20);
    (void)pclose(pipe);
    *reply = (struct site_reply){.head = OK_HTML "\r\nContent-Encoding: gzip",
                                 .body = body,
                                 .body_bytes = size,
                                 .owned = true};
}

/* Answers that break rules. */
static bool trap(const char *path, int hits, struct site_reply *reply)
{
    static const char zeros[64 * 1024];
    static const char nul[] = "<title>N\0ul</title>\0<a href=\"up\0.html\">x</a>";

    if (strcmp(path, "/slow") == 0) {
        site_reply(reply, OK_HTML, "<title>Slow</title>", strlen("<title>Slow</title>"));
        reply->delay_ms = 300;
    } else if (strcmp(path, "/short") == 0) {
        site_reply(reply, OK_HTML "\r\nContent-Length: 100", "<a href=/never>", 15);
        reply->raw = true;
    } else if (strcmp(path, "/long") == 0) {
        site_reply(reply, OK_HTML "\r\nContent-Length: 17", "<title>L</title>.more than said", 31);
        reply->raw = true;
    } else if (strcmp(path, "/endless") == 0) {
        site_reply(reply, OK_TYPE("text/plain"), zeros, sizeof zeros);
        reply->endless = true;
    } else if (strcmp(path, "/drip") == 0) {
        site_reply(reply, OK_TYPE("text/plain"), ".", 1);
        reply->endless = true;
        reply->pause_ms = 50;
    } else if (strcmp(path, "/flaky") == 0 && hits == 1) {
        site_reply(reply, "503 Busy\r\nContent-Type: text/html", "<title>Busy</title>", 19);
    } else if (strcmp(path, "/flaky") == 0) {
        site_reply(reply, OK_HTML, "<title>Well</title>", 19);
    } else if (strcmp(path, "/nul") == 0) {
        site_reply(reply, OK_HTML, nul, sizeof nul - 1);
    } else if (strcmp(path, "/hangup") == 0) {
        site_reply(reply, "", "", 0);
    } else if (strcmp(path, "/garbage") == 0) {
        site_reply(reply, "", "this is not HTTP\r\n\r\n", 20);
    } else if (strcmp(path, "/stuck") == 0) {
        site_reply(reply, NULL, NULL, 0);
    } else {
        return false;
    }
    return true;
}

static void trap_site(const char *path, int port, int hits, struct site_reply *reply)
{
    (void)port;
    if (strcmp(path, "/big") == 0)
        big_page(reply);
    else if (strcmp(path, "/bomb") == 0)
        bomb_page(reply);
    else if (!trap(path, hits, reply))
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            if (strcmp(path, rows[i].path) == 0)
                site_reply(reply, rows[i].head, rows[i].body, strlen(rows[i].body));
}

/* What libcurl says of a broken protocol differs between its versions: "..." is any text. */
static const char *const trap_records[] = {
    HTML("MAIN/", 1253, "Traps", 43, 33),
    HTML("MAIN/SUB/", 19, "Case", 0, 1),
    PAGE("MAIN/alias", "MAIN/sub/page.html", 200, "text/html", 101, "\"Sub\"", 3, 2),
    PAGE("MAIN/alias2", "MAIN/sub/page.html", 200, "text/html", 101, "\"Sub\"", 3, 2),
    ERROR("MAIN/away", "MAIN/away", 302,
          "forbidden: redirect leaves the start URL's origin: http://127.0.0.1:1/away\"}"),
    ERROR("MAIN/away-ftp", "MAIN/away-ftp", null,
          "forbidden: redirected to what is neither http nor https\"}"),
    HTML("MAIN/base.html", 77, "Base", 1, 2),
    HTML("MAIN/based/under", 20, "Under", 0, 1),
    HTML("MAIN/big", 10485738, "Big", 233016, 1165081),
    ERROR_TYPE("MAIN/bomb", "text/html", "too large: the response is larger than allowed\"}"),
    PAGE("MAIN/broken", "MAIN/broken", 500, "text/html", 39, "\"Oops\"", 1, 2),
    PAGE("MAIN/cyrillic", "MAIN/cyrillic", 200, "text/html; charset=windows-1251", 21,
         "\"\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82\"", 0, 1),
    ERROR_TYPE("MAIN/drip", "text/plain", "timeout: the request took too long\"}"),
    PAGE("MAIN/empty", "MAIN/empty", 200, "text/html", 0, "null", 0, 0),
    ERROR_TYPE("MAIN/endless", "text/plain", "too large: the response is larger than allowed\"}"),
    HTML("MAIN/flaky", 19, "Well", 0, 1),
    ERROR("MAIN/garbage", "MAIN/garbage", null, "protocol: ..."),
    ERROR("MAIN/hangup", "MAIN/hangup", null, "protocol: ..."),
    OTHER("MAIN/image.png", "image/png", 4),
    PAGE("MAIN/latin1", "MAIN/latin1", 200, "text/html; charset=iso-8859-1", 19, "\"caf\xc3\xa9\"",
         0, 1),
    HTML("MAIN/long", 17, "L", 0, 2),
    ERROR("MAIN/loop1", "MAIN/loop1", 302, "too many redirects\"}"),
    HTML("MAIN/meta", 44, "\xd0\x9f\xd1\x80", 0, 1),
    PAGE("MAIN/missing", "MAIN/missing", 404, "text/html", 39, "\"Gone\"", 1, 2),
    "{\"url\":\"http://MAIN/notype\",\"final_url\":\"http://MAIN/notype\",\"status\":200,"
    "\"content_type\":null,\"bytes\":46,\"title\":\"No type\",\"links\":1,\"words\":2}",
    HTML("MAIN/nul", 44, "Nul", 1, 2),
    HTML("MAIN/private/open", 19, "Open", 0, 1),
    ERROR("MAIN/redirect-private", "MAIN/redirect-private", 302,
          "robots.txt: redirect to what robots.txt disallows: http://MAIN/private/y\"}"),
    ERROR("MAIN/self-redirect", "MAIN/self-redirect", 301, "too many redirects\"}"),
    ERROR_TYPE("MAIN/short", "text/html", "protocol: ..."),
    HTML("MAIN/slow", 19, "Slow", 0, 1),
    HTML("MAIN/sp%20ace", 20, "Space", 0, 1),
    ERROR("MAIN/stuck", "MAIN/stuck", null, "timeout: the request took too long\"}"),
    HTML("MAIN/sub/page.html", 101, "Sub", 3, 2),
    OTHER("MAIN/text.txt", "text/plain", 21),
    HTML("MAIN/up.html", 17, "Up", 0, 1),
};

static void site_with_traps_gives_exactly_these_records(void)
{
    struct site site;
    struct scraper scraper;

    site_start(&site, trap_site);
    main_port = site.port;
    scraper_start(&scraper, "--timeout 5 --max-size 12M http://127.0.0.1:%m/");
    scraper_wait(&scraper, 0);
    expect_records(scraper.output, trap_records, sizeof trap_records / sizeof trap_records[0]);
    ck_assert_int_eq(site_hits(&site, "/never"), 0);
    ck_assert_int_eq(site_hits(&site, "/robots.txt"), 1);
    ck_assert_int_eq(site_hits(&site, "/private/x"), 0);
    ck_assert_int_eq(site_hits(&site, "/private/y"), 0);
    ck_assert_int_eq(site_hits(&site, "/a.secret"), 0);
    ck_assert_int_eq(site_hits(&site, "/"), 1);
    /* The page itself, and two URLs that redirect to it. */
    ck_assert_int_eq(site_hits(&site, "/sub/page.html"), 3);
    ck_assert_int_eq(site_hits(&site, "/missing"), 1);
    ck_assert_int_eq(site_hits(&site, "/broken"), 2);
    ck_assert_int_eq(site_hits(&site, "/flaky"), 2);
    ck_assert_int_eq(site_hits(&site, "/stuck"), 2);
    ck_assert(scraper_said(&scraper, " pages, "));
    ck_assert(scraper_said(&scraper, "2 left out by robots.txt"));
    scraper_forget(&scraper);
    site_stop(&site);
}

static const struct suite_case cases[] = {
    plain_case(site_with_traps_gives_exactly_these_records),
};

test_suite("scraper_traps", cases);
