/* What the suites of net/stream share: listeners on loopback, plain sockets on the other side, and
 * tasks that have the calls under test inside. */
#ifndef TESTS_NET_STREAM_WIRE_H
#define TESTS_NET_STREAM_WIRE_H

#include <arpa/inet.h>
#include <bight.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/harness/support.h"
#include "tests/harness/world.h"

static inline struct bight_listener *wire_listen(const char *host, uint16_t port)
{
    struct bight_listener *listener = NULL;

    ck_ok(bight_tcp_listen(&listener, host, port, NULL));
    return listener;
}

static inline uint16_t wire_port(const struct bight_listener *listener)
{
    struct bight_address address;

    ck_ok(bight_listener_address(listener, &address));
    ck_assert_uint_ne(address.port, 0);
    return address.port;
}

static inline struct sockaddr_in wire_name(const char *host, uint16_t port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};

    ck_assert_int_eq(inet_pton(AF_INET, host, &name.sin_addr), 1);
    return name;
}

/* A plain blocking socket, connected to that port of 127.0.0.1: the system answers. */
static inline int wire_dial(uint16_t port)
{
    struct sockaddr_in name = wire_name("127.0.0.1", port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(test_connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    return fd;
}

/* A port of loopback at which nobody listens. */
static inline uint16_t wire_free_port(void)
{
    struct sockaddr_in name;
    int fd = test_bound_socket(&name);

    close(fd);
    return ntohs(name.sin_port);
}

static inline int wire_option(int fd, int level, int option)
{
    socklen_t bytes = sizeof(int);
    int value = 0;

    ck_assert_int_eq(getsockopt(fd, level, option, &value, &bytes), 0);
    return value;
}

/* Close with a reset. */
static inline void wire_reset(int fd)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};

    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)), 0);
    close(fd);
}

/* Let no descriptor be opened beyond `more` further ones; returns the limit to be put back. */
static inline struct rlimit wire_few_descriptors(int more)
{
    struct rlimit before, few;
    int lowest = dup(0);

    ck_assert_int_ge(lowest, 0);
    close(lowest);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = (rlim_t)lowest + (rlim_t)more;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    return before;
}

static inline void wire_descriptors_back(struct rlimit before)
{
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* A task inside bight_listener_accept. */
struct wire_accept {
    struct bight_listener *listener;
    struct bight_task *task;
    struct bight_stream *stream;
    int place; /* in the order of returns, from 1 on */
};

static int wire_returns;

static inline int wire_accept_main(void *arg)
{
    struct wire_accept *accept = arg;
    int rc = bight_listener_accept(&accept->stream, accept->listener);

    accept->place = ++wire_returns;
    return rc;
}

static inline void wire_accept_begin(struct wire_accept *accept, struct bight_listener *listener)
{
    *accept = (struct wire_accept){.listener = listener};
    ck_ok(bight_spawn(&accept->task, wire_accept_main, accept));
    world_settle();
}

static inline int wire_accept_end(struct wire_accept *accept)
{
    int status;

    ck_ok(bight_join(accept->task, &status));
    return status;
}

#endif
