/* Many requests of all kinds at once against nginx, cancelled, out of time and given up half
 * read in an order that a seed decides. Whatever arrives must be the right bytes, in the right
 * number, for the right request; afterwards nothing is left. */
#include <bight/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/net/http/http_case.h"
#include "tests/net/http/http_peers.h"

#define WORKERS 60
#define LARGE_BYTES (8u << 20)

static const struct target {
    const char *path;
    size_t bytes;
    bool tls;
} targets[] = {
    {"/small", 1024, false},
    {"/small", 1024, true},
    {"/page.html", 32768, false},
    {"/page.html", 32768, true},
    {"/large.html", 1u << 20, false},
    {"/large.html", 1u << 20, true},
    {"/large", LARGE_BYTES, false},
    {"/large", LARGE_BYTES, true},
    {"/up", 1024, false},
};
#define TARGETS (sizeof targets / sizeof targets[0])

static struct nginx nginx;
static char urls[TARGETS][96];
static char *expected; /* LARGE_BYTES of what every file begins with */
static int requests_left, completed, refused;
static struct bight_http_error last;

static void setup(void)
{
    nginx_start(&nginx);
    for (size_t i = 0; i < TARGETS; i++)
        snprintf(urls[i], sizeof urls[i],
                 targets[i].tls ? "https://localhost:%u%s" : "http://127.0.0.1:%u%s",
                 targets[i].tls ? nginx.tls_port : nginx.port, targets[i].path);
    expected = malloc(LARGE_BYTES);
    ck_assert_ptr_nonnull(expected);
    for (size_t i = 0; i < LARGE_BYTES; i++)
        expected[i] = (char)(i * 7 % 251);
}

static void teardown(void)
{
    free(expected);
    nginx_stop(&nginx);
}

static int collect(struct bight_http_session *session, size_t which)
{
    struct bight_http_request request = {.error = &last};
    struct bight_http_response *response;
    size_t bytes;
    int rc = bight_http_fetch(&response, session, urls[which], &request);

    if (rc < 0)
        return rc;
    const char *body = bight_http_response_body(response, &bytes);
    EXPECT(bight_http_response_status(response) == 200);
    ck_assert_msg(bytes == targets[which].bytes, "%s: %zu bytes", urls[which], bytes);
    ck_assert_msg(!memcmp(body, expected, bytes), "%s: wrong bytes", urls[which]);
    bight_http_response_free(response);
    return 0;
}

/* Read all of it, or some pieces only, at a reader's pace that lets transfers pause. */
static int stream(struct bight_http_session *session, size_t which, unsigned pieces)
{
    struct bight_http_response *response;
    struct bight_http_request request = {.error = &last};
    char buffer[20000];
    size_t at = 0;
    int64_t got = 1;
    int rc = bight_http_open(&response, session, urls[which], &request);

    if (rc < 0)
        return rc;
    EXPECT(bight_http_response_status(response) == 200);
    while (pieces-- && (got = bight_http_read(response, buffer, sizeof buffer)) > 0) {
        ck_assert_msg(at + (size_t)got <= targets[which].bytes, "%s: surplus", urls[which]);
        ck_assert_msg(!memcmp(buffer, expected + at, (size_t)got), "%s: wrong bytes at %zu",
                      urls[which], at);
        at += (size_t)got;
        if (pieces % 16 == 0 && (rc = bight_sleep(1)) < 0) {
            got = rc;
            break;
        }
    }
    ck_assert_msg(got || at == targets[which].bytes, "%s: %zu bytes", urls[which], at);
    if (got < 0)
        last = *bight_http_response_error(response);
    bight_http_response_free(response);
    return got < 0 ? (int)got : 0;
}

static int request_once(struct bight_http_session *session)
{
    size_t which = (size_t)rand() % TARGETS;
    int64_t timeout_ms = rand() % 3 ? -1 : rand() % 30;
    struct bight_scope scope;
    int rc = bight_scope_begin(&scope, timeout_ms, 0);

    if (rc < 0)
        return rc;
    switch (rand() % 3) {
    case 0:
        rc = collect(session, which);
        break;
    case 1:
        rc = stream(session, which, UINT32_MAX);
        break;
    default:
        rc = stream(session, which, (unsigned)rand() % 8);
    }
    rc = bight_scope_end(&scope, rc);
    ck_assert_msg(rc == 0 || rc == BIGHT_ECANCELED || (rc == BIGHT_ETIMEDOUT && timeout_ms >= 0),
                  "%s: %s, curl %d: %s", urls[which], bight_strerror(rc), last.curl_code,
                  last.text);
    completed += rc == 0;
    refused += rc < 0;
    return rc;
}

static int worker_main(void *arg)
{
    while (requests_left > 0) {
        requests_left--;
        if (request_once(arg) == BIGHT_ECANCELED)
            return 0;
    }
    return 0;
}

static void storm(struct bight_http_session *session, unsigned seed, int requests)
{
    struct bight_task *workers[WORKERS];
    struct bight_http_stats stats;

    srand(seed);
    requests_left = requests;
    completed = refused = 0;
    for (int i = 0; i < WORKERS; i++)
        EXPECT(bight_spawn(&workers[i], worker_main, session) == 0);
    while (requests_left > 0) {
        int which = rand() % WORKERS;
        EXPECT(bight_sleep(2) == 0);
        bight_task_cancel(workers[which]);
        EXPECT(bight_join(workers[which], NULL) == 0);
        EXPECT(bight_spawn(&workers[which], worker_main, session) == 0);
    }
    for (int i = 0; i < WORKERS; i++)
        EXPECT(bight_join(workers[i], NULL) == 0);
    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.active == 0 && stats.waiting == 0);
    EXPECT(completed && refused);
}

static int trust(void *arg, CURL *easy)
{
    (void)arg;
    return curl_easy_setopt(easy, CURLOPT_CAINFO, nginx.ca_file) ? BIGHT_ENOMEM : 0;
}

static const struct bight_curl_hook trust_hook = {.prepare = trust};
static const struct bight_http_session_options wide = {
    .curl = &trust_hook, .max_total = 50, .max_per_host = 30, .buffer_bytes = 20000};
static const struct bight_http_session_options narrow = {
    .curl = &trust_hook, .max_total = 6, .max_per_host = 4, .buffer_bytes = 20000};

HTTP_TEST_WITH(every_body_is_its_own_under_wide_limits, &wide)
{
    storm(session, 1, 800);
    return 0;
}

HTTP_TEST_WITH(every_body_is_its_own_under_narrow_limits, &narrow)
{
    storm(session, 2, 400);
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(every_body_is_its_own_under_wide_limits),
    plain_case(every_body_is_its_own_under_narrow_limits),
};

test_suite("http_stress", cases, .begin = nginx_needed, .setup = setup, .teardown = teardown);
