/* Streams that pause, and what happens meanwhile: net/http/body.c and read.c. */
#include <stdlib.h>

#include "net/http/session.h"
#include "tests/net/http/http_case.h"

static const char *const at_once[] = {"Expect:", NULL};
static const struct bight_http_session_options narrow = {.buffer_bytes = 1};

static char buffer[300000];

/* Until its end, `bytes` at a time; how much that was, or the error. */
static int64_t read_all(struct bight_http_response *response, size_t bytes)
{
    int64_t got, total = 0;

    while ((got = bight_http_read(response, buffer, bytes)) > 0)
        total += got;
    return got < 0 ? got : total;
}

/* The peer wants all of it before it goes on. */
HTTP_TEST(an_unread_answer_does_not_hold_the_request_back)
{
    const size_t bytes = 3000000;
    struct bight_http_response *response;
    char *body = calloc(1, bytes);

    for (int i = 0; i < 2; i++) {
        struct bight_http_request request = {
            .method = "POST", .headers = at_once, .body = body, .body_bytes = bytes};
        EXPECT(bight_http_open(&response, session, http_server_url(&server, "/greedy"), &request) ==
               0);
        http_await(&server.counts->taken, i + 1);
        EXPECT(read_all(response, i ? 1000 : sizeof buffer) == 400000);
        bight_http_response_free(response);
    }
    free(body);
    return 0;
}

HTTP_TEST_WITH(both_directions_at_once, &narrow)
{
    static const size_t sizes[] = {1, 300, 16384, 65536, 300000};
    struct bight_http_response *response;
    const size_t bytes = 2000000;
    unsigned char *body = malloc(bytes);
    int64_t got;

    for (size_t i = 0; i < bytes; i++)
        body[i] = (unsigned char)(i * 7 % 251);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct bight_http_request request = {
            .method = "POST", .headers = at_once, .body = body, .body_bytes = bytes};
        size_t total = 0, steps = 0;
        request.body_bytes = sizes[i] < 1000 ? bytes / 20 : bytes;
        EXPECT(bight_http_open(&response, session, http_server_url(&server, "/mirror"), &request) ==
               0);
        while ((got = bight_http_read(response, buffer, sizes[i])) > 0) {
            EXPECT(total + (size_t)got <= bytes && !memcmp(buffer, body + total, (size_t)got));
            total += (size_t)got;
            if (sizes[i] > 1000 && ++steps % 16 == 0)
                EXPECT(bight_sleep(1) == 0);
        }
        EXPECT(got == 0 && total == request.body_bytes);
        bight_http_response_free(response);
    }
    free(body);
    return 0;
}

HTTP_TEST(what_came_before_a_peer_left_is_read)
{
    struct bight_http_response *response;
    int64_t got, total;

    for (int i = 0; i < 4; i++) {
        const char *path = i % 2 ? "/cut/reset" : "/cut/fin";
        EXPECT(bight_http_open(&response, session, http_server_url(&server, path), NULL) == 0);
        EXPECT(bight_sleep(i < 2 ? 60 : 0) == 0);
        for (total = 0; (got = bight_http_read(response, buffer, i < 2 ? 3000 : 100000)) > 0;)
            total += got;
        /* A reset throws away what the kernel has. */
        EXPECT(got == BIGHT_EPROTOCOL && (i % 2 ? total <= 500000 : total == 500000));
        bight_http_response_free(response);
    }
    http_expect(session, http_server_url(&server, "/ok"), "ok");
    return 0;
}

HTTP_TEST(a_pause_is_no_silence_of_the_peer)
{
    struct bight_http_request request = {.idle_timeout_ms = 200};
    struct bight_http_response *response;

    EXPECT(bight_http_open(&response, session, http_server_url(&server, "/bytes/1000000"),
                           &request) == 0);
    EXPECT(bight_sleep(300) == 0);
    EXPECT(read_all(response, 5000) == 1000000);
    bight_http_response_free(response);
    return 0;
}

HTTP_TEST(time_passes_during_a_pause)
{
    static const size_t sizes[] = {5000, sizeof buffer};
    struct bight_http_request request = {.total_timeout_ms = 200};
    struct bight_http_response *response;

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        EXPECT(bight_http_open(&response, session, http_server_url(&server, "/bytes/50000000"),
                               &request) == 0);
        EXPECT(bight_sleep(300) == 0);
        ck_assert_int_eq(read_all(response, sizes[i]), BIGHT_ETIMEDOUT);
        bight_http_response_free(response);
    }
    return 0;
}

struct beside {
    bool over;
    int turns;
};

static int takes_turns(void *arg)
{
    struct beside *beside = arg;
    int rc = 0;

    for (; rc == 0 && !beside->over; beside->turns++)
        rc = bight_yield();
    return rc;
}

/* Much of it is there whenever it is asked for. */
HTTP_TEST(a_reader_gives_others_their_turns)
{
    struct bight_http_response *response;
    struct beside beside = {.over = false};
    struct bight_task *task;
    int reads = 0;
    int64_t got;

    EXPECT(bight_http_open(&response, session, http_server_url(&server, "/bytes/50000000"), NULL) ==
           0);
    EXPECT(bight_spawn(&task, takes_turns, &beside) == 0);
    while ((got = bight_http_read(response, buffer, sizeof buffer)) > 0)
        reads++;
    beside.over = true;
    EXPECT(got == 0 && reads > 50);
    EXPECT(beside.turns > 0);
    EXPECT(beside.turns >= reads / 128); /* no more operations in a row than that */
    EXPECT(bight_join(task, NULL) == 0);
    bight_http_response_free(response);
    return 0;
}

HTTP_TEST(a_session_may_end_during_a_pause)
{
    struct bight_http_response *response;

    EXPECT(bight_http_open(&response, session, http_server_url(&server, "/bytes/1000000"), NULL) ==
           0);
    EXPECT(bight_sleep(30) == 0);
    EXPECT(bight_http_session_end(session) == 0);
    http_session = NULL;
    EXPECT(bight_http_read(response, buffer, sizeof buffer) > 0);
    EXPECT(read_all(response, sizeof buffer) == BIGHT_ECLOSED);
    bight_http_response_free(response);
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(an_unread_answer_does_not_hold_the_request_back),
    plain_case(both_directions_at_once),
    plain_case(what_came_before_a_peer_left_is_read),
    plain_case(a_pause_is_no_silence_of_the_peer),
    plain_case(time_passes_during_a_pause),
    plain_case(a_reader_gives_others_their_turns),
    plain_case(a_session_may_end_during_a_pause),
};

test_suite("http_pause", cases, .setup = http_case_setup, .teardown = http_case_teardown);
