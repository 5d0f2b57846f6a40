/* Failed allocations of libcurl over TLS and HTTP/2, against nginx: torture.h. */
#include "tests/net/http/torture.h"

#include <stdio.h>

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

static const struct bight_http_request plain;

static const char *url(char text[64], uint16_t port, const char *path)
{
    snprintf(text, 64, "https://127.0.0.1:%u%s", port, path);
    return text;
}

static int get_main(void *session)
{
    char text[64];

    return torture_ask(session, url(text, nginx.tls_port, "/page.html"), &plain, 32768);
}

static int head_main(void *session)
{
    static const char *const headers[] = {"X-One: 1", NULL};
    static const struct bight_http_request head = {.method = "HEAD", .headers = headers};
    char text[64];

    return torture_ask(session, url(text, nginx.tls_port, "/small"), &head, 0);
}

static int stream_main(void *session)
{
    char text[64];

    return torture_stream(session, url(text, nginx.tls_port, "/large.html"), 1 << 20);
}

/* A handshake among the allocations that fail. */
static int other_main(void *session)
{
    char text[64];

    return torture_ask(session, url(text, nginx.tls1_port, "/small"), &plain, 1024);
}

/* So that the others are streams of one connection. */
static int begin(struct bight_http_session *session)
{
    return get_main(session);
}

static const struct bight_curl_hook trust_hook = {nginx_trust, &nginx};
static const struct bight_http_session_options trusting = {.curl = &trust_hook};
static const struct torture_plan plan = {
    .options = &trusting,
    .begin = begin,
    .mains = {get_main, head_main, stream_main, other_main},
    .shares = true,
};

static void one_failed_allocation_over_tls_stalls_nothing(void)
{
    torture_sweep(&plan, 1);
}

static void a_row_of_failed_allocations_over_tls_stalls_nothing(void)
{
    torture_sweep(&plan, 20);
}

static const struct suite_case cases[] = {
    plain_case(one_failed_allocation_over_tls_stalls_nothing),
    plain_case(a_row_of_failed_allocations_over_tls_stalls_nothing),
};

test_suite("http_torture_tls", cases, .begin = nginx_needed, .setup = setup, .teardown = teardown,
           .timeout_s = -1);
