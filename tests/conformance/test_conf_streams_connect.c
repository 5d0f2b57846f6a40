/* Streams: making connections. */
#include "tests/conformance/conf.h"
#include "tests/net/stream/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

#include "net/resolve/resolve.h"

static uint16_t free_port(void)
{
    struct sockaddr_in name;
    int fd = test_bound_socket(&name);

    close(fd);
    return ntohs(name.sin_port);
}

/* Two addresses, of the two families. */
static int find_two(void *arg, const char *host, struct bight_address *addresses, size_t *count)
{
    (void)arg;
    (void)host;
    addresses[0] = (struct bight_address){.family = 4, .bytes = {127, 0, 0, 1}};
    addresses[1] = (struct bight_address){.family = 6, .bytes = {[15] = 1}};
    *count = 2;
    return 0;
}

static struct bight_resolver *make_resolver(resolve_lookup lookup)
{
    struct bight_resolver *resolver = NULL;

    ck_ok(bight_resolver_new(&resolver, NULL));
    bight__resolver_set_lookup(resolver, lookup, NULL);
    return resolver;
}

/* A simple server of HTTP, for one client. */
static int answers(void *listener)
{
    static const char answer[] = "HTTP/1.0 200 OK\r\n\r\nTest message";
    struct bight_stream *stream;
    char line[64];
    int rc = bight_listener_accept(&stream, listener);

    ck_ok(rc);
    ck_assert_int_eq(bight_stream_read_line(stream, line, sizeof(line)), 14);
    ck_ok(bight_stream_write(stream, answer, sizeof(answer) - 1));
    return bight_stream_end(stream, 1000);
}

static void ask(struct bight_stream *stream)
{
    char line[64], rest[64];
    int64_t count, all = 0;

    ck_ok(bight_stream_write(stream, "GET / HTTP/1.0\r\n\r\n", 18));
    ck_assert_int_eq(bight_stream_read_line(stream, line, sizeof(line)), 15);
    ck_assert_str_eq(line, "HTTP/1.0 200 OK");
    while ((count = bight_stream_read(stream, rest + all, sizeof(rest) - (size_t)all)) > 0)
        all += count;
    ck_ok((int)count);
    ck_assert_mem_eq(rest, "\r\nTest message", 14);
    ck_ok(bight_stream_end(stream, 0));
}

static int talks(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct bight_stream *stream = NULL;
    struct bight_task *server;
    char name[64];

    (void)arg;
    ck_ok(bight_spawn(&server, answers, listener));
    ck_ok(bight_tcp_connect(&stream, "127.0.0.1", wire_port(listener), NULL, NULL));
    ask(stream);
    conf_join(server, 0);
    ck_ok(bight_listener_end(listener));

    snprintf(name, sizeof(name), "@bight-conf-%d", getpid());
    ck_ok(bight_unix_listen(&listener, name, NULL));
    ck_ok(bight_spawn(&server, answers, listener));
    ck_ok(bight_unix_connect(&stream, name));
    ask(stream);
    conf_join(server, 0);
    return bight_listener_end(listener);
}

/* There is one local address; it counts for every address that is tried. */
static int cannot_bind(void *arg)
{
    struct bight_tcp_options options = {.resolver = make_resolver(find_two)};
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct bight_tcp_attempts attempts;
    struct bight_stream *stream;
    int before;

    (void)arg;
    options.local_port = wire_port(listener);
    before = test_open_fds();
    ck_code(bight_tcp_connect(&stream, "two.test", options.local_port, &options, &attempts),
            BIGHT_EADDRINUSE);
    ck_assert_uint_eq(attempts.count, 2);
    ck_code(attempts.codes[0], BIGHT_EADDRINUSE);
    ck_assert_int_lt(attempts.codes[1], 0); /* in use, or nobody listens there by IPv6 */
    ck_assert_int_eq(test_open_fds(), before);
    bight_resolver_free(options.resolver);
    return bight_listener_end(listener);
}

/* A port that answers nobody: its backlog is full. */
static int times_out(void *arg)
{
    struct sockaddr_in name;
    int listens = test_bound_socket(&name), fills = socket(AF_INET, SOCK_STREAM, 0);
    struct bight_stream *stream;
    struct bight_scope scope;
    int before, rc;

    (void)arg;
    ck_assert_int_eq(listen(listens, 0), 0);
    ck_assert_int_eq(test_connect(fills, (struct sockaddr *)&name, sizeof(name)), 0);
    ck_code(bight_tcp_connect(&stream, "127.0.0.1", free_port(), NULL, NULL), BIGHT_ECONNREFUSED);
    before = test_open_fds();
    ck_ok(bight_scope_begin(&scope, 20, 0));
    rc = bight_tcp_connect(&stream, "127.0.0.1", ntohs(name.sin_port), NULL, NULL);
    ck_code(bight_scope_end(&scope, rc), BIGHT_ETIMEDOUT);
    ck_assert_int_le(test_open_fds(), before + 1); /* the record of waits has one */
    close(fills);
    close(listens);
    return 0;
}

static int nowhere(void *arg)
{
    int datagram = socket(AF_INET, SOCK_DGRAM, 0);
    struct bight_stream *stream;

    (void)arg;
    ck_code(bight_tcp_connect(&stream, NULL, 80, NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_tcp_connect(&stream, "127.0.0.1", 0, NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_tcp_connect_address(&stream, NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_stream_from_fd(&stream, datagram), BIGHT_ENOTSUP);
    close(datagram);
    return 0;
}

static int as_given(void *arg)
{
    static const char *const hosts[] = {"127.0.0.1", "::1"};
    struct bight_tcp_attempts attempts;
    struct bight_address there, peer;
    struct bight_stream *stream = NULL;
    struct bight_scope scope;
    int rc;

    (void)arg;
    for (int i = 0; i < 2; i++) {
        struct bight_listener *listener = wire_listen(hosts[i], 0);

        ck_ok(bight_tcp_connect(&stream, hosts[i], wire_port(listener), NULL, NULL));
        ck_assert_int_eq(wire_option(bight_stream_fd(stream), SOL_SOCKET, SO_DOMAIN),
                         i ? AF_INET6 : AF_INET);
        ck_assert_int_eq(wire_option(bight_stream_fd(stream), SOL_SOCKET, SO_TYPE), SOCK_STREAM);
        ck_ok(bight_listener_address(listener, &there));
        ck_ok(bight_stream_peer_address(stream, &peer));
        ck_assert_mem_eq(&peer, &there, sizeof(peer));
        ck_ok(bight_stream_end(stream, 0));
        ck_ok(bight_listener_end(listener));
    }
    ck_ok(bight_scope_begin(&scope, 20, 0)); /* that address is nobody's, of the loopback's zone */
    rc = bight_tcp_connect(&stream, "fe80::1%1", 80, NULL, &attempts);
    ck_assert_int_lt(bight_scope_end(&scope, rc), 0);
    ck_assert_uint_eq(attempts.addresses[0].family, 6);
    ck_assert_uint_eq(attempts.addresses[0].scope_id, 1);
    return 0;
}

static int from_here(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct bight_tcp_options options = {.local_host = "127.0.0.1", .local_port = free_port()};
    struct bight_stream *stream = NULL;
    struct bight_address own;

    (void)arg;
    ck_ok(bight_tcp_connect(&stream, "127.0.0.1", wire_port(listener), &options, NULL));
    ck_ok(bight_stream_local_address(stream, &own));
    ck_assert_uint_eq(own.port, options.local_port);
    ck_ok(bight_stream_end(stream, 0));
    options.local_port = wire_port(listener);
    ck_code(bight_tcp_connect(&stream, "127.0.0.1", wire_port(listener), &options, NULL),
            BIGHT_EADDRINUSE);
    return bight_listener_end(listener);
}

static int of_another_family(void *arg)
{
    struct bight_tcp_options options = {.resolver = make_resolver(find_two), .local_host = "::1"};
    struct bight_tcp_attempts attempts;
    struct bight_stream *stream;

    (void)arg;
    ck_code(bight_tcp_connect(&stream, "two.test", free_port(), &options, &attempts),
            BIGHT_ECONNREFUSED);
    ck_assert_uint_eq(attempts.count, 1);
    ck_code(bight_tcp_connect(&stream, "127.0.0.1", free_port(), &options, NULL), -EADDRNOTAVAIL);
    options.local_host = "nobody.test";
    ck_code(bight_tcp_connect(&stream, "127.0.0.1", free_port(), &options, NULL), BIGHT_EINVAL);
    bight_resolver_free(options.resolver);
    return 0;
}

static int handed_over(void *arg)
{
    struct sockaddr_in name;
    int listens = test_bound_socket(&name), client, accepted;
    struct bight_stream *stream = NULL;
    char data[16];

    (void)arg;
    ck_assert_int_eq(listen(listens, 1), 0);
    client = wire_dial(ntohs(name.sin_port));
    ck_assert_int_eq(write(client, "test data", 9), 9);
    accepted = accept(listens, NULL, NULL);
    ck_assert_int_ge(accepted, 0);
    ck_ok(bight_stream_from_fd(&stream, accepted));
    ck_ok(bight_stream_read_exactly(stream, data, 9));
    ck_assert_mem_eq(data, "test data", 9);
    ck_ok(bight_stream_write(stream, "roger", 5));
    ck_assert_int_eq(recv(client, data, sizeof(data), 0), 5);
    close(client);
    ck_assert_int_eq(bight_stream_read(stream, data, sizeof(data)), 0);
    ck_ok(bight_stream_end(stream, 0));
    close(listens);
    return 0;
}

static int no_delay(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    int plain = socket(AF_INET, SOCK_STREAM, 0);
    struct bight_stream *stream = NULL;

    (void)arg;
    ck_assert_int_eq(wire_option(plain, IPPROTO_TCP, TCP_NODELAY), 0);
    close(plain);
    ck_ok(bight_tcp_connect(&stream, "127.0.0.1", wire_port(listener), NULL, NULL));
    ck_assert_int_ne(wire_option(bight_stream_fd(stream), IPPROTO_TCP, TCP_NODELAY), 0);
    ck_ok(bight_stream_end(stream, 0));
    return bight_listener_end(listener);
}

static int local_arguments(void *arg)
{
    int datagram = socket(AF_UNIX, SOCK_DGRAM, 0), internet = socket(AF_INET, SOCK_STREAM, 0);
    struct bight_listener *listener;
    struct bight_stream *stream;

    (void)arg;
    ck_code(bight_unix_connect(&stream, NULL), BIGHT_EINVAL);
    ck_code(bight_unix_connect(&stream, ""), BIGHT_EINVAL);
    ck_code(bight_unix_listen(&listener, NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_unix_listen(&listener, "", NULL), BIGHT_EINVAL);
    ck_code(bight_stream_from_fd(&stream, datagram), BIGHT_ENOTSUP);
    ck_code(bight_listener_from_fd(&listener, datagram), BIGHT_EINVAL);
    ck_code(bight_stream_from_fd(&stream, internet), BIGHT_EINVAL); /* not connected */
    ck_code(bight_listener_from_fd(&listener, internet), BIGHT_EINVAL);
    ck_code(bight_unix_connect(&stream, "/nowhere/at/all"), BIGHT_ENOENT);
    close(datagram);
    close(internet);
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(conn_01_open_talk_close, talks),
    conf_case(conn_04_a_local_address_that_cannot_be_bound_is_one_of_the_errors, cannot_bind),
    conf_case(conn_05_a_timeout_while_connecting_closes_the_socket, times_out),
    conf_case(conn_06_there_is_exactly_one_way_to_say_where_to, nowhere),
    conf_case(conn_07_numeric_addresses_are_connected_to_as_given, as_given),
    conf_case(conn_08_a_given_local_address_is_used, from_here),
    conf_case(conn_09_a_local_address_of_another_family_is_skipped, of_another_family),
    conf_case(conn_10_an_accepted_socket_can_be_handed_over, handed_over),
    conf_case(conn_12_no_delay_is_switched_on, no_delay),
    conf_case(conn_13_local_sockets_want_a_path_or_a_fitting_socket, local_arguments),
};

test_suite("streams, connect", cases);
