/* Every suspension of every scenario finds its task cancelled in turn: alone, together with the
 * next one (often that of a cleanup), and with all that follow. Each time the program ends, with
 * BIGHT_ECANCELED or, where only a child was cancelled, without an error, and leaves nothing. */
#include "tests/sweeps/frame.h"

static bool may_give(int rc, bool said)
{
    return rc == 0 || (said && rc == BIGHT_ECANCELED);
}

static const char *const callees[] = {"bight__checkpoint_slow", "bight_park", NULL};

static const struct sweep_kind kind = {
    .visit = "suspension",
    .seams = {.cancel_here = sweep_cancel},
    .manners = SWEEP_ONCE | SWEEP_TWICE | SWEEP_FROM_THERE_ON,
    .may_give = may_give,
    .callees = callees,
};

static void one_cancelled_suspension_leaves_nothing(int i)
{
    sweep_scenario(&kind, i, 1);
}

static void two_cancelled_suspensions_in_a_row_leave_nothing(int i)
{
    sweep_scenario(&kind, i, 2);
}

static void cancelled_from_a_suspension_on_everything_ends(int i)
{
    sweep_scenario(&kind, i, SIZE_MAX);
}

static bool all_hit(void)
{
    return sweep_all_hit(&kind);
}

static const struct suite_case cases[] = {
    each_counted(one_cancelled_suspension_leaves_nothing, scenario_count),
    each_counted(two_cancelled_suspensions_in_a_row_leave_nothing, scenario_count),
    each_counted(cancelled_from_a_suspension_on_everything_ends, scenario_count),
};

test_suite("cancel_sweep", cases, .begin = sweep_share_sites, .holds = all_hit);
