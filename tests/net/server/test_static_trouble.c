/* net/server/static.c and static_send.c: files that may not be read or are cut while they are sent,
 * a directory that is renamed, options that cannot be, and clients that are slow. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bight/static.h>

#include "net/server/types.h"
#include "tests/harness/world.h"
#include "tests/net/server/site_rows.h"

static int what_may_not_be_read_is_forbidden(void *arg)
{
    static const struct site_row rows[] = {{"GET /secret.txt HTTP/1.1", 403, NULL, {"ETag"}}};

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
    static const struct site_row row = {"GET /letters.txt HTTP/1.1", 200, LETTERS, {NULL}};
    struct bight_static *files;
    char moved[80];

    (void)arg;
    snprintf(moved, sizeof(moved), "%s-moved", site_root);
    ck_ok(bight_static_new(&files, site_root, NULL));
    ck_assert_int_eq(rename(site_root, moved), 0);
    site_check_row(files, &row);
    ck_assert_int_eq(rename(moved, site_root), 0);
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

static const struct suite_case cases[] = {
    world_case(what_may_not_be_read_is_forbidden, what_may_not_be_read_is_forbidden),
    world_case(what_cannot_be_served_is_refused_at_once, what_cannot_be_served_is_refused_at_once),
    world_case(the_directory_may_be_renamed, the_directory_may_be_renamed),
    world_case(a_file_that_gets_shorter_is_no_whole_answer,
               a_file_that_gets_shorter_is_no_whole_answer),
    world_case(many_slow_clients_get_all_of_it, many_slow_clients_get_all_of_it),
};

test_suite("static_trouble", cases, .setup = site_make, .teardown = site_remove);
