/* Every system call of every scenario fails in turn, once, and then with all that follow, with
 * errors that it may have: each time the program ends and leaves nothing. What it makes of the
 * error is its own affair: some calls are only advice. */
#include "tests/sweeps/frame.h"

#include <signal.h>

#include "runtime/testing/testing.h"

static int last_error;

static bool fail_call(void *ctx, const void *site, const char *name, int *error, size_t *bytes)
{
    (void)bytes;
    if (!sweep_visit(ctx, site))
        return false;
    *error = bight__test_error(name, sweep.visits + sweep.count, last_error);
    last_error = *error;
    return true;
}

static bool may_give(int rc, bool said)
{
    return rc <= 0 && (said || rc == 0);
}

static const char *const callees[] = {"bight__call_refused", NULL};

static const struct sweep_kind kind = {
    .visit = "call",
    .seams = {.fail_call = fail_call},
    .options = {.overflow_fd = 2,
                .stack_cache = 8,
                .interrupt_signal = SIGINT,
                .slow_ms = SWEEP_SLOW_MS,
                .slow_signal = SWEEP_SIGNAL},
    /* Alone is too little for those that are made only after another one has failed. */
    .manners = SWEEP_FROM_THERE_ON,
    .may_give = may_give,
    .callees = callees,
};

static void one_failed_call_leaves_nothing(int i)
{
    sweep_scenario(&kind, i, 1);
}

static void failed_calls_without_end_leave_nothing(int i)
{
    sweep_scenario(&kind, i, SIZE_MAX);
}

static bool all_hit(void)
{
    return sweep_all_hit(&kind);
}

static const struct suite_case cases[] = {
    each_counted(one_failed_call_leaves_nothing, scenario_count),
    each_counted(failed_calls_without_end_leave_nothing, scenario_count),
};

test_suite("call_sweep", cases, .begin = sweep_share_sites, .holds = all_hit);
