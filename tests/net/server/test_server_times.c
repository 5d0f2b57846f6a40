/* Clients that are slow, or silent, in virtual time: how long each may be so, and what becomes of
 * it. */
#include "tests/net/server/talk.h"

#include <string.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"

static const struct bight_http_serve_options times = {
    .header_ms = 3000, .idle_ms = 5000, .slack_ms = 2000, .min_rate = 100};

static const struct bight_http_serve_options a_minute = {.handler_ms = 60000};

static char bytes[1000];
static uint64_t begun_ns;

static void begin_with(int (*handler)(struct bight_exchange *exchange, void *arg),
                       const struct bight_http_serve_options *options)
{
    memset(bytes, 'x', sizeof(bytes));
    begun_ns = bight_now_ns();
    talk_begin(handler, options);
}

static void begin(int (*handler)(struct bight_exchange *exchange, void *arg))
{
    begin_with(handler, &times);
}

static int64_t passed_ms(void)
{
    return (int64_t)((bight_now_ns() - begun_ns) / 1000000);
}

/* What the server says or does next of itself, and when. */
static const char *hear_at(int64_t ms)
{
    const void *data;

    ck_assert_int_ge(bight_stream_peek(talk_client, &data, 1), 0);
    ck_assert_int_eq(passed_ms(), ms);
    return talk_hear();
}

/* Say `text` byte by byte, one each `ms`. */
static void say_slowly(const char *text, size_t count, int64_t ms)
{
    for (size_t i = 0; i < count; i++) {
        ck_ok(bight_sleep(ms));
        talk_say_bytes(text + i, 1);
    }
}

/* Headers */

static int silent(void *arg)
{
    (void)arg;
    begin(talk_hello);
    ck_assert_str_eq(hear_at(3000), "<end>");
    return talk_end();
}

static int slow_head(void *arg)
{
    (void)arg;
    begin(talk_hello);
    ck_ok(bight_sleep(2000));
    say_slowly(GET, 6, 500);
    ck_assert_ptr_nonnull(strstr(hear_at(2500 + 3000), "HTTP/1.1 408 Request Timeout\r\n"));
    ck_assert_int_eq(talk_calls, 0);
    ck_assert(talk_is_over());
    return talk_end();
}

static int slow_second_head(void *arg)
{
    (void)arg;
    begin(talk_hello);
    talk_ask(GET, 200);
    ck_ok(bight_sleep(4000));
    talk_say("GET / HTTP/1.1\r\nHost: a\r\n");
    ck_assert_ptr_nonnull(strstr(hear_at(4000 + 3000), "HTTP/1.1 408 "));
    ck_assert_int_eq(talk_calls, 1);
    return talk_end();
}

static int head_in_time(void *arg)
{
    (void)arg;
    begin(talk_hello);
    ck_ok(bight_sleep(2000));
    say_slowly(GET, strlen(GET), 100);
    ck_assert_ptr_nonnull(strstr(talk_hear(), "HTTP/1.1 200 "));
    return talk_end();
}

/* Between requests */

static int idle(void *arg)
{
    (void)arg;
    begin(talk_hello);
    talk_ask(GET, 200);
    ck_ok(bight_sleep(4999));
    talk_ask(GET, 200);
    ck_assert_str_eq(hear_at(4999 + 5000), "<end>");
    return talk_end();
}

static int never_idle(void *arg)
{
    const struct bight_http_serve_options patient = {
        .header_ms = -1, .idle_ms = -1, .slack_ms = -1};

    (void)arg;
    talk_begin(talk_echo, &patient);
    ck_ok(bight_sleep(10000000));
    say_slowly(GET, strlen(GET), 1000000);
    ck_assert_ptr_nonnull(strstr(talk_hear(), "HTTP/1.1 200 "));
    ck_ok(bight_sleep(10000000));
    say_slowly("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 50, 1000000);
    ck_assert_ptr_nonnull(strstr(talk_hear(), "\r\n\r\nabc"));
    return talk_end();
}

/* Shorter than the time after which an idle connection gives its memory back. */
static int hardly_idle(void *arg)
{
    const struct bight_http_serve_options hasty = {.idle_ms = 300};

    (void)arg;
    begin_with(talk_hello, &hasty);
    talk_ask(GET, 200);
    ck_assert_str_eq(hear_at(300), "<end>");
    return talk_end();
}

/* Bodies: 2 s, and 10 ms for each byte. */

static int slow_body(void *arg)
{
    (void)arg;
    begin(talk_echo);
    talk_say(POST);
    say_slowly(bytes, 100, 10);
    ck_assert_str_eq(talk_hear(), "");
    ck_assert_ptr_nonnull(strstr(hear_at(2000 + 100 * 10), "HTTP/1.1 408 "));
    ck_assert_int_eq(talk_failures, 0);
    return talk_end();
}

static int drop_by_drop(void *arg)
{
    (void)arg;
    begin(talk_echo);
    talk_say(POST);
    say_slowly(bytes, 180, 20); /* of which each costs 10 of the 2,000 */
    ck_assert_str_eq(talk_hear(), "");
    ck_ok(bight_sleep(20));
    ck_assert_str_eq(talk_hear(), "");
    ck_ok(bight_sleep(200));
    ck_assert_ptr_nonnull(strstr(talk_hear(), "HTTP/1.1 408 "));
    return talk_end();
}

static int body_at_the_least_rate(void *arg)
{
    (void)arg;
    begin(talk_echo);
    talk_say(POST);
    ck_ok(bight_sleep(1900));
    say_slowly(bytes, 1000, 10);
    ck_assert_ptr_nonnull(strstr(talk_hear(), "HTTP/1.1 200 "));
    ck_assert_int_eq(passed_ms(), 11900);
    return talk_end();
}

static int slow_chunks(void *arg)
{
    (void)arg;
    begin(talk_echo);
    talk_say("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    say_slowly("3\r\nabc\r\n", 8, 10);
    ck_assert_ptr_nonnull(strstr(hear_at(2000 + 8 * 10), "HTTP/1.1 408 "));
    return talk_end();
}

/* The handler's own time is not the client's. */
static int sleeps_and_echoes(struct bight_exchange *exchange, void *arg)
{
    ck_ok(bight_sleep(20000));
    return talk_echo(exchange, arg);
}

static int slow_handler(void *arg)
{
    (void)arg;
    begin(sleeps_and_echoes);
    talk_say(POST);
    ck_ok(bight_sleep(21900));
    talk_say_bytes(bytes, 1000);
    ck_assert_ptr_nonnull(strstr(talk_hear(), "HTTP/1.1 200 "));
    return talk_end();
}

/* What nobody reads has to come in time too. */
static int unread_body(void *arg)
{
    const void *data;

    (void)arg;
    begin(talk_hello);
    talk_ask(POST, 200);
    ck_assert_int_eq(bight_stream_peek(talk_client, &data, 1), 0);
    ck_assert_int_eq(passed_ms(), 2000);
    return talk_end();
}

/* Answers */

static char large[200000];

static int answers_much(struct bight_exchange *exchange, void *arg)
{
    int rc;

    (void)arg;
    memset(large, 'b', sizeof(large));
    rc = bight_exchange_answer(exchange, 200, NULL, large, sizeof(large));
    talk_calls++;
    talk_last_failure = rc;
    return rc;
}

static int reads_nothing(void *arg)
{
    (void)arg;
    begin(answers_much);
    talk_say(GET);
    while (!talk_is_over())
        ck_ok(bight_sleep(10));
    /* 64 KiB went into the pair at once. */
    ck_assert_int_ge(passed_ms(), 2000 + 655360);
    ck_assert_int_le(passed_ms(), 2000 + 655360 + 20);
    ck_code(talk_last_failure, BIGHT_ETIMEDOUT);
    ck_assert_ptr_nonnull(strstr(talk_hear(), "<reset>"));
    ck_code(talk_end(), BIGHT_EBROKEN);
    return 0;
}

static int reads_slowly(void *arg)
{
    const char *rest;
    int64_t count, all = 0;

    (void)arg;
    begin(answers_much);
    talk_say(GET);
    while (all < (int64_t)sizeof(large)) {
        ck_ok(bight_sleep(9000));
        count = bight_stream_read(talk_client, bytes, 1000);
        ck_assert_int_gt(count, 0);
        all += count;
    }
    ck_ok(talk_last_failure);
    rest = talk_hear();
    ck_assert_uint_gt(strlen(rest), 0);
    ck_assert_str_eq(rest + strspn(rest, "b"), "<end>"); /* it was idle meanwhile */
    return talk_end();
}

/* Handlers */

static int sleeps(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    (void)exchange;
    talk_calls++;
    return bight_sleep(-1);
}

static int slow_for_nobody(void *arg)
{
    (void)arg;
    begin_with(sleeps, &a_minute);
    talk_say(GET GET);
    ck_assert_str_eq(hear_at(60000),
                     "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 24\r\nRetry-After: 1\r\n"
                     "Content-Type: text/plain\r\n\r\n503 Service Unavailable\n");
    ck_code(talk_last_failure, BIGHT_ETIMEDOUT);
    ck_assert_int_eq(talk_failures, 1);
    ck_assert_int_eq(talk_calls, 2); /* the connection is kept */
    (void)hear_at(120000);
    return talk_end();
}

static int begins_and_sleeps(struct bight_exchange *exchange, void *arg)
{
    ck_ok(bight_exchange_begin(exchange, 200, -1));
    ck_ok(bight_exchange_write(exchange, "abc", 3));
    return sleeps(exchange, arg);
}

static int slow_in_the_middle(void *arg)
{
    (void)arg;
    begin_with(begins_and_sleeps, &a_minute);
    talk_say(GET);
    ck_assert_ptr_nonnull(strstr(talk_hear(), "3\r\nabc\r\n"));
    ck_ok(bight_sleep(60000));
    ck_assert_str_eq(talk_hear(), "<reset>");
    ck_code(talk_last_failure, BIGHT_ETIMEDOUT);
    ck_code(talk_end(), BIGHT_EBROKEN);
    return 0;
}

static int stops_late(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_code(bight_sleep(-1), BIGHT_ECANCELED);
    return bight_exchange_answer(exchange, 200, NULL, "late", 4);
}

/* It is cancelled, and its answer too: it does not suspend any more. */
static int slow_and_stubborn(void *arg)
{
    (void)arg;
    begin_with(stops_late, &a_minute);
    talk_say(GET);
    ck_assert_ptr_nonnull(strstr(hear_at(60000), "HTTP/1.1 503 "));
    return talk_end();
}

static const struct suite_case cases[] = {
    world_case(a_client_that_says_nothing_is_left, silent),
    world_case(headers_that_come_slowly_are_408, slow_head),
    world_case(those_of_the_second_request_too, slow_second_head),
    world_case(headers_that_come_in_time_are_answered, head_in_time),
    world_case(an_idle_connection_is_closed, idle),
    world_case(there_may_be_no_limits, never_idle),
    world_case(an_idle_time_may_be_short, hardly_idle),
    world_case(a_body_that_stops_is_408, slow_body),
    world_case(so_is_one_that_comes_drop_by_drop, drop_by_drop),
    world_case(a_body_at_the_least_rate_is_taken, body_at_the_least_rate),
    world_case(chunks_that_stop_are_408, slow_chunks),
    world_case(the_time_of_the_handler_is_not_the_clients, slow_handler),
    world_case(a_body_that_nobody_reads_has_to_come_in_time, unread_body),
    world_case(a_client_that_reads_nothing_is_reset, reads_nothing),
    world_case(one_that_reads_at_the_least_rate_gets_all, reads_slowly),
    world_case(a_slow_handler_is_503_and_the_connection_kept, slow_for_nobody),
    world_case(one_that_has_begun_is_reset, slow_in_the_middle),
    world_case(an_answer_that_comes_too_late_is_none, slow_and_stubborn),
};

test_suite("server_times", cases);
