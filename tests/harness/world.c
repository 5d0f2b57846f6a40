#include "tests/harness/world.h"

#include "runtime/testing/testing.h"
#include "tests/harness/support.h"

#include <string.h>

static void on_report(void *arg, const struct bight_report *report)
{
    struct world_reports *reports = arg;

    if (!reports)
        ck_abort_msg("report: task #%llu %s: %s", (unsigned long long)report->task_id,
                     report->task_name, report->text);
    reports->count[report->kind]++;
    reports->last_code = report->code;
    strncpy(reports->last_task, report->task_name, sizeof(reports->last_task) - 1);
}

/* The first loop of a process makes libuv's signal pipe, which stays. */
static void warm_up(void)
{
    uv_loop_t loop;

    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

int world_run(int (*body)(void *arg), void *arg, struct world_reports *reports)
{
    struct bight_runtime_options options = {.on_report = on_report, .on_report_arg = reports};
    struct bight__test test;
    struct bight_seams seams = {0};
    int before, rc;

    warm_up();
    before = test_open_fds();
    if (reports)
        memset(reports, 0, sizeof(*reports));
    bight__test_time(&test, &seams);
    rc = bight__run_with_seams(&options, &seams, body, arg);
    ck_assert_int_eq(test_open_fds(), before);
    ck_assert_ptr_null(bight_self());
    return rc;
}

int world_plain(int (*body)(void *arg), void *arg)
{
    return world_run(body, arg, NULL);
}

void world_code(int rc, int code, const char *call, const char *file, int line)
{
    if (rc == code)
        return;
    _ck_assert_failed(file, line, NULL, "%s: %s (%d), not %s (%d)", call,
                      rc < 0 ? bight_error_name(rc) : "success", rc,
                      code < 0 ? bight_error_name(code) : "success", code);
}

int world_forever(void *arg)
{
    (void)arg;
    return bight_sleep(-1);
}

int world_return(void *arg)
{
    return *(int *)arg;
}

int world_add_one(void *arg)
{
    ++*(int *)arg;
    return 0;
}

void world_settle(void)
{
    for (int i = 0; i < 4; i++)
        ck_ok(bight_yield());
}
