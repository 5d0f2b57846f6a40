/* net/server/static.c and static_send.c: which files are answered and which never, with which
 * headers, and what options change. */
#include <string.h>

#include <bight/static.h>

#include "tests/harness/world.h"
#include "tests/net/server/site_rows.h"

static int files_are_answers(void *arg)
{
    static const struct site_row rows[] = {
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
    static const struct site_row rows[] = {
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
    static const struct site_row dotted[] = {
        {"GET /.hidden HTTP/1.1", 200, "hidden\n", {NULL}},
        {"GET /.well-known/x HTTP/1.1", 200, "known\n", {NULL}},
        {"GET /../outside.txt HTTP/1.1", 404, NULL, {NULL}},
        {"GET /..%2Foutside.txt HTTP/1.1", 404, NULL, {NULL}},
    };
    static const struct site_row unlinked[] = {
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
    static const struct site_row rows[] = {
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
    static const struct site_row rows[] = {
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
    static const struct site_row rows[] = {
        {"GET / HTTP/1.1",
         200,
         LETTERS,
         {"Content-Type: text/x-letters", "Cache-Control: max-age=60"}},
        {"GET /big.bin HTTP/1.1", 200, NULL, {"Content-Type: a/b"}},
        {"GET /inside HTTP/1.1", 200, LETTERS, {"Content-Type: x/y"}},
        {"GET /sub/ HTTP/1.1", 404, NULL, {"Cache-Control"}},
    };
    static const struct bight_static_options no_index = {.index = ""};
    static const struct site_row bare[] = {
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
};

test_suite("static", cases, .setup = site_make, .teardown = site_remove);
