/* Tasks that go on in spite of a cancellation: BIGHT_CHECK_CANCELS. A call that returns
 * BIGHT_ECANCELED or BIGHT_EDRAIN has told its task that a scope is over. What is told again in
 * that scope, late, has not left it: it retries, or has dropped the code somewhere. Cleanup that
 * takes its time under a shield is not told meanwhile, and its next call after it counts. */
#include "coro/core/scope.h"

/* The scope that is over: of the cancelled ones of the task the outermost that reaches here, or
 * else the one that drains. */
static struct bight_scope *scope_over(const struct bight_task *task)
{
    struct bight_scope *scope = task->scope, *over = scope;

    while (scope != &task->base && !(scope->kind & SCOPE_SHIELDS)) {
        scope = scope->parent;
        if (scope->effective)
            over = scope;
    }
    return over;
}

void bight__check_told(struct bight_task *task, int code)
{
    struct bight_sched *sched = task->sched;
    struct bight_scope *scope = scope_over(task);
    uint64_t now_ns = sched->driver->now_ns(sched), late_ms;

    if (!(scope->kind & SCOPE_TOLD)) {
        scope->kind |= SCOPE_TOLD;
        task->told_ns = now_ns;
        return;
    }
    late_ms = (now_ns - task->told_ns) / NS_PER_MS;
    if (late_ms < sched->options.late_ms || scope->kind & SCOPE_LATE)
        return;
    scope->kind |= SCOPE_LATE;
    bight__task_report(task, BIGHT_REPORT_LATE_CANCEL, code, late_ms,
                       "goes on in the scope in which it was cancelled");
}
