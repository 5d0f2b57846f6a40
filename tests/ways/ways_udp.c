/* See ways.h: datagrams. A socket of loopback always has room, so that a send waits only for what
 * the loop has not told yet. */
#include "tests/ways/ways.h"

#include <check.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/udp/udp.h"

/* A plain socket that is connected to the one under test, which is bound, and the other way
 * round. */
static void udp_open(struct stage *stage)
{
    const struct sockaddr_in here = {.sin_family = AF_INET,
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in name = here;
    socklen_t bytes = sizeof(name);

    stage->fds[0] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(stage->fds[0], (const struct sockaddr *)&here, sizeof(here)), 0);
    stage->fds[1] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(getsockname(stage->fds[0], (struct sockaddr *)&name, &bytes), 0);
    ck_assert_int_eq(connect(stage->fds[1], (const struct sockaddr *)&name, sizeof(name)), 0);
    ck_assert_int_eq(getsockname(stage->fds[1], (struct sockaddr *)&name, &bytes), 0);
    ck_assert_int_eq(connect(stage->fds[0], (const struct sockaddr *)&name, sizeof(name)), 0);
    ck_assert_int_eq(bight_udp_from_fd(&stage->udp, stage->fds[1], NULL), 0);
}

/* Receiving */

static int receive_wait(struct seat *seat)
{
    char byte;

    seat->stage->no_memory = true;
    return (int)bight_udp_receive(seat->stage->udp, &byte, 1, NULL);
}

static int case_wait(struct seat *seat)
{
    struct bight_case cases[2];

    bight_case_udp(&cases[0], seat->stage->udp);
    return ways_select(seat, cases, 0);
}

static void case_leave(struct seat *seat)
{
    char byte;

    ck_assert_int_eq(bight_udp_try_receive(seat->stage->udp, &byte, 1, NULL), 1);
}

static void receive_wake(struct stage *stage)
{
    ck_assert_int_eq(send(stage->fds[0], "b", 1, 0), 1);
}

/* What nobody has received is there. */
static void receive_close(struct stage *stage)
{
    for (size_t left = stage->given - stage->taken; left > 0; left--)
        ck_assert_int_eq(bight_udp_receive(stage->udp, NULL, 0, NULL), 0);
    ck_assert_int_eq(bight_udp_try_receive(stage->udp, NULL, 0, NULL), BIGHT_EAGAIN);
    ck_assert_int_eq(bight_udp_end(stage->udp), 0);
    close(stage->fds[0]);
}

/* Sending: once the loop has told that there is room, it is said that there is none. */

static void send_open(struct stage *stage)
{
    udp_open(stage);
    stage->udp->out.ready = false;
    while (!stage->udp->out.ready)
        ck_assert_int_eq(bight_yield(), 0);
    stage->udp->out.ready = false;
}

static int send_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_udp_send(seat->stage->udp, "b", 1);
}

static int send_to_wait(struct seat *seat)
{
    struct bight_address to;

    ck_assert_int_eq(bight_udp_peer_address(seat->stage->udp, &to), 0);
    seat->stage->no_memory = true;
    return bight_udp_send_to(seat->stage->udp, &to, "b", 1);
}

static int send_many_wait(struct seat *seat)
{
    const struct bight_udp_datagram one = {.data = "b", .bytes = 1};

    seat->stage->no_memory = true;
    return (int)bight_udp_send_many(seat->stage->udp, &one, 1);
}

static void send_wake(struct stage *stage)
{
    stage->udp->source.ready(&stage->udp->source, EPOLLOUT);
}

/* Nothing went out but what was said to have gone out. */
static void send_close(struct stage *stage)
{
    char byte;

    for (size_t sent = stage->taken; sent > 0; sent--)
        ck_assert_int_eq(recv(stage->fds[0], &byte, 1, 0), 1);
    ck_assert_int_eq(recv(stage->fds[0], &byte, 1, 0), -1);
    ck_assert_int_eq(bight_udp_end(stage->udp), 0);
    close(stage->fds[0]);
}

/* The end waits for the task inside, which leaves. */

static int receives(void *udp)
{
    return (int)bight_udp_receive(udp, NULL, 0, NULL);
}

static void end_open(struct stage *stage)
{
    udp_open(stage);
    ck_assert_int_eq(bight_spawn(&stage->child, receives, stage->udp), 0);
    while (!stage->udp->in.waiter)
        ck_assert_int_eq(bight_yield(), 0);
}

static int end_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_udp_end(seat->stage->udp);
}

static void nothing(struct stage *stage)
{
    (void)stage;
}

static void end_close(struct stage *stage)
{
    int status;

    ck_assert_int_eq(bight_join(stage->child, &status), 0);
    ck_assert_int_eq(status, BIGHT_ECLOSED);
    close(stage->fds[0]);
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
static const struct way udp_ways[] = {
    {"bight_udp_receive", 1, 1, true, 0, udp_open, receive_wait, receive_wake, NULL, receive_close},
    {"bight_select", 1, 0, true, 0, udp_open, case_wait, receive_wake, case_leave, receive_close},
    {"bight_udp_send", 1, 0, true, 0, send_open, send_wait, send_wake, NULL, send_close},
    {"bight_udp_send_to", 1, 0, true, 0, send_open, send_to_wait, send_wake, NULL, send_close},
    {"bight_udp_send_many", 1, 1, true, 0, send_open, send_many_wait, send_wake, NULL, send_close},
    {"bight_udp_end", 1, 0, false, WAY_BY_ITSELF, end_open, end_wait, nothing, NULL, end_close},
};

const struct way_table udp_way_table = {udp_ways, sizeof(udp_ways) / sizeof(udp_ways[0])};
