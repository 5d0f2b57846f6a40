/* Every system call of every scenario fails in turn, once, and then with all that follow, with errors
 * that it may have: each time the program ends and leaves nothing. What it makes of the error is its own
 * affair: some calls are only advice. */
#include <bight.h>

#include "runtime/testing/testing.h"
#include "tests/sweeps/scenarios.h"
#include "tests/harness/support.h"
#include "tests/harness/sweep.h"

#include <signal.h>
#include <stdio.h>

static struct sweep sweep;
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

static int run(const struct scenario *scenario, size_t from, size_t count)
{
    struct bight_seams seams = {.fail_call = fail_call};
    struct bight_options options = {.overflow_fd = 2, .stack_cache = 8, .interrupt_signal = SIGINT};
    stack_t none = {.ss_flags = SS_DISABLE};

    sigaltstack(&none, NULL); /* a sanitizer's; so that the runtime installs one */
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
    ck_assert_msg(rc <= 0, "%s, call %zu: %d", scenario->name, from, rc);
    ck_assert_msg(sweep.said || rc == 0, "%s: %s", scenario->name, bight_error_name(rc));
    ck_assert_msg(scenario_balance == 0, "%s, call %zu: %d left", scenario->name, from,
                  scenario_balance);
    ck_assert_msg(blocks == 0, "%s, call %zu: %+ld blocks", scenario->name, from, blocks);
    ck_assert_msg(test_open_fds() == fds && sweep_maps() == maps,
                  "%s, call %zu: %+d descriptors, %+d mappings", scenario->name, from,
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

START_TEST(one_failed_call_leaves_nothing)
{
    sweep_scenario(&scenarios[_i], 1);
}
END_TEST

START_TEST(failed_calls_without_end_leave_nothing)
{
    sweep_scenario(&scenarios[_i], SIZE_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("call_sweep");
    TCase *tc = tcase_create("call_sweep");

    sweep_share_sites();
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, one_failed_call_leaves_nothing, 0, scenario_count);
    tcase_add_loop_test(tc, failed_calls_without_end_leave_nothing, 0, scenario_count);
    suite_add_tcase(suite, tc);
    int status = test_run(suite);
    static const char *const callees[] = {"bight__call_refused", NULL};
    static const char *const folders[] = {"coro", "runtime", NULL};
    /* Alone is too little for those that are made only after another one has failed. */
    return sweep_report(SWEEP_FROM_THERE_ON, callees, folders) ? status : EXIT_FAILURE;
}
