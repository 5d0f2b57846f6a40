/* Requests that are in order, and what handlers may do with them. */
#include "tests/net/server/talk.h"

#include <string.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static int hello(void *arg)
{
    (void)arg;
    talk_begin(talk_hello, NULL);
    ck_assert_str_eq(talk_ask(GET, 200), "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"
                                         "Content-Type: text/plain\r\n\r\nhello\n");
    return talk_end();
}

static int pipelined(void *arg)
{
    const char *answers;

    (void)arg;
    talk_begin(talk_show, NULL);
    answers = talk_ask("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\n"
                       "Content-Length: 4\r\n\r\nbodyGET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
                       200);
    ck_assert_ptr_nonnull(answers = strstr(answers, "GET /1 "));
    ck_assert_ptr_nonnull(answers = strstr(answers, "POST /2 "));
    ck_assert_ptr_nonnull(answers = strstr(answers, "GET /3 "));
    ck_assert_int_eq(talk_calls, 3);
    return talk_end();
}

/* A byte at a time. */
static int split(void *arg)
{
    const struct bight_stream_pair_options slow = {.read_max = 1};
    const char *answer;

    (void)arg;
    talk_begin_over(talk_echo, NULL, &slow);
    talk_say("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
             "3\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nTrailer: dropped\r\n\r\n" GET);
    answer = talk_hear();
    ck_assert_ptr_nonnull(strstr(answer, "Content-Length: 13\r\n\r\nabc0123456789HTTP/1.1 200 "));
    ck_assert_int_eq(talk_calls, 2);
    return talk_end();
}

static int shown(void *arg)
{
    static const char *const rows[][2] = {
        {"GET /a/b?c=d%20&e HTTP/1.1\r\nHost: h:80\r\n\r\n",
         "GET /a/b?c=d%20&e path=/a/b query=c=d%20&e host=h:80 version=11 body=0"},
        {"GET /%41/./b/../c%2fd%25//e/ HTTP/1.1\r\nHost: h\r\n\r\n",
         "GET /%41/./b/../c%2fd%25//e/ path=/A/c%2Fd%25/e/ query=(none) host=h version=11 body=0"},
        {"GET /../../../x/.. HTTP/1.1\r\nHost: h\r\n\r\n",
         "GET /../../../x/.. path=/ query=(none) host=h version=11 body=0"},
        {"GET http://other:81?q HTTP/1.1\r\nHost: h\r\n\r\n",
         "GET http://other:81?q path=/ query=q host=other:81 version=11 body=0"},
        {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
         "OPTIONS * path=* query=(none) host=h version=11 body=0"},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
         "GET / path=/ query=(none) host= version=10 body=0"},
        {"\r\nDELETE /x HTTP/1.1\r\nhOST:h \t\r\n\r\n",
         "DELETE /x path=/x query=(none) host=h version=11 body=0"},
    };

    (void)arg;
    talk_begin(talk_show, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        ck_assert_str_eq(strstr(talk_ask(rows[i][0], 200), "\r\n\r\n") + 4, rows[i][1]);
    return talk_end();
}

/* A path with more segments than there is room for at once. */
static int long_path(void *arg)
{
    char request[3000] = "GET /";
    const char *answer;

    (void)arg;
    for (int i = 0; i < 300; i++)
        strcat(request, "%61/../");
    strcat(request, "end HTTP/1.1\r\nHost: a\r\n\r\n");
    talk_begin(talk_hello, NULL);
    answer = talk_ask(request, 200);
    ck_assert_ptr_nonnull(strstr(answer, "hello"));
    return talk_end();
}

static int kept_or_closed(void *arg)
{
    (void)arg;
    talk_begin(talk_hello, NULL);
    ck_assert_str_eq(talk_ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200),
                     "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 6\r\n"
                     "Content-Type: text/plain\r\n\r\nhello\n");
    ck_assert_str_eq(talk_ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, close\r\n\r\n", 200),
                     "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n"
                     "Content-Type: text/plain\r\n\r\nhello\n<end>");
    ck_ok(talk_end());
    talk_begin(talk_hello, NULL);
    ck_assert_ptr_nonnull(strstr(talk_ask("GET / HTTP/1.0\r\n\r\n", 200), "<end>"));
    return talk_end();
}

static int one_request(void *arg)
{
    const struct bight_http_serve_options two = {.max_requests = 2};

    (void)arg;
    talk_begin(talk_hello, &two);
    ck_assert_ptr_null(strstr(talk_ask(GET, 200), "Connection"));
    ck_assert_ptr_nonnull(strstr(talk_ask(GET, 200), "Connection: close\r\n"));
    ck_assert(talk_is_over());
    return talk_end();
}

static int head_has_no_body(void *arg)
{
    (void)arg;
    talk_begin(talk_hello, NULL);
    ck_assert_str_eq(talk_ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 200),
                     "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nContent-Type: text/plain\r\n\r\n");
    talk_ask(GET, 200);
    return talk_end();
}

/* A body in pieces */

static int pieces(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_ok(bight_exchange_add_header(exchange, "X-Y", "z"));
    ck_ok(bight_exchange_begin(exchange, 201, -1));
    ck_ok(bight_exchange_write(exchange, "", 0));
    ck_ok(bight_exchange_write(exchange, "one", 3));
    ck_ok(bight_exchange_write(exchange, "0123456789abcdef", 16));
    ck_assert_int_eq(bight_exchange_add_header(exchange, "X", "z"), BIGHT_EALREADY);
    ck_assert_int_eq(bight_exchange_answer(exchange, 200, NULL, NULL, 0), BIGHT_EALREADY);
    ck_assert_int_eq(bight_exchange_status(exchange), 201);
    ck_assert_uint_eq(bight_exchange_bytes_sent(exchange), 19);
    return 0;
}

static int in_chunks(void *arg)
{
    (void)arg;
    talk_begin(pieces, NULL);
    ck_assert_str_eq(talk_ask(GET, 201),
                     "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\nX-Y: z\r\n\r\n"
                     "3\r\none\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n");
    ck_assert_str_eq(talk_ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 201),
                     "HTTP/1.1 201 Created\r\nX-Y: z\r\n\r\n");
    ck_assert_str_eq(talk_ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 201),
                     "HTTP/1.1 201 Created\r\nConnection: close\r\nX-Y: z\r\n\r\n"
                     "one0123456789abcdef<end>");
    return talk_end();
}

static int begins_empty(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    return bight_exchange_begin(exchange, 304, -1);
}

static int without_a_body(void *arg)
{
    (void)arg;
    talk_begin(begins_empty, NULL);
    ck_assert_str_eq(talk_ask(GET, 304), "HTTP/1.1 304 Not Modified\r\n\r\n");
    talk_ask(GET, 304);
    return talk_end();
}

static int large(struct bight_exchange *exchange, void *arg)
{
    static char body[100000];

    (void)arg;
    memset(body, 'b', sizeof(body));
    ck_ok(bight_exchange_begin(exchange, 200, 2 * sizeof(body)));
    ck_ok(bight_exchange_write(exchange, body, sizeof(body)));
    return bight_exchange_write(exchange, body, sizeof(body));
}

/* Through a pair that takes less at a time. */
static int of_a_known_length(void *arg)
{
    const char *answer, *body;

    (void)arg;
    talk_begin(large, NULL);
    answer = talk_ask(GET, 200);
    body = strstr(answer, "\r\n\r\n") + 4;
    ck_assert_ptr_nonnull(strstr(answer, "Content-Length: 200000\r\n"));
    ck_assert_uint_eq(strspn(body, "b"), 200000);
    ck_assert_str_eq(body + 200000, "");
    return talk_end();
}

/* 100 Continue */

static int continues(void *arg)
{
    (void)arg;
    talk_begin(talk_echo, NULL);
    ck_assert_str_eq(talk_ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                              "Expect: 100-continue\r\n\r\n",
                              100),
                     "HTTP/1.1 100 Continue\r\n\r\n");
    ck_assert_str_eq(talk_ask("abc", 200), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    /* It has begun already. */
    ck_assert_str_eq(talk_ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                              "Expect: 100-continue\r\n\r\nabc",
                              200),
                     "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    return talk_end();
}

/* A handler that does not want the body does not let it come. */
static int does_not_continue(void *arg)
{
    (void)arg;
    talk_begin(talk_hello, NULL);
    ck_assert_ptr_nonnull(strstr(talk_ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                                          "Expect: 100-continue\r\n\r\n",
                                          200),
                                 "Connection: close\r\n"));
    ck_assert(talk_is_over());
    return talk_end();
}

static int unread_body(void *arg)
{
    (void)arg;
    talk_begin(talk_hello, NULL);
    talk_ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde" GET, 200);
    ck_assert_int_eq(talk_calls, 2);
    ck_assert_ptr_nonnull(
        strstr(talk_ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabcde", 200),
               "Connection: close\r\n"));
    return talk_end();
}

/* Mistakes of handlers */

static int does_nothing_at_all(struct bight_exchange *exchange, void *arg)
{
    (void)exchange;
    (void)arg;
    return 0;
}

static int fails(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_ok(bight_exchange_add_header(exchange, "X-Secret", "not for failures"));
    return BIGHT_EIO;
}

static int fails_before_its_head_is_out(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_ok(bight_exchange_begin(exchange, 200, 100));
    return BIGHT_EIO;
}

static int is_too_long_at_once(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_ok(bight_exchange_begin(exchange, 200, 2));
    ck_assert_int_eq(bight_exchange_write(exchange, "abc", 3), BIGHT_ETOOBIG);
    return 0;
}

static int five_hundred(void *arg)
{
    int (*const handlers[])(struct bight_exchange *, void *) = {
        does_nothing_at_all, fails, fails_before_its_head_is_out, is_too_long_at_once};

    (void)arg;
    for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++) {
        talk_begin(handlers[i], NULL);
        ck_assert_str_eq(talk_ask(GET, 500),
                         "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 26\r\n"
                         "Content-Type: text/plain\r\n\r\n500 Internal Server Error\n");
        talk_ask(GET, 500);
        ck_assert_int_eq(talk_failures, 2);
        ck_ok(talk_end());
    }
    return 0;
}

static int fails_in_the_middle(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_ok(bight_exchange_begin(exchange, 200, -1));
    ck_ok(bight_exchange_write(exchange, "abc", 3));
    return BIGHT_EIO;
}

static int is_too_short(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_ok(bight_exchange_begin(exchange, 200, 4));
    return bight_exchange_write(exchange, "abc", 3);
}

static int is_too_long(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_ok(bight_exchange_begin(exchange, 200, 4));
    ck_ok(bight_exchange_write(exchange, "abc", 3));
    ck_assert_int_eq(bight_exchange_write(exchange, "def", 3), BIGHT_ETOOBIG);
    return bight_exchange_write(exchange, "d", 1);
}

static int no_half_answers(void *arg)
{
    int (*const handlers[])(struct bight_exchange *, void *) = {fails_in_the_middle, is_too_short,
                                                                is_too_long};

    (void)arg;
    for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++) {
        talk_begin(handlers[i], NULL);
        talk_say(GET);
        ck_assert_ptr_nonnull(strstr(talk_hear(), "<reset>"));
        ck_assert_int_eq(talk_end(), BIGHT_EBROKEN);
        ck_assert_int_eq(talk_failures, 1);
    }
    return 0;
}

static int refuses_bad_headers(struct bight_exchange *exchange, void *arg)
{
    static const char *const rows[][2] = {
        {"A b", "x"},        {"", "x"},
        {"X", "a\r\nb"},     {"X", "a\nb"},
        {"X:", "y"},         {"Content-Length", "5"},
        {"connection", "x"}, {"Transfer-Encoding", "chunked"},
    };

    (void)arg;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        ck_assert_int_eq(bight_exchange_add_header(exchange, rows[i][0], rows[i][1]), BIGHT_EINVAL);
    ck_assert_int_eq(bight_exchange_begin(exchange, 199, 0), BIGHT_EINVAL);
    ck_assert_int_eq(bight_exchange_begin(exchange, 1000, 0), BIGHT_EINVAL);
    ck_assert_int_eq(bight_exchange_begin(exchange, 204, 1), BIGHT_EINVAL);
    ck_assert_int_eq(bight_exchange_write(exchange, "x", 1), BIGHT_EINVAL);
    ck_assert_int_eq(bight_exchange_flush(exchange), BIGHT_EINVAL);
    return bight_exchange_answer_status(exchange, 404);
}

static int bad_headers(void *arg)
{
    (void)arg;
    talk_begin(refuses_bad_headers, NULL);
    ck_assert_str_eq(talk_ask(GET, 404), "HTTP/1.1 404 Not Found\r\nContent-Length: 14\r\n"
                                         "Content-Type: text/plain\r\n\r\n404 Not Found\n");
    return talk_end();
}

static int adds_many(struct bight_exchange *exchange, void *arg)
{
    int rc = 0, count = 0;

    (void)arg;
    while (rc == 0 && count++ < 10000)
        rc = bight_exchange_add_header(exchange, "X-Many", "0123456789012345678901234567890123");
    ck_assert_int_eq(rc, BIGHT_ETOOBIG);
    return bight_exchange_answer(exchange, 200, NULL, "x", 1);
}

static int many_headers(void *arg)
{
    const char *answer;

    (void)arg;
    talk_begin(adds_many, NULL);
    answer = talk_ask(GET, 200);
    ck_assert_uint_gt(strlen(answer), 60000);
    ck_assert_str_eq(answer + strlen(answer) - 5, "\r\n\r\nx");
    return talk_end();
}

static const struct suite_case cases[] = {
    world_case(a_request_is_answered, hello),
    world_case(requests_in_a_row_are_answered_in_order, pipelined),
    world_case(a_request_may_come_byte_by_byte, split),
    world_case(a_handler_sees_the_parts_of_a_request, shown),
    world_case(a_path_may_be_long, long_path),
    world_case(a_connection_is_kept_unless_one_side_says_so, kept_or_closed),
    world_case(the_last_request_of_a_connection_is_told_so, one_request),
    world_case(the_answer_to_head_has_no_body, head_has_no_body),
    world_case(a_body_of_unknown_length_goes_in_chunks, in_chunks),
    world_case(some_answers_have_no_body, without_a_body),
    world_case(a_body_of_a_known_length_goes_in_pieces, of_a_known_length),
    world_case(a_client_that_asks_is_told_to_go_on, continues),
    world_case(a_body_that_nobody_wants_is_not_asked_for, does_not_continue),
    world_case(a_short_body_that_nobody_reads_is_passed_over, unread_body),
    world_case(a_failed_handler_is_a_500, five_hundred),
    world_case(half_an_answer_is_cut_off_by_a_reset, no_half_answers),
    world_case(a_header_that_cannot_be_sent_is_refused, bad_headers),
    world_case(an_answer_may_have_many_headers, many_headers),
};

test_suite("server", cases);
