/* runtime/log.c and log_line.c: what of the program and of the runtime comes to the log's handler,
 * with which task, request and trace, and what its lines look like. */
#include "runtime/log.h"

#include <bight.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#define PARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

/* The lines so far, each as "LEVEL #TASK NAME ID TRACE: TEXT", and the last one as JSON. */
static char seen[8192];
static char json[BIGHT_LOG_LINE_BYTES];

static void note(void *arg, const struct bight_log_line *line)
{
    char parent[BIGHT_TRACEPARENT_BYTES] = "-";
    size_t used = strlen(seen);

    ck_assert_ptr_eq(arg, seen);
    if (line->trace)
        ck_ok(bight_trace_context_format(line->trace, parent, sizeof(parent)));
    snprintf(seen + used, sizeof(seen) - used, "%d #%d %s %d %s: %s\n", line->level,
             (int)line->task_id, line->task_name, (int)line->request_id, parent, line->text);
    ck_assert_int_eq(bight_log_line_text(line, BIGHT_LOG_JSON, json, sizeof(json)),
                     (int64_t)strlen(json));
    ck_ok(bight_log(BIGHT_LOG_ERROR, "within the handler")); /* is dropped */
    ck_assert(!bight_log_wants(BIGHT_LOG_ERROR));
}

static void listen_to(enum bight_log_level least)
{
    const struct bight_log_handler handler = {.fn = note, .arg = seen, .least = least};

    seen[0] = '\0';
    ck_ok(bight_log_set_handler(handler, NULL));
}

static void expect(const char *lines)
{
    ck_assert_str_eq(seen, lines);
    seen[0] = '\0';
}

static void give_context(void)
{
    struct bight_trace_context context;

    ck_ok(bight_trace_context_parse(&context, PARENT));
    ck_ok(bight_trace_context_set(&context, NULL));
    ck_ok(bight__request_id_set(77));
}

/* Lines of the program */

static int says(void *what)
{
    return bight_log(BIGHT_LOG_WARNING, "%s", (const char *)what);
}

static void says_called(struct bight_call *call)
{
    (void)call;
    ck_ok(bight_log(BIGHT_LOG_ERROR, "outside"));
}

static int lines_say_who(void *arg)
{
    const struct bight_spawn_options named = {.name = "child"};
    struct bight_call call;

    (void)arg;
    ck_assert(!bight_log_wants(BIGHT_LOG_ERROR));
    ck_ok(bight_log(BIGHT_LOG_ERROR, "to nobody"));
    listen_to(BIGHT_LOG_INFO);
    ck_ok(bight_log(BIGHT_LOG_INFO, "%d and %s", 1, "two"));
    expect("0 #1 main 0 -: 1 and two\n");
    give_context();
    ck_ok(bight_spawn_with(NULL, &named, says, "inherited"));
    bight_call_init(&call, says_called);
    ck_ok(bight_call_soon(&call));
    world_settle();
    expect("1 #2 child 77 " PARENT ": inherited\n2 #0  0 -: outside\n");
    return 0;
}

static int levels_are_chosen(void *arg)
{
    struct bight_log_handler before;

    (void)arg;
    listen_to(BIGHT_LOG_WARNING);
    ck_assert(!bight_log_wants(BIGHT_LOG_INFO));
    ck_assert(bight_log_wants(BIGHT_LOG_WARNING));
    ck_ok(bight_log(BIGHT_LOG_DEBUG, "debug"));
    ck_ok(bight_log(BIGHT_LOG_INFO, "info"));
    ck_ok(bight_log(BIGHT_LOG_ERROR, "error"));
    expect("2 #1 main 0 -: error\n");
    listen_to(BIGHT_LOG_DEBUG);
    ck_ok(bight_log(BIGHT_LOG_DEBUG, "debug"));
    expect("-1 #1 main 0 -: debug\n");
    ck_ok(bight_log_set_handler((struct bight_log_handler){0}, &before));
    ck_assert_ptr_eq(before.arg, seen);
    ck_assert_int_eq(before.least, BIGHT_LOG_DEBUG);
    ck_ok(bight_log(BIGHT_LOG_ERROR, "to nobody"));
    expect("");
    return 0;
}

static int long_lines_are_cut(void *arg)
{
    static char long_text[2 * BIGHT_LOG_TEXT_BYTES];

    (void)arg;
    memset(long_text, 1, sizeof(long_text) - 1); /* six bytes each in JSON */
    listen_to(BIGHT_LOG_INFO);
    ck_ok(bight_log(BIGHT_LOG_INFO, "%s", long_text));
    ck_assert_uint_eq(strlen(strchr(seen, ':') + 2), BIGHT_LOG_TEXT_BYTES - 1 + 1);
    return 0;
}

/* Reports */

static int fails(void *arg)
{
    (void)arg;
    return BIGHT_EIO;
}

static int reports_are_lines(void *arg)
{
    const struct bight_spawn_options named = {.name = "fails"};
    struct world_reports *reports = arg;

    listen_to(BIGHT_LOG_INFO);
    ck_ok(bight_spawn_with(NULL, &named, fails, NULL));
    world_settle();
    expect("2 #2 fails 0 -: failed, and nobody has its handle\n");
    ck_assert_ptr_nonnull(strstr(json, ",\"code\":-5,\"text\":"));
    give_context();
    ck_ok(bight_spawn_with(NULL, &named, fails, NULL));
    world_settle();
    expect("2 #3 fails 77 " PARENT ": failed, and nobody has its handle\n");
    ck_ok(bight_report_send(0, "all is well"));
    ck_ok(bight_report_send(BIGHT_EIO, "it is not"));
    expect("0 #1 main 77 " PARENT ": all is well\n2 #1 main 77 " PARENT ": it is not\n");
    ck_assert_uint_eq(reports->count[BIGHT_REPORT_UNSEEN_FAILURE], 2); /* as before */
    ck_assert_uint_eq(reports->count[BIGHT_REPORT_PROGRAM], 2);
    return 0;
}

static void reports_go_to_the_log_too(void)
{
    struct world_reports reports;

    ck_ok(world_run(reports_are_lines, &reports, &reports));
}

static int is_never_joined(void *arg)
{
    struct bight_task *task;

    (void)arg;
    listen_to(BIGHT_LOG_INFO);
    return bight_spawn(&task, says, "soon over");
}

static void reports_at_the_end_are_lines(void)
{
    struct world_reports reports;

    ck_ok(world_run(is_never_joined, NULL, &reports));
    expect("1 #2  0 -: ended, but its handle was never joined nor detached\n");
}

/* What lines look like */

static char text[BIGHT_LOG_LINE_BYTES];

static struct bight_log_line hostile(void)
{
    static struct bight_trace_context context;

    ck_ok(bight_trace_context_parse(&context, PARENT));
    return (struct bight_log_line){
        .level = BIGHT_LOG_ERROR,
        .task_id = 5,
        .task_name = "a\n\"b\"",
        .request_id = 0xabc,
        .trace = &context,
        .text = "caf\xc3\xa9 \xff \x1b[2J \\ \"x\"\r\nerror: made up",
    };
}

static void json_cannot_be_broken(void)
{
    struct bight_log_line line = hostile();
    char command[1024];
    FILE *checker;

    ck_assert_int_gt(bight_log_line_text(&line, BIGHT_LOG_JSON, text, sizeof(text)), 0);
    ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
    snprintf(
        command, sizeof(command),
        "python3 -ISc 'import json, sys, datetime\n"
        "line = json.load(sys.stdin)\n"
        "datetime.datetime.strptime(line.pop(\"time\"), \"%%Y-%%m-%%dT%%H:%%M:%%S.%%fZ\")\n"
        "assert line == {\"level\": \"error\", \"task\": 5, \"task_name\": \"a\\n\\\"b\\\"\",\n"
        "    \"id\": \"0000000000000abc\", \"trace_id\": \"4bf92f3577b34da6a3ce929d0e0e4736\",\n"
        "    \"span_id\": \"00f067aa0ba902b7\", \"sampled\": True,\n"
        "    \"text\": \"caf\\u00e9 \\u00ff \\x1b[2J \\\\ \\\"x\\\"\\r\\nerror: made up\"}, line'");
    checker = popen(command, "w");
    ck_assert_ptr_nonnull(checker);
    fputs(text, checker);
    ck_assert_int_eq(pclose(checker), 0);
}

static void text_is_one_line(void)
{
    struct bight_log_line line = hostile();
    const struct bight_report report = {.code = BIGHT_EIO};

    ck_assert_int_eq(bight_log_line_text(&line, BIGHT_LOG_TEXT, text, sizeof(text)),
                     (int64_t)strlen(text));
    ck_assert_str_eq(text + 24, " error #5 a?\"b\": caf\xc3\xa9 \xff ?[2J \\ \"x\"??error: made up"
                                " id=0000000000000abc trace_id=4bf92f3577b34da6a3ce929d0e0e4736\n");
    line = (struct bight_log_line){.level = 7, .text = "", .report = &report};
    ck_assert_int_gt(bight_log_line_text(&line, BIGHT_LOG_TEXT, text, sizeof(text)), 0);
    snprintf(json, sizeof(json), " error:  (%s)\n", bight_strerror(BIGHT_EIO));
    ck_assert_str_eq(text + 24, json);
}

static void lines_want_room(void)
{
    struct bight_log_line line = hostile();

    strcpy(text, "as before");
    ck_code((int)bight_log_line_text(&line, BIGHT_LOG_JSON, text, 100), BIGHT_ETOOBIG);
    ck_assert_str_eq(text, "as before");
    ck_code((int)bight_log_line_text(&line, (enum bight_log_format)5, text, sizeof(text)),
            BIGHT_EINVAL);
}

static void without_a_runtime_there_is_none(void)
{
    ck_code(bight_log(BIGHT_LOG_ERROR, "x"), BIGHT_ENORUNTIME);
    ck_code(bight_log_set_handler((struct bight_log_handler){0}, NULL), BIGHT_ENORUNTIME);
    ck_assert(!bight_log_wants(BIGHT_LOG_ERROR));
}

static const struct suite_case cases[] = {
    world_case(a_line_says_who_has_said_it, lines_say_who),
    world_case(lines_below_the_least_level_are_dropped, levels_are_chosen),
    world_case(a_long_line_is_cut, long_lines_are_cut),
    plain_case(reports_go_to_the_log_too),
    plain_case(reports_at_the_end_are_lines),
    plain_case(json_cannot_be_broken),
    plain_case(text_is_one_line),
    plain_case(lines_want_room),
    plain_case(without_a_runtime_there_is_none),
};

test_suite("log", cases);
