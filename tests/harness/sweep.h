/* What the sweeps share: a table of the call sites seen and hit, common to all the processes of a
 * suite, and exact counts of what one run of a scenario leaves behind. */
#ifndef TESTS_HARNESS_SWEEP_H
#define TESTS_HARNESS_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/testing/testing.h"
#include "tests/harness/count_blocks.h"

/* Which visits to the seam get the answer yes. */
struct sweep {
    struct bight__test test; /* first: the seams have one ctx */
    size_t visits;
    size_t from;  /* the first yes */
    size_t count; /* how many in a row */
    size_t said;
};

/* The ways to say yes: once, twice in a row, from here on always. */
#define SWEEP_ONCE 1u
#define SWEEP_TWICE 2u
#define SWEEP_FROM_THERE_ON 4u

/* The suite's `begin`: to be called once, before it forks. */
void sweep_share_sites(int argc, char **argv);

/* Start again, with `count` times yes from visit number `from` on. */
void sweep_start(struct sweep *sweep, struct bight_seams *seams, size_t from, size_t count);

/* The body of a seam: note the site and say what the sweep wants there. */
bool sweep_visit(void *ctx, const void *site);
/* The same for the seam of suspensions: cancels the task that runs. */
void sweep_cancel(void *ctx, const void *site);

/* Print `sites found N, hit N`, then the sites that were not hit in all of the ways; false when
 * there are any. Found are the sites seen by sweep_visit, and the calls of `callees` in this
 * program's code from sources of `folders`; both lists end with NULL. */
bool sweep_report(unsigned manners, const char *const *callees, const char *const *folders);

/* Mappings of this process; always 0 under sanitizers, whose own mappings come and go. */
int sweep_maps(void);

#endif
