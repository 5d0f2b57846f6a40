/* net/stream/serve.c: what the end of the listener and of the call mean to those who are served. */
#include "tests/net/stream/served.h"

static int close_own_server(struct bight_stream *stream, void *arg)
{
    struct server *server = arg;
    char line[16];
    int64_t count = bight_stream_read_line(stream, line, sizeof(line));

    if (count < 0)
        return (int)count;
    ck_ok(bight_listener_close(server->listener));
    return bight_stream_write(stream, "1", 1);
}

static int closed_by_a_handler(void *arg)
{
    struct server server = {0};
    char answer;
    int fd;

    (void)arg;
    server_begin(&server, close_own_server);
    fd = server_dial(&server);
    ck_assert_int_eq(write(fd, "close\n", 6), 6);
    ck_ok(bight_join(server.task, &server.last_code));
    ck_ok(server.last_code);
    ck_assert_int_eq(recv(fd, &answer, 1, 0), 1);
    ck_assert_int_eq(answer, '1');
    server_expect_end(fd);
    ck_code(bight_listener_fd(server.listener), BIGHT_ECLOSED);
    ck_code(bight_serve(server.listener, server_echo, &server, NULL), BIGHT_ECLOSED);
    return bight_listener_end(server.listener);
}

static int closed_with_its_last_client(void *arg)
{
    struct server server = {0};
    int fd;

    (void)arg;
    fd = server_begin_with_client(&server, server_echo);
    close(fd);
    return server_close(&server);
}

/* Reads lines, and is done when it may be stopped between two of them. */
static int says_goodbye(struct bight_stream *stream, void *arg)
{
    struct server *server = arg;
    struct bight_scope scope;
    char line[16];
    int64_t got;
    int rc;

    server->begun++;
    do {
        ck_ok(bight_scope_begin(&scope, -1, BIGHT_SCOPE_STOPPABLE));
        got = bight_stream_read_line(stream, line, sizeof(line));
        rc = bight_scope_end(&scope, got < 0 ? (int)got : 0);
        if (rc == 0)
            ck_ok(bight_sleep(20)); /* work that goes on */
    } while (rc == 0);
    ck_code(rc, BIGHT_EDRAIN);
    ck_ok(bight_stream_write(stream, "bye\n", 4));
    server->ended++;
    return rc;
}

static int drained(void *arg)
{
    struct server server = {0};
    char answer[16];
    int fds[2], status;

    (void)arg;
    server.options.on_failure = server_on_failure;
    server.options.callback_arg = &server;
    server_begin_with_clients(&server, says_goodbye, fds, 2);
    ck_assert_int_eq(write(fds[0], "work\n", 5), 5);
    ck_ok(bight_sleep(5));
    ck_assert(bight_task_drain(server.task));
    ck_ok(bight_join(server.task, &status));
    ck_ok(status);
    ck_assert_uint_eq(server.ended, 2);
    ck_assert_uint_eq(server.failures, 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(recv(fds[i], answer, sizeof(answer), 0), 4);
        close(fds[i]);
    }
    ck_code(bight_listener_close(server.listener), BIGHT_EALREADY);
    return bight_listener_end(server.listener);
}

/* The system has made the connections, and the loop has not heard of them. */
static int drained_with_a_backlog(void *arg)
{
    struct server server = {.options = {.max_connections = (size_t) * (int *)arg}};
    int fds[4], status;
    char byte;

    server_begin_with_clients(&server, server_echo, fds, 1);
    for (int i = 1; i < 4; i++)
        fds[i] = server_dial(&server);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(write(fds[i], "x", 1), 1);
    ck_assert(bight_task_drain(server.task));
    ck_ok(bight_yield());
    for (int i = 0; i < 4; i++)
        shutdown(fds[i], SHUT_WR);
    ck_ok(bight_join(server.task, &status));
    ck_ok(status);
    ck_assert_uint_eq(server.ended, server.options.max_connections ? 2 : 4);
    for (int i = 0; i < (int)server.ended; i++) {
        ck_assert_int_eq(recv(fds[i], &byte, 1, 0), 1);
        close(fds[i]);
    }
    for (int i = (int)server.ended; i < 4; i++)
        server_expect_reset(fds[i]);
    return bight_listener_end(server.listener);
}

static void a_drain_serves_what_the_system_has_taken(int i)
{
    int max_connections = i ? 2 : 0;

    ck_ok(world_run(drained_with_a_backlog, &max_connections, NULL));
}

static int cancelled(void *arg)
{
    struct server server = {0};
    struct bight_stream *later;
    int fds[3];

    (void)arg;
    server_begin_with_clients(&server, server_hold, fds, 3);
    bight_task_cancel(server.task);
    ck_ok(bight_join(server.task, &server.last_code));
    ck_code(server.last_code, BIGHT_ECANCELED);
    ck_assert_uint_eq(server.ended, 3);
    for (int i = 0; i < 3; i++)
        server_expect_reset(fds[i]);
    /* The listener is as it was. */
    fds[0] = server_dial(&server);
    ck_ok(bight_listener_accept(&later, server.listener));
    ck_ok(bight_stream_end(later, 0));
    close(fds[0]);
    return bight_listener_end(server.listener);
}

static int write_for_ever(struct bight_stream *stream, void *arg)
{
    static const char data[65536];
    int rc;

    ((struct server *)arg)->begun++;
    do {
        rc = bight_stream_write(stream, data, sizeof(data));
    } while (rc == 0);
    ((struct server *)arg)->ended++;
    return rc;
}

static int cancelled_with_unsent_data(void *arg)
{
    struct server server = {0};
    int fd;

    (void)arg;
    fd = server_begin_with_client(&server, write_for_ever);
    ck_ok(bight_sleep(30)); /* until it takes no more */
    bight_task_cancel(server.task);
    ck_code(server_join(&server), BIGHT_ECANCELED);
    ck_assert_uint_eq(server.ended, 1);
    close(fd);
    return 0;
}

static int cancel_main(void *arg)
{
    bight_task_cancel(((struct server *)arg)->task);
    return 0;
}

/* The server takes three connections, and is cancelled before a handler had a turn. */
static int cancelled_before_handlers_begin(void *arg)
{
    struct server server = {.listener = wire_listen("127.0.0.1", 0), .handler = server_hold};
    int fds[3];

    (void)arg;
    for (int i = 0; i < 3; i++)
        fds[i] = server_dial(&server);
    ck_ok(bight_spawn(&server.task, server_main, &server));
    ck_ok(bight_spawn(NULL, cancel_main, &server));
    ck_code(server_join(&server), BIGHT_ECANCELED);
    ck_assert_uint_eq(server.begun, 0);
    for (int i = 0; i < 3; i++)
        server_expect_reset(fds[i]);
    return 0;
}

static int closed_at_the_limit(void *arg)
{
    struct server server = {.options = {.max_connections = 1}};
    int fd;

    (void)arg;
    fd = server_begin_with_client(&server, server_echo);
    ck_ok(bight_sleep(5));
    ck_ok(bight_listener_close(server.listener));
    shutdown(fd, SHUT_WR);
    ck_ok(server_join(&server));
    server_expect_end(fd);
    return 0;
}

static int cancelled_at_the_limit(void *arg)
{
    struct server server = {.options = {.max_connections = 1}};
    int fd;

    (void)arg;
    fd = server_begin_with_client(&server, server_hold);
    ck_ok(bight_sleep(5));
    bight_task_cancel(server.task);
    ck_code(server_join(&server), BIGHT_ECANCELED);
    server_expect_reset(fd);
    return 0;
}

static int closed_in_the_pause(void *arg)
{
    struct server server = {.options = {.pause_ms = 1000000000}};
    struct rlimit before;
    int fd;

    (void)arg;
    server_begin(&server, server_echo);
    fd = server_dial(&server);
    before = wire_few_descriptors(0);
    ck_ok(bight_sleep(5));
    ck_assert_uint_eq(server.begun, 0);
    wire_descriptors_back(before);
    ck_ok(server_close(&server));
    close(fd);
    return 0;
}

static void a_pause_ends_with_the_listener(void)
{
    struct world_reports reports;

    ck_ok(world_run(closed_in_the_pause, NULL, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_PROGRAM], 1);
}

/* The end */

static int sleep_a_little(struct bight_stream *stream, void *arg)
{
    struct server *server = arg;
    int rc;

    server->begun++;
    rc = bight_sleep(50);
    server->ended++;
    return rc ? rc : bight_stream_write(stream, "x", 1);
}

static int drains(void *arg)
{
    struct server server = {.options = {.drain_ms = *(int *)arg}};
    char byte;
    int fd;

    fd = server_begin_with_client(&server, sleep_a_little);
    ck_ok(server_close(&server));
    ck_assert_uint_eq(server.ended, 1);
    ck_assert_int_eq(recv(fd, &byte, 1, 0), 1);
    server_expect_end(fd);
    return 0;
}

static void closing_waits_for_the_handlers(void)
{
    static int times_ms[] = {0, -1, 5000};

    for (int i = 0; i < 3; i++)
        ck_ok(world_run(drains, &times_ms[i], NULL));
}

static int remains(void *arg)
{
    struct server server = {.options = {.drain_ms = 20}};
    int fds[2];

    (void)arg;
    server_begin_with_clients(&server, server_hold, fds, 2);
    ck_ok(server_close(&server));
    ck_assert_uint_eq(server.ended, 2);
    server_expect_reset(fds[0]);
    server_expect_reset(fds[1]);
    return 0;
}

static void who_remains_after_the_drain_is_reported_by_name_and_cancelled(void)
{
    struct world_reports reports;

    ck_ok(world_run(remains, NULL, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_PROGRAM], 2);
    ck_code(reports.last_code, BIGHT_ETIMEDOUT);
    ck_assert_int_eq(strncmp(reports.last_task, "tcp 127.0.0.1:", 14), 0);
}

static void on_remaining(void *arg, const struct bight_stream *stream)
{
    struct server *server = arg;

    server->remaining++;
    bight_stream_describe(stream, server->last_peer, sizeof(server->last_peer));
}

static int tells_remaining(void *arg)
{
    struct server server = {.options = {.drain_ms = 20, .on_remaining = on_remaining}};
    int fd;

    (void)arg;
    fd = server_begin_with_client(&server, server_hold);
    ck_ok(server_close(&server));
    ck_assert_uint_eq(server.remaining, 1);
    ck_assert_int_eq(strncmp(server.last_peer, "tcp 127.0.0.1:", 14), 0);
    server_expect_reset(fd);
    return 0;
}

static int cancelled_in_the_drain(void *arg)
{
    struct server server = {.options = {.drain_ms = -1}};
    int fd;

    (void)arg;
    fd = server_begin_with_client(&server, server_hold);
    ck_ok(bight_listener_close(server.listener));
    ck_ok(bight_sleep(5));
    ck_assert(!bight_task_done(server.task));
    bight_task_cancel(server.task);
    ck_code(server_join(&server), BIGHT_ECANCELED);
    server_expect_reset(fd);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(a_drain_around_it_closes_it_and_lets_handlers_end, drained),
    each_case(a_drain_serves_what_the_system_has_taken, 2),
    world_case(a_handler_can_close_the_listener, closed_by_a_handler),
    world_case(the_listener_can_be_closed_with_the_last_client, closed_with_its_last_client),
    world_case(cancelling_the_call_cancels_the_handlers_and_leaves_the_listener, cancelled),
    world_case(cancelling_the_call_drops_unsent_data, cancelled_with_unsent_data),
    world_case(connections_whose_handler_never_began_are_reset, cancelled_before_handlers_begin),
    world_case(at_the_limit_the_listener_can_be_closed, closed_at_the_limit),
    world_case(at_the_limit_the_call_can_be_cancelled, cancelled_at_the_limit),
    plain_case(a_pause_ends_with_the_listener),
    plain_case(closing_waits_for_the_handlers),
    plain_case(who_remains_after_the_drain_is_reported_by_name_and_cancelled),
    world_case(a_callback_can_be_told_who_remains, tells_remaining),
    world_case(cancelling_the_call_ends_the_drain, cancelled_in_the_drain),
};

test_suite("serve_end", cases);
