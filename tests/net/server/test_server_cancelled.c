/* Handlers that are cancelled in a call: before it has begun, which leaves nothing of it, and just
 * when what it waits for is there, which it then keeps. */
#include "tests/net/server/talk.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <bight/events.h>
#include <bight/multipart.h>
#include <bight/static.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define UPGRADE "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
#define POST(length) "POST / HTTP/1.1\r\nHost: a\r\n" length "\r\n\r\n"
#define CHUNKED "Transfer-Encoding: chunked"
#define PAIR_BYTES 1024

static const struct bight_stream_pair_options pair = {.capacity = PAIR_BYTES};

/* In a scope that is cancelled. */
static int64_t cancelled_before(int64_t (*call)(struct bight_exchange *exchange),
                                struct bight_exchange *exchange)
{
    struct bight_scope scope;
    int64_t count;

    ck_ok(bight_scope_begin(&scope, -1, 0));
    bight_scope_cancel(&scope);
    count = call(exchange);
    ck_ok(bight_scope_end(&scope, BIGHT_ECANCELED));
    return count;
}

/* Answers that have not begun: the handler gives another one. */

static int64_t redirects(struct bight_exchange *exchange)
{
    return bight_exchange_redirect(exchange, 303, "/b");
}

static int64_t begins_events(struct bight_exchange *exchange)
{
    return bight_events_begin(exchange);
}

static int64_t upgrades(struct bight_exchange *exchange)
{
    struct bight_stream *stream;

    return bight_exchange_upgrade(exchange, "echo", &stream);
}

static int64_t sends_file(struct bight_exchange *exchange)
{
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int rc = bight_exchange_send_file(exchange, file, 0, 4);

    close(file);
    return rc;
}

static int64_t answers_static(struct bight_exchange *exchange)
{
    struct bight_static *files;
    int rc;

    ck_ok(bight_static_new(&files, "/etc", NULL));
    rc = bight_static_answer(exchange, files, "/passwd");
    bight_static_free(files);
    return rc;
}

static int64_t (*const answers[])(struct bight_exchange *exchange) = {
    redirects, begins_events, upgrades, sends_file, answers_static};
static int64_t (*call)(struct bight_exchange *exchange);

static int answers_otherwise(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_code((int)cancelled_before(call, exchange), BIGHT_ECANCELED);
    ck_assert_int_eq(bight_exchange_status(exchange), 0);
    return bight_exchange_answer(exchange, 200, NULL, "hello", 5);
}

static int nothing_answered(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        call = answers[i];
        talk_begin(answers_otherwise, NULL);
        ck_assert_str_eq(talk_ask(UPGRADE, 200),
                         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        ck_ok(talk_end());
    }
    return 0;
}

/* Bodies that need not be waited for. */

static int64_t reads_none(struct bight_exchange *exchange)
{
    return bight_exchange_read(exchange, NULL, 0);
}

static int64_t reads(struct bight_exchange *exchange)
{
    char byte;

    return bight_exchange_read(exchange, &byte, 1);
}

static int64_t reads_all(struct bight_exchange *exchange)
{
    const char *body;

    return bight_exchange_read_all(exchange, &body, NULL);
}

static int reads_twice(struct bight_exchange *exchange, void *arg)
{
    const char *body;

    (void)arg;
    ck_ok(bight_exchange_read_all(exchange, &body, NULL));
    ck_code((int)cancelled_before(reads_none, exchange), BIGHT_ECANCELED);
    ck_code((int)cancelled_before(reads, exchange), BIGHT_ECANCELED);
    ck_code((int)cancelled_before(reads_all, exchange), BIGHT_ECANCELED);
    return bight_exchange_answer(exchange, 200, NULL, body, 6); /* it is still there */
}

static int nothing_read(void *arg)
{
    (void)arg;
    talk_begin(reads_twice, NULL);
    ck_assert_str_eq(strstr(talk_ask(POST("Content-Length: 6") "abcdef", 200), "\r\n\r\n"),
                     "\r\n\r\nabcdef");
    return talk_end();
}

/* Parts that have come with the one before. */

static struct bight_multipart *parts;

static int64_t reads_part(struct bight_exchange *exchange)
{
    char byte;

    (void)exchange;
    return bight_multipart_read(parts, &byte, 1);
}

static int64_t next_part(struct bight_exchange *exchange)
{
    struct bight_part part;

    (void)exchange;
    return bight_multipart_next(parts, &part);
}

static int reads_parts(struct bight_exchange *exchange, void *arg)
{
    struct bight_part part;
    char bytes[2];

    (void)arg;
    ck_ok(bight_multipart_begin(&parts, exchange));
    ck_ok(bight_multipart_next(parts, &part));
    ck_code((int)cancelled_before(reads_part, exchange), BIGHT_ECANCELED);
    ck_code((int)cancelled_before(next_part, exchange), BIGHT_ECANCELED);
    ck_assert_int_eq(bight_multipart_read(parts, bytes, sizeof(bytes)), 1);
    ck_assert_int_eq(bytes[0], 'a');
    ck_code(bight_multipart_next(parts, &part), BIGHT_EOF);
    return bight_exchange_answer(exchange, 200, NULL, NULL, 0);
}

static int no_part_taken(void *arg)
{
    (void)arg;
    talk_begin(reads_parts, NULL);
    talk_ask(
        POST("Content-Type: multipart/form-data; boundary=XY\r\nContent-Length: 59") "--"
                                                                                     "XY\r\nContent"
                                                                                     "-Disposition:"
                                                                                     " form-data; "
                                                                                     "name="
                                                                                     "\"a\"\r\n\r\n"
                                                                                     "a\r\n--XY--",
        200);
    return talk_end();
}

/* The client takes nothing for a while, but for `spare` bytes. */
static void fill(struct bight_exchange *exchange, size_t spare)
{
    struct bight_stream *stream = bight_exchange_stream(exchange);
    char byte;

    while (bight_stream_try_write(stream, ".", 1) == 1)
        continue;
    while (spare--)
        ck_assert_int_eq(bight_stream_try_read(talk_client, &byte, 1), 1);
}

static const char *hear_behind_dots(void)
{
    const char *heard = talk_hear();

    return heard + strspn(heard, ".");
}

/* "100 Continue" that did not go out goes out with the next read. */
static int reads_again(struct bight_exchange *exchange, void *arg)
{
    struct bight_scope scope;
    char byte;

    (void)arg;
    fill(exchange, 0);
    ck_ok(bight_scope_begin(&scope, 10, 0));
    ck_code(bight_scope_end(&scope, (int)bight_exchange_read(exchange, &byte, 1)), BIGHT_ETIMEDOUT);
    ck_ok(bight_sleep(100));
    ck_assert_int_eq(bight_exchange_read(exchange, &byte, 1), 1);
    return bight_exchange_answer(exchange, 200, NULL, &byte, 1);
}

static int told_later(void *arg)
{
    (void)arg;
    talk_begin_over(reads_again, NULL, &pair);
    talk_say(POST("Content-Length: 1\r\nExpect: 100-continue"));
    ck_ok(bight_sleep(50));
    ck_assert_str_eq(hear_behind_dots(), "");
    ck_ok(bight_sleep(100));
    ck_assert_str_eq(talk_hear(), "HTTP/1.1 100 Continue\r\n\r\n");
    talk_say("a");
    ck_assert_str_eq(talk_hear(), "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na");
    return talk_end();
}

/* Calls that are cancelled after what they wait for has come. */

static struct bight_scope scope_of_call;
static int64_t result;

static int calls(struct bight_exchange *exchange)
{
    ck_ok(bight_scope_begin(&scope_of_call, -1, 0));
    result = call(exchange);
    ck_ok(bight_scope_end(&scope_of_call, result < 0 ? (int)result : 0));
    return result < 0 ? (int)result : 0;
}

static int64_t writes(struct bight_exchange *exchange)
{
    return bight_exchange_write(exchange, "hello", 5);
}

static int64_t sends_event(struct bight_exchange *exchange)
{
    return bight_events_send(exchange, &(const struct bight_sent_event){.data = "x"});
}

static int64_t pings(struct bight_exchange *exchange)
{
    return bight_events_ping(exchange);
}

static const struct {
    int64_t (*call)(struct bight_exchange *exchange);
    size_t spare;
    const char *heard;
} kept_writes[] = {
    {writes, 0, "5\r\nhello\r\n0\r\n\r\n"},
    {writes, 2, "5\r\nhello\r\n0\r\n\r\n"},
    {sends_event, 0, "9\r\ndata: x\n\n\r\n0\r\n\r\n"},
    {pings, 0, "3\r\n:\n\n\r\n0\r\n\r\n"},
};
static size_t spare;

static int writes_in_time(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_ok(bight_exchange_begin(exchange, 200, -1));
    ck_ok(bight_exchange_flush(exchange));
    fill(exchange, spare);
    return calls(exchange);
}

static int written(void *arg)
{
    char taken[PAIR_BYTES + 1];

    (void)arg;
    for (size_t i = 0; i < sizeof(kept_writes) / sizeof(*kept_writes); i++) {
        call = kept_writes[i].call;
        spare = kept_writes[i].spare;
        talk_begin_over(writes_in_time, NULL, &pair);
        talk_say(GET);
        world_settle();
        ck_assert_int_eq(bight_stream_try_read(talk_client, taken, sizeof(taken)), PAIR_BYTES);
        bight_scope_cancel(&scope_of_call);
        ck_assert_str_eq(hear_behind_dots(), kept_writes[i].heard + spare);
        ck_assert_int_eq(result, 0);
        ck_ok(talk_end());
    }
    return 0;
}

static int reads_in_time(struct bight_exchange *exchange, void *arg)
{
    int rc = calls(exchange);

    (void)arg;
    return rc ? rc : bight_exchange_answer(exchange, 200, NULL, NULL, 0);
}

static const struct {
    int64_t (*call)(struct bight_exchange *exchange);
    const char *request;
    const char *body;
    int64_t result;
} kept_reads[] = {
    {reads, POST("Content-Length: 1"), "a", 1},
    {reads, POST(CHUNKED), "1\r\na\r\n0\r\n\r\n", 1},
    {reads_all, POST("Content-Length: 1"), "a", 0},
};

static int read_in_time(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < sizeof(kept_reads) / sizeof(*kept_reads); i++) {
        call = kept_reads[i].call;
        talk_begin(reads_in_time, NULL);
        talk_say(kept_reads[i].request);
        world_settle();
        talk_say(kept_reads[i].body);
        bight_scope_cancel(&scope_of_call);
        ck_assert_ptr_nonnull(strstr(talk_hear(), "200 OK"));
        ck_assert_int_eq(result, kept_reads[i].result);
        ck_ok(talk_end());
    }
    return 0;
}

/* The call that serves is cancelled, or out of time: the client of a handler that has not answered
 * is told, and what is cut short is reset without a report. */

static int sleeps(struct bight_exchange *exchange, void *begins)
{
    if (*(bool *)begins) {
        ck_ok(bight_exchange_begin(exchange, 200, -1));
        ck_ok(bight_exchange_flush(exchange));
    }
    return bight_sleep(1000000);
}

static int serves_in(struct bight_stream *stream, int64_t timeout_ms, bool begins)
{
    struct bight_scope scope;

    ck_ok(bight_scope_begin(&scope, timeout_ms, 0));
    return bight_scope_end(&scope, bight_http_serve_stream(stream, sleeps, &begins, NULL));
}

static int told(void *arg)
{
    struct bight_stream *client, *server;
    char heard[1024];
    int64_t bytes;

    (void)arg;
    ck_ok(bight_stream_pair(&client, &server, NULL));
    ck_ok(bight_stream_write(client, GET, strlen(GET)));
    ck_ok(serves_in(server, 10, false));
    bytes = bight_stream_try_read(client, heard, sizeof(heard) - 1);
    ck_assert_int_gt(bytes, 0);
    heard[bytes] = '\0';
    ck_assert_ptr_eq(strstr(heard, "HTTP/1.1 503 "), heard);
    ck_assert_ptr_nonnull(strstr(heard, "\r\nConnection: close\r\n"));
    ck_ok(bight_stream_end(server, 0));
    return bight_stream_end(client, 0);
}

static int cut_short(void *arg)
{
    struct bight_stream *client, *server;

    (void)arg;
    ck_ok(bight_stream_pair(&client, &server, NULL));
    ck_ok(bight_stream_write(client, GET, strlen(GET)));
    ck_code(serves_in(server, 10, true), BIGHT_ETIMEDOUT);
    bight_stream_abort(server);
    return bight_stream_end(client, 0);
}

static const struct suite_case cases[] = {
    world_case(cancelled_before_it_has_answered_nothing, nothing_answered),
    world_case(cancelled_before_it_has_read_nothing, nothing_read),
    world_case(cancelled_before_it_has_taken_no_part, no_part_taken),
    world_case(leave_to_send_that_did_not_go_out_is_given_later, told_later),
    world_case(what_the_client_has_room_for_is_written, written),
    world_case(what_the_client_has_sent_is_read, read_in_time),
    world_case(who_waits_for_an_answer_is_told, told),
    world_case(an_answer_that_time_cuts_short_is_nobodys_failure, cut_short),
};

test_suite("server_cancelled", cases);
