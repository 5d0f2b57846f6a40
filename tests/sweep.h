/* What the sweeps share: a table of the call sites seen and hit, common to all the processes of a
 * suite, and exact counts of what one run of a scenario leaves behind. */
#ifndef TESTS_SWEEP_H
#define TESTS_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/testing.h"

/* Which of the visits to the seam are answered with yes. */
struct sweep {
    struct bight__test test; /* first: the seams have one ctx */
    size_t visits;
    size_t from;  /* the first yes */
    size_t count; /* how many in a row */
    size_t said;
};

/* Call once, in main, before the suite forks. */
void sweep_share_sites(void);

/* Start over, with `count` yes from visit number `from` on. */
void sweep_start(struct sweep *sweep, struct bight_seams *seams, size_t from, size_t count);

/* The body of a seam: note the site and say what the sweep wants there. */
bool sweep_visit(void *ctx, const void *site);

/* Print `WHAT found N, hit N`, with the sites that were not hit; false when there are any. */
bool sweep_report(const char *what);

/* Disassemble this program and print the calls of functions whose name begins with `callee` that the
 * suite has not reached; false when there are any. Only those in sources of `folder`, as far as the
 * debugging information tells, when it is not NULL. True without a disassembler. */
bool sweep_reached_calls(const char *callee, const char *folder);

/* Begin to count libuv's blocks of memory too; before the first use of libuv. */
void sweep_count_libuv(void);

/* Blocks of memory held by bight, the test and libuv; the program is linked with --wrap for malloc,
 * calloc, realloc and free. Check's own messages are not balanced: compare with no ck_assert between
 * that can run. */
long sweep_blocks(void);

/* Mappings of this process; always 0 under sanitizers, whose own come and go. */
int sweep_maps(void);

#endif
