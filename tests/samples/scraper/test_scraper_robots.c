/* samples/scraper/robots.c against RFC 9309 and its examples. */
#include "samples/scraper/robots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/suite.h"

static const char agent[] = "ExampleBot/1.2 (+https://bot.example)";

static struct robots *parse(const char *text)
{
    struct robots *robots;

    ck_assert_int_eq(robots_parse(&robots, text, strlen(text), agent), 0);
    return robots;
}

static bool allows(const char *text, const char *path)
{
    struct robots *robots = parse(text);
    char url[512];

    (void)snprintf(url, sizeof url, "https://h.example%s", path);
    bool allowed = robots_allows(robots, url);
    robots_free(robots);
    return allowed;
}

struct row {
    const char *rules;
    const char *path;
    bool allowed;
};

#define ALL "User-agent: *\n"

static const struct row rows[] = {
    {"", "/", true},
    {ALL "Disallow:", "/a", true},
    {ALL "Disallow: /", "/a", false},
    /* The star is a token of its own. */
    {"User-agent: * \nDisallow: /", "/a", false},
    {"User-agent: * (all of you)\nDisallow: /", "/a", false},
    {"User-agent: *\t# all\nDisallow: /", "/a", false},
    {"User-agent: *bot\nDisallow: /", "/a", true},
    {"User-agent: **\nDisallow: /", "/a", true},
    {"User-agent: *examplebot\nDisallow: /", "/a", true},
    {"User-agent: examplebot*\nDisallow: /", "/a", false},
    {"User-agent: *x\nUser-agent: *\nDisallow: /", "/a", false},
    {ALL "Disallow: /", "/robots.txt", true},
    {ALL "Disallow: /a", "/ab", false},
    {ALL "Disallow: /a", "/b/a", true},
    {ALL "Disallow: /A", "/a", true},
    /* The longest rule decides, whatever the order; Allow wins a draw. */
    {ALL "Allow: /a/b\nDisallow: /a", "/a/b/c", true},
    {ALL "Disallow: /a\nAllow: /a/b", "/a/b/c", true},
    {ALL "Disallow: /a\nAllow: /a/b", "/a/c", false},
    {ALL "Disallow: /a\nAllow: /a", "/a", true},
    {ALL "Allow: /a\nDisallow: /a", "/a", true},
    {ALL "Allow: /\nDisallow: /page", "/page", false},
    {ALL "Allow: /$\nDisallow: /", "/", true},
    {ALL "Allow: /$\nDisallow: /", "/a", false},
    {ALL "Allow: /p\nDisallow: /", "/page", true},
    {ALL "Allow: /page\nDisallow: /*.htm", "/page.htm", false},
    /* Wildcards. */
    {ALL "Disallow: *.gif$", "/a/b.gif", false},
    {ALL "Disallow: *.gif$", "/a/b.gif?x", true},
    {ALL "Disallow: /*.php", "/a/b.php?x", false},
    {ALL "Disallow: /*/private/", "/a/private/", false},
    {ALL "Disallow: /*/private/", "/private/", true},
    {ALL "Disallow: /a*b*c$", "/axbxbxc", false},
    {ALL "Disallow: /a*b*c$", "/axbxcx", true},
    {ALL "Disallow: /a*a$", "/a", true},
    {ALL "Disallow: /a**b", "/ab", false},
    {ALL "Disallow: /a$", "/a", false},
    {ALL "Disallow: /a$", "/ab", true},
    {ALL "Disallow: /a$b", "/a$bc", false},
    {ALL "Disallow: *", "/anything", false},
    {ALL "Disallow: $", "/", true},
    {ALL "Disallow: /?session=", "/?session=1", false},
    /* Octets. */
    {ALL "Disallow: /foo/bar/%E3%83%84", "/foo/bar/\xe3\x83\x84", false},
    {ALL "Disallow: /foo/bar/\xe3\x83\x84", "/foo/bar/%e3%83%84", false},
    {ALL "Disallow: /foo/bar/%62%61%7A", "/foo/bar/baz", false},
    {ALL "Disallow: /foo/bar/baz", "/foo/bar/%62%61%7a", false},
    {ALL "Disallow: /a%2fb", "/a/b", true},
    {ALL "Disallow: /a%2fb", "/a%2Fb", false},
    {ALL "Disallow: /a%3cd.html", "/a%3Cd.html", false},
    {ALL "Disallow: /100%", "/100%", false},
    {ALL "Disallow: /a%00b", "/a", true},
    /* Groups. */
    {"User-agent: examplebot\nDisallow: /a\n" ALL "Disallow: /b", "/a", false},
    {"User-agent: examplebot\nDisallow: /a\n" ALL "Disallow: /b", "/b", true},
    {ALL "Disallow: /b\nUSER-AGENT: EXAMPLEBOT/2.0\nDisallow: /a", "/a", false},
    {"User-agent: other\nDisallow: /", "/a", true},
    {"User-agent: example\nDisallow: /", "/a", true},
    {"User-agent: examplebot-news\nDisallow: /", "/a", true},
    {"User-agent: other\nUser-agent: examplebot\nDisallow: /a", "/a", false},
    {"User-agent: examplebot\nUser-agent: other\nDisallow: /a", "/a", false},
    {"User-agent: examplebot\nDisallow: /a\nUser-agent: other\nDisallow: /b", "/b", true},
    {"User-agent: examplebot\nDisallow: /a\n\nUser-agent: o\nDisallow: /\n\n"
     "User-agent: examplebot\nDisallow: /b",
     "/b", false},
    {"User-agent: examplebot\nDisallow: /a\n\nUser-agent: o\nDisallow: /\n\n"
     "User-agent: examplebot\nDisallow: /b",
     "/a", false},
    {"User-agent: examplebot\n\n" ALL "Disallow: /", "/a", false},
    {"User-agent: examplebot\nAllow:\n" ALL "Disallow: /", "/a", true},
    {"Disallow: /", "/a", true},
    {ALL "Sitemap: https://h.example/map\nCrawl-delay: 3\nDisallow: /a", "/a", false},
    {"User-agent: examplebot\nSitemap: x\nUser-agent: other\nDisallow: /a", "/a", false},
    /* Lines. */
    {"\xef\xbb\xbf" ALL "Disallow: /a", "/a", false},
    {"user-agent : * # all\r\n  DISALLOW\t:\t/a # not this\r\n", "/a", false},
    {"user-agent : *\r\n  DISALLOW\t:\t/a # not this", "/b", true},
    {"User-agent: *\rDisallow: /a\rDisallow: /b", "/b", false},
    {ALL "\n\nDisallow: /a", "/a", false},
    {ALL "<html>this is no robots.txt</html>\nDisallow: /a", "/a", false},
    {ALL "Disallow /a", "/a", true},
    {ALL "Disallow: /a#b", "/a", false},
};

static void rule_decides(int i)
{
    const struct row *row = &rows[i];

    ck_assert_msg(allows(row->rules, row->path) == row->allowed, "%s of\n%s", row->path,
                  row->rules);
}

static void rfc_example_of_groups(void)
{
    static const char text[] = "User-Agent: *\nDisallow: *.gif$\nDisallow: /example/\n"
                               "Allow: /publications/\n\n"
                               "User-Agent: foobot\nDisallow:/\nAllow:/example/page.html\n"
                               "Allow:/example/allowed.gif\n\n"
                               "User-Agent: examplebot\nUser-Agent: bazbot\n"
                               "Disallow: /example/page.html\n\nUser-Agent: quxbot\n\nEOF";

    ck_assert(!allows(text, "/example/page.html"));
    ck_assert(allows(text, "/example/allowed.gif"));
}

static void no_rules_allow_everything(void)
{
    ck_assert(robots_allows(NULL, "http://h/a"));
}

static void only_the_first_500_kib_are_read(void)
{
    struct {
        char *text;
        size_t size;
    } file = {NULL, 0};
    FILE *out = open_memstream(&file.text, &file.size);
    struct robots *robots;

    ck_assert_ptr_nonnull(out);
    (void)fprintf(out, ALL "Disallow: /early\n");
    while (ftell(out) < (long)ROBOTS_BYTES_MAX)
        (void)fprintf(out, "# filling, filling, filling, filling\n");
    (void)fprintf(out, "Disallow: /late\n");
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_int_eq(robots_parse(&robots, file.text, file.size, agent), 0);
    ck_assert(!robots_allows(robots, "http://h/early"));
    ck_assert(robots_allows(robots, "http://h/late"));
    robots_free(robots);
    free(file.text);
}

static void agent_without_a_token_is_under_the_star(void)
{
    static const char text[] = "User-agent: *\nDisallow: /a\n";
    struct robots *robots;

    ck_assert_int_eq(robots_parse(&robots, text, strlen(text), "007"), 0);
    ck_assert(!robots_allows(robots, "http://h/a"));
    robots_free(robots);
}

static void many_stars_are_matched_in_linear_time(void)
{
    static const char text[] = ALL "Disallow: /*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b\n";
    char url[8192] = "http://h/";

    memset(url + strlen(url), 'a', sizeof url - strlen(url) - 1);
    struct robots *robots = parse(text);
    ck_assert(robots_allows(robots, url));
    robots_free(robots);
}

static const struct suite_case cases[] = {
    each_case(rule_decides, (int)(sizeof rows / sizeof rows[0])),
    plain_case(rfc_example_of_groups),
    plain_case(no_rules_allow_everything),
    plain_case(only_the_first_500_kib_are_read),
    plain_case(agent_without_a_token_is_under_the_star),
    plain_case(many_stars_are_matched_in_linear_time),
};

test_suite("scraper_robots", cases);
