/* Bodies that come from a source (net/http/source.c), to a server of bight in the same runtime:
 * what arrives, how the source's end and the request's are told to each other, and that no task is
 * left. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bight/file.h>

#include "tests/net/http/http_case.h"
#include "tests/net/server/listened.h"

#define LARGE_BYTES (3u << 20)

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
    static char much[LARGE_BYTES];
    const char *path = bight_exchange_path(exchange);

    (void)arg;
    listened.begun++;
    ck_ok(bight_exchange_set_max_body(exchange, UINT64_MAX));
    if (strcmp(path, "/early") == 0)
        return bight_exchange_answer(exchange, 403, NULL, much, sizeof much);
    if (strcmp(path, "/moved") == 0)
        return bight_exchange_redirect(exchange, 307, "/count");
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

/* --- a source --------------------------------------------------------------------------------- */

struct spring {
    uint64_t bytes, at_once, given;
    int code;    /* at its end */
    bool sleeps; /* at its end, for ever */
    bool waits;  /* in between */
    int reads, ended;
    struct bight_http_session *session; /* ended in the first read */
};

static int64_t flow(void *arg, void *buffer, size_t bytes)
{
    struct spring *spring = arg;
    uint64_t left = spring->bytes - spring->given;
    struct bight_event never;
    char *to = buffer;

    spring->reads++;
    if (spring->session) {
        ck_assert_int_eq(bight_http_session_end(spring->session), BIGHT_EDEADLK);
        spring->session = NULL;
    }
    if (spring->waits)
        ck_ok(bight_sleep(1));
    if (!left && spring->sleeps) {
        bight_event_init(&never);
        spring->ended = bight_event_wait(&never);
        return spring->ended;
    }
    if (!left)
        return spring->code;
    if (bytes > spring->at_once)
        bytes = spring->at_once;
    if (bytes > left)
        bytes = left;
    for (size_t i = 0; i < bytes; i++)
        to[i] = (char)('a' + (spring->given + i) % 23);
    spring->given += bytes;
    return (int64_t)bytes;
}

static struct bight_http_source source_of(struct spring *spring, int64_t bytes)
{
    return (struct bight_http_source){flow, spring, bytes};
}

static void arrives(struct bight_http_session *session, const struct bight_http_source *source,
                    const char *method, uint64_t bytes)
{
    const struct bight_http_request request = {.method = method, .source = source};
    struct bight_http_response *response;
    char wanted[64];

    snprintf(wanted, sizeof wanted, "%s %llu %lld", method, (unsigned long long)bytes,
             (long long)source->bytes);
    ck_ok(bight_http_fetch(&response, session, url("/count"), &request));
    ck_assert_str_eq(bight_http_response_body(response, NULL), wanted);
    bight_http_response_free(response);
}

static int fails(struct bight_http_session *session, struct spring *spring, int64_t bytes,
                 struct bight_http_error *error)
{
    const struct bight_http_source source = source_of(spring, bytes);
    const struct bight_http_request request = {.method = "POST", .source = &source, .error = error};
    struct bight_http_response *response = NULL;
    int rc = bight_http_fetch(&response, session, url("/count"), &request);

    EXPECT(rc < 0 && error->code == rc && !response);
    return rc;
}

/* --- what arrives ----------------------------------------------------------------------------- */

HTTP_TEST(bodies_of_all_lengths_arrive)
{
    static const uint64_t sizes[] = {0, 1, 1000, 65536, 65537, LARGE_BYTES};
    static const uint64_t pieces[] = {1, 1000, LARGE_BYTES};
    struct bight_http_stats stats;

    begin();
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = 0; j < 3; j++) {
            for (int known = 0; known < 2; known++) {
                struct spring spring = {.bytes = sizes[i], .at_once = pieces[j]};
                struct bight_http_source source =
                    source_of(&spring, known ? (int64_t)sizes[i] : -1);

                if (spring.bytes / spring.at_once > 5000)
                    continue;
                spring.waits = spring.bytes / spring.at_once < 3;
                arrives(session, &source, j % 2 ? "PUT" : "POST", sizes[i]);
            }
        }
    }
    bight_http_session_get_stats(session, &stats);
    ck_assert_uint_eq(stats.connects, 1);
    return end(session);
}

HTTP_TEST(a_file_arrives)
{
    static char text[200000];
    char path[] = "/tmp/bight-source-XXXXXX";
    struct bight_http_source source;
    struct bight_file *file;

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + (i + 22) % 23);
    begin();
    ck_ok(bight_file_mkstemp(&file, path));
    ck_ok(bight_file_write(file, text, sizeof text));
    for (int known = 0; known < 2; known++) {
        ck_assert_int_eq(lseek(bight_file_fd(file), 1, SEEK_SET), 1);
        bight_http_source_from_file(&source, file, known ? (int64_t)sizeof text - 1 : -1);
        arrives(session, &source, "PUT", sizeof text - 1);
    }
    ck_ok(bight_file_unlink(path));
    ck_ok(bight_file_end(file));
    return end(session);
}

static int write_stream(void *arg)
{
    static char text[100000];

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 23);
    ck_ok(bight_stream_write(arg, text, sizeof text));
    return bight_stream_end(arg, -1);
}

HTTP_TEST(a_stream_arrives)
{
    const struct bight_stream_pair_options small = {.capacity = 4096};
    struct bight_stream *ends[2];
    struct bight_http_source source;
    struct bight_task *task;

    begin();
    ck_ok(bight_stream_pair(&ends[0], &ends[1], &small));
    ck_ok(bight_spawn(&task, write_stream, ends[0]));
    bight_http_source_from_stream(&source, ends[1], -1);
    arrives(session, &source, "POST", 100000);
    ck_ok(bight_join(task, NULL));
    ck_ok(bight_stream_end(ends[1], -1));
    return end(session);
}

/* --- what does not ---------------------------------------------------------------------------- */

HTTP_TEST(a_source_that_fails_fails_the_request)
{
    static const uint64_t sizes[] = {0, 1000, 200000};

    begin();
    for (size_t i = 0; i < 3; i++) {
        struct bight_http_error error;
        struct spring spring = {.bytes = sizes[i], .at_once = 70000, .code = BIGHT_EIO};

        ck_assert_int_eq(fails(session, &spring, -1, &error), BIGHT_EIO);
        EXPECT(error.kind == BIGHT_HTTP_SYSTEM && strstr(error.text, "source"));
        spring = (struct spring){.bytes = sizes[i], .at_once = 70000, .code = BIGHT_EIO};
        ck_assert_int_eq(fails(session, &spring, 300000, &error), BIGHT_EIO);
        spring = (struct spring){.bytes = sizes[i], .at_once = 70000};
        ck_assert_int_eq(fails(session, &spring, 300000, &error), BIGHT_EOF);
    }
    return end(session);
}

static int64_t lie(void *arg, void *buffer, size_t bytes)
{
    (void)arg;
    memset(buffer, 'x', bytes);
    return (int64_t)bytes + 1;
}

HTTP_TEST(what_a_source_cannot_be_is_refused)
{
    struct bight_http_error error;
    struct bight_http_source source = {lie, NULL, -1};
    struct bight_http_request request = {.method = "POST", .source = &source, .error = &error};
    struct bight_http_response *response;

    begin();
    ck_assert_int_eq(bight_http_fetch(&response, session, url("/count"), &request), BIGHT_EINVAL);
    EXPECT(error.kind == BIGHT_HTTP_SYSTEM);
    source.read = NULL;
    ck_assert_int_eq(bight_http_fetch(&response, session, url("/count"), &request), BIGHT_EINVAL);
    EXPECT(error.kind == BIGHT_HTTP_REQUEST);
    bight_http_source_from_file(&source, NULL, 5);
    ck_assert_int_eq(bight_http_fetch(&response, session, url("/count"), &request), BIGHT_EINVAL);
    request.method = "HEAD";
    ck_assert_int_eq(bight_http_fetch(&response, session, url("/count"), &request), BIGHT_EINVAL);
    request.method = "POST";
    request.body = "x";
    ck_assert_int_eq(bight_http_fetch(&response, session, url("/count"), &request), BIGHT_EINVAL);
    ck_assert_str_eq(error.text, "there are two bodies");
    return end(session);
}

HTTP_TEST(without_a_connection_nothing_is_read)
{
    struct spring spring = {.bytes = 10, .at_once = 10};
    struct bight_http_source source = source_of(&spring, 10);
    const struct bight_http_request request = {.method = "POST", .source = &source};
    struct bight_http_response *response;
    char nobody[64];

    begin();
    strcpy(nobody, url("/count"));
    ck_ok(listened_end());
    ck_assert_int_eq(bight_http_fetch(&response, session, nobody, &request), BIGHT_ECONNECT);
    EXPECT(spring.reads == 0);
    EXPECT(bight_http_session_end(session) == 0);
    http_session = NULL;
    return 0;
}

/* --- two ends --------------------------------------------------------------------------------- */

HTTP_TEST(an_answer_before_the_end_ends_the_source)
{
    for (int i = 0; i < 4; i++) {
        bool stream = i % 2;
        struct spring spring = {.bytes = 100000, .at_once = 5000, .sleeps = true};
        struct bight_http_source source = source_of(&spring, i < 2 ? 1000000 : -1);
        const struct bight_http_request request = {.method = "POST", .source = &source};
        struct bight_http_response *response;
        static char piece[65536];
        uint64_t bytes = 0;
        int64_t got = 0;

        if (i == 0)
            begin();
        if (stream)
            ck_ok(bight_http_open(&response, session, url("/early"), &request));
        else
            ck_ok(bight_http_fetch(&response, session, url("/early"), &request));
        ck_assert_int_eq(bight_http_response_status(response), 403);
        EXPECT(!spring.reads || spring.ended == BIGHT_ECANCELED || spring.given < spring.bytes);
        while (stream && (got = bight_http_read(response, piece, sizeof piece)) > 0)
            bytes += (uint64_t)got;
        ck_assert_int_eq(got, 0);
        EXPECT(!stream || bytes == LARGE_BYTES);
        bight_http_response_free(response);
    }
    return end(session);
}

HTTP_TEST(an_opened_response_comes_when_the_body_was_sent)
{
    begin();
    for (int known = 0; known < 2; known++) {
        struct spring spring = {.bytes = LARGE_BYTES, .at_once = 65536, .waits = true};
        struct bight_http_source source = source_of(&spring, known ? (int64_t)LARGE_BYTES : -1);
        const struct bight_http_request request = {.method = "POST", .source = &source};
        struct bight_http_response *response;
        char text[64] = "";

        ck_ok(bight_http_open(&response, session, url("/count"), &request));
        EXPECT(spring.given == LARGE_BYTES);
        memset(&source, 0xff, sizeof source); /* it is over */
        EXPECT(bight_http_read(response, text, sizeof text - 1) > 0);
        EXPECT(strncmp(text, "POST 3145728 ", 13) == 0);
        bight_http_response_free(response);
    }
    return end(session);
}

HTTP_TEST(no_redirect_is_followed)
{
    struct spring spring = {.bytes = 10, .at_once = 10};
    struct bight_http_source source = source_of(&spring, 10);
    const struct bight_http_request request = {.method = "POST", .source = &source};
    struct bight_http_response *response;

    begin();
    ck_ok(bight_http_fetch(&response, session, url("/moved"), &request));
    ck_assert_int_eq(bight_http_response_status(response), 307);
    bight_http_response_free(response);
    return end(session);
}

HTTP_TEST(whose_time_is_up_ends_its_source)
{
    struct bight_http_error error;
    struct spring spring = {.bytes = 1000, .at_once = 1000, .sleeps = true};
    struct bight_http_source source = source_of(&spring, -1);
    struct bight_http_request request = {
        .method = "POST", .source = &source, .total_timeout_ms = 50, .error = &error};
    struct bight_http_response *response;

    begin();
    ck_assert_int_eq(bight_http_fetch(&response, session, url("/count"), &request),
                     BIGHT_ETIMEDOUT);
    EXPECT(error.kind == BIGHT_HTTP_TIMEOUT && spring.ended == BIGHT_ECANCELED);
    spring = (struct spring){.bytes = 1000, .at_once = 1000, .sleeps = true};
    request.total_timeout_ms = 0;
    request.idle_timeout_ms = 50;
    ck_assert_int_eq(bight_http_open(&response, session, url("/count"), &request), BIGHT_ETIMEDOUT);
    EXPECT(error.kind == BIGHT_HTTP_TIMEOUT && spring.ended == BIGHT_ECANCELED);
    return end(session);
}

HTTP_TEST(who_is_cancelled_ends_its_source)
{
    struct spring spring = {.bytes = 1000, .at_once = 1000, .sleeps = true};
    struct bight_http_source source = source_of(&spring, -1);
    struct http_case_call call = {.request = {.method = "POST", .source = &source}};

    begin();
    for (int i = 0; i < 2; i++) {
        spring.given = 0;
        spring.reads = spring.ended = 0;
        call.stream = i;
        http_call_start(&call, session, url("/count"));
        listened_wait(&spring.reads, 2);
        bight_task_cancel(call.task);
        ck_assert_int_eq(http_call_finish(&call), BIGHT_ECANCELED);
        ck_assert_int_eq(spring.ended, BIGHT_ECANCELED);
    }
    return end(session);
}

HTTP_TEST(the_end_of_the_session_ends_the_source)
{
    struct spring spring = {.bytes = 1000, .at_once = 1000, .sleeps = true, .session = session};
    struct bight_http_source source = source_of(&spring, -1);
    struct http_case_call call = {.request = {.method = "POST", .source = &source}};

    begin();
    http_call_start(&call, session, url("/count"));
    listened_wait(&spring.reads, 2);
    EXPECT(bight_http_session_end(session) == 0);
    http_session = NULL;
    ck_assert_int_eq(http_call_finish(&call), BIGHT_ECLOSED);
    ck_assert_int_eq(spring.ended, BIGHT_ECANCELED);
    return listened_end();
}

static const struct suite_case cases[] = {
    plain_case(bodies_of_all_lengths_arrive),
    plain_case(a_file_arrives),
    plain_case(a_stream_arrives),
    plain_case(a_source_that_fails_fails_the_request),
    plain_case(what_a_source_cannot_be_is_refused),
    plain_case(without_a_connection_nothing_is_read),
    plain_case(an_answer_before_the_end_ends_the_source),
    plain_case(an_opened_response_comes_when_the_body_was_sent),
    plain_case(no_redirect_is_followed),
    plain_case(whose_time_is_up_ends_its_source),
    plain_case(who_is_cancelled_ends_its_source),
    plain_case(the_end_of_the_session_ends_the_source),
};

test_suite("http_source", cases, .setup = http_case_setup, .teardown = http_case_teardown);
