/* A server with a listener: connections and handlers that are counted, its end, and what only
 * sockets do. */
#include "tests/net/server/listened.h"

#include <string.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\n"

/* Handlers */

static int hello(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    listened.begun++;
    return bight_exchange_answer(exchange, 200, NULL, "hello\n", 6);
}

/* Until it is cancelled, or told to go on. */
static int waits(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    listened.begun++;
    listened.last = bight_event_wait(&listened.go_on);
    listened.returned++;
    return listened.last ? listened.last : bight_exchange_answer(exchange, 200, NULL, "hello\n", 6);
}

/* Answers begun, to be cut off. */
static int begins(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_ok(bight_exchange_begin(exchange, 200, -1));
    ck_ok(bight_exchange_write(exchange, "half", 4));
    return BIGHT_EIO;
}

/* Both kinds of sockets: `arg` says which. */

static bool local = true;

static int answers(void *arg)
{
    struct bight_stream *client;

    listened_begin(hello, NULL, arg != NULL);
    client = listened_dial();
    listened_say(client, GET GET);
    ck_assert(listened_has(listened_hear(client, "hello\n"), OK));
    listened_say(client, GET);
    ck_assert(listened_has(listened_hear(client, "hello\n"), OK));
    ck_ok(bight_stream_end(client, 0));
    ck_ok(listened_end());
    ck_assert_int_eq(listened.failures, 0);
    ck_assert_int_eq(listened.drains, 1);
    return 0;
}

static int reset_cancels(void *arg)
{
    struct bight_stream *client;

    listened_begin(waits, NULL, arg != NULL);
    client = listened_dial();
    listened_say(client, GET);
    listened_wait(&listened.begun, 1);
    bight_stream_abort(client);
    listened_wait(&listened.returned, 1);
    ck_code(listened.last, BIGHT_ECANCELED);
    ck_assert_int_eq(listened.failures, 0);
    return listened_end();
}

static int half_closed(void *arg)
{
    struct bight_stream *client;

    listened_begin(waits, NULL, arg != NULL);
    client = listened_dial();
    listened_say(client, GET);
    ck_ok(bight_stream_shutdown(client));
    listened_wait(&listened.begun, 1);
    ck_ok(bight_sleep(5));
    ck_assert_int_eq(listened.returned, 0);
    bight_event_set(&listened.go_on);
    ck_assert(listened_has(listened_hear(client, "<end>"), "hello\n<end>"));
    ck_ok(bight_stream_end(client, 0));
    return listened_end();
}

static int half_closed_is_closed(void *arg)
{
    const struct bight_http_serve_options options = {.cancel_on_end = true};
    struct bight_stream *client;

    listened_begin(waits, &options, arg != NULL);
    client = listened_dial();
    listened_say(client, GET);
    listened_wait(&listened.begun, 1);
    ck_ok(bight_stream_shutdown(client));
    listened_wait(&listened.returned, 1);
    ck_code(listened.last, BIGHT_ECANCELED);
    ck_ok(bight_stream_end(client, 0));
    return listened_end();
}

/* TCP alone can say that. */
static int half_an_answer(void *arg)
{
    struct bight_stream *client;

    (void)arg;
    listened_begin(begins, NULL, false);
    client = listened_dial();
    listened_say(client, GET);
    ck_assert(listened_has(listened_hear(client, "<reset>"), "<reset>"));
    ck_ok(bight_stream_end(client, 0));
    client = listened_dial();
    listened_say(client, "GET / HTTP/1.0\r\n\r\n");
    ck_assert(listened_has(listened_hear(client, "<reset>"), "<reset>"));
    ck_ok(bight_stream_end(client, 0));
    ck_assert_int_eq(listened.failures, 2);
    return listened_end();
}

/* A refusal is not overtaken by a reset, though the client has said more than was read. */
static int refusal_arrives(void *arg)
{
    static char much[100000];
    struct bight_stream *client;
    const char *answer;

    (void)arg;
    listened_begin(hello, NULL, false);
    client = listened_dial();
    memset(much, 'x', sizeof(much) - 1);
    listened_say(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n");
    listened_say(client, much);
    answer = listened_hear(client, "<end>");
    ck_assert(listened_has(answer, "HTTP/1.1 400 ") && listened_has(answer, "<end>"));
    ck_ok(bight_stream_end(client, 0));
    ck_assert_int_eq(listened.begun, 0);
    return listened_end();
}

/* Numbers */

static int many_running(void *arg)
{
    const struct bight_http_serve_options one = {.max_running = 1, .retry_after_s = 7};
    struct bight_stream *first, *second;
    const char *answer;

    (void)arg;
    listened_begin(waits, &one, false);
    first = listened_dial();
    second = listened_dial();
    listened_say(first, GET);
    listened_wait(&listened.begun, 1);
    listened_say(second, GET);
    answer = listened_hear(second, "Unavailable\n");
    ck_assert(listened_has(answer, "HTTP/1.1 503 ") &&
              listened_has(answer, "\r\nRetry-After: 7\r\n"));
    ck_assert(!listened_has(answer, "Connection"));
    ck_assert_int_eq(listened.begun, 1);
    bight_event_set(&listened.go_on);
    ck_assert(listened_has(listened_hear(first, "hello\n"), OK));
    listened_say(second, GET);
    ck_assert(listened_has(listened_hear(second, "hello\n"), OK));
    ck_ok(bight_stream_end(first, 0));
    ck_ok(bight_stream_end(second, 0));
    return listened_end();
}

static int many_of_a_peer(void *arg)
{
    const struct bight_http_serve_options two = {.max_per_peer = 2};
    struct bight_stream *clients[3];
    const char *answer;

    (void)arg;
    listened_begin(hello, &two, false);
    for (int i = 0; i < 3; i++) {
        clients[i] = listened_dial();
        listened_say(clients[i], GET);
        answer = listened_hear(clients[i], i < 2 ? "hello\n" : "<end>");
        ck_assert(listened_has(answer, i < 2 ? OK : "HTTP/1.1 503 "));
    }
    ck_assert(listened_has(answer, "\r\nConnection: close\r\n") &&
              listened_has(answer, "\r\nRetry-After: 1\r\n"));
    ck_assert_int_eq(listened.begun, 2);
    ck_ok(bight_stream_end(clients[0], 0));
    do { /* until the server has seen that */
        ck_ok(bight_stream_end(clients[2], 0));
        clients[2] = listened_dial();
        listened_say(clients[2], GET);
        answer = listened_hear(clients[2], "hello\n");
    } while (!listened_has(answer, OK));
    ck_ok(bight_stream_end(clients[1], 0));
    ck_ok(bight_stream_end(clients[2], 0));
    return listened_end();
}

static int no_peers(void *arg)
{
    const struct bight_http_serve_options one = {.max_per_peer = 1};
    struct bight_stream *clients[3];

    (void)arg;
    listened_begin(hello, &one, true);
    for (int i = 0; i < 3; i++) {
        clients[i] = listened_dial();
        listened_say(clients[i], GET);
        ck_assert(listened_has(listened_hear(clients[i], "hello\n"), OK));
    }
    for (int i = 0; i < 3; i++)
        ck_ok(bight_stream_end(clients[i], 0));
    return listened_end();
}

static int many_connections(void *arg)
{
    const struct bight_http_serve_options one = {.serve = {.max_connections = 1}};
    struct bight_stream *first, *second;

    (void)arg;
    listened_begin(hello, &one, false);
    first = listened_dial();
    listened_say(first, GET);
    ck_assert(listened_has(listened_hear(first, "hello\n"), OK));
    second = listened_dial();
    listened_say(second, GET);
    ck_ok(bight_sleep(10));
    ck_assert_int_eq(listened.begun, 1);
    ck_ok(bight_stream_end(first, 0));
    ck_assert(listened_has(listened_hear(second, "hello\n"), OK));
    ck_ok(bight_stream_end(second, 0));
    return listened_end();
}

/* Its end */

static int64_t since_ms(uint64_t begun_ns)
{
    return (int64_t)((bight_now_ns() - begun_ns) / 1000000);
}

static void begin_drain(void *by_scope)
{
    if (by_scope)
        ck_assert(bight_task_drain(listened.server));
    else
        ck_ok(bight_listener_close(listened.listener));
}

static int drained(void *by_scope)
{
    struct bight_stream *busy, *late, *idle, *fresh;
    uint64_t closed_ns;
    const char *answer;
    int status;

    listened_begin(waits, NULL, false);
    busy = listened_dial();
    late = listened_dial();
    idle = listened_dial();
    fresh = listened_dial(); /* has said nothing yet */
    bight_event_set(&listened.go_on);
    listened_say(idle, GET);
    ck_assert(listened_has(listened_hear(idle, "hello\n"), OK));
    listened_say(late, GET);
    ck_assert(listened_has(listened_hear(late, "hello\n"), OK));
    bight_event_clear(&listened.go_on);
    listened_say(busy, GET);
    listened_wait(&listened.begun, 3);
    closed_ns = bight_now_ns();
    begin_drain(by_scope);
    ck_ok(bight_sleep(20));
    ck_assert_int_eq(listened.drains, 1);
    bight_event_set(&listened.go_on);
    answer = listened_hear(busy, "<end>");
    ck_assert(listened_has(answer, "\r\nConnection: close\r\n") &&
              listened_has(answer, "hello\n<end>"));
    listened_say(late, GET GET);
    answer = listened_hear(late, "<end>");
    ck_assert(listened_has(answer, "\r\nConnection: close\r\n") &&
              listened_has(answer, "hello\n<end>"));
    ck_assert_int_eq(listened.begun, 4);
    ck_assert_int_lt(since_ms(closed_ns), 1000);
    ck_assert_str_eq(listened_hear(idle, "<end>"), "<end>");
    ck_assert_str_eq(listened_hear(fresh, "<end>"), "<end>");
    ck_assert_int_ge(since_ms(closed_ns), 990);
    ck_assert_int_eq(listened.remaining, 0);
    ck_ok(bight_stream_end(busy, 0));
    ck_ok(bight_stream_end(late, 0));
    ck_ok(bight_stream_end(idle, 0));
    ck_ok(bight_stream_end(fresh, 0));
    ck_ok(bight_join(listened.server, &status));
    ck_ok(bight_listener_end(listened.listener));
    return status;
}

static int drained_by_a_scope(void *arg)
{
    (void)arg;
    return drained(&listened);
}

static int drained_too_late(void *arg)
{
    const struct bight_http_serve_options hasty = {.serve = {.drain_ms = 30}};
    struct bight_stream *client;
    const char *answer;

    (void)arg;
    listened_begin(waits, &hasty, false);
    client = listened_dial();
    listened_say(client, GET);
    listened_wait(&listened.begun, 1);
    ck_ok(listened_end());
    ck_assert_int_eq(listened.remaining, 1);
    ck_code(listened.last, BIGHT_ECANCELED);
    answer = listened_hear(client, "<end>");
    ck_assert(listened_has(answer, "HTTP/1.1 503 ") &&
              listened_has(answer, "\r\nConnection: close\r\n"));
    ck_assert_int_eq(listened.failures, 0);
    ck_ok(bight_stream_end(client, 0));
    return 0;
}

static int cancelled(void *arg)
{
    struct bight_stream *client, *idle;
    int status;

    (void)arg;
    listened_begin(waits, NULL, false);
    idle = listened_dial();
    client = listened_dial();
    listened_say(client, GET);
    listened_wait(&listened.begun, 1);
    ck_assert(bight_task_cancel(listened.server));
    ck_ok(bight_join(listened.server, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert_int_eq(listened.returned, 1);
    ck_code(listened.last, BIGHT_ECANCELED);
    ck_assert(listened_has(listened_hear(client, "<end>"), "<"));
    ck_assert(listened_has(listened_hear(idle, "<end>"), "<"));
    ck_ok(bight_stream_end(client, 0));
    ck_ok(bight_stream_end(idle, 0));
    return bight_listener_end(listened.listener);
}

static const struct suite_case cases[] = {
    world_case(a_server_answers, answers),
    world_case(one_at_a_unix_socket_too, answers, .arg = &local),
    world_case(a_reset_cancels_the_handler, reset_cancels),
    world_case(the_end_of_a_unix_socket_too, reset_cancels, .arg = &local),
    world_case(a_client_that_has_ended_its_half_gets_its_answer, half_closed),
    world_case(at_a_unix_socket_too, half_closed, .arg = &local),
    world_case(unless_the_server_does_not_want_to, half_closed_is_closed),
    world_case(at_a_unix_socket_neither, half_closed_is_closed, .arg = &local),
    world_case(half_an_answer_is_a_reset, half_an_answer),
    world_case(a_refusal_arrives_though_there_is_more, refusal_arrives),
    world_case(so_many_handlers_run_at_a_time, many_running),
    world_case(a_peer_has_so_many_connections, many_of_a_peer),
    world_case(unix_sockets_have_no_peers, no_peers),
    world_case(there_are_so_many_connections, many_connections),
    world_case(a_server_that_ends_answers_what_it_has, drained),
    world_case(a_drain_around_it_is_such_an_end, drained_by_a_scope),
    world_case(a_handler_that_does_not_return_is_cancelled, drained_too_late),
    world_case(a_server_that_is_cancelled_leaves_nothing, cancelled),
};

test_suite("server_sockets", cases);
