/* net/stream/connect.c, order.c: which addresses are tried, when, and what is left of those that
 * lost. A black hole is a listener whose backlog is full: it answers nobody. */
#include "tests/net/stream/wire.h"

#include <bight/testing.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>

#include "net/resolve/resolve.h"
#include "net/stream/connect.h"

/* What the lookup of every name finds. */
static struct bight_address found[BIGHT_RESOLVE_ADDRESSES];
static size_t found_count;

static int lookup(void *arg, const char *host, struct bight_address *addresses, size_t *count)
{
    (void)arg;
    if (!strcmp(host, "nobody.test"))
        return EAI_NONAME;
    memcpy(addresses, found, found_count * sizeof(*found));
    *count = found_count;
    return 0;
}

static struct bight_resolver *make_resolver(void)
{
    struct bight_resolver *resolver = NULL;

    ck_ok(bight_resolver_new(&resolver, NULL));
    bight__resolver_set_lookup(resolver, lookup, NULL);
    return resolver;
}

static void find(const char *host)
{
    ck_ok(bight_address_parse(host, &found[found_count++]));
}

/* A listening socket that has one connection more than its backlog takes. */
struct hole {
    int listens;
    int fills;
};

static struct hole dig(const char *host, uint16_t port)
{
    struct sockaddr_in name = wire_name(host, port);
    struct hole hole = {socket(AF_INET, SOCK_STREAM, 0), socket(AF_INET, SOCK_STREAM, 0)};
    const int on = 1;

    setsockopt(hole.listens, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    ck_assert_int_eq(bind(hole.listens, (struct sockaddr *)&name, sizeof(name)), 0);
    ck_assert_int_eq(listen(hole.listens, 0), 0);
    ck_assert_int_eq(connect(hole.fills, (struct sockaddr *)&name, sizeof(name)), 0);
    return hole;
}

static void fill_in(struct hole *hole)
{
    close(hole->fills);
    close(hole->listens);
}

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

/* A port of loopback at which nobody listens. */
static uint16_t free_port(void)
{
    struct sockaddr_in name;
    int fd = test_bound_socket(&name);

    close(fd);
    return ntohs(name.sin_port);
}

static int refused(void *arg)
{
    struct bight_tcp_attempts attempts;
    struct bight_stream *client = NULL;
    uint16_t port = free_port();

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

/* Order */

static void order(const char *given, const char *wanted)
{
    struct bight_address addresses[BIGHT_RESOLVE_ADDRESSES];
    size_t count = strlen(given);

    for (size_t i = 0; i < count; i++) {
        addresses[i] = (struct bight_address){.family = given[i] < 'a' ? 4 : 6};
        addresses[i].bytes[0] = (uint8_t)given[i];
    }
    bight__connect_order(addresses, count);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(addresses[i].bytes[0], wanted[i]);
}

static void families_take_turns_from_the_first_one_on(void)
{
    order("", "");
    order("a", "a");
    order("abcABC", "aAbBcC");
    order("ABCabc", "AaBbCc");
    order("aABCDE", "aABCDE");
    order("abcdefA", "aAbcdef");
    order("AaBbC", "AaBbC");
    order("abcd", "abcd");
    order("AabBCDc", "AaBbCcD");
    order("abcdefghABCDEFGH", "aAbBcCdDeEfFgGhH");
}

/* Races */

static uint64_t since_ms(uint64_t start_ns)
{
    return (bight_now_ns() - start_ns) / 1000000;
}

static int past_a_hole(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct hole hole = dig("127.0.0.2", wire_port(listener));
    struct bight_tcp_options options = {.resolver = make_resolver(), .stagger_ms = 30};
    struct bight_tcp_attempts attempts;
    struct bight_stream *client = NULL;
    uint64_t start_ns = bight_now_ns();

    (void)arg;
    find("127.0.0.2");
    find("127.0.0.1");
    ck_ok(bight_tcp_connect(&client, "two.test", wire_port(listener), &options, &attempts));
    ck_assert_uint_ge(since_ms(start_ns), 30);
    ck_assert_uint_eq(attempts.count, 2);
    ck_assert_int_eq(attempts.codes[0], BIGHT_ECANCELED);
    ck_assert_int_eq(attempts.codes[1], 0);
    ck_assert_uint_eq(attempts.addresses[0].bytes[3], 2);
    ck_assert_uint_eq(attempts.addresses[1].port, wire_port(listener));
    ck_ok(bight_stream_end(client, 0));
    fill_in(&hole);
    bight_resolver_free(options.resolver);
    return bight_listener_end(listener);
}

/* A stagger that the limit of the case does not allow. */
static int past_a_refusal(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct bight_tcp_options options = {.resolver = make_resolver(), .stagger_ms = INT64_MAX};
    struct bight_tcp_attempts attempts;
    struct bight_stream *client = NULL;

    (void)arg;
    find("127.0.0.2");
    find("::1");
    find("255.255.255.255"); /* refused by the system itself */
    find("127.0.0.1");
    find("127.0.0.3");
    ck_ok(bight_tcp_connect(&client, "five.test", wire_port(listener), &options, &attempts));
    ck_assert_uint_eq(attempts.count, 5);
    ck_assert_int_eq(attempts.codes[0], BIGHT_ECONNREFUSED);
    ck_assert_int_lt(attempts.codes[1], 0);
    ck_assert_int_lt(attempts.codes[2], 0);
    ck_assert_int_eq(attempts.codes[3], 0);
    ck_assert_int_eq(attempts.codes[4], BIGHT_EAGAIN);
    ck_ok(bight_stream_end(client, 0));
    bight_resolver_free(options.resolver);
    return bight_listener_end(listener);
}

static int first_error(void *arg)
{
    struct bight_tcp_options options = {.resolver = make_resolver()};
    struct bight_tcp_attempts attempts;
    struct bight_stream *client;

    (void)arg;
    find("127.0.0.2");
    find("255.255.255.255");
    ck_code(bight_tcp_connect(&client, "two.test", free_port(), &options, &attempts),
            BIGHT_ECONNREFUSED);
    ck_assert_int_ne(attempts.codes[1], BIGHT_ECONNREFUSED);
    ck_assert_int_lt(attempts.codes[1], 0);
    bight_resolver_free(options.resolver);
    return 0;
}

static int one_after_the_other(void *arg)
{
    uint16_t port = free_port();
    struct hole hole = dig("127.0.0.2", port);
    struct bight_tcp_options options = {.resolver = make_resolver(), .stagger_ms = -1};
    struct bight_tcp_attempts attempts;
    struct bight_stream *client;
    struct bight_scope scope;
    int rc;

    (void)arg;
    find("127.0.0.2");
    find("127.0.0.1");
    ck_ok(bight_scope_begin(&scope, 400, 0));
    rc = bight_tcp_connect(&client, "two.test", port, &options, &attempts);
    ck_code(bight_scope_end(&scope, rc), BIGHT_ETIMEDOUT);
    ck_assert_int_eq(attempts.codes[0], BIGHT_ECANCELED);
    ck_assert_int_eq(attempts.codes[1], BIGHT_EAGAIN);
    bight_resolver_free(options.resolver);
    fill_in(&hole);
    return 0;
}

static int all_at_once(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.100", 0);
    struct bight_tcp_options options = {.resolver = make_resolver(), .stagger_ms = 1};
    struct hole holes[BIGHT_RESOLVE_ADDRESSES - 1];
    struct bight_tcp_attempts attempts;
    struct bight_stream *client = NULL;
    uint64_t start_ns = bight_now_ns();

    (void)arg;
    for (int i = 0; i < BIGHT_RESOLVE_ADDRESSES - 1; i++) {
        char host[32];

        snprintf(host, sizeof(host), "127.0.0.%d", i + 2);
        holes[i] = dig(host, wire_port(listener));
        find(host);
    }
    find("127.0.0.100");
    ck_ok(bight_tcp_connect(&client, "many.test", wire_port(listener), &options, &attempts));
    ck_assert_uint_ge(since_ms(start_ns), 10 * (BIGHT_RESOLVE_ADDRESSES - 1));
    for (int i = 0; i < BIGHT_RESOLVE_ADDRESSES - 1; i++) {
        ck_assert_int_eq(attempts.codes[i], BIGHT_ECANCELED);
        fill_in(&holes[i]);
    }
    ck_assert_int_eq(attempts.codes[BIGHT_RESOLVE_ADDRESSES - 1], 0);
    ck_ok(bight_stream_end(client, 0));
    bight_resolver_free(options.resolver);
    return bight_listener_end(listener);
}

static int accept_late(void *arg)
{
    const struct hole *hole = arg;
    int rc = bight_sleep(50), accepted;

    if (rc)
        return rc;
    accepted = accept(hole->listens, NULL, NULL);
    ck_assert_int_ge(accepted, 0);
    close(accepted);
    return 0;
}

/* The first one's backlog has room again when the second is on its way; the system asks again. */
static int first_after_all(void *arg)
{
    uint16_t port = free_port();
    struct hole slow = dig("127.0.0.2", port), never = dig("127.0.0.3", port);
    struct bight_tcp_options options = {.resolver = make_resolver(), .stagger_ms = 10};
    struct bight_tcp_attempts attempts;
    struct bight_stream *client = NULL;
    struct bight_task *task;

    (void)arg;
    find("127.0.0.2");
    find("127.0.0.3");
    ck_ok(bight_spawn(&task, accept_late, &slow));
    ck_ok(bight_tcp_connect(&client, "two.test", port, &options, &attempts));
    ck_assert_int_eq(attempts.codes[0], 0);
    ck_assert_int_eq(attempts.codes[1], BIGHT_ECANCELED);
    ck_ok(bight_join(task, NULL));
    ck_ok(bight_stream_end(client, 0));
    fill_in(&slow);
    fill_in(&never);
    bight_resolver_free(options.resolver);
    return 0;
}

struct call {
    struct bight_tcp_options options;
    struct bight_tcp_attempts attempts;
    uint16_t port;
};

static int call_main(void *arg)
{
    struct call *call = arg;
    struct bight_stream *client;

    return bight_tcp_connect(&client, "two.test", call->port, &call->options, &call->attempts);
}

static int cancelled(void *arg)
{
    struct call call = {.port = free_port()};
    struct hole holes[2] = {dig("127.0.0.2", call.port), dig("127.0.0.3", call.port)};
    struct bight_task *task;
    int before = test_open_fds(), status;

    (void)arg;
    call.options = (struct bight_tcp_options){.resolver = make_resolver(), .stagger_ms = 10};
    find("127.0.0.2");
    find("127.0.0.3");
    ck_ok(bight_spawn(&task, call_main, &call));
    ck_ok(bight_sleep(100));
    ck_assert_int_ge(test_open_fds(), before + 2);
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert_int_eq(call.attempts.codes[0], BIGHT_ECANCELED);
    ck_assert_int_eq(call.attempts.codes[1], BIGHT_ECANCELED);
    bight_resolver_free(call.options.resolver);
    fill_in(&holes[0]);
    fill_in(&holes[1]);
    return 0;
}

static int unresolved(void *arg)
{
    struct bight_tcp_options options = {.resolver = make_resolver()};
    struct bight_tcp_attempts attempts;
    struct bight_stream *client;

    (void)arg;
    ck_code(bight_tcp_connect(&client, "nobody.test", 80, &options, &attempts), BIGHT_ERESOLVE);
    ck_assert_int_eq(attempts.gai_code, EAI_NONAME);
    ck_assert_str_eq(attempts.text, gai_strerror(EAI_NONAME));
    ck_assert_uint_eq(attempts.count, 0);
    bight_resolver_free(options.resolver);
    return 0;
}

static int own_resolver(void *arg)
{
    struct bight_listener *listener = wire_listen(NULL, 0);
    struct bight_stream *client = NULL;

    (void)arg;
    for (int i = 0; i < 2; i++) {
        ck_ok(bight_tcp_connect(&client, "localhost", wire_port(listener), NULL, NULL));
        ck_ok(bight_stream_end(client, 0));
    }
    return bight_listener_end(listener);
}

/* The own end */

static int from_a_port(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct bight_tcp_options options = {.local_host = "127.0.0.5", .local_port = free_port()};
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
    options.local_port = free_port();
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

static int from_another_family(void *arg)
{
    struct bight_listener *listener = wire_listen("127.0.0.1", 0);
    struct bight_tcp_options options = {.resolver = make_resolver(), .local_host = "127.0.0.1"};
    struct bight_tcp_attempts attempts;
    struct bight_stream *client = NULL;

    (void)arg;
    find("::1");
    find("127.0.0.1");
    ck_ok(bight_tcp_connect(&client, "two.test", wire_port(listener), &options, &attempts));
    ck_assert_uint_eq(attempts.count, 1);
    ck_assert_uint_eq(attempts.addresses[0].family, 4);
    ck_ok(bight_stream_end(client, 0));
    ck_code(bight_tcp_connect(&client, "::1", wire_port(listener), &options, &attempts),
            -EADDRNOTAVAIL);
    ck_assert_uint_eq(attempts.count, 0);
    options.local_host = "192.0.2.1"; /* not of this machine */
    ck_code(bight_tcp_connect(&client, "127.0.0.1", wire_port(listener), &options, &attempts),
            -EADDRNOTAVAIL);
    ck_assert_int_eq(attempts.codes[0], -EADDRNOTAVAIL);
    bight_resolver_free(options.resolver);
    return bight_listener_end(listener);
}

/* Here on purpose; it happens by chance where the system chooses the port. */
static int not_to_itself(void *arg)
{
    struct bight_tcp_options options = {.local_host = "127.0.0.1", .local_port = free_port()};
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
    plain_case(families_take_turns_from_the_first_one_on),
    world_case(a_silent_address_delays_the_next_by_the_stagger, past_a_hole),
    world_case(a_failed_address_does_not_delay_the_next, past_a_refusal),
    world_case(when_all_fail_the_first_error_counts, first_error),
    world_case(without_a_stagger_one_goes_after_the_other_and_a_timeout_ends_it,
               one_after_the_other),
    world_case(all_addresses_may_be_on_their_way_at_once, all_at_once),
    world_case(the_first_may_win_though_the_second_has_begun, first_after_all),
    world_case(a_cancelled_race_leaves_nothing_open, cancelled),
    world_case(a_name_that_is_not_found_says_why, unresolved),
    world_case(a_name_needs_no_resolver_of_the_callers, own_resolver),
    world_case(a_given_local_address_is_the_own_end, from_a_port),
    world_case(addresses_of_another_family_than_the_local_one_are_skipped, from_another_family),
    world_case(a_socket_is_not_connected_to_itself, not_to_itself),
    world_case(without_descriptors_the_attempt_fails_and_nothing_else, without_descriptors),
};

test_suite("connect", cases);
