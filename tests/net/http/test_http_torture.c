/* Failed allocations of libcurl over HTTP/1: torture.h. */
#include "tests/net/http/torture.h"

#include <stdio.h>

#include "net/http/session.h"
#include "net/resolve/resolve.h"
#include "tests/net/http/http_case.h"

static int look_up(void *arg, const char *host, struct bight_address *addresses, size_t *count)
{
    (void)arg;
    (void)host;
    addresses[0] = (struct bight_address){.family = 4, .bytes = {127, 0, 0, 1}};
    *count = 1;
    return 0;
}

static int get_main(void *session)
{
    static const struct bight_http_request plain;

    return torture_ask(session, http_server_url(&server, "/bytes/40000"), &plain, 40000);
}

static int post_main(void *session)
{
    static const char *const headers[] = {"X-One: 1", "X-Two: 2", NULL};
    static const struct bight_http_request post = {
        .method = "POST", .headers = headers, .body = "x", .body_bytes = 1};
    char url[64];

    snprintf(url, sizeof(url), "HTTP://name.test:%u/ok", other.port);
    return torture_ask(session, url, &post, 2);
}

static int gzip_main(void *session)
{
    static const struct bight_http_request plain;

    return torture_ask(session, http_server_url(&server, "/to//gzip"), &plain, 5);
}

static int stream_main(void *session)
{
    return torture_stream(session, http_server_url(&server, "/chunked/200000"), 200000);
}

static int begin(struct bight_http_session *session)
{
    static const struct bight_http_request plain;

    bight__resolver_set_lookup(session->resolver, look_up, NULL);
    return torture_ask(session, http_server_url(&server, "/ok"), &plain, 2);
}

static const struct torture_plan plan = {
    .begin = begin,
    .mains = {get_main, post_main, gzip_main, stream_main},
};

static void one_failed_allocation_in_libcurl_stalls_nothing(void)
{
    torture_sweep(&plan, 1);
}

static void a_row_of_failed_allocations_in_libcurl_stalls_nothing(void)
{
    torture_sweep(&plan, 20);
}

static const struct suite_case cases[] = {
    plain_case(one_failed_allocation_in_libcurl_stalls_nothing),
    plain_case(a_row_of_failed_allocations_in_libcurl_stalls_nothing),
};

test_suite("http_torture", cases, .setup = http_case_setup, .teardown = http_case_teardown,
           .timeout_s = -1);
