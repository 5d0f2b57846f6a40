/* net/udp/udp.c: the end of a socket that others are inside of, cancellation, other threads. */
#include "tests/net/udp/udp_wire.h"

#include <pthread.h>

static int ends(void *udp)
{
    return bight_udp_end(udp);
}

static int ended_inside(void *arg)
{
    struct bight_udp *udp = wire_open("127.0.0.1", NULL);
    struct wire_receive receive;
    struct bight_task *task;
    int status;

    (void)arg;
    wire_receive_begin(&receive, udp);
    ck_ok(bight_spawn(&task, ends, udp));
    while (!(udp->in.taken & SIDE_OVER))
        ck_ok(bight_yield());
    ck_ok(bight_join(task, &status));
    ck_ok(status);
    ck_code(wire_receive_end(&receive), BIGHT_ECLOSED);
    return 0;
}

/* While the end waits for the one inside, which has not had its turn, nothing else gets in. */
static int ending(void *arg)
{
    struct bight_udp *udp = wire_open("127.0.0.1", NULL);
    struct bight_address to = wire_address(udp, "127.0.0.1");
    struct bight_task *task;
    int status;

    (void)arg;
    udp->in.taken = SIDE_BUSY; /* somebody is inside */
    ck_ok(bight_spawn(&task, ends, udp));
    while (!udp->ender)
        ck_ok(bight_yield());
    ck_code(bight_udp_end(udp), BIGHT_EALREADY);
    ck_code(bight_udp_send(udp, "x", 1), BIGHT_ECLOSED);
    ck_code(bight_udp_send_to(udp, &to, "x", 1), BIGHT_ECLOSED);
    ck_code(bight_udp_try_send_to(udp, &to, "x", 1), BIGHT_ECLOSED);
    ck_code((int)bight_udp_send_many(udp, NULL, 0), BIGHT_ECLOSED);
    ck_code((int)bight_udp_receive(udp, NULL, 0, NULL), BIGHT_ECLOSED);
    ck_code((int)bight_udp_try_receive(udp, NULL, 0, NULL), BIGHT_ECLOSED);
    ck_code(bight_udp_join(udp, &to, NULL), BIGHT_ECLOSED);
    ck_code(bight_udp_set_multicast(udp, NULL), BIGHT_ECLOSED);
    bight__udp_leave(udp, &udp->in);
    ck_ok(bight_join(task, &status));
    return status;
}

static int left_open(void *arg)
{
    const struct bight_udp_options options = {.batch = 4};

    (void)arg;
    wire_open("127.0.0.1", NULL);
    wire_open("127.0.0.1", &options);
    return 0;
}

/* A long row of datagrams lets others run, who may cancel it. */

#define LONG_ROW 200000

struct row {
    struct bight_udp *udp;
    struct bight_address to;
    int64_t sent;
    int after;
};

static int sends_row(void *arg)
{
    static struct bight_udp_datagram datagrams[LONG_ROW];
    struct row *row = arg;

    for (int i = 0; i < LONG_ROW; i++)
        datagrams[i] = (struct bight_udp_datagram){.data = "x", .bytes = 1, .to = row->to};
    row->sent = bight_udp_send_many(row->udp, datagrams, LONG_ROW);
    row->after = (int)bight_udp_send_many(row->udp, datagrams, 1);
    return 0;
}

static int cancelled_row(void *arg)
{
    struct row row = {.to = wire_nobody()};
    struct bight_task *task;

    (void)arg;
    row.udp = wire_open("127.0.0.1", NULL);
    ck_ok(bight_spawn(&task, sends_row, &row));
    while (!wire_stats(row.udp).datagrams_sent)
        ck_ok(bight_yield());
    bight_task_cancel(task);
    ck_ok(bight_join(task, NULL));
    ck_assert_int_gt(row.sent, 0);
    ck_assert_int_lt(row.sent, LONG_ROW);
    ck_code(row.after, BIGHT_ECANCELED);
    ck_assert_uint_eq(wire_stats(row.udp).datagrams_sent, (uint64_t)row.sent);
    return bight_udp_end(row.udp);
}

static int foreign_main(void *udp)
{
    const struct bight_address to = {.family = 4, .bytes = {127, 0, 0, 1}, .port = 9};
    struct bight_case one;

    ck_assert_int_eq(bight_udp_receive(udp, NULL, 0, NULL), BIGHT_EPERM);
    ck_assert_int_eq(bight_udp_try_receive(udp, NULL, 0, NULL), BIGHT_EPERM);
    ck_code(bight_udp_send(udp, "x", 1), BIGHT_EPERM);
    ck_code(bight_udp_send_to(udp, &to, "x", 1), BIGHT_EPERM);
    ck_code(bight_udp_try_send(udp, "x", 1), BIGHT_EPERM);
    ck_code(bight_udp_try_send_to(udp, &to, "x", 1), BIGHT_EPERM);
    ck_assert_int_eq(bight_udp_send_many(udp, NULL, 0), BIGHT_EPERM);
    ck_code(bight_udp_join(udp, &to, NULL), BIGHT_EPERM);
    ck_code(bight_udp_leave(udp, &to, NULL), BIGHT_EPERM);
    ck_code(bight_udp_set_multicast(udp, NULL), BIGHT_EPERM);
    bight_case_udp(&one, udp);
    ck_assert_int_eq(bight_select(&one, 1, 0), 0);
    ck_code(one.status, BIGHT_EPERM);
    return bight_udp_end(udp);
}

static void *foreign_thread(void *udp)
{
    ck_code(bight_run(foreign_main, udp), BIGHT_EPERM);
    return NULL;
}

static int foreign(void *arg)
{
    struct bight_udp *udp = wire_open("127.0.0.1", NULL);
    pthread_t thread;

    (void)arg;
    ck_assert_int_eq(pthread_create(&thread, NULL, foreign_thread, udp), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    return bight_udp_end(udp);
}

static int cancelled(void *arg)
{
    struct bight_udp *udp = wire_open("127.0.0.1", NULL);
    struct bight_address to = wire_address(udp, "127.0.0.1");
    struct wire_receive receive;

    (void)arg;
    wire_receive_begin(&receive, udp);
    wire_sends(udp, &to, "kept");
    bight_task_cancel(receive.task);
    ck_code(wire_receive_end(&receive), BIGHT_ECANCELED);
    wire_receives(udp, "kept");
    return bight_udp_end(udp);
}

static const struct suite_case cases[] = {
    world_case(the_end_wakes_who_is_inside, ended_inside),
    world_case(a_socket_that_is_being_ended_takes_no_call, ending),
    world_case(the_runtime_ends_what_is_left_open, left_open),
    world_case(a_cancelled_receive_takes_nothing, cancelled),
    world_case(a_long_row_of_datagrams_is_cancelled_between_two, cancelled_row),
    world_case(a_socket_of_another_thread_is_refused, foreign),
};

test_suite("udp_end", cases);
