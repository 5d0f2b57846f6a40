/* net/stream/serve.c: a task per connection, how many of them, and what the end of the listener, of
 * the call and of a handler mean to the others. */
#include "tests/net/stream/wire.h"

#include <stdio.h>

/* A bight_serve in a task of its own. */
struct server {
    struct bight_listener *listener;
    struct bight_serve_options options;
    int (*handler)(struct bight_stream *stream, void *arg);
    struct bight_task *task;
    size_t begun, ended;
    /* What the callbacks were told. */
    size_t failures, remaining;
    int last_code;
    char last_peer[64];
};

static int server_main(void *arg)
{
    struct server *server = arg;

    return bight_serve(server->listener, server->handler, server, &server->options);
}

static void server_begin(struct server *server,
                         int (*handler)(struct bight_stream *stream, void *arg))
{
    server->listener = wire_listen("127.0.0.1", 0);
    server->handler = handler;
    ck_ok(bight_spawn(&server->task, server_main, server));
    world_settle();
}

static int server_join(struct server *server)
{
    int status;

    ck_ok(bight_join(server->task, &status));
    ck_ok(bight_listener_end(server->listener));
    return status;
}

static int server_close(struct server *server)
{
    ck_ok(bight_listener_close(server->listener));
    return server_join(server);
}

static void wait_for(const size_t *count, size_t value)
{
    while (*count < value)
        ck_ok(bight_sleep(1));
    ck_assert_uint_eq(*count, value);
}

static void on_failure(void *arg, const struct bight_stream *stream, int code)
{
    struct server *server = arg;

    server->failures++;
    server->last_code = code;
    bight_stream_describe(stream, server->last_peer, sizeof(server->last_peer));
}

static void on_remaining(void *arg, const struct bight_stream *stream)
{
    struct server *server = arg;

    server->remaining++;
    bight_stream_describe(stream, server->last_peer, sizeof(server->last_peer));
}

static void expect_end(int fd)
{
    char byte;

    ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
    close(fd);
}

static void expect_reset(int fd)
{
    char byte;

    ck_assert_int_eq(recv(fd, &byte, 1, 0), -1);
    ck_assert_int_eq(errno, ECONNRESET);
    close(fd);
}

/* Handlers */

static int echo(struct bight_stream *stream, void *arg)
{
    struct server *server = arg;
    int64_t count;
    char data[256];
    int rc = 0;

    server->begun++;
    while (rc == 0 && (count = bight_stream_read(stream, data, sizeof(data))) > 0)
        rc = bight_stream_write(stream, data, (size_t)count);
    server->ended++;
    return rc ? rc : (int)count;
}

static int hold(struct bight_stream *stream, void *arg)
{
    struct server *server = arg;
    int rc;

    (void)stream;
    server->begun++;
    rc = bight_sleep(-1);
    server->ended++;
    return rc;
}

static int give_up(struct bight_stream *stream, void *arg)
{
    struct server *server = arg;

    (void)stream;
    server->begun++;
    return server->last_code;
}

static int cancel_itself(struct bight_stream *stream, void *arg)
{
    (void)stream;
    ((struct server *)arg)->begun++;
    bight_task_cancel(bight_self());
    return bight_sleep(1);
}

/* Cases */

static void talk(struct server *server, const char *line)
{
    struct bight_stream *client = NULL;
    char answer[64];

    ck_ok(bight_tcp_connect(&client, "127.0.0.1", wire_port(server->listener), NULL, NULL));
    ck_ok(bight_stream_write(client, line, strlen(line)));
    ck_assert_int_eq(bight_stream_read_line(client, answer, sizeof(answer)), (int)strlen(line) - 1);
    ck_assert_mem_eq(answer, line, strlen(line) - 1);
    ck_ok(bight_stream_end(client, -1));
}

static int echoes(void *arg)
{
    struct server server = {0};

    (void)arg;
    server_begin(&server, echo);
    talk(&server, "hello world!\n");
    talk(&server, "hello again!\n");
    wait_for(&server.ended, 2);
    return server_close(&server);
}

static bool named(void *arg, struct bight_task *task)
{
    if (!strcmp(bight_task_name(task), arg))
        *(char *)arg = '\0';
    return *(char *)arg;
}

static int names(void *arg)
{
    struct server server = {0};
    struct sockaddr_in own;
    socklen_t bytes = sizeof(own);
    char name[64];
    int fd;

    (void)arg;
    server_begin(&server, hold);
    fd = wire_dial(wire_port(server.listener));
    wait_for(&server.begun, 1);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&own, &bytes), 0);
    snprintf(name, sizeof(name), "tcp 127.0.0.1:%u", ntohs(own.sin_port));
    bight_tasks(named, name);
    ck_assert_str_eq(name, "");
    bight_task_cancel(server.task);
    ck_code(server_join(&server), BIGHT_ECANCELED);
    expect_reset(fd);
    return 0;
}

static int many(void *arg)
{
    enum { MANY = 300 };
    struct server server = {0};
    int fds[MANY];
    char byte;

    (void)arg;
    server_begin(&server, echo);
    for (int i = 0; i < MANY; i++)
        fds[i] = wire_dial(wire_port(server.listener));
    wait_for(&server.begun, MANY);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(write(fds[i], "x", 1), 1);
    ck_ok(bight_sleep(20));
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(read(fds[i], &byte, 1), 1);
        ck_assert_int_eq(shutdown(fds[i], SHUT_WR), 0);
    }
    ck_ok(server_close(&server)); /* which waits for them */
    ck_assert_uint_eq(server.ended, MANY);
    for (int i = 0; i < MANY; i++)
        expect_end(fds[i]);
    return 0;
}

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
    fd = wire_dial(wire_port(server.listener));
    ck_assert_int_eq(write(fd, "close\n", 6), 6);
    ck_ok(bight_join(server.task, &server.last_code));
    ck_ok(server.last_code);
    ck_assert_int_eq(recv(fd, &answer, 1, 0), 1);
    ck_assert_int_eq(answer, '1');
    expect_end(fd);
    ck_code(bight_listener_fd(server.listener), BIGHT_ECLOSED);
    ck_code(bight_serve(server.listener, echo, &server, NULL), BIGHT_ECLOSED);
    return bight_listener_end(server.listener);
}

static int closed_with_its_last_client(void *arg)
{
    struct server server = {0};
    int fd;

    (void)arg;
    server_begin(&server, echo);
    fd = wire_dial(wire_port(server.listener));
    wait_for(&server.begun, 1);
    close(fd);
    return server_close(&server);
}

static int cancelled(void *arg)
{
    struct server server = {0};
    struct bight_stream *later;
    int fds[3];

    (void)arg;
    server_begin(&server, hold);
    for (int i = 0; i < 3; i++)
        fds[i] = wire_dial(wire_port(server.listener));
    wait_for(&server.begun, 3);
    bight_task_cancel(server.task);
    ck_ok(bight_join(server.task, &server.last_code));
    ck_code(server.last_code, BIGHT_ECANCELED);
    ck_assert_uint_eq(server.ended, 3);
    for (int i = 0; i < 3; i++)
        expect_reset(fds[i]);
    /* The listener is as it was. */
    fds[0] = wire_dial(wire_port(server.listener));
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
    server_begin(&server, write_for_ever);
    fd = wire_dial(wire_port(server.listener));
    wait_for(&server.begun, 1);
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
    struct server server = {.listener = wire_listen("127.0.0.1", 0), .handler = hold};
    int fds[3];

    (void)arg;
    for (int i = 0; i < 3; i++)
        fds[i] = wire_dial(wire_port(server.listener));
    ck_ok(bight_spawn(&server.task, server_main, &server));
    ck_ok(bight_spawn(NULL, cancel_main, &server));
    ck_code(server_join(&server), BIGHT_ECANCELED);
    ck_assert_uint_eq(server.begun, 0);
    for (int i = 0; i < 3; i++)
        expect_reset(fds[i]);
    return 0;
}

/* Failures */

static int failing(void *arg)
{
    struct server server = {.last_code = *(int *)arg};
    int fds[2];

    server_begin(&server, give_up);
    fds[0] = wire_dial(wire_port(server.listener));
    fds[1] = wire_dial(wire_port(server.listener)); /* the first failure stops nothing */
    wait_for(&server.begun, 2);
    ck_ok(server_close(&server));
    expect_reset(fds[0]);
    expect_reset(fds[1]);
    return 0;
}

static void a_failed_handler_is_reported_and_its_connection_reset(void)
{
    struct world_reports reports;
    int code = BIGHT_EPROTOCOL;

    ck_ok(world_run(failing, &code, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_UNSEEN_FAILURE], 2);
    ck_code(reports.last_code, code);
    ck_assert_int_eq(strncmp(reports.last_task, "tcp 127.0.0.1:", 14), 0);
}

static void a_peer_that_went_away_is_not_reported(void)
{
    static int codes[] = {BIGHT_ECONNRESET, BIGHT_EPIPE, BIGHT_EOF};

    for (int i = 0; i < 3; i++)
        ck_ok(world_run(failing, &codes[i], NULL));
}

static void a_handler_that_says_cancelled_and_was_not_is_reported(void)
{
    struct world_reports reports;
    int code = BIGHT_ECANCELED;

    ck_ok(world_run(failing, &code, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_UNSEEN_FAILURE], 2);
}

static int tells_failures(void *arg)
{
    struct server server = {.last_code = BIGHT_EPIPE};
    int fd;

    (void)arg;
    server.options =
        (struct bight_serve_options){.on_failure = on_failure, .callback_arg = &server};
    server_begin(&server, give_up);
    fd = wire_dial(wire_port(server.listener));
    wait_for(&server.failures, 1);
    ck_code(server.last_code, BIGHT_EPIPE);
    ck_assert_int_eq(strncmp(server.last_peer, "tcp 127.0.0.1:", 14), 0);
    close(fd);
    return server_close(&server);
}

static int cancels_itself(void *arg)
{
    struct server server = {0};
    int fd;

    (void)arg;
    server_begin(&server, cancel_itself);
    fd = wire_dial(wire_port(server.listener));
    wait_for(&server.begun, 1);
    ck_ok(server_close(&server));
    expect_reset(fd);
    return 0;
}

/* Limits */

static int limited(void *arg)
{
    struct server server = {.options = {.max_connections = 2}};
    int fds[4];

    (void)arg;
    server_begin(&server, echo);
    for (int i = 0; i < 4; i++)
        fds[i] = wire_dial(wire_port(server.listener));
    wait_for(&server.begun, 2);
    ck_ok(bight_sleep(20));
    ck_assert_uint_eq(server.begun, 2);
    close(fds[0]);
    wait_for(&server.begun, 3);
    close(fds[1]);
    wait_for(&server.begun, 4);
    close(fds[2]);
    wait_for(&server.ended, 3);
    close(fds[3]);
    return server_close(&server);
}

static int closed_at_the_limit(void *arg)
{
    struct server server = {.options = {.max_connections = 1}};
    int fd;

    (void)arg;
    server_begin(&server, echo);
    fd = wire_dial(wire_port(server.listener));
    wait_for(&server.begun, 1);
    ck_ok(bight_sleep(5));
    ck_ok(bight_listener_close(server.listener));
    shutdown(fd, SHUT_WR);
    ck_ok(server_join(&server));
    expect_end(fd);
    return 0;
}

static int cancelled_at_the_limit(void *arg)
{
    struct server server = {.options = {.max_connections = 1}};
    int fd;

    (void)arg;
    server_begin(&server, hold);
    fd = wire_dial(wire_port(server.listener));
    wait_for(&server.begun, 1);
    ck_ok(bight_sleep(5));
    bight_task_cancel(server.task);
    ck_code(server_join(&server), BIGHT_ECANCELED);
    expect_reset(fd);
    return 0;
}

static int without_descriptors(void *arg)
{
    struct server server = {.options = {.pause_ms = 10}};
    struct rlimit before;
    int fds[2];

    (void)arg;
    server_begin(&server, echo);
    for (int i = 0; i < 2; i++)
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    before = wire_few_descriptors(1);
    for (int i = 0; i < 2; i++) {
        struct sockaddr_in name = wire_name("127.0.0.1", wire_port(server.listener));

        ck_assert_int_eq(connect(fds[i], (struct sockaddr *)&name, sizeof(name)), 0);
    }
    wait_for(&server.begun, 1);
    ck_ok(bight_sleep(55)); /* several attempts */
    ck_assert_uint_eq(server.begun, 1);
    wire_descriptors_back(before);
    wait_for(&server.begun, 2);
    close(fds[0]);
    close(fds[1]);
    return server_close(&server);
}

static void without_descriptors_it_pauses_reports_once_and_goes_on(void)
{
    struct world_reports reports;

    ck_ok(world_run(without_descriptors, NULL, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_PROGRAM], 1);
    ck_code(reports.last_code, BIGHT_EMFILE);
}

/* A pause that is too long for the case ends when a connection does. */
static int freed_descriptors(void *arg)
{
    struct server server = {.options = {.pause_ms = 1000000000}};
    struct rlimit before;
    int fds[2];

    (void)arg;
    server_begin(&server, echo);
    for (int i = 0; i < 2; i++)
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    before = wire_few_descriptors(1);
    for (int i = 0; i < 2; i++) {
        struct sockaddr_in name = wire_name("127.0.0.1", wire_port(server.listener));

        ck_assert_int_eq(connect(fds[i], (struct sockaddr *)&name, sizeof(name)), 0);
    }
    wait_for(&server.begun, 1);
    ck_ok(bight_sleep(5));
    shutdown(fds[0], SHUT_WR);
    wait_for(&server.begun, 2);
    wire_descriptors_back(before);
    close(fds[0]);
    close(fds[1]);
    return server_close(&server);
}

static void a_pause_ends_when_a_connection_does(void)
{
    struct world_reports reports;

    ck_ok(world_run(freed_descriptors, NULL, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_PROGRAM], 1);
}

static int closed_in_the_pause(void *arg)
{
    struct server server = {.options = {.pause_ms = 1000000000}};
    struct rlimit before;
    int fd;

    (void)arg;
    server_begin(&server, echo);
    fd = wire_dial(wire_port(server.listener));
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

    server_begin(&server, sleep_a_little);
    fd = wire_dial(wire_port(server.listener));
    wait_for(&server.begun, 1);
    ck_ok(server_close(&server));
    ck_assert_uint_eq(server.ended, 1);
    ck_assert_int_eq(recv(fd, &byte, 1, 0), 1);
    expect_end(fd);
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
    server_begin(&server, hold);
    for (int i = 0; i < 2; i++)
        fds[i] = wire_dial(wire_port(server.listener));
    wait_for(&server.begun, 2);
    ck_ok(server_close(&server));
    ck_assert_uint_eq(server.ended, 2);
    expect_reset(fds[0]);
    expect_reset(fds[1]);
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

static int tells_remaining(void *arg)
{
    struct server server = {0};
    int fd;

    (void)arg;
    server.options = (struct bight_serve_options){
        .drain_ms = 20, .on_remaining = on_remaining, .callback_arg = &server};
    server_begin(&server, hold);
    fd = wire_dial(wire_port(server.listener));
    wait_for(&server.begun, 1);
    ck_ok(server_close(&server));
    ck_assert_uint_eq(server.remaining, 1);
    ck_assert_int_eq(strncmp(server.last_peer, "tcp 127.0.0.1:", 14), 0);
    expect_reset(fd);
    return 0;
}

static int cancelled_in_the_drain(void *arg)
{
    struct server server = {.options = {.drain_ms = -1}};
    int fd;

    (void)arg;
    server_begin(&server, hold);
    fd = wire_dial(wire_port(server.listener));
    wait_for(&server.begun, 1);
    ck_ok(bight_listener_close(server.listener));
    ck_ok(bight_sleep(5));
    ck_assert(!bight_task_done(server.task));
    bight_task_cancel(server.task);
    ck_code(server_join(&server), BIGHT_ECANCELED);
    expect_reset(fd);
    return 0;
}

static int refuses(void *arg)
{
    struct server server = {0};

    (void)arg;
    server_begin(&server, echo);
    ck_code(bight_serve(server.listener, echo, NULL, NULL), BIGHT_EALREADY);
    ck_code(bight_listener_end(server.listener), BIGHT_EBUSY);
    ck_code(bight_serve(NULL, echo, NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_serve(server.listener, NULL, NULL, NULL), BIGHT_EINVAL);
    return server_close(&server);
}

static int unix_server(void *arg)
{
    struct server server = {.handler = echo};
    struct bight_stream *client = NULL;
    char name[64], answer[16];

    (void)arg;
    snprintf(name, sizeof(name), "@bight-serve-%d", getpid());
    ck_ok(bight_unix_listen(&server.listener, name, NULL));
    ck_ok(bight_spawn(&server.task, server_main, &server));
    ck_ok(bight_unix_connect(&client, name));
    ck_ok(bight_stream_write(client, "hello world!\n", 13));
    ck_assert_int_eq(bight_stream_read_line(client, answer, sizeof(answer)), 12);
    ck_ok(bight_stream_end(client, 0));
    return server_close(&server);
}

static const struct suite_case cases[] = {
    world_case(each_client_is_served_by_a_task_of_its_own, echoes),
    world_case(each_client_is_served_on_a_unix_socket_too, unix_server),
    world_case(a_task_is_called_by_the_address_of_its_peer, names),
    world_case(hundreds_are_served_and_waited_for, many),
    world_case(a_handler_can_close_the_listener, closed_by_a_handler),
    world_case(the_listener_can_be_closed_with_the_last_client, closed_with_its_last_client),
    world_case(cancelling_the_call_cancels_the_handlers_and_leaves_the_listener, cancelled),
    world_case(cancelling_the_call_drops_unsent_data, cancelled_with_unsent_data),
    world_case(connections_whose_handler_never_began_are_reset, cancelled_before_handlers_begin),
    plain_case(a_failed_handler_is_reported_and_its_connection_reset),
    plain_case(a_peer_that_went_away_is_not_reported),
    plain_case(a_handler_that_says_cancelled_and_was_not_is_reported),
    world_case(a_callback_can_be_told_of_every_failure, tells_failures),
    world_case(a_handler_that_is_cancelled_has_not_failed, cancels_itself),
    world_case(the_limit_keeps_further_connections_waiting, limited),
    world_case(at_the_limit_the_listener_can_be_closed, closed_at_the_limit),
    world_case(at_the_limit_the_call_can_be_cancelled, cancelled_at_the_limit),
    plain_case(without_descriptors_it_pauses_reports_once_and_goes_on),
    plain_case(a_pause_ends_when_a_connection_does),
    plain_case(a_pause_ends_with_the_listener),
    plain_case(closing_waits_for_the_handlers),
    plain_case(who_remains_after_the_drain_is_reported_by_name_and_cancelled),
    world_case(a_callback_can_be_told_who_remains, tells_remaining),
    world_case(cancelling_the_call_ends_the_drain, cancelled_in_the_drain),
    world_case(what_cannot_be_served_is_refused, refuses),
};

test_suite("serve", cases);
