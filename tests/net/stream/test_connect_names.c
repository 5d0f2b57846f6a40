/* net/stream/connect.c, order.c: which addresses of a name are tried, when, and what is left of
 * those that lost. A black hole is a listener whose backlog is full: it answers nobody. */
#include <bight/testing.h>
#include <netdb.h>
#include <stdio.h>

#include "net/resolve/resolve.h"
#include "net/stream/connect.h"
#include "tests/net/stream/wire.h"

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
    ck_assert_int_eq(test_connect(hole.fills, (struct sockaddr *)&name, sizeof(name)), 0);
    return hole;
}

static void fill_in(struct hole *hole)
{
    close(hole->fills);
    close(hole->listens);
}

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
    ck_code(bight_tcp_connect(&client, "two.test", wire_free_port(), &options, &attempts),
            BIGHT_ECONNREFUSED);
    ck_assert_int_ne(attempts.codes[1], BIGHT_ECONNREFUSED);
    ck_assert_int_lt(attempts.codes[1], 0);
    bight_resolver_free(options.resolver);
    return 0;
}

static int one_after_the_other(void *arg)
{
    uint16_t port = wire_free_port();
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
    uint16_t port = wire_free_port();
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
    struct call call = {.port = wire_free_port()};
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

/* Names */

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

static const struct suite_case cases[] = {
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
    world_case(addresses_of_another_family_than_the_local_one_are_skipped, from_another_family),
};

test_suite("connect_names", cases);
