/* The client for tests of handlers. */
#include <bight/server_testing.h>

#include "tests/net/server/talk.h"

#include <string.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static struct bight_server_answer *answer;

static int answers_late(struct bight_exchange *exchange, void *arg)
{
    int rc = bight_sleep(5000);

    ck_assert_str_eq(arg, "arg");
    if (rc == 0)
        rc = bight_exchange_add_header(exchange, "X-Y", "z");
    return rc ? rc : bight_exchange_answer(exchange, 201, "text/plain", "late", 4);
}

static int an_answer(void *arg)
{
    size_t bytes;

    (void)arg;
    ck_ok(bight_server_ask(&answer, answers_late, "arg", NULL, GET));
    ck_assert_int_eq(bight_server_answer_status(answer), 201);
    ck_assert_str_eq(bight_server_answer_header(answer, "x-y"), "z");
    ck_assert_str_eq(bight_server_answer_header(answer, "Content-Length"), "4");
    ck_assert_ptr_null(bight_server_answer_header(answer, "X"));
    ck_assert_str_eq(bight_server_answer_body(answer, &bytes), "late");
    ck_assert_uint_eq(bytes, 4);
    bight_server_answer_free(answer);
    return 0;
}

static int in_pieces(struct bight_exchange *exchange, void *arg)
{
    char piece[300];
    int rc = bight_exchange_begin(exchange, 200, -1);

    (void)arg;
    memset(piece, 'p', sizeof(piece));
    for (int i = 0; i < 100 && rc == 0; i++)
        rc = bight_exchange_write(exchange, piece, sizeof(piece));
    return rc;
}

static int bodies(void *arg)
{
    static const char zero[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na\0b";
    size_t bytes;

    (void)arg;
    ck_ok(bight_server_ask(&answer, in_pieces, NULL, NULL, GET));
    ck_assert_uint_eq(strspn(bight_server_answer_body(answer, &bytes), "p"), 30000);
    ck_assert_uint_eq(bytes, 30000);
    bight_server_answer_free(answer);
    ck_ok(bight_server_ask(&answer, in_pieces, NULL, NULL, "GET / HTTP/1.0\r\n\r\n"));
    ck_assert_uint_eq(strlen(bight_server_answer_body(answer, NULL)), 30000);
    bight_server_answer_free(answer);
    ck_ok(bight_server_ask(&answer, talk_hello, NULL, NULL, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"));
    ck_assert_str_eq(bight_server_answer_body(answer, &bytes), "");
    ck_assert_str_eq(bight_server_answer_header(answer, "content-length"), "6");
    bight_server_answer_free(answer);
    ck_ok(bight_server_ask_bytes(&answer, talk_echo, NULL, NULL, zero, sizeof(zero) - 1));
    ck_assert(memcmp(bight_server_answer_body(answer, &bytes), "a\0b", 4) == 0);
    ck_assert_uint_eq(bytes, 3);
    bight_server_answer_free(answer);
    return 0;
}

/* Of several the last: also behind a 100. */
static int several(void *arg)
{
    (void)arg;
    ck_ok(bight_server_ask(&answer, talk_show, NULL, NULL,
                           "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"));
    ck_assert_ptr_nonnull(strstr(bight_server_answer_body(answer, NULL), "path=/2"));
    bight_server_answer_free(answer);
    ck_ok(bight_server_ask(&answer, talk_hello, NULL, NULL, "nonsense\r\n\r\n"));
    ck_assert_int_eq(bight_server_answer_status(answer), 400);
    bight_server_answer_free(answer);
    return 0;
}

static int breaks(struct bight_exchange *exchange, void *arg)
{
    const struct bight_http_serve_options *quiet = arg;

    (void)quiet;
    ck_ok(bight_exchange_begin(exchange, 200, 10));
    ck_ok(bight_exchange_write(exchange, "half", 4));
    return BIGHT_EIO;
}

static void say_nothing(void *arg, const struct bight_exchange *exchange, int code)
{
    (void)arg;
    (void)exchange;
    (void)code;
}

static int no_answer(void *arg)
{
    static const struct bight_http_serve_options quiet = {.on_failure = say_nothing};
    struct bight_scope scope;
    int rc;

    (void)arg;
    ck_assert_int_eq(bight_server_ask(&answer, breaks, NULL, &quiet, GET), BIGHT_ECONNRESET);
    ck_assert_int_eq(bight_server_ask(&answer, talk_hello, NULL, &quiet, ""), BIGHT_EOF);
    ck_assert_int_eq(bight_server_ask(&answer, talk_hello, NULL, &quiet, "GET / HT"), BIGHT_EOF);
    ck_ok(bight_scope_begin(&scope, 1000, 0));
    rc = bight_server_ask(&answer, answers_late, "arg", &quiet, GET);
    ck_assert_int_eq(bight_scope_end(&scope, rc), BIGHT_ETIMEDOUT);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(a_handler_is_asked_in_virtual_time, an_answer),
    world_case(a_body_is_what_the_handler_wrote, bodies),
    world_case(of_several_answers_the_last_one_counts, several),
    world_case(an_answer_that_is_not_whole_is_none, no_answer),
};

test_suite("server_asked", cases);
