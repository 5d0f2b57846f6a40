/* net/http_*.c against a server of ours: requests, responses, kept connections, limits, streams. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/net/http/http_case.h"

HTTP_TEST(a_body_is_collected)
{
    struct bight_http_response *response;
    struct bight_http_timing timing;
    size_t bytes;

    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/ok"), NULL) == 0);
    EXPECT(bight_http_response_status(response) == 200);
    EXPECT(bight_http_response_version(response) == 11);
    ck_assert_str_eq(bight_http_response_body(response, &bytes), "ok");
    EXPECT(bytes == 2);
    EXPECT(!strcmp(bight_http_response_url(response), http_server_url(&server, "/ok")));
    EXPECT(bight_http_response_error(response)->kind == BIGHT_HTTP_OK);
    bight_http_response_timing(response, &timing);
    EXPECT(timing.started_ms >= 0 && timing.headers_ms >= timing.started_ms);
    EXPECT(timing.done_ms >= timing.headers_ms && timing.body_bytes == 2 && timing.hops == 0);
    EXPECT(bight_http_read(response, &bytes, 1) == 0);
    bight_http_response_free(response);
    bight_http_response_free(NULL);
    return 0;
}

HTTP_TEST(bodies_of_all_sizes_arrive_whole)
{
    static const long sizes[] = {0, 1, 16383, 16384, 16385, 300000, 3000000};
    char path[64];

    for (size_t i = 0; i < 2 * sizeof sizes / sizeof sizes[0]; i++) {
        struct bight_http_response *response;
        size_t bytes;
        snprintf(path, sizeof path, i % 2 ? "/bytes/%ld" : "/chunked/%ld", sizes[i / 2]);
        EXPECT(bight_http_fetch(&response, session, http_server_url(&server, path), NULL) == 0);
        const char *body = bight_http_response_body(response, &bytes);
        EXPECT(bytes == (size_t)sizes[i / 2] && body[bytes] == '\0');
        for (size_t at = 0; at < bytes; at += 16384)
            EXPECT(body[at] == 'a');
        bight_http_response_free(response);
    }
    EXPECT(atomic_load(&server.counts->connections) == 1);
    return 0;
}

HTTP_TEST(headers_are_found_whatever_their_case)
{
    struct bight_http_response *response;
    const char *name, *value;
    size_t count = 0;

    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/folded"), NULL) == 0);
    ck_assert_str_eq(bight_http_response_header(response, "x-TWICE"), "1");
    ck_assert_str_eq(bight_http_response_header(response, "X-Folded"), "one two");
    ck_assert_str_eq(bight_http_response_header(response, "X-Empty"), "");
    EXPECT(!bight_http_response_header(response, "X-None"));
    while (bight_http_response_header_at(response, count, &name, &value) == 0)
        count++;
    EXPECT(count == 5);
    EXPECT(bight_http_response_header_at(response, 3, &name, &value) == 0);
    ck_assert_str_eq(name, "x-twice");
    ck_assert_str_eq(value, "2");
    bight_http_response_free(response);

    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/early"), NULL) == 0);
    EXPECT(bight_http_response_status(response) == 200);
    EXPECT(!bight_http_response_header(response, "X-Early"));
    EXPECT(bight_http_response_header(response, "X-Late"));
    bight_http_response_free(response);
    return 0;
}

static char *echo(struct bight_http_session *session, const struct bight_http_request *request)
{
    struct bight_http_response *response;
    char *copy;

    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/echo"), request) == 0);
    copy = strdup(bight_http_response_body(response, NULL));
    bight_http_response_free(response);
    return copy;
}

HTTP_TEST(a_request_is_sent_as_asked_and_leaves_nothing_for_the_next)
{
    static const char *const headers[] = {"X-One: 1", "Accept:", "User-Agent: me/2", NULL};
    struct bight_http_request request = {
        .method = "PUT", .headers = headers, .body = "payload", .body_bytes = 7};
    char *text = echo(session, &request);

    EXPECT(!strncmp(text, "PUT /echo HTTP/1.1\r\n", 20));
    EXPECT(strstr(text, "\r\nX-One: 1\r\n") && !strstr(text, "\r\nAccept:"));
    EXPECT(strstr(text, "\r\nUser-Agent: me/2\r\n") && strstr(text, "\r\n\r\npayload"));
    free(text);
    request = (struct bight_http_request){.method = "POST"};
    text = echo(session, &request);
    EXPECT(!strncmp(text, "POST ", 5) && strstr(text, "Content-Length: 0\r\n"));
    free(text);
    request = (struct bight_http_request){.method = "DELETE"};
    text = echo(session, &request);
    EXPECT(!strncmp(text, "DELETE ", 7) && !strstr(text, "Content-Length"));
    free(text);
    text = echo(session, NULL);
    EXPECT(!strncmp(text, "GET ", 4) && !strstr(text, "X-One") && !strstr(text, "payload"));
    EXPECT(strstr(text, "\r\nUser-Agent: bight/") && strstr(text, "\r\nAccept-Encoding: "));
    free(text);
    EXPECT(atomic_load(&server.counts->connections) == 1);
    return 0;
}

HTTP_TEST(a_head_has_no_body)
{
    struct bight_http_request request = {.method = "HEAD", .max_body_bytes = 10};
    struct bight_http_response *response;
    size_t bytes;

    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/ok"), &request) == 0);
    ck_assert_str_eq(bight_http_response_header(response, "content-length"), "12345");
    bight_http_response_body(response, &bytes);
    EXPECT(bytes == 0);
    bight_http_response_free(response);
    http_expect(session, http_server_url(&server, "/ok"), "ok");
    request.body = "x";
    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/ok"), &request) ==
           BIGHT_EINVAL);
    return 0;
}

HTTP_TEST(what_would_break_out_of_the_request_is_refused)
{
    static const char *const bad_headers[] = {"X: 1\r\nY: 2", "X: 1\n", "X Y: 1", ": 1", "X",
                                              "X\r: 1",       "X;y",    "X: \x01"};
    static const char *const bad_urls[] = {"",
                                           "ok",
                                           "ftp://127.0.0.1/",
                                           "http://",
                                           "http://a b/",
                                           "file:///etc/passwd",
                                           "http://127.0.0.1/a\r\nX: 1"};
    static const char *const bad_methods[] = {"", "GET /x", "G\r\nET", "GET\n"};
    struct bight_http_session *bad;
    struct bight_http_error error;

    for (size_t i = 0; i < sizeof bad_headers / sizeof bad_headers[0]; i++) {
        const char *const headers[] = {bad_headers[i], NULL};
        struct bight_http_request request = {.headers = headers, .error = &error};
        struct bight_http_response *response;
        EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/ok"), &request) ==
               BIGHT_EINVAL);
        EXPECT(error.kind == BIGHT_HTTP_REQUEST && *error.text);
    }
    for (size_t i = 0; i < sizeof bad_urls / sizeof bad_urls[0]; i++)
        EXPECT(http_try(session, bad_urls[i], &error) == BIGHT_EINVAL);
    for (size_t i = 0; i < sizeof bad_methods / sizeof bad_methods[0]; i++) {
        struct bight_http_request request = {.method = bad_methods[i]};
        struct bight_http_response *response;
        EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/ok"), &request) ==
               BIGHT_EINVAL);
    }
    struct bight_http_session_options options = {.user_agent = "a\r\nX: 1"};
    EXPECT(bight_http_session_new(&bad, &options) == BIGHT_EINVAL);
    EXPECT(atomic_load(&server.counts->requests) == 0);
    return 0;
}

HTTP_TEST(encodings_are_undone)
{
    http_expect(session, http_server_url(&server, "/gzip"), "hello");
    return 0;
}

HTTP_TEST(connections_are_kept_and_shared)
{
    for (int i = 0; i < 50; i++)
        http_expect(session, http_server_url(&server, "/ok"), "ok");
    EXPECT(atomic_load(&server.counts->connections) == 1);
    for (int i = 0; i < 5; i++)
        http_expect(session, http_server_url(&server, "/close"), "ok");
    EXPECT(atomic_load(&server.counts->connections) == 5);
    return 0;
}

#define CALLS 60

static const struct bight_http_session_options limits = {.max_total = 4, .max_per_host = 3};

HTTP_TEST_WITH(limits_hold_in_total_and_per_host, &limits)
{
    static struct http_case_call calls[CALLS];
    struct bight_http_stats stats;

    for (int i = 0; i < CALLS; i++)
        http_call_start(&calls[i], session, http_server_url(i % 2 ? &server : &other, "/later"));
    EXPECT(bight_yield() == 0);
    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.active == 4 && stats.waiting == CALLS - 4);
    for (int i = 0; i < CALLS; i++)
        EXPECT(http_call_finish(&calls[i]) == 0);
    EXPECT(atomic_load(&server.counts->most_serving) <= 3);
    EXPECT(atomic_load(&other.counts->most_serving) <= 3);
    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.active == 0 && stats.waiting == 0 && stats.transfers == CALLS);
    return 0;
}

static const struct bight_http_session_options one = {.max_total = -1, .max_per_host = 1};
static int order[CALLS], ended;

static int ordered_main(void *arg)
{
    int *number = arg;
    int rc = http_try(http_session, http_server_url(&server, "/ok"), NULL);

    order[ended++] = *number;
    return rc;
}

HTTP_TEST_WITH(who_waits_for_a_slot_is_served_in_order, &one)
{
    static int numbers[CALLS];
    struct bight_group group;
    struct http_case_call silent = {0};

    /* A full host holds up nobody who wants another one. */
    http_call_start(&silent, session, http_server_url(&other, "/silent"));
    EXPECT(bight_group_begin(&group, 0) == 0);
    for (int i = 0; i < CALLS; i++) {
        numbers[i] = i;
        EXPECT(bight_group_spawn(NULL, &group, NULL, ordered_main, &numbers[i]) == 0);
    }
    EXPECT(bight_group_end(&group, 0) == 0);
    for (int i = 0; i < CALLS; i++)
        EXPECT(order[i] == i);
    bight_task_cancel(silent.task);
    EXPECT(http_call_finish(&silent) == BIGHT_ECANCELED);
    return 0;
}

HTTP_TEST(a_stream_is_read_as_it_comes)
{
    struct bight_http_response *response;
    char buffer[1000];
    int64_t got, total = 0;

    EXPECT(bight_http_open(&response, session, http_server_url(&server, "/bytes/1000000"), NULL) ==
           0);
    EXPECT(bight_http_response_status(response) == 200);
    while ((got = bight_http_read(response, buffer, sizeof buffer)) > 0)
        total += got;
    EXPECT(got == 0 && total == 1000000);
    EXPECT(bight_http_read(response, buffer, sizeof buffer) == 0);
    ck_assert_str_eq(bight_http_response_body(response, NULL), "");
    bight_http_response_free(response);
    http_expect(session, http_server_url(&server, "/ok"), "ok");
    EXPECT(atomic_load(&server.counts->connections) == 1);
    return 0;
}

HTTP_TEST(an_unread_stream_holds_the_peer_back)
{
    struct bight_http_request request = {.max_body_bytes = UINT64_MAX};
    struct bight_http_response *response;
    char *buffer = malloc(1 << 20);
    int64_t got, total = 0;
    long resident, sent;

    http_expect(session, http_server_url(&server, "/ok"), "ok");
    resident = test_resident_kib();
    EXPECT(bight_http_open(&response, session, http_server_url(&server, "/bytes/100000000"),
                           &request) == 0);
    do { /* until nothing moves any more: socket buffers are full */
        sent = atomic_load(&server.counts->sent);
        EXPECT(bight_sleep(50) == 0);
    } while (sent != atomic_load(&server.counts->sent));
    EXPECT(sent < 30000000);
    EXPECT(test_resident_kib() - resident < 2048);
    while ((got = bight_http_read(response, buffer, 1 << 20)) > 0)
        total += got;
    EXPECT(got == 0 && total == 100000000);
    bight_http_response_free(response);
    free(buffer);
    return 0;
}

/* The server's bodies: the alphabet at each multiple of 16384, zeros between. */
static void expect_bytes(const char *bytes, int64_t count, int64_t at)
{
    for (int64_t i = 0; i < count; i++) {
        int64_t place = (at + i) % 16384;
        if (bytes[i] != (place < 26 ? 'a' + place : 0))
            ck_abort_msg("byte %lld is %d", (long long)(at + i), bytes[i]);
    }
}

HTTP_TEST(a_stream_is_whole_whatever_its_reader_has_room_for)
{
    static const size_t sizes[] = {1, 262144, 7, 65536, 4096, 600000, 100000, 16384, 20000};
    static char buffer[600000];
    struct bight_http_response *response;
    int64_t got, total;

    for (int i = 0; i < 8; i++) {
        const char *path = i % 2 ? "/bytes/3000000" : "/chunked/3000000";
        EXPECT(bight_http_open(&response, session, http_server_url(&server, path), NULL) == 0);
        total = 0;
        for (size_t n = (size_t)i;; n += i < 4) { /* the later ones with one size each */
            got = bight_http_read(response, buffer, sizes[n % (sizeof sizes / sizeof sizes[0])]);
            if (got <= 0)
                break;
            expect_bytes(buffer, got, total);
            total += got;
            if (i % 3 == 0 && got > 4096)
                EXPECT(bight_sleep(1) == 0);
        }
        EXPECT(got == 0 && total == 3000000);
        bight_http_response_free(response);
    }
    return 0;
}

HTTP_TEST_WITH(a_stream_that_fits_the_buffer_gives_its_slot_back_unread, &one)
{
    struct bight_http_response *unread, *response;
    static char buffer[262144];

    for (int i = 0; i < 2; i++) {
        EXPECT(bight_http_open(&unread, session, http_server_url(&server, "/bytes/40000"), NULL) ==
               0);
        http_expect(session, http_server_url(&server, "/ok"), "ok");
        EXPECT(bight_http_read(unread, buffer, sizeof buffer) == 40000);
        expect_bytes(buffer, 40000, 0);
        EXPECT(bight_http_read(unread, buffer, sizeof buffer) == 0);
        bight_http_response_free(unread);
        /* From now on the session reads in larger pieces. */
        EXPECT(bight_http_open(&response, session, http_server_url(&server, "/bytes/1000000"),
                               NULL) == 0);
        while (bight_http_read(response, buffer, sizeof buffer) > 0)
            ;
        EXPECT(bight_http_response_error(response)->code == 0);
        bight_http_response_free(response);
    }
    return 0;
}

HTTP_TEST(a_stream_may_be_left_unfinished)
{
    struct bight_http_response *response;
    struct bight_http_stats stats;
    char byte;

    for (int i = 0; i < 20; i++) {
        EXPECT(bight_http_open(&response, session, http_server_url(&server, "/bytes/9000000"),
                               NULL) == 0);
        EXPECT(bight_http_read(response, &byte, 1) == 1 && byte == 'a');
        bight_http_response_free(response);
        bight_http_session_get_stats(session, &stats);
        EXPECT(stats.active == 0);
    }
    EXPECT(stats.sockets <= 1);
    return 0;
}

HTTP_TEST(two_tasks_cannot_read_one_stream)
{
    struct bight_http_response *response;
    char bytes[10];

    EXPECT(bight_http_open(&response, session, http_server_url(&server, "/ok"), NULL) == 0);
    EXPECT(bight_http_read(response, bytes, 0) == 0);
    EXPECT(bight_http_read(response, bytes, 1) == 1 && bight_http_read(response, bytes, 9) == 1);
    EXPECT(bight_http_read(response, bytes, 9) == 0);
    bight_http_response_free(response);
    return 0;
}

static void outside_of_tasks_and_runtimes_calls_say_so(void)
{
    struct bight_http_session *session;
    ck_assert_int_eq(bight_http_session_new(&session, NULL), BIGHT_ENORUNTIME);
}

static const struct suite_case cases[] = {
    plain_case(a_body_is_collected),
    plain_case(bodies_of_all_sizes_arrive_whole),
    plain_case(headers_are_found_whatever_their_case),
    plain_case(a_request_is_sent_as_asked_and_leaves_nothing_for_the_next),
    plain_case(a_head_has_no_body),
    plain_case(what_would_break_out_of_the_request_is_refused),
    plain_case(encodings_are_undone),
    plain_case(connections_are_kept_and_shared),
    plain_case(limits_hold_in_total_and_per_host),
    plain_case(who_waits_for_a_slot_is_served_in_order),
    plain_case(a_stream_is_read_as_it_comes),
    plain_case(an_unread_stream_holds_the_peer_back),
    plain_case(a_stream_is_whole_whatever_its_reader_has_room_for),
    plain_case(a_stream_that_fits_the_buffer_gives_its_slot_back_unread),
    plain_case(a_stream_may_be_left_unfinished),
    plain_case(two_tasks_cannot_read_one_stream),
    plain_case(outside_of_tasks_and_runtimes_calls_say_so),
};

test_suite("http", cases, .setup = http_case_setup, .teardown = http_case_teardown);
