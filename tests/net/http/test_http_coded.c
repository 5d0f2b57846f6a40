/* Coded bodies as servers send them, by net/http/body.c: whole and cut in every framing, collected
 * and read; where no body is or none that can be undone; limits and back-pressure. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/net/http/coded_text.h"
#include "tests/net/http/http_case.h"

#define TEXT_BYTES (sizeof CODED_TEXT - 1)

struct bytes {
    char data[8192];
    size_t count;
};

static void add(struct bytes *to, const void *data, size_t count)
{
    EXPECT(count <= sizeof to->data - to->count);
    memcpy(to->data + to->count, data, count);
    to->count += count;
}

static void add_text(struct bytes *to, const char *text)
{
    add(to, text, strlen(text));
}

/* "200 OK", header lines, and a body with a length. */
static struct bytes answer(const char *status, const char *headers, const void *body, size_t count)
{
    struct bytes bytes = {.count = 0};
    char head[512];

    snprintf(head, sizeof head, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n", status, headers,
             count);
    add_text(&bytes, head);
    add(&bytes, body, count);
    return bytes;
}

static struct bytes gzip_answer(const void *body, size_t count)
{
    return answer("200 OK", "Content-Encoding: gzip\r\n", body, count);
}

static struct bight_http_request asking(const struct bytes *bytes)
{
    return (struct bight_http_request){
        .method = "GET", .body = bytes->data, .body_bytes = bytes->count};
}

/* Have the server say `bytes`: what the call returns, and of a success the body. */
static int collect(struct bight_http_session *session, const char *path, const struct bytes *bytes,
                   char *body, size_t room)
{
    const struct bight_http_request request = asking(bytes);
    struct bight_http_response *response;
    int rc = bight_http_fetch(&response, session, http_server_url(&server, path), &request);
    size_t count;

    if (rc)
        return rc;
    const char *data = bight_http_response_body(response, &count);
    EXPECT(count < room);
    memcpy(body, data, count + 1);
    struct bight_http_timing timing;
    bight_http_response_timing(response, &timing);
    EXPECT(timing.body_bytes == count);
    bight_http_response_free(response);
    return 0;
}

/* The same, read with a small buffer: what came before an error is there, too. */
static int read_by(struct bight_http_session *session, const char *path, const struct bytes *bytes,
                   char *body, size_t room)
{
    const struct bight_http_request request = asking(bytes);
    struct bight_http_response *response;
    int rc = bight_http_open(&response, session, http_server_url(&server, path), &request);
    size_t count = 0;
    int64_t got;

    EXPECT(rc == 0);
    while ((got = bight_http_read(response, body + count, 10)) > 0) {
        count += (size_t)got;
        EXPECT(count + 10 < room);
    }
    body[count] = '\0';
    EXPECT(got == bight_http_response_error(response)->code);
    bight_http_response_free(response);
    return (int)got;
}

static void expect_body(struct bight_http_session *session, const struct bytes *bytes,
                        const char *wanted)
{
    static const char *const paths[] = {"/say", "/say-bytes", "/say-close"};
    char body[1024];

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        EXPECT(collect(session, paths[i], bytes, body, sizeof body) == 0);
        ck_assert_str_eq(body, wanted);
        EXPECT(read_by(session, paths[i], bytes, body, sizeof body) == 0);
        ck_assert_str_eq(body, wanted);
    }
}

static void expect_error(struct bight_http_session *session, const char *path,
                         const struct bytes *bytes, const char *text)
{
    struct bight_http_request request = asking(bytes);
    struct bight_http_response *response;
    struct bight_http_error error;
    char body[1024];

    request.error = &error;
    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, path), &request) ==
           BIGHT_EPROTOCOL);
    EXPECT(error.kind == BIGHT_HTTP_PROTOCOL && error.code == BIGHT_EPROTOCOL);
    ck_assert_str_eq(error.text, text);
    EXPECT(read_by(session, path, bytes, body, sizeof body) == BIGHT_EPROTOCOL);
    EXPECT(strncmp(body, CODED_TEXT, strlen(body)) == 0);
}

static const char cut[] = "the body ends before its content coding does";
static const char broken[] = "the body is not in the content coding that its header says";

HTTP_TEST(each_coding_is_undone)
{
    static const struct {
        const char *header;
        const uint8_t *body;
        size_t bytes;
    } bodies[] = {
        {"Content-Encoding: gzip\r\n", gzip_text, sizeof gzip_text},
        {"Content-Encoding: x-gzip\r\n", gzip_text, sizeof gzip_text},
        {"Content-Encoding: deflate\r\n", zlib_text, sizeof zlib_text},
        {"Content-Encoding: deflate\r\n", bare_text, sizeof bare_text},
        {"Content-Encoding: br\r\n", br_text, sizeof br_text},
        {"Content-Encoding: zstd\r\n", zstd_text, sizeof zstd_text},
        {"Content-Encoding: gzip, gzip\r\n", gzip_gzip_text, sizeof gzip_gzip_text},
        {"Content-Encoding: gzip\r\nX: y\r\ncontent-encoding: ZSTD\r\n", gzip_zstd_text,
         sizeof gzip_zstd_text},
        {"Content-Encoding: gzip, identity,\r\n zstd, br\r\n", gzip_zstd_br_text,
         sizeof gzip_zstd_br_text},
    };

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct bytes bytes = answer("200 OK", bodies[i].header, bodies[i].body, bodies[i].bytes);
        expect_body(session, &bytes, CODED_TEXT);
    }
    return 0;
}

HTTP_TEST(a_cut_body_is_an_error_in_each_framing)
{
    const size_t half = sizeof gzip_text / 2;
    struct bytes bytes = gzip_answer(gzip_text, half);
    char line[32];

    expect_error(session, "/say", &bytes, cut);
    bytes = gzip_answer(gzip_text, sizeof gzip_text - 1);
    expect_error(session, "/say-bytes", &bytes, cut);
    bytes.count = 0;
    add_text(&bytes, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n");
    add(&bytes, gzip_text, half);
    expect_error(session, "/say-close", &bytes, cut);
    bytes.count = 0;
    snprintf(line, sizeof line, "%zx\r\n", half);
    add_text(&bytes, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n");
    add_text(&bytes, line);
    add(&bytes, gzip_text, half);
    add_text(&bytes, "\r\n0\r\n\r\n");
    expect_error(session, "/say", &bytes, cut);
    return 0;
}

HTTP_TEST(members_and_padding_are_the_body)
{
    struct bytes body = {.count = 0}, bytes;
    static const char zeros[100];

    add(&body, gzip_text, sizeof gzip_text);
    add(&body, zeros, sizeof zeros);
    bytes = gzip_answer(body.data, body.count);
    expect_body(session, &bytes, CODED_TEXT);
    add(&body, gzip_text, sizeof gzip_text);
    bytes = gzip_answer(body.data, body.count);
    expect_body(session, &bytes, CODED_TEXT CODED_TEXT);
    return 0;
}

HTTP_TEST(what_is_wrong_with_a_body_is_said)
{
    struct bytes body = {.count = 0}, bytes;

    add(&body, gzip_text, sizeof gzip_text);
    add_text(&body, "JUNKJUNK");
    bytes = gzip_answer(body.data, body.count);
    expect_error(session, "/say", &bytes, broken);
    body.count = sizeof gzip_text;
    memset(body.data + body.count - 8, 0, 8); /* its checksum and length */
    bytes = gzip_answer(body.data, body.count);
    expect_error(session, "/say-bytes", &bytes, broken);
    bytes = gzip_answer("plain text that claims gzip", 27);
    expect_error(session, "/say", &bytes, broken);
    bytes = answer("200 OK", "Content-Encoding: br, br, br, gzip, gzip\r\n", gzip_text, 40);
    expect_error(session, "/say", &bytes, "the body has too many content codings");
    http_expect(session, http_server_url(&server, "/ok"), "ok");
    return 0;
}

HTTP_TEST(other_codings_and_none_are_left_alone)
{
    static const char *const headers[] = {
        "Content-Encoding: identity\r\n", "Content-Encoding: none\r\n",
        "Content-Encoding: UTF-8\r\n",    "Content-Encoding: gzip, UTF-8\r\n",
        "Content-Encoding:\r\n",
    };

    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct bytes bytes = answer("200 OK", headers[i], "plain", 5);
        expect_body(session, &bytes, "plain");
    }
    return 0;
}

HTTP_TEST(a_part_of_a_coded_body_is_left_alone)
{
    struct bytes bytes =
        answer("206 Partial Content", "Content-Encoding: gzip\r\nContent-Range: bytes 7-11/74\r\n",
               "bytes", 5);

    expect_body(session, &bytes, "bytes");
    return 0;
}

HTTP_TEST(no_body_is_no_coded_one)
{
    struct bytes bytes = answer("200 OK", "Content-Encoding: gzip\r\n", "", 0);
    struct bight_http_response *response;
    static const char *const statuses[] = {"204 No Content", "304 Not Modified"};
    char head[200];

    expect_body(session, &bytes, "");
    for (int i = 0; i < 2; i++) {
        bytes.count = 0;
        snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Encoding: gzip\r\n\r\n", statuses[i]);
        add_text(&bytes, head);
        expect_body(session, &bytes, "");
    }
    EXPECT(bight_http_head(&response, session, http_server_url(&server, "/ok"), NULL) == 0);
    ck_assert_str_eq(bight_http_response_header(response, "Content-Encoding"), "gzip");
    bight_http_response_free(response);
    return 0;
}

HTTP_TEST(an_error_page_is_undone_a_redirects_body_is_not)
{
    struct bytes bytes =
        answer("404 Not Found", "Content-Encoding: gzip\r\n", gzip_text, sizeof gzip_text);
    char body[16];

    expect_body(session, &bytes, CODED_TEXT);
    bytes = answer("302 Found", "Location: /ok\r\nContent-Encoding: gzip\r\n", "no gzip", 7);
    EXPECT(collect(session, "/say", &bytes, body, sizeof body) == 0);
    ck_assert_str_eq(body, "ok");
    return 0;
}

/* A coding that comes behind the body says nothing of it. */
HTTP_TEST(a_coding_in_a_trailer_is_ignored)
{
    struct bytes bytes = {.count = 0};

    add_text(&bytes, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "5\r\nplain\r\n0\r\nContent-Encoding: gzip\r\n\r\n");
    expect_body(session, &bytes, "plain");
    return 0;
}

static void expect_request(struct bight_http_session *session, const char *const *headers,
                           const char *wanted)
{
    const struct bight_http_request request = {.headers = headers};
    struct bight_http_response *response;

    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/echo"), &request) == 0);
    const char *sent = bight_http_response_body(response, NULL);
    const char *found = strcasestr(sent, "\r\nAccept-Encoding:");
    if (wanted)
        EXPECT(found && !strncmp(found + 2, wanted, strlen(wanted)));
    else
        EXPECT(!found);
    EXPECT(!found || !strcasestr(found + 2, "\r\nAccept-Encoding:"));
    for (size_t i = 0; headers && headers[i]; i++)
        EXPECT(strstr(sent, headers[i]) || headers[i][strlen(headers[i]) - 1] == ':');
    bight_http_response_free(response);
}

HTTP_TEST(codings_are_asked_for_unless_the_request_says_otherwise)
{
    static const char all[] = "Accept-Encoding: gzip, deflate, br, zstd\r\n";
    static const char *const more[] = {"X-A: 1", "X-B: 2", NULL};
    static const char *const own[] = {"accept-encoding: gzip;q=0.5", NULL};
    static const char *const none[] = {"Accept-Encoding:", NULL};
    static const char *const range[] = {"Range: bytes=0-3", "X-A: 1", NULL};

    for (int i = 0; i < 2; i++) { /* handles that were used before are as new ones */
        expect_request(session, NULL, all);
        expect_request(session, more, all);
        expect_request(session, own, "accept-encoding: gzip;q=0.5\r\n");
        expect_request(session, none, NULL);
        expect_request(session, range, NULL);
    }
    return 0;
}

static const struct bight_http_session_options nothing_coded = {.accept_encoding = ""};

HTTP_TEST_WITH(where_no_coding_is_asked_for_none_is_undone, &nothing_coded)
{
    struct bytes bytes = answer("200 OK", "Content-Encoding: gzip\r\n", "plain", 5);

    expect_request(session, NULL, NULL);
    expect_body(session, &bytes, "plain");
    return 0;
}

static const struct bight_http_session_options only_br = {.accept_encoding = "br;q=1.0"};

HTTP_TEST_WITH(codings_that_were_not_asked_for_are_undone_too, &only_br)
{
    struct bytes bytes = gzip_answer(gzip_text, sizeof gzip_text);

    expect_request(session, NULL, "Accept-Encoding: br;q=1.0\r\n");
    expect_body(session, &bytes, CODED_TEXT);
    return 0;
}

HTTP_TEST(the_limit_counts_decoded_bytes_to_the_byte)
{
    struct bytes bytes = gzip_answer(gzip_text, sizeof gzip_text);
    struct bight_http_request request = asking(&bytes);
    const char *url = http_server_url(&server, "/say");
    struct bight_http_response *response;

    for (size_t limit = TEXT_BYTES - 1; limit <= TEXT_BYTES + 1; limit++) {
        const int code = limit < TEXT_BYTES ? BIGHT_ETOOBIG : 0;
        char body[1024];
        size_t count = 0;
        int64_t got;
        request.max_body_bytes = limit;
        EXPECT(bight_http_fetch(&response, session, url, &request) == code);
        if (!code)
            bight_http_response_free(response);
        EXPECT(bight_http_open(&response, session, url, &request) == 0);
        while ((got = bight_http_read(response, body + count, 100)) > 0)
            count += (size_t)got;
        EXPECT(got == code && count <= limit && !memcmp(body, CODED_TEXT, count));
        bight_http_response_free(response);
    }
    return 0;
}

/* A small coded body becomes a large one while its reader takes its time: it comes whole, and never
 * is more of it in memory than the buffer. */
HTTP_TEST(a_slow_reader_holds_up_the_decoding)
{
    const struct bight_http_request request = {.max_body_bytes = UINT64_MAX};
    static const size_t sizes[] = {1, 1000, 65536, 262144};
    const char *url = http_server_url(&server, "/bomb");
    struct bight_http_response *response;
    struct bight_http_timing timing;
    char *buffer = malloc(262144);
    uint64_t count = 0;
    int64_t got;

    EXPECT(buffer);
    EXPECT(bight_http_open(&response, session, url, &request) == 0);
    for (size_t i = 0; (got = bight_http_read(response, buffer, sizes[i++ % 4])) > 0;) {
        count += (uint64_t)got;
        for (int64_t at = 0; at < got; at += 101)
            EXPECT(buffer[at] == 0);
        bight_http_response_timing(response, &timing);
        EXPECT(timing.body_bytes <= count + 65536);
        if (i % 64 == 0)
            EXPECT(bight_yield() == 0);
    }
    EXPECT(got == 0 && count == HTTP_BOMB_BYTES);
    bight_http_response_free(response);
    free(buffer);
    return 0;
}

HTTP_TEST(a_coded_body_may_be_given_up_in_the_middle)
{
    const struct bight_http_request request = {.max_body_bytes = UINT64_MAX};
    const char *url = http_server_url(&server, "/bomb");
    struct bight_http_response *response;
    char buffer[100];

    for (int i = 0; i < 3; i++) {
        EXPECT(bight_http_open(&response, session, url, &request) == 0);
        for (int k = 0; k < i; k++)
            EXPECT(bight_http_read(response, buffer, sizeof buffer) > 0);
        bight_http_response_free(response);
    }
    http_expect(session, http_server_url(&server, "/gzip"), "hello");
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(each_coding_is_undone),
    plain_case(a_cut_body_is_an_error_in_each_framing),
    plain_case(members_and_padding_are_the_body),
    plain_case(what_is_wrong_with_a_body_is_said),
    plain_case(other_codings_and_none_are_left_alone),
    plain_case(a_part_of_a_coded_body_is_left_alone),
    plain_case(no_body_is_no_coded_one),
    plain_case(an_error_page_is_undone_a_redirects_body_is_not),
    plain_case(a_coding_in_a_trailer_is_ignored),
    plain_case(codings_are_asked_for_unless_the_request_says_otherwise),
    plain_case(where_no_coding_is_asked_for_none_is_undone),
    plain_case(codings_that_were_not_asked_for_are_undone_too),
    plain_case(the_limit_counts_decoded_bytes_to_the_byte),
    plain_case(a_slow_reader_holds_up_the_decoding),
    plain_case(a_coded_body_may_be_given_up_in_the_middle),
};

test_suite("http_coded", cases, .setup = http_case_setup, .teardown = http_case_teardown);
