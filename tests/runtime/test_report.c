/* Who is told of reports, and reports of the program's own. */
#include <bight.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

static struct bight_report last;
static int told;

static void on_report(void *arg, const struct bight_report *report)
{
    ck_assert_ptr_eq(arg, &told);
    last = *report;
    told++;
}

static int handlers_change(void *arg)
{
    const struct bight_report_handler mine = {.fn = on_report, .arg = &told};
    const struct bight_report_handler nobody = {0};
    struct bight_report_handler first, before;

    ck_ok(bight_report_set_handler(mine, &first));
    ck_ok(bight_report_send(BIGHT_EIO, "the disk is slow"));
    ck_assert_int_eq(told, 1);
    ck_assert_int_eq(last.kind, BIGHT_REPORT_PROGRAM);
    ck_assert_int_eq(last.code, BIGHT_EIO);
    ck_assert_str_eq(last.text, "the disk is slow");
    ck_assert_uint_eq(last.task_id, bight_task_id(bight_self()));
    ck_ok(bight_report_set_handler(nobody, &before));
    ck_assert_ptr_eq(before.arg, &told);
    ck_assert(before.fn == on_report);
    ck_ok(bight_report_send(BIGHT_EIO, "nobody listens"));
    ck_assert_int_eq(told, 1);
    ck_ok(bight_report_set_handler(first, NULL));
    ck_ok(bight_report_send(BIGHT_EPIPE, "as in the beginning"));
    ck_assert_int_eq(told, 1);
    (void)arg;
    return 0;
}

static void the_handler_changes_while_the_runtime_runs(void)
{
    struct world_reports reports;

    ck_code(bight_report_send(0, ""), BIGHT_ENORUNTIME);
    ck_code(bight_report_set_handler((struct bight_report_handler){0}, NULL), BIGHT_ENORUNTIME);
    ck_ok(world_run(handlers_change, NULL, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_PROGRAM], 1);
    ck_assert_int_eq(reports.last_code, BIGHT_EPIPE);
}

static const struct suite_case cases[] = {
    plain_case(the_handler_changes_while_the_runtime_runs),
};

test_suite("report", cases);
