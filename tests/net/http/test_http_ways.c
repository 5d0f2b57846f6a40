/* The ways in which the client's waits end, two of them in one turn: what libcurl would tell is
 * told by hand, at the moment that the test is about. */
#include <stdlib.h>

#include "coro/core/scope.h"
#include "coro/core/task.h"
#include "net/http/response.h"
#include "net/http/transfer.h"
#include "tests/net/http/http_case.h"

/* The only request of the session. */
static struct bight_http_response *the_response(struct bight_http_session *session)
{
    EXPECT(!link_empty(&session->live));
    return container_of(session->live.next, struct bight_http_response, link);
}

static void body_comes(struct bight_http_response *response, char *text)
{
    EXPECT(bight__http_on_body(text, 1, strlen(text), response->transfer) == strlen(text));
}

static void headers_come(struct bight_http_response *response)
{
    static const char *const lines[] = {"HTTP/1.1 200 OK\r\n", "Content-Length: 5\r\n", "\r\n"};

    for (int i = 0; i < 3; i++) {
        char line[64];
        size_t bytes = strlen(strcpy(line, lines[i]));
        EXPECT(bight__http_on_header(line, 1, bytes, response->transfer) == bytes);
    }
}

static void all_comes(struct bight_http_response *response)
{
    headers_come(response);
    body_comes(response, (char[]){"hello"});
    bight__http_transfer_done(response->transfer, CURLE_OK);
}

/* The earliest deadline of the task passes now. */
static void expire(struct bight_task *task)
{
    EXPECT(task->parked);
    task->deadline.deadline_ns = task->scope->earliest_ns;
    bight__task_timer(&task->deadline);
    EXPECT(!task->parked);
}

/* A call that waits for the answer of a server that gives none. */
static struct bight_http_response *start_silent(struct bight_http_session *session,
                                                struct http_case_call *call)
{
    http_call_start(call, session, http_server_url(&server, "/silent"));
    http_await(&server.counts->requests, 1);
    EXPECT(call->task->parked);
    return the_response(session);
}

HTTP_TEST(a_get_that_was_answered_then_cancelled_is_answered)
{
    struct http_case_call call = {0};

    all_comes(start_silent(session, &call));
    bight_task_cancel(call.task);
    EXPECT(bight_join(call.task, NULL) == 0);
    EXPECT(call.rc == 0 && !strcmp(bight_http_response_body(call.response, NULL), "hello"));
    bight_http_response_free(call.response);
    return 0;
}

/* There is nobody else to pass it on to. */
HTTP_TEST(a_get_that_was_cancelled_then_answered_is_answered)
{
    struct http_case_call call = {0};
    struct bight_http_response *response = start_silent(session, &call);

    bight_task_cancel(call.task);
    all_comes(response);
    EXPECT(http_call_finish(&call) == 0);
    http_expect(session, http_server_url(&server, "/ok"), "ok");
    return 0;
}

HTTP_TEST(an_open_that_was_answered_then_cancelled_is_answered)
{
    struct http_case_call call = {.stream = true};

    headers_come(start_silent(session, &call));
    bight_task_cancel(call.task);
    EXPECT(http_call_finish(&call) == 0);
    return 0;
}

HTTP_TEST(an_open_that_was_cancelled_then_answered_is_cancelled)
{
    struct http_case_call call = {.stream = true};
    struct bight_http_response *response = start_silent(session, &call);

    bight_task_cancel(call.task);
    headers_come(response);
    EXPECT(http_call_finish(&call) == BIGHT_ECANCELED);
    http_expect(session, http_server_url(&server, "/ok"), "ok");
    return 0;
}

HTTP_TEST(an_answer_that_comes_as_the_time_is_up_is_an_answer)
{
    struct http_case_call call = {.stream = true, .request.total_timeout_ms = 300};
    struct bight_http_response *response = start_silent(session, &call);

    while (bight_now_ns() < response->deadline_ns)
        ;
    expire(call.task);
    headers_come(response);
    EXPECT(bight_yield() == 0);
    EXPECT(bight_task_done(call.task));
    EXPECT(http_call_finish(&call) == 0);
    return 0;
}

static int open_main(void *arg)
{
    struct bight_http_session *session = arg;
    struct bight_http_response *response;
    int rc = bight_http_open(&response, session, http_server_url(&server, "/silent"), NULL);

    if (rc == 0)
        bight_http_response_free(response);
    return rc;
}

HTTP_TEST(a_deadline_around_an_open)
{
    EXPECT(bight_timeout(20, open_main, session) == BIGHT_ETIMEDOUT);
    http_expect(session, http_server_url(&server, "/ok"), "ok");
    return 0;
}

struct reader {
    struct bight_http_response *response;
    struct bight_task *task;
    int64_t got;
    char buffer[16];
};

static int read_main(void *arg)
{
    struct reader *reader = arg;

    reader->got = bight_http_read(reader->response, reader->buffer, sizeof reader->buffer);
    return 0;
}

/* A task that waits for the second byte of a body. */
static void start_reading(struct bight_http_session *session, struct reader *reader,
                          const struct bight_http_request *request)
{
    const char *url = http_server_url(&server, "/stall");

    EXPECT(bight_http_open(&reader->response, session, url, request) == 0);
    EXPECT(bight_http_read(reader->response, reader->buffer, 1) == 1);
    EXPECT(bight_spawn(&reader->task, read_main, reader) == 0);
    EXPECT(bight_yield() == 0);
    EXPECT(reader->task->parked);
}

static int64_t finish_reading(struct reader *reader)
{
    EXPECT(bight_yield() == 0);
    EXPECT(bight_task_done(reader->task));
    EXPECT(bight_join(reader->task, NULL) == 0);
    return reader->got;
}

HTTP_TEST(a_read_that_was_woken_then_cancelled_has_its_bytes)
{
    struct reader reader;

    start_reading(session, &reader, NULL);
    body_comes(reader.response, (char[]){"hello"});
    bight_task_cancel(reader.task);
    EXPECT(finish_reading(&reader) == 5 && !memcmp(reader.buffer, "hello", 5));
    bight_http_response_free(reader.response);
    return 0;
}

HTTP_TEST(a_read_that_was_cancelled_then_woken_leaves_the_bytes_to_the_next)
{
    struct reader reader;

    start_reading(session, &reader, NULL);
    bight_task_cancel(reader.task);
    body_comes(reader.response, (char[]){"hello"});
    EXPECT(finish_reading(&reader) == BIGHT_ECANCELED);
    EXPECT(bight_http_read(reader.response, reader.buffer, sizeof reader.buffer) == 5);
    EXPECT(!memcmp(reader.buffer, "hello", 5));
    bight_http_response_free(reader.response);
    return 0;
}

HTTP_TEST(bytes_that_come_as_the_time_is_up_are_read)
{
    struct bight_http_request request = {.total_timeout_ms = 300};
    struct reader reader;

    start_reading(session, &reader, &request);
    while (bight_now_ns() < reader.response->deadline_ns)
        ;
    expire(reader.task);
    body_comes(reader.response, (char[]){"hello"});
    EXPECT(finish_reading(&reader) == 5 && !memcmp(reader.buffer, "hello", 5));
    bight_http_response_free(reader.response);
    return 0;
}

HTTP_TEST(who_reads_in_between_takes_nothing_away)
{
    struct reader reader;
    char byte;

    start_reading(session, &reader, NULL);
    body_comes(reader.response, (char[]){"hello"});
    EXPECT(bight_http_read(reader.response, &byte, 1) == BIGHT_EBUSY);
    EXPECT(finish_reading(&reader) == 5 && !memcmp(reader.buffer, "hello", 5));
    bight_http_response_free(reader.response);
    return 0;
}

static int read_for_ever(void *arg)
{
    struct bight_http_response *response = arg;
    char buffer[16];
    int64_t got;

    while ((got = bight_http_read(response, buffer, sizeof buffer)) > 0)
        ;
    return (int)got;
}

HTTP_TEST(a_deadline_around_a_read)
{
    struct bight_http_response *response;

    EXPECT(bight_http_open(&response, session, http_server_url(&server, "/stall"), NULL) == 0);
    EXPECT(bight_timeout(20, read_for_ever, response) == BIGHT_ETIMEDOUT);
    bight_http_response_free(response);
    return 0;
}

/* Closing */

static int close_main(void *arg)
{
    return bight_http_session_end(arg);
}

HTTP_TEST(closing_while_a_read_yields)
{
    struct bight_http_response *response;
    struct bight_task *closer;
    int64_t got;
    char byte;
    int status;

    EXPECT(bight_http_open(&response, session, http_server_url(&server, "/bytes/60000"), NULL) ==
           0);
    while (response->hop.phase != HTTP_COMPLETE)
        EXPECT(bight_sleep(1) == 0);
    EXPECT(bight_spawn(&closer, close_main, session) == 0);
    http_session = NULL;
    /* After 128 quick reads at the latest it yields, to the closer. */
    for (int i = 0; !closer->parked; i++)
        EXPECT(i < 200 && bight_http_read(response, &byte, 1) == 1);
    while ((got = bight_http_read(response, &byte, 1)) > 0)
        ;
    EXPECT(got == 0);
    EXPECT(bight_join(closer, &status) == 0 && status == 0);
    bight_http_response_free(response);
    return 0;
}

static int timed_close_main(void *arg)
{
    return bight_timeout(60000, close_main, arg);
}

/* First it waits for the call of another, then for libuv. */
HTTP_TEST(a_close_goes_on_when_it_is_cancelled_or_out_of_time)
{
    for (int turns = 0; turns < 8; turns++) {
        struct http_case_call call = {0};
        struct bight_http_session *second;
        struct bight_task *closer;
        int status;

        EXPECT(bight_http_session_new(&second, NULL) == 0);
        http_expect(second, http_server_url(&server, "/ok"), "ok");
        http_call_start(&call, second, http_server_url(&server, "/silent"));
        EXPECT(bight_yield() == 0);
        EXPECT(bight_spawn(&closer, timed_close_main, second) == 0);
        EXPECT(bight_yield() == 0);
        EXPECT(closer->parked);
        for (int i = 0; i < turns / 2; i++)
            EXPECT(bight_yield() == 0);
        if (turns % 2)
            bight_task_cancel(closer);
        else if (closer->parked)
            bight__task_timer(&closer->deadline);
        EXPECT(bight_join(closer, &status) == 0);
        EXPECT(status == 0 && http_call_finish(&call) == BIGHT_ECLOSED);
    }
    return 0;
}

static struct bight_http_session *closed_inside;
static int inside_rc;

static int close_inside(void *arg, const struct bight_http_hop *hop)
{
    (void)arg;
    (void)hop;
    inside_rc = bight_http_session_end(closed_inside);
    return 0;
}

HTTP_TEST(closing_from_within_a_request_is_a_deadlock)
{
    struct bight_http_request request = {.on_redirect = close_inside};
    struct bight_http_response *response;

    closed_inside = session;
    EXPECT(bight_http_fetch(&response, session, http_server_url(&server, "/hops/1"), &request) ==
           0);
    EXPECT(inside_rc == BIGHT_EDEADLK);
    bight_http_response_free(response);
    return 0;
}

static const struct bight_http_session_options one = {.max_total = 1, .max_per_host = 1};

HTTP_TEST_WITH(cancelled_and_closed_in_one_turn_the_error_is_the_calls, &one)
{
    struct http_case_call first = {0}, second = {0};

    start_silent(session, &first);
    http_call_start(&second, session, http_server_url(&server, "/ok"));
    EXPECT(bight_yield() == 0);
    bight_task_cancel(second.task);
    EXPECT(bight_http_session_end(session) == 0);
    http_session = NULL;
    EXPECT(http_call_finish(&first) == BIGHT_ECLOSED);
    EXPECT(http_call_finish(&second) == BIGHT_ECANCELED);
    EXPECT(second.error.kind == BIGHT_HTTP_CANCELLED);
    return 0;
}

static int late_rc;

static void make_session(void *arg)
{
    struct bight_http_session *session;

    (void)arg;
    late_rc = bight_http_session_new(&session, NULL);
}

static int post_main(void *arg)
{
    struct bight_mailbox *mailbox;
    int rc = bight_mailbox_get(&mailbox);

    (void)arg;
    if (rc < 0)
        return rc;
    rc = bight_post_call(mailbox, make_session, NULL);
    bight_mailbox_unref(mailbox);
    return rc;
}

static void a_runtime_that_ends_takes_no_session(void)
{
    ck_assert_int_eq(bight_run(post_main, NULL), 0);
    ck_assert_int_eq(late_rc, BIGHT_ECLOSED);
}

static const struct suite_case cases[] = {
    plain_case(a_get_that_was_answered_then_cancelled_is_answered),
    plain_case(a_get_that_was_cancelled_then_answered_is_answered),
    plain_case(an_open_that_was_answered_then_cancelled_is_answered),
    plain_case(an_open_that_was_cancelled_then_answered_is_cancelled),
    plain_case(an_answer_that_comes_as_the_time_is_up_is_an_answer),
    plain_case(a_deadline_around_an_open),
    plain_case(a_read_that_was_woken_then_cancelled_has_its_bytes),
    plain_case(a_read_that_was_cancelled_then_woken_leaves_the_bytes_to_the_next),
    plain_case(bytes_that_come_as_the_time_is_up_are_read),
    plain_case(who_reads_in_between_takes_nothing_away),
    plain_case(a_deadline_around_a_read),
    plain_case(closing_while_a_read_yields),
    plain_case(a_close_goes_on_when_it_is_cancelled_or_out_of_time),
    plain_case(closing_from_within_a_request_is_a_deadlock),
    plain_case(cancelled_and_closed_in_one_turn_the_error_is_the_calls),
    plain_case(a_runtime_that_ends_takes_no_session),
};

test_suite("http_ways", cases, .setup = http_case_setup, .teardown = http_case_teardown);
