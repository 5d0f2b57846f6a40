/* Bodies that are written while they are sent (net/http/upload.c), to a server of bight in the same
 * runtime: what arrives, who waits for whom, and how either side's end is told to the other. */
#include <stdio.h>
#include <stdlib.h>

#include "coro/core/task.h"
#include "net/http/response.h"
#include "net/http/transfer.h"
#include "tests/net/http/http_case.h"
#include "tests/net/server/listened.h"

#define LARGE_BYTES (32 << 20)

/* --- the server ------------------------------------------------------------------------------- */

static uint64_t came;

static int count(struct bight_exchange *exchange)
{
    static char piece[65536];
    char text[64];
    int64_t got;
    int bytes;

    came = 0;
    while ((got = bight_exchange_read(exchange, piece, sizeof piece)) > 0) {
        for (int64_t i = 0; i < got; i++)
            EXPECT(piece[i] == (char)('a' + (came + (uint64_t)i) % 23));
        came += (uint64_t)got;
    }
    if (got < 0)
        return (int)got;
    bytes = snprintf(text, sizeof text, "%s %llu %lld", bight_exchange_method(exchange),
                     (unsigned long long)came, (long long)bight_exchange_body_bytes(exchange));
    return bight_exchange_answer(exchange, 200, NULL, text, (size_t)bytes);
}

static int answer(struct bight_exchange *exchange, void *arg)
{
    const char *path = bight_exchange_path(exchange);

    (void)arg;
    listened.begun++;
    ck_ok(bight_exchange_set_max_body(exchange, UINT64_MAX));
    if (strcmp(path, "/early") == 0)
        return bight_exchange_answer(exchange, 403, NULL, "no", 2);
    if (strcmp(path, "/moved") == 0)
        return bight_exchange_redirect(exchange, 307, "/count");
    if (strcmp(path, "/later") == 0) {
        int rc = bight_event_wait(&listened.go_on);
        if (rc)
            return rc;
    }
    return count(exchange);
}

static const char *url(const char *path)
{
    static char text[64];
    struct bight_address address;

    ck_ok(bight_listener_address(listened.listener, &address));
    snprintf(text, sizeof text, "http://127.0.0.1:%u%s", address.port, path);
    return text;
}

static void begin(void)
{
    listened_begin(answer, NULL, false);
}

static int end(struct bight_http_session *session)
{
    EXPECT(bight_http_session_end(session) == 0);
    http_session = NULL;
    return listened_end();
}

/* --- a task that writes ----------------------------------------------------------------------- */

struct writer {
    struct bight_http_upload upload;
    struct bight_task *task;
    size_t bytes, at_once, written;
    bool waits_first; /* until it is wanted */
    bool closes;
    int rc;
};

static const char *pattern(size_t bytes)
{
    static char *text;

    if (!text) {
        text = malloc(LARGE_BYTES + 23);
        EXPECT(text);
        for (size_t i = 0; i < LARGE_BYTES + 23; i++)
            text[i] = (char)('a' + i % 23);
    }
    return text + bytes % 23;
}

static int write_main(void *arg)
{
    struct writer *writer = arg;

    writer->rc = writer->waits_first ? bight_http_upload_write(&writer->upload, NULL, 0) : 0;
    while (writer->rc == 0 && writer->written < writer->bytes) {
        size_t left = writer->bytes - writer->written;
        size_t bytes = left < writer->at_once ? left : writer->at_once;
        writer->rc = bight_http_upload_write(&writer->upload, pattern(writer->upload.taken), bytes);
        writer->written += writer->rc ? 0 : bytes;
    }
    if (writer->rc == 0 && writer->closes)
        writer->rc = bight_http_upload_close(&writer->upload);
    return 0;
}

static void writer_start(struct writer *writer, int64_t announced)
{
    bight_http_upload_init(&writer->upload, announced);
    writer->rc = 1;
    writer->written = 0;
    ck_ok(bight_spawn(&writer->task, write_main, writer));
}

static int writer_finish(struct writer *writer)
{
    ck_ok(bight_join(writer->task, NULL));
    return writer->rc;
}

/* The one body is written to the server, which says what came. */
static void goes(struct bight_http_session *session, struct writer *writer, const char *method,
                 int64_t announced)
{
    struct bight_http_request request = {.method = method, .upload = &writer->upload};
    struct bight_http_response *response;
    char wanted[64];

    snprintf(wanted, sizeof wanted, "%s %zu %lld", method, writer->bytes, (long long)announced);
    writer_start(writer, announced);
    ck_ok(bight_http_fetch(&response, session, url("/count"), &request));
    ck_assert_str_eq(bight_http_response_body(response, NULL), wanted);
    bight_http_response_free(response);
    ck_ok(writer_finish(writer));
}

/* --- what arrives ----------------------------------------------------------------------------- */

HTTP_TEST(bodies_of_all_lengths_arrive)
{
    static const size_t sizes[] = {0, 1, 1000, 65536, 3 << 20};
    static const size_t pieces[] = {1, 1000, 100000, 4 << 20};
    static const char *const methods[] = {"POST", "PUT", "PATCH", "GET", "QUERY"};

    begin();
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 4; j++) {
            struct writer writer = {.bytes = sizes[i], .at_once = pieces[j]};
            if (writer.bytes / writer.at_once > 5000)
                continue;
            writer.closes = true;
            writer.waits_first = j % 2;
            goes(session, &writer, methods[j], -1);
            writer.closes = j % 2;
            goes(session, &writer, methods[j], (int64_t)sizes[i]);
        }
    }
    return end(session);
}

HTTP_TEST(the_connection_is_kept)
{
    struct bight_http_stats stats;
    struct writer writer = {.bytes = 100000, .at_once = 30000, .closes = true};

    begin();
    for (int i = 0; i < 10; i++)
        goes(session, &writer, "POST", i % 2 ? -1 : 100000);
    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.connects == 1);
    return end(session);
}

/* The peer decides how fast it is written. */
HTTP_TEST(who_takes_nothing_holds_up_the_writer)
{
    struct writer writer = {.bytes = LARGE_BYTES, .at_once = 65536, .closes = true};
    struct http_case_call call = {.request = {.method = "POST", .upload = &writer.upload}};
    size_t before;

    begin();
    writer_start(&writer, -1);
    http_call_start(&call, session, url("/later"));
    listened_wait(&listened.begun, 1);
    do { /* until the sockets are full */
        before = writer.written;
        ck_ok(bight_sleep(50));
    } while (writer.written != before);
    EXPECT(writer.written < LARGE_BYTES && writer.task->parked);
    bight_event_set(&listened.go_on);
    ck_ok(http_call_finish(&call));
    ck_ok(writer_finish(&writer));
    EXPECT(came == LARGE_BYTES);
    return end(session);
}

HTTP_TEST(a_write_of_nothing_waits_until_it_is_wanted)
{
    struct writer writer = {.waits_first = true};
    struct http_case_call call = {.request = {.method = "POST", .upload = &writer.upload}};

    begin();
    writer_start(&writer, -1);
    ck_ok(bight_sleep(5));
    EXPECT(writer.rc == 1);
    http_call_start(&call, session, url("/count"));
    ck_ok(writer_finish(&writer));
    EXPECT(writer.upload.transfer && !writer.upload.taken);
    ck_ok(bight_http_upload_write(&writer.upload, NULL, 0)); /* still */
    ck_ok(bight_http_upload_close(&writer.upload));
    ck_ok(http_call_finish(&call));
    return end(session);
}

/* --- what is refused -------------------------------------------------------------------------- */

HTTP_TEST(mistakes_are_told)
{
    struct writer writer = {.bytes = 10, .at_once = 10};
    struct bight_http_upload *upload = &writer.upload;
    struct bight_http_request request = {.method = "HEAD", .upload = upload};
    struct bight_http_response *response;

    begin();
    bight_http_upload_init(upload, 10);
    ck_code(bight_http_fetch(&response, session, url("/count"), &request), BIGHT_EINVAL);
    request.method = "POST";
    request.body = "x";
    request.body_bytes = 1;
    ck_code(bight_http_fetch(&response, session, url("/count"), &request), BIGHT_EINVAL);
    request.body = NULL;
    ck_code(bight_http_upload_write(upload, pattern(0), 11), BIGHT_ETOOBIG);
    ck_code(bight_http_upload_close(upload), BIGHT_EINVAL);
    writer_start(&writer, 10);
    world_settle();
    ck_code(bight_http_upload_write(upload, "x", 1), BIGHT_EBUSY);
    ck_code(bight_http_upload_close(upload), BIGHT_EINVAL);
    ck_ok(bight_http_fetch(&response, session, url("/count"), &request));
    bight_http_response_free(response);
    ck_ok(writer_finish(&writer));
    ck_code(bight_http_upload_write(upload, "x", 1), BIGHT_EPIPE);
    ck_code(bight_http_fetch(&response, session, url("/count"), &request), BIGHT_EINVAL);
    bight_http_upload_init(upload, -1);
    ck_ok(bight_http_upload_close(upload));
    ck_code(bight_http_upload_write(upload, "x", 1), BIGHT_ECLOSED);
    ck_ok(bight_http_fetch(&response, session, url("/count"), &request));
    ck_assert_str_eq(bight_http_response_body(response, NULL), "POST 0 -1");
    bight_http_response_free(response);
    return end(session);
}

/* --- ends ------------------------------------------------------------------------------------- */

/* An answer before the body has come, and redirects, which are answers. */
HTTP_TEST(who_does_not_want_it_ends_the_write)
{
    static const char *const paths[] = {"/early", "/moved"};
    static const char *const headers[] = {"Expect:", NULL};

    begin();
    for (int i = 0; i < 4; i++) {
        struct writer writer = {.bytes = LARGE_BYTES, .at_once = 65536};
        struct bight_http_request request = {
            .method = "POST", .upload = &writer.upload, .headers = headers};
        struct bight_http_response *response;

        writer_start(&writer, i < 2 ? -1 : LARGE_BYTES);
        ck_ok(bight_http_open(&response, session, url(paths[i % 2]), &request));
        ck_assert_int_eq(bight_http_response_status(response), i % 2 ? 307 : 403);
        bight_http_response_free(response);
        ck_code(writer_finish(&writer), BIGHT_EPIPE);
    }
    return end(session);
}

HTTP_TEST(a_request_that_fails_ends_the_write)
{
    static const char *const urls[] = {"http://127.0.0.1:1/", "http://none.invalid/", "no URL"};

    for (size_t i = 0; i < 3; i++) {
        struct writer writer = {.bytes = 10, .at_once = 10};
        struct bight_http_request request = {.method = "POST", .upload = &writer.upload};
        struct bight_http_response *response;

        writer_start(&writer, -1);
        EXPECT(bight_http_fetch(&response, session, urls[i], &request) < 0);
        ck_code(writer_finish(&writer), BIGHT_EPIPE);
    }
    return 0;
}

HTTP_TEST(a_session_that_ends_ends_the_write)
{
    struct writer writer = {.bytes = LARGE_BYTES, .at_once = LARGE_BYTES};
    struct http_case_call call = {.request = {.method = "POST", .upload = &writer.upload}};

    begin();
    writer_start(&writer, -1);
    http_call_start(&call, session, url("/later"));
    listened_wait(&listened.begun, 1);
    EXPECT(bight_http_session_end(session) == 0);
    http_session = NULL;
    ck_code(writer_finish(&writer), BIGHT_EPIPE);
    ck_code(http_call_finish(&call), BIGHT_ECLOSED);
    bight_event_set(&listened.go_on);
    return listened_end();
}

/* Over a kept connection that the peer resets instead of an answer, as if `taken` bytes of the body
 * had been sent by then. */
static int repeated(struct bight_http_session *session, struct writer *writer, size_t taken)
{
    struct http_case_call call = {
        .request = {.method = "PUT", .idempotent = true, .upload = &writer->upload}};
    int connections = atomic_load(&server.counts->connections);

    EXPECT(http_try(session, http_server_url(&server, "/reset-next"), NULL) == 0);
    *writer = (struct writer){.bytes = 5, .at_once = 5};
    bight_http_upload_init(&writer->upload, (int64_t)(5 + taken));
    writer->upload.taken = taken;
    http_call_start(&call, session, http_server_url(&server, "/ok"));
    if (!taken) /* the first connection asks for nothing */
        http_await(&server.counts->connections, connections + 2);
    ck_ok(bight_spawn(&writer->task, write_main, writer));
    return http_call_finish(&call);
}

HTTP_TEST(it_is_sent_again_if_nothing_of_it_was_taken)
{
    struct writer writer;

    ck_ok(repeated(session, &writer, 0));
    ck_ok(writer_finish(&writer));
    ck_code(repeated(session, &writer, 1), BIGHT_EUNKNOWNOUTCOME);
    EXPECT(writer_finish(&writer) <= 0);
    return 0;
}

/* --- two things in one turn ------------------------------------------------------------------- */

HTTP_TEST(a_write_that_was_cancelled_before_any_of_it_was_taken_took_nothing)
{
    struct writer writer = {.bytes = 100, .at_once = 100};
    struct bight_http_request request = {.method = "POST", .upload = &writer.upload};
    struct bight_http_response *response;

    begin();
    writer_start(&writer, -1);
    world_settle();
    bight_task_cancel(writer.task);
    ck_code(writer_finish(&writer), BIGHT_ECANCELED);
    ck_ok(bight_spawn(&writer.task, write_main, &writer));
    writer.closes = true;
    ck_ok(bight_http_fetch(&response, session, url("/count"), &request));
    ck_assert_str_eq(bight_http_response_body(response, NULL), "POST 100 -1");
    bight_http_response_free(response);
    ck_ok(writer_finish(&writer));
    return end(session);
}

HTTP_TEST(a_write_that_was_cancelled_in_its_midst_breaks_the_body)
{
    struct writer writer = {.bytes = LARGE_BYTES, .at_once = LARGE_BYTES};
    struct http_case_call call = {.request = {.method = "POST", .upload = &writer.upload}};

    begin();
    writer_start(&writer, LARGE_BYTES);
    http_call_start(&call, session, url("/later"));
    while (!writer.upload.taken)
        ck_ok(bight_sleep(1));
    bight_task_cancel(writer.task);
    ck_code(writer_finish(&writer), BIGHT_ECANCELED);
    ck_code(bight_http_upload_write(&writer.upload, "x", 1), BIGHT_EBROKEN);
    ck_code(bight_http_upload_close(&writer.upload), BIGHT_EBROKEN);
    bight_event_set(&listened.go_on); /* the server takes more, and there is none */
    ck_code(http_call_finish(&call), BIGHT_EBROKEN);
    return end(session);
}

/* A write of 4 bytes that waits for the transfer of `call`, which wants it and has paused. One that
 * was taken before this task had its turn is made again. */
static void pause_for(struct bight_http_session *session, struct writer *writer,
                      struct http_case_call *call)
{
    *writer = (struct writer){.bytes = 4, .at_once = 4};
    *call = (struct http_case_call){.request = {.method = "POST", .upload = &writer->upload}};
    bight_http_upload_init(&writer->upload, -1);
    http_call_start(call, session, url("/count"));
    for (;;) {
        ck_ok(bight_http_upload_write(&writer->upload, NULL, 0));
        EXPECT(writer->upload.hungry);
        writer->written = 0;
        ck_ok(bight_spawn(&writer->task, write_main, writer));
        while (!writer->upload.writer && !writer->written)
            ck_ok(bight_yield());
        if (writer->upload.writer)
            return;
        ck_ok(writer_finish(writer));
    }
}

static void take_by_hand(struct writer *writer)
{
    char bytes[16];

    EXPECT(bight__http_on_upload(bytes, 1, sizeof bytes, writer->upload.transfer) == 4);
}

HTTP_TEST(a_write_that_was_taken_then_cancelled_is_written)
{
    struct http_case_call call;
    struct writer writer;

    begin();
    pause_for(session, &writer, &call);
    take_by_hand(&writer);
    bight_task_cancel(writer.task);
    ck_ok(writer_finish(&writer));
    bight_task_cancel(call.task);
    ck_code(http_call_finish(&call), BIGHT_ECANCELED);
    return end(session);
}

HTTP_TEST(a_write_that_was_cancelled_then_asked_for_has_nothing)
{
    struct http_case_call call;
    struct writer writer;
    uint64_t taken;
    char bytes[16];

    begin();
    pause_for(session, &writer, &call);
    taken = writer.upload.taken;
    bight_task_cancel(writer.task);
    EXPECT(bight__http_on_upload(bytes, 1, sizeof bytes, writer.upload.transfer) ==
           CURL_READFUNC_PAUSE);
    ck_code(writer_finish(&writer), BIGHT_ECANCELED);
    ck_ok(bight_http_upload_write(&writer.upload, pattern(taken), 3));
    ck_ok(bight_http_upload_close(&writer.upload));
    ck_ok(http_call_finish(&call));
    EXPECT(came == taken + 3);
    return end(session);
}

static int write_late(void *arg)
{
    return bight_http_upload_write(arg, "x", 1);
}

HTTP_TEST(a_deadline_around_a_write)
{
    struct bight_http_upload upload;

    bight_http_upload_init(&upload, -1);
    ck_code(bight_timeout(20, write_late, &upload), BIGHT_ETIMEDOUT);
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(bodies_of_all_lengths_arrive),
    plain_case(the_connection_is_kept),
    plain_case(who_takes_nothing_holds_up_the_writer),
    plain_case(a_write_of_nothing_waits_until_it_is_wanted),
    plain_case(mistakes_are_told),
    plain_case(who_does_not_want_it_ends_the_write),
    plain_case(a_request_that_fails_ends_the_write),
    plain_case(a_session_that_ends_ends_the_write),
    plain_case(it_is_sent_again_if_nothing_of_it_was_taken),
    plain_case(a_write_that_was_cancelled_before_any_of_it_was_taken_took_nothing),
    plain_case(a_write_that_was_cancelled_in_its_midst_breaks_the_body),
    plain_case(a_write_that_was_taken_then_cancelled_is_written),
    plain_case(a_write_that_was_cancelled_then_asked_for_has_nothing),
    plain_case(a_deadline_around_a_write),
};

test_suite("http_upload", cases, .setup = http_case_setup, .teardown = http_case_teardown);
