/* Clients that go before their answer has come, and handlers that send files: over a pair in
 * memory. */
#include "tests/net/server/talk.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"

/* What the handler's last call returned. */
static int last;

static int sleeps(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    (void)exchange;
    talk_calls++;
    last = bight_sleep(10000);
    return last ? last : bight_exchange_answer(exchange, 200, NULL, "slept", 5);
}

static void begin(int (*handler)(struct bight_exchange *exchange, void *arg),
                  const struct bight_http_serve_options *options)
{
    last = 1;
    talk_begin(handler, options);
}

/* The handler was cancelled at once, nobody was told of a failure, and the call says why. */
static int gone_while(int (*handler)(struct bight_exchange *exchange, void *arg), const char *said)
{
    uint64_t begun_ns = bight_now_ns();

    begin(handler, NULL);
    talk_say(said);
    world_settle();
    ck_assert_int_eq(last, 1);
    bight_stream_abort(talk_client);
    talk_client = NULL;
    ck_assert(talk_is_over());
    ck_assert_int_eq((int64_t)(bight_now_ns() - begun_ns), 0);
    ck_assert_int_lt(last, 0);
    ck_assert_int_eq(talk_failures, 0);
    ck_code(talk_end(), BIGHT_ECONNRESET);
    return 0;
}

static int reset_while_it_sleeps(void *arg)
{
    (void)arg;
    gone_while(sleeps, GET);
    ck_code(last, BIGHT_ECANCELED);
    return 0;
}

static int reads(struct bight_exchange *exchange, void *arg)
{
    const char *body;

    (void)arg;
    last = bight_exchange_read_all(exchange, &body, NULL);
    return last;
}

static int reset_while_it_reads(void *arg)
{
    (void)arg;
    return gone_while(reads, POST "ab");
}

static int writes_much(struct bight_exchange *exchange, void *arg)
{
    static char much[200000];

    (void)arg;
    last = bight_exchange_answer(exchange, 200, NULL, much, sizeof(much));
    return last;
}

static int reset_while_it_writes(void *arg)
{
    (void)arg;
    return gone_while(writes_much, GET);
}

/* While it sleeps with the beginning of the next request behind its own. */
static int reset_with_more_to_read(void *arg)
{
    (void)arg;
    return gone_while(sleeps, GET GET);
}

static int reset_between(void *arg)
{
    (void)arg;
    begin(talk_hello, NULL);
    talk_ask(GET, 200);
    bight_stream_abort(talk_client);
    talk_client = NULL;
    ck_assert(talk_is_over());
    ck_code(talk_end(), BIGHT_ECONNRESET);
    return 0;
}

/* Half a request and the end: nobody waits for an answer that cannot be. */
static int half_a_request(void *arg)
{
    static const char *const halves[] = {"", "G", "GET / HTTP/1.1\r\nHost: a\r\n",
                                         "GET / HTTP/1.1\r\nHost: a\r\n\r"};

    (void)arg;
    for (size_t i = 0; i < sizeof(halves) / sizeof(*halves); i++) {
        begin(talk_hello, NULL);
        talk_say(halves[i]);
        ck_ok(bight_stream_shutdown(talk_client));
        ck_assert_str_eq(talk_hear(), "<end>");
        ck_assert_int_eq(talk_calls, 0);
        ck_ok(talk_end());
    }
    return 0;
}

/* With half a body the client is told that this was none. */
static int half_a_body(void *arg)
{
    static const char some_of_it[] = POST "ab";
    static const char *const halves[] = {
        POST, some_of_it, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"};

    (void)arg;
    for (size_t i = 0; i < sizeof(halves) / sizeof(*halves); i++) {
        begin(reads, NULL);
        talk_say(halves[i]);
        ck_ok(bight_stream_shutdown(talk_client));
        ck_assert_ptr_nonnull(strstr(talk_hear(), "HTTP/1.1 400 "));
        ck_code(last, BIGHT_EPROTOCOL);
        ck_assert_int_eq(talk_failures, 0);
        ck_ok(talk_end());
    }
    return 0;
}

static int half_closed(void *arg)
{
    (void)arg;
    begin(sleeps, NULL);
    talk_say(GET GET);
    ck_ok(bight_stream_shutdown(talk_client));
    ck_assert_str_eq(talk_hear(), "");
    ck_ok(bight_sleep(10000));
    ck_assert_ptr_nonnull(strstr(talk_hear(), "\r\n\r\nslept"));
    ck_ok(bight_sleep(10000));
    ck_assert_ptr_nonnull(strstr(talk_hear(), "\r\n\r\nslept<end>"));
    ck_assert_int_eq(talk_calls, 2);
    return talk_end();
}

static int half_closed_is_closed(void *arg)
{
    const struct bight_http_serve_options options = {.cancel_on_end = true};

    (void)arg;
    begin(sleeps, &options);
    talk_say(GET);
    ck_ok(bight_stream_shutdown(talk_client));
    ck_assert(talk_is_over());
    ck_code(last, BIGHT_ECANCELED);
    ck_assert_int_eq(talk_failures, 0);
    ck_code(talk_end(), BIGHT_ECONNRESET);
    return 0;
}

/* The handler decides, before the client has ended its half or afterwards. */

static int wants_to_know(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_ok(bight_exchange_cancel_on_end(exchange, true));
    return sleeps(exchange, arg);
}

static int wants_to_know_late(struct bight_exchange *exchange, void *arg)
{
    ck_ok(bight_sleep(10));
    ck_assert(!bight_cancelled());
    return wants_to_know(exchange, arg);
}

static int does_not_want_to_know(struct bight_exchange *exchange, void *arg)
{
    ck_ok(bight_exchange_cancel_on_end(exchange, false));
    return sleeps(exchange, arg);
}

static int half_closed_for_a_handler(void *arg)
{
    const struct bight_http_serve_options options = {.cancel_on_end = true};
    int (*const handlers[])(struct bight_exchange *, void *) = {wants_to_know, wants_to_know_late};

    (void)arg;
    for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++) {
        begin(handlers[i], NULL);
        talk_say(GET);
        world_settle();
        ck_ok(bight_stream_shutdown(talk_client));
        ck_ok(bight_sleep(11));
        ck_assert(talk_is_over());
        ck_code(last, BIGHT_ECANCELED);
        ck_code(talk_end(), BIGHT_ECONNRESET);
    }
    begin(does_not_want_to_know, &options);
    talk_say(GET);
    world_settle();
    ck_ok(bight_stream_shutdown(talk_client));
    ck_ok(bight_sleep(10000));
    ck_assert_ptr_nonnull(strstr(talk_hear(), "slept<end>"));
    return talk_end();
}

/* What a client says behind the request that it calls its last is not read. */
static int behind_the_last(void *arg)
{
    static const char *const lasts[] = {
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" GET, "GET / HTTP/1.0\r\n\r\n" GET,
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        "Content-Length: 3\r\n\r\nabc" GET};

    (void)arg;
    for (size_t i = 0; i < sizeof(lasts) / sizeof(*lasts); i++) {
        begin(talk_hello, NULL);
        ck_assert_ptr_nonnull(strstr(talk_ask(lasts[i], 200), "hello\n<end>"));
        ck_assert_int_eq(talk_calls, 1);
        ck_ok(talk_end());
    }
    return 0;
}

/* Files */

static int file;
static int64_t from, most, of_bytes; /* `of_bytes` -2: begun by the call itself */

static int sends(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    if (of_bytes != -2)
        ck_ok(bight_exchange_begin(exchange, 200, of_bytes));
    last = bight_exchange_send_file(exchange, file, from, most);
    return last;
}

static const char *ask_file(const char *method, int64_t offset, int64_t bytes, int64_t of)
{
    char request[100];

    from = offset;
    most = bytes;
    of_bytes = of;
    snprintf(request, sizeof(request), "%s / HTTP/1.%d\r\nHost: a\r\n\r\n", method, of != -3);
    if (of == -3)
        of_bytes = -1;
    talk_say(request);
    return talk_hear();
}

static void begin_file(const char *text)
{
    file = memfd_create("file", MFD_CLOEXEC);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    begin(sends, NULL);
}

static int files(void *arg)
{
    (void)arg;
    begin_file("0123456789");
    ck_assert_str_eq(ask_file("GET", 2, 5, -2),
                     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n23456");
    ck_assert_str_eq(ask_file("GET", 0, 10, 10),
                     "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789");
    ck_assert_str_eq(ask_file("GET", 0, 10, -1),
                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n"
                     "0\r\n\r\n");
    ck_assert_str_eq(ask_file("GET", 10, 0, -2), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    ck_assert_str_eq(ask_file("GET", 10, 0, -1),
                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    ck_assert_str_eq(ask_file("HEAD", 2, 5, -2), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    ck_assert_str_eq(ask_file("GET", -1, 5, -2) + 9,
                     "500 Internal Server Error\r\n"
                     "Content-Length: 26\r\nContent-Type: text/plain\r\n\r\n"
                     "500 Internal Server Error\n");
    ck_assert_str_eq(ask_file("GET", 0, 10, -3),
                     "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n0123456789<end>");
    close(file);
    return talk_end();
}

/* Nothing that looks whole. */
static int short_files(void *arg)
{
    static const int64_t of[] = {-2, 20, -1, -3};

    (void)arg;
    for (size_t i = 0; i < sizeof(of) / sizeof(*of); i++) {
        const char *answer;

        begin_file("0123456789");
        answer = ask_file("GET", 5, 20, of[i]);
        ck_assert_str_eq(answer + strlen(answer) - 7, "<reset>");
        ck_assert_ptr_null(strstr(answer, "0\r\n\r\n"));
        ck_code(last, BIGHT_EOF);
        ck_assert_int_eq(talk_failures, 1);
        ck_code(talk_end(), BIGHT_EBROKEN);
        close(file);
    }
    return 0;
}

static int too_long_a_file(void *arg)
{
    (void)arg;
    begin_file("0123456789");
    ck_assert_ptr_nonnull(strstr(ask_file("GET", 0, 10, 5), "HTTP/1.1 500 "));
    ck_code(last, BIGHT_ETOOBIG);
    close(file);
    return talk_end();
}

/* Larger than what the pair takes at once, and than any buffer. */
static int large_file(void *arg)
{
    static char text[250001];
    const char *answer;

    (void)arg;
    memset(text, 'c', sizeof(text) - 1);
    begin_file(text);
    answer = ask_file("GET", 0, 250000, -2);
    ck_assert_uint_eq(strspn(strstr(answer, "\r\n\r\n") + 4, "c"), 250000);
    close(file);
    return talk_end();
}

/* Flush */

static int flushes(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_ok(bight_exchange_begin(exchange, 200, 3));
    ck_ok(bight_sleep(10));
    ck_ok(bight_exchange_flush(exchange));
    ck_ok(bight_exchange_flush(exchange));
    ck_ok(bight_sleep(10));
    return bight_exchange_write(exchange, "abc", 3);
}

static int flush(void *arg)
{
    (void)arg;
    begin(flushes, NULL);
    talk_say(GET);
    ck_ok(bight_sleep(5));
    ck_assert_str_eq(talk_hear(), "");
    ck_ok(bight_sleep(10));
    ck_assert_str_eq(talk_hear(), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
    ck_ok(bight_sleep(10));
    ck_assert_str_eq(talk_hear(), "abc");
    return talk_end();
}

static const struct suite_case cases[] = {
    world_case(a_reset_cancels_a_handler_that_sleeps, reset_while_it_sleeps),
    world_case(one_that_reads, reset_while_it_reads),
    world_case(one_that_writes, reset_while_it_writes),
    world_case(one_behind_which_a_request_waits, reset_with_more_to_read),
    world_case(a_reset_between_requests_ends_the_connection, reset_between),
    world_case(half_a_request_is_none, half_a_request),
    world_case(half_a_body_is_refused, half_a_body),
    world_case(a_client_that_has_ended_its_half_gets_its_answers, half_closed),
    world_case(unless_the_server_does_not_want_to, half_closed_is_closed),
    world_case(or_the_handler_does_not, half_closed_for_a_handler),
    world_case(nothing_is_read_behind_the_last_request, behind_the_last),
    world_case(a_file_goes_out_in_every_form, files),
    world_case(a_file_that_is_too_short_is_a_reset, short_files),
    world_case(one_that_is_too_long_is_a_500, too_long_a_file),
    world_case(a_file_may_be_large, large_file),
    world_case(a_head_goes_out_when_it_is_flushed, flush),
};

test_suite("server_gone", cases);
