/* Every allocation of WebSocket fails in turn, alone and with all that follow, and every suspension
 * is cancelled in turn, on either side: each dialogue below ends with BIGHT_ENOMEM or
 * BIGHT_ECANCELED, or the peer of the task that was hit sees a broken connection; nothing is left
 * open, and no message comes changed. LeakSanitizer sees what is left of memory. */
#include <bight/websocket.h>

#include <string.h>

#include "tests/harness/sweep.h"
#include "tests/harness/sweep_programs.h"
#include "tests/harness/world.h"

static const char *const protocols[] = {"swept"};
static char much[40000];

struct scene {
    struct bight_stream *client, *server;
    int failure; /* of the handler */
};

static int echo(struct bight_websocket *socket)
{
    struct bight_websocket_message message;
    int rc;

    while ((rc = bight_websocket_receive(socket, &message)) == 0 &&
           (rc = bight_websocket_send(socket, message.type, message.data, message.bytes)) == 0)
        continue;
    return rc == BIGHT_EOF ? 0 : rc;
}

static int handle(struct bight_exchange *exchange, void *arg)
{
    const struct bight_websocket_options options = {.protocols = protocols, .protocol_count = 1};
    struct scene *scene = arg;
    struct bight_websocket *socket;
    int rc = bight_websocket_accept(&socket, exchange, &options);

    if (rc == 0) {
        rc = echo(socket);
        ck_ok(bight_websocket_free(socket));
    }
    scene->failure = rc;
    return rc;
}

static void on_failure(void *arg, const struct bight_exchange *exchange, int code)
{
    (void)arg;
    (void)exchange;
    (void)code; /* the handler has noted it */
}

static int serve(void *arg)
{
    struct scene *scene = arg;
    const struct bight_http_serve_options options = {.on_failure = on_failure};
    int rc = bight_http_serve_stream(scene->server, handle, scene, &options);

    if (rc == BIGHT_ENOMEM || rc == BIGHT_ECANCELED)
        scene->failure = rc;
    if (rc == 0)
        bight_stream_end(scene->server, 1000);
    else
        bight_stream_abort(scene->server);
    scene->server = NULL;
    /* A reset is what the client did when it failed. */
    return scene->failure == BIGHT_ECANCELED || scene->failure == BIGHT_ECONNRESET ? 0
                                                                                   : scene->failure;
}

static int expect_echo(struct bight_websocket *socket, size_t bytes)
{
    struct bight_websocket_message message;
    int rc = bight_websocket_receive(socket, &message);

    if (rc == 0 && (message.bytes != bytes || memcmp(message.data, much, bytes) != 0))
        rc = BIGHT_EPROTOCOL;
    return rc;
}

static int expect_pieces(struct bight_websocket *socket, size_t bytes)
{
    enum bight_websocket_type type;
    char piece[5000];
    size_t all = 0;
    int64_t count = bight_websocket_next(socket, &type);

    if (count)
        return (int)count;
    while ((count = bight_websocket_read(socket, piece, sizeof(piece))) > 0) {
        if (memcmp(piece, much + all, (size_t)count) != 0)
            return BIGHT_EPROTOCOL;
        all += (size_t)count;
    }
    return count < 0 ? (int)count : all == bytes ? 0 : BIGHT_EPROTOCOL;
}

static int converse(struct bight_websocket *socket)
{
    int rc = bight_websocket_send(socket, BIGHT_WEBSOCKET_TEXT, much, 5);

    if (rc == 0)
        rc = expect_echo(socket, 5);
    if (rc == 0)
        rc = bight_websocket_ping(socket);
    if (rc == 0)
        rc = bight_websocket_send(socket, BIGHT_WEBSOCKET_BINARY, much, sizeof(much));
    if (rc == 0)
        rc = expect_echo(socket, sizeof(much));
    if (rc == 0)
        rc = bight_websocket_send_part(socket, BIGHT_WEBSOCKET_TEXT, much, 300, false);
    if (rc == 0)
        rc = bight_websocket_send_part(socket, BIGHT_WEBSOCKET_TEXT, much + 300, 700, true);
    if (rc == 0)
        rc = expect_pieces(socket, 1000);
    return rc ? rc : bight_websocket_close(socket, 1000, "done", 1000);
}

static int ask(void *arg)
{
    struct scene *scene = arg;
    const struct bight_websocket_options options = {.protocols = protocols, .protocol_count = 1};
    struct bight_websocket *socket;
    int rc = bight_websocket_connect(&socket, scene->client, "example.org", "/", &options, NULL);

    if (rc == 0) {
        rc = converse(socket);
        ck_ok(bight_websocket_free(socket));
    }
    bight_stream_abort(scene->client); /* so that the server need not wait for it */
    scene->client = NULL;
    /* A server without memory refuses, before the handler is called or because of what it says. */
    if (rc == BIGHT_EFORBIDDEN && scene->failure != BIGHT_ECANCELED)
        rc = BIGHT_ENOMEM;
    if (rc == BIGHT_EPIPE || rc == BIGHT_EOF || rc == BIGHT_EFORBIDDEN)
        rc = BIGHT_ECONNRESET;
    return rc;
}

static int dialogue(void)
{
    const struct bight_stream_pair_options narrow = {.capacity = 3000};
    struct scene scene = {0};
    struct bight_group group;
    int rc = bight_stream_pair(&scene.client, &scene.server, &narrow);

    if (rc)
        return rc;
    rc = bight_group_begin(&group, 0);
    if (rc == 0) {
        rc = bight_group_spawn(NULL, &group, NULL, serve, &scene);
        if (rc == 0)
            rc = bight_group_spawn(NULL, &group, NULL, ask, &scene);
        rc = bight_group_end(&group, rc);
    }
    bight_stream_abort(scene.client);
    bight_stream_abort(scene.server);
    return rc;
}

const struct sweep_program sweep_programs[] = {
    {"dialogue", dialogue, BIGHT_ECONNRESET},
};
const int sweep_programs_count = sizeof(sweep_programs) / sizeof(*sweep_programs);

static void fill(void)
{
    for (size_t i = 0; i < sizeof(much); i++)
        much[i] = (char)('a' + i % 26);
}

static bool all_hit(void)
{
    static const char *const callees[] = {"bight__alloc", "bight__alloc_zero", NULL};
    static const char *const folders[] = {"net/websocket", NULL};

    return sweep_report(SWEEP_ONCE | SWEEP_FROM_THERE_ON, callees, folders);
}

static const struct suite_case cases[] = {
    SWEEP_PROGRAM_CASES,
};

test_suite("websocket_sweep", cases, .open = fill, .begin = sweep_share_sites, .holds = all_hit);
