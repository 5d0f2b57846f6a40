/* Every allocation of every scenario fails in turn, once, and then with all that follow: each time
 * the failure surfaces as BIGHT_ENOMEM and nothing is left behind. */
#include <bight.h>

#include "runtime/runtime.h"
#include "tests/sweeps/scenarios.h"
#include "tests/harness/support.h"
#include "tests/harness/sweep.h"

#include <signal.h>

static struct sweep sweep;

static int run(const struct scenario *scenario, size_t from, size_t count)
{
    struct bight_seams seams = {.fail_alloc = sweep_visit};
    struct bight_options options = {.overflow_fd = 2};
    stack_t none = {.ss_flags = SS_DISABLE};

    sigaltstack(&none, NULL); /* a sanitizer's; so that the runtime allocates one */
    sweep_start(&sweep, &seams, from, count);
    return bight__run_with_seams(&options, &seams, scenario->fn, NULL);
}

/* What the process holds for good, after some runs. */
static int fds, maps;

static void check_run(const struct scenario *scenario, size_t from, size_t count)
{
    long blocks = counted_blocks();
    int rc = run(scenario, from, count);

    blocks = counted_blocks() - blocks;
    ck_assert_msg(rc == (sweep.said ? BIGHT_ENOMEM : 0), "%s, allocation %zu: %s", scenario->name,
                  from, bight_error_name(rc));
    ck_assert_msg(scenario_balance == 0, "%s, allocation %zu: %d left", scenario->name, from,
                  scenario_balance);
    ck_assert_msg(blocks == 0, "%s, allocation %zu: %+ld blocks", scenario->name, from, blocks);
    ck_assert_msg(test_open_fds() == fds && sweep_maps() == maps,
                  "%s, allocation %zu: %+d descriptors, %+d mappings", scenario->name, from,
                  test_open_fds() - fds, sweep_maps() - maps);
}

static void sweep_scenario(const struct scenario *scenario, size_t count)
{
    count_blocks_of_libuv();
    /* What libuv, libc and the instrumentation keep for good they take now. */
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

START_TEST(a_single_failure_surfaces_and_leaves_nothing)
{
    sweep_scenario(&scenarios[_i], 1);
}
END_TEST

START_TEST(failures_without_end_surface_and_leave_nothing)
{
    sweep_scenario(&scenarios[_i], SIZE_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("alloc_sweep");
    TCase *tc = tcase_create("alloc_sweep");
    sweep_share_sites();
    tcase_set_timeout(tc, 30);
    tcase_add_loop_test(tc, a_single_failure_surfaces_and_leaves_nothing, 0, scenario_count);
    tcase_add_loop_test(tc, failures_without_end_surface_and_leave_nothing, 0, scenario_count);
    suite_add_tcase(suite, tc);
    int status = test_run(suite);
    /* slab_new is where address space is asked for: its caller is the site. */
    static const char *const callees[] = {"bight__alloc", "bight__alloc_zero", "slab_new", NULL};
    static const char *const folders[] = {"coro", "runtime", NULL};
    return sweep_report(SWEEP_ONCE | SWEEP_FROM_THERE_ON, callees, folders) ? status : EXIT_FAILURE;
}
