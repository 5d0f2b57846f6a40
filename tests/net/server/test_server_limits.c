/* Requests that are larger than they may be: what just fits is answered and one byte more is not,
 * whether it comes at once or byte by byte. */
#include "tests/net/server/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

static const struct bight_stream_pair_options *const ways[] = {
    NULL, &(const struct bight_stream_pair_options){.read_max = 1}};

/* The status of what `request` is answered with; a refusal closes the connection. */
static void ask_alone(int (*handler)(struct bight_exchange *exchange, void *arg),
                      const struct bight_http_serve_options *options, const char *request,
                      int status)
{
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        const char *answer;
        const void *data;
        char line[32];

        snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
        talk_begin_over(handler, options, ways[i]);
        talk_say(request);
        ck_assert_int_gt(bight_stream_peek(talk_client, &data, 1), 0);
        answer = talk_hear();
        if (strncmp(answer, line, strlen(line)) != 0)
            ck_abort_msg("%d expected for %.80s..., and this came: %s", status, request, answer);
        ck_assert_int_eq(strstr(answer, "<end>") != NULL, status != 200);
        ck_assert_int_eq(strstr(answer, "\r\nConnection: close\r\n") != NULL, status != 200);
        ck_assert_int_eq(talk_failures, 0);
        ck_ok(talk_end());
    }
}

static int request_line(void *arg)
{
    const struct bight_http_serve_options options = {.max_line_bytes = 20};

    (void)arg;
    ask_alone(talk_hello, &options, "GET /345678 HTTP/1.1\r\nHost: a\r\n\r\n", 200);
    ask_alone(talk_hello, &options, "GET /3456789 HTTP/1.1\r\nHost: a\r\n\r\n", 414);
    ask_alone(talk_hello, &options, "\r\nGET /345678 HTTP/1.1\r\nHost: a\r\n\r\n", 200);
    /* It has not even ended. */
    ask_alone(talk_hello, &options, "GET /3456789012345678", 414);
    ask_alone(talk_hello, &options, "GET /34567890123456789012345678901234567890", 414);
    return 0;
}

static int default_request_line(void *arg)
{
    char request[(8 << 10) + 100] = "GET /";
    size_t bytes = (8 << 10) - strlen("GET / HTTP/1.1");

    (void)arg;
    memset(request + 5, 'a', bytes);
    strcpy(request + 5 + bytes, " HTTP/1.1\r\nHost: a\r\n\r\n");
    ask_alone(talk_hello, NULL, request, 200);
    strcpy(request + 5 + bytes, "a HTTP/1.1\r\nHost: a\r\n\r\n");
    ask_alone(talk_hello, NULL, request, 414);
    return 0;
}

static int head_bytes(void *arg)
{
    const struct bight_http_serve_options options = {.max_head_bytes = 40};

    (void)arg;
    ask_alone(talk_hello, &options, "GET / HTTP/1.1\r\nHost: a\r\nA: 23456789\r\n\r\n", 200);
    ask_alone(talk_hello, &options, "GET / HTTP/1.1\r\nHost: a\r\nA: 234567890\r\n\r\n", 431);
    ask_alone(talk_hello, &options, "GET / HTTP/1.1\r\nHost: a\r\nA: 2345678901234567", 431);
    ask_alone(talk_hello, &options, "GET /2345678901234567890123456789 HTTP/1.1\r\nHost: a\r\n\r\n",
              431);
    return 0;
}

static int default_head_bytes(void *arg)
{
    char request[(32 << 10) + 100] = "GET / HTTP/1.1\r\nHost: a\r\nA: ";
    size_t bytes = (32 << 10) - strlen(request) - 4;
    char *end = request + strlen(request) + bytes;

    (void)arg;
    memset(request + strlen(request), 'a', bytes);
    strcpy(end, "\r\n\r\n");
    ask_alone(talk_hello, NULL, request, 200);
    strcpy(end, "a\r\n\r\n");
    ask_alone(talk_hello, NULL, request, 431);
    return 0;
}

/* `request` with `count` fields more, and an end. */
static const char *with_fields(const char *request, size_t count)
{
    static char text[4096];
    size_t at = (size_t)snprintf(text, sizeof(text), "%s", request);

    for (size_t i = 0; i < count; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "A: %zu\r\n", i);
    snprintf(text + at, sizeof(text) - at, "\r\n");
    return text;
}

static int head_count(void *arg)
{
    const struct bight_http_serve_options options = {.max_headers = 3};
    const char *line = "GET / HTTP/1.1\r\nHost: a\r\n";

    (void)arg;
    ask_alone(talk_hello, &options, with_fields(line, 2), 200);
    ask_alone(talk_hello, &options, with_fields(line, 3), 431);
    ask_alone(talk_hello, NULL, with_fields(line, 127), 200);
    ask_alone(talk_hello, NULL, with_fields(line, 128), 431);
    return 0;
}

static int limits_of_limits(void *arg)
{
    struct bight_http_serve_options options = {.max_headers = 129};
    struct bight_stream *left, *right;

    (void)arg;
    ck_ok(bight_stream_pair(&left, &right, NULL));
    ck_code(bight_http_serve_stream(left, talk_hello, NULL, &options), BIGHT_EINVAL);
    options = (struct bight_http_serve_options){.server_name = "a\r\nb"};
    ck_code(bight_http_serve_stream(left, talk_hello, NULL, &options), BIGHT_EINVAL);
    bight_stream_abort(left);
    bight_stream_abort(right);
    return 0;
}

static int body(void *arg)
{
    const struct bight_http_serve_options options = {.max_body_bytes = 5};

    (void)arg;
    ask_alone(talk_echo, &options, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde",
              200);
    ask_alone(talk_echo, &options, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabcdef",
              413);
    /* It has not come yet. */
    ask_alone(talk_echo, &options, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n", 413);
    ask_alone(talk_echo, &options, CHUNKED "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n", 200);
    ask_alone(talk_echo, &options, CHUNKED "2\r\nab\r\n4\r\ncdef\r\n0\r\n\r\n", 413);
    ask_alone(talk_echo, &options, CHUNKED "5\r\nabcde\r\n1\r\n", 413);
    return 0;
}

static int takes_more(struct bight_exchange *exchange, void *arg)
{
    char bytes[2];

    ck_ok(bight_exchange_set_max_body(exchange, 8));
    ck_assert_int_gt(bight_exchange_read(exchange, bytes, sizeof(bytes)), 0);
    ck_ok(bight_exchange_set_max_body(exchange, 8));
    return talk_echo(exchange, arg);
}

static int takes_less(struct bight_exchange *exchange, void *arg)
{
    ck_ok(bight_exchange_set_max_body(exchange, 0));
    return talk_echo(exchange, arg);
}

static int body_of_one_handler(void *arg)
{
    const struct bight_http_serve_options options = {.max_body_bytes = 5};

    (void)arg;
    ask_alone(takes_more, &options,
              "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nabcdefgh", 200);
    ask_alone(takes_more, &options, CHUNKED "6\r\nabcdef\r\n3\r\nghi\r\n0\r\n\r\n", 413);
    ask_alone(takes_less, &options, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na",
              413);
    ask_alone(takes_less, &options, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200);
    return 0;
}

/* A client that waits is told no without having sent anything. */
static int expected_body(void *arg)
{
    const struct bight_http_serve_options options = {.max_body_bytes = 5};
    const char *answer;

    (void)arg;
    talk_begin(talk_echo, &options);
    answer = talk_ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n"
                      "Expect: 100-continue\r\n\r\n",
                      413);
    ck_assert_ptr_null(strstr(answer, " 100 "));
    return talk_end();
}

static int reads_and_answers(struct bight_exchange *exchange, void *arg)
{
    char bytes[3];
    int64_t count, rest = 0;

    (void)arg;
    while ((count = bight_exchange_read(exchange, bytes, sizeof(bytes))) > 0)
        rest += count;
    ck_code((int)count, BIGHT_ETOOBIG);
    ck_code((int)bight_exchange_read(exchange, bytes, sizeof(bytes)), BIGHT_ETOOBIG);
    ck_assert_int_eq(rest, 5);
    return bight_exchange_answer(exchange, 402, NULL, NULL, 0);
}

/* A handler may answer what it likes, but that is the end of the connection. */
static int body_in_pieces(void *arg)
{
    const struct bight_http_serve_options options = {.max_body_bytes = 5};

    (void)arg;
    ask_alone(reads_and_answers, &options, CHUNKED "2\r\nab\r\n3\r\ncde\r\n1\r\nf\r\n0\r\n\r\n",
              402);
    return 0;
}

/* A request with trailers of so many bytes, the empty line included. */
static const char *trailer_of(int bytes)
{
    static char text[512];

    snprintf(text, sizeof(text), CHUNKED "0\r\nA: %0*d\r\n\r\n", bytes - 7, 1);
    return text;
}

static int trailers(void *arg)
{
    const struct bight_http_serve_options options = {.max_head_bytes = 100, .max_headers = 4};

    (void)arg;
    ask_alone(talk_echo, &options, with_fields(CHUNKED "0\r\n", 4), 200);
    ask_alone(talk_echo, &options, with_fields(CHUNKED "0\r\n", 5), 400);
    ask_alone(talk_echo, &options, trailer_of(100), 200);
    ask_alone(talk_echo, &options, trailer_of(101), 400);
    ask_alone(talk_echo, &options, trailer_of(200), 400);
    return 0;
}

/* A body of `count` chunks of one byte, with extensions of that many bytes in all. */
static char *in_chunks(size_t count, size_t extension_bytes)
{
    size_t head = strlen(CHUNKED), each = strlen("1") + extension_bytes + strlen("\r\na\r\n");
    char *text = malloc(head + count * each + strlen("0\r\n\r\n") + 1), *at = text + head;

    strcpy(text, CHUNKED);
    for (size_t i = 0; i < count; i++) {
        *at++ = '1';
        memset(at, 'x', extension_bytes);
        if (extension_bytes)
            *at = ';';
        at = stpcpy(at + extension_bytes, "\r\na\r\n");
    }
    strcpy(at, "0\r\n\r\n");
    return text;
}

static void ask_chunks(size_t count, size_t extension_bytes, int status)
{
    char *request = in_chunks(count, extension_bytes);

    ask_alone(talk_echo, NULL, request, status);
    free(request);
}

static int chunk_lines(void *arg)
{
    (void)arg;
    ask_chunks(1, 1024 - 3, 200);
    ask_chunks(1, 1024 - 2, 400);
    ask_chunks(1, 5000, 400);
    return 0;
}

/* Together they may not outweigh the data by much. */
static int wordy_chunks(void *arg)
{
    (void)arg;
    ask_chunks(5000, 0, 200);
    ask_chunks(2000, 14, 200);
    ask_chunks(16, 1000, 200);
    ask_chunks(18, 1000, 400);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(a_request_line_has_a_longest, request_line),
    world_case(of_8_KiB_by_default, default_request_line),
    world_case(a_head_has_a_longest, head_bytes),
    world_case(of_32_KiB_by_default, default_head_bytes),
    world_case(a_head_has_so_many_fields, head_count),
    world_case(options_have_limits_too, limits_of_limits),
    world_case(a_body_has_a_longest, body),
    world_case(a_handler_may_take_more_or_less, body_of_one_handler),
    world_case(a_body_that_is_too_long_is_not_asked_for, expected_body),
    world_case(a_handler_may_answer_as_it_likes, body_in_pieces),
    world_case(trailers_have_the_limits_of_headers, trailers),
    world_case(the_line_of_a_chunk_has_a_longest, chunk_lines),
    world_case(the_lines_of_chunks_may_not_outweigh_their_data, wordy_chunks),
};

test_suite("server_limits", cases);
