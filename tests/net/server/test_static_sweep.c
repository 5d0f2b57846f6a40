/* Static files: every allocation on the way of an answer fails in turn, alone and with all that
 * follow, and every suspension is cancelled in turn. */
#include <stddef.h>
#include <string.h>

#include <bight/group.h>
#include <bight/static.h>
#include <bight/stream.h>

#include "tests/harness/sweep.h"
#include "tests/harness/sweep_programs.h"
#include "tests/net/server/site.h"

struct scene {
    struct bight_static *files;
    struct bight_stream *client, *server;
    const char *request;
    int failed_with; /* the handler */
};

static int handler(struct bight_exchange *exchange, void *arg)
{
    return bight_static_answer(exchange, arg, NULL);
}

static void note_failure(void *arg, const struct bight_exchange *exchange, int code)
{
    struct scene *scene = arg;

    (void)exchange;
    scene->failed_with = code;
}

/* Why an answer was cut short: by a failure, or because the client is gone. */
static int why_broken(const struct scene *scene)
{
    return scene->failed_with && scene->failed_with != BIGHT_EPIPE ? scene->failed_with
                                                                   : BIGHT_ECONNRESET;
}

static int serve(void *arg)
{
    struct scene *scene = arg;
    const struct bight_http_serve_options options = {.on_failure = note_failure,
                                                     .callback_arg = scene};
    struct bight_stream *server = scene->server;
    int rc = bight_http_serve_stream(server, handler, scene->files, &options);

    scene->server = NULL;
    if (rc == 0)
        return bight_stream_end(server, 0);
    bight_stream_abort(server);
    return rc == BIGHT_EBROKEN ? why_broken(scene) : rc;
}

/* Whatever comes, until the end. */
static int ask(void *arg)
{
    static char buffer[SITE_BIG_BYTES];
    struct scene *scene = arg;
    struct bight_stream *client = scene->client;
    int64_t count = bight_stream_write(client, scene->request, strlen(scene->request));

    scene->client = NULL;
    if (count == 0)
        do
            count = bight_stream_read(client, buffer, sizeof(buffer));
        while (count > 0);
    bight_stream_abort(client);
    return (int)count;
}

static int meet(struct scene *scene)
{
    const struct bight_stream_pair_options narrow = {.capacity = 100000};
    struct bight_group group;
    int rc = bight_stream_pair(&scene->client, &scene->server, &narrow);

    if (rc)
        return rc;
    rc = bight_group_begin(&group, 0);
    if (rc == 0) {
        rc = bight_group_spawn(NULL, &group, NULL, serve, scene);
        if (rc == 0)
            rc = bight_group_spawn(NULL, &group, NULL, ask, scene);
        rc = bight_group_end(&group, rc);
    }
    bight_stream_abort(scene->client);
    bight_stream_abort(scene->server);
    return rc;
}

static int play(const char *request)
{
    const struct bight_static_options options = {
        .precompressed = true, .cache_control = "no-cache", .default_type = "a/b"};
    struct scene scene = {.request = request};
    int rc = bight_static_new(&scene.files, site_root, &options);

    if (rc)
        return rc;
    rc = meet(&scene);
    bight_static_free(scene.files);
    return rc;
}

#define REST " HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"

static int long_file(void)
{
    return play("GET /big.bin" REST);
}

static int index_file(void)
{
    return play("GET /sub/" REST);
}

static int redirect(void)
{
    return play("GET /sub?x" REST);
}

static int parts(void)
{
    return play("GET /big.bin HTTP/1.1\r\nRange: bytes=0-9,100000-400000\r\nHost: a\r\n"
                "Connection: close\r\n\r\n");
}

/* A cancelled server is a reset to the client, and so the other way round. */
const struct sweep_program sweep_programs[] = {
    {"long_file", long_file, BIGHT_ECONNRESET},
    {"index_file", index_file, BIGHT_ECONNRESET},
    {"redirect", redirect, BIGHT_ECONNRESET},
    {"parts", parts, BIGHT_ECONNRESET},
};
const int sweep_programs_count = sizeof(sweep_programs) / sizeof(*sweep_programs);

static const struct suite_case cases[] = {SWEEP_PROGRAM_CASES};

test_suite("static_sweep", cases, .setup = site_make, .teardown = site_remove,
           .begin = sweep_share_sites);
