/* Every allocation of every scenario fails in turn, once, and then with all that follow: each time
 * the failure surfaces as BIGHT_ENOMEM and nothing is left behind. */
#include "tests/sweeps/frame.h"

static bool may_give(int rc, bool said)
{
    return rc == (said ? BIGHT_ENOMEM : 0);
}

/* slab_new is where address space is asked for: its caller is the site. */
static const char *const callees[] = {"bight__alloc", "bight__alloc_zero", "slab_new", NULL};

static const struct sweep_kind kind = {
    .visit = "allocation",
    .seams = {.fail_alloc = sweep_visit},
    .options = {.overflow_fd = 2,
                .slow_ms = SWEEP_SLOW_MS,
                .slow_signal = SWEEP_SIGNAL,
                .checks = BIGHT_CHECK_OPEN | BIGHT_CHECK_STACKS},
    .manners = SWEEP_ONCE | SWEEP_FROM_THERE_ON,
    .may_give = may_give,
    .callees = callees,
};

static void a_single_failure_surfaces_and_leaves_nothing(int i)
{
    sweep_scenario(&kind, i, 1);
}

static void failures_without_end_surface_and_leave_nothing(int i)
{
    sweep_scenario(&kind, i, SIZE_MAX);
}

static bool all_hit(void)
{
    return sweep_all_hit(&kind);
}

static const struct suite_case cases[] = {
    each_counted(a_single_failure_surfaces_and_leaves_nothing, scenario_count),
    each_counted(failures_without_end_surface_and_leave_nothing, scenario_count),
};

test_suite("alloc_sweep", cases, .begin = sweep_share_sites, .holds = all_hit);
