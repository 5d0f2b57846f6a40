/* net/udp/receive.c, send.c, refusal.c: datagrams from one end to the other, what a peer answers
 * instead, and select. */
#include "tests/net/udp/udp_wire.h"

static int both_ways(void *arg)
{
    struct bight_udp *server = wire_open("127.0.0.1", NULL);
    struct bight_udp *client = wire_open("127.0.0.1", NULL);
    struct bight_address to = wire_address(server, "127.0.0.1");
    struct bight_address own = wire_address(client, "127.0.0.1");
    struct bight_udp_info info;
    struct bight_udp_stats stats;
    char bytes[64];

    (void)arg;
    ck_ok(bight_udp_send_to(client, &to, "question", 8));
    ck_assert_int_eq(bight_udp_receive(server, bytes, sizeof(bytes), &info), 8);
    ck_assert_mem_eq(bytes, "question", 8);
    ck_assert_mem_eq(&info.from, &own, sizeof(own));
    ck_assert_uint_eq(info.bytes, 8);
    ck_assert(!info.truncated);
    wire_sends(server, &info.from, "answer");
    wire_receives(client, "answer");
    stats = wire_stats(server);
    ck_assert_uint_eq(stats.datagrams_received, 1);
    ck_assert_uint_eq(stats.bytes_received, 8);
    ck_assert_uint_eq(stats.datagrams_sent, 1);
    ck_assert_uint_eq(stats.bytes_sent, 6);
    ck_assert_uint_eq(stats.truncated + stats.dropped + stats.refusals + stats.buffered, 0);
    ck_ok(bight_udp_end(client));
    return bight_udp_end(server);
}

/* A datagram that is longer than the buffer, of no bytes, for a buffer of none; the next one is
 * whole each time. */
static int odd_lengths(bool ring)
{
    const struct bight_udp_options options = {.batch = ring ? 4 : 0};
    struct bight_udp *udp = wire_open("127.0.0.1", &options);
    struct bight_address to = wire_address(udp, "127.0.0.1");
    struct bight_udp_info info;
    char bytes[16] = "";

    wire_sends(udp, &to, "too long");
    wire_sends(udp, &to, "");
    wire_sends(udp, &to, "lost");
    wire_sends(udp, &to, "lost too");
    wire_sends(udp, &to, "fits");
    ck_assert_int_eq(bight_udp_receive(udp, bytes, 4, &info), 4);
    ck_assert_str_eq(bytes, "too ");
    ck_assert_uint_eq(info.bytes, 8);
    ck_assert(info.truncated);
    ck_assert_int_eq(bight_udp_receive(udp, bytes, 4, &info), 0);
    ck_assert_uint_eq(info.bytes, 0);
    ck_assert(!info.truncated);
    ck_assert_int_eq(bight_udp_receive(udp, NULL, 0, &info), 0);
    ck_assert_uint_eq(info.bytes, 4);
    ck_assert(info.truncated);
    ck_assert_int_eq(bight_udp_receive(udp, bytes, 3, NULL), 3);
    ck_assert_int_eq(bight_udp_receive(udp, bytes, 4, &info), 4);
    ck_assert(!info.truncated);
    ck_assert_uint_eq(wire_stats(udp).truncated, 3);
    ck_assert_int_eq(bight_udp_try_receive(udp, bytes, 4, &info), BIGHT_EAGAIN);
    return bight_udp_end(udp);
}

static int odd_lengths_plain(void *arg)
{
    (void)arg;
    return odd_lengths(false);
}

static int odd_lengths_ring(void *arg)
{
    (void)arg;
    return odd_lengths(true);
}

static int longest(void *arg)
{
    static char sent[65508], got[65536];
    struct bight_udp *udp = wire_open("127.0.0.1", NULL);
    struct bight_address to = wire_address(udp, "127.0.0.1");

    (void)arg;
    memset(sent, 'x', sizeof(sent));
    ck_code(bight_udp_send_to(udp, &to, sent, 65508), BIGHT_EMSGSIZE);
    ck_ok(bight_udp_send_to(udp, &to, sent, 65507));
    ck_assert_int_eq(bight_udp_receive(udp, got, sizeof(got), NULL), 65507);
    ck_assert_mem_eq(got, sent, 65507);
    return bight_udp_end(udp);
}

static int without_waiting(void *arg)
{
    struct bight_udp *server = wire_open("127.0.0.1", NULL);
    struct bight_udp *client = wire_connect(server, NULL);
    struct bight_address to = wire_address(server, "127.0.0.1");
    char bytes[8];

    (void)arg;
    ck_assert_int_eq(bight_udp_try_receive(server, bytes, 8, NULL), BIGHT_EAGAIN);
    ck_assert_int_eq(bight_udp_try_receive(server, bytes, 8, NULL), BIGHT_EAGAIN);
    ck_ok(bight_udp_try_send(client, "one", 3));
    ck_ok(bight_udp_try_send_to(client, &to, "two", 3));
    while (!server->in.ready) /* until the loop has taken the event */
        ck_ok(bight_yield());
    ck_assert_int_eq(bight_udp_try_receive(server, bytes, 8, NULL), 3);
    ck_assert_mem_eq(bytes, "one", 3);
    ck_assert_int_eq(bight_udp_try_receive(server, bytes, 8, NULL), 3);
    ck_assert_int_eq(bight_udp_try_receive(server, bytes, 8, NULL), BIGHT_EAGAIN);
    ck_ok(bight_udp_end(client));
    return bight_udp_end(server);
}

static int connected(void *arg)
{
    struct bight_udp *server = wire_open("127.0.0.1", NULL);
    struct bight_udp *stranger = wire_open("127.0.0.1", NULL);
    struct bight_udp *client = wire_connect(server, NULL);
    struct bight_address own = wire_address(client, "127.0.0.1"), peer;
    struct bight_address to = wire_address(server, "127.0.0.1");

    (void)arg;
    ck_ok(bight_udp_peer_address(client, &peer));
    ck_assert_mem_eq(&peer, &to, sizeof(to));
    ck_code(bight_udp_peer_address(server, &peer), -ENOTCONN);
    ck_ok(bight_udp_send(client, "hello", 5));
    wire_receives(server, "hello");
    wire_sends(stranger, &own, "from elsewhere");
    wire_sends(server, &own, "from there");
    wire_receives(client, "from there");
    ck_code(bight_udp_send(server, "to whom", 7), -EDESTADDRREQ);
    ck_code(bight_udp_try_send(server, "to whom", 7), -EDESTADDRREQ);
    to = wire_address(stranger, "127.0.0.1");
    wire_sends(client, &to, "aside");
    wire_receives(stranger, "aside");
    ck_ok(bight_udp_end(client));
    ck_ok(bight_udp_end(stranger));
    return bight_udp_end(server);
}

/* Refusals */

static int refused(void *arg)
{
    struct bight_address to = wire_nobody();
    struct bight_udp *client, *server;
    char bytes[8];

    (void)arg;
    ck_ok(bight_udp_connect_address(&client, &to, NULL));
    for (int i = 0; i < 5; i++)
        ck_ok(bight_udp_send(client, "x", 1)); /* the system would fail every second one */
    ck_assert_int_eq(bight_udp_receive(client, bytes, 8, NULL), BIGHT_ECONNREFUSED);
    ck_assert_int_eq(bight_udp_try_receive(client, bytes, 8, NULL), BIGHT_EAGAIN);
    ck_assert_uint_eq(wire_stats(client).refusals, 5);
    ck_assert_uint_eq(wire_stats(client).datagrams_sent, 5);
    ck_ok(bight_udp_open(&server, "127.0.0.1", to.port, NULL));
    ck_ok(bight_udp_send(client, "again", 5));
    wire_receives(server, "again");
    to = wire_address(client, "127.0.0.1");
    wire_sends(server, &to, "here");
    wire_receives(client, "here");
    ck_ok(bight_udp_end(server));
    return bight_udp_end(client);
}

/* Of a batch the system swallows what it was told in its midst. */
static int refused_batch(void *arg)
{
    const struct bight_udp_datagram datagrams[4] = {
        {.data = "a", .bytes = 1},
        {.data = "b", .bytes = 1},
        {.data = "c", .bytes = 1},
        {.data = "d", .bytes = 1},
    };
    struct bight_address to = wire_nobody();
    struct bight_udp *client;
    char bytes[8];

    (void)arg;
    ck_ok(bight_udp_connect_address(&client, &to, NULL));
    ck_assert_int_eq(bight_udp_send_many(client, datagrams, 4), 4);
    ck_assert_int_eq(bight_udp_receive(client, bytes, 8, NULL), BIGHT_ECONNREFUSED);
    ck_assert_uint_eq(wire_stats(client).datagrams_sent, 4);
    return bight_udp_end(client);
}

/* The receiver sleeps, and its own sends are what is refused. */
static int refused_asleep(void *arg)
{
    struct bight_address to = wire_nobody();
    struct bight_udp *client;
    struct wire_receive receive;

    (void)arg;
    ck_ok(bight_udp_connect_address(&client, &to, NULL));
    wire_receive_begin(&receive, client);
    ck_ok(bight_udp_send(client, "x", 1));
    ck_ok(bight_udp_send(client, "x", 1));
    ck_code(wire_receive_end(&receive), BIGHT_ECONNREFUSED);
    return bight_udp_end(client);
}

static int refused_ring(void *arg)
{
    const struct bight_udp_options options = {.batch = 8};
    struct bight_udp *server = wire_open("127.0.0.1", NULL);
    struct bight_udp *client = wire_connect(server, &options);
    struct bight_address to = wire_address(client, "127.0.0.1");
    char bytes[8];

    (void)arg;
    wire_sends(server, &to, "one");
    wire_sends(server, &to, "two");
    ck_ok(bight_udp_end(server));
    ck_assert_int_eq(bight_udp_receive(client, bytes, 8, NULL), 3);
    ck_ok(bight_udp_send(client, "x", 1));
    ck_ok(bight_udp_send(client, "x", 1));
    wire_receives(client, "two"); /* it was fetched before */
    ck_assert_int_eq(bight_udp_receive(client, bytes, 8, NULL), BIGHT_ECONNREFUSED);
    return bight_udp_end(client);
}

static int refused_ipv6(void *arg)
{
    struct bight_udp *other = wire_open("::1", NULL), *client;
    struct bight_address to = wire_address(other, "::1");

    (void)arg;
    ck_ok(bight_udp_end(other));
    ck_ok(bight_udp_connect_address(&client, &to, NULL));
    for (int i = 0; i < 4; i++)
        ck_ok(bight_udp_send(client, "x", 1));
    ck_assert_int_eq(bight_udp_receive(client, NULL, 0, NULL), BIGHT_ECONNREFUSED);
    ck_assert_int_eq(bight_udp_try_receive(client, NULL, 0, NULL), BIGHT_EAGAIN);
    ck_assert_uint_eq(wire_stats(client).refusals, 4);
    return bight_udp_end(client);
}

static int not_refused(void *arg)
{
    struct bight_address to = wire_nobody();
    struct bight_udp *client = wire_open("127.0.0.1", NULL);
    char bytes[8];

    (void)arg;
    wire_sends(client, &to, "x");
    wire_sends(client, &to, "x");
    ck_ok(bight_sleep(20));
    ck_assert_int_eq(bight_udp_try_receive(client, bytes, 8, NULL), BIGHT_EAGAIN);
    return bight_udp_end(client);
}

/* Select */

static int selected(bool ring)
{
    const struct bight_udp_options options = {.batch = ring ? 4 : 0};
    struct bight_udp *server = wire_open("127.0.0.1", NULL), *udp = wire_connect(server, &options);
    struct bight_address to = wire_address(udp, "127.0.0.1");
    struct bight_case cases[2];

    bight_case_udp(&cases[0], udp);
    bight_case_sleep(&cases[1], 5);
    ck_assert_int_eq(bight_select(cases, 2, 0), 1);
    ck_assert_int_eq(bight_select(cases, 1, BIGHT_SELECT_TRY), BIGHT_EAGAIN);
    wire_sends(server, &to, "once");
    ck_assert_int_eq(bight_select(cases, 1, 0), 0);
    ck_ok(cases[0].status);
    ck_assert_int_eq(bight_select(cases, 1, BIGHT_SELECT_TRY), 0); /* nothing was taken */
    wire_receives(udp, "once");
    ck_assert_int_eq(bight_select(cases, 2, BIGHT_SELECT_ORDERED), 1);
    ck_ok(bight_udp_end(server));
    ck_ok(bight_udp_send(udp, "x", 1));
    ck_assert_int_eq(bight_select(cases, 1, 0), 0);
    ck_assert_int_eq(bight_udp_receive(udp, NULL, 0, NULL), BIGHT_ECONNREFUSED);
    return bight_udp_end(udp);
}

static int selected_plain(void *arg)
{
    (void)arg;
    return selected(false);
}

static int selected_ring(void *arg)
{
    (void)arg;
    return selected(true);
}

/* Another task is inside already. */
static int selected_busy(void *arg)
{
    struct bight_udp *udp = wire_open("127.0.0.1", NULL);
    struct wire_receive receive;
    struct bight_case one;

    (void)arg;
    wire_receive_begin(&receive, udp);
    bight_case_udp(&one, udp);
    ck_assert_int_eq(bight_select(&one, 1, 0), 0);
    ck_code(one.status, BIGHT_EBUSY);
    ck_assert_int_eq(bight_udp_receive(udp, NULL, 0, NULL), BIGHT_EBUSY);
    ck_assert_int_eq(bight_udp_try_receive(udp, NULL, 0, NULL), BIGHT_EBUSY);
    bight_task_cancel(receive.task);
    ck_code(wire_receive_end(&receive), BIGHT_ECANCELED);
    return bight_udp_end(udp);
}

static int selects(void *udp)
{
    struct bight_case one;
    int rc;

    bight_case_udp(&one, udp);
    rc = bight_select(&one, 1, 0);
    return rc ? rc : one.status;
}

static int selected_ended(void *arg)
{
    struct bight_udp *udp = wire_open("127.0.0.1", NULL);
    struct bight_task *task;
    int status;

    (void)arg;
    ck_ok(bight_spawn(&task, selects, udp));
    while (!udp->in.waiter)
        ck_ok(bight_yield());
    ck_ok(bight_udp_end(udp));
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECLOSED);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(datagrams_go_both_ways, both_ways),
    world_case(a_datagram_longer_than_the_buffer_is_told, odd_lengths_plain),
    world_case(a_datagram_longer_than_the_buffer_is_told_with_a_ring, odd_lengths_ring),
    world_case(the_longest_datagram_arrives, longest),
    world_case(try_forms_do_not_wait, without_waiting),
    world_case(a_connected_socket_hears_its_peer_only, connected),
    world_case(a_refusal_is_told_to_the_receiver_once, refused),
    world_case(a_refusal_amid_a_batch_is_not_lost, refused_batch),
    world_case(a_refusal_wakes_the_receiver, refused_asleep),
    world_case(a_refusal_comes_behind_what_the_ring_has, refused_ring),
    world_case(a_refusal_is_told_with_ipv6_too, refused_ipv6),
    world_case(a_socket_that_is_not_connected_is_not_refused, not_refused),
    world_case(a_select_waits_for_a_datagram, selected_plain),
    world_case(a_select_waits_for_a_datagram_with_a_ring, selected_ring),
    world_case(a_select_beside_a_receiver_is_busy, selected_busy),
    world_case(a_select_is_told_of_the_end, selected_ended),
};

test_suite("udp", cases);
