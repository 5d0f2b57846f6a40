/* What the suites of coro/ and runtime/ share: run a body as the main task and insist that nothing
 * is left behind; collect the runtime's reports. */
#ifndef TESTS_HARNESS_WORLD_H
#define TESTS_HARNESS_WORLD_H

#include <bight.h>
#include <check.h>

#include "tests/harness/suite.h"

struct world_reports {
    size_t count[BIGHT_REPORT_STACK_MARK + 1]; /* by enum bight_report_kind */
    int last_code;
    char last_task[BIGHT_TASK_NAME_BYTES];
};

/* Run `body(arg)` as main, in virtual time; fails the test when descriptors or tasks are left.
 * Returns what bight_run returned. `reports` may be NULL: then any report fails the test. */
int world_run(int (*body)(void *arg), void *arg, struct world_reports *reports);

/* A case that is such a run, without an argument and without a report. It must give 0, or another
 * .code. */
#define world_case(name, body, ...) body_case(name, world_plain, body, __VA_ARGS__)
int world_plain(int (*body)(void *arg), void *arg);

/* Insist on 0. */
#define ck_ok(call) world_code(call, 0, #call, __FILE__, __LINE__)

/* Insist on a code, and name the actual one when it differs. */
#define ck_code(call, code) world_code(call, code, #call, __FILE__, __LINE__)
void world_code(int rc, int code, const char *call, const char *file, int line);

/* Bodies that many tests spawn. */
int world_forever(void *arg); /* sleeps until cancelled */
int world_return(void *arg);  /* returns *(int *)arg */
int world_add_one(void *arg); /* ++*(int *)arg, returns 0 */
/* Yield often enough that everything runs that is ready, or becomes ready by that. */
void world_settle(void);

#endif
