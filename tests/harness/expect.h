/* An assertion for inner loops, other threads and counted memory: ck_assert takes memory and writes
 * to Check's file each time, this one only when it fails. */
#ifndef TESTS_HARNESS_EXPECT_H
#define TESTS_HARNESS_EXPECT_H

#include <check.h>

#define EXPECT(what)                                                                               \
    do {                                                                                           \
        if (!(what))                                                                               \
            ck_abort_msg("not so: %s", #what);                                                     \
    } while (0)

#endif
