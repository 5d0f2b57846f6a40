/* net/server/static_send.c: what of a file is answered, as the request asks: nothing to a
 * client that has it, one part or several, or the coded file beside it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <bight/static.h>

#include "net/server/static.h"
#include "tests/harness/world.h"
#include "tests/net/server/site_rows.h"

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
    static const struct site_row rows[] = {
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
    static const struct site_row rows[] = {
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
    static const struct site_row rows[] = {
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
    static const struct site_row plain[] = {
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
    world_case(who_has_the_file_does_not_get_it, who_has_the_file_does_not_get_it),
    world_case(a_file_of_now_has_a_weak_tag, a_file_of_now_has_a_weak_tag),
    world_case(a_part_is_what_was_asked_for, a_part_is_what_was_asked_for),
    world_case(a_long_file_is_whole_and_so_are_its_parts,
               a_long_file_is_whole_and_so_are_its_parts),
    world_case(several_parts_come_in_one_answer, several_parts_come_in_one_answer),
    world_case(a_coded_file_stands_for_the_plain_one, a_coded_file_stands_for_the_plain_one),
    world_case(each_coding_has_its_tag, each_coding_has_its_tag),
    world_case(a_file_is_not_compressed_on_the_way, a_file_is_not_compressed_on_the_way),
};

test_suite("static_asked", cases, .setup = site_make, .teardown = site_remove);
