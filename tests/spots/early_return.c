/* Early return out of a scope.
 *
 * Hard: C runs nothing at the end of a block. A function that opens a scope and leaves by a
 * `return` in the middle takes the scope's memory with it, while the task still counts it as
 * open. The callback form cannot be left open, whatever way its function returns. Of the
 * mistake, the next call that waits tells the task (BIGHT_ESCOPE) and closes the scope; the
 * deadline's timer is the task's own, so nothing refers to the dead frame. */
#include <bight/runtime.h>
#include <bight/scope.h>
#include <bight/task.h>
#include <bight/time.h>

#include <stdio.h>

/* Two ways out in the middle and one at the end, all of them safe under bight_timeout. */
static int read_record(void *arg)
{
    const int *length = arg;

    if (*length < 0)
        return BIGHT_EINVAL;
    if (*length == 0)
        return 0;
    return bight_sleep(-1);
}

static __attribute__((noinline)) int forgets_end(int length)
{
    struct bight_scope scope;
    int rc = bight_scope_begin(&scope, 60000, 0);

    if (rc)
        return rc;
    if (length < 0)
        return BIGHT_EINVAL; /* the mistake: bight_scope_end is skipped */
    return bight_scope_end(&scope, bight_yield());
}

static int careless(void *arg)
{
    int rc = forgets_end(-1);

    if (rc != BIGHT_EINVAL)
        return rc;
    *(int *)arg = bight_sleep(1);
    return bight_sleep(1);
}

struct seen {
    int invalid, empty, late, waited, status, reports;
};

static int run(void *arg)
{
    struct seen *seen = arg;
    struct bight_task *task;
    int rc;

    seen->invalid = bight_timeout(5, read_record, &(int){-1});
    seen->empty = bight_timeout(5, read_record, &(int){0});
    seen->late = bight_timeout(5, read_record, &(int){1});
    rc = bight_spawn(&task, careless, &seen->waited);
    return rc ? rc : bight_join(task, &seen->status);
}

static void on_report(void *arg, const struct bight_report *report)
{
    struct seen *seen = arg;

    seen->reports += report->kind == BIGHT_REPORT_SCOPE_LEFT_OPEN;
}

int main(void)
{
    struct seen seen = {0};
    struct bight_runtime_options options = {.on_report = on_report, .on_report_arg = &seen};
    int rc = bight_run_with(&options, run, &seen);
    bool ok = rc == 0 && seen.invalid == BIGHT_EINVAL && seen.empty == 0 &&
              seen.late == BIGHT_ETIMEDOUT && seen.waited == BIGHT_ESCOPE && seen.status == 0 &&
              seen.reports == 1;

    printf("early_return: in time %d, late %s; left open: wait %s, join %d, %d report\n",
           seen.empty, bight_error_name(seen.late), bight_error_name(seen.waited), seen.status,
           seen.reports);
    return ok ? 0 : 1;
}
