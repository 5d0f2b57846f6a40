/* samples/scraper: the program itself against sites with traps, its exit status and every record
 * compared. SCRAPER_PROGRAM is its path. */
#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/scraper_site.h"
#include "tests/support.h"

#define RECORDS_MAX 4096
#define TEXT_BYTES 4096

/* Ports that records may name; replaced by MAIN, OTHER and so on before they are compared. */
static int main_port, other_port, refusing_port, silent_port;

/* --- running the program ------------------------------------------------------------------------ */

struct scraper {
    pid_t pid;
    char output[64];
    char errors[64];
};

static void temporary(char path[64])
{
    (void)snprintf(path, 64, "%s", "/tmp/scraper_test_XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(close(fd), 0);
}

/* Start the program with `line`, split at spaces, for arguments; "%m", "%o", "%r" and "%s" are the
 * ports. Its records go to scraper->output, the rest to scraper->errors. */
static void scraper_start(struct scraper *scraper, const char *line)
{
    char words[1024] = "";
    char *argv[32] = {(char *)SCRAPER_PROGRAM, (char *)"-o", scraper->output};
    size_t argc = 3;
    size_t used = 0;

    temporary(scraper->output);
    temporary(scraper->errors);
    for (; *line; line++) {
        int port = *line != '%'     ? 0
                   : line[1] == 'm' ? main_port
                   : line[1] == 'o' ? other_port
                   : line[1] == 'r' ? refusing_port
                                    : silent_port;
        used += (size_t)snprintf(words + used, sizeof words - used, port ? "%d" : "%c",
                                 port ? port : *line);
        line += port != 0;
        ck_assert_uint_lt(used, sizeof words);
    }
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    scraper->pid = fork();
    ck_assert_int_ge(scraper->pid, 0);
    if (scraper->pid == 0) {
        int fd = open(scraper->errors, O_WRONLY);
        if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
            _exit(126);
        (void)execv(argv[0], argv);
        _exit(127);
    }
}

/* Whether it has not ended; scraper_wait is still due. */
static bool scraper_runs(const struct scraper *scraper)
{
    siginfo_t ended = {0};
    int rc = waitid(P_PID, (id_t)scraper->pid, &ended, WEXITED | WNOHANG | WNOWAIT);

    return rc == 0 && ended.si_pid == 0;
}

static char *read_file(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "r");

    ck_assert_ptr_nonnull(file);
    ssize_t got = getdelim(&text, &size, '\0', file);
    ck_assert_int_eq(fclose(file), 0);
    if (got < 0) {
        free(text);
        text = calloc(1, 1);
        ck_assert_ptr_nonnull(text);
    }
    return text;
}

/* Wait for the end; the exit status. What it said is shown when it is not `expected`. */
static void scraper_wait(struct scraper *scraper, int expected)
{
    int status;

    ck_assert_int_eq(waitpid(scraper->pid, &status, 0), scraper->pid);
    char *said = read_file(scraper->errors);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == expected,
                  "status %#x, expected exit %d; it said:\n%s", (unsigned)status, expected, said);
    free(said);
}

static bool scraper_said(const struct scraper *scraper, const char *text)
{
    char *said = read_file(scraper->errors);
    bool found = strstr(said, text) != NULL;

    free(said);
    return found;
}

static void scraper_forget(const struct scraper *scraper)
{
    ck_assert_int_eq(unlink(scraper->output), 0);
    ck_assert_int_eq(unlink(scraper->errors), 0);
}

/* --- records ------------------------------------------------------------------------------------ */

struct records {
    size_t count;
    char *lines[RECORDS_MAX];
};

/* Cut `from` up to the next ',' or '}' out of `line`. */
static void cut_field(char *line, const char *from)
{
    char *at = strstr(line, from);
    if (!at)
        return;
    char *end = at + strlen(from);
    end += strcspn(end, ",}");
    (void)memmove(at, end, strlen(end) + 1);
}

/* `line` has room for TEXT_BYTES. */
static void replace(char *line, const char *from, const char *to)
{
    char copy[TEXT_BYTES];

    for (char *at = line; (at = strstr(at, from)); at += strlen(to)) {
        size_t before = (size_t)(at - line);
        int size =
            snprintf(copy, sizeof copy, "%.*s%s%s", (int)before, line, to, at + strlen(from));
        ck_assert_int_lt(size, (int)sizeof copy);
        (void)memcpy(line, copy, (size_t)size + 1);
    }
}

static void replace_ports(char *line)
{
    static const char *const names[] = {"MAIN", "OTHER", "REFUSING", "SILENT"};
    const int ports[] = {main_port, other_port, refusing_port, silent_port};
    char from[64];
    char to[64];

    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(from, sizeof from, "http://127.0.0.1:%d", ports[i]);
        (void)snprintf(to, sizeof to, "http://%s", names[i]);
        if (ports[i])
            replace(line, from, to);
    }
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Read the records, sorted, without the fields that no test can know. */
static void read_records(struct records *records, const char *path)
{
    char line[TEXT_BYTES];
    FILE *file = fopen(path, "r");

    ck_assert_ptr_nonnull(file);
    records->count = 0;
    while (fgets(line, sizeof line, file)) {
        ck_assert_uint_lt(records->count, RECORDS_MAX);
        ck_assert_msg(strncmp(line, "{\"url\":\"", 8) == 0, "%s", line);
        char *end = strchr(line, '\n');
        ck_assert_msg(end && end > line && end[-1] == '}', "%s", line);
        *end = '\0';
        replace_ports(line);
        cut_field(line, ",\"sha256\":");
        cut_field(line, ",\"ms\":");
        records->lines[records->count] = strdup(line);
        ck_assert_ptr_nonnull(records->lines[records->count]);
        records->count++;
    }
    ck_assert_int_eq(fclose(file), 0);
    qsort(records->lines, records->count, sizeof records->lines[0], compare_lines);
}

static void free_records(struct records *records)
{
    for (size_t i = 0; i < records->count; i++)
        free(records->lines[i]);
}

static void expect_each_url_once(const struct records *records)
{
    for (size_t i = 1; i < records->count; i++) {
        const char *line = records->lines[i];
        size_t size = strcspn(line + 8, "\"") + 9;
        ck_assert_msg(strncmp(line, records->lines[i - 1], size) != 0, "twice: %s", line);
    }
}

/* Whether `line` is `expected`, which may stop in the middle with "...". */
static bool is_line(const char *line, const char *expected)
{
    const char *dots = strstr(expected, "...");

    return dots ? strncmp(line, expected, (size_t)(dots - expected)) == 0
                : strcmp(line, expected) == 0;
}

/* `expected` is sorted by URL, as the records are. */
static void expect_records(const char *path, const char *const *expected, size_t count)
{
    struct records records;

    read_records(&records, path);
    for (size_t i = 0; i < records.count && i < count; i++)
        ck_assert_msg(is_line(records.lines[i], expected[i]), "got      %s\nexpected %s",
                      records.lines[i], expected[i]);
    ck_assert_uint_eq(records.count, count);
    free_records(&records);
}

/* A record with a page's facts, and others. */
#define PAGE(url, final, status, type, bytes, title, links, words)                                 \
    "{\"url\":\"http://" url "\",\"final_url\":\"http://" final "\",\"status\":" #status           \
    ",\"content_type\":\"" type "\",\"bytes\":" #bytes ",\"title\":" title ",\"links\":" #links    \
    ",\"words\":" #words "}"
#define HTML(url, bytes, title, links, words)                                                      \
    PAGE(url, url, 200, "text/html", bytes, "\"" title "\"", links, words)
#define OTHER(url, type, bytes) PAGE(url, url, 200, type, bytes, "null", null, null)
#define ERROR(url, final, status, text)                                                            \
    "{\"url\":\"http://" url "\",\"final_url\":\"http://" final "\",\"status\":" #status           \
    ",\"content_type\":null,\"bytes\":null,\"title\":null,\"links\":null,\"words\":null"           \
    ",\"error\":\"" text
#define ERROR_TYPE(url, type, text)                                                                \
    "{\"url\":\"http://" url "\",\"final_url\":\"http://" url "\",\"status\":200"                  \
    ",\"content_type\":\"" type "\",\"bytes\":null,\"title\":null,\"links\":null,\"words\":null"   \
    ",\"error\":\"" text

/* --- the site with traps ------------------------------------------------------------------------ */

#define OK_HTML "200 OK\r\nContent-Type: text/html"
#define OK_TYPE(type) "200 OK\r\nContent-Type: " type

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
    {"/SUB/%2e", OK_HTML, "<title>Case</title>"},
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
    size_t size = fread(body, 1, 1 << 20, pipe);
    (void)pclose(pipe);
    *reply = (struct site_reply){.head = OK_HTML "\r\nContent-Encoding: gzip",
                                 .body = body,
                                 .body_bytes = size,
                                 .owned = true};
}

static void set(struct site_reply *reply, const char *head, const char *body, size_t size)
{
    *reply = (struct site_reply){.head = head, .body = body, .body_bytes = size};
}

/* Answers that break rules. */
static bool trap(const char *path, int hits, struct site_reply *reply)
{
    static const char zeros[64 * 1024];
    static const char nul[] = "<title>N\0ul</title>\0<a href=\"up\0.html\">x</a>";

    if (strcmp(path, "/slow") == 0) {
        set(reply, OK_HTML, "<title>Slow</title>", strlen("<title>Slow</title>"));
        reply->delay_ms = 300;
    } else if (strcmp(path, "/short") == 0) {
        set(reply, OK_HTML "\r\nContent-Length: 100", "<a href=/never>", 15);
        reply->raw = true;
    } else if (strcmp(path, "/long") == 0) {
        set(reply, OK_HTML "\r\nContent-Length: 17", "<title>L</title>.more than said", 31);
        reply->raw = true;
    } else if (strcmp(path, "/endless") == 0) {
        set(reply, OK_TYPE("text/plain"), zeros, sizeof zeros);
        reply->endless = true;
    } else if (strcmp(path, "/drip") == 0) {
        set(reply, OK_TYPE("text/plain"), ".", 1);
        reply->endless = true;
        reply->pause_ms = 50;
    } else if (strcmp(path, "/flaky") == 0 && hits == 1) {
        set(reply, "503 Busy\r\nContent-Type: text/html", "<title>Busy</title>", 19);
    } else if (strcmp(path, "/flaky") == 0) {
        set(reply, OK_HTML, "<title>Well</title>", 19);
    } else if (strcmp(path, "/nul") == 0) {
        set(reply, OK_HTML, nul, sizeof nul - 1);
    } else if (strcmp(path, "/hangup") == 0) {
        set(reply, "", "", 0);
    } else if (strcmp(path, "/garbage") == 0) {
        set(reply, "", "this is not HTTP\r\n\r\n", 20);
    } else if (strcmp(path, "/stuck") == 0) {
        set(reply, NULL, NULL, 0);
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
                set(reply, rows[i].head, rows[i].body, strlen(rows[i].body));
}

/* What libcurl says of a broken protocol differs between its versions: "..." is any text. */
static const char *const trap_records[] = {
    HTML("MAIN/", 1253, "Traps", 43, 33),
    HTML("MAIN/SUB/%2e", 19, "Case", 0, 1),
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

START_TEST(site_with_traps_gives_exactly_these_records)
{
    struct site site;
    struct scraper scraper;

    site_start(&site, trap_site);
    main_port = site.port;
    scraper_start(&scraper, "--timeout 2 --max-size 12M http://127.0.0.1:%m/");
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
END_TEST

/* --- other origins ------------------------------------------------------------------------------ */

static const char other_page[] = "<title>Other</title><a href=/more>more</a><a href=/no>no</a>";

/* It has rules of its own. */
static void other_site(const char *path, int port, int hits, struct site_reply *reply)
{
    static const char rules[] = "User-agent: *\nDisallow: /no\n";

    (void)port;
    (void)hits;
    if (strcmp(path, "/robots.txt") == 0)
        set(reply, OK_TYPE("text/plain"), rules, sizeof rules - 1);
    else if (strcmp(path, "/") == 0 || strcmp(path, "/more") == 0 || strcmp(path, "/no") == 0)
        set(reply, OK_HTML, other_page, sizeof other_page - 1);
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
        set(reply, OK_HTML, body, (size_t)size);
        reply->owned = true;
    } else {
        set(reply, body, "", 0); /* a few bytes per redirect go with the process */
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
        set(reply, NULL, NULL, 0);
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
        stuck = stuck || is_line(records.lines[i],
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
    char *said = read_file(scraper.errors);
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
    tcase_add_test(tc, site_with_traps_gives_exactly_these_records);
    tcase_add_test(tc, other_hosts_are_asked_by_their_own_rules);
    tcase_add_test(tc, without_robots_nothing_is_held_back);
    tcase_add_test(tc, links_stay_at_the_start_urls_origin);
    tcase_add_loop_test(tc, start_url_that_fails_is_exit_status_1, 0, 6);
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
