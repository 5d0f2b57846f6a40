/* See ways.h: connections that are accepted, served and made. All of these calls take memory for
 * the stream that they give, and so leave `no_memory` alone; only serving takes none while nobody
 * connects. */
#include "tests/ways/ways.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/stream/listener.h"
#include "tests/harness/support.h"

static void leave(struct seat *seat)
{
    ck_assert_int_eq(bight_stream_end(seat->item, 0), 0);
}

/* Accepting: what is given is a connection, which stays in the backlog until it is taken. */

static void listener_open(struct stage *stage)
{
    ck_assert_int_eq(bight_tcp_listen(&stage->listener, "127.0.0.1", 0, NULL), 0);
}

static void dial(struct stage *stage)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in name;
    socklen_t bytes = sizeof(name);

    ck_assert_int_eq(
        getsockname(bight_listener_fd(stage->listener), (struct sockaddr *)&name, &bytes), 0);
    ck_assert_int_eq(test_connect(fd, (struct sockaddr *)&name, bytes), 0);
    close(fd);
}

static int accept_wait(struct seat *seat)
{
    struct bight_stream *stream = NULL;
    int rc = bight_listener_accept(&stream, seat->stage->listener);

    seat->item = stream;
    return rc;
}

static int case_accept_wait(struct seat *seat)
{
    struct bight_case cases[2];
    int rc;

    bight_case_accept(&cases[0], seat->stage->listener);
    bight_case_sleep(&cases[1], -1);
    rc = bight_select(cases, 2, 0);
    if (rc == 0) {
        ck_assert_int_eq(cases[0].status, 0);
        seat->item = cases[0].value;
    }
    return rc;
}

static void accept_close(struct stage *stage)
{
    struct bight_stream *stream;

    for (size_t rest = stage->given - stage->taken; rest; rest--) {
        ck_assert_int_eq(bight_listener_accept(&stream, stage->listener), 0);
        ck_assert_int_eq(bight_stream_end(stream, 0), 0);
    }
    ck_assert_int_eq(bight_listener_try_accept(&stream, stage->listener), BIGHT_EAGAIN);
    ck_assert_int_eq(bight_listener_end(stage->listener), 0);
}

/* Serving ends when the listener is closed; one that was closed before is refused. */

static int handler(struct bight_stream *stream, void *stage)
{
    (void)stream;
    return bight_event_wait(&((struct stage *)stage)->event);
}

static int serve_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_serve(seat->stage->listener, handler, seat->stage, NULL);
}

static int monitor_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_monitor_serve(seat->stage->listener, NULL);
}

static void serve_wake(struct stage *stage)
{
    if (stage->listener->served)
        ck_assert_int_eq(bight_listener_close(stage->listener), 0);
}

static void serve_close(struct stage *stage)
{
    ck_assert_ptr_null(stage->listener->served);
    ck_assert_int_eq(bight_listener_end(stage->listener), 0);
}

/* The same while a handler runs, for which it waits. */

static void served_open(struct stage *stage)
{
    bight_event_init(&stage->event);
    listener_open(stage);
    dial(stage);
}

static int serve_one_wait(struct seat *seat)
{
    return bight_serve(seat->stage->listener, handler, seat->stage, NULL);
}

static void served_wake(struct stage *stage)
{
    serve_wake(stage);
    bight_event_set(&stage->event);
}

static void served_close(struct stage *stage)
{
    serve_close(stage);
    ck_assert(link_empty(&stage->event.waiters));
}

/* Connecting: to a backlog that is full, with a socket that listens and one that fills it; there
 * is room once somebody is accepted. */

static void make_full(struct stage *stage, int family, struct sockaddr *name, socklen_t bytes)
{
    for (int i = 0; i < 2; i++)
        stage->fds[i] = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(stage->fds[0], name, bytes), 0);
    ck_assert_int_eq(listen(stage->fds[0], 0), 0);
    ck_assert_int_eq(getsockname(stage->fds[0], name, &bytes), 0);
    ck_assert_int_eq(test_connect(stage->fds[1], name, bytes), 0);
}

static void make_room(struct stage *stage)
{
    int fd;

    if (stage->given > 1)
        return;
    fd = accept4(stage->fds[0], NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void full_close(struct stage *stage)
{
    close(stage->fds[0]);
    close(stage->fds[1]);
}

static struct sockaddr_in full_name;

static void full_tcp_open(struct stage *stage)
{
    full_name = (struct sockaddr_in){.sin_family = AF_INET};
    full_name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    make_full(stage, AF_INET, (struct sockaddr *)&full_name, sizeof(full_name));
}

static int tcp_connect_wait(struct seat *seat)
{
    struct bight_stream *stream = NULL;
    int rc = bight_tcp_connect(&stream, "127.0.0.1", ntohs(full_name.sin_port), NULL, NULL);

    seat->item = stream;
    return rc;
}

static int tcp_connect_address_wait(struct seat *seat)
{
    struct bight_address address = {.family = 4, .port = ntohs(full_name.sin_port)};
    struct bight_stream *stream = NULL;
    int rc;

    memcpy(address.bytes, &full_name.sin_addr, sizeof(full_name.sin_addr));
    rc = bight_tcp_connect_address(&stream, &address, NULL);
    seat->item = stream;
    return rc;
}

/* The socket of the call; -1: it has none. */
static int socket_on_its_way(void)
{
    struct tcp_info info;

    for (int fd = 0; fd < 64; fd++) {
        socklen_t bytes = sizeof(info);

        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) == 0 &&
            info.tcpi_state == TCP_SYN_SENT)
            return fd;
    }
    return -1;
}

/* The system asks a full backlog again after a second, in real time. So that it asks now, the
 * socket is taken back and sent on its way again. */
static void tcp_connect_wake(struct stage *stage)
{
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    int fd = socket_on_its_way();

    make_room(stage);
    if (fd < 0)
        return;
    ck_assert_int_eq(connect(fd, &nowhere, sizeof(nowhere)), 0);
    (void)connect(fd, (struct sockaddr *)&full_name, sizeof(full_name)); /* EINPROGRESS */
}

/* A Unix socket looks again by itself, after a sleep. */

static char full_path[64];

static void full_unix_open(struct stage *stage)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};

    snprintf(full_path, sizeof(full_path), "@bight-ways-%d", (int)getpid());
    memcpy(name.sun_path + 1, full_path + 1, strlen(full_path) - 1);
    make_full(stage, AF_UNIX, (struct sockaddr *)&name,
              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(full_path)));
}

static int unix_connect_wait(struct seat *seat)
{
    struct bight_stream *stream = NULL;
    int rc = bight_unix_connect(&stream, full_path);

    seat->item = stream;
    return rc;
}

static void unix_connect_wake(struct stage *stage)
{
    make_room(stage);
    ck_assert_int_eq(bight_test_clock_advance(stage->test.clock, SLEEP_MS), 0);
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
static const struct way net_ways[] = {
    {"bight_listener_accept", 2, 0, true, 0, listener_open, accept_wait, dial, leave, accept_close},
    {"bight_select", 2, 0, true, 0, listener_open, case_accept_wait, dial, leave, accept_close},
    {"bight_serve", 1, 0, true, WAY_HINT | WAY_DRAIN_WAKES, listener_open, serve_wait, serve_wake,
     NULL, serve_close},
    {"bight_serve", 1, 0, true, WAY_HINT | WAY_DRAIN_WAKES, served_open, serve_one_wait,
     served_wake, NULL, served_close},
    {"bight_monitor_serve", 1, 0, true, WAY_HINT | WAY_DRAIN_WAKES, listener_open, monitor_wait,
     serve_wake, NULL, serve_close},
    {"bight_tcp_connect", 1, 0, true, 0, full_tcp_open, tcp_connect_wait, tcp_connect_wake, leave,
     full_close},
    {"bight_tcp_connect_address", 1, 0, true, 0, full_tcp_open, tcp_connect_address_wait,
     tcp_connect_wake, leave, full_close},
    {"bight_unix_connect", 1, 0, true, 0, full_unix_open, unix_connect_wait, unix_connect_wake,
     leave, full_close},
};

const struct way_table net_way_table = {net_ways, sizeof(net_ways) / sizeof(net_ways[0])};
