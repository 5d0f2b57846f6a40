/* net/server/static.c and static_send.c: whole answers, over connections in memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <bight/static.h>

#include "net/server/static.h"
#include "net/server/types.h"
#include "tests/harness/world.h"
#include "tests/net/server/site.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define HEADERS_MAX 6

struct row {
    const char *request;
    int status;
    const char *body; /* NULL: not looked at */
    /* "Name: value", or "Name" for one that there is not. */
    const char *headers[HEADERS_MAX];
};

static void check_headers(const struct said *said, const struct row *row)
{
    for (int i = 0; i < HEADERS_MAX && row->headers[i]; i++) {
        char name[64];
        const char *colon = strchr(row->headers[i], ':');
        size_t bytes = colon ? (size_t)(colon - row->headers[i]) : strlen(row->headers[i]);

        snprintf(name, sizeof(name), "%.*s", (int)bytes, row->headers[i]);
        const char *value = said_header(said, name);
        ck_assert_msg(!value == !colon && (!colon || strcmp(value, colon + 2) == 0), "%s: %s is %s",
                      row->request, row->headers[i], value ? value : "not there");
    }
}

static void check_row(const struct bight_static *files, const struct row *row)
{
    struct said said = site_ask(files, row->request);

    ck_assert_msg(said.status == row->status, "%s: %d", row->request, said.status);
    if (row->body) {
        ck_assert_msg(said.body_bytes == strlen(row->body) && strcmp(said.body, row->body) == 0,
                      "%s: %s", row->request, said.body);
    }
    check_headers(&said, row);
    said_drop(&said);
}

static void check_rows(const struct bight_static_options *options, const struct row *rows,
                       size_t count)
{
    struct bight_static *files;

    ck_ok(bight_static_new(&files, site_root, options));
    for (size_t i = 0; i < count; i++)
        check_row(files, &rows[i]);
    bight_static_free(files);
}

#define CHECK_ROWS(options, rows) check_rows(options, rows, sizeof(rows) / sizeof(*(rows)))

static int files_are_answers(void *arg)
{
    static const struct row rows[] = {
        {"GET /letters.txt HTTP/1.1",
         200,
         LETTERS,
         {"Content-Length: 26", "Content-Type: text/plain; charset=utf-8", "Accept-Ranges: bytes",
          SITE_LAST_MODIFIED, "X-Content-Type-Options: nosniff", "Cache-Control"}},
        {"GET /letters.txt HTTP/1.1", 200, LETTERS, {"Vary", "Content-Encoding", "Content-Range"}},
        {"HEAD /letters.txt HTTP/1.1",
         200,
         "",
         {"Content-Length: 26", "Content-Type: text/plain; charset=utf-8", "Accept-Ranges: bytes",
          SITE_LAST_MODIFIED}},
        {"GET /letters.txt?x=y HTTP/1.1", 200, LETTERS, {NULL}},
        {"GET http://example.org/letters.txt HTTP/1.1", 200, LETTERS, {NULL}},
        {"GET /empty.txt HTTP/1.1", 200, "", {"Content-Length: 0"}},
        {"HEAD /big.bin HTTP/1.1",
         200,
         "",
         {"Content-Length: 700001", "Content-Type: application/octet-stream"}},
        {"GET /a%20b%25c.txt HTTP/1.1", 200, "odd\n", {NULL}},
        {"GET / HTTP/1.1", 200, "home\n", {"Content-Type: text/html; charset=utf-8"}},
        {"GET /sub/ HTTP/1.1", 200, "sub\n", {NULL}},
        {"GET /none HTTP/1.1", 404, NULL, {"ETag", "Last-Modified"}},
        {"HEAD /none HTTP/1.1", 404, "", {NULL}},
        {"GET /sub/none HTTP/1.1", 404, NULL, {NULL}},
        {"GET /bare/ HTTP/1.1", 404, NULL, {NULL}},
        {"GET /odd/ HTTP/1.1", 404, NULL, {NULL}}, /* its index is a directory */
        {"GET /letters.txt/ HTTP/1.1", 404, NULL, {NULL}},
        {"GET /letters.txt/x HTTP/1.1", 404, NULL, {NULL}},
    };

    (void)arg;
    CHECK_ROWS(NULL, rows);
    return 0;
}

static int no_path_leads_out(void *arg)
{
    static const struct row rows[] = {
        {"GET /../outside.txt HTTP/1.1", 404, NULL, {NULL}},
        {"GET /%2e%2e/outside.txt HTTP/1.1", 404, NULL, {NULL}},
        {"GET /sub/../../outside.txt HTTP/1.1", 404, NULL, {NULL}},
        {"GET /..%2Foutside.txt HTTP/1.1", 404, NULL, {NULL}},
        {"GET /sub%2F..%2F..%2Foutside.txt HTTP/1.1", 404, NULL, {NULL}},
        {"GET /..%5coutside.txt HTTP/1.1", 404, NULL, {NULL}},
        {"GET //etc/hostname HTTP/1.1", 404, NULL, {NULL}},
        {"GET /sub/../letters.txt HTTP/1.1", 200, LETTERS, {NULL}},
        {"GET /outside HTTP/1.1", 404, NULL, {NULL}},
        {"GET /absolute HTTP/1.1", 404, NULL, {NULL}},
        {"GET /circle HTTP/1.1", 404, NULL, {NULL}},
        {"GET /magic HTTP/1.1", 404, NULL, {NULL}},
        {"GET /inside HTTP/1.1", 200, LETTERS, {NULL}},
        {"GET /sub/up HTTP/1.1", 200, LETTERS, {NULL}},
        {"GET /folder/ HTTP/1.1", 200, "sub\n", {NULL}},
        {"GET /fifo HTTP/1.1", 404, NULL, {NULL}},
        {"GET /.hidden HTTP/1.1", 404, NULL, {NULL}},
        {"GET /.well-known/x HTTP/1.1", 404, NULL, {NULL}},
        {"GET /.well-known HTTP/1.1", 404, NULL, {NULL}},
    };
    static const struct row dotted[] = {
        {"GET /.hidden HTTP/1.1", 200, "hidden\n", {NULL}},
        {"GET /.well-known/x HTTP/1.1", 200, "known\n", {NULL}},
        {"GET /../outside.txt HTTP/1.1", 404, NULL, {NULL}},
        {"GET /..%2Foutside.txt HTTP/1.1", 404, NULL, {NULL}},
    };
    static const struct row unlinked[] = {
        {"GET /inside HTTP/1.1", 404, NULL, {NULL}},
        {"GET /folder/ HTTP/1.1", 404, NULL, {NULL}},
        {"GET /outside HTTP/1.1", 404, NULL, {NULL}},
        {"GET /letters.txt HTTP/1.1", 200, LETTERS, {NULL}},
    };
    const struct bight_static_options with_dots = {.dot_files = true};
    const struct bight_static_options no_links = {.no_links = true};

    (void)arg;
    CHECK_ROWS(NULL, rows);
    CHECK_ROWS(&with_dots, dotted);
    CHECK_ROWS(&no_links, unlinked);
    return 0;
}

/* A path that the handler gives is not the server's, and may be anything. */
static int no_path_of_a_handler_leads_out(void *arg)
{
    static const char *const paths[] = {"../outside.txt", "/../outside.txt",
                                        "sub/../../outside.txt", "..", "/sub/../index.html"};
    struct bight_static *files;

    (void)arg;
    ck_ok(bight_static_new(&files, site_root, NULL));
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        struct said said = site_ask_code(files, "GET /x HTTP/1.1", paths[i], 0);

        ck_assert_int_eq(said.status, 404);
        said_drop(&said);
    }
    bight_static_free(files);
    return 0;
}

static int a_directory_is_redirected_to_itself(void *arg)
{
    static const struct row rows[] = {
        {"GET /sub HTTP/1.1", 301, NULL, {"Location: /sub/"}},
        {"HEAD /sub HTTP/1.1", 301, "", {"Location: /sub/"}},
        {"GET /sub?a=b&c=%2F HTTP/1.1", 301, NULL, {"Location: /sub/?a=b&c=%2F"}},
        {"GET //sub HTTP/1.1", 301, NULL, {"Location: /sub/"}},
        {"GET /bare HTTP/1.1", 301, NULL, {"Location: /bare/"}},
        {"GET http://example.org//sub HTTP/1.1", 301, NULL, {"Location: /sub/"}},
        {"GET //example.org/..//sub HTTP/1.1", 301, NULL, {"Location: /sub/"}},
    };

    (void)arg;
    CHECK_ROWS(NULL, rows);
    return 0;
}

/* What the handler gives is what is served, what the client asked for is where it is sent. */
static int behind_a_prefix_redirects_keep_it(void *arg)
{
    struct bight_static *files;
    struct said said;

    (void)arg;
    ck_ok(bight_static_new(&files, site_root, NULL));
    said = site_ask_code(files, "GET /files/sub HTTP/1.1", "/sub", 0);
    ck_assert_int_eq(said.status, 301);
    ck_assert_str_eq(said_header(&said, "Location"), "/files/sub/");
    said_drop(&said);
    said = site_ask_code(files, "GET /a%20b%3F\\x?q HTTP/1.1", "/sub", 0);
    ck_assert_str_eq(said_header(&said, "Location"), "/a%20b%3F%5Cx/?q");
    said_drop(&said);
    said = site_ask_code(files, "GET /files HTTP/1.1", "", 0);
    ck_assert_str_eq(said_header(&said, "Location"), "/files/");
    said_drop(&said);
    /* It has the slash already: no redirect to itself. */
    said = site_ask_code(files, "GET /files/ HTTP/1.1", "", 0);
    ck_assert_int_eq(said.status, 200);
    ck_assert_str_eq(said.body, "home\n");
    said_drop(&said);
    said = site_ask_code(files, "GET /files/ HTTP/1.1", "sub", 0);
    ck_assert_str_eq(said.body, "sub\n");
    said_drop(&said);
    bight_static_free(files);
    return 0;
}

static int other_methods_are_told_which(void *arg)
{
    static const struct row rows[] = {
        {"POST /letters.txt HTTP/1.1", 405, NULL, {"Allow: GET, HEAD, OPTIONS"}},
        {"DELETE /none HTTP/1.1", 405, NULL, {"Allow: GET, HEAD, OPTIONS"}},
        {"OPTIONS /letters.txt HTTP/1.1", 204, "", {"Allow: GET, HEAD, OPTIONS"}},
        {"OPTIONS * HTTP/1.1", 204, "", {"Allow: GET, HEAD, OPTIONS"}},
    };

    (void)arg;
    CHECK_ROWS(NULL, rows);
    return 0;
}

static int options_are_what_they_say(void *arg)
{
    static const struct bight_static_type types[] = {{"txt", "text/x-letters"}, {"bin", "a/b"}};
    static const struct bight_static_options options = {
        .index = "letters.txt",
        .cache_control = "max-age=60",
        .types = types,
        .types_count = 2,
        .default_type = "x/y",
    };
    static const struct row rows[] = {
        {"GET / HTTP/1.1",
         200,
         LETTERS,
         {"Content-Type: text/x-letters", "Cache-Control: max-age=60"}},
        {"GET /big.bin HTTP/1.1", 200, NULL, {"Content-Type: a/b"}},
        {"GET /inside HTTP/1.1", 200, LETTERS, {"Content-Type: x/y"}},
        {"GET /sub/ HTTP/1.1", 404, NULL, {"Cache-Control"}},
    };
    static const struct bight_static_options no_index = {.index = ""};
    static const struct row bare[] = {
        {"GET / HTTP/1.1", 404, NULL, {NULL}},
        {"GET /sub/index.html HTTP/1.1", 200, "sub\n", {NULL}},
    };

    (void)arg;
    CHECK_ROWS(&options, rows);
    CHECK_ROWS(&no_index, bare);
    return 0;
}

static int answer_after(struct bight_exchange *exchange, void *arg)
{
    int rc = bight_static_answer(exchange, arg, NULL);

    if (rc == BIGHT_ENOENT)
        return bight_exchange_answer(exchange, 200, "text/plain", "mine\n", 5);
    return rc;
}

static int serve_after(void *arg)
{
    void **both = arg;
    int rc = bight_http_serve_stream(both[0], answer_after, both[1], NULL);

    ck_ok(bight_stream_end(both[0], 0));
    return rc;
}

/* Several requests of one connection. */
static int what_is_left_to_the_handler_is_answered_by_it(void *arg)
{
    static const struct bight_static_options options = {.leave_missing = true};
    static const char request[] = "GET /none HTTP/1.1\r\nHost: a\r\n\r\n"
                                  "POST /letters.txt HTTP/1.1\r\nHost: a\r\n\r\n"
                                  "GET /../x HTTP/1.1\r\nHost: a\r\n\r\n"
                                  "GET /letters.txt HTTP/1.1\r\nHost: a\r\n\r\n"
                                  "OPTIONS /none HTTP/1.1\r\nHost: a\r\n\r\n";
    static const char *const expected[] = {"mine\n", "mine\n", "mine\n", LETTERS, "Allow: "};
    struct bight_static *files;
    struct bight_stream *client, *server;
    struct bight_task *task;
    char text[8192];
    const char *at = text;
    int64_t bytes;

    (void)arg;
    ck_ok(bight_static_new(&files, site_root, &options));
    ck_ok(bight_stream_pair(&client, &server, NULL));
    void *both[] = {server, files};
    ck_ok(bight_spawn(&task, serve_after, both));
    ck_ok(bight_stream_write(client, request, sizeof(request) - 1));
    ck_ok(bight_stream_shutdown(client));
    bytes = bight_stream_read_exactly(client, text, sizeof(text) - 1);
    ck_assert_int_eq(bytes, BIGHT_EOF);
    bytes = bight_stream_read(client, text, sizeof(text) - 1);
    ck_assert_int_gt(bytes, 0);
    text[bytes] = '\0';
    for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
        at = strstr(at, expected[i]);
        ck_assert_msg(at, "%s in %s", expected[i], text);
        at++;
    }
    ck_ok(bight_join(task, NULL));
    ck_ok(bight_stream_end(client, 0));
    bight_static_free(files);
    return 0;
}

static int answer_plainly(struct bight_exchange *exchange, void *arg)
{
    return bight_static_answer(exchange, arg, NULL);
}

/* Of the last handler that failed. */
static int failed_with;

static void note_failure(void *arg, const struct bight_exchange *exchange, int code)
{
    (void)arg;
    (void)exchange;
    failed_with = code;
}

static int serve_until_failure(void *arg)
{
    static const struct bight_http_serve_options options = {.on_failure = note_failure};
    void **both = arg;
    int rc = bight_http_serve_stream(both[0], answer_plainly, both[1], &options);

    if (rc)
        bight_stream_abort(both[0]);
    else
        ck_ok(bight_stream_end(both[0], 0));
    return rc;
}

/* The tag of a file as the server says it. */
static void tag_of(const struct bight_static *files, const char *request, char tag[ETAG_BYTES])
{
    struct said said = site_ask(files, request);

    snprintf(tag, ETAG_BYTES, "%s", said_header(&said, "ETag"));
    said_drop(&said);
}

static int ask_with_tag(const struct bight_static *files, const char *format, const char *tag)
{
    char request[256];
    struct said said;
    int status;

    snprintf(request, sizeof(request), format, tag);
    said = site_ask(files, request);
    status = said.status;
    if (status == 304) {
        ck_assert_uint_eq(said.body_bytes, 0);
        ck_assert_str_eq(said_header(&said, "ETag"), tag);
        ck_assert_ptr_null(said_header(&said, "Content-Type"));
        ck_assert_ptr_null(said_header(&said, "Content-Length"));
    }
    said_drop(&said);
    return status;
}

static int who_has_the_file_does_not_get_it(void *arg)
{
    static const struct row rows[] = {
        {"GET /letters.txt HTTP/1.1\r\nIf-Modified-Since: " SITE_MODIFIED,
         304,
         "",
         {"Content-Type", "Content-Length", "Last-Modified"}},
        {"HEAD /letters.txt HTTP/1.1\r\nIf-Modified-Since: " SITE_MODIFIED, 304, "", {NULL}},
        {"GET /letters.txt HTTP/1.1\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT",
         200,
         LETTERS,
         {NULL}},
        {"GET /letters.txt HTTP/1.1\r\nIf-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT",
         412,
         NULL,
         {NULL}},
        {"GET /letters.txt HTTP/1.1\r\nIf-Match: \"x\"", 412, NULL, {NULL}},
        {"GET /letters.txt HTTP/1.1\r\nIf-None-Match: *", 304, "", {NULL}},
        {"GET /none HTTP/1.1\r\nIf-None-Match: *", 404, NULL, {NULL}},
        {"GET /none HTTP/1.1\r\nIf-Match: *", 404, NULL, {NULL}},
        {"GET /sub HTTP/1.1\r\nIf-None-Match: *", 301, NULL, {NULL}},
    };
    struct bight_static *files;
    char tag[ETAG_BYTES];

    (void)arg;
    CHECK_ROWS(NULL, rows);
    ck_ok(bight_static_new(&files, site_root, NULL));
    tag_of(files, "GET /letters.txt HTTP/1.1", tag);
    ck_assert_int_eq(tag[0], '"');
#define ASK(format) ask_with_tag(files, "GET /letters.txt HTTP/1.1\r\n" format, tag)
    ck_assert_int_eq(ASK("If-None-Match: %s"), 304);
    ck_assert_int_eq(ASK("If-None-Match: \"x\"\r\nIf-None-Match: %s"), 304);
    ck_assert_int_eq(ASK("If-None-Match: \"x\", W/%s"), 304);
    ck_assert_int_eq(ASK("If-Match: %s"), 200);
    ck_assert_int_eq(ASK("Range: bytes=0-1\r\nIf-None-Match: %s"), 304);
    ck_assert_int_eq(ASK("Range: bytes=0-1\r\nIf-Range: %s"), 206);
    ck_assert_int_eq(ASK("Range: bytes=0-1\r\nIf-Range: W/%s"), 200);
    ck_assert_int_eq(ASK("Range: bytes=30-\r\nIf-Range: %s"), 416);
    /* Another version: the one that the client has is not it. */
    site_write_text("letters.txt", "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    site_set_time("letters.txt", SITE_MODIFIED_S + 1);
    ck_assert_int_eq(ASK("If-None-Match: %s"), 200);
    ck_assert_int_eq(ASK("If-Match: %s"), 412);
    ck_assert_int_eq(ASK("Range: bytes=0-1\r\nIf-Range: %s"), 200);
#undef ASK
    bight_static_free(files);
    return 0;
}

static int a_file_of_now_has_a_weak_tag(void *arg)
{
    struct bight_static *files;
    struct said said;

    (void)arg;
    ck_ok(bight_static_new(&files, site_root, NULL));
    site_set_time("letters.txt", time(NULL) + 1000); /* who knows whose clock that was */
    said = site_ask(files, "GET /letters.txt HTTP/1.1");
    ck_assert(strncmp(said_header(&said, "ETag"), "W/\"", 3) == 0);
    /* And no time after its own. */
    ck_assert_str_eq(said_header(&said, "Last-Modified"), said_header(&said, "Date"));
    said_drop(&said);
    bight_static_free(files);
    return 0;
}

static int a_part_is_what_was_asked_for(void *arg)
{
#define GET "GET /letters.txt HTTP/1.1\r\nRange: "
    static const struct row rows[] = {
        {GET "bytes=0-4",
         206,
         "abcde",
         {"Content-Range: bytes 0-4/26", "Content-Length: 5",
          "Content-Type: text/plain; charset=utf-8", SITE_LAST_MODIFIED}},
        {GET "bytes=-3", 206, "xyz", {"Content-Range: bytes 23-25/26"}},
        {GET "bytes=20-", 206, "uvwxyz", {"Content-Range: bytes 20-25/26"}},
        {GET "bytes=0-1,50-60", 206, "ab", {"Content-Range: bytes 0-1/26"}},
        {GET "bytes=26-", 416, NULL, {"Content-Range: bytes */26", "ETag"}},
        {GET "bytes=-0", 416, NULL, {"Content-Range: bytes */26"}},
        {GET "bytes=4-2", 200, LETTERS, {"Content-Range", "Content-Length: 26"}},
        {GET "bytes=0-1\r\nRange: bytes=2-3", 200, LETTERS, {"Content-Range"}},
        {GET "bytes=0-1\r\nIf-Range: " SITE_MODIFIED, 206, "ab", {NULL}},
        {GET "bytes=0-1\r\nIf-Range: Sun, 06 Nov 1994 08:49:38 GMT", 200, LETTERS, {NULL}},
        {"HEAD /letters.txt HTTP/1.1\r\nRange: bytes=0-1",
         200,
         "",
         {"Content-Length: 26", "Content-Range"}},
        {"HEAD /letters.txt HTTP/1.1\r\nRange: bytes=26-", 200, "", {NULL}},
        {"GET /empty.txt HTTP/1.1\r\nRange: bytes=0-", 200, "", {"Content-Range"}},
        {"GET /none HTTP/1.1\r\nRange: bytes=0-1", 404, NULL, {"Content-Range"}},
    };
#undef GET

    (void)arg;
    CHECK_ROWS(NULL, rows);
    return 0;
}

static void expect_big(const struct said *said, size_t first, size_t bytes)
{
    ck_assert_uint_eq(said->body_bytes, bytes);
    for (size_t i = 0; i < bytes; i++)
        if (said->body[i] != site_big_byte(first + i))
            ck_abort_msg("wrong at %zu", i);
}

/* Longer and shorter than what is read at once, than what goes out with the head, than a page. */
static int a_long_file_is_whole_and_so_are_its_parts(void *arg)
{
    static const size_t lengths[] = {1,      4095,   4096,   4097,   16383,
                                     16384,  16385,  262143, 262144, 262145,
                                     524288, 524289, 700000, 700001, SITE_BIG_BYTES + 5};
    struct bight_static *files;
    struct said said;

    (void)arg;
    ck_ok(bight_static_new(&files, site_root, NULL));
    said = site_ask(files, "GET /big.bin HTTP/1.1");
    ck_assert_int_eq(said.status, 200);
    expect_big(&said, 0, SITE_BIG_BYTES);
    said_drop(&said);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        size_t bytes = lengths[i] < SITE_BIG_BYTES ? lengths[i] : SITE_BIG_BYTES;
        char request[128];

        snprintf(request, sizeof(request), "GET /big.bin HTTP/1.1\r\nRange: bytes=-%zu",
                 lengths[i]);
        said = site_ask(files, request);
        ck_assert_int_eq(said.status, 206);
        expect_big(&said, SITE_BIG_BYTES - bytes, bytes);
        said_drop(&said);
    }
    bight_static_free(files);
    return 0;
}

/* What multipart/byteranges has to be, for a boundary that nobody can know before. */
static int several_parts_come_in_one_answer(void *arg)
{
    static const char pattern[] =
        "--%s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 0-1/26\r\n\r\nab"
        "\r\n--%s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 24-25/26\r\n"
        "\r\nyz\r\n--%s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 1-2/26"
        "\r\n\r\nbc\r\n--%s--\r\n";
    static const char type[] = "multipart/byteranges; boundary=";
    struct bight_static *files;
    struct said said;
    char expected[1024];
    const char *boundary;

    (void)arg;
    ck_ok(bight_static_new(&files, site_root, NULL));
    said = site_ask(files, "GET /letters.txt HTTP/1.1\r\nRange: bytes=0-1, -2, 1-2");
    ck_assert_int_eq(said.status, 206);
    ck_assert_ptr_null(said_header(&said, "Content-Range"));
    boundary = said_header(&said, "Content-Type");
    ck_assert(strncmp(boundary, type, sizeof(type) - 1) == 0);
    boundary += sizeof(type) - 1;
    snprintf(expected, sizeof(expected), pattern, boundary, boundary, boundary, boundary);
    ck_assert_str_eq(said.body, expected);
    ck_assert_uint_eq(said.body_bytes, strlen(expected));
    ck_assert_int_eq(atoi(said_header(&said, "Content-Length")), (int)strlen(expected));
    said_drop(&said);
    /* More than the file has, and a HEAD. */
    said = site_ask(files, "GET /letters.txt HTTP/1.1\r\nRange: bytes=0-,0-1");
    ck_assert_int_eq(said.status, 200);
    said_drop(&said);
    said = site_ask(files, "HEAD /letters.txt HTTP/1.1\r\nRange: bytes=0-1,3-4");
    ck_assert_int_eq(said.status, 200);
    said_drop(&said);
    bight_static_free(files);
    return 0;
}

static void write_coded(void)
{
    site_write_text("code.js", "plain");
    site_write_text("code.js.br", "as br");
    site_write_text("code.js.gz", "as gzip");
    site_write_text("stale.js", "plain");
    site_set_time("stale.js", SITE_MODIFIED_S + 1);
    site_write_text("stale.js.gz", "old");
    site_write_text("only.js.gz", "alone");
    site_write_text("folded.js", "plain");
    ck_assert_int_eq(mkdir(site_path("folded.js.gz"), 0755), 0);
    site_write_text("sub/index.html.zst", "as zstd");
}

static int a_coded_file_stands_for_the_plain_one(void *arg)
{
    static const struct bight_static_options options = {.precompressed = true};
#define JS "Content-Type: text/javascript; charset=utf-8"
    static const struct row rows[] = {
        {"GET /code.js HTTP/1.1", 200, "plain", {"Content-Encoding", "Vary: Accept-Encoding", JS}},
        {"GET /code.js HTTP/1.1\r\nAccept-Encoding: gzip",
         200,
         "as gzip",
         {"Content-Encoding: gzip", "Vary: Accept-Encoding", JS, "Content-Length: 7"}},
        {"GET /code.js HTTP/1.1\r\nAccept-Encoding: gzip, br",
         200,
         "as br",
         {"Content-Encoding: br", JS}},
        {"GET /code.js HTTP/1.1\r\nAccept-Encoding: gzip\r\nAccept-Encoding: br",
         200,
         "as br",
         {NULL}},
        {"GET /code.js HTTP/1.1\r\nAccept-Encoding: zstd, gzip;q=0.1",
         200,
         "as gzip",
         {"Content-Encoding: gzip"}},
        {"GET /code.js HTTP/1.1\r\nAccept-Encoding: zstd", 200, "plain", {"Content-Encoding"}},
        {"GET /code.js HTTP/1.1\r\nAccept-Encoding: gzip;q=0.5, identity",
         200,
         "plain",
         {"Content-Encoding"}},
        {"GET /code.js HTTP/1.1\r\nAccept-Encoding: identity;q=0", 200, "plain", {NULL}},
        {"GET /code.js HTTP/1.1\r\nAccept-Encoding: gzip\r\nRange: bytes=-4",
         206,
         "gzip",
         {"Content-Encoding: gzip", "Content-Range: bytes 3-6/7", "Vary: Accept-Encoding"}},
        {"HEAD /code.js HTTP/1.1\r\nAccept-Encoding: br", 200, "", {"Content-Length: 5"}},
        {"GET /stale.js HTTP/1.1\r\nAccept-Encoding: gzip", 200, "plain", {"Content-Encoding"}},
        {"GET /only.js HTTP/1.1\r\nAccept-Encoding: gzip", 404, NULL, {NULL}},
        {"GET /only.js.gz HTTP/1.1\r\nAccept-Encoding: gzip",
         200,
         "alone",
         {"Content-Encoding", "Content-Type: application/gzip"}},
        {"GET /folded.js HTTP/1.1\r\nAccept-Encoding: gzip", 200, "plain", {"Content-Encoding"}},
        {"GET /sub/ HTTP/1.1\r\nAccept-Encoding: *",
         200,
         "as zstd",
         {"Content-Encoding: zstd", "Content-Type: text/html; charset=utf-8"}},
    };
    static const struct row plain[] = {
        {"GET /code.js HTTP/1.1\r\nAccept-Encoding: gzip, br",
         200,
         "plain",
         {"Content-Encoding", "Vary"}},
    };
#undef JS

    (void)arg;
    write_coded();
    CHECK_ROWS(&options, rows);
    CHECK_ROWS(NULL, plain);
    return 0;
}

static int each_coding_has_its_tag(void *arg)
{
    static const struct bight_static_options options = {.precompressed = true};
    struct bight_static *files;
    char plain[ETAG_BYTES], br[ETAG_BYTES], gzip[ETAG_BYTES];

    (void)arg;
    write_coded();
    ck_ok(bight_static_new(&files, site_root, &options));
    tag_of(files, "GET /code.js HTTP/1.1", plain);
    tag_of(files, "GET /code.js HTTP/1.1\r\nAccept-Encoding: br", br);
    tag_of(files, "GET /code.js HTTP/1.1\r\nAccept-Encoding: gzip", gzip);
    ck_assert_str_ne(plain, br);
    ck_assert_str_ne(plain, gzip);
    ck_assert_str_ne(br, gzip);
#define ASK(coding, tag)                                                                           \
    ask_with_tag(files,                                                                            \
                 "GET /code.js HTTP/1.1\r\nAccept-Encoding: " coding "\r\nIf-None-Match: %s", tag)
    ck_assert_int_eq(ASK("br", br), 304);
    ck_assert_int_eq(ASK("br", gzip), 200);
    ck_assert_int_eq(ASK("identity", gzip), 200);
    ck_assert_int_eq(ASK("identity", plain), 304);
#undef ASK
    bight_static_free(files);
    return 0;
}

static int what_may_not_be_read_is_forbidden(void *arg)
{
    static const struct row rows[] = {{"GET /secret.txt HTTP/1.1", 403, NULL, {"ETag"}}};

    (void)arg;
    site_write_text("secret.txt", "secret\n");
    ck_assert_int_eq(chmod(site_path("secret.txt"), 0), 0);
    ck_assert_int_eq(chmod(site_root, 0755), 0);
    /* Root may read it, whatever its mode. */
    if (geteuid() == 0) {
        ck_assert_int_eq(chmod(site_path(".."), 0755), 0);
        ck_assert_int_eq(seteuid(65534), 0);
    }
    CHECK_ROWS(NULL, rows);
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
    return 0;
}

static int what_cannot_be_served_is_refused_at_once(void *arg)
{
    static const struct bight_static_type no_name = {NULL, "a/b"}, no_type = {"a", NULL};
    static const struct bight_static_type ends_line = {"a", "a/b\r\nX: y"};
    char is_long[TYPE_BYTES + 1];
    const struct bight_static_options options[] = {
        {.index = "a/b"},
        {.index = ".."},
        {.index = "."},
        {.cache_control = "a\nb"},
        {.default_type = "a\rb"},
        {.default_type = is_long},
        {.types_count = 1},
        {.types = &no_name, .types_count = 1},
        {.types = &no_type, .types_count = 1},
        {.types = &ends_line, .types_count = 1},
    };
    struct bight_static *files = NULL;

    (void)arg;
    memset(is_long, 'a', sizeof(is_long) - 1);
    is_long[sizeof(is_long) - 1] = '\0';
    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
        ck_code(bight_static_new(&files, site_root, &options[i]), BIGHT_EINVAL);
    ck_code(bight_static_new(&files, site_path("none"), NULL), BIGHT_ENOENT);
    ck_code(bight_static_new(&files, site_path("letters.txt"), NULL), -ENOTDIR);
    ck_assert_ptr_null(files);
    return 0;
}

/* The directory is the one that was opened, whatever its name is now. */
static int the_directory_may_be_renamed(void *arg)
{
    static const struct row row = {"GET /letters.txt HTTP/1.1", 200, LETTERS, {NULL}};
    struct bight_static *files;
    char moved[80];

    (void)arg;
    snprintf(moved, sizeof(moved), "%s-moved", site_root);
    ck_ok(bight_static_new(&files, site_root, NULL));
    ck_assert_int_eq(rename(site_root, moved), 0);
    check_row(files, &row);
    ck_assert_int_eq(rename(moved, site_root), 0);
    bight_static_free(files);
    return 0;
}

/* A file that is cut while it is sent cannot be what its length said: the client sees a reset. */
static int a_file_that_gets_shorter_is_no_whole_answer(void *arg)
{
    static const char request[] = "GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n";
    struct bight_stream *client, *server;
    struct bight_static *files;
    struct bight_task *task;
    char buffer[4096];
    int64_t count;
    int status;

    (void)arg;
    ck_ok(bight_static_new(&files, site_root, NULL));
    ck_ok(bight_stream_pair(&client, &server, NULL));
    void *both[] = {server, files};
    ck_ok(bight_spawn(&task, serve_until_failure, both));
    ck_ok(bight_stream_write(client, request, sizeof(request) - 1));
    ck_assert_int_gt(bight_stream_read(client, buffer, sizeof(buffer)), 0);
    ck_assert_int_eq(truncate(site_path("big.bin"), 300000), 0);
    while ((count = bight_stream_read(client, buffer, sizeof(buffer))) > 0)
        continue;
    ck_code((int)count, BIGHT_ECONNRESET);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_EBROKEN);
    ck_code(failed_with, BIGHT_EOF);
    bight_stream_abort(client);
    bight_static_free(files);
    return 0;
}

#define SLOW_CLIENTS 20

struct slow {
    struct bight_stream *client;
    void *both[2];
    struct bight_task *task;
};

static void expect_slow_one(struct slow *slow)
{
    static char all[SITE_BIG_BYTES + 4096];
    size_t bytes = 0;
    int64_t count;

    while ((count = bight_stream_read(slow->client, all + bytes, sizeof(all) - 1 - bytes)) > 0)
        bytes += (size_t)count;
    all[bytes] = '\0';
    const char *body = strstr(all, "\r\n\r\n") + 4;
    ck_assert_uint_eq(bytes - (size_t)(body - all), SITE_BIG_BYTES);
    for (size_t i = 0; i < SITE_BIG_BYTES; i++)
        if (body[i] != site_big_byte(i))
            ck_abort_msg("wrong at %zu", i);
    ck_ok(bight_join(slow->task, NULL));
    ck_ok(bight_stream_end(slow->client, 0));
}

static int many_slow_clients_get_all_of_it(void *arg)
{
    static const char request[] = "GET /big.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    static const struct bight_stream_pair_options narrow = {.capacity = 4096};
    static struct slow slow[SLOW_CLIENTS];
    struct bight_static *files;

    (void)arg;
    ck_ok(bight_static_new(&files, site_root, NULL));
    for (int i = 0; i < SLOW_CLIENTS; i++) {
        struct bight_stream *server;

        ck_ok(bight_stream_pair(&slow[i].client, &server, &narrow));
        slow[i].both[0] = server;
        slow[i].both[1] = files;
        ck_ok(bight_spawn(&slow[i].task, serve_until_failure, slow[i].both));
        ck_ok(bight_stream_write(slow[i].client, request, sizeof(request) - 1));
    }
    world_settle();
    for (int i = 0; i < SLOW_CLIENTS; i++)
        expect_slow_one(&slow[i]);
    bight_static_free(files);
    return 0;
}

static int compress_and_answer(struct bight_exchange *exchange, void *arg)
{
    int rc = bight_exchange_compress(exchange);

    ck_assert(rc == 0 || rc == BIGHT_ENOTSUP);
    return bight_static_answer(exchange, arg, NULL);
}

static int serve_compressing(void *arg)
{
    void **both = arg;

    ck_ok(bight_http_serve_stream(both[0], compress_and_answer, both[1], NULL));
    return bight_stream_end(both[0], 0);
}

/* Its tag is that of the file, and so are its parts. */
static int a_file_is_not_compressed_on_the_way(void *arg)
{
    static const char request[] = "GET /big.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                                  "Range: bytes=0-999\r\nAccept-Encoding: gzip\r\n\r\n";
    struct bight_stream *client, *server;
    struct bight_static *files;
    struct bight_task *task;
    char text[4096];
    int status;

    (void)arg;
    ck_ok(bight_static_new(&files, site_root, NULL));
    ck_ok(bight_stream_pair(&client, &server, NULL));
    void *both[] = {server, files};
    ck_ok(bight_spawn(&task, serve_compressing, both));
    ck_ok(bight_stream_write(client, request, sizeof(request) - 1));
    ck_ok(bight_join(task, &status));
    ck_ok(status);
    int64_t bytes = bight_stream_read(client, text, sizeof(text) - 1);
    ck_assert_int_gt(bytes, 1000);
    text[bytes] = '\0';
    ck_assert(strstr(text, "Content-Range: bytes 0-999/700001\r\n"));
    ck_assert(strstr(text, "Content-Length: 1000\r\n"));
    ck_assert_ptr_null(strstr(text, "Content-Encoding"));
    ck_ok(bight_stream_end(client, 0));
    bight_static_free(files);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(files_are_answers, files_are_answers),
    world_case(no_path_leads_out, no_path_leads_out),
    world_case(no_path_of_a_handler_leads_out, no_path_of_a_handler_leads_out),
    world_case(a_directory_is_redirected_to_itself, a_directory_is_redirected_to_itself),
    world_case(behind_a_prefix_redirects_keep_it, behind_a_prefix_redirects_keep_it),
    world_case(other_methods_are_told_which, other_methods_are_told_which),
    world_case(options_are_what_they_say, options_are_what_they_say),
    world_case(what_is_left_to_the_handler_is_answered_by_it,
               what_is_left_to_the_handler_is_answered_by_it),
    world_case(who_has_the_file_does_not_get_it, who_has_the_file_does_not_get_it),
    world_case(a_file_of_now_has_a_weak_tag, a_file_of_now_has_a_weak_tag),
    world_case(a_part_is_what_was_asked_for, a_part_is_what_was_asked_for),
    world_case(a_long_file_is_whole_and_so_are_its_parts,
               a_long_file_is_whole_and_so_are_its_parts),
    world_case(several_parts_come_in_one_answer, several_parts_come_in_one_answer),
    world_case(a_coded_file_stands_for_the_plain_one, a_coded_file_stands_for_the_plain_one),
    world_case(each_coding_has_its_tag, each_coding_has_its_tag),
    world_case(what_may_not_be_read_is_forbidden, what_may_not_be_read_is_forbidden),
    world_case(what_cannot_be_served_is_refused_at_once, what_cannot_be_served_is_refused_at_once),
    world_case(the_directory_may_be_renamed, the_directory_may_be_renamed),
    world_case(a_file_that_gets_shorter_is_no_whole_answer,
               a_file_that_gets_shorter_is_no_whole_answer),
    world_case(many_slow_clients_get_all_of_it, many_slow_clients_get_all_of_it),
    world_case(a_file_is_not_compressed_on_the_way, a_file_is_not_compressed_on_the_way),
};

test_suite("static", cases, .setup = site_make, .teardown = site_remove);
