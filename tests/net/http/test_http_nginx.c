/* The client against nginx: kept connections that the peer gives up, TLS, HTTP/2, compression,
 * files of all sizes. */
#include <bight/curl.h>
#include <bight/uv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "coro/base/list.h"
#include "net/http/response.h"
#include "net/http/transfer.h"
#include "tests/harness/support.h"
#include "tests/net/http/http_case.h"
#include "tests/net/http/http_peers.h"

static struct nginx nginx;

static void setup(void)
{
    nginx_start(&nginx);
}

static void teardown(void)
{
    nginx_stop(&nginx);
}

static const char *url(const char *path)
{
    static char text[128];

    snprintf(text, sizeof text, "http://127.0.0.1:%u%s", nginx.port, path);
    return text;
}

static const char *tls_url(const char *path)
{
    static char text[128];

    snprintf(text, sizeof text, "https://127.0.0.1:%u%s", nginx.tls_port, path);
    return text;
}

static void check_bytes(const char *bytes, size_t at, size_t count)
{
    for (size_t i = 0; i < count; i++)
        EXPECT((unsigned char)bytes[i] == (at + i) * 7 % 251);
}

HTTP_TEST(files_arrive_whole)
{
    static const struct {
        const char *path;
        size_t bytes;
    } files[] = {{"/small", 1024}, {"/page.html", 32768}, {"/large", 8 << 20}, {"/large", 8 << 20}};

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct bight_http_response *response;
        size_t bytes;
        EXPECT(bight_http_fetch(&response, session, url(files[i].path), NULL) == 0);
        const char *body = bight_http_response_body(response, &bytes);
        EXPECT(bight_http_response_status(response) == 200 && bytes == files[i].bytes);
        check_bytes(body, 0, bytes);
        EXPECT(!bight_http_response_header(response, "Content-Encoding") == (i != 1));
        bight_http_response_free(response);
    }
    return 0;
}

HTTP_TEST(a_large_file_is_streamed_at_the_readers_pace)
{
    struct bight_http_response *response;
    char buffer[40000];
    size_t at = 0;
    int64_t got;

    EXPECT(bight_http_open(&response, session, url("/large"), NULL) == 0);
    while ((got = bight_http_read(response, buffer, sizeof buffer)) > 0) {
        check_bytes(buffer, at, (size_t)got);
        at += (size_t)got;
        if (at % 3 == 0)
            EXPECT(bight_sleep(1) == 0);
    }
    EXPECT(got == 0 && at == 8 << 20);
    bight_http_response_free(response);
    return 0;
}

struct load {
    struct bight_http_session *session;
    const char *url;
    int left;
};

static int load_main(void *arg)
{
    struct load *load = arg;

    while (load->left > 0) {
        load->left--;
        int rc = http_try(load->session, load->url, NULL);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static void run_load(struct load *load, int tasks)
{
    struct bight_group group;

    EXPECT(bight_group_begin(&group, 0) == 0);
    for (int i = 0; i < tasks; i++)
        EXPECT(bight_group_spawn(NULL, &group, NULL, load_main, load) == 0);
    ck_assert_int_eq(bight_group_end(&group, 0), 0);
}

static const struct bight_http_session_options wide = {.max_per_host = 50};

HTTP_TEST_WITH(connections_given_up_by_the_peer_cost_no_request, &wide)
{
    struct load load = {session, strdup(url("/kept")), 2000};
    struct bight_http_stats stats;

    run_load(&load, 50);
    bight_http_session_get_stats(session, &stats);
    /* nginx closes each after 20 requests; the last of each task has fewer. */
    EXPECT(stats.transfers == 2000 && stats.connects >= 100 && stats.connects <= 150);
    free((void *)load.url);
    return 0;
}

HTTP_TEST(an_idle_connection_that_is_closed_does_not_spin)
{
    clock_t before;

    EXPECT(http_try(session, url("/small"), NULL) == 0);
    before = clock();
    EXPECT(bight_sleep(300) == 0); /* the peer closes it in the midst of this */
    EXPECT((clock() - before) * 1000 / CLOCKS_PER_SEC < 100);
    EXPECT(http_try(session, url("/small"), NULL) == 0);
    return 0;
}

HTTP_TEST(an_unknown_certificate_is_refused)
{
    struct bight_http_error error;

    EXPECT(http_try(session, tls_url("/small"), &error) == BIGHT_ETLS);
    EXPECT(error.kind == BIGHT_HTTP_TLS && error.curl_code && *error.text);
    return 0;
}

/* Read to the end and compare; the reader is slow at first, so that the transfer pauses. */
static void read_large(struct bight_http_response *response)
{
    char buffer[65536];
    size_t at = 0;
    int64_t got;

    EXPECT(bight_sleep(20) == 0);
    while ((got = bight_http_read(response, buffer, sizeof buffer)) > 0) {
        check_bytes(buffer, at, (size_t)got);
        at += (size_t)got;
    }
    EXPECT(got == 0 && at == 8 << 20);
    bight_http_response_free(response);
}

static const struct bight_curl_hook trust_hook = {nginx_trust, &nginx};
static const struct bight_http_session_options trusting = {.curl = &trust_hook,
                                                           .max_per_host = 100};

HTTP_TEST_WITH(many_requests_share_one_connection_of_http2, &trusting)
{
    struct load load = {session, strdup(tls_url("/small")), 499};
    struct bight_http_response *response;
    struct bight_http_stats stats;

    /* Others would wait for its handshake for 300 ms, which a slow machine may need. */
    EXPECT(http_try(session, load.url, NULL) == 0);
    run_load(&load, 40);
    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.transfers == 500 && stats.connects == 1);
    EXPECT(bight_http_fetch(&response, session, tls_url("/large"), NULL) == 0);
    EXPECT(bight_http_response_version(response) == 20);
    size_t bytes;
    const char *body = bight_http_response_body(response, &bytes);
    EXPECT(bytes == 8 << 20);
    check_bytes(body, 0, bytes);
    bight_http_response_free(response);
    free((void *)load.url);
    return 0;
}

HTTP_TEST_WITH(a_stream_that_is_aborted_leaves_the_others_alone, &trusting)
{
    struct bight_http_response *streams[8];
    struct bight_http_stats stats;

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 8; i++)
            EXPECT(bight_http_open(&streams[i], session, tls_url("/large"), NULL) == 0);
        EXPECT(bight_sleep(20) == 0);
        for (int i = 0; i < 8; i += 2)
            bight_http_response_free(streams[i]);
        for (int i = 1; i < 8; i += 2)
            read_large(streams[i]);
    }
    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.connects == 1);
    return 0;
}

HTTP_TEST_WITH(a_paused_stream_holds_no_other, &trusting)
{
    struct bight_http_response *unread, *aborted, *response;
    struct bight_http_stats stats;
    size_t bytes;

    for (int round = 0; round < 3; round++) {
        EXPECT(bight_http_open(&unread, session, tls_url("/large"), NULL) == 0);
        EXPECT(bight_http_open(&aborted, session, tls_url("/large"), NULL) == 0);
        EXPECT(bight_sleep(round * 10) == 0);
        EXPECT(http_try(session, tls_url("/small"), NULL) == 0);
        EXPECT(bight_http_fetch(&response, session, tls_url("/large"), NULL) == 0);
        check_bytes(bight_http_response_body(response, &bytes), 0, 8 << 20);
        EXPECT(bytes == 8 << 20);
        bight_http_response_free(response);
        bight_http_response_free(aborted);
        EXPECT(http_try(session, tls_url("/small"), NULL) == 0);
        read_large(unread);
    }
    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.connects == 1);
    return 0;
}

static bool is_sent(const struct bight_http_session *session)
{
    const struct bight_link *link = session->live.next;

    if (link == &session->live)
        return false;
    const struct http_transfer *transfer =
        container_of(link, struct bight_http_response, link)->transfer;
    return transfer && transfer->sent;
}

/* Idle, it has frames to read now and then, which are no answer to anything. */
HTTP_TEST_WITH(an_idle_connection_of_http2_is_used_again, &trusting)
{
    struct bight_http_stats stats;

    for (int i = 0; i < 4; i++) {
        EXPECT(http_try(session, tls_url(i % 2 ? "/large" : "/small"), NULL) == 0);
        EXPECT(bight_sleep(30) == 0);
    }
    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.connects == 1 && stats.sockets == 1);
    return 0;
}

/* The first stream of a connection ends before anything is known of it, and frames wait. */
HTTP_TEST_WITH(so_is_one_whose_first_stream_ends_early, &trusting)
{
    struct http_case_call call = {0};
    struct bight_http_stats stats;

    http_call_start(&call, session, tls_url("/never"));
    do
        EXPECT(bight_yield() == 0);
    while (!is_sent(session));
    uint64_t end_ns = bight_now_ns() + 30000000;
    while (bight_now_ns() < end_ns)
        ;
    bight_task_cancel(call.task);
    EXPECT(http_call_finish(&call) == BIGHT_ECANCELED);
    EXPECT(bight_sleep(30) == 0);
    EXPECT(http_try(session, tls_url("/small"), NULL) == 0);
    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.connects == 1 && stats.sockets == 1);
    return 0;
}

HTTP_TEST_WITH(connections_that_the_peer_leaves_idle_are_closed, &trusting)
{
    struct bight_http_stats stats;

    EXPECT(http_try(session, tls_url("/small"), NULL) == 0);
    EXPECT(http_try(session, url("/kept"), NULL) == 0);
    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.sockets == 2);
    EXPECT(kill(nginx.pid, SIGQUIT) == 0);
    for (int ms = 0; stats.sockets; ms += 10) {
        ck_assert_msg(ms < 5000, "%zu sockets are left", stats.sockets);
        EXPECT(bight_sleep(10) == 0);
        bight_http_session_get_stats(session, &stats);
    }
    return 0;
}

/* How often the loop goes round, whether tasks have something to do or not. */
struct turns {
    uv_prepare_t prepare;
    uint64_t count;
};

static void on_turn(uv_prepare_t *prepare)
{
    ((struct turns *)prepare->data)->count++;
}

static void turns_begin(struct turns *turns)
{
    turns->count = 0;
    EXPECT(uv_prepare_init(bight_uv_loop(), &turns->prepare) == 0);
    turns->prepare.data = turns;
    EXPECT(uv_prepare_start(&turns->prepare, on_turn) == 0);
    uv_unref((uv_handle_t *)&turns->prepare);
}

static void turns_end(struct turns *turns)
{
    EXPECT(bight_uv_close((uv_handle_t *)&turns->prepare) == 0);
}

/* Frames that came before its end, and that nobody reads, do not hide the end; and the loop hears
 * of it once, not again and again. */
HTTP_TEST_WITH(so_is_one_of_http2_alone, &trusting)
{
    struct bight_runtime_stats before, after;
    struct bight_http_stats stats;
    struct turns turns;

    EXPECT(http_try(session, tls_url("/small"), NULL) == 0);
    EXPECT(bight_runtime_get_stats(&before) == 0);
    turns_begin(&turns);
    EXPECT(kill(nginx.pid, SIGQUIT) == 0);
    do {
        EXPECT(bight_sleep(100) == 0);
        bight_http_session_get_stats(session, &stats);
        EXPECT(bight_runtime_get_stats(&after) == 0);
        EXPECT(after.slices - before.slices < 1000);
        ck_assert_msg(turns.count < 1000, "%llu turns", (unsigned long long)turns.count);
    } while (stats.sockets);
    turns_end(&turns);
    return 0;
}

/* A stream that is aborted while it is paused leaves nothing behind that keeps the loop awake. */
HTTP_TEST_WITH(so_is_one_with_an_aborted_stream, &trusting)
{
    struct bight_http_response *response;
    struct bight_http_stats stats;
    struct turns turns;

    EXPECT(bight_http_open(&response, session, tls_url("/large"), NULL) == 0);
    EXPECT(bight_sleep(30) == 0);
    bight_http_response_free(response);
    /* Behind all that was on its way, or nginx waits for that to be read before it closes. */
    EXPECT(http_try(session, tls_url("/small"), NULL) == 0);
    turns_begin(&turns);
    EXPECT(kill(nginx.pid, SIGQUIT) == 0);
    for (int ms = 0;; ms += 100) {
        EXPECT(bight_sleep(100) == 0);
        bight_http_session_get_stats(session, &stats);
        ck_assert_msg(turns.count < 1000, "%llu turns", (unsigned long long)turns.count);
        if (!stats.sockets)
            break;
        EXPECT(ms < 10000);
    }
    turns_end(&turns);
    return 0;
}

HTTP_TEST_WITH(up_to_https_but_never_down, &trusting)
{
    struct bight_http_response *response;
    struct bight_http_error error;

    EXPECT(bight_http_fetch(&response, session, url("/up"), NULL) == 0);
    EXPECT(!strncmp(bight_http_response_url(response), "https://localhost:", 18));
    bight_http_response_free(response);
    EXPECT(http_try(session, tls_url("/down"), &error) == BIGHT_EFORBIDDEN);
    EXPECT(error.kind == BIGHT_HTTP_FORBIDDEN);
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(files_arrive_whole),
    plain_case(a_large_file_is_streamed_at_the_readers_pace),
    plain_case(connections_given_up_by_the_peer_cost_no_request),
    plain_case(an_idle_connection_that_is_closed_does_not_spin),
    plain_case(an_unknown_certificate_is_refused),
    plain_case(many_requests_share_one_connection_of_http2),
    plain_case(a_stream_that_is_aborted_leaves_the_others_alone),
    plain_case(a_paused_stream_holds_no_other),
    plain_case(an_idle_connection_of_http2_is_used_again),
    plain_case(so_is_one_whose_first_stream_ends_early),
    plain_case(connections_that_the_peer_leaves_idle_are_closed),
    plain_case(so_is_one_of_http2_alone),
    plain_case(so_is_one_with_an_aborted_stream),
    plain_case(up_to_https_but_never_down),
};

test_suite("http_nginx", cases, .begin = nginx_needed, .setup = setup, .teardown = teardown);
