/* net/stream/listen.c: what can be a listener and at which address, and what closing it means. */
#include <pthread.h>

#include "tests/net/stream/wire.h"

static int closed(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    uint16_t port = wire_port(listener);
    struct bight_address address;
    struct wire_accept accepts[2];
    struct bight_stream *stream;
    int fd = wire_dial(port);
    char byte;

    (void)arg;
    ck_ok(bight_listener_accept(&stream, listener));
    close(fd);
    wire_accept_begin(&accepts[0], listener);
    wire_accept_begin(&accepts[1], listener);
    ck_ok(bight_listener_close(listener));
    ck_code(wire_accept_end(&accepts[0]), BIGHT_ECLOSED);
    ck_code(wire_accept_end(&accepts[1]), BIGHT_ECLOSED);
    ck_code(bight_listener_close(listener), BIGHT_EALREADY);
    ck_code(bight_listener_try_accept(&stream, listener), BIGHT_ECLOSED);
    ck_code(bight_listener_fd(listener), BIGHT_ECLOSED);
    ck_code(bight_listener_address(listener, &address), BIGHT_ECLOSED);
    ck_code(bight_listener_accept(&accepts[0].stream, listener), BIGHT_ECLOSED);
    ck_ok(bight_listener_end(listener));
    /* What was accepted goes on. */
    ck_assert_int_eq(bight_stream_read(stream, &byte, 1), 0);
    ck_code(bight_tcp_connect(&accepts[0].stream, "127.0.0.1", port, NULL, NULL),
            BIGHT_ECONNREFUSED);
    return bight_stream_end(stream, 0);
}

static int left_open_main(void *arg)
{
    (void)arg;
    wire_listen("127.0.0.1", 0);
    wire_listen("127.0.0.1", 0);
    return 0;
}

/* Options and addresses */

static int in_use(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0), *second = NULL;

    (void)arg;
    ck_code(bight_tcp_listen(&second, "127.0.0.1", wire_port(listener), NULL), BIGHT_EADDRINUSE);
    ck_assert_ptr_null(second);
    ck_code(bight_tcp_listen(&second, "192.0.2.1", 0, NULL), -EADDRNOTAVAIL);
    return bight_listener_end(listener);
}

static int used_a_moment_ago(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    uint16_t port = wire_port(listener);
    struct bight_stream *stream;
    int fd = wire_dial(port);
    char byte;

    (void)arg;
    ck_ok(bight_listener_accept(&stream, listener));
    ck_ok(bight_stream_end(stream, 0)); /* the first to close has the address for a while yet */
    ck_assert_int_eq(read(fd, &byte, 1), 0);
    close(fd);
    ck_ok(bight_listener_end(listener));
    return bight_listener_end(wire_listen("127.0.0.1", port));
}

static int shared_port(void *arg)
{
    struct bight_listen_options share = {.reuse_port = true};
    struct bight_listener *listener = wire_listen("127.0.0.1", 0), *first = NULL, *second = NULL;

    (void)arg;
    ck_assert_int_eq(wire_option(bight_listener_fd(listener), SOL_SOCKET, SO_REUSEPORT), 0);
    ck_ok(bight_tcp_listen(&first, "127.0.0.1", 0, &share));
    ck_assert_int_ne(wire_option(bight_listener_fd(first), SOL_SOCKET, SO_REUSEPORT), 0);
    ck_ok(bight_tcp_listen(&second, "127.0.0.1", wire_port(first), &share));
    ck_ok(bight_listener_end(first));
    ck_ok(bight_listener_end(second));
    return bight_listener_end(listener);
}

static void dial_both(struct bight_listener *listener, int code)
{
    struct bight_stream *client = NULL, *server = NULL;
    struct bight_address peer;

    ck_code(bight_tcp_connect(&client, "127.0.0.1", wire_port(listener), NULL, NULL), code);
    if (code == 0) {
        ck_ok(bight_listener_accept(&server, listener));
        ck_ok(bight_stream_peer_address(server, &peer));
        ck_assert_uint_eq(peer.family, 4); /* not as IPv6 has it */
        ck_ok(bight_stream_local_address(server, &peer));
        ck_assert_uint_eq(peer.family, 4);
        ck_ok(bight_stream_end(client, 0));
        ck_ok(bight_stream_end(server, 0));
    }
    ck_ok(bight_tcp_connect(&client, "::1", wire_port(listener), NULL, NULL));
    ck_ok(bight_listener_accept(&server, listener));
    ck_ok(bight_stream_peer_address(server, &peer));
    ck_assert_uint_eq(peer.family, 6);
    ck_ok(bight_stream_end(client, 0));
    ck_ok(bight_stream_end(server, 0));
}

static int both_families(void *arg)
{
    struct bight_listen_options only = {.ipv6_only = true};
    struct bight_listener *listener = wire_listen(NULL, 0);

    (void)arg;
    dial_both(listener, 0);
    ck_ok(bight_listener_end(listener));
    dial_both(listener = wire_listen("::", 0), 0);
    ck_ok(bight_listener_end(listener));
    ck_ok(bight_tcp_listen(&listener, NULL, 0, &only));
    dial_both(listener, BIGHT_ECONNREFUSED);
    ck_ok(bight_listener_end(listener));
    dial_both(listener = wire_listen("::1", 0), BIGHT_ECONNREFUSED);
    return bight_listener_end(listener);
}

static int invalid(void *arg)
{
    struct bight_listener *listener;
    int datagram = socket(AF_INET, SOCK_DGRAM, 0), stream = socket(AF_INET, SOCK_STREAM, 0);

    (void)arg;
    ck_code(bight_tcp_listen(NULL, NULL, 0, NULL), BIGHT_EINVAL);
    ck_code(bight_tcp_listen(&listener, "localhost", 0, NULL), BIGHT_EINVAL);
    ck_code(bight_tcp_listen(&listener, NULL, 0, &(struct bight_listen_options){.backlog = -1}),
            BIGHT_EINVAL);
    ck_code(bight_listener_from_fd(&listener, -1), BIGHT_EBADF);
    ck_code(bight_listener_from_fd(&listener, datagram), BIGHT_EINVAL);
    ck_code(bight_listener_from_fd(&listener, stream), BIGHT_EINVAL);
    ck_code(bight_listener_from_fd(&listener, 0), BIGHT_EINVAL);
    close(datagram);
    close(stream);
    return 0;
}

static int from_fd(void *arg)
{
    struct bight_listener *listener = NULL;
    struct bight_stream *stream = NULL;
    struct sockaddr_in name;
    int fd = test_bound_socket(&name), client;

    (void)arg;
    ck_assert_int_eq(listen(fd, 1), 0);
    client = wire_dial(ntohs(name.sin_port)); /* before it is a listener */
    ck_ok(bight_listener_from_fd(&listener, fd));
    ck_assert_int_eq(bight_listener_fd(listener), fd);
    ck_assert_uint_eq(wire_port(listener), ntohs(name.sin_port));
    ck_ok(bight_listener_accept(&stream, listener));
    ck_ok(bight_stream_end(stream, 0));
    close(client);
    ck_code(bight_listener_try_accept(&stream, listener), BIGHT_EAGAIN);
    client = wire_dial(ntohs(name.sin_port));
    ck_ok(bight_listener_accept(&stream, listener));
    ck_assert_int_ne(wire_option(bight_stream_fd(stream), IPPROTO_TCP, TCP_NODELAY), 0);
    ck_ok(bight_stream_end(stream, 0));
    close(client);
    return bight_listener_end(listener);
}

static void a_listener_needs_a_runtime(void)
{
    struct bight_listener *listener;

    ck_code(bight_tcp_listen(&listener, "127.0.0.1", 0, NULL), BIGHT_ENORUNTIME);
    ck_code(bight_listener_from_fd(&listener, 0), BIGHT_ENORUNTIME);
}

static int handle(struct bight_stream *stream, void *arg)
{
    (void)stream;
    (void)arg;
    return 0;
}

static int foreign_main(void *arg)
{
    struct bight_listener *listener = arg;
    struct bight_stream *stream;
    struct bight_case one;

    ck_code(bight_listener_accept(&stream, listener), BIGHT_EPERM);
    ck_code(bight_listener_try_accept(&stream, listener), BIGHT_EPERM);
    ck_code(bight_listener_close(listener), BIGHT_EPERM);
    ck_code(bight_listener_end(listener), BIGHT_EPERM);
    ck_code(bight_serve(listener, handle, NULL, NULL), BIGHT_EPERM);
    bight_case_accept(&one, listener);
    ck_assert_int_eq(bight_select(&one, 1, 0), 0);
    ck_code(one.status, BIGHT_EPERM);
    return 0;
}

static void *foreign_thread(void *arg)
{
    ck_ok(bight_run(foreign_main, arg));
    return NULL;
}

static int foreign(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    pthread_t thread;

    (void)arg;
    ck_assert_int_eq(pthread_create(&thread, NULL, foreign_thread, listener), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    return bight_listener_end(listener);
}

static const struct suite_case cases[] = {
    world_case(closing_wakes_who_waits_and_keeps_what_was_accepted, closed),
    world_case(listeners_left_open_end_with_the_runtime, left_open_main),
    world_case(an_address_in_use_or_of_another_machine_is_refused, in_use),
    world_case(an_address_of_closed_connections_can_be_used, used_a_moment_ago),
    world_case(a_port_is_shared_only_when_asked_for, shared_port),
    world_case(every_address_is_that_of_both_families, both_families),
    world_case(what_cannot_be_a_listener_is_invalid, invalid),
    world_case(a_listening_socket_can_be_handed_over, from_fd),
    plain_case(a_listener_needs_a_runtime),
    world_case(a_listener_of_another_thread_is_refused, foreign),
};

test_suite("listener", cases);
