/* For a ck_assert that fails in a process which a case forked: Check ends that process, forgets the
 * reason and lets the case pass. These functions keep the reason in memory that all processes of
 * the suite share, and make the case fail. Of an assertion that holds in such a process, Check
 * learns nothing. */
#ifndef TESTS_HARNESS_FORKED_H
#define TESTS_HARNESS_FORKED_H

#include <stdbool.h>

/* Call it in main, before anything is forked. */
void forked_share(void);

/* Have Check learn nothing of assertions that hold: it takes memory for that. */
void forked_note_nothing(void);

/* What is tried now, in a case that tries many things: the message of a failure names it. NULL:
 * nothing to be named. */
void forked_about(const char *what);

/* Call it in the process of the case, before the case begins. */
void forked_case_begins(void);

/* Call it after the case: it fails if an assertion has failed in a process that the case forked. */
void forked_case_ended(void);

/* Call it in main, after case `name`: if the case was killed and so did not report the reason,
 * print it, as Check would. Returns whether there was one. */
bool forked_is_left(const char *name);

#endif
