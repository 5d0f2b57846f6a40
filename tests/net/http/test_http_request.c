/* net/http/request.c and what it asks of libcurl: what a request takes along and to whom, and
 * how long it may take. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <bight/curl.h>
#include <bight/time.h>

#include "tests/net/http/http_case.h"

static int set_credentials(void *arg, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_USERPWD, "user:secret");
    curl_easy_setopt(easy, CURLOPT_COOKIE, "secret=1");
    if (arg)
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, arg);
    return 0;
}

static const char *across(const char *path)
{
    static char text[200];

    snprintf(text, sizeof text, "/to/%s", http_server_url(&other, path));
    return http_server_url(&server, text);
}

/* Whether the server that answered was told the secret. */
static bool tells(struct bight_http_session *session, const char *url,
                  const struct bight_curl_hook *hook)
{
    struct bight_http_request request = {.curl = hook};
    struct bight_http_response *response;
    const char *echo;
    bool told;

    EXPECT(bight_http_fetch(&response, session, url, &request) == 0);
    echo = bight_http_response_body(response, NULL);
    told = strstr(echo, "Authorization: Basic") && strstr(echo, "Cookie: secret=1");
    EXPECT(told ||
           !(strstr(echo, "Authorization") || strstr(echo, "Cookie") || strstr(echo, "X-Secret")));
    bight_http_response_free(response);
    return told;
}

static const struct bight_curl_hook session_hook = {set_credentials, NULL};
static const struct bight_http_session_options with_hook = {.curl = &session_hook};

HTTP_TEST_WITH(what_hooks_set_does_not_cross_origins, &with_hook)
{
    struct curl_slist header = {.data = (char[]){"X-Secret: 1"}};
    const struct bight_curl_hook hook = {set_credentials, &header};

    for (int i = 0; i < 3; i++) {
        const struct bight_curl_hook *hooks[] = {NULL, &hook};
        EXPECT(tells(session, http_server_url(&server, "/echo"), hooks[i % 2]));
        EXPECT(tells(session, http_server_url(&server, "/to//echo"), hooks[i % 2]));
        EXPECT(!tells(session, across("/echo"), hooks[i % 2]));
        EXPECT(tells(session, http_server_url(&other, "/echo"), hooks[i % 2]));
    }
    return 0;
}

HTTP_TEST(headers_about_the_body_go_with_it)
{
    static const char *const headers[] = {"Content-Length: 3", "content-type: text/x", "Expect:",
                                          "X-Kept: 1",         "Content-Language: en", NULL};
    static const char *const paths[] = {"/status-to/303//echo", "/status-to/302//echo",
                                        "/status-to/307//echo"};
    struct bight_http_request request = {
        .method = "POST", .body = "abc", .body_bytes = 3, .headers = headers};
    struct bight_http_response *response;

    for (int i = 0; i < 3; i++) {
        const char *url = http_server_url(&server, paths[i]);
        EXPECT(bight_http_fetch(&response, session, url, &request) == 0);
        const char *echo = bight_http_response_body(response, NULL);
        bool has = strcasestr(echo, "\r\nContent-");
        EXPECT(has == (i == 2) && strstr(echo, i == 2 ? "POST " : "GET ") == echo);
        EXPECT(strstr(echo, "X-Kept: 1"));
        bight_http_response_free(response);
    }
    return 0;
}

HTTP_TEST(a_timeout_of_ages_does_not_pass_at_once)
{
    static const int64_t ages_ms[] = {INT64_MAX, INT64_MAX / 1000000 + 2000};

    for (int i = 0; i < 2; i++) {
        struct bight_http_request request = {.total_timeout_ms = ages_ms[i],
                                             .idle_timeout_ms = ages_ms[i]};
        struct bight_http_response *response;
        const char *url = http_server_url(&server, "/later");
        EXPECT(bight_http_fetch(&response, session, url, &request) == 0);
        bight_http_response_free(response);
    }
    return 0;
}

static int small_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    int bytes = 65536;

    (void)arg;
    (void)purpose;
    return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

static int set_small_socket(void *arg, CURL *easy)
{
    (void)arg;
    return curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, small_socket) ? BIGHT_ENOMEM : 0;
}

HTTP_TEST(who_takes_the_body_slowly_is_not_idle)
{
    static char body[6 << 20];
    static const char *const headers[] = {"Expect:", NULL}; /* libcurl would wait for a second */
    const struct bight_curl_hook hook = {set_small_socket, NULL};
    struct bight_http_request request = {.method = "POST",
                                         .body = body,
                                         .body_bytes = sizeof body,
                                         .headers = headers,
                                         .idle_timeout_ms = 300,
                                         .curl = &hook};
    struct bight_http_response *response;
    uint64_t begun_ns = bight_now_ns();

    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/sluggish"), &request) ==
           0);
    EXPECT(bight_now_ns() - begun_ns > 600000000); /* or it would say nothing */
    bight_http_response_free(response);
    return 0;
}

HTTP_TEST(who_takes_the_body_and_says_nothing_is_idle)
{
    struct bight_http_error error;
    struct bight_http_request request = {.method = "POST",
                                         .body = "x",
                                         .body_bytes = 1,
                                         .idle_timeout_ms = 40,
                                         .total_timeout_ms = 10000,
                                         .error = &error};
    struct bight_http_response *response;
    const char *url = http_server_url(&server, "/silent");

    EXPECT(bight_http_fetch(&response, session, url, &request) == BIGHT_ETIMEDOUT);
    EXPECT(strstr(error.text, "nothing"));
    return 0;
}

/* Works in steps of 2 ms, and yields after each. */
struct busy {
    int steps;
    bool stop;
};

static int is_busy(void *arg)
{
    struct busy *busy = arg;

    for (; !busy->stop; busy->steps++) {
        uint64_t end_ns = bight_now_ns() + 2000000;
        while (bight_now_ns() < end_ns)
            ;
        EXPECT(bight_yield() == 0);
    }
    return 0;
}

/* A request is a few turns of the loop, each of which comes after two steps. */
HTTP_TEST(a_task_at_work_holds_no_request_up)
{
    struct busy busy = {0};
    struct bight_task *task;
    int least = INT_MAX;

    EXPECT(bight_spawn(&task, is_busy, &busy) == 0);
    for (int i = 0; i < 5; i++) {
        int before = busy.steps;
        http_expect(session, http_server_url(&server, "/close"), "ok");
        least = busy.steps - before < least ? busy.steps - before : least;
    }
    busy.stop = true;
    EXPECT(bight_join(task, NULL) == 0);
    ck_assert_int_le(least, 40);
    return 0;
}

HTTP_TEST(what_libcurl_would_not_send_is_too_big_before_it_starts)
{
    char *url = malloc(1100000), *line = malloc(600000);
    const char *const headers[] = {line, line, NULL}, *const fewer[] = {line, NULL};
    struct bight_http_error error;
    struct bight_http_request request = {.error = &error};
    struct bight_http_response *response;
    struct bight_http_stats stats;

    int bytes = snprintf(url, 1100000, "%s?", http_server_url(&server, "/ok"));
    memset(url + bytes, 'x', 1100000 - (size_t)bytes);
    url[1099999] = '\0';
    EXPECT(bight_http_fetch(&response, session, url, &request) == BIGHT_ETOOBIG);
    EXPECT(error.kind == BIGHT_HTTP_TOO_BIG && *error.text);
    memset(line, 'x', 600000);
    memcpy(line, "X: ", 3);
    line[599999] = '\0';
    request.headers = headers;
    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/ok"), &request) ==
           BIGHT_ETOOBIG);
    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.connects == 0);
    /* One of them is sent; what the peer makes of it is its affair. */
    request.headers = fewer;
    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/ok"), &request) !=
           BIGHT_ETOOBIG);
    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.connects > 0);
    free(url);
    free(line);
    return 0;
}

HTTP_TEST(a_bad_url_is_told_apart)
{
    static const char *const wrong[][2] = {{"http://127.0.0.1/a b", "space"},
                                           {"http://127.0.0.1:0/", "port"},
                                           {"http://127.0.0.1:65536/", "port"},
                                           {"http://[::1/", "bracket"}};
    struct bight_http_error error;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        EXPECT(http_try(session, wrong[i][0], &error) == BIGHT_EINVAL);
        EXPECT(error.kind == BIGHT_HTTP_REQUEST && strstr(error.text, wrong[i][1]));
    }
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(what_hooks_set_does_not_cross_origins),
    plain_case(headers_about_the_body_go_with_it),
    plain_case(a_timeout_of_ages_does_not_pass_at_once),
    plain_case(who_takes_the_body_slowly_is_not_idle),
    plain_case(who_takes_the_body_and_says_nothing_is_idle),
    plain_case(a_bad_url_is_told_apart),
    plain_case(a_task_at_work_holds_no_request_up),
    plain_case(what_libcurl_would_not_send_is_too_big_before_it_starts),
};

test_suite("http_request", cases, .setup = http_case_setup, .teardown = http_case_teardown);
