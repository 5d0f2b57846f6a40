/* See frame.h. */
#include "tests/sweeps/frame.h"

#include <signal.h>

#include "tests/harness/support.h"

struct sweep sweep;

/* What the process holds for good, after some runs. */
static int fds, maps;

static int run(const struct sweep_kind *kind, const struct scenario *scenario, size_t from,
               size_t count)
{
    struct bight_seams seams = kind->seams;
    stack_t none = {.ss_flags = SS_DISABLE};

    sigaltstack(&none, NULL); /* a sanitizer's; so that the runtime allocates one */
    sweep_start(&sweep, &seams, from, count);
    return bight__run_with_seams(&kind->options, &seams, scenario->fn, NULL);
}

static void check_run(const struct sweep_kind *kind, const struct scenario *scenario, size_t from,
                      size_t count)
{
    long blocks = counted_blocks();
    int rc = run(kind, scenario, from, count);

    blocks = counted_blocks() - blocks;
    ck_assert_msg(kind->may_give(rc, sweep.said), "%s, %s %zu: %s (%d)", scenario->name,
                  kind->visit, from, bight_error_name(rc), rc);
    ck_assert_msg(scenario_balance == 0, "%s, %s %zu: %d left", scenario->name, kind->visit, from,
                  scenario_balance);
    ck_assert_msg(blocks == 0, "%s, %s %zu: %+ld blocks", scenario->name, kind->visit, from,
                  blocks);
    ck_assert_msg(test_open_fds() == fds && sweep_maps() == maps,
                  "%s, %s %zu: %+d descriptors, %+d mappings", scenario->name, kind->visit, from,
                  test_open_fds() - fds, sweep_maps() - maps);
}

void sweep_scenario(const struct sweep_kind *kind, int i, size_t count)
{
    const struct scenario *scenario = &scenarios[i];

    count_blocks_of_libuv();
    /* What libuv, libc and the instrumentation keep for good they take now. */
    for (int warm = 0; warm < 3; warm++)
        ck_assert_int_eq(run(kind, scenario, SIZE_MAX, 0), 0);
    fds = test_open_fds();
    maps = sweep_maps();
    for (size_t from = 0;; from++) {
        check_run(kind, scenario, from, count);
        if (!sweep.said)
            break;
    }
}

bool sweep_all_hit(const struct sweep_kind *kind)
{
    static const char *const folders[] = {"coro", "runtime", "net/stream", NULL};

    return sweep_report(kind->manners, kind->callees, folders);
}
