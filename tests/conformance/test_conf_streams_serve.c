/* Streams: servers. */
#include "tests/conformance/conf.h"
#include "tests/net/stream/wire.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

/* A bight_serve in a task. */
struct server {
    struct bight_listener *listener;
    struct bight_serve_options options;
    int (*handler)(struct bight_stream *stream, void *arg);
    struct bight_task *task;
    int begun;
    int ended;
    char saw[16];
};

static int serves(void *arg)
{
    struct server *server = arg;

    return bight_serve(server->listener, server->handler, server, &server->options);
}

static void serve(struct server *server, struct bight_listener *listener,
                  int (*handler)(struct bight_stream *stream, void *arg))
{
    server->listener = listener;
    server->handler = handler;
    ck_ok(bight_spawn(&server->task, serves, server));
    world_settle();
}

static void wait_for(const int *count, int value)
{
    while (*count < value)
        ck_ok(bight_sleep(1));
}

static struct bight_listener *listen_local(const char *path)
{
    struct bight_listener *listener = NULL;

    ck_ok(bight_unix_listen(&listener, path, NULL));
    return listener;
}

static const char *local_name(void)
{
    static char name[64];

    snprintf(name, sizeof(name), "@bight-conf-%d", getpid());
    return name;
}

static int echoes_a_line(struct bight_stream *stream, void *arg)
{
    char line[64];
    int64_t count = bight_stream_read_line(stream, line, sizeof(line) - 1);

    ((struct server *)arg)->begun++;
    if (count < 0)
        return (int)count;
    line[count] = '\n';
    return bight_stream_write(stream, line, (size_t)count + 1);
}

static int waits(struct bight_stream *stream, void *arg)
{
    struct server *server = arg;
    int64_t count;

    server->begun++;
    count = bight_stream_read(stream, server->saw, sizeof(server->saw));
    server->ended++;
    return count < 0 ? (int)count : 0;
}

static void say_hello(struct bight_stream *client)
{
    char line[64];

    ck_ok(bight_stream_write(client, "hello world!\n", 13));
    ck_assert_int_eq(bight_stream_read_line(client, line, sizeof(line)), 12);
    ck_assert_str_eq(line, "hello world!");
    ck_ok(bight_stream_end(client, 0));
}

static int echo_server(void *arg)
{
    struct server server = {0};
    struct bight_stream *client = NULL;

    (void)arg;
    serve(&server, wire_listen("127.0.0.1", 0), echoes_a_line);
    ck_ok(bight_tcp_connect(&client, "127.0.0.1", wire_port(server.listener), NULL, NULL));
    say_hello(client);
    ck_ok(bight_listener_close(server.listener));
    conf_join(server.task, 0);
    ck_ok(bight_listener_end(server.listener));
    serve(&server, listen_local(local_name()), echoes_a_line);
    ck_ok(bight_unix_connect(&client, local_name()));
    say_hello(client);
    ck_ok(bight_listener_close(server.listener));
    conf_join(server.task, 0);
    return bight_listener_end(server.listener);
}

static int ends_its_server(struct bight_stream *stream, void *arg)
{
    struct server *server = arg;
    char line[8192];

    ck_assert_int_eq(bight_stream_read_line(stream, line, sizeof(line)), 5120);
    ck_ok(bight_stream_write(stream, "1", 1));
    bight_task_cancel(server->task);
    return 0;
}

/* The listener exists before somebody serves it, and its clients wait. */
static int served_later(void *arg)
{
    struct server server = {0};
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct bight_stream *client = NULL;
    char data[5121];

    (void)arg;
    ck_ok(bight_tcp_connect(&client, "127.0.0.1", wire_port(listener), NULL, NULL));
    memset(data, 'x', 5120);
    data[5120] = '\n';
    ck_ok(bight_stream_write(client, data, sizeof(data)));
    serve(&server, listener, ends_its_server);
    ck_assert_int_eq(bight_stream_read(client, data, 1), 1);
    ck_assert_int_eq(data[0], '1');
    conf_join(server.task, BIGHT_ECANCELED);
    ck_ok(bight_stream_end(client, 0));
    ck_ok(bight_listener_close(listener));
    ck_code(bight_listener_fd(listener), BIGHT_ECLOSED);
    ck_code(bight_serve(listener, waits, &server, NULL), BIGHT_ECLOSED);
    return bight_listener_end(listener);
}

static int served_explicitly(void *arg)
{
    struct server server = {0};
    struct bight_listener *listener = listen_local(local_name());
    struct bight_stream *client = NULL;

    (void)arg;
    ck_ok(bight_unix_connect(&client, local_name()));
    ck_ok(bight_sleep(5));
    ck_assert_int_eq(server.begun, 0);
    serve(&server, listener, waits);
    wait_for(&server.begun, 1);
    ck_code(bight_serve(listener, waits, &server, NULL), BIGHT_EALREADY);
    bight_task_cancel(server.task);
    conf_join(server.task, BIGHT_ECANCELED);
    ck_assert_int_eq(server.ended, 1);
    ck_ok(bight_stream_end(client, 0));
    ck_ok(bight_listener_end(listener));
    ck_code(bight_unix_connect(&client, local_name()), BIGHT_ECONNREFUSED);
    return 0;
}

struct two_calls {
    struct bight_call listener_call, client_call;
    struct bight_listener *listener;
    int client;
};

static void close_listener(struct bight_call *call)
{
    ck_ok(
        bight_listener_close(bight_container_of(call, struct two_calls, listener_call)->listener));
}

static void close_client(struct bight_call *call)
{
    close(bight_container_of(call, struct two_calls, client_call)->client);
}

static int closed_together(void *arg)
{
    struct server server = {0};
    struct two_calls calls;

    (void)arg;
    serve(&server, wire_listen("127.0.0.1", 0), waits);
    calls.listener = server.listener;
    calls.client = wire_dial(wire_port(server.listener));
    wait_for(&server.begun, 1);
    bight_call_init(&calls.listener_call, close_listener);
    bight_call_init(&calls.client_call, close_client);
    ck_ok(bight_call_soon(&calls.listener_call));
    ck_ok(bight_call_soon(&calls.client_call));
    conf_join(server.task, 0);
    ck_assert_int_eq(server.ended, 1);
    return bight_listener_end(server.listener);
}

static int clients_close(void *arg)
{
    struct server server = {0};
    int client;

    (void)arg;
    serve(&server, wire_listen("127.0.0.1", 0), waits);
    client = wire_dial(wire_port(server.listener));
    wait_for(&server.begun, 1);
    ck_ok(bight_listener_close(server.listener));
    ck_ok(bight_sleep(1));
    ck_assert(!bight_task_done(server.task));
    close(client);
    conf_join(server.task, 0);
    return bight_listener_end(server.listener);
}

static int fills_its_peer(struct bight_stream *stream, void *arg)
{
    static const char data[65536];
    int rc;

    ((struct server *)arg)->begun++;
    do {
        rc = bight_stream_write(stream, data, sizeof(data));
    } while (rc == 0);
    return rc;
}

/* Its clients are the tasks of the call. */
static int clients_abort(void *arg)
{
    struct server server = {0};
    int client;

    (void)arg;
    serve(&server, wire_listen("127.0.0.1", 0), fills_its_peer);
    client = wire_dial(wire_port(server.listener));
    wait_for(&server.begun, 1);
    ck_ok(bight_sleep(20));
    ck_ok(bight_listener_close(server.listener));
    bight_task_cancel(server.task);
    conf_join(server.task, BIGHT_ECANCELED);
    close(client);
    return bight_listener_end(server.listener);
}

static int sees_all(struct bight_stream *stream, void *arg)
{
    struct server *server = arg;
    struct bight_address peer, own;
    int rc = bight_stream_peer_address(stream, &peer);

    server->begun++;
    if (rc == 0) {
        ck_assert_mem_eq(peer.bytes, "\x7f\0\0\1", 4);
        ck_ok(bight_stream_local_address(stream, &own));
        ck_assert_uint_ne(own.port, 0);
    } else {
        ck_code(rc, BIGHT_ENOTSUP);
    }
    ck_assert_int_eq(bight_stream_read(stream, server->saw, sizeof(server->saw)), 3);
    return 0;
}

static int sees_a_connection(void *arg)
{
    struct server server = {0};
    struct bight_stream *client = NULL;
    char byte;
    int fd;

    (void)arg;
    serve(&server, wire_listen("0.0.0.0", 0), sees_all);
    fd = wire_dial(wire_port(server.listener));
    ck_assert_int_eq(write(fd, "xxx", 3), 3);
    wait_for(&server.begun, 1);
    ck_ok(bight_listener_close(server.listener));
    conf_join(server.task, 0);
    ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
    close(fd);
    ck_ok(bight_listener_end(server.listener));
    serve(&server, listen_local(local_name()), sees_all);
    ck_ok(bight_unix_connect(&client, local_name()));
    ck_ok(bight_stream_write(client, "xxx", 3));
    ck_assert_int_eq(bight_stream_read(client, &byte, 1), 0);
    ck_ok(bight_stream_end(client, 0));
    ck_ok(bight_listener_close(server.listener));
    conf_join(server.task, 0);
    return bight_listener_end(server.listener);
}

static int shares_its_port(void *arg)
{
    struct bight_listen_options share = {.reuse_port = true};
    struct bight_listener *alone = wire_listen("127.0.0.1", 0), *shared = NULL;

    (void)arg;
    ck_ok(bight_tcp_listen(&shared, "127.0.0.1", 0, &share));
    ck_assert_int_eq(wire_option(bight_listener_fd(alone), SOL_SOCKET, SO_REUSEPORT), 0);
    ck_assert_int_ne(wire_option(bight_listener_fd(shared), SOL_SOCKET, SO_REUSEPORT), 0);
    ck_ok(bight_listener_end(alone));
    return bight_listener_end(shared);
}

static int in_use(void *arg)
{
    struct bight_listener *first = wire_listen("127.0.0.1", 0), *second;
    int before = test_open_fds();

    (void)arg;
    ck_code(bight_tcp_listen(&second, "127.0.0.1", wire_port(first), NULL), BIGHT_EADDRINUSE);
    ck_assert_int_eq(test_open_fds(), before);
    return bight_listener_end(first);
}

static int arguments(void *arg)
{
    int datagram = socket(AF_INET, SOCK_DGRAM, 0);
    int ready = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct bight_listener *listener = NULL;

    (void)arg;
    ck_code(bight_tcp_listen(&listener, "no.literal", 0, NULL), BIGHT_EINVAL);
    ck_code(bight_listener_from_fd(&listener, datagram), BIGHT_EINVAL);
    ck_code(bight_listener_from_fd(&listener, -1), BIGHT_EBADF);
    close(datagram);
    ck_assert_int_eq(listen(ready, 1), 0);
    ck_ok(bight_listener_from_fd(&listener, ready));
    return bight_listener_end(listener);
}

static int ipv6(void *arg)
{
    struct server server = {0};

    (void)arg;
    serve(&server, wire_listen("::1", 0), waits);
    ck_assert_int_ge(bight_listener_fd(server.listener), 0);
    ck_ok(bight_listener_close(server.listener));
    conf_join(server.task, 0);
    return bight_listener_end(server.listener);
}

/* Somebody else who shares the socket takes the connection. */
static int finds_nothing(void *arg)
{
    struct server server = {0};
    int first, second, taken;

    (void)arg;
    serve(&server, wire_listen("127.0.0.1", 0), waits);
    first = wire_dial(wire_port(server.listener));
    taken = accept(bight_listener_fd(server.listener), NULL, NULL);
    ck_assert_int_ge(taken, 0);
    ck_ok(bight_sleep(5));
    ck_assert_int_eq(server.begun, 0);
    second = wire_dial(wire_port(server.listener)); /* it listens still */
    wait_for(&server.begun, 1);
    close(first);
    close(second);
    close(taken);
    ck_ok(bight_listener_close(server.listener));
    conf_join(server.task, 0);
    return bight_listener_end(server.listener);
}

static int out_of_descriptors(void *arg)
{
    struct server server = {.options = {.pause_ms = 30}};
    struct rlimit before;
    uint64_t begin_ns;
    int client;

    (void)arg;
    serve(&server, wire_listen("127.0.0.1", 0), waits);
    client = wire_dial(wire_port(server.listener));
    before = wire_few_descriptors(0);
    begin_ns = bight_now_ns();
    ck_ok(bight_sleep(5));
    wire_descriptors_back(before);
    wait_for(&server.begun, 1); /* after the pause, and not before */
    ck_assert_uint_ge(bight_now_ns() - begin_ns, 30000000);
    close(client);
    ck_ok(bight_listener_close(server.listener));
    conf_join(server.task, 0);
    return bight_listener_end(server.listener);
}

static void srv_19_accept_pauses_without_descriptors_and_says_so(void)
{
    struct world_reports reports;

    ck_ok(conf_main(out_of_descriptors, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_PROGRAM], 1);
    ck_code(reports.last_code, BIGHT_EMFILE);
}

static int cancels_itself(struct bight_stream *stream, void *arg)
{
    (void)stream;
    ((struct server *)arg)->begun++;
    bight_task_cancel(bight_self());
    return bight_sleep(1);
}

static int handler_cancelled(void *arg)
{
    struct server server = {0};
    int client;

    (void)arg;
    serve(&server, wire_listen("127.0.0.1", 0), cancels_itself);
    client = wire_dial(wire_port(server.listener));
    ck_assert_int_eq(write(client, "x", 1), 1);
    wait_for(&server.begun, 1);
    close(client);
    ck_ok(bight_listener_close(server.listener));
    conf_join(server.task, 0);
    return bight_listener_end(server.listener);
}

static int stale(void *arg)
{
    char folder[] = "/tmp/bight-conf-XXXXXX";
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct bight_listener *listener;

    (void)arg;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(name.sun_path, sizeof(name.sun_path), "%s/socket", folder);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    close(fd);
    ck_ok(bight_listener_end(listen_local(name.sun_path)));
    fd = open(name.sun_path, O_CREAT | O_EXCL | O_WRONLY, 0600); /* the end has removed the other */
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_code(bight_unix_listen(&listener, name.sun_path, NULL), BIGHT_EADDRINUSE);
    ck_assert_int_eq(unlink(name.sun_path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(srv_01_an_echo_server_has_a_task_per_client, echo_server),
    conf_case(srv_02_a_listener_can_be_made_before_it_is_served, served_later),
    conf_case(srv_03_serving_is_begun_explicitly_and_ends_when_cancelled, served_explicitly),
    conf_case(srv_05_the_server_and_its_last_client_can_be_closed_in_the_same_tick,
              closed_together),
    conf_case(srv_06_a_closed_server_is_over_when_its_clients_have_closed, clients_close),
    conf_case(srv_07_a_cancelled_server_is_over_though_data_was_left, clients_abort),
    conf_case(srv_09_a_connections_start_data_and_end_are_seen_by_its_handler, sees_a_connection),
    conf_case(srv_11_a_port_is_shared_only_when_asked_for, shares_its_port),
    conf_case(srv_13_an_address_in_use_is_refused, in_use),
    conf_case(srv_16_what_cannot_be_a_server_is_invalid, arguments),
    conf_case(srv_17_a_server_can_have_ipv6, ipv6),
    conf_case(srv_18_accept_that_finds_nothing_waits_on, finds_nothing),
    plain_case(srv_19_accept_pauses_without_descriptors_and_says_so),
    conf_case(srv_21_a_cancelled_handler_is_no_error, handler_cancelled),
    conf_case(srv_23_a_stale_socket_file_is_replaced_and_another_file_is_not, stale),
};

test_suite("streams, serve", cases);
