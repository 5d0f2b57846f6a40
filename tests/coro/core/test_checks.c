/* What bight_runtime_options.checks looks for: tasks that go on in spite of a cancellation, what is
 * open at the end, how much of their stacks tasks use. */
#include <bight.h>
#include <bight/uv.h>

#include <stdio.h>
#include <string.h>

#include "runtime/runtime.h"
#include "runtime/testing/testing.h"
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#define ALL_CHECKS (BIGHT_CHECK_CANCELS | BIGHT_CHECK_OPEN | BIGHT_CHECK_STACKS)
#define LATE_MS 100

/* What was reported of one kind, a line each: "name text". */
static struct {
    enum bight_report_kind kind;
    char lines[2048];
    int count;
    uint64_t last_count;
    int last_code;
    size_t last_places;
} seen;

static void on_report(void *arg, const struct bight_report *report)
{
    size_t length = strlen(seen.lines);

    (void)arg;
    if (report->kind != seen.kind)
        return;
    snprintf(seen.lines + length, sizeof(seen.lines) - length, "%s %s\n", report->task_name,
             report->text);
    seen.count++;
    seen.last_count = report->count;
    seen.last_code = report->code;
    seen.last_places = report->place_count;
}

/* In virtual time. */
static int run(unsigned checks, enum bight_report_kind kind, int (*fn)(void *arg), void *arg)
{
    const struct bight_runtime_options options = {
        .checks = checks, .late_ms = LATE_MS, .on_report = on_report};
    static struct bight__test test;
    struct bight_seams seams = {0};

    memset(&seen, 0, sizeof(seen));
    seen.kind = kind;
    bight__test_time(&test, &seams);
    return bight__run_with_seams(&options, &seams, fn, arg);
}

static void spawn(struct bight_task **task, const char *name, int (*fn)(void *arg), void *arg)
{
    const struct bight_spawn_options options = {.name = name};

    ck_ok(bight_spawn_with(task, &options, fn, arg));
}

static int returns(void *arg)
{
    (void)arg;
    return 0;
}

static void unknown_checks_are_refused(void)
{
    ck_code(run(8, BIGHT_REPORT_PROGRAM, returns, NULL), BIGHT_EINVAL);
    ck_ok(run(ALL_CHECKS, BIGHT_REPORT_PROGRAM, returns, NULL));
}

/* BIGHT_CHECK_CANCELS */

static int under_shield(void *ms)
{
    return bight_sleep(*(int64_t *)ms);
}

/* Told, then busy under a shield for the given time, then told again, twice. */
static int goes_on(void *ms)
{
    int rc = bight_sleep(1000000);

    ck_assert(rc == BIGHT_ECANCELED || rc == BIGHT_EDRAIN);
    ck_ok(bight_shield(-1, under_shield, ms));
    ck_code(bight_sleep(1), rc);
    ck_code(bight_yield(), rc);
    return rc;
}

static int cancels(void *ms)
{
    struct bight_task *task;
    int status;

    spawn(&task, "goes on", goes_on, ms);
    ck_ok(bight_yield());
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_assert_int_eq(status, BIGHT_ECANCELED);
    return 0;
}

static void who_goes_on_for_long_is_reported_once(void)
{
    int64_t ms = LATE_MS + 20;

    ck_ok(run(BIGHT_CHECK_CANCELS, BIGHT_REPORT_LATE_CANCEL, cancels, &ms));
    ck_assert_str_eq(seen.lines, "goes on goes on in the scope in which it was cancelled\n");
    ck_assert_uint_ge(seen.last_count, LATE_MS);
    ck_assert_int_eq(seen.last_code, BIGHT_ECANCELED);
    ck_assert_uint_eq(seen.last_places, 1);
    ck_ok(run(ALL_CHECKS & ~BIGHT_CHECK_CANCELS, BIGHT_REPORT_LATE_CANCEL, cancels, &ms));
    ck_assert_int_eq(seen.count, 0);
}

/* Scopes one after the other, each told, for longer than one may go on. */
static int leaves_each(void *arg)
{
    (void)arg;
    for (int i = 0; i < 8; i++) {
        struct bight_scope scope;
        int rc;

        ck_ok(bight_scope_begin(&scope, LATE_MS / 4, 0));
        rc = bight_sleep(1000000);
        rc = rc ? bight_yield() : 0;
        ck_code(bight_scope_end(&scope, rc), BIGHT_ETIMEDOUT);
    }
    return 0;
}

static void who_leaves_each_scope_is_not(void)
{
    ck_ok(run(BIGHT_CHECK_CANCELS, BIGHT_REPORT_LATE_CANCEL, leaves_each, NULL));
    ck_assert_int_eq(seen.count, 0);
}

static int drains(void *ms)
{
    struct bight_scope scope;
    int rc;

    ck_ok(bight_scope_begin(&scope, -1, BIGHT_SCOPE_STOPPABLE));
    bight_scope_drain(&scope);
    rc = goes_on(ms);
    ck_code(bight_scope_end(&scope, rc), BIGHT_EDRAIN);
    return 0;
}

static void a_drain_counts_as_well(void)
{
    int64_t ms = LATE_MS + 20;

    ck_ok(run(BIGHT_CHECK_CANCELS, BIGHT_REPORT_LATE_CANCEL, drains, &ms));
    ck_assert_int_eq(seen.count, 1);
    ck_assert_int_eq(seen.last_code, BIGHT_EDRAIN);
}

/* BIGHT_CHECK_OPEN */

static int sleeps(void *arg)
{
    (void)arg;
    return bight_sleep(1000000);
}

static int opens_and_leaves(void *arg)
{
    static uv_timer_t timer;
    struct bight_stream *left, *right;
    struct bight_listener *listener;
    struct bight_udp *udp;

    (void)arg;
    spawn(NULL, "sleeper", sleeps, NULL);
    spawn(NULL, "fresh", sleeps, NULL);
    ck_ok(bight_stream_pair(&left, &right, NULL));
    bight_stream_abort(left);
    ck_ok(bight_tcp_listen(&listener, "127.0.0.1", 0, NULL));
    ck_ok(bight_udp_open(&udp, "127.0.0.1", 0, NULL));
    ck_assert_int_eq(uv_timer_init(bight_uv_loop(), &timer), 0);
    ck_ok(bight_yield());
    spawn(NULL, "fresher", sleeps, NULL);
    return 0;
}

static void tasks_that_main_leaves_are_told(void)
{
    ck_ok(run(BIGHT_CHECK_OPEN, BIGHT_REPORT_LEFT_RUNNING, opens_and_leaves, NULL));
    ck_assert_int_eq(seen.count, 3);
    ck_assert_ptr_eq(strstr(seen.lines, "sleeper at the end of main: waits for sleep ("),
                     seen.lines);
    ck_assert_ptr_nonnull(strstr(seen.lines, "\nfresh at the end of main: waits for sleep ("));
    ck_assert_ptr_nonnull(strstr(seen.lines, "\nfresher at the end of main: ready to run\n"));
    ck_assert_uint_eq(seen.last_places, 1);
}

static void what_is_left_open_is_told_with_its_place(void)
{
    ck_ok(run(BIGHT_CHECK_OPEN, BIGHT_REPORT_LEFT_OPEN, opens_and_leaves, NULL));
    ck_assert_ptr_nonnull(strstr(seen.lines, " a stream: "));
    ck_assert_ptr_nonnull(strstr(seen.lines, " a listener\n"));
    ck_assert_ptr_nonnull(strstr(seen.lines, " a UDP socket\n"));
    ck_assert_ptr_nonnull(strstr(seen.lines, " a handle of libuv's: uv_timer_t\n"));
    ck_assert_int_eq(seen.count, 4);
}

static bool opened_here;

static void looks_for_place(void *arg, const struct bight_report *report)
{
    (void)arg;
    if (report->kind != BIGHT_REPORT_LEFT_OPEN)
        return;
    for (size_t i = 0; i < report->place_count; i++)
        opened_here |= (uintptr_t)report->places[i] - (uintptr_t)opens_and_leaves < 2048;
}

static void the_place_is_where_it_was_opened(void)
{
    const struct bight_runtime_options options = {.checks = BIGHT_CHECK_OPEN,
                                                  .on_report = looks_for_place};

    ck_ok(bight_run_with(&options, opens_and_leaves, NULL));
    ck_assert(opened_here);
}

static void without_the_check_nobody_tells(void)
{
    ck_ok(run(ALL_CHECKS & ~BIGHT_CHECK_OPEN, BIGHT_REPORT_LEFT_OPEN, opens_and_leaves, NULL));
    ck_assert_int_eq(seen.count, 0);
}

/* BIGHT_CHECK_STACKS */

#define DEEP_BYTES 40000

static __attribute__((noinline)) int goes_deep(size_t bytes)
{
    char frame[1000];

    memset(frame, (int)(bytes | 1), sizeof(frame));
    if (bytes > sizeof(frame) && goes_deep(bytes - sizeof(frame)) == 7)
        return 7;
    return frame[bytes % sizeof(frame)] == 0;
}

/* Between two waits. */
static int is_deep(void *arg)
{
    (void)arg;
    return goes_deep(DEEP_BYTES) ? BIGHT_EIO : bight_yield();
}

static int has_marks(void *arg)
{
    struct bight_stack_mark marks[8];
    struct bight_task *task;
    int count;

    (void)arg;
    for (int i = 0; i < 3; i++) {
        spawn(&task, "deep", is_deep, NULL);
        ck_ok(bight_join(task, NULL));
    }
    spawn(NULL, "sleeper", sleeps, NULL);
    ck_ok(bight_yield());
    count = bight_runtime_get_stack_marks(marks, 8);
    ck_assert_int_ge(count, 2); /* main, and the places of spawn, which may be one */
    ck_assert_int_le(count, 3);
    ck_assert_uint_ge(marks[0].used, DEEP_BYTES - 2000); /* the innermost frame may be none */
    ck_assert_uint_le(marks[0].used, DEEP_BYTES * 4);
    ck_assert_uint_ge(marks[0].suggested_bytes, marks[0].used + marks[0].used / 2);
    ck_assert_uint_ge(marks[0].bytes, marks[0].used);
    ck_assert_uint_ge(marks[0].tasks, 3);
    ck_assert_str_eq(marks[0].name, "deep");
    ck_assert_int_eq(bight_runtime_get_stack_marks(marks, 1), 1);
    ck_assert_str_eq(marks[0].name, "others");
    ck_assert_uint_eq(marks[0].tasks, 5);
    ck_code(bight_runtime_get_stack_marks(marks, 0), BIGHT_EINVAL);
    ck_code(bight_runtime_get_stack_marks(NULL, 1), BIGHT_EINVAL);
    return 0;
}

static void stacks_are_measured_to_the_deepest(void)
{
    struct bight_stack_mark mark;

    ck_code(bight_runtime_get_stack_marks(&mark, 1), BIGHT_ENORUNTIME);
    ck_ok(run(BIGHT_CHECK_STACKS, BIGHT_REPORT_STACK_MARK, has_marks, NULL));
    ck_assert_int_ge(seen.count, 2);
    ck_assert_ptr_eq(strstr(seen.lines, "deep "), seen.lines);
    ck_assert_ptr_nonnull(strstr(seen.lines, " would do\n"));
}

static int has_no_marks(void *arg)
{
    struct bight_stack_mark mark;

    (void)arg;
    ck_code(bight_runtime_get_stack_marks(&mark, 1), 0);
    return 0;
}

static void without_the_check_there_are_no_marks(void)
{
    ck_ok(run(0, BIGHT_REPORT_STACK_MARK, has_no_marks, NULL));
    ck_assert_int_eq(seen.count, 0);
}

static const struct suite_case cases[] = {
    plain_case(unknown_checks_are_refused),
    plain_case(who_goes_on_for_long_is_reported_once),
    plain_case(who_leaves_each_scope_is_not),
    plain_case(a_drain_counts_as_well),
    plain_case(tasks_that_main_leaves_are_told),
    plain_case(what_is_left_open_is_told_with_its_place),
    plain_case(the_place_is_where_it_was_opened),
    plain_case(without_the_check_nobody_tells),
    plain_case(stacks_are_measured_to_the_deepest),
    plain_case(without_the_check_there_are_no_marks),
};

test_suite("checks", cases);
