/* What the sweeps over the scenarios share: a visit to a seam is answered with yes, from each
 * visit on in turn, and each of the runs must leave nothing behind. */
#ifndef TESTS_SWEEPS_FRAME_H
#define TESTS_SWEEPS_FRAME_H

#include <bight.h>

#include "runtime/runtime.h"
#include "tests/harness/suite.h"
#include "tests/harness/sweep.h"
#include "tests/sweeps/scenarios.h"

/* For bight_runtime_options.slow_signal, whose first is no constant; and nothing is as slow. */
#define SWEEP_SIGNAL 45
#define SWEEP_SLOW_MS 600000

/* The sweep of the run at hand. */
extern struct sweep sweep;

struct sweep_kind {
    const char *visit; /* what it is that may get a yes */
    struct bight_seams seams;
    struct bight_runtime_options options;
    /* Whether a run may give `rc`; `said`: there was a yes. */
    bool (*may_give)(int rc, bool said);
    /* What sweep_report is asked for, of coro, runtime and net/stream. */
    unsigned manners;
    const char *const *callees;
};

/* Run scenario number `i` with `count` yes in a row, from the first visit on, from the second,
 * and so on until there is no visit so late. */
void sweep_scenario(const struct sweep_kind *kind, int i, size_t count);

/* The suite's `holds`: every site was hit in all manners. */
bool sweep_all_hit(const struct sweep_kind *kind);

#endif
