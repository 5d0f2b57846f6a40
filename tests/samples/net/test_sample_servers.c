/* The servers of samples/net, started like a user would start them, and spoken to by streams.
 * SAMPLE_ECHO and SAMPLE_PROXY are their paths. */
#include "tests/harness/suite.h"
#include "tests/samples/net/programs.h"

#include <bight.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define MUCH_BYTES ((size_t)32 << 20)
#define PIECE_BYTES 65536

static struct server start_echo(void)
{
    const char *const argv[] = {SAMPLE_ECHO, NULL};

    return server_start(argv);
}

static struct server start_proxy(uint16_t port)
{
    char to[8];
    const char *const argv[] = {SAMPLE_PROXY, "0", "127.0.0.1", to, NULL};

    snprintf(to, sizeof to, "%u", port);
    return server_start(argv);
}

/* What is sent comes back, and after the end of the one half the end of the other. */
static void talk(struct bight_stream *stream)
{
    char line[32];

    ck_assert_int_eq(bight_stream_write(stream, "hello\nworld\n", 12), 0);
    ck_assert_int_eq(bight_stream_read_line(stream, line, sizeof line), 5);
    ck_assert_str_eq(line, "hello");
    ck_assert_int_eq(bight_stream_shutdown(stream), 0);
    ck_assert_int_eq(bight_stream_read_line(stream, line, sizeof line), 5);
    ck_assert_str_eq(line, "world");
    ck_assert_int_eq(bight_stream_read_line(stream, line, sizeof line), BIGHT_EOF);
    ck_assert_int_eq(bight_stream_end(stream, 0), 0);
}

static int talk_to(void *arg)
{
    talk(server_dial(arg));
    return 0;
}

static void echo_serves_until_it_is_interrupted(void)
{
    struct server echo = start_echo();

    ck_assert_int_eq(bight_run(talk_to, &echo), 0);
    server_stop(&echo, SIGINT);
}

static void proxy_passes_half_closed_connections_on(void)
{
    struct server echo = start_echo(), proxy = start_proxy(echo.port);

    ck_assert_int_eq(bight_run(talk_to, &proxy), 0);
    server_stop(&proxy, SIGTERM);
    server_stop(&echo, SIGTERM);
}

/* The reset may be faster than the connect that it ends. */
static int connect_in_vain(void *arg)
{
    const struct server *server = arg;

    for (int i = 0; i < 2; i++) {
        struct bight_stream *stream;
        int rc = bight_tcp_connect(&stream, "127.0.0.1", server->port, NULL, NULL);
        char byte;

        if (rc == 0) {
            rc = (int)bight_stream_read(stream, &byte, 1);
            bight_stream_abort(stream);
        }
        ck_assert_int_eq(rc, BIGHT_ECONNRESET);
    }
    return 0;
}

static void proxy_without_a_host_resets_and_goes_on(void)
{
    struct server echo = start_echo(), proxy = start_proxy(echo.port);

    server_stop(&echo, SIGTERM);
    ck_assert_int_eq(bight_run(connect_in_vain, &proxy), 0);
    server_stop(&proxy, SIGINT);
}

/* Much through a reader that takes a pause now and then: the proxy holds it up at the sender. */

struct flood {
    struct bight_stream *stream;
    const struct server *proxy;
    long grown; /* resident memory of the proxy, in KiB */
};

static int flood_write(void *arg)
{
    static char piece[PIECE_BYTES];
    struct flood *flood = arg;
    int rc = 0;

    for (size_t sent = 0; sent < MUCH_BYTES && rc == 0; sent += sizeof piece) {
        memset(piece, (int)(sent / sizeof piece), sizeof piece);
        rc = bight_stream_write(flood->stream, piece, sizeof piece);
    }
    return rc ? rc : bight_stream_shutdown(flood->stream);
}

static int flood_read(void *arg)
{
    static char piece[PIECE_BYTES];
    struct flood *flood = arg;
    int rc = 0;

    for (size_t came = 0; came < MUCH_BYTES && rc == 0; came += sizeof piece) {
        if (came % (MUCH_BYTES / 16) == 0)
            rc = bight_sleep(10);
        if (rc == 0)
            rc = bight_stream_read_exactly(flood->stream, piece, sizeof piece);
        if (rc == 0)
            ck_assert_int_eq((unsigned char)piece[PIECE_BYTES / 2],
                             (unsigned char)(came / sizeof piece));
    }
    return rc;
}

static int flood_both_ways(void *arg)
{
    struct flood flood = {.proxy = arg};
    struct bight_gather calls[] = {{.fn = flood_write, .arg = &flood},
                                   {.fn = flood_read, .arg = &flood}};
    long before;

    flood.stream = server_dial(arg);
    before = server_resident_kib(flood.proxy);
    ck_assert_int_eq(bight_gather_all(calls, 2, 0), 0);
    flood.grown = server_resident_kib(flood.proxy) - before;
    ck_assert_int_lt(flood.grown, 1024);
    return bight_stream_end(flood.stream, 0);
}

static void proxy_holds_a_fast_sender_up_and_does_not_grow(void)
{
    struct server echo = start_echo(), proxy = start_proxy(echo.port);

    ck_assert_int_eq(bight_run(flood_both_ways, &proxy), 0);
    server_stop(&proxy, SIGTERM);
    server_stop(&echo, SIGTERM);
}

static void echo_is_not_hurried_by_further_signals(void)
{
    struct server echo = start_echo();

    server_hurry(&echo);
    server_stop(&echo, 0);
}

static const struct suite_case cases[] = {
    plain_case(echo_serves_until_it_is_interrupted),
    plain_case(echo_is_not_hurried_by_further_signals),
    plain_case(proxy_passes_half_closed_connections_on),
    plain_case(proxy_without_a_host_resets_and_goes_on),
    plain_case(proxy_holds_a_fast_sender_up_and_does_not_grow),
};

test_suite("sample_servers", cases);
