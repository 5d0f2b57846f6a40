/* Cancellation of a request in each of its phases: the call returns in the turn after, the slot is
 * free, and nothing is left on the wire. Also the other ways in which a wait may end. */
#include <netdb.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/http/response.h"
#include "net/http/transfer.h"
#include "net/resolve/resolve.h"
#include "tests/net/http/http_case.h"

/* The call is cancelled now; it must have returned after one more turn. */
static void cancel_now(struct http_case_call *call)
{
    struct bight_http_stats stats;

    EXPECT(!bight_task_done(call->task));
    bight_task_cancel(call->task);
    EXPECT(bight_yield() == 0);
    EXPECT(bight_task_done(call->task));
    EXPECT(http_call_finish(call) == BIGHT_ECANCELED);
    EXPECT(call->error.kind == BIGHT_HTTP_CANCELLED);
    bight_http_session_get_stats(call->session, &stats);
    EXPECT(stats.waiting == 0);
}

static void nothing_active(struct bight_http_session *session)
{
    struct bight_http_stats stats;

    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.active == 0);
    http_expect(session, http_server_url(&server, "/ok"), "ok");
}

static const struct bight_http_session_options one = {.max_total = 1, .max_per_host = 1};

HTTP_TEST_WITH(waiting_for_the_limits, &one)
{
    struct http_case_call first = {0}, second = {0}, third = {0};

    http_call_start(&first, session, http_server_url(&server, "/silent"));
    http_call_start(&second, session, http_server_url(&server, "/ok"));
    http_call_start(&third, session, http_server_url(&other, "/ok"));
    EXPECT(bight_yield() == 0);
    bight_task_cancel(third.task); /* has its host's slot already */
    EXPECT(http_call_finish(&third) == BIGHT_ECANCELED);
    cancel_now(&second);
    cancel_now(&first);
    nothing_active(session);
    return 0;
}

HTTP_TEST_WITH(a_slot_granted_to_one_who_is_cancelled_is_passed_on, &one)
{
    struct http_case_call first = {0}, second = {0}, third = {0};

    http_call_start(&first, session, http_server_url(&server, "/silent"));
    http_call_start(&second, session, http_server_url(&server, "/ok"));
    http_call_start(&third, session, http_server_url(&server, "/ok"));
    http_await(&server.counts->requests, 1);
    bight_task_cancel(first.task);
    EXPECT(http_call_finish(&first) == BIGHT_ECANCELED); /* second is granted the slot ... */
    bight_task_cancel(second.task);                      /* ... and does not need it */
    EXPECT(http_call_finish(&second) == BIGHT_ECANCELED);
    EXPECT(http_call_finish(&third) == 0);
    nothing_active(session);
    return 0;
}

static sem_t go;

static int held_lookup(void *arg, const char *host, struct bight_address *addresses, size_t *count)
{
    (void)arg;
    (void)host;
    (void)addresses;
    *count = 0;
    sem_wait(&go);
    return EAI_NONAME;
}

HTTP_TEST(resolving)
{
    struct http_case_call call = {0};

    sem_init(&go, 0, 0);
    bight__resolver_set_lookup(session->resolver, held_lookup, NULL);
    http_call_start(&call, session, "http://slow.test/");
    EXPECT(bight_yield() == 0);
    cancel_now(&call);
    nothing_active(session);
    sem_post(&go);
    return 0;
}

/* A listener whose backlog is full answers no SYN: connecting goes on for minutes. */
static int full_listener(char *url, size_t bytes, int *fillers)
{
    struct sockaddr_in address;
    int listener = test_bound_socket(&address);

    EXPECT(listen(listener, 0) == 0);
    for (int i = 0; i < 2; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fillers[i], (struct sockaddr *)&address, sizeof address);
    }
    snprintf(url, bytes, "http://127.0.0.1:%u/", ntohs(address.sin_port));
    return listener;
}

HTTP_TEST(connecting)
{
    struct http_case_call call = {0};
    struct bight_http_stats stats;
    char url[64];
    int fillers[2];
    int listener = full_listener(url, sizeof url, fillers);

    http_call_start(&call, session, url);
    do {
        EXPECT(bight_sleep(1) == 0);
        bight_http_session_get_stats(session, &stats);
    } while (!stats.sockets);
    cancel_now(&call);
    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.sockets == 0);
    nothing_active(session);
    close(fillers[0]);
    close(fillers[1]);
    close(listener);
    return 0;
}

/* libcurl opens a socket and libuv has not heard of it yet: it must not, once that is closed. */
HTTP_TEST(in_the_turn_that_connects)
{
    struct bight_http_stats stats;
    char url[64];
    int fillers[2];
    int listener = full_listener(url, sizeof url, fillers);

    for (int i = 0; i < 50; i++) {
        struct http_case_call call = {0}, beside = {0};
        http_call_start(&call, session, i % 2 ? url : http_server_url(&server, "/close"));
        do {
            EXPECT(bight_yield() == 0);
            bight_http_session_get_stats(session, &stats);
        } while (!stats.sockets);
        bight_task_cancel(call.task);
        if (i % 3 == 0) /* opens a socket of the same number at once */
            http_call_start(&beside, session, http_server_url(&server, "/close"));
        EXPECT(http_call_finish(&call) == BIGHT_ECANCELED);
        if (i % 3 == 0)
            EXPECT(http_call_finish(&beside) == 0);
        bight_http_session_get_stats(session, &stats);
        EXPECT(stats.sockets == 0 && stats.active == 0);
    }
    nothing_active(session);
    close(fillers[0]);
    close(fillers[1]);
    close(listener);
    return 0;
}

static int connect_main(void *arg)
{
    void **args = arg;

    return http_try(args[0], args[1], NULL);
}

HTTP_TEST(a_deadline_while_connecting)
{
    struct bight_http_stats stats;
    char url[64];
    int fillers[2];
    int listener = full_listener(url, sizeof url, fillers);

    for (int i = 0; i < 5; i++) {
        EXPECT(bight_timeout(10, connect_main, (void *[]){session, url}) == BIGHT_ETIMEDOUT);
        bight_http_session_get_stats(session, &stats);
        EXPECT(stats.sockets == 0);
        http_expect(session, http_server_url(&server, "/close"), "ok");
        bight_http_session_get_stats(session, &stats);
        EXPECT(stats.sockets == 0 && stats.active == 0);
    }
    close(fillers[0]);
    close(fillers[1]);
    close(listener);
    return 0;
}

HTTP_TEST(sending)
{
    static char body[16 << 20];
    struct http_case_call call = {
        .request = {.method = "POST", .body = body, .body_bytes = sizeof body}};

    http_call_start(&call, session, http_server_url(&server, "/silent"));
    http_await(&server.counts->requests, 1);
    cancel_now(&call);
    nothing_active(session);
    return 0;
}

HTTP_TEST(waiting_for_the_headers)
{
    struct http_case_call call = {0};

    http_call_start(&call, session, http_server_url(&server, "/silent"));
    http_await(&server.counts->requests, 1);
    cancel_now(&call);
    nothing_active(session);
    return 0;
}

HTTP_TEST(collecting_the_body)
{
    struct http_case_call call = {0};

    http_call_start(&call, session, http_server_url(&server, "/drip"));
    http_await(&server.counts->requests, 1);
    EXPECT(bight_sleep(50) == 0);
    cancel_now(&call);
    nothing_active(session);
    return 0;
}

struct reader {
    struct bight_http_response *response;
    int64_t got;
};

static int read_main(void *arg)
{
    struct reader *reader = arg;
    char buffer[100];

    while ((reader->got = bight_http_read(reader->response, buffer, sizeof buffer)) > 0)
        ;
    return 0;
}

HTTP_TEST(reading_a_stream)
{
    struct reader reader;
    struct bight_task *task;
    char byte;

    EXPECT(bight_http_open(&reader.response, session, http_server_url(&server, "/stall"), NULL) ==
           0);
    EXPECT(bight_spawn(&task, read_main, &reader) == 0);
    EXPECT(bight_yield() == 0 && bight_sleep(20) == 0);
    EXPECT(bight_http_read(reader.response, &byte, 1) == BIGHT_EBUSY);
    bight_task_cancel(task);
    EXPECT(bight_yield() == 0);
    EXPECT(bight_task_done(task) && bight_join(task, NULL) == 0);
    EXPECT(reader.got == BIGHT_ECANCELED);
    EXPECT(bight_http_response_error(reader.response)->kind == BIGHT_HTTP_OK);
    bight_http_response_free(reader.response);
    nothing_active(session);
    return 0;
}

HTTP_TEST(a_cancelled_read_takes_nothing)
{
    struct bight_http_response *response;
    struct bight_scope scope;
    char buffer[100];
    int64_t total = 0, got;

    EXPECT(bight_http_open(&response, session, http_server_url(&server, "/drip"), NULL) == 0);
    while (total < 30) {
        EXPECT(bight_scope_begin(&scope, 5, 0) == 0);
        got = bight_http_read(response, buffer, sizeof buffer);
        int rc = bight_scope_end(&scope, got < 0 ? (int)got : 0);
        EXPECT(rc == 0 || rc == BIGHT_ETIMEDOUT);
        for (int64_t i = 0; i < got; i++)
            EXPECT(buffer[i] == 'x');
        total += got > 0 ? got : 0;
    }
    bight_http_response_free(response);
    return 0;
}

static int sleep_at_redirect(void *arg, const struct bight_http_hop *hop)
{
    (void)arg;
    (void)hop;
    return bight_sleep(-1);
}

HTTP_TEST(between_two_hops)
{
    struct http_case_call call = {.request.on_redirect = sleep_at_redirect};
    struct bight_http_stats stats;

    http_call_start(&call, session, http_server_url(&server, "/hops/1"));
    do {
        EXPECT(bight_sleep(1) == 0);
        bight_http_session_get_stats(session, &stats);
    } while (!stats.transfers || stats.active);
    cancel_now(&call);
    nothing_active(session);
    return 0;
}

HTTP_TEST(paused)
{
    struct bight_http_response *response;
    struct bight_http_stats stats;

    EXPECT(bight_http_open(&response, session, http_server_url(&server, "/bytes/9000000"), NULL) ==
           0);
    while (!response->transfer->paused)
        EXPECT(bight_sleep(1) == 0);
    bight_http_response_free(response);
    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.active == 0 && stats.sockets == 0);
    nothing_active(session);
    return 0;
}

HTTP_TEST(before_anything)
{
    struct http_case_call call = {0};

    http_call_start(&call, session, http_server_url(&server, "/ok"));
    EXPECT(bight_yield() == 0); /* the transfer is with libcurl, which has not seen it */
    cancel_now(&call);
    EXPECT(atomic_load(&server.counts->requests) == 0);
    nothing_active(session);
    return 0;
}

HTTP_TEST(in_a_cancelled_scope_nothing_begins)
{
    struct bight_http_response *response;
    struct bight_http_stats stats;
    struct bight_scope scope;
    int rc;

    EXPECT(bight_scope_begin(&scope, -1, 0) == 0);
    bight_scope_cancel(&scope);
    rc = bight_http_fetch(&response, session, http_server_url(&server, "/ok"), NULL);
    EXPECT(rc == BIGHT_ECANCELED);
    EXPECT(bight_scope_end(&scope, rc) == 0 && scope.cancelled);
    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.transfers == 0);
    return 0;
}

HTTP_TEST(complete_then_cancelled_is_complete)
{
    struct http_case_call call = {0};
    struct bight_http_stats stats;

    http_call_start(&call, session, http_server_url(&server, "/ok"));
    /* The wake puts the task behind this one in the ready queue at the earliest. */
    do {
        EXPECT(bight_yield() == 0);
        bight_http_session_get_stats(session, &stats);
    } while (!stats.transfers || stats.active);
    bight_task_cancel(call.task);
    EXPECT(http_call_finish(&call) == 0);
    return 0;
}

static int deadline_main(void *arg)
{
    return http_try(arg, http_server_url(&server, "/silent"), NULL);
}

HTTP_TEST(a_deadline_around_the_call)
{
    EXPECT(bight_timeout(30, deadline_main, session) == BIGHT_ETIMEDOUT);
    nothing_active(session);
    return 0;
}

static const struct bight_http_session_options hundreds = {.max_total = 40, .max_per_host = 30};

/* Many requests in all phases at once, cancelled in an order that a seed decides. */
HTTP_TEST_WITH(a_storm_of_cancellations, &hundreds)
{
    static const char *const paths[] = {"/ok",       "/silent", "/drip",      "/bytes/2000000",
                                        "/hops/5",   "/later",  "/close",     "/chunked/100000",
                                        "/to//loop", "/rst",    "/status/500"};
    static struct http_case_call calls[200];
    struct bight_http_stats stats;

    srand(7);
    for (int i = 0; i < 200; i++) {
        memset(&calls[i], 0, sizeof calls[i]);
        calls[i].stream = rand() % 2;
        http_call_start(&calls[i], session,
                        http_server_url(i % 3 ? &server : &other,
                                        paths[(size_t)rand() % (sizeof paths / sizeof *paths)]));
        if (rand() % 4 == 0)
            EXPECT(bight_sleep(1) == 0);
        if (rand() % 2)
            bight_task_cancel(calls[rand() % (i + 1)].task);
    }
    for (int i = 0; i < 200; i++)
        bight_task_cancel(calls[i].task);
    for (int i = 0; i < 200; i++)
        http_call_finish(&calls[i]);
    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.active == 0 && stats.waiting == 0);
    nothing_active(session);
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(waiting_for_the_limits),
    plain_case(a_slot_granted_to_one_who_is_cancelled_is_passed_on),
    plain_case(resolving),
    plain_case(connecting),
    plain_case(in_the_turn_that_connects),
    plain_case(a_deadline_while_connecting),
    plain_case(sending),
    plain_case(waiting_for_the_headers),
    plain_case(collecting_the_body),
    plain_case(reading_a_stream),
    plain_case(a_cancelled_read_takes_nothing),
    plain_case(between_two_hops),
    plain_case(paused),
    plain_case(before_anything),
    plain_case(in_a_cancelled_scope_nothing_begins),
    plain_case(complete_then_cancelled_is_complete),
    plain_case(a_deadline_around_the_call),
    plain_case(a_storm_of_cancellations),
};

test_suite("http_cancel", cases, .setup = http_case_setup, .teardown = http_case_teardown);
