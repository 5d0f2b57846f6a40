/* runtime/trace.c: what a trace has, as what a viewer reads; the last events when there are more.
 * The clock is a number that the tests move. */
#include "runtime/runtime.h"

#include <bight.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#define MS UINT64_C(1000000)

static uint64_t now;

static uint64_t now_ns(void *ctx)
{
    (void)ctx;
    return now;
}

/* Time passes while the loop waits. */
static uint64_t wait_ns(void *ctx, uint64_t deadline_ns)
{
    (void)ctx;
    if (deadline_ns > now)
        now = deadline_ns;
    return 0;
}

static void run(int (*fn)(void *arg))
{
    const struct bight_seams seams = {.now_ns = now_ns, .wait_ns = wait_ns};

    now = 1000 * MS;
    ck_ok(bight__run_with_seams(NULL, &seams, fn, NULL));
}

static void spawn(const char *name, int (*fn)(void *arg), void *arg)
{
    ck_ok(bight_spawn_with(NULL, &(struct bight_spawn_options){.name = name}, fn, arg));
}

static char text[1 << 20];
static size_t length;

static void collect(void *arg, const char *piece, size_t bytes)
{
    (void)arg;
    ck_assert_uint_lt(length + bytes, sizeof(text));
    memcpy(text + length, piece, bytes);
    length += bytes;
    text[length] = '\0';
}

static const char *end_trace(void)
{
    length = 0;
    ck_ok(bight_trace_end(collect, NULL));
    return text;
}

/* These lines are there, one behind the other. */
static void expect(const char *const *lines)
{
    const char *at = text;

    for (; *lines; lines++) {
        at = strstr(at, *lines);
        if (!at)
            ck_abort_msg("no %s in its place in: %s", *lines, text);
        at += strlen(*lines);
    }
}

/* Each trace is JSON, and in each thread spans that begin end, but for those that go on. */
static void is_sound(unsigned open_spans)
{
    char command[512];
    FILE *checker;

    snprintf(command, sizeof(command),
             "python3 -ISc 'import json, sys\n"
             "open_spans = {}\n"
             "for event in json.load(sys.stdin)[\"traceEvents\"]:\n"
             "    stack = open_spans.setdefault(event[\"tid\"], [])\n"
             "    if event[\"ph\"] == \"B\": stack.append(event[\"name\"])\n"
             "    if event[\"ph\"] == \"E\": stack.pop()\n"
             "sys.exit(sum(map(len, open_spans.values())) != %u)'",
             open_spans);
    checker = popen(command, "w");
    ck_assert_ptr_nonnull(checker);
    fputs(text, checker);
    ck_assert_int_eq(pclose(checker), 0);
}

static int five_and_waits(void *event)
{
    now += 5 * MS;
    ck_ok(bight_event_wait(event));
    now += 2 * MS;
    return 0;
}

static int yields(void *arg)
{
    (void)arg;
    now += 1 * MS;
    return bight_yield();
}

static void called(struct bight_call *call)
{
    (void)call;
    now += 3 * MS;
}

static int is_traced(void *arg)
{
    static const char *const lines[] = {
        "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [",
        "\"ph\": \"M\", \"pid\": 1, \"tid\": 0, \"ts\": 0.000, \"name\": \"thread_name\", "
        "\"args\": {\"name\": \"loop\"}}",
        "\"tid\": 2, \"ts\": 0.000, \"name\": \"thread_name\", \"args\": {\"name\": \"a "
        "\\\"b\\\"\"}",
        "{\"ph\": \"B\", \"pid\": 1, \"tid\": 2, \"ts\": 0.000, \"cat\": \"task\", \"name\": \"a ",
        "{\"ph\": \"X\", \"pid\": 1, \"tid\": 2, \"ts\": 0.000, \"cat\": \"turn\", \"name\": "
        "\"run\", "
        "\"dur\": 5000.000}",
        "{\"ph\": \"B\", \"pid\": 1, \"tid\": 2, \"ts\": 5000.000, \"cat\": \"wait\", \"name\": "
        "\"event\"}",
        "{\"ph\": \"X\", \"pid\": 1, \"tid\": 3, \"ts\": 5000.000, \"cat\": \"turn\", ",
        "\"dur\": 1000.000}",
        "{\"ph\": \"B\", \"pid\": 1, \"tid\": 3, \"ts\": 6000.000, \"cat\": \"wait\", \"name\": "
        "\"ready\"}",
        "\"tid\": 0, \"ts\": 6000.000, \"cat\": \"turn\", \"name\": \"call\", \"dur\": 3000.000}",
        "{\"ph\": \"E\", \"pid\": 1, \"tid\": 3, \"ts\": 9000.000}",
        "{\"ph\": \"E\", \"pid\": 1, \"tid\": 3, \"ts\": 9000.000}", /* the wait, and the task */
        "{\"ph\": \"E\", \"pid\": 1, \"tid\": 2, \"ts\": 9000.000}",
        "\"dur\": 2000.000}",
        "{\"ph\": \"E\", \"pid\": 1, \"tid\": 2, \"ts\": 11000.000}",
        "\n]}\n",
        NULL,
    };
    struct bight_event event;
    struct bight_call call;

    (void)arg;
    ck_ok(bight_trace_begin(NULL));
    ck_code(bight_trace_begin(NULL), BIGHT_EALREADY);
    bight_event_init(&event);
    spawn("a \"b\"", five_and_waits, &event);
    spawn("", yields, NULL);
    bight_call_init(&call, called);
    ck_ok(bight_call_soon(&call));
    ck_ok(bight_yield());
    bight_event_set(&event);
    world_settle();
    end_trace();
    expect(lines);
    is_sound(2); /* main, in whose turn the trace ended, and its wait for that turn */
    ck_code(bight_trace_end(collect, NULL), BIGHT_EINVAL);
    return 0;
}

static void turns_and_waits_are_spans(void)
{
    run(is_traced);
}

static int polls(void *arg)
{
    static const char *const lines[] = {
        "\"name\": \"sleep\"}",
        "\"tid\": 0, \"ts\": ",
        "\"cat\": \"loop\", \"name\": \"poll\", \"dur\": ",
        "\"name\": \"sleep\"}",
        NULL,
    };

    (void)arg;
    ck_ok(bight_trace_begin(NULL));
    for (int i = 0; i < 3; i++)
        ck_ok(bight_sleep(2));
    end_trace();
    expect(lines);
    is_sound(2);
    return 0;
}

static void waits_of_the_loop_are_spans(void)
{
    ck_ok(bight_run(polls, NULL));
}

/* The oldest events make room, and what is left is as sound. */
static int many(void *arg)
{
    const struct bight_trace_options options = {.events_max = 50};
    size_t runs = 0;

    (void)arg;
    ck_ok(bight_trace_begin(&options));
    for (int i = 0; i < 100; i++) {
        spawn("short", yields, NULL);
        ck_ok(bight_yield());
    }
    for (const char *at = end_trace(); (at = strstr(at, "\"name\": \"run\"")); at++)
        runs++;
    ck_assert_uint_eq(runs, 64); /* the next power of two */
    is_sound(4);                 /* main and its wait, and those of the last short one */
    return 0;
}

static int refused(void *arg)
{
    const struct bight_trace_options options = {.events_max = SIZE_MAX};

    (void)arg;
    ck_code(bight_trace_end(collect, NULL), BIGHT_EINVAL);
    ck_code(bight_trace_end_fd(1), BIGHT_EINVAL);
    ck_code(bight_trace_begin(&options), BIGHT_EINVAL);
    ck_ok(bight_trace_begin(NULL));
    ck_code(bight_trace_end_fd(-1), BIGHT_EBADF);
    ck_ok(bight_trace_begin(NULL));
    return bight_trace_end(NULL, NULL);
}

static int to_descriptor(void *arg)
{
    int ends[2];
    ssize_t got;

    (void)arg;
    ck_assert_int_eq(pipe(ends), 0);
    ck_ok(bight_trace_begin(NULL));
    ck_ok(bight_yield());
    ck_ok(bight_yield()); /* of which the first one's turn began before */
    ck_ok(bight_trace_end_fd(ends[1]));
    close(ends[1]);
    for (length = 0; (got = read(ends[0], text + length, sizeof(text) - length - 1)) > 0;)
        length += (size_t)got;
    text[length] = '\0';
    close(ends[0]);
    is_sound(2);
    return 0;
}

/* It ends with the runtime. */
static int left_on(void *arg)
{
    (void)arg;
    ck_ok(bight_trace_begin(NULL));
    return bight_yield();
}

static void without_a_runtime_there_is_none(void)
{
    ck_code(bight_trace_begin(NULL), BIGHT_ENORUNTIME);
    ck_code(bight_trace_end(collect, NULL), BIGHT_ENORUNTIME);
    ck_code(bight_trace_end_fd(1), BIGHT_ENORUNTIME);
}

static const struct suite_case cases[] = {
    plain_case(turns_and_waits_are_spans),
    plain_case(waits_of_the_loop_are_spans),
    world_case(the_last_events_are_kept, many),
    world_case(what_cannot_be_is_refused, refused),
    world_case(it_goes_to_a_descriptor, to_descriptor),
    world_case(one_left_on_ends_with_the_runtime, left_on),
    plain_case(without_a_runtime_there_is_none),
};

test_suite("trace", cases);
