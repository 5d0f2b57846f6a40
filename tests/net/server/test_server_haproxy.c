/* bight_http_serve behind haproxy: as an HTTP proxy, and by the PROXY protocol, whose headers also
 * come from its health checks. */
#include "tests/net/server/echoed.h"
#include "tests/net/server/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void haproxy_needed(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (access(PEER_HAPROXY, X_OK) != 0)
        test_skip("haproxy");
}

static struct peer haproxy;

#define HEAD(path) path " HTTP/1.1\r\nHost: site:81\r\nConnection: close\r\n"

/* Two ways in, and one server behind with `how`. */
static void start_with(const char *front, const char *how)
{
    char lines[1024];

    peer_prepare(&haproxy, 1);
    snprintf(lines, sizeof(lines),
             "frontend f\n  bind fd@%d\n  default_backend b\n"
             "backend b\n%s\n  server s 127.0.0.1:%u %s\n",
             haproxy.fds[0], front, peer_behind(), how);
    peer_start_haproxy(&haproxy, lines);
}

/* --- as an HTTP proxy ------------------------------------------------------------------------- */

static void check_large(const char *head)
{
    struct bight_stream *client = peer_dial(&haproxy, 0);

    listened_say(client, head);
    echoed_hear_large(client);
}

/* The server's leave goes through. */
static void expect(void)
{
    struct bight_stream *client = peer_dial(&haproxy, 0);

    listened_say(client, HEAD("POST /echo") "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    peer_has(listened_hear(client, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n");
    listened_say(client, "abc");
    peer_has(listened_hear(client, "<end>"), "\n3 bytes: abc\n");
    ck_ok(bight_stream_end(client, 0));
}

static int as_a_proxy(void)
{
    const char *heard;

    start_with("  option forwardfor\n  http-request set-header X-Forwarded-Proto https", "");
    heard = peer_ask(&haproxy, 0, HEAD("GET /echo?a") "X-A: b\r\n\r\n");
    peer_has(heard, "GET /echo?a 11\npeer 127.0.0.1\n");
    peer_has(heard, "\nsecure 1\n");
    peer_has(heard, "\nx-a: b\n"); /* it writes all names in lower case */
    peer_has(heard, "\nx-forwarded-for: 127.0.0.1\n");
    heard = peer_ask(&haproxy, 0, HEAD("GET /echo") "X-Forwarded-For: 192.0.2.1\r\n\r\n");
    peer_has(heard, "\npeer 192.0.2.1\n");
    heard = peer_ask(&haproxy, 0,
                     HEAD("PUT /echo") "Transfer-Encoding: chunked\r\n\r\n"
                                       "1\r\na\r\n2\r\nbc\r\n0\r\nX: y\r\n\r\n");
    peer_has(heard, "\n3 bytes: abc\n");
    peer_has(heard, "\ntransfer-encoding: chunked\n");
    expect();
    heard = peer_ask(&haproxy, 0, HEAD("HEAD /known") "\r\n");
    peer_has(heard, "\r\ncontent-length: 3145728\r\n");
    peer_has(heard, "\r\n\r\n<end>");
    peer_has(peer_ask(&haproxy, 0, HEAD("GET /status/204") "\r\n"), "HTTP/1.1 204 ");
    peer_has(peer_ask(&haproxy, 0, HEAD("GET /status/304") "\r\n"), "HTTP/1.1 304 ");
    check_large("GET /known HTTP/1.0\r\n\r\n");
    check_large("GET /unknown HTTP/1.0\r\n\r\n");
    ck_assert_int_eq(listened.failures, 0);
    peer_stop(&haproxy);
    return 0;
}

/* Without that option it keeps what is short for 200 ms. That its client is gone it notices when
 * the next event cannot be sent: `option abortonclose` does nothing in a backend. */
static int one_by_one(void)
{
    struct bight_stream *client;

    start_with("  option http-no-delay", "");
    client = peer_dial(&haproxy, 0);
    listened_say(client, HEAD("GET /events") "\r\n");
    peer_has(listened_hear(client, "\r\n\r\n"), "\r\ncontent-type: text/event-stream");
    for (int i = 1; i <= 20; i++) {
        char text[32];

        bight_event_set(&listened.go_on);
        snprintf(text, sizeof(text), "data: number %d\n\n", i);
        peer_has(listened_hear(client, text), text);
    }
    bight_stream_abort(client);
    while (!listened.returned) {
        bight_event_set(&listened.go_on);
        ck_ok(bight_sleep(1));
    }
    ck_assert_int_lt(listened.last, 0);
    client = peer_dial(&haproxy, 0);
    listened_say(client, HEAD("POST /pieces") "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 1; i <= 20; i++) {
        listened_say(client, "3\r\nabc\r\n");
        listened_wait(&listened.begun, i);
    }
    listened_say(client, "0\r\n\r\n");
    peer_has(listened_hear(client, "<end>"), "number 20\n");
    ck_ok(bight_stream_end(client, 0));
    peer_stop(&haproxy);
    return 0;
}

static int halves(void)
{
    start_with("", "");
    for (int i = 0; i < 10; i++) {
        const char *heard = peer_ask(&haproxy, 0, HEAD("GET /half-open") "\r\n");

        if (listened_has(heard, "HTTP/1.1 200 ")) /* the reset may overtake the head */
            ck_assert(!listened_has(heard, "\r\n0\r\n\r\n"));
        else
            peer_has(heard, "HTTP/1.1 502 ");
    }
    peer_stop(&haproxy);
    return 0;
}

/* --- by the PROXY protocol -------------------------------------------------------------------- */

/* How it says who its client is. The last has further fields behind the addresses. */
static const char *const versions[] = {
    "send-proxy",
    "send-proxy-v2",
    "send-proxy-v2 proxy-v2-options crc32c,unique-id",
};

static int by_header(void)
{
    for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
        struct bight_stream *client;
        struct bight_address address;
        char wanted[64];

        start_with("  unique-id-format %[uuid()]", versions[i]);
        client = peer_dial(&haproxy, 0);
        ck_ok(bight_stream_local_address(client, &address));
        snprintf(wanted, sizeof(wanted), "\npeer 127.0.0.1:%u\n", address.port);
        for (int round = 0; round < 3; round++) {
            listened_say(client, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
            peer_has(listened_hear(client, " bytes: "), wanted);
        }
        ck_ok(bight_stream_end(client, 0));
        peer_stop(&haproxy);
    }
    ck_assert_int_eq(listened.failures, 0);
    return 0;
}

static int checks_seen;

static int count_checks(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    checks_seen += strcmp(bight_exchange_path(exchange), "/health") == 0;
    return bight_exchange_answer_status(exchange, 200);
}

/* A check is of no client: "PROXY UNKNOWN" of the first version, LOCAL of the second. */
static int checked(void)
{
    for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
        char how[128];

        checks_seen = 0;
        snprintf(how, sizeof(how), "%s check inter 20ms", versions[i]);
        start_with("  option httpchk GET /health", how);
        while (checks_seen < 5)
            ck_ok(bight_sleep(5));
        peer_has(peer_ask(&haproxy, 0, HEAD("GET /") "\r\n"), "HTTP/1.1 200 ");
        peer_stop(&haproxy);
        /* One that connects and says no more. */
        start_with("", how);
        for (int round = 0; round < 5; round++) {
            ck_ok(bight_sleep(20));
            peer_has(peer_ask(&haproxy, 0, HEAD("GET /") "\r\n"), "HTTP/1.1 200 ");
        }
        peer_stop(&haproxy);
    }
    ck_assert_int_eq(listened.failures, 0);
    return 0;
}

static void it_is_believed_who_its_client_is(void)
{
    const struct bight_http_serve_options options = {.trusted = "127.0.0.1",
                                                     .forwarded = BIGHT_FORWARDED_X};

    peer_play(as_a_proxy, echoed, &options);
}

static void what_comes_goes_on_at_once(void)
{
    peer_play(one_by_one, echoed, NULL);
}

static void half_an_answer_does_not_look_whole(void)
{
    peer_play(halves, echoed, NULL);
}

static const struct bight_http_serve_options with_header = {.trusted = "127.0.0.1",
                                                            .proxy_protocol = true};

static void it_says_so_by_the_proxy_protocol(void)
{
    peer_play(by_header, echoed, &with_header);
}

static void its_checks_are_of_no_client(void)
{
    peer_play(checked, count_checks, &with_header);
}

static const struct suite_case cases[] = {
    plain_case(it_is_believed_who_its_client_is),   plain_case(what_comes_goes_on_at_once),
    plain_case(half_an_answer_does_not_look_whole), plain_case(it_says_so_by_the_proxy_protocol),
    plain_case(its_checks_are_of_no_client),
};

test_suite("server_haproxy", cases, .begin = haproxy_needed);
