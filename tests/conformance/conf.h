/* What the conformance suites share: the bodies that the cases of the catalogue are told with. See
 * README.md. */
#ifndef TESTS_CONFORMANCE_CONF_H
#define TESTS_CONFORMANCE_CONF_H

#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/harness/world.h"

/* A case that is conf_ok(body). */
#define conf_case(name, body, ...) body_case(name, conf_plain, body, __VA_ARGS__)
int conf_plain(int (*body)(void *arg), void *unused);

/* Run `body(NULL)` as main in virtual time; it must return 0, and nothing may be reported. */
#define conf_ok(body) world_code(conf_main(body, NULL), 0, #body, __FILE__, __LINE__)
int conf_main(int (*body)(void *arg), struct world_reports *reports); /* as world_run */

/* Milliseconds of virtual time since the run began. */
int64_t conf_now_ms(void);

/* Join `task` and insist on what it returned. */
#define conf_join(task, code) conf_join_at(task, code, __FILE__, __LINE__)
void conf_join_at(struct bight_task *task, int code, const char *file, int line);

/* Run `fn(arg)` as a task, cancel it after `after_ms`, and insist on what it returned. */
#define conf_cancelled_after(after_ms, fn, arg, code)                                              \
    conf_cancelled_after_at(after_ms, fn, arg, code, __FILE__, __LINE__)
void conf_cancelled_after_at(int64_t after_ms, int (*fn)(void *arg), void *arg, int code,
                             const char *file, int line);

/* A task that sleeps, and then returns. */
struct conf_sleeper {
    int64_t sleep_ms; /* negative: for ever */
    int returns;
    int on_cancel; /* what it returns when its sleep was cancelled; 0: that code */
    /* Filled in. */
    bool begun;
    bool ended;
    int saw; /* the code of the sleep */
    int64_t ended_ms;
};
int conf_sleeper(void *arg);

/* Words in the order in which things happened: " a b c". Zero is the empty one. */
struct conf_notes {
    char text[512];
    size_t used;
};
void conf_note(struct conf_notes *notes, const char *word);

#endif
