/* net/tls: the ways in which the waits of handshakes end, two of them in one turn, and those of the
 * calls that connect and serve. That they end without memory, test_tls_sweep has. */
#include "coro/core/task.h"
#include "tests/net/tls/wire.h"

#include <string.h>

static int out_of_time(void *arg)
{
    struct wire_end client = {.host = "localhost", .options.handshake_ms = 700}, server;
    struct bight_stream *silent;
    uint64_t begin_ns = bight_now_ns();

    (void)arg;
    (void)server;
    client.context = wire_client_context(NULL);
    ck_ok(bight_stream_pair(&client.below, &silent, NULL));
    ck_code(bight_tls_client(&client.stream, client.below, "localhost", client.context,
                             &client.options, &client.failure),
            BIGHT_ETIMEDOUT);
    ck_assert_uint_eq(bight_now_ns() - begin_ns, 700000000u);
    ck_code(client.failure.code, BIGHT_ETIMEDOUT);
    begin_ns = bight_now_ns();
    ck_code(bight_tls_client(&client.stream, client.below, "localhost", client.context, NULL, NULL),
            BIGHT_ETIMEDOUT);
    ck_assert_uint_eq(bight_now_ns() - begin_ns, 30000000000u);
    /* It is open, and the caller's. */
    ck_ok(bight_stream_end(client.below, 0));
    ck_ok(bight_stream_end(silent, 0));
    bight_tls_context_free(client.context);
    return 0;
}

static int shakes_alone(void *arg)
{
    struct wire_end *end = arg;

    return bight_tls_client(&end->stream, end->below, "localhost", end->context, NULL,
                            &end->failure);
}

/* A client's handshake with somebody who says nothing. */
static struct bight_task *alone_begin(struct wire_end *client, struct bight_stream **silent,
                                      int (*shakes)(void *client))
{
    struct bight_task *task;

    *client = (struct wire_end){.context = wire_client_context(NULL)};
    ck_ok(bight_stream_pair(&client->below, silent, NULL));
    ck_ok(bight_spawn(&task, shakes, client));
    world_settle();
    return task;
}

static void alone_ends(struct bight_task *task, int code)
{
    int status;

    ck_ok(bight_join(task, &status));
    ck_code(status, code);
}

static int cancelled(void *arg)
{
    struct wire_end client;
    struct bight_stream *silent;
    struct bight_task *task = alone_begin(&client, &silent, shakes_alone);

    (void)arg;
    ck_code((int)bight_stream_try_write(client.below, "!", 1), BIGHT_EBUSY);
    ck_code(bight_stream_end(client.below, 0), BIGHT_EBUSY);
    ck_assert_int_eq(bight_task_cancel(task), 1);
    alone_ends(task, BIGHT_ECANCELED);
    ck_assert_int_eq(bight_stream_try_write(client.below, "!", 1), 1);
    ck_ok(bight_stream_end(client.below, 0));
    ck_ok(bight_stream_end(silent, 0));
    bight_tls_context_free(client.context);
    return 0;
}

static int shakes_cancelled(void *arg)
{
    bight_task_cancel(bight_self());
    return shakes_alone(arg);
}

/* It was cancelled when it began: the failure says so too. */
static int cancelled_before(void *arg)
{
    struct wire_end client;
    struct bight_stream *silent;
    struct bight_task *task = alone_begin(&client, &silent, shakes_cancelled);

    (void)arg;
    alone_ends(task, BIGHT_ECANCELED);
    ck_code(client.failure.code, BIGHT_ECANCELED);
    ck_assert_str_ne(client.failure.text, "");
    ck_ok(bight_stream_end(client.below, 0));
    ck_ok(bight_stream_end(silent, 0));
    bight_tls_context_free(client.context);
    return 0;
}

/* Whoever owns the stream below aborts it under the handshake. */
static int aborted(void *arg)
{
    struct wire_end client;
    struct bight_stream *silent;
    struct bight_task *task = alone_begin(&client, &silent, shakes_alone);

    (void)arg;
    bight_stream_abort(client.below);
    alone_ends(task, BIGHT_ECLOSED);
    ck_ok(bight_stream_end(silent, 0));
    bight_tls_context_free(client.context);
    return 0;
}

static int broken_off(void *arg)
{
    struct wire_end client = {.context = wire_client_context(NULL)};
    struct bight_stream *peer;

    (void)arg;
    ck_ok(bight_stream_pair(&client.below, &peer, NULL));
    ck_ok(bight_stream_end(peer, 0));
    ck_code(shakes_alone(&client), BIGHT_EOF);
    ck_ok(bight_stream_end(client.below, 0));
    ck_ok(bight_stream_pair(&client.below, &peer, NULL));
    bight_stream_abort(peer);
    ck_code(shakes_alone(&client), BIGHT_ECONNRESET);
    ck_ok(bight_stream_end(client.below, 0));
    ck_ok(bight_stream_pair(&client.below, &peer, NULL));
    ck_ok(bight_stream_write(peer, "HTTP/1.1 400 Bad Request\r\n\r\n", 28));
    ck_code(shakes_alone(&client), BIGHT_ETLS);
    ck_assert_ptr_nonnull(strstr(client.failure.text, "the handshake failed: "));
    ck_ok(bight_stream_end(client.below, 0));
    ck_ok(bight_stream_end(peer, 0));
    bight_tls_context_free(client.context);
    return 0;
}

/* Both orders. One side waits; a step of the other, which wakes it, and a task that cancels it run
 * one after the other, before its own turn comes. */

struct sides {
    struct wire_end waiting, waking;
    struct bight_task *task; /* of the first */
    bool woken;              /* when it was cancelled */
};

static int shakes(void *arg)
{
    struct wire_end *end = arg;

    end->code = end->host
                    ? bight_tls_client(&end->stream, end->below, end->host, end->context, NULL,
                                       &end->failure)
                    : bight_tls_server(&end->stream, end->below, end->context, NULL, &end->failure);
    return end->code;
}

static int cancels(void *arg)
{
    struct sides *sides = arg;

    ck_assert(!bight_task_done(sides->task));
    sides->woken = !sides->task->parked;
    ck_assert_int_eq(bight_task_cancel(sides->task), 1);
    return 0;
}

/* Returns what the call of the waiting side did; the other one goes on. */
static int both_in_a_turn(struct sides *sides, bool client_waits, bool wakes_first,
                          struct bight_task **waking)
{
    struct wire_end client = {.host = "localhost", .context = wire_client_context(NULL)};
    struct wire_end server = {.context = wire_server_context(NULL, &localhost)};
    int status;

    ck_ok(bight_stream_pair(&client.below, &server.below, NULL));
    *sides = (struct sides){
        .waiting = client_waits ? client : server,
        .waking = client_waits ? server : client,
    };
    ck_ok(bight_spawn(&sides->task, shakes, &sides->waiting));
    world_settle();
    if (!wakes_first)
        ck_ok(bight_spawn(NULL, cancels, sides));
    ck_ok(bight_spawn(waking, shakes, &sides->waking));
    if (wakes_first)
        ck_ok(bight_spawn(NULL, cancels, sides));
    ck_ok(bight_join(sides->task, &status));
    ck_assert_int_eq(sides->woken, wakes_first);
    return status;
}

static void sides_end(struct sides *sides, struct bight_task *waking, int code)
{
    int status;

    ck_ok(
        bight_stream_end(sides->waiting.stream ? sides->waiting.stream : sides->waiting.below, 0));
    ck_ok(bight_join(waking, &status));
    ck_code(status, code);
    ck_ok(bight_stream_end(sides->waking.stream ? sides->waking.stream : sides->waking.below, 0));
    wire_free_contexts(&sides->waiting, &sides->waking);
}

/* What came was the end of the handshake. */
static int client_woken_then_cancelled(void *arg)
{
    struct bight_task *waking;
    struct sides sides;

    (void)arg;
    ck_ok(both_in_a_turn(&sides, true, true, &waking));
    ck_ok(bight_stream_write(sides.waiting.stream, "here", 4));
    sides_end(&sides, waking, 0);
    return 0;
}

/* It answers what came, and its next wait is refused. */
static int server_woken_then_cancelled(void *arg)
{
    struct bight_task *waking;
    struct sides sides;

    (void)arg;
    ck_code(both_in_a_turn(&sides, false, true, &waking), BIGHT_ECANCELED);
    ck_code(sides.waiting.failure.code, BIGHT_ECANCELED);
    world_settle();
    sides_end(&sides, waking, 0); /* the client had all that it needs */
    return 0;
}

/* What came is still there. */
static int cancelled_then_woken(void *arg)
{
    (void)arg;
    for (int client_waits = 0; client_waits < 2; client_waits++) {
        struct bight_task *waking;
        struct sides sides;
        char bytes[64];

        ck_code(both_in_a_turn(&sides, client_waits, false, &waking), BIGHT_ECANCELED);
        world_settle();
        ck_assert_int_gt(bight_stream_try_read(sides.waiting.below, bytes, sizeof(bytes)), 0);
        sides_end(&sides, waking, BIGHT_EOF);
    }
    return 0;
}

/* The calls above */

static struct bight_listener *silent; /* takes connections, and says nothing */

static int connects(void *arg)
{
    struct bight_stream **stream = arg;
    struct bight_address address;

    ck_ok(bight_listener_address(silent, &address));
    return bight_tls_connect(stream, "127.0.0.1", address.port, NULL, NULL, NULL);
}

static int connect_ends(void *arg)
{
    struct bight_stream *stream = NULL, *peer;
    struct bight_task *task;
    int status;

    (void)arg;
    ck_ok(bight_tcp_listen(&silent, "127.0.0.1", 0, NULL));
    ck_ok(bight_spawn(&task, connects, &stream));
    ck_ok(bight_listener_accept(&peer, silent));
    ck_assert_int_eq(bight_task_cancel(task), 1);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    bight_stream_abort(peer);
    ck_code(bight_timeout(20, connects, &stream), BIGHT_ETIMEDOUT);
    ck_assert_ptr_null(stream);
    return bight_listener_end(silent);
}

static int stays(struct bight_stream *stream, void *arg)
{
    char byte;
    int64_t count = bight_stream_read(stream, &byte, 1);

    *(int *)arg += count == BIGHT_ECANCELED;
    return (int)count;
}

struct service {
    struct bight_tls_context *context;
    int cancelled; /* handlers */
};

static int serves(void *arg)
{
    struct service *service = arg;

    return bight_tls_serve(silent, service->context, stays, &service->cancelled, NULL);
}

/* One connection has its handler, the other is in its handshake. */
static int serve_ends(void *arg)
{
    struct service service = {.context = wire_server_context(NULL, &localhost)};
    struct bight_tls_context *context = wire_client_context(NULL);
    struct bight_stream *client, *mute;
    struct bight_address address;

    (void)arg;
    ck_ok(bight_tcp_listen(&silent, "127.0.0.1", 0, NULL));
    ck_ok(bight_listener_address(silent, &address));
    for (int way = 0; way < 2; way++) {
        struct bight_task *task;
        int status;

        ck_ok(bight_spawn(&task, serves, &service));
        ck_ok(bight_tcp_connect(&mute, "127.0.0.1", address.port, NULL, NULL));
        ck_ok(bight_tls_connect(&client, "127.0.0.1", address.port, context, NULL, NULL));
        ck_ok(bight_sleep(5));
        ck_assert_int_eq(bight_task_cancel(task), 1);
        ck_ok(bight_join(task, &status));
        ck_code(status, BIGHT_ECANCELED);
        ck_assert_int_eq(service.cancelled, way + 1);
        bight_stream_abort(client);
        bight_stream_abort(mute);
    }
    ck_code(bight_timeout(20, serves, &service), BIGHT_ETIMEDOUT);
    bight_tls_context_free(service.context);
    bight_tls_context_free(context);
    return bight_listener_end(silent);
}

static const struct suite_case cases[] = {
    world_case(a_handshake_has_a_deadline, out_of_time),
    world_case(a_cancelled_handshake_gives_the_stream_back, cancelled),
    world_case(a_handshake_that_begins_cancelled_says_so, cancelled_before),
    world_case(an_abort_below_ends_the_handshake, aborted),
    world_case(a_peer_breaks_the_handshake_off, broken_off),
    world_case(a_client_woken_then_cancelled_keeps_what_came, client_woken_then_cancelled),
    world_case(a_server_woken_then_cancelled_answers_and_ends, server_woken_then_cancelled),
    world_case(cancelled_then_woken_it_takes_nothing, cancelled_then_woken),
    world_case(a_connect_that_ends_early_leaves_nothing, connect_ends),
    world_case(a_server_that_ends_early_ends_its_connections, serve_ends),
};

test_suite("tls_waits", cases, .open = wire_open, .close = wire_close);
