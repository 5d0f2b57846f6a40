/* net/stream/connect.c: a connection to one address, the end that the caller chooses, and what an
 * attempt fails with. */
#include "tests/net/stream/wire.h"

static void end_both(struct bight_stream *one, struct bight_stream *other)
{
    ck_ok(bight_stream_end(one, 0));
    ck_ok(bight_stream_end(other, 0));
}

static int talk(void *arg)
{
    const char *host = arg;
    struct bight_listener *listener = wire_listen(host, 0);
    struct bight_stream *client = NULL, *server = NULL;
    struct bight_address there, here;
    char line[32];

    ck_ok(bight_tcp_connect(&client, host, wire_port(listener), NULL, NULL));
    ck_ok(bight_listener_accept(&server, listener));
    ck_ok(bight_stream_write(client, "hello\n", 6));
    ck_assert_int_eq(bight_stream_read_line(server, line, sizeof(line)), 5);
    ck_assert_str_eq(line, "hello");
    ck_ok(bight_stream_write(server, "roger", 5));
    ck_ok(bight_stream_end(server, 0));
    ck_ok(bight_stream_read_exactly(client, line, 5));
    ck_assert_int_eq(bight_stream_read(client, line, sizeof(line)), 0);
    ck_ok(bight_stream_peer_address(client, &there));
    ck_ok(bight_listener_address(listener, &here));
    ck_assert_mem_eq(&there, &here, sizeof(here));
    ck_ok(bight_stream_end(client, 0));
    return bight_listener_end(listener);
}

static void connects_talks_and_ends_by_ipv4(void)
{
    ck_ok(world_run(talk, "127.0.0.1", NULL));
}

static void connects_talks_and_ends_by_ipv6(void)
{
    ck_ok(world_run(talk, "::1", NULL));
}

static int by_address(void *arg)
{
    struct bight_listener *listener = wire_listen("::1", 0);
    struct bight_stream *client = NULL;
    struct bight_address address;

    (void)arg;
    ck_ok(bight_listener_address(listener, &address));
    ck_ok(bight_tcp_connect_address(&client, &address, NULL));
    ck_assert_int_eq(wire_option(bight_stream_fd(client), SOL_SOCKET, SO_DOMAIN), AF_INET6);
    ck_assert_int_eq(wire_option(bight_stream_fd(client), SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    ck_ok(bight_stream_end(client, 0));
    ck_ok(bight_tcp_connect(&client, "[::1]", address.port, NULL, NULL));
    ck_ok(bight_stream_end(client, 0));
    return bight_listener_end(listener);
}

static int by_zone(void *arg)
{
    struct bight_tcp_attempts attempts;
    struct bight_stream *client;
    struct bight_scope scope;
    int rc;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, 20, 0));
    rc = bight_tcp_connect(&client, "fe80::1%1", 80, NULL, &attempts);
    ck_assert_int_lt(bight_scope_end(&scope, rc), 0);
    ck_assert_uint_eq(attempts.count, 1);
    ck_assert_uint_eq(attempts.addresses[0].family, 6);
    ck_assert_uint_eq(attempts.addresses[0].scope_id, 1);
    ck_assert_uint_eq(attempts.addresses[0].port, 80);
    return 0;
}

static int no_delay(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct bight_tcp_options nagle = {.nagle = true};
    struct bight_stream *client = NULL, *server = NULL;

    (void)arg;
    ck_ok(bight_tcp_connect(&client, "127.0.0.1", wire_port(listener), NULL, NULL));
    ck_ok(bight_listener_accept(&server, listener));
    ck_assert_int_ne(wire_option(bight_stream_fd(client), IPPROTO_TCP, TCP_NODELAY), 0);
    ck_assert_int_ne(wire_option(bight_stream_fd(server), IPPROTO_TCP, TCP_NODELAY), 0);
    end_both(client, server);
    ck_ok(bight_tcp_connect(&client, "127.0.0.1", wire_port(listener), &nagle, NULL));
    ck_assert_int_eq(wire_option(bight_stream_fd(client), IPPROTO_TCP, TCP_NODELAY), 0);
    ck_ok(bight_stream_end(client, 0));
    return bight_listener_end(listener);
}

static int refused(void *arg)
{
    struct bight_tcp_attempts attempts;
    struct bight_stream *client = NULL;
    uint16_t port = wire_free_port();

    (void)arg;
    ck_code(bight_tcp_connect(&client, "127.0.0.1", port, NULL, &attempts), BIGHT_ECONNREFUSED);
    ck_assert_ptr_null(client);
    ck_assert_uint_eq(attempts.count, 1);
    ck_assert_int_eq(attempts.codes[0], BIGHT_ECONNREFUSED);
    ck_assert_int_eq(attempts.gai_code, 0);
    return 0;
}

static int invalid(void *arg)
{
    struct bight_tcp_options here = {.local_host = "localhost"};
    struct bight_address address = {.family = 4, .bytes = {127, 0, 0, 1}};
    struct bight_stream *client;

    (void)arg;
    ck_code(bight_tcp_connect(NULL, "::1", 1, NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_tcp_connect(&client, NULL, 1, NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_tcp_connect(&client, "::1", 0, NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_tcp_connect(&client, "not a host", 1, NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_tcp_connect(&client, "::1", 1, &here, NULL), BIGHT_EINVAL);
    ck_code(bight_tcp_connect_address(&client, &address, NULL), BIGHT_EINVAL);
    address.port = 1;
    address.family = 5;
    ck_code(bight_tcp_connect_address(&client, &address, NULL), BIGHT_EINVAL);
    return 0;
}

static void connecting_outside_of_a_task_is_refused(void)
{
    struct bight_stream *client;

    ck_code(bight_tcp_connect(&client, "127.0.0.1", 1, NULL, NULL), BIGHT_ENOTASK);
}

/* The own end */

static int from_a_port(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct bight_tcp_options options = {.local_host = "127.0.0.5", .local_port = wire_free_port()};
    struct bight_stream *client = NULL, *server = NULL, *second;
    struct bight_address address;

    (void)arg;
    ck_ok(bight_tcp_connect(&client, "127.0.0.1", wire_port(listener), &options, NULL));
    ck_ok(bight_listener_accept(&server, listener));
    ck_ok(bight_stream_peer_address(server, &address));
    ck_assert_uint_eq(address.port, options.local_port);
    ck_assert_uint_eq(address.bytes[3], 5);
    ck_ok(bight_stream_local_address(client, &address));
    ck_assert_uint_eq(address.port, options.local_port);
    /* The same two ends cannot be connected twice. */
    ck_code(bight_tcp_connect(&second, "127.0.0.1", wire_port(listener), &options, NULL),
            BIGHT_EADDRINUSE);
    end_both(client, server);
    options.local_host = NULL;
    options.local_port = wire_free_port();
    ck_ok(bight_tcp_connect(&client, "127.0.0.1", wire_port(listener), &options, NULL));
    ck_ok(bight_stream_local_address(client, &address));
    ck_assert_uint_eq(address.port, options.local_port);
    ck_assert_uint_eq(address.bytes[3], 1);
    ck_ok(bight_stream_end(client, 0));
    options.local_host = "127.0.0.5";
    options.local_port = 0;
    ck_ok(bight_tcp_connect(&client, "127.0.0.1", wire_port(listener), &options, NULL));
    ck_ok(bight_stream_local_address(client, &address));
    ck_assert_uint_eq(address.bytes[3], 5);
    ck_ok(bight_stream_end(client, 0));
    options.local_host = "127.0.0.1";
    options.local_port = wire_port(listener);
    ck_code(bight_tcp_connect(&client, "127.0.0.1", wire_port(listener), &options, NULL),
            BIGHT_EADDRINUSE);
    return bight_listener_end(listener);
}

/* Here on purpose; it happens by chance where the system chooses the port. */
static int not_to_itself(void *arg)
{
    struct bight_tcp_options options = {.local_host = "127.0.0.1", .local_port = wire_free_port()};
    struct bight_stream *client;

    (void)arg;
    ck_code(bight_tcp_connect(&client, "127.0.0.1", options.local_port, &options, NULL),
            BIGHT_ECONNREFUSED);
    return bight_listener_end(wire_listen("127.0.0.1", options.local_port)); /* it is free again */
}

static int without_descriptors(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    uint16_t port = wire_port(listener);
    struct bight_stream *client = NULL;
    struct rlimit before;

    (void)arg;
    before = wire_few_descriptors(0);
    ck_code(bight_tcp_connect(&client, "127.0.0.1", port, NULL, NULL), BIGHT_EMFILE);
    wire_descriptors_back(before);
    ck_ok(bight_tcp_connect(&client, "127.0.0.1", port, NULL, NULL));
    ck_ok(bight_stream_end(client, 0));
    return bight_listener_end(listener);
}

static const struct suite_case cases[] = {
    plain_case(connects_talks_and_ends_by_ipv4),
    plain_case(connects_talks_and_ends_by_ipv6),
    world_case(a_numeric_address_is_connected_to_as_given, by_address),
    world_case(a_numeric_address_keeps_its_zone, by_zone),
    world_case(there_is_no_delay_unless_asked_for, no_delay),
    world_case(a_refusal_is_the_error_of_its_attempt, refused),
    world_case(what_is_no_host_or_port_is_invalid, invalid),
    plain_case(connecting_outside_of_a_task_is_refused),
    world_case(a_given_local_address_is_the_own_end, from_a_port),
    world_case(a_socket_is_not_connected_to_itself, not_to_itself),
    world_case(without_descriptors_the_attempt_fails_and_nothing_else, without_descriptors),
};

test_suite("connect", cases);
