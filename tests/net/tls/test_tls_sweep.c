/* Every allocation of net/tls fails in turn, alone and with all that follow, and every suspension
 * is cancelled in turn: each program below ends with BIGHT_ENOMEM or BIGHT_ECANCELED, or without an
 * error where it can do without, and leaves nothing open. LeakSanitizer sees what is left of
 * memory. OpenSSL's own allocations, of which there are thousands, fail at places spread over
 * them. */
#include <stdlib.h>

#include <openssl/crypto.h>

#include "tests/harness/support.h"
#include "tests/harness/sweep.h"
#include "tests/harness/sweep_programs.h"
#include "tests/net/tls/wire.h"

/* What a program has open. */
struct scene {
    struct bight_tls_context *client_context, *server_context;
    struct bight_stream *left, *right;
};

/* A stream is ended, whichever of the two it is now. */
static int finish(struct bight_stream *stream, int rc)
{
    int ended = rc ? 0 : bight_stream_end(stream, 100);

    if (rc)
        bight_stream_abort(stream);
    return rc ? rc : ended;
}

static int answer(void *arg)
{
    struct scene *scene = arg;
    struct bight_stream *stream;
    char line[16];
    int64_t rc = bight_tls_server(&stream, scene->right, scene->server_context, NULL, NULL);

    if (rc) {
        bight_stream_abort(scene->right); /* so that the client need not wait for it */
        scene->right = NULL;
        return (int)rc;
    }
    scene->right = NULL;
    rc = bight_stream_read_line(stream, line, sizeof(line));
    if (rc >= 0)
        rc = bight_stream_write(stream, line, (size_t)rc);
    return finish(stream, (int)rc);
}

static int ask(void *arg)
{
    struct scene *scene = arg;
    const struct bight_slice slices[] = {{"wor", 3}, {"ds\n", 3}};
    struct bight_stream *stream;
    char bytes[8];
    int rc = bight_tls_client(&stream, scene->left, "localhost", scene->client_context, NULL, NULL);

    if (rc) {
        bight_stream_abort(scene->left); /* so that the server need not wait for it */
        scene->left = NULL;
        return rc;
    }
    scene->left = NULL;
    rc = bight_stream_writev(stream, slices, 2);
    if (rc == 0)
        rc = bight_stream_read_exactly(stream, bytes, 5);
    return finish(stream, rc);
}

static int meet(struct scene *scene)
{
    const struct bight_stream_pair_options narrow = {.capacity = 1000};
    struct bight_group group;
    int rc = bight_stream_pair(&scene->left, &scene->right, &narrow);

    if (rc)
        return rc;
    rc = bight_group_begin(&group, 0);
    if (rc == 0) {
        rc = bight_group_spawn(NULL, &group, NULL, answer, scene);
        if (rc == 0)
            rc = bight_group_spawn(NULL, &group, NULL, ask, scene);
        rc = bight_group_end(&group, rc);
    }
    bight_stream_abort(scene->left);
    bight_stream_abort(scene->right);
    return rc;
}

static int contexts_then(int (*fn)(struct scene *scene))
{
    const struct bight_tls_context_options as_server = {.certificate_pem = localhost.certificate,
                                                        .key_pem = localhost.key},
                                           as_client = {.ca_pem = authority.pem.certificate};
    struct scene scene = {0};
    int rc = bight_tls_context_new(&scene.server_context, &as_server, NULL);

    if (rc == 0)
        rc = bight_tls_context_new(&scene.client_context, &as_client, NULL);
    if (rc == 0)
        rc = fn(&scene);
    if (rc == 0)
        rc = bight_tls_context_reload(scene.server_context, &as_server, NULL);
    bight_tls_context_free(scene.server_context);
    bight_tls_context_free(scene.client_context);
    return rc;
}

static int meetings(struct scene *scene)
{
    int rc = meet(scene);

    return rc ? rc : meet(scene); /* with a session */
}

static int conversations(void)
{
    return contexts_then(meetings);
}

/* With the runtime's own context. */
static int strangers(void)
{
    struct bight_stream *left, *right, *stream;
    int rc = bight_stream_pair(&left, &right, NULL);

    if (rc)
        return rc;
    rc = bight_stream_shutdown(right);
    if (rc == 0)
        rc = bight_tls_client(&stream, left, "localhost", NULL, NULL, NULL);
    bight_stream_abort(left);
    bight_stream_abort(right);
    return rc == BIGHT_EOF ? 0 : rc;
}

/* A cancelled server is no failure of its group, and a reset to the client. */
const struct sweep_program sweep_programs[] = {
    {"conversations", conversations, BIGHT_ECONNRESET},
    {"strangers", strangers, 0},
};
const int sweep_programs_count = sizeof(sweep_programs) / sizeof(*sweep_programs);

/* OpenSSL's memory */

#define PLACES 100

static size_t blocks, first_refused, last_refused;

static bool is_refused(void)
{
    blocks++;
    return blocks >= first_refused && blocks <= last_refused;
}

static void *openssl_alloc(size_t bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    return is_refused() ? NULL : malloc(bytes);
}

static void *openssl_realloc(void *block, size_t bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    return is_refused() ? NULL : realloc(block, bytes);
}

static void openssl_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    free(block);
}

/* Before OpenSSL's first use. */
static void memory_open(void)
{
    ck_assert_int_eq(CRYPTO_set_mem_functions(openssl_alloc, openssl_realloc, openssl_free), 1);
    wire_open();
}

static int conversations_main(void *arg)
{
    (void)arg;
    return conversations();
}

/* Of a run in which `count` blocks from `from` on are refused to OpenSSL. */
static int converse(size_t from, size_t count)
{
    int rc;

    blocks = 0;
    first_refused = from;
    last_refused = count < SIZE_MAX - from ? from + count - 1 : SIZE_MAX;
    rc = bight_run(conversations_main, NULL);
    first_refused = SIZE_MAX;
    return rc;
}

static void refuse(size_t from, size_t count, int fds)
{
    int rc = converse(from, count);

    /* EOF: the other end had no memory to say goodbye. */
    if (rc && rc != BIGHT_ENOMEM && rc != BIGHT_ETLS && rc != BIGHT_EOF)
        ck_abort_msg("%zu blocks from %zu on: %s", count, from, bight_error_name(rc));
    ck_assert_int_eq(test_open_fds(), fds);
}

static void openssl_without_memory_says_so_and_leaves_nothing(int i)
{
    static const size_t counts[] = {1, 3, SIZE_MAX};
    size_t all;
    int fds;

    for (int round = 0; round < 2; round++) /* what libraries keep for good they take now */
        ck_ok(converse(SIZE_MAX, 1));
    all = blocks;
    fds = test_open_fds();
    ck_assert_uint_gt(all, PLACES);
    for (size_t place = 0; place < PLACES; place++)
        refuse(1 + all / PLACES * place + place % 7, counts[i], fds);
    ck_ok(converse(SIZE_MAX, 1)); /* it is as good as before */
}

static bool all_hit(void)
{
    static const char *const callees[] = {"bight__alloc", "bight__alloc_zero", NULL};
    static const char *const folders[] = {"net/tls", NULL};

    return sweep_report(SWEEP_ONCE | SWEEP_FROM_THERE_ON, callees, folders);
}

static const struct suite_case cases[] = {
    SWEEP_PROGRAM_CASES,
    each_case(openssl_without_memory_says_so_and_leaves_nothing, 3),
};

test_suite("tls_sweep", cases, .open = memory_open, .close = wire_close, .begin = sweep_share_sites,
           .holds = all_hit);
