/* Bodies of multipart/form-data that the HTTP client writes (net/http/multipart.c), and what a
 * server of bight in the same runtime reads of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bight/file.h>
#include <bight/multipart.h>

#include "tests/net/http/http_case.h"
#include "tests/net/server/listened.h"

#define LARGE_BYTES (64u << 20)

/* --- the server ------------------------------------------------------------------------------- */

static char file_path[] = "/tmp/bight-multipart-XXXXXX";

static int put(char *text, size_t used, size_t room, const char *format, const char *value)
{
    return snprintf(text + used, room - used, format, value ? value : "-");
}

/* "name|filename|type|bytes|sum" of each part, and how long the body said it was. */
static int say_parts(struct bight_exchange *exchange)
{
    struct bight_multipart *parts;
    struct bight_part part;
    static char text[2048], piece[5000];
    char counts[64];
    size_t used = 0;
    int rc = bight_multipart_begin(&parts, exchange);

    while (rc == 0 && (rc = bight_multipart_next(parts, &part)) == 0) {
        uint64_t bytes = 0;
        unsigned sum = 0;
        int64_t got;

        used += (size_t)put(text, used, sizeof text, "%s|", part.name);
        used += (size_t)put(text, used, sizeof text, "%s|", part.filename);
        used += (size_t)put(text, used, sizeof text, "%s|", part.content_type);
        while ((got = bight_multipart_read(parts, piece, sizeof piece)) > 0) {
            for (int64_t i = 0; i < got; i++)
                sum = sum * 31 + (unsigned char)piece[i];
            bytes += (uint64_t)got;
        }
        snprintf(counts, sizeof counts, "%llu|%u\n", (unsigned long long)bytes, sum);
        used += (size_t)put(text, used, sizeof text, "%s", counts);
        rc = (int)got;
    }
    if (rc != BIGHT_EOF)
        return rc;
    used += (size_t)put(text, used, sizeof text, "%s",
                        bight_exchange_body_bytes(exchange) < 0 ? "unknown" : "known");
    return bight_exchange_answer(exchange, 200, NULL, text, used);
}

static int say_body(struct bight_exchange *exchange)
{
    const char *body;
    size_t bytes;
    int rc = bight_exchange_read_all(exchange, &body, &bytes);

    return rc ? rc : bight_exchange_answer(exchange, 200, NULL, body, bytes);
}

static int answer(struct bight_exchange *exchange, void *arg)
{
    const char *path = bight_exchange_path(exchange);

    (void)arg;
    listened.begun++;
    ck_ok(bight_exchange_set_max_body(exchange, UINT64_MAX));
    if (strcmp(path, "/raw") == 0)
        return say_body(exchange);
    if (strcmp(path, "/cut") == 0)
        EXPECT(truncate(file_path, 1000) == 0);
    return say_parts(exchange);
}

static const char *url(const char *path)
{
    static char text[64];
    struct bight_address address;

    ck_ok(bight_listener_address(listened.listener, &address));
    snprintf(text, sizeof text, "http://127.0.0.1:%u%s", address.port, path);
    return text;
}

static void begin(size_t file_bytes)
{
    int fd;

    strcpy(file_path + sizeof file_path - 7, "XXXXXX");
    fd = mkstemp(file_path);
    EXPECT(fd >= 0 && write(fd, "abc", 3) == 3 && ftruncate(fd, (off_t)file_bytes) == 0);
    EXPECT(close(fd) == 0);
    listened_begin(answer, NULL, false);
}

static int end(struct bight_http_session *session)
{
    EXPECT(bight_http_session_end(session) == 0);
    http_session = NULL;
    EXPECT(unlink(file_path) == 0);
    return listened_end();
}

static const char *body_of(struct bight_http_session *session, const char *path,
                           const struct bight_http_part *parts)
{
    static char text[4096];
    const struct bight_http_request request = {.method = "POST", .parts = parts};
    struct bight_http_response *response;

    ck_ok(bight_http_fetch(&response, session, url(path), &request));
    ck_assert_int_eq(bight_http_response_status(response), 200);
    snprintf(text, sizeof text, "%s", bight_http_response_body(response, NULL));
    bight_http_response_free(response);
    return text;
}

static int fails(struct bight_http_session *session, const char *path,
                 const struct bight_http_part *parts, const char *const *headers)
{
    struct bight_http_error error;
    const struct bight_http_request request = {
        .method = "POST", .parts = parts, .error = &error, .headers = headers};
    struct bight_http_response *response;
    int rc = bight_http_fetch(&response, session, url(path), &request);

    EXPECT(rc < 0 && error.code == rc);
    return rc;
}

/* --- what arrives ----------------------------------------------------------------------------- */

HTTP_TEST(fields_and_bytes_arrive)
{
    const struct bight_http_part parts[] = {
        {.name = "a", .value = "b"},
        {.name = "empty"},
        {.name = "bytes", .data = "\0\r\n--", .bytes = 5, .content_type = "x/y; z"},
        {.name = "file", .value = "ab", .filename = "note.txt"},
        {.name = NULL}};
    const struct bight_http_part none[] = {{.name = NULL}};

    begin(0);
    ck_assert_str_eq(body_of(session, "/", parts), "a|-|-|1|98\nempty|-|-|0|0\n"
                                                   "bytes|-|x/y; z|5|398333\n"
                                                   "file|note.txt|application/octet-stream|2|3105\n"
                                                   "known");
    ck_assert_str_eq(strstr(body_of(session, "/raw", none), "--\r\n"), "--\r\n");
    return end(session);
}

HTTP_TEST(it_is_written_as_the_rfc_says)
{
    const struct bight_http_part parts[] = {
        {.name = "a", .value = "b"},
        {.name = "c", .value = "", .filename = "d", .content_type = "e/f"},
        {.name = NULL}};
    char first[64], wanted[1024];
    const char *body;
    int bytes;

    begin(0);
    for (int i = 0; i < 2; i++) {
        body = body_of(session, "/raw", parts);
        bytes = (int)strcspn(body, "\r");
        EXPECT(bytes == 2 + 6 + 32 && strncmp(body, "--bight-", 8) == 0);
        EXPECT(i == 0 || strncmp(first, body, (size_t)bytes) != 0); /* another one each time */
        snprintf(first, sizeof first, "%.*s", bytes, body);
        snprintf(wanted, sizeof wanted,
                 "%s\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n"
                 "%s\r\nContent-Disposition: form-data; name=\"c\"; filename=\"d\"\r\n"
                 "Content-Type: e/f\r\n\r\n\r\n%s--\r\n",
                 first, first, first);
        ck_assert_str_eq(body, wanted);
    }
    return end(session);
}

HTTP_TEST(names_do_not_leave_their_quotes)
{
    const struct bight_http_part parts[] = {
        {.name = "a\"; x=\"y\r\nX: z\r\n\r\n", .value = "b", .filename = "c\\\"d\n"},
        {.name = "\xc3\xa9%22", .value = "", .filename = ""},
        {.name = NULL}};
    const char *body;

    begin(0);
    body = body_of(session, "/raw", parts);
    EXPECT(
        strstr(body, "name=\"a%22; x=%22y%0D%0AX: z%0D%0A%0D%0A\"; filename=\"c\\%22d%0A\"\r\n"));
    EXPECT(strstr(body, "name=\"\xc3\xa9%22\"; filename=\"\"\r\n"));
    return end(session);
}

HTTP_TEST(files_arrive)
{
    static const size_t sizes[] = {0, 3, 65536, 3u << 20};

    for (size_t i = 0; i < 4; i++) {
        char path[64], wanted[256];
        const struct bight_http_part parts[] = {
            {.name = "f", .path = file_path},
            {.name = "g", .path = path, .filename = "x", .content_type = "a/b"},
            {.name = NULL}};
        const char *body;

        begin(sizes[i]);
        snprintf(path, sizeof path, "%s", file_path);
        body = body_of(session, "/", parts);
        snprintf(wanted, sizeof wanted, "f|%s|application/octet-stream|%zu|",
                 strrchr(file_path, '/') + 1, sizes[i]);
        EXPECT(strncmp(body, wanted, strlen(wanted)) == 0);
        snprintf(wanted, sizeof wanted, "\ng|x|a/b|%zu|", sizes[i]);
        EXPECT(strstr(body, wanted) && strstr(body, "\nknown"));
        if (i == 3)
            return end(session);
        EXPECT(unlink(file_path) == 0);
        ck_ok(listened_end());
    }
    return 0;
}

HTTP_TEST(what_has_no_length_goes_in_chunks)
{
    const struct bight_http_part parts[] = {
        {.name = "f", .path = "/dev/null"}, {.name = "a", .value = "b"}, {.name = NULL}};

    begin(0);
    ck_assert_str_eq(body_of(session, "/", parts),
                     "f|null|application/octet-stream|0|0\na|-|-|1|98\nunknown");
    return end(session);
}

/* --- what does not ---------------------------------------------------------------------------- */

HTTP_TEST(what_is_no_part_is_not_sent)
{
    static const struct bight_http_part bad[] = {
        {.name = "a", .value = "b", .data = "c", .bytes = 1},
        {.name = "a", .value = "b", .path = "/dev/null"},
        {.name = "a", .bytes = 1},
        {.name = "a\x01"},
        {.name = "a", .filename = "\x7f"},
        {.name = "a", .content_type = ""},
        {.name = "a", .content_type = "a/b\r\nX: y"},
        {.name = "a", .content_type = "a/b\n"},
    };
    static const char *const type[] = {"content-type: multipart/mixed", NULL};
    struct bight_http_part parts[] = {{.name = "x", .value = "y"}, {0}, {0}};

    begin(0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        parts[1] = bad[i];
        ck_assert_int_eq(fails(session, "/", parts, NULL), BIGHT_EINVAL);
    }
    parts[1].name = NULL;
    ck_assert_int_eq(fails(session, "/", parts, type), BIGHT_EINVAL);
    parts[0] = (struct bight_http_part){.name = "a", .path = "/nowhere/at/all"};
    ck_assert_int_eq(fails(session, "/", parts, NULL), BIGHT_ENOENT);
    parts[0].path = "/tmp";
    ck_assert_int_eq(fails(session, "/", parts, NULL), -EISDIR);
    EXPECT(listened.begun == 0);
    return end(session);
}

HTTP_TEST(a_file_that_shrinks_fails_the_request)
{
    const struct bight_http_part parts[] = {{.name = "f", .path = file_path}, {.name = NULL}};

    begin(LARGE_BYTES);
    ck_assert_int_eq(fails(session, "/cut", parts, NULL), BIGHT_EOF);
    return end(session);
}

HTTP_TEST(who_is_cancelled_closes_the_file)
{
    const struct bight_http_part parts[] = {{.name = "f", .path = file_path}, {.name = NULL}};
    struct http_case_call call = {.request = {.method = "POST", .parts = parts}};

    begin(LARGE_BYTES);
    http_call_start(&call, session, url("/"));
    listened_wait(&listened.begun, 1);
    bight_task_cancel(call.task);
    ck_assert_int_eq(http_call_finish(&call), BIGHT_ECANCELED);
    return end(session);
}

HTTP_TEST(a_session_that_ends_amid_the_look_at_files_is_closed)
{
    const struct bight_http_part parts[] = {{.name = "f", .path = "/dev/null"}, {.name = NULL}};
    struct http_case_call call = {.request = {.method = "POST", .parts = parts}};

    begin(0);
    http_call_start(&call, session, url("/"));
    ck_ok(bight_checkpoint());
    EXPECT(bight_http_session_end(session) == 0);
    http_session = NULL;
    ck_assert_int_eq(http_call_finish(&call), BIGHT_ECLOSED);
    EXPECT(unlink(file_path) == 0);
    return listened_end();
}

static const struct suite_case cases[] = {
    plain_case(fields_and_bytes_arrive),
    plain_case(it_is_written_as_the_rfc_says),
    plain_case(names_do_not_leave_their_quotes),
    plain_case(files_arrive),
    plain_case(what_has_no_length_goes_in_chunks),
    plain_case(what_is_no_part_is_not_sent),
    plain_case(a_file_that_shrinks_fails_the_request),
    plain_case(who_is_cancelled_closes_the_file),
    plain_case(a_session_that_ends_amid_the_look_at_files_is_closed),
};

test_suite("http_multipart", cases, .setup = http_case_setup, .teardown = http_case_teardown);
