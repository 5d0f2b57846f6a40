/* Programs in which every allocation fails in turn, alone and with all that follow, and every
 * suspension is cancelled in turn. Each ends with BIGHT_ENOMEM or BIGHT_ECANCELED, or without an
 * error where it can do without, and leaves no descriptor open. */
#ifndef TESTS_HARNESS_SWEEP_PROGRAMS_H
#define TESTS_HARNESS_SWEEP_PROGRAMS_H

#include "tests/harness/suite.h"

struct sweep_program {
    const char *name;
    int (*fn)(void);
    /* How it may end too when a task of it was cancelled: a peer of that task sees it. 0: not. */
    int code_of_peer;
};

/* The suite's. */
extern const struct sweep_program sweep_programs[];
extern const int sweep_programs_count;

void one_failed_allocation_leaves_nothing(int i);
void without_memory_from_somewhere_on_nothing_is_left(int i);
void one_cancelled_suspension_leaves_nothing(int i);
void cancelled_from_a_suspension_on_everything_ends(int i);

/* clang-format off */
#define SWEEP_PROGRAM_CASES                                                                        \
    each_counted(one_failed_allocation_leaves_nothing, sweep_programs_count),                      \
    each_counted(without_memory_from_somewhere_on_nothing_is_left, sweep_programs_count),          \
    each_counted(one_cancelled_suspension_leaves_nothing, sweep_programs_count),                   \
    each_counted(cancelled_from_a_suspension_on_everything_ends, sweep_programs_count)
/* clang-format on */

#endif
