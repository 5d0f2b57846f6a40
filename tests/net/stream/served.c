/* See served.h. */
#include "tests/net/stream/served.h"

#include <errno.h>

int server_main(void *arg)
{
    struct server *server = arg;

    return bight_serve(server->listener, server->handler, server, &server->options);
}

void server_begin(struct server *server, int (*handler)(struct bight_stream *stream, void *arg))
{
    if (!server->listener)
        server->listener = wire_listen("127.0.0.1", 0);
    server->handler = handler;
    server->options.callback_arg = server;
    ck_ok(bight_spawn(&server->task, server_main, server));
    world_settle();
}

void server_begin_with_clients(struct server *server,
                               int (*handler)(struct bight_stream *stream, void *arg), int *fds,
                               size_t count)
{
    server_begin(server, handler);
    for (size_t i = 0; i < count; i++)
        fds[i] = server_dial(server);
    server_wait(&server->begun, count);
}

int server_begin_with_client(struct server *server,
                             int (*handler)(struct bight_stream *stream, void *arg))
{
    int fd;

    server_begin_with_clients(server, handler, &fd, 1);
    return fd;
}

int server_dial(const struct server *server)
{
    return wire_dial(wire_port(server->listener));
}

int server_join(struct server *server)
{
    int status;

    ck_ok(bight_join(server->task, &status));
    ck_ok(bight_listener_end(server->listener));
    return status;
}

int server_close(struct server *server)
{
    ck_ok(bight_listener_close(server->listener));
    return server_join(server);
}

void server_wait(const size_t *count, size_t value)
{
    while (*count < value)
        ck_ok(bight_sleep(1));
    ck_assert_uint_eq(*count, value);
}

int server_echo(struct bight_stream *stream, void *arg)
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

int server_hold(struct bight_stream *stream, void *arg)
{
    struct server *server = arg;
    int rc;

    (void)stream;
    server->begun++;
    rc = bight_sleep(-1);
    server->ended++;
    return rc;
}

void server_on_failure(void *arg, const struct bight_stream *stream, int code)
{
    struct server *server = arg;

    server->failures++;
    server->last_code = code;
    bight_stream_describe(stream, server->last_peer, sizeof(server->last_peer));
}

void server_expect_end(int fd)
{
    char byte;

    ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
    close(fd);
}

void server_expect_reset(int fd)
{
    char byte;

    ck_assert_int_eq(recv(fd, &byte, 1, 0), -1);
    ck_assert_int_eq(errno, ECONNRESET);
    close(fd);
}
