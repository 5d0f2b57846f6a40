/* A ck_assert that fails in a process which a case forked: Check ends that process, forgets the
 * reason and lets the case pass. These keep the reason in memory that all processes of the suite
 * share, and make the case fail. */
#ifndef TESTS_HARNESS_FORKED_H
#define TESTS_HARNESS_FORKED_H

#include <stdbool.h>

/* In main, before anything is forked. */
void forked_share(void);

/* In the process of the case, before it begins. */
void forked_case_begins(void);

/* After it ended: it fails when an assertion has failed in a process that it forked. */
void forked_case_ended(void);

/* In main, after case `name`: print the reason that it did not take because it was killed, as Check
 * would; whether there was one. */
bool forked_is_left(const char *name);

#endif
