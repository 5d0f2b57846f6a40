/* What the network may do to a client: timeouts of each kind, peers that lie, redirects that
 * lead where they should not. Each failure has its kind, its code and a text. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bight/curl.h>

#include "net/http/session.h"
#include "net/resolve/resolve.h"
#include "tests/net/http/http_case.h"

static void fails(struct bight_http_session *session, const char *url, enum bight_http_failure kind,
                  int code)
{
    struct bight_http_error error;
    int rc = http_try(session, url, &error);

    if (rc != code || error.kind != kind || error.code != code || !*error.text)
        ck_abort_msg("%s: code %d, kind %d, curl %d: %s", url, rc, error.kind, error.curl_code,
                     error.text);
}

static const struct bight_http_session_options hasty = {
    .connect_timeout_ms = 60,
    .idle_timeout_ms = 60,
};

HTTP_TEST_WITH(silence_is_cut_off, &hasty)
{
    struct bight_http_response *response;
    struct bight_http_error error;
    char bytes[10];

    fails(session, http_server_url(&server, "/silent"), BIGHT_HTTP_TIMEOUT, BIGHT_ETIMEDOUT);
    fails(session, http_server_url(&server, "/stall"), BIGHT_HTTP_TIMEOUT, BIGHT_ETIMEDOUT);
    EXPECT(bight_http_open(&response, session, http_server_url(&server, "/stall"), NULL) == 0);
    EXPECT(bight_http_read(response, bytes, 10) == 1);
    EXPECT(bight_http_read(response, bytes, 10) == BIGHT_ETIMEDOUT);
    error = *bight_http_response_error(response);
    EXPECT(error.kind == BIGHT_HTTP_TIMEOUT && *error.text);
    EXPECT(bight_http_read(response, bytes, 10) == BIGHT_ETIMEDOUT);
    bight_http_response_free(response);
    return 0;
}

/* Long enough for a busy machine to do in between what is to be done. */
static const struct bight_http_session_options brisk = {
    .idle_timeout_ms = 400,
    .resolve_timeout_ms = 400,
};

HTTP_TEST_WITH(who_sends_slowly_is_not_idle_but_late, &brisk)
{
    struct bight_http_error error;
    struct bight_http_request request = {.total_timeout_ms = 600, .error = &error};
    struct bight_http_response *response;
    uint64_t begun = bight_now_ns();

    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/drip"), &request) ==
           BIGHT_ETIMEDOUT);
    EXPECT(bight_now_ns() - begun >= 600000000);
    EXPECT(error.kind == BIGHT_HTTP_TIMEOUT);
    return 0;
}

HTTP_TEST_WITH(a_host_that_never_answers_is_given_up, &hasty)
{
    struct sockaddr_in address;
    int listener = test_bound_socket(&address);
    char url[64];
    int fillers[2];

    EXPECT(listen(listener, 0) == 0);
    for (int i = 0; i < 2; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fillers[i], (struct sockaddr *)&address, sizeof address);
    }
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", ntohs(address.sin_port));
    fails(session, url, BIGHT_HTTP_TIMEOUT, BIGHT_ETIMEDOUT);
    for (int i = 0; i < 2; i++)
        close(fillers[i]);
    close(listener);
    return 0;
}

/* Names that end in other ways than with an address. */
static int odd_lookup(void *arg, const char *host, struct bight_address *addresses, size_t *count)
{
    (void)arg;
    if (!strcmp(host, "slow.test")) {
        struct timespec time = {.tv_sec = 1};
        nanosleep(&time, NULL);
        return EAI_NONAME;
    }
    if (!strcmp(host, "none.test"))
        return EAI_NONAME;
    *count = 0;
    if (!strcmp(host, "three.test") || !strcmp(host, "refused.test")) {
        addresses[(*count)++] = (struct bight_address){.family = 4, .bytes = {127, 0, 0, 2}};
        addresses[(*count)++] = (struct bight_address){.family = 4, .bytes = {127, 0, 0, 78}};
        if (!strcmp(host, "refused.test"))
            return 0;
    }
    if (!strcmp(host, "both.test")) /* nothing listens on the first */
        addresses[(*count)++] = (struct bight_address){.family = 4, .bytes = {127, 0, 0, 77}};
    addresses[(*count)++] = (struct bight_address){.family = 4, .bytes = {127, 0, 0, 1}};
    return 0;
}

static const char *at(const char *host, const char *path)
{
    static char text[200];

    snprintf(text, sizeof text, "http://%s:%u%s", host, server.port, path);
    return text;
}

HTTP_TEST_WITH(names_fail_or_take_too_long, &brisk)
{
    bight__resolver_set_lookup(session->resolver, odd_lookup, NULL);
    fails(session, "http://none.test/", BIGHT_HTTP_RESOLVE, BIGHT_ERESOLVE);
    fails(session, "http://slow.test/", BIGHT_HTTP_TIMEOUT, BIGHT_ETIMEDOUT);
    http_expect(session, at("good.test", "/ok"), "ok");
    http_expect(session, at("GOOD.test", "/ok"), "ok");
    EXPECT(atomic_load(&server.counts->connections) == 1);
    return 0;
}

HTTP_TEST(the_next_address_is_tried)
{
    bight__resolver_set_lookup(session->resolver, odd_lookup, NULL);
    for (int i = 0; i < 5; i++)
        http_expect(session, at("both.test", "/close"), "ok");
    return 0;
}

/* libcurl left alone waits with the third for half of its time to connect, 7 s. */
HTTP_TEST(one_address_after_the_other_is_tried_at_once)
{
    struct bight_http_error error;
    uint64_t begun = bight_now_ns();

    bight__resolver_set_lookup(session->resolver, odd_lookup, NULL);
    http_expect(session, at("three.test", "/close"), "ok");
    http_expect(session, at("three.test", "/close"), "ok");
    EXPECT(http_try(session, at("refused.test", "/ok"), &error) == BIGHT_ECONNECT);
    EXPECT(error.kind == BIGHT_HTTP_CONNECT && error.system_code == BIGHT_ECONNREFUSED);
    EXPECT(bight_now_ns() - begun < UINT64_C(2000000000));
    return 0;
}

HTTP_TEST(nobody_listens)
{
    struct sockaddr_in address;
    int closed = test_bound_socket(&address);
    struct bight_http_error error;
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%u/", ntohs(address.sin_port));
    for (int i = 0; i < 20; i++) {
        EXPECT(http_try(session, url, &error) == BIGHT_ECONNECT);
        EXPECT(error.kind == BIGHT_HTTP_CONNECT && error.system_code == BIGHT_ECONNREFUSED);
    }
    close(closed);
    http_expect(session, http_server_url(&server, "/ok"), "ok");
    return 0;
}

HTTP_TEST(peers_that_break_the_protocol)
{
    static const char *const paths[] = {"/short", "/rst", "/garbage", "/dead"};

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        fails(session, http_server_url(&server, paths[i]), BIGHT_HTTP_PROTOCOL, BIGHT_EPROTOCOL);
    return 0;
}

HTTP_TEST(a_kept_connection_that_is_reset_costs_no_request)
{
    for (int i = 0; i < 10; i++) {
        http_expect(session, http_server_url(&server, "/reset-next"), "ok");
        http_expect(session, http_server_url(&server, "/ok"), "ok");
    }
    return 0;
}

HTTP_TEST(a_stream_gives_what_came_before_it_broke)
{
    struct bight_http_response *response;
    char bytes[100];

    EXPECT(bight_http_open(&response, session, http_server_url(&server, "/short"), NULL) == 0);
    EXPECT(bight_http_read(response, bytes, sizeof bytes) == 10);
    EXPECT(bight_http_read(response, bytes, sizeof bytes) == BIGHT_EPROTOCOL);
    EXPECT(bight_http_response_error(response)->kind == BIGHT_HTTP_PROTOCOL);
    bight_http_response_free(response);
    return 0;
}

HTTP_TEST(tls_to_one_who_does_not_speak_it)
{
    char url[64];

    snprintf(url, sizeof url, "https://127.0.0.1:%u/", server.port);
    fails(session, url, BIGHT_HTTP_TLS, BIGHT_ETLS);
    return 0;
}

static const struct bight_http_session_options small = {.max_body_bytes = 1 << 20};

HTTP_TEST_WITH(too_much_is_too_much, &small)
{
    struct bight_http_request request = {.max_body_bytes = 2 << 20};
    struct bight_http_response *response;
    long resident;

    http_expect(session, http_server_url(&server, "/ok"), "ok");
    fails(session, http_server_url(&server, "/bytes/1048577"), BIGHT_HTTP_TOO_BIG, BIGHT_ETOOBIG);
    fails(session, http_server_url(&server, "/chunked/9000000"), BIGHT_HTTP_TOO_BIG, BIGHT_ETOOBIG);
    fails(session, http_server_url(&server, "/headers"), BIGHT_HTTP_TOO_BIG, BIGHT_ETOOBIG);
    EXPECT(http_try(session, http_server_url(&server, "/bytes/1048576"), NULL) == 0);
    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/bytes/2097152"),
                            &request) == 0);
    bight_http_response_free(response);
    resident = test_resident_kib();
    fails(session, http_server_url(&server, "/bomb"), BIGHT_HTTP_TOO_BIG, BIGHT_ETOOBIG);
    EXPECT(test_resident_kib() - resident < 8192);
    return 0;
}

HTTP_TEST(redirects_are_followed_to_the_end)
{
    struct bight_http_response *response;
    struct bight_http_timing timing;

    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/hops/10"), NULL) == 0);
    ck_assert_str_eq(bight_http_response_body(response, NULL), "ok");
    ck_assert_str_eq(bight_http_response_url(response), http_server_url(&server, "/hops/0"));
    bight_http_response_timing(response, &timing);
    EXPECT(timing.hops == 10);
    bight_http_response_free(response);
    EXPECT(atomic_load(&server.counts->connections) == 1);
    http_expect(session, http_server_url(&server, "/to//ok#c"), "ok");
    http_expect(session, http_server_url(&server, "/long-redirect"), "ok");
    return 0;
}

HTTP_TEST(redirects_that_lead_nowhere)
{
    fails(session, http_server_url(&server, "/hops/11"), BIGHT_HTTP_REDIRECTS, BIGHT_EREDIRECTS);
    fails(session, http_server_url(&server, "/to//to//to/"), BIGHT_HTTP_REDIRECTS,
          BIGHT_EREDIRECTS);
    fails(session, http_server_url(&server, "/to/file:///etc/passwd"), BIGHT_HTTP_FORBIDDEN,
          BIGHT_EFORBIDDEN);
    fails(session, http_server_url(&server, "/to/ftp://127.0.0.1/"), BIGHT_HTTP_FORBIDDEN,
          BIGHT_EFORBIDDEN);
    fails(session, http_server_url(&server, "/to/javascript:1"), BIGHT_HTTP_PROTOCOL,
          BIGHT_EPROTOCOL);
    fails(session, http_server_url(&server, "/to/http://a%20b:x/"), BIGHT_HTTP_PROTOCOL,
          BIGHT_EPROTOCOL);
    return 0;
}

HTTP_TEST(redirects_are_not_followed_unasked)
{
    struct bight_http_request request = {.max_redirects = -1};
    struct bight_http_response *response;

    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/hops/1"), &request) ==
           0);
    EXPECT(bight_http_response_status(response) == 302);
    ck_assert_str_eq(bight_http_response_header(response, "Location"), "/hops/0");
    bight_http_response_free(response);
    return 0;
}

static int refuse_other(void *arg, const struct bight_http_hop *hop)
{
    unsigned *asked = arg;

    *asked += hop->number;
    EXPECT(hop->status == 302);
    return hop->crosses_origin ? -1 : 0;
}

HTTP_TEST(the_hook_is_asked_at_every_hop)
{
    unsigned asked = 0;
    struct bight_http_error error;
    struct bight_http_request request = {
        .on_redirect = refuse_other, .on_redirect_arg = &asked, .error = &error};
    struct bight_http_response *response;
    char path[100];

    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/hops/3"), &request) ==
           0);
    bight_http_response_free(response);
    EXPECT(asked == 1 + 2 + 3);
    snprintf(path, sizeof path, "/to/%s", http_server_url(&other, "/ok"));
    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, path), &request) ==
           BIGHT_EFORBIDDEN);
    EXPECT(error.kind == BIGHT_HTTP_FORBIDDEN);
    EXPECT(atomic_load(&other.counts->connections) == 0);
    return 0;
}

HTTP_TEST(headers_stay_behind_when_the_origin_changes)
{
    static const char *const headers[] = {"Authorization: secret", "Cookie: a=b", "X-Own: 1", NULL};
    struct bight_http_request request = {.headers = headers};
    struct bight_http_response *response;
    char path[100];

    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/to//echo"), &request) ==
           0);
    EXPECT(strstr(bight_http_response_body(response, NULL), "\r\nX-Own: 1\r\n"));
    bight_http_response_free(response);
    snprintf(path, sizeof path, "/to/%s", http_server_url(&other, "/echo"));
    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, path), &request) == 0);
    EXPECT(!strstr(bight_http_response_body(response, NULL), "secret"));
    EXPECT(!strstr(bight_http_response_body(response, NULL), "Cookie"));
    EXPECT(!strstr(bight_http_response_body(response, NULL), "X-Own"));
    bight_http_response_free(response);
    return 0;
}

HTTP_TEST(methods_change_as_browsers_change_them)
{
    static const struct {
        int status;
        const char *method;
        const char *then;
    } rows[] = {{301, "POST", "GET "}, {302, "POST", "GET "}, {303, "POST", "GET "},
                {307, "POST", "POST"}, {308, "POST", "POST"}, {303, "PUT", "GET "},
                {301, "PUT", "PUT "},  {302, "GET", "GET "}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bight_http_request request = {.method = rows[i].method};
        struct bight_http_response *response;
        char path[64];
        if (strcmp(rows[i].method, "GET") != 0) {
            request.body = "data";
            request.body_bytes = 4;
        }
        snprintf(path, sizeof path, "/status-to/%d//echo", rows[i].status);
        EXPECT(bight_http_fetch(&response, session, http_server_url(&server, path), &request) == 0);
        const char *body = bight_http_response_body(response, NULL);
        ck_assert_msg(!strncmp(body, rows[i].then, 4), "%d %s: %s", rows[i].status, rows[i].method,
                      body);
        EXPECT(!strstr(body, "data") == !strncmp(rows[i].then, "GET", 3));
        bight_http_response_free(response);
    }
    return 0;
}

static int only_loopback_two(void *arg, const struct bight_address *address)
{
    (*(int *)arg)++;
    EXPECT(address->family == 4 && address->port);
    return address->bytes[3] == 2 ? 0 : -1;
}

static int filtered;
static const struct bight_http_session_options filter = {.filter = only_loopback_two,
                                                         .filter_arg = &filtered};

static int rebinding_lookup(void *arg, const char *host, struct bight_address *addresses,
                            size_t *count)
{
    (void)arg;
    (void)host;
    addresses[0] = (struct bight_address){.family = 4, .bytes = {127, 0, 0, 1}};
    *count = 1;
    return 0;
}

HTTP_TEST_WITH(the_filter_sees_every_address, &filter)
{
    bight__resolver_set_lookup(session->resolver, rebinding_lookup, NULL);
    fails(session, http_server_url(&server, "/ok"), BIGHT_HTTP_FORBIDDEN, BIGHT_EFORBIDDEN);
    fails(session, at("public.test", "/ok"), BIGHT_HTTP_FORBIDDEN, BIGHT_EFORBIDDEN);
    fails(session, at("2130706433", "/ok"), BIGHT_HTTP_FORBIDDEN, BIGHT_EFORBIDDEN);
    fails(session, at("0x7f.1", "/ok"), BIGHT_HTTP_FORBIDDEN, BIGHT_EFORBIDDEN);
    fails(session, at("[::ffff:127.0.0.1]", "/ok"), BIGHT_HTTP_FORBIDDEN, BIGHT_EFORBIDDEN);
    EXPECT(filtered >= 5);
    EXPECT(atomic_load(&server.counts->connections) == 0);
    return 0;
}

static int only_loopback_one(void *arg, const struct bight_address *address)
{
    (void)arg;
    return address->bytes[3] == 1 ? 0 : -1;
}

static const struct bight_http_session_options one_only = {.filter = only_loopback_one};

HTTP_TEST_WITH(what_the_filter_refuses_does_not_hide_the_others, &one_only)
{
    uint64_t begun = bight_now_ns();

    bight__resolver_set_lookup(session->resolver, odd_lookup, NULL);
    http_expect(session, at("three.test", "/ok"), "ok");
    fails(session, at("refused.test", "/ok"), BIGHT_HTTP_FORBIDDEN, BIGHT_EFORBIDDEN);
    EXPECT(bight_now_ns() - begun < UINT64_C(2000000000));
    return 0;
}

HTTP_TEST_WITH(an_allowed_address_that_refuses_is_not_forbidden, &filter)
{
    bight__resolver_set_lookup(session->resolver, odd_lookup, NULL);
    fails(session, at("refused.test", "/ok"), BIGHT_HTTP_CONNECT, BIGHT_ECONNECT);
    return 0;
}

static void ignore_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    uv_poll_stop(poll);
}

/* A socket of the hook's own that somebody watches already. */
static curl_socket_t open_watched(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    uv_poll_t *poll = arg;
    uv_loop_t *loop = poll->data;
    int fd = socket(to->family, to->socktype | SOCK_NONBLOCK, to->protocol);

    (void)purpose;
    EXPECT(uv_poll_init(loop, poll, fd) == 0);
    EXPECT(uv_poll_start(poll, UV_DISCONNECT, ignore_poll) == 0);
    return fd;
}

static int own_socket(void *arg, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, arg);
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_watched) ? BIGHT_ENOMEM : 0;
}

HTTP_TEST(a_socket_that_cannot_be_watched_ends_its_request)
{
    uv_poll_t poll = {.data = session->loop};
    struct bight_curl_hook hook = {.prepare = own_socket, .arg = &poll};
    struct bight_http_error error;
    struct bight_http_request request = {.curl = &hook, .error = &error};
    struct bight_http_response *response;

    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/silent"), &request) ==
           BIGHT_EEXIST);
    EXPECT(error.kind == BIGHT_HTTP_SYSTEM && *error.text);
    uv_close((uv_handle_t *)&poll, NULL);
    EXPECT(bight_sleep(1) == 0);
    http_expect(session, http_server_url(&server, "/ok"), "ok");
    return 0;
}

HTTP_TEST(the_environments_proxy_is_not_used)
{
    setenv("http_proxy", http_server_url(&other, ""), 1);
    http_expect(session, http_server_url(&server, "/ok"), "ok");
    EXPECT(atomic_load(&other.counts->connections) == 0);
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(silence_is_cut_off),
    plain_case(who_sends_slowly_is_not_idle_but_late),
    plain_case(a_host_that_never_answers_is_given_up),
    plain_case(names_fail_or_take_too_long),
    plain_case(the_next_address_is_tried),
    plain_case(one_address_after_the_other_is_tried_at_once),
    plain_case(nobody_listens),
    plain_case(peers_that_break_the_protocol),
    plain_case(a_kept_connection_that_is_reset_costs_no_request),
    plain_case(a_stream_gives_what_came_before_it_broke),
    plain_case(tls_to_one_who_does_not_speak_it),
    plain_case(too_much_is_too_much),
    plain_case(redirects_are_followed_to_the_end),
    plain_case(redirects_that_lead_nowhere),
    plain_case(redirects_are_not_followed_unasked),
    plain_case(the_hook_is_asked_at_every_hop),
    plain_case(headers_stay_behind_when_the_origin_changes),
    plain_case(methods_change_as_browsers_change_them),
    plain_case(the_filter_sees_every_address),
    plain_case(what_the_filter_refuses_does_not_hide_the_others),
    plain_case(an_allowed_address_that_refuses_is_not_forbidden),
    plain_case(a_socket_that_cannot_be_watched_ends_its_request),
    plain_case(the_environments_proxy_is_not_used),
};

test_suite("http_hostile", cases, .setup = http_case_setup, .teardown = http_case_teardown);
