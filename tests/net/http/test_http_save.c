/* Bodies that go to a file or a stream (net/http/save.c): what arrives there, and that nothing is
 * left of what did not come. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bight/file.h>

#include "tests/net/http/http_case.h"

/* --- where to --------------------------------------------------------------------------------- */

static char folder[] = "/tmp/bight-save-XXXXXX";
static char path[64];

static void begin(void)
{
    int fd;

    strcpy(folder + sizeof folder - 7, "XXXXXX");
    EXPECT(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/page", folder);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    EXPECT(fd >= 0 && write(fd, "old", 3) == 3 && close(fd) == 0);
}

static int files(void)
{
    DIR *listing = opendir(folder);
    int count = -2; /* "." and ".." */

    EXPECT(listing);
    while (readdir(listing))
        count++;
    closedir(listing);
    return count;
}

/* The file alone is left. */
static int end(void)
{
    EXPECT(files() == 1);
    EXPECT(unlink(path) == 0 && rmdir(folder) == 0);
    return 0;
}

static void holds(const char *data, size_t bytes)
{
    void *text;
    size_t count;

    ck_assert_int_eq(bight_file_load(path, &text, &count, 10 << 20), 0);
    EXPECT(count == bytes && memcmp(text, data, bytes) == 0);
    free(text);
}

static int64_t save(struct bight_http_session *session, const char *what)
{
    struct bight_http_response *response;
    int64_t bytes;

    ck_assert_int_eq(bight_http_open(&response, session, http_server_url(&server, what), NULL), 0);
    bytes = bight_http_save(response, path, NULL);
    bight_http_response_free(response);
    return bytes;
}

/* --- files ------------------------------------------------------------------------------------ */

HTTP_TEST(a_file_is_what_came)
{
    static const char *const what[] = {"/ok", "/bytes/0", "/bytes/1000000", "/chunked/300000",
                                       "/gzip"};

    begin();
    for (size_t i = 0; i < sizeof what / sizeof what[0]; i++) {
        struct bight_http_response *response;
        const char *body;
        size_t bytes;

        ck_assert_int_eq(
            bight_http_fetch(&response, session, http_server_url(&server, what[i]), NULL), 0);
        body = bight_http_response_body(response, &bytes);
        ck_assert_int_eq(save(session, what[i]), (int64_t)bytes);
        holds(body, bytes);
        EXPECT(unlink(path) == 0);
        ck_assert_int_eq(bight_http_save(response, path, NULL), (int64_t)bytes); /* collected */
        holds(body, bytes);
        bight_http_response_free(response);
    }
    return end();
}

HTTP_TEST(it_is_replaced_as_the_options_say)
{
    const struct bight_file_replace_options options = {.keep_mode = true, .no_sync = true};
    struct bight_http_response *response;
    struct stat info;
    char some[1];

    begin();
    ck_assert_int_eq(bight_http_open(&response, session, http_server_url(&server, "/ok"), NULL), 0);
    ck_assert_int_eq(bight_http_read(response, some, 1), 1);
    ck_assert_int_eq(bight_http_save(response, path, &options), 1); /* the rest */
    holds("k", 1);
    EXPECT(stat(path, &info) == 0 && (info.st_mode & 0777) == 0600);
    bight_http_response_free(response);
    ck_assert_int_eq(save(session, "/ok"), 2);
    EXPECT(stat(path, &info) == 0 && (info.st_mode & 0777) == 0644);
    return end();
}

HTTP_TEST(what_does_not_come_whole_changes_nothing)
{
    struct bight_http_response *response;

    begin();
    EXPECT(save(session, "/cut/fin") == BIGHT_EPROTOCOL);
    holds("old", 3);
    EXPECT(save(session, "/short") == BIGHT_EPROTOCOL);
    holds("old", 3);
    ck_assert_int_eq(bight_http_open(&response, session, http_server_url(&server, "/ok"), NULL), 0);
    ck_assert_int_eq(bight_http_save(response, "/nowhere/at/all", NULL), BIGHT_ENOENT);
    bight_http_response_free(response);
    return end();
}

static int save_main(void *arg)
{
    return (int)bight_http_save(arg, path, NULL);
}

HTTP_TEST(who_is_cancelled_changes_nothing)
{
    struct bight_http_response *response;
    struct bight_task *task;
    int status;

    begin();
    ck_assert_int_eq(bight_http_open(&response, session, http_server_url(&server, "/stall"), NULL),
                     0);
    ck_assert_int_eq(bight_spawn(&task, save_main, response), 0);
    while (files() < 2)
        ck_assert_int_eq(bight_sleep(1), 0);
    bight_task_cancel(task);
    ck_assert_int_eq(bight_join(task, &status), 0);
    ck_assert_int_eq(status, BIGHT_ECANCELED);
    bight_http_response_free(response);
    holds("old", 3);
    return end();
}

/* --- streams ---------------------------------------------------------------------------------- */

/* The runtime's streams keep a descriptor as long as it runs: the test's end looks for all. */
static int end_session(struct bight_http_session *session)
{
    EXPECT(bight_http_session_end(session) == 0);
    http_session = NULL;
    return 0;
}

struct copying {
    struct bight_http_response *response;
    struct bight_stream *stream;
    int64_t bytes;
};

static int copy_main(void *arg)
{
    struct copying *copying = arg;

    copying->bytes = bight_http_copy(copying->response, copying->stream);
    return bight_stream_end(copying->stream, -1);
}

HTTP_TEST(a_stream_gets_what_comes)
{
    static char text[300001];
    const struct bight_stream_pair_options small = {.capacity = 5000};
    const char *url = http_server_url(&server, "/bytes/300000");
    struct bight_http_response *whole;
    struct bight_stream *other_end;
    struct bight_task *task;

    ck_assert_int_eq(bight_http_fetch(&whole, session, url, NULL), 0);
    for (int i = 0; i < 2; i++) {
        struct copying copying = {.response = whole};
        size_t used = 0;
        int64_t got;

        if (i == 0)
            ck_assert_int_eq(bight_http_open(&copying.response, session, url, NULL), 0);
        ck_assert_int_eq(bight_stream_pair(&copying.stream, &other_end, &small), 0);
        ck_assert_int_eq(bight_spawn(&task, copy_main, &copying), 0);
        while ((got = bight_stream_read(other_end, text + used, sizeof text - used)) > 0)
            used += (size_t)got;
        ck_assert_int_eq(got, 0);
        ck_assert_int_eq(bight_join(task, NULL), 0);
        EXPECT(used == 300000 && copying.bytes == 300000);
        EXPECT(memcmp(text, bight_http_response_body(whole, NULL), used) == 0);
        ck_assert_int_eq(bight_stream_end(other_end, -1), 0);
        if (i == 0)
            bight_http_response_free(copying.response);
    }
    bight_http_response_free(whole);
    return end_session(session);
}

HTTP_TEST(a_stream_that_is_gone_ends_the_copy)
{
    struct bight_stream *near_end, *far_end;
    struct bight_http_response *response;

    ck_assert_int_eq(
        bight_http_open(&response, session, http_server_url(&server, "/bytes/1000000"), NULL), 0);
    ck_assert_int_eq(bight_stream_pair(&near_end, &far_end, NULL), 0);
    bight_stream_abort(far_end);
    EXPECT(bight_http_copy(response, near_end) < 0);
    bight_stream_abort(near_end);
    bight_http_response_free(response);
    return end_session(session);
}

static const struct suite_case cases[] = {
    plain_case(a_file_is_what_came),
    plain_case(it_is_replaced_as_the_options_say),
    plain_case(what_does_not_come_whole_changes_nothing),
    plain_case(who_is_cancelled_changes_nothing),
    plain_case(a_stream_gets_what_comes),
    plain_case(a_stream_that_is_gone_ends_the_copy),
};

test_suite("http_save", cases, .setup = http_case_setup, .teardown = http_case_teardown);
