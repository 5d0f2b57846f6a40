/* runtime/metrics.c, offload/metrics.c, net/monitor/metrics.c: what a parser of others understands
 * of the figures, and that it is what is. */
#include <bight.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

/* The system's, which has the parser. */
#define PYTHON "/usr/bin/python3 -Is"
#define IMPORT                                                                                     \
    "from prometheus_client.openmetrics.parser import text_string_to_metric_families as p"

static void begin(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (system(PYTHON " -c '" IMPORT "' 2>/dev/null") != 0)
        test_skip("python3-prometheus-client");
}

static char text[16384];

static const char *get(void)
{
    ck_assert_int_eq(bight_metrics_text(text, sizeof(text)), (int64_t)strlen(text));
    return text;
}

/* The parser takes the text, and `python` holds for m: each sample's value by its name and then its
 * labels in order. */
static void holds(const char *python)
{
    static char command[2048];
    FILE *parser;

    snprintf(command, sizeof(command),
             PYTHON
             " -c '" IMPORT "\n"
             "import sys\n"
             "m = {}\n"
             "for family in p(sys.stdin.read()):\n"
             "    assert family.name.startswith(\"bight_\") and family.documentation, family\n"
             "    for s in family.samples:\n"
             "        key = (s.name, *(s.labels[k] for k in sorted(s.labels)))\n"
             "        assert key not in m, key\n"
             "        m[key] = s.value\n"
             "assert %s, m'",
             python);
    parser = popen(command, "w");
    ck_assert_ptr_nonnull(parser);
    fputs(text, parser);
    ck_assert_msg(pclose(parser) == 0, "not so: %s, of:\n%s", python, text);
}

static void spawn(const char *name, int (*fn)(void *arg), void *arg)
{
    ck_ok(bight_spawn_with(NULL, &(struct bight_spawn_options){.name = name}, fn, arg));
}

static int waits(void *event)
{
    return bight_event_wait(event);
}

/* Figures that are always there */

static int plain(void *arg)
{
    struct bight_event event;

    (void)arg;
    bight_event_init(&event);
    spawn("one", waits, &event);
    spawn("two", waits, &event);
    spawn("three", world_forever, NULL);
    ck_ok(bight_yield());
    get();
    holds(
        "m[\"bight_tasks\", \"running\"] == 1 and m[\"bight_tasks\", \"waiting\"] == 3 and "
        "m[\"bight_tasks\", \"ready\"] == 0 and m[\"bight_tasks_spawned_total\",] == 4 and "
        "m[\"bight_tasks_waiting\", \"event\"] == 2 and m[\"bight_tasks_waiting\", \"sleep\"] == 1 "
        "and m[\"bight_measuring\",] == 0 and m[\"bight_turns_total\",] == 5");
    ck_assert_ptr_null(strstr(text, "seconds"));
    ck_assert_ptr_null(strstr(text, "executor"));
    bight_event_set(&event);
    return 0;
}

/* Measured ones, and a name that may be anybody's */

static int keeps_the_loop(void *arg)
{
    (void)arg;
    usleep(2000);
    return 0;
}

static int measured(void *arg)
{
    (void)arg;
    ck_ok(bight_runtime_set_measuring(true));
    spawn("a\\b \"c\"\nd\t\xc3\xa4\xff\xe2\x82", keeps_the_loop, NULL);
    world_settle();
    get();
    holds(
        "m[\"bight_measuring\",] == 1 and m[\"bight_measured_seconds_total\",] >= "
        "m[\"bight_turns_seconds_total\",] >= 0.002 and m[\"bight_poll_seconds_total\",] >= 0 and "
        "0.002 <= m[\"bight_longest_turn_seconds\", "
        "\"a\\\\b \\\"c\\\"\\nd?\\u00e4???\"] < 10 and m[\"bight_tasks_ready_most\",] >= 1");
    return 0;
}

static void measured_ones_have_seconds_and_any_name(void)
{
    ck_ok(bight_run(measured, NULL)); /* in real time */
}

/* Executors */

static int nothing(struct bight_job *job)
{
    (void)job;
    return 0;
}

static const struct bight_job_def nothing_job = {.name = "nothing", .fn = nothing};

static int executors(void *arg)
{
    struct bight_executor *one, *two;
    struct bight_result result;

    (void)arg;
    ck_ok(bight_threads_new(&one, &(struct bight_threads_options){.threads_most = 3}));
    ck_ok(bight_threads_new(&two, &(struct bight_threads_options){.threads_most = 5}));
    for (int i = 0; i < 7; i++) {
        ck_ok(bight_execute(two, &nothing_job, NULL, 0, &result));
        bight_result_free(&result);
    }
    get();
    holds("m[\"bight_executor_workers_most\", \"1\", \"threads\"] == 3 and "
          "m[\"bight_executor_workers_most\", \"2\", \"threads\"] == 5 and "
          "m[\"bight_executor_jobs_ended_total\", \"1\", \"threads\"] == 0 and "
          "m[\"bight_executor_jobs_ended_total\", \"2\", \"threads\"] == 7 and "
          "m[\"bight_executor_jobs\", \"2\", \"threads\"] == 0 and "
          "m[\"bight_executor_workers_started_total\", \"2\", \"threads\"] >= 1 and "
          "m[\"bight_executor_workers_died_total\", \"2\", \"threads\"] == 0 and "
          "m[\"bight_slices_total\",] >= 1");
    ck_ok(bight_executor_end(one));
    get();
    holds("(\"bight_executor_jobs\", \"1\", \"threads\") not in m and "
          "(\"bight_executor_jobs\", \"2\", \"threads\") in m");
    ck_ok(bight_executor_end(two));
    get();
    holds("not any(\"executor\" in key[0] for key in m)");
    return 0;
}

/* Ways to get them */

static int too_small(void *arg)
{
    size_t bytes = strlen(get());

    (void)arg;
    ck_assert_int_eq(bight_metrics_text(text, bytes), BIGHT_ETOOBIG);
    ck_assert_int_eq(bight_metrics_text(text, 0), BIGHT_ETOOBIG);
    ck_assert_int_eq(bight_metrics_text(text, bytes + 1), (int64_t)bytes);
    return 0;
}

static struct bight_listener *listener;

static int serves(void *arg)
{
    (void)arg;
    return bight_monitor_serve(listener, NULL);
}

static int monitor(void *arg)
{
    char folder[] = "/tmp/bight-metrics-XXXXXX", path[64];
    struct bight_stream *stream;
    size_t used = 0;
    int64_t got;

    (void)arg;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/socket", folder);
    ck_ok(bight_monitor_listen(&listener, path));
    spawn("monitor", serves, NULL);
    ck_ok(bight_unix_connect(&stream, path));
    ck_ok(bight_stream_write(stream, "metrics\n", 8));
    while ((got = bight_stream_read_line(stream, text + used, sizeof(text) - used)) > 0) {
        used += (size_t)got;
        strcpy(text + used++, "\n");
    }
    ck_assert_int_eq(got, 0); /* the empty line */
    ck_assert_str_eq(text + used - 6, "# EOF\n");
    holds(
        "m[\"bight_tasks\", \"running\"] == 1 and m[\"bight_tasks_waiting\", \"connection\"] == 1");
    ck_ok(bight_stream_end(stream, -1));
    ck_ok(bight_listener_close(listener));
    world_settle();
    return rmdir(folder);
}

static void without_a_runtime_there_are_none(void)
{
    ck_assert_int_eq(bight_metrics_text(text, sizeof(text)), BIGHT_ENORUNTIME);
}

static const struct suite_case cases[] = {
    world_case(figures_are_what_a_parser_reads, plain),
    plain_case(measured_ones_have_seconds_and_any_name),
    world_case(executors_are_told_apart, executors),
    world_case(a_small_buffer_is_too_small, too_small),
    world_case(the_monitor_answers_them, monitor),
    plain_case(without_a_runtime_there_are_none),
};

test_suite("metrics", cases, .begin = begin);
