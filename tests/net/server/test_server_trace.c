/* net/server/trace.c: which trace the handlers of requests are part of, and what of it is
 * logged. */
#include <bight/access_log.h>

#include <stdio.h>
#include <string.h>

#include "tests/net/server/talk.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"
#define PARENT "traceparent: 00-" TRACE "-" SPAN "-01\r\n"

/* Of the handler that ran last. */
static struct bight_trace_context seen;
static char state[BIGHT_TRACESTATE_BYTES];
static int found;

static int looks(void *out)
{
    return bight_trace_context_get(out);
}

static int handler(struct bight_exchange *exchange, void *arg)
{
    struct bight_trace_context inherited = {0}, own = {0};
    struct bight_task *task;
    int child;

    (void)arg;
    found = bight_trace_context_get(&seen);
    snprintf(state, sizeof(state), "%s", bight_trace_context_state());
    ck_ok(bight_spawn(&task, looks, &inherited));
    ck_ok(bight_join(task, &child));
    ck_assert_int_eq(child, found);
    ck_assert_int_eq(bight_exchange_trace_context(exchange, &own), found);
    if (found == 0) {
        ck_assert_mem_eq(&inherited, &seen, sizeof(seen));
        ck_assert_mem_eq(&own, &seen, sizeof(seen));
    }
    ck_ok(bight_log(BIGHT_LOG_INFO, "handled"));
    return bight_exchange_answer(exchange, 200, NULL, "", 0);
}

static void ask(const char *headers)
{
    static char request[4096];

    snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", headers);
    talk_ask(request, 200);
}

/* Whether the last request was taken for a part of TRACE; its span is its own either way. */
static bool follows(void)
{
    char text[BIGHT_TRACEPARENT_BYTES];

    ck_ok(found);
    ck_ok(bight_trace_context_format(&seen, text, sizeof(text)));
    ck_assert_ptr_null(strstr(text, SPAN));
    return memcmp(text + 3, TRACE, 32) == 0;
}

static int anyone(void *arg)
{
    static const struct bight_http_serve_options options = {.trace_context =
                                                                BIGHT_TRACE_FROM_ANYONE};
    struct bight_trace_context before;

    (void)arg;
    talk_begin(handler, &options);
    ask(PARENT "tracestate: rojo=1\r\n");
    ck_assert(follows());
    ck_assert_uint_eq(seen.flags, BIGHT_TRACE_SAMPLED);
    ck_assert_str_eq(state, "rojo=1");
    before = seen;
    ask("TraceParent: 00-" TRACE "-" SPAN "-00\r\n");
    ck_assert(follows());
    ck_assert_uint_eq(seen.flags, 0);
    ck_assert_str_eq(state, "");
    ck_assert_mem_ne(before.span_id, seen.span_id, sizeof(seen.span_id));
    ask(""); /* each begins a trace */
    ck_assert(!follows());
    ask("tracestate: rojo=1\r\n");
    ck_assert(!follows());
    ck_assert_str_eq(state, "");
    return talk_end();
}

static int odd(void *arg)
{
    static const struct bight_http_serve_options options = {.trace_context =
                                                                BIGHT_TRACE_FROM_ANYONE};

    (void)arg;
    talk_begin(handler, &options);
    ask("traceparent: 00-" TRACE "-" SPAN "-0\r\ntracestate: rojo=1\r\n");
    ck_assert(!follows());
    ck_assert_str_eq(state, "");
    ask(PARENT PARENT);
    ck_assert(!follows());
    ask(PARENT "tracestate: a=1\r\nX: y\r\nTracestate: b=2 , c=3\r\ntracestate:\r\n");
    ck_assert(follows());
    ck_assert_str_eq(state, "a=1,b=2 , c=3");
    ask(PARENT "tracestate: a=1\r\ntracestate: no member\r\n");
    ck_assert(follows());
    ck_assert_str_eq(state, "");
    return talk_end();
}

static int trusted(void *arg)
{
    static const struct bight_http_serve_options wary = {.trace_context = BIGHT_TRACE_FROM_TRUSTED};
    static const struct bight_http_serve_options trusting = {
        .trace_context = BIGHT_TRACE_FROM_TRUSTED, .trusted = "unix"};
    static const struct bight_http_serve_options off = {.trusted = "unix"};

    (void)arg;
    talk_begin(handler, &wary);
    ask(PARENT);
    ck_assert(!follows());
    ck_ok(talk_end());
    talk_begin(handler, &trusting);
    ask(PARENT);
    ck_assert(follows());
    ck_ok(talk_end());
    talk_begin(handler, &off);
    ask(PARENT);
    ck_code(found, BIGHT_ENOENT);
    return talk_end();
}

static int no_such_option(void *arg)
{
    const struct bight_http_serve_options options = {.trace_context = (enum bight_trace_from)3};
    struct bight_stream *ends[2];

    (void)arg;
    ck_ok(bight_stream_pair(&ends[0], &ends[1], NULL));
    ck_code(bight_http_serve_stream(ends[0], handler, NULL, &options), BIGHT_EINVAL);
    bight_stream_abort(ends[0]);
    bight_stream_abort(ends[1]);
    return 0;
}

/* What is logged, of the handler and of the exchange, is of one request and one span. */

static char logged[BIGHT_LOG_LINE_BYTES], accessed[1000];

static void on_log(void *arg, const struct bight_log_line *line)
{
    (void)arg;
    ck_assert_int_gt(bight_log_line_text(line, BIGHT_LOG_JSON, logged, sizeof(logged)), 0);
}

static void on_done(void *arg, const struct bight_exchange *exchange)
{
    (void)arg;
    ck_assert_int_gt(
        bight_access_log_line(exchange, BIGHT_ACCESS_LOG_JSON, accessed, sizeof(accessed)), 0);
}

/* ,"NAME":"VALUE" of a line. */
static const char *member(const char *line, const char *name, char *value)
{
    char begin[40];
    const char *at;

    snprintf(begin, sizeof(begin), "\"%s\":\"", name);
    at = strstr(line, begin);
    ck_assert_msg(at != NULL, "no %s in %s", name, line);
    sscanf(at + strlen(begin), "%99[^\"]", value);
    return value;
}

static int logs(void *arg)
{
    static const char *const names[] = {"id", "trace_id", "span_id"};
    static const struct bight_http_serve_options options = {
        .trace_context = BIGHT_TRACE_FROM_ANYONE, .request_ids = true, .on_done = on_done};
    char one[100], other[100];

    (void)arg;
    ck_ok(bight_log_set_handler((struct bight_log_handler){.fn = on_log}, NULL));
    talk_begin(handler, &options);
    ask(PARENT);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        ck_assert_str_eq(member(logged, names[i], one), member(accessed, names[i], other));
    ck_assert_str_eq(member(logged, "trace_id", one), TRACE);
    talk_ask("nonsense\r\n\r\n", 400);
    ck_assert_ptr_null(strstr(accessed, "trace_id"));
    return talk_end();
}

static const struct suite_case cases[] = {
    world_case(a_request_is_a_span_of_the_trace_that_it_names, anyone),
    world_case(what_is_not_valid_is_not_followed, odd),
    world_case(strangers_are_followed_only_if_that_is_chosen, trusted),
    world_case(other_choices_are_refused, no_such_option),
    world_case(log_and_access_log_say_the_same, logs),
};

test_suite("server trace", cases);
