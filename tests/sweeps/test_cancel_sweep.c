/* Every suspension of every scenario finds its task cancelled in turn: alone, together with the next
 * one (often that of a cleanup), and with all that follow. Each time the program ends, with
 * BIGHT_ECANCELED or, where only a child was cancelled, without an error, and leaves nothing. */
#include <bight.h>

#include "runtime/runtime.h"
#include "tests/sweeps/scenarios.h"
#include "tests/harness/support.h"
#include "tests/harness/sweep.h"

static struct sweep sweep;

static int run(const struct scenario *scenario, size_t from, size_t count)
{
    struct bight_seams seams = {.cancel_here = sweep_cancel};

    sweep_start(&sweep, &seams, from, count);
    return bight__run_with_seams(NULL, &seams, scenario->fn, NULL);
}

/* What the process holds for good, after some runs. */
static int fds, maps;

static void check_run(const struct scenario *scenario, size_t from, size_t count)
{
    long blocks = counted_blocks();
    int rc = run(scenario, from, count);

    blocks = counted_blocks() - blocks;
    ck_assert_msg(rc == 0 || (sweep.said && rc == BIGHT_ECANCELED), "%s, suspension %zu: %s",
                  scenario->name, from, bight_error_name(rc));
    ck_assert_msg(scenario_balance == 0, "%s, suspension %zu: %d left", scenario->name, from,
                  scenario_balance);
    ck_assert_msg(blocks == 0, "%s, suspension %zu: %+ld blocks", scenario->name, from, blocks);
    ck_assert_msg(test_open_fds() == fds && sweep_maps() == maps,
                  "%s, suspension %zu: %+d descriptors, %+d mappings", scenario->name, from,
                  test_open_fds() - fds, sweep_maps() - maps);
}

static void sweep_scenario(const struct scenario *scenario, size_t count)
{
    count_blocks_of_libuv();
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(run(scenario, SIZE_MAX, 0), 0);
    fds = test_open_fds();
    maps = sweep_maps();
    for (size_t from = 0;; from++) {
        check_run(scenario, from, count);
        if (!sweep.said)
            break;
    }
}

START_TEST(one_cancelled_suspension_leaves_nothing)
{
    sweep_scenario(&scenarios[_i], 1);
}
END_TEST

START_TEST(two_cancelled_suspensions_in_a_row_leave_nothing)
{
    sweep_scenario(&scenarios[_i], 2);
}
END_TEST

START_TEST(cancelled_from_a_suspension_on_everything_ends)
{
    sweep_scenario(&scenarios[_i], SIZE_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cancel_sweep");
    TCase *tc = tcase_create("cancel_sweep");
    sweep_share_sites();
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, one_cancelled_suspension_leaves_nothing, 0, scenario_count);
    tcase_add_loop_test(tc, two_cancelled_suspensions_in_a_row_leave_nothing, 0, scenario_count);
    tcase_add_loop_test(tc, cancelled_from_a_suspension_on_everything_ends, 0, scenario_count);
    suite_add_tcase(suite, tc);
    int status = test_run(suite);
    static const char *const callees[] = {"bight__checkpoint_slow", "bight_park", NULL};
    static const char *const folders[] = {"coro", "runtime", NULL};
    return sweep_report(SWEEP_ONCE | SWEEP_TWICE | SWEEP_FROM_THERE_ON, callees, folders)
               ? status
               : EXIT_FAILURE;
}
