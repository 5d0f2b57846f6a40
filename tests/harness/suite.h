/* What every suite ends with: a table of its cases, and its name. harness/main.c makes Check run
 * each case in a process of its own.
 *
 * A case passes when its function returns. It fails when it leaves by exit(), whatever the status,
 * and when a ck_assert failed in a process that it forked.
 *
 * Check's variables work: CK_RUN_CASE=NAME runs one case, CK_FORK=no runs it without a process of
 * its own, for a debugger. */
#ifndef TESTS_HARNESS_SUITE_H
#define TESTS_HARNESS_SUITE_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

/* How long a case may take if its suite does not say: CTest's TIMEOUT is the limit that counts. */
#define SUITE_TIMEOUT_S 100

struct suite_case {
    const char *name; /* a sentence */
    const char *file;
    /* One of the three. `each` is called with every number from `first` to the one before `end`; of
     * a `body`, run(body, arg) must give `code`. */
    void (*plain)(void);
    void (*each)(int i);
    int (*body)(void *arg);
    int (*run)(int (*body)(void *arg), void *arg);
    void *arg;
    const int *count; /* `end`, when it is not a constant */
    int line;
    int code;
    int first;
    int end;
    int signal; /* the signal that ends the case */
};

#define suite_place(case_name) .name = #case_name, .file = __FILE__, .line = __LINE__
/* clang-format off */
/* The function is the case, and its name is the sentence. */
#define plain_case(function, ...) {suite_place(function), .plain = function, __VA_ARGS__}
/* The same, `times` times: with 0, 1, ... */
#define each_case(function, times, ...)                                                            \
    {suite_place(function), .each = function, .end = times, __VA_ARGS__}
/* The same, as many times as an int elsewhere says. */
#define each_counted(function, times, ...)                                                        \
    {suite_place(function), .each = function, .count = &(times), __VA_ARGS__}
/* way(function, NULL) must give 0, or another .code. */
#define body_case(case_name, way, function, ...)                                                   \
    {suite_place(case_name), .body = function, .run = way, __VA_ARGS__}
/* clang-format on */

struct suite {
    const char *name;
    const struct suite_case *cases;
    size_t count;
    int timeout_s; /* of a case; 0: SUITE_TIMEOUT_S, negative: none */
    /* Before and after each case, in its process. */
    void (*setup)(void);
    void (*teardown)(void);
    /* Before the first case and after the last, in the process that forks them; they may assert. */
    void (*open)(void);
    void (*close)(void);
    /* Called in main, before all that; it may exit. */
    void (*begin)(int argc, char **argv);
    /* Called in main, after all that. Returns whether the suite may pass. */
    bool (*holds)(void);
};

/* The suite of this program, which harness/main.c runs. */
extern const struct suite the_suite;
#define test_suite(suite_name, table, ...)                                                         \
    const struct suite the_suite = {.name = suite_name,                                            \
                                    .cases = table,                                                \
                                    .count = sizeof(table) / sizeof(*(table)),                     \
                                    __VA_ARGS__}

/* End the suite as skipped, because what `package` installs is missing; `begin` calls this. */
_Noreturn void test_skip(const char *package);

#endif
