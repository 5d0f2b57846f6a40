/* The client goes at every byte of a request and at every byte of an answer, by a reset or by an
 * end: each request that was taken is done with, each handler returns, and what the client has got
 * by then is never something that looks whole and is not. */
#include "tests/net/server/talk.h"

#include <string.h>

/* A dialogue: what the client says, and all that it hears, the header Date left out. */
struct dialogue {
    const char *name;
    const char *request;
    const char *answer;
    int (*handler)(struct bight_exchange *exchange, void *arg);
};

static int begun, returned, done;

static void on_done(void *arg, const struct bight_exchange *exchange)
{
    (void)arg;
    (void)exchange;
    done++;
}

/* Handlers */

static int fixed(struct bight_exchange *exchange, void *arg)
{
    int rc;

    (void)arg;
    begun++;
    rc = bight_exchange_answer(exchange, 200, NULL, "0123456789", 10);
    returned++;
    return rc;
}

/* Sends the body back as it comes. */
static int echo(struct bight_exchange *exchange, void *arg)
{
    char bytes[4];
    int64_t count;
    int rc = bight_exchange_begin(exchange, 200, -1);

    (void)arg;
    begun++;
    while (rc == 0 && (count = bight_exchange_read(exchange, bytes, sizeof(bytes))) != 0)
        rc = count < 0 ? (int)count : bight_exchange_write(exchange, bytes, (size_t)count);
    returned++;
    return rc;
}

static int stream(struct bight_exchange *exchange, void *arg)
{
    int rc = bight_exchange_begin(exchange, 200, -1);

    (void)arg;
    begun++;
    if (rc == 0)
        rc = bight_exchange_flush(exchange);
    for (int i = 0; i < 3 && rc == 0; i++) {
        rc = bight_sleep(1);
        if (rc == 0)
            rc = bight_exchange_write(exchange, "piece", 5);
    }
    returned++;
    return rc;
}

static const struct dialogue dialogues[] = {
    {"a fixed answer", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
     "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\n0123456789", fixed},
    {"chunks both ways",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3\r\nabc\r\n6;x\r\ndefghi\r\n0\r\nA: b\r\n\r\n",
     "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3\r\nabc\r\n4\r\ndefg\r\n2\r\nhi\r\n0\r\n\r\n",
     echo},
    {"an answer piece by piece", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
     "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
     "5\r\npiece\r\n5\r\npiece\r\n5\r\npiece\r\n0\r\n\r\n",
     stream},
    {"an answer until the end", "GET / HTTP/1.0\r\n\r\n",
     "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\npiecepiecepiece", stream},
};

#define DIALOGUES (int)(sizeof(dialogues) / sizeof(*dialogues))

static const struct dialogue *now;

static void begin(const struct bight_stream_pair_options *pair)
{
    const struct bight_http_serve_options options = {.on_done = on_done};

    begun = returned = done = 0;
    talk_begin_over(now->handler, &options, pair);
}

/* What has to hold whenever the client goes, and however. */
static void finish(const char *how, size_t at)
{
    int status;

    while (!talk_is_over())
        ck_ok(bight_sleep(1));
    status = talk_end();
    /* A fixed answer may not even have begun. */
    if (begun != returned || begun > 1 || done > begun || talk_failures ||
        (done < begun && now->handler != fixed) ||
        (status && status != BIGHT_ECONNRESET && status != BIGHT_EPIPE && status != BIGHT_EBROKEN))
        ck_abort_msg("%s, %s at %zu: %d handlers, %d returned, %d done, %d failures, %s", now->name,
                     how, at, begun, returned, done, talk_failures,
                     status ? bight_error_name(status) : "0");
}

/* The client says `bytes` of the request, and goes. */
static void leave_request(size_t bytes, bool reset)
{
    begin(NULL);
    talk_say_bytes(now->request, bytes);
    world_settle();
    if (reset) {
        bight_stream_abort(talk_client);
        talk_client = NULL;
    } else {
        ck_ok(bight_stream_end(talk_client, 0));
        talk_client = NULL;
    }
    finish(reset ? "a reset of the request" : "the end of the request", bytes);
}

/* The client reads `bytes` of the answer, which comes byte by byte, and goes. */
static void leave_answer(size_t bytes, bool reset)
{
    const struct bight_stream_pair_options narrow = {.capacity = 1 << 10, .write_max = 1};
    char byte;

    begin(&narrow);
    talk_say(now->request);
    for (size_t i = 0; i < bytes; i++)
        ck_assert_int_eq(bight_stream_read(talk_client, &byte, 1), 1);
    if (reset)
        bight_stream_abort(talk_client);
    else
        ck_ok(bight_stream_end(talk_client, 0));
    talk_client = NULL;
    finish(reset ? "a reset of the answer" : "the end of the answer", bytes);
}

/* Whether `heard`, without what ended it, is the whole of an answer to the client. */
static bool looks_whole(const char *heard, bool reset)
{
    const char *body = strstr(heard, "\r\n\r\n");

    if (!body)
        return false;
    body += 4;
    if (strstr(heard, "Content-Length: 10\r\n"))
        return strlen(body) >= 10;
    if (strstr(heard, "Transfer-Encoding: chunked\r\n"))
        return strlen(body) >= 5 && strcmp(body + strlen(body) - 5, "0\r\n\r\n") == 0;
    return !reset;
}

/* The connection breaks after so many bytes of either direction. */
static void break_after(size_t bytes)
{
    const struct bight_stream_pair_options broken = {.reset_after = bytes, .delay_ms = 1};
    char heard[1024];
    size_t length = 0;
    int64_t count;
    int rc;

    begin(&broken);
    rc = bight_stream_write(talk_client, now->request, strlen(now->request));
    ck_assert(rc == 0 || rc == BIGHT_ECONNRESET);
    while ((count = bight_stream_read(talk_client, heard + length, sizeof(heard) - 1 - length)) > 0)
        length += (size_t)count;
    heard[length] = '\0';
    talk_drop_date(heard);
    if (looks_whole(heard, count < 0) && strcmp(heard, now->answer) != 0)
        ck_abort_msg("%s, broken at %zu, looks whole: %s", now->name, bytes, heard);
    finish("broken", bytes);
}

static int whole(void *arg)
{
    (void)arg;
    begin(NULL);
    talk_say(now->request);
    ck_ok(bight_sleep(100));
    ck_assert_int_eq(strncmp(talk_hear(), now->answer, strlen(now->answer)), 0);
    ck_assert_int_eq(begun, 1);
    ck_assert_int_eq(done, 1);
    finish("whole", 0);
    return 0;
}

static int at_the_request(void *arg)
{
    (void)arg;
    for (size_t bytes = 0; bytes <= strlen(now->request); bytes++) {
        leave_request(bytes, true);
        leave_request(bytes, false);
    }
    return 0;
}

static int at_the_answer(void *arg)
{
    (void)arg;
    for (size_t bytes = 0; bytes <= strlen(now->answer); bytes++) {
        leave_answer(bytes, true);
        leave_answer(bytes, false);
    }
    return 0;
}

static int broken(void *arg)
{
    (void)arg;
    for (size_t bytes = 1; bytes < strlen(now->request) + strlen(now->answer) + 100; bytes++)
        break_after(bytes);
    return 0;
}

static void without_a_fault_all_is_heard(int i)
{
    now = &dialogues[i];
    ck_ok(world_run(whole, NULL, NULL));
}

static void a_client_may_go_at_every_byte_of_a_request(int i)
{
    now = &dialogues[i];
    ck_ok(world_run(at_the_request, NULL, NULL));
}

static void and_at_every_byte_of_an_answer(int i)
{
    now = &dialogues[i];
    ck_ok(world_run(at_the_answer, NULL, NULL));
}

static void a_connection_may_break_at_every_byte(int i)
{
    now = &dialogues[i];
    ck_ok(world_run(broken, NULL, NULL));
}

static const struct suite_case cases[] = {
    each_case(without_a_fault_all_is_heard, DIALOGUES),
    each_case(a_client_may_go_at_every_byte_of_a_request, DIALOGUES),
    each_case(and_at_every_byte_of_an_answer, DIALOGUES),
    each_case(a_connection_may_break_at_every_byte, DIALOGUES),
};

test_suite("server_resets", cases);
