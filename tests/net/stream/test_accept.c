/* net/stream/accept.c: who gets which connection, and what closing, cancelling and failing mean to
 * those who wait for one. */
#include <fcntl.h>

#include "net/stream/listener.h"
#include "tests/harness/opening.h"
#include "tests/net/stream/wire.h"

static int nothing_there(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct bight_stream *stream = NULL;
    int fd;

    (void)arg;
    ck_code(bight_listener_try_accept(&stream, listener), BIGHT_EAGAIN);
    ck_code(bight_listener_try_accept(&stream, listener), BIGHT_EAGAIN);
    fd = wire_dial(wire_port(listener));
    while (!listener->ready) /* until the loop has taken the event, for nobody */
        ck_ok(bight_yield());
    ck_ok(bight_listener_try_accept(&stream, listener));
    ck_code(bight_listener_try_accept(&stream, listener), BIGHT_EAGAIN);
    ck_ok(bight_stream_end(stream, 0));
    close(fd);
    return bight_listener_end(listener);
}

static int accepted_peer(void *arg)
{
    struct bight_listener *listener = wire_listen("0.0.0.0", 0);
    int fd = wire_dial(wire_port(listener));
    struct bight_stream *stream = NULL;
    struct bight_address peer, own;
    char data[8];

    (void)arg;
    ck_assert_int_eq(write(fd, "xxx", 3), 3);
    ck_ok(bight_listener_accept(&stream, listener));
    ck_ok(bight_stream_peer_address(stream, &peer));
    ck_ok(bight_stream_local_address(stream, &own));
    ck_assert_uint_eq(peer.family, 4);
    ck_assert_mem_eq(peer.bytes, "\x7f\0\0\1", 4);
    ck_assert_uint_eq(own.port, wire_port(listener));
    ck_assert_int_eq(bight_stream_read(stream, data, sizeof(data)), 3);
    ck_assert_int_ne(wire_option(bight_stream_fd(stream), IPPROTO_TCP, TCP_NODELAY), 0);
    ck_assert_int_ne(fcntl(bight_stream_fd(stream), F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_ne(fcntl(bight_stream_fd(stream), F_GETFL) & O_NONBLOCK, 0);
    ck_ok(bight_stream_end(stream, 0));
    ck_assert_int_eq(read(fd, data, sizeof(data)), 0);
    close(fd);
    return bight_listener_end(listener);
}

static int in_order(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct wire_accept accepts[3];
    int fds[3];

    (void)arg;
    for (int i = 0; i < 3; i++)
        wire_accept_begin(&accepts[i], listener);
    for (int i = 0; i < 3; i++)
        fds[i] = wire_dial(wire_port(listener)); /* all before the loop looks */
    for (int i = 0; i < 3; i++) {
        ck_ok(wire_accept_end(&accepts[i]));
        ck_assert_int_eq(accepts[i].place, i + 1);
        ck_ok(bight_stream_end(accepts[i].stream, 0));
        close(fds[i]);
    }
    return bight_listener_end(listener);
}

/* The connection comes between the wake-up of the first and its turn. */
static int no_overtaking(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct wire_accept accept;
    struct bight_stream *stream;
    int fd;

    (void)arg;
    wire_accept_begin(&accept, listener);
    fd = wire_dial(wire_port(listener));
    while (bight_task_done(accept.task) == false) {
        ck_code(bight_listener_try_accept(&stream, listener), BIGHT_EAGAIN);
        ck_ok(bight_yield());
    }
    ck_ok(wire_accept_end(&accept));
    ck_ok(bight_stream_end(accept.stream, 0));
    close(fd);
    return bight_listener_end(listener);
}

/* Another process that shares the socket is faster. */
static int taken_by_another(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct wire_accept accept_call;
    int first, second, taken;

    (void)arg;
    wire_accept_begin(&accept_call, listener);
    first = wire_dial(wire_port(listener));
    taken = accept(bight_listener_fd(listener), NULL, NULL); /* before the loop looks */
    ck_assert_int_ge(taken, 0);
    ck_ok(bight_sleep(5));
    ck_assert(!bight_task_done(accept_call.task));
    second = wire_dial(wire_port(listener));
    ck_ok(wire_accept_end(&accept_call));
    ck_ok(bight_stream_end(accept_call.stream, 0));
    close(first);
    close(second);
    close(taken);
    return bight_listener_end(listener);
}

static int cancel_one(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct wire_accept accepts[2];
    int fd;

    (void)arg;
    wire_accept_begin(&accepts[0], listener);
    wire_accept_begin(&accepts[1], listener);
    bight_task_cancel(accepts[0].task);
    fd = wire_dial(wire_port(listener));
    ck_code(wire_accept_end(&accepts[0]), BIGHT_ECANCELED);
    ck_assert_ptr_null(accepts[0].stream);
    ck_ok(wire_accept_end(&accepts[1]));
    ck_ok(bight_stream_end(accepts[1].stream, 0));
    close(fd);
    return bight_listener_end(listener);
}

struct wake_then_cancel {
    struct bight_hook hook;
    const struct bight_listener *listener;
    struct bight_task *task;
    bool cancelled;
};

/* Before the tasks of a turn run. */
static void cancel_woken(struct bight_hook *hook)
{
    struct wake_then_cancel *both = bight_container_of(hook, struct wake_then_cancel, hook);

    if (both->cancelled || !link_empty(&both->listener->waiters))
        return;
    ck_assert(!bight_task_done(both->task));
    bight_task_cancel(both->task);
    both->cancelled = true;
}

static int woken_then_cancelled(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct wire_accept accept;
    struct wake_then_cancel both = {.listener = listener};
    int fd;

    (void)arg;
    wire_accept_begin(&accept, listener);
    both.task = accept.task;
    bight_hook_init(&both.hook, cancel_woken);
    ck_ok(bight_hook_add_turn(&both.hook));
    fd = wire_dial(wire_port(listener));
    ck_ok(wire_accept_end(&accept));
    ck_assert(both.cancelled);
    bight_hook_remove(&both.hook);
    ck_ok(bight_stream_end(accept.stream, 0));
    close(fd);
    return bight_listener_end(listener);
}

static int timeout(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct bight_stream *stream;
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, 20, 0));
    ck_code(bight_scope_end(&scope, bight_listener_accept(&stream, listener)), BIGHT_ETIMEDOUT);
    return bight_listener_end(listener);
}

static int select_accepts(void *arg)
{
    struct bight_listener *listeners[2] = {wire_listen("127.0.0.1", 0),
                                           wire_listen("127.0.0.1", 0)};
    struct bight_case cases[3];
    int fd = -1;

    (void)arg;
    for (int i = 0; i < 2; i++) {
        bight_case_accept(&cases[0], listeners[0]);
        bight_case_accept(&cases[1], listeners[1]);
        bight_case_sleep(&cases[2], i ? -1 : 10);
        ck_assert_int_eq(bight_select(cases, 3, 0), i ? 1 : 2);
        if (i == 0)
            fd = wire_dial(wire_port(listeners[1]));
        ck_assert(link_empty(&listeners[0]->waiters));
        ck_assert(link_empty(&listeners[1]->waiters));
    }
    ck_ok(cases[1].status);
    ck_ok(bight_stream_end(cases[1].value, 0));
    close(fd);
    ck_ok(bight_listener_end(listeners[0]));
    return bight_listener_end(listeners[1]);
}

/* Two connections come at the same time; the select takes one. */
static int select_takes_one(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct bight_stream *rest;
    struct bight_case cases[2];
    int fds[2], index;

    (void)arg;
    bight_case_accept(&cases[0], listener);
    bight_case_accept(&cases[1], listener);
    ck_code(bight_select(cases, 2, BIGHT_SELECT_TRY), BIGHT_EAGAIN);
    for (int i = 0; i < 2; i++)
        fds[i] = wire_dial(wire_port(listener));
    index = bight_select(cases, 2, 0);
    ck_assert_int_ge(index, 0);
    ck_ok(cases[index].status);
    ck_ok(bight_stream_end(cases[index].value, 0));
    ck_ok(bight_listener_accept(&rest, listener));
    ck_ok(bight_stream_end(rest, 0));
    close(fds[0]);
    close(fds[1]);
    return bight_listener_end(listener);
}

static int end_main(void *arg)
{
    return bight_listener_end(arg);
}

static int select_closed(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct bight_case cases[2];

    (void)arg;
    ck_ok(bight_spawn(NULL, end_main, listener));
    bight_case_accept(&cases[0], listener);
    bight_case_sleep(&cases[1], -1);
    ck_assert_int_eq(bight_select(cases, 2, 0), 0);
    ck_code(cases[0].status, BIGHT_ECLOSED);
    bight_case_accept(&cases[0], NULL);
    ck_code(bight_select(cases, 1, 0), BIGHT_EINVAL);
    return 0;
}

static int ended_while_waiting(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct bight_stream *stream;

    (void)arg;
    ck_ok(bight_spawn(NULL, end_main, listener));
    ck_code(bight_listener_accept(&stream, listener), BIGHT_ECLOSED);
    return bight_listener_end(NULL);
}

/* An accept that need not wait lets others run now and then, of which one ends the listener. */
static int ended_while_yielding(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct bight_stream *stream;
    int rc = 0, fds[200], count = 0;

    (void)arg;
    for (; count < 200; count++)
        fds[count] = wire_dial(wire_port(listener));
    ck_ok(bight_spawn(NULL, end_main, listener));
    while ((rc = bight_listener_accept(&stream, listener)) == 0)
        ck_ok(bight_stream_end(stream, 0));
    ck_code(rc, BIGHT_ECLOSED);
    while (count)
        close(fds[--count]);
    return 0;
}

struct choice {
    struct bight_listener *listener;
    struct bight_stream *stream;
};

static int chooses(void *arg)
{
    const struct choice *choice = arg;
    struct bight_case accepted;
    int rc;

    bight_case_accept(&accepted, choice->listener);
    rc = bight_select(&accepted, 1, 0);
    return rc ? rc : accepted.status;
}

static int accepts(void *arg)
{
    struct choice *choice = arg;

    return bight_listener_accept(&choice->stream, choice->listener);
}

static void ends(void *arg)
{
    const struct choice *choice = arg;

    ck_ok(bight_listener_end(choice->listener));
}

static int ended_at_the_opening(void *arg)
{
    struct choice choice;

    (void)arg;
    choice.listener = wire_listen("127.0.0.1", 0);
    ck_code(opening_race(chooses, ends, &choice), BIGHT_ECLOSED);
    choice.listener = wire_listen("127.0.0.1", 0);
    ck_code(opening_race(accepts, ends, &choice), BIGHT_ECLOSED);
    return 0;
}

static int broken_before(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct bight_stream *stream = NULL;
    char byte;
    int fd;

    (void)arg;
    wire_reset(wire_dial(wire_port(listener)));
    fd = wire_dial(wire_port(listener));
    ck_assert_int_eq(write(fd, "x", 1), 1);
    /* Linux hands out even the broken one: then its stream says so. */
    ck_ok(bight_listener_accept(&stream, listener));
    if (bight_stream_read(stream, &byte, 1) != 1) {
        bight_stream_abort(stream);
        ck_ok(bight_listener_accept(&stream, listener));
        ck_assert_int_eq(bight_stream_read(stream, &byte, 1), 1);
    }
    ck_assert_int_eq(byte, 'x');
    ck_ok(bight_stream_end(stream, 0));
    close(fd);
    return bight_listener_end(listener);
}

static int without_descriptors(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct bight_listener *other = wire_listen("127.0.0.1", 0);
    struct wire_accept accepts[2];
    struct bight_stream *stream = NULL;
    struct rlimit before;
    int fd;

    (void)arg;
    wire_accept_begin(&accepts[0], listener);
    wire_accept_begin(&accepts[1], listener);
    fd = wire_dial(wire_port(listener));
    before = wire_few_descriptors(0);
    ck_code(bight_listener_try_accept(&stream, other), BIGHT_EAGAIN); /* nobody waits there */
    ck_code(wire_accept_end(&accepts[0]), BIGHT_EMFILE);
    ck_code(wire_accept_end(&accepts[1]), BIGHT_EMFILE);
    ck_code(bight_listener_try_accept(&stream, listener), BIGHT_EMFILE);
    ck_code(bight_listener_accept(&stream, listener), BIGHT_EMFILE);
    wire_descriptors_back(before);
    ck_ok(bight_listener_accept(&stream, listener)); /* it has waited */
    ck_ok(bight_stream_end(stream, 0));
    ck_ok(bight_listener_end(other));
    close(fd);
    return bight_listener_end(listener);
}

static const struct suite_case cases[] = {
    world_case(accept_finds_nothing_and_the_next_one_later, nothing_there),
    world_case(an_accepted_connection_knows_both_ends, accepted_peer),
    world_case(tasks_are_served_in_the_order_of_their_calls, in_order),
    world_case(nobody_overtakes_a_task_that_waits, no_overtaking),
    world_case(accept_waits_on_when_another_process_was_faster, taken_by_another),
    world_case(a_cancelled_task_takes_no_connection, cancel_one),
    world_case(a_task_woken_and_then_cancelled_has_its_connection, woken_then_cancelled),
    world_case(an_accept_can_time_out, timeout),
    world_case(select_waits_for_connections_and_leaves_no_trace, select_accepts),
    world_case(select_takes_one_of_two_connections, select_takes_one),
    world_case(select_is_told_that_the_listener_ended, select_closed),
    world_case(a_listener_can_end_while_a_task_waits, ended_while_waiting),
    world_case(a_listener_can_end_while_a_task_yields_in_accept, ended_while_yielding),
    world_case(a_listener_can_end_at_the_opening_of_a_call, ended_at_the_opening),
    world_case(a_connection_broken_before_it_is_accepted_harms_nothing, broken_before),
    world_case(without_descriptors_the_connection_waits, without_descriptors),
};

test_suite("accept", cases);
