/* Handlers that wait for their client: to read and to write, until it goes on, until they are
 * cancelled or out of time, and one task beside another, which is refused. */
#include "tests/net/server/talk.h"

#include <string.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n"
#define POST_CHUNKS "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#define POST_WAITING                                                                               \
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n"
/* More than a pair holds. */
#define MUCH_BYTES 200000

static char much[MUCH_BYTES];

/* What the handler's task is doing there, with the answer or the body. */
static int (*second)(struct bight_exchange *exchange);
static int second_result;
static struct bight_exchange *shared;

static int run_second(void *arg)
{
    (void)arg;
    second_result = second(shared);
    return 0;
}

/* Read with a time limit. */
static int64_t read_in(struct bight_exchange *exchange, int64_t timeout_ms, char *buffer,
                       size_t bytes)
{
    struct bight_scope scope;
    int64_t count;
    int rc;

    ck_ok(bight_scope_begin(&scope, timeout_ms, 0));
    count = bight_exchange_read(exchange, buffer, bytes);
    rc = bight_scope_end(&scope, count < 0 ? (int)count : 0);
    return rc ? rc : count;
}

/* It looks for more every millisecond, and loses nothing by that. */
static int reads_impatiently(struct bight_exchange *exchange, void *arg)
{
    char body[10];
    size_t bytes = 0;
    int64_t count;

    (void)arg;
    while ((count = read_in(exchange, 1, body + bytes, sizeof(body) - bytes)) != 0) {
        talk_calls += count == BIGHT_ETIMEDOUT;
        ck_assert(count > 0 || count == BIGHT_ETIMEDOUT);
        bytes += count > 0 ? (size_t)count : 0;
    }
    return bight_exchange_answer(exchange, 200, NULL, body, bytes);
}

static void say_slowly(const char *text)
{
    for (; *text; text++) {
        talk_say_bytes(text, 1);
        ck_ok(bight_sleep(5));
    }
}

static int cancelled_read(void *arg)
{
    static const char *const requests[] = {POST "abcdef", POST_CHUNKS
                                           "3\r\nabc\r\n3;x=y\r\ndef\r\n0\r\nA: b\r\n\r\n"};

    (void)arg;
    for (size_t i = 0; i < 2; i++) {
        talk_begin(reads_impatiently, NULL);
        say_slowly(requests[i]);
        ck_assert_str_eq(strstr(talk_hear(), "\r\n\r\n"), "\r\n\r\nabcdef");
        ck_assert_int_ge(talk_calls, 5);
        ck_ok(talk_end());
    }
    return 0;
}

/* A second reader */

static int reads_too(struct bight_exchange *exchange)
{
    char byte;

    return (int)bight_exchange_read(exchange, &byte, 1);
}

static int reads_all_too(struct bight_exchange *exchange)
{
    const char *body;

    return bight_exchange_read_all(exchange, &body, NULL);
}

static int reads_beside(struct bight_exchange *exchange, void *arg)
{
    struct bight_task *task;
    const char *body;
    size_t bytes;
    int rc;

    (void)arg;
    shared = exchange;
    ck_ok(bight_spawn(&task, run_second, NULL));
    rc = bight_exchange_read_all(exchange, &body, &bytes);
    ck_ok(bight_join(task, NULL));
    return rc ? rc : bight_exchange_answer(exchange, 200, NULL, body, bytes);
}

static int second_reader(void *arg)
{
    static int (*const seconds[])(struct bight_exchange *) = {reads_too, reads_all_too};

    (void)arg;
    for (size_t i = 0; i < 2; i++) {
        second = seconds[i];
        talk_begin(reads_beside, NULL);
        talk_say(POST "abc");
        world_settle();
        talk_say("def");
        ck_assert_str_eq(strstr(talk_hear(), "\r\n\r\n"), "\r\n\r\nabcdef");
        ck_code(second_result, BIGHT_EBUSY);
        ck_ok(talk_end());
    }
    return 0;
}

/* A second writer */

static int writes_too(struct bight_exchange *exchange)
{
    return bight_exchange_write(exchange, "x", 1);
}

static int flushes_too(struct bight_exchange *exchange)
{
    return bight_exchange_flush(exchange);
}

static int answers_too(struct bight_exchange *exchange)
{
    return bight_exchange_answer(exchange, 200, NULL, "x", 1);
}

static int sends_too(struct bight_exchange *exchange)
{
    return bight_exchange_send_file(exchange, 0, 0, 1);
}

static int writes_beside(struct bight_exchange *exchange, void *arg)
{
    struct bight_task *task;
    int rc = bight_exchange_begin(exchange, 200, -1);

    (void)arg;
    shared = exchange;
    ck_ok(bight_spawn(&task, run_second, NULL));
    if (rc == 0)
        rc = bight_exchange_write(exchange, much, sizeof(much));
    ck_ok(bight_join(task, NULL));
    return rc;
}

/* Whatever the second task tries, the first one's answer is whole. */
static int second_writer(void *arg)
{
    static int (*const seconds[])(struct bight_exchange *) = {writes_too, flushes_too, answers_too,
                                                              sends_too};

    (void)arg;
    memset(much, 'm', sizeof(much));
    for (size_t i = 0; i < sizeof(seconds) / sizeof(*seconds); i++) {
        const char *answer;

        second = seconds[i];
        second_result = 1;
        talk_begin(writes_beside, NULL);
        answer = talk_ask(GET, 200);
        ck_code(second_result, BIGHT_EBUSY);
        answer = strstr(answer, "\r\n30d40\r\n");
        ck_assert_ptr_nonnull(answer);
        ck_assert_mem_eq(answer + 9, much, sizeof(much));
        ck_assert_str_eq(answer + 9 + sizeof(much), "\r\n0\r\n\r\n");
        ck_ok(talk_end());
    }
    return 0;
}

/* Both at once */

static int answers_meanwhile(struct bight_exchange *exchange)
{
    int rc = bight_exchange_begin(exchange, 200, sizeof(much));

    return rc ? rc : bight_exchange_write(exchange, much, sizeof(much));
}

static int reads_while_it_answers(struct bight_exchange *exchange, void *arg)
{
    struct bight_task *task;
    char body[10];
    int64_t count = 1;

    (void)arg;
    shared = exchange;
    ck_ok(bight_spawn(&task, run_second, NULL));
    ck_ok(bight_yield());
    ck_ok(bight_yield());
    while (count > 0)
        count = bight_exchange_read(exchange, body, sizeof(body));
    ck_ok(bight_join(task, NULL));
    return (int)count;
}

/* One task reads and another one writes; no "100 Continue" gets into the answer of a client that
 * takes its time. */
static int both_ways(void *arg)
{
    static const char *const requests[] = {POST, POST_WAITING};

    (void)arg;
    second = answers_meanwhile;
    memset(much, 'm', sizeof(much));
    for (size_t i = 0; i < 2; i++) {
        const char *answer;

        talk_begin(reads_while_it_answers, NULL);
        talk_say(requests[i]);
        world_settle();
        talk_say("abcdef");
        answer = talk_hear();
        ck_assert(strncmp(answer, "HTTP/1.1 200 OK\r\n", 17) == 0);
        ck_assert_ptr_null(strstr(answer, "100 Continue"));
        answer = strstr(answer, "\r\n\r\n") + 4;
        ck_assert_mem_eq(answer, much, sizeof(much));
        /* Whether the second client sends its body nobody could tell when the answer began. */
        ck_assert_str_eq(answer + sizeof(much), i ? "<end>" : "");
        ck_ok(second_result);
        ck_ok(talk_end());
    }
    return 0;
}

/* Writes with a time limit */

static int gives_up(struct bight_exchange *exchange, void *arg)
{
    struct bight_scope scope;
    int rc;

    (void)arg;
    ck_ok(bight_exchange_begin(exchange, 200, -1));
    ck_ok(bight_scope_begin(&scope, 10, 0));
    rc = bight_exchange_write(exchange, much, sizeof(much));
    ck_code(bight_scope_end(&scope, rc), BIGHT_ETIMEDOUT);
    talk_calls++;
    ck_code(bight_exchange_write(exchange, "x", 1), BIGHT_EBROKEN);
    ck_code(bight_exchange_flush(exchange), BIGHT_EBROKEN);
    return 0;
}

/* What was cut off in the middle does not look whole. */
static int cancelled_write(void *arg)
{
    const char *heard;

    (void)arg;
    talk_begin(gives_up, NULL);
    talk_say(GET);
    ck_ok(bight_sleep(20));
    heard = talk_hear();
    ck_assert_str_eq(heard + strlen(heard) - 7, "<reset>");
    ck_assert_int_eq(talk_calls, 1);
    ck_code(talk_end(), BIGHT_EBROKEN);
    return 0;
}

static int cancelled_before(struct bight_exchange *exchange, void *arg)
{
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_exchange_begin(exchange, 200, 5));
    ck_ok(bight_scope_begin(&scope, -1, 0));
    bight_scope_cancel(&scope);
    ck_code(bight_exchange_write(exchange, "hello", 5), BIGHT_ECANCELED);
    ck_code(bight_exchange_flush(exchange), BIGHT_ECANCELED);
    ck_code(bight_exchange_send_file(exchange, 0, 0, 5), BIGHT_ECANCELED);
    ck_ok(bight_scope_end(&scope, BIGHT_ECANCELED));
    return bight_exchange_write(exchange, "hello", 5);
}

/* Nothing had gone out, and so it may go out afterwards. */
static int cancelled_before_anything(void *arg)
{
    (void)arg;
    talk_begin(cancelled_before, NULL);
    ck_assert_str_eq(talk_ask(GET, 200), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    return talk_end();
}

static const struct suite_case cases[] = {
    world_case(a_read_that_was_cancelled_is_made_again, cancelled_read),
    world_case(a_second_reader_is_refused, second_reader),
    world_case(a_second_writer_is_refused, second_writer),
    world_case(one_task_may_read_while_another_writes, both_ways),
    world_case(a_write_that_was_cancelled_in_the_middle_breaks, cancelled_write),
    world_case(a_write_that_was_cancelled_before_does_not, cancelled_before_anything),
};

test_suite("server_waits", cases);
