/* net/stream/serve.c: a task per connection, how many of them, and what the failure of a handler
 * and the want of descriptors mean to the others. */
#include <stdio.h>

#include "tests/net/stream/served.h"

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
    server_begin(&server, server_echo);
    talk(&server, "hello world!\n");
    talk(&server, "hello again!\n");
    server_wait(&server.ended, 2);
    return server_close(&server);
}

static int unix_server(void *arg)
{
    struct server server = {0};
    struct bight_stream *client = NULL;
    char name[64], answer[16];

    (void)arg;
    snprintf(name, sizeof(name), "@bight-serve-%d", getpid());
    ck_ok(bight_unix_listen(&server.listener, name, NULL));
    server_begin(&server, server_echo);
    ck_ok(bight_unix_connect(&client, name));
    ck_ok(bight_stream_write(client, "hello world!\n", 13));
    ck_assert_int_eq(bight_stream_read_line(client, answer, sizeof(answer)), 12);
    ck_ok(bight_stream_end(client, 0));
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
    fd = server_begin_with_client(&server, server_hold);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&own, &bytes), 0);
    snprintf(name, sizeof(name), "tcp 127.0.0.1:%u", ntohs(own.sin_port));
    bight_tasks(named, name);
    ck_assert_str_eq(name, "");
    bight_task_cancel(server.task);
    ck_code(server_join(&server), BIGHT_ECANCELED);
    server_expect_reset(fd);
    return 0;
}

static int many(void *arg)
{
    enum { MANY = 300 };
    struct server server = {0};
    int fds[MANY];
    char byte;

    (void)arg;
    server_begin_with_clients(&server, server_echo, fds, MANY);
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
        server_expect_end(fds[i]);
    return 0;
}

/* Failures */

static int give_up(struct bight_stream *stream, void *arg)
{
    struct server *server = arg;

    (void)stream;
    server->begun++;
    return server->last_code;
}

static int failing(void *arg)
{
    struct server server = {.last_code = *(int *)arg};
    int fds[2];

    server_begin(&server, give_up);
    fds[0] = server_dial(&server);
    fds[1] = server_dial(&server); /* the first failure stops nothing */
    server_wait(&server.begun, 2);
    ck_ok(server_close(&server));
    server_expect_reset(fds[0]);
    server_expect_reset(fds[1]);
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
    struct server server = {.options = {.on_failure = server_on_failure}, .last_code = BIGHT_EPIPE};
    int fd;

    (void)arg;
    server_begin(&server, give_up);
    fd = server_dial(&server);
    server_wait(&server.failures, 1);
    ck_code(server.last_code, BIGHT_EPIPE);
    ck_assert_int_eq(strncmp(server.last_peer, "tcp 127.0.0.1:", 14), 0);
    close(fd);
    return server_close(&server);
}

static int cancel_itself(struct bight_stream *stream, void *arg)
{
    (void)stream;
    ((struct server *)arg)->begun++;
    bight_task_cancel(bight_self());
    return bight_sleep(1);
}

static int cancels_itself(void *arg)
{
    struct server server = {0};
    int fd;

    (void)arg;
    fd = server_begin_with_client(&server, cancel_itself);
    ck_ok(server_close(&server));
    server_expect_reset(fd);
    return 0;
}

/* Limits */

static int limited(void *arg)
{
    struct server server = {.options = {.max_connections = 2}};
    int fds[4];

    (void)arg;
    server_begin(&server, server_echo);
    for (int i = 0; i < 4; i++)
        fds[i] = server_dial(&server);
    server_wait(&server.begun, 2);
    ck_ok(bight_sleep(20));
    ck_assert_uint_eq(server.begun, 2);
    close(fds[0]);
    server_wait(&server.begun, 3);
    close(fds[1]);
    server_wait(&server.begun, 4);
    close(fds[2]);
    server_wait(&server.ended, 3);
    close(fds[3]);
    return server_close(&server);
}

/* Two more clients, and a descriptor for one of them; returns the limit to be put back. */
static struct rlimit dial_with_one_descriptor(const struct server *server, int fds[2])
{
    struct sockaddr_in name = wire_name("127.0.0.1", wire_port(server->listener));
    struct rlimit before;

    for (int i = 0; i < 2; i++)
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    before = wire_few_descriptors(1);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(test_connect(fds[i], (struct sockaddr *)&name, sizeof(name)), 0);
    return before;
}

static int without_descriptors(void *arg)
{
    struct server server = {.options = {.pause_ms = 10}};
    struct rlimit before;
    int fds[2];

    (void)arg;
    server_begin(&server, server_echo);
    before = dial_with_one_descriptor(&server, fds);
    server_wait(&server.begun, 1);
    ck_ok(bight_sleep(55)); /* several attempts */
    ck_assert_uint_eq(server.begun, 1);
    wire_descriptors_back(before);
    server_wait(&server.begun, 2);
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
    server_begin(&server, server_echo);
    before = dial_with_one_descriptor(&server, fds);
    server_wait(&server.begun, 1);
    ck_ok(bight_sleep(5));
    shutdown(fds[0], SHUT_WR);
    server_wait(&server.begun, 2);
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

static int refuses(void *arg)
{
    struct server server = {0};

    (void)arg;
    server_begin(&server, server_echo);
    ck_code(bight_serve(server.listener, server_echo, NULL, NULL), BIGHT_EALREADY);
    ck_code(bight_listener_end(server.listener), BIGHT_EBUSY);
    ck_code(bight_serve(NULL, server_echo, NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_serve(server.listener, NULL, NULL, NULL), BIGHT_EINVAL);
    return server_close(&server);
}

static const struct suite_case cases[] = {
    world_case(each_client_is_served_by_a_task_of_its_own, echoes),
    world_case(each_client_is_served_on_a_unix_socket_too, unix_server),
    world_case(a_task_is_called_by_the_address_of_its_peer, names),
    world_case(hundreds_are_served_and_waited_for, many),
    plain_case(a_failed_handler_is_reported_and_its_connection_reset),
    plain_case(a_peer_that_went_away_is_not_reported),
    plain_case(a_handler_that_says_cancelled_and_was_not_is_reported),
    world_case(a_callback_can_be_told_of_every_failure, tells_failures),
    world_case(a_handler_that_is_cancelled_has_not_failed, cancels_itself),
    world_case(the_limit_keeps_further_connections_waiting, limited),
    plain_case(without_descriptors_it_pauses_reports_once_and_goes_on),
    plain_case(a_pause_ends_when_a_connection_does),
    world_case(what_cannot_be_served_is_refused, refuses),
};

test_suite("serve", cases);
