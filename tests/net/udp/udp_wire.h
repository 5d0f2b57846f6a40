/* What the suites of net/udp share: sockets on loopback, plain ones on the other side, and a task
 * inside of a receive. */
#ifndef TESTS_NET_UDP_UDP_WIRE_H
#define TESTS_NET_UDP_UDP_WIRE_H

#include <arpa/inet.h>
#include <bight.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/udp/udp.h"
#include "tests/harness/support.h"
#include "tests/harness/world.h"

static inline struct bight_udp *wire_open(const char *host, const struct bight_udp_options *options)
{
    struct bight_udp *udp = NULL;

    ck_ok(bight_udp_open(&udp, host, 0, options));
    return udp;
}

/* Where datagrams for `udp` go: its port on 127.0.0.1, or on ::1. */
static inline struct bight_address wire_address(const struct bight_udp *udp, const char *host)
{
    struct bight_address own, address;

    ck_ok(bight_udp_local_address(udp, &own));
    ck_assert_uint_ne(own.port, 0);
    ck_ok(bight_address_parse(host, &address));
    address.port = own.port;
    return address;
}

/* Connected to the port of `peer` on 127.0.0.1. */
static inline struct bight_udp *wire_connect(const struct bight_udp *peer,
                                             const struct bight_udp_options *options)
{
    struct bight_address to = wire_address(peer, "127.0.0.1");
    struct bight_udp *udp = NULL;

    ck_ok(bight_udp_connect_address(&udp, &to, options));
    return udp;
}

/* A port of 127.0.0.1 where nobody is. */
static inline struct bight_address wire_nobody(void)
{
    struct bight_udp *udp = wire_open("127.0.0.1", NULL);
    struct bight_address address = wire_address(udp, "127.0.0.1");

    ck_ok(bight_udp_end(udp));
    return address;
}

static inline void wire_receives(struct bight_udp *udp, const char *text)
{
    char bytes[64];
    int64_t count = bight_udp_receive(udp, bytes, sizeof(bytes), NULL);

    ck_assert_int_eq(count, (int64_t)strlen(text));
    ck_assert_mem_eq(bytes, text, strlen(text));
}

static inline void wire_sends(struct bight_udp *udp, const struct bight_address *to,
                              const char *text)
{
    ck_ok(bight_udp_send_to(udp, to, text, strlen(text)));
}

static inline int wire_option(const struct bight_udp *udp, int level, int option)
{
    socklen_t bytes = sizeof(int);
    int value = 0;

    ck_assert_int_eq(getsockopt(bight_udp_fd(udp), level, option, &value, &bytes), 0);
    return value;
}

static inline struct bight_udp_stats wire_stats(const struct bight_udp *udp)
{
    struct bight_udp_stats stats;

    ck_ok(bight_udp_get_stats(udp, &stats));
    return stats;
}

/* A task inside bight_udp_receive. */
struct wire_receive {
    struct bight_udp *udp;
    struct bight_task *task;
    char bytes[16];
};

static inline int wire_receive_main(void *arg)
{
    struct wire_receive *receive = arg;

    return (int)bight_udp_receive(receive->udp, receive->bytes, sizeof(receive->bytes), NULL);
}

static inline void wire_receive_begin(struct wire_receive *receive, struct bight_udp *udp)
{
    *receive = (struct wire_receive){.udp = udp};
    ck_ok(bight_spawn(&receive->task, wire_receive_main, receive));
    while (!udp->in.waiter)
        ck_ok(bight_yield());
}

static inline int wire_receive_end(struct wire_receive *receive)
{
    int status;

    ck_ok(bight_join(receive->task, &status));
    return status;
}

#endif
