/* What the suites of subprocesses share: commands of the shell as children, and the insistence that
 * none is left. */
#ifndef TESTS_RUNTIME_PROCESS_CHILDREN_H
#define TESTS_RUNTIME_PROCESS_CHILDREN_H

#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/harness/world.h"

/* A case that is bight_run(body) in real time; no child and no descriptor may be left. */
#define child_case(name, body, ...) body_case(name, child_plain, body, __VA_ARGS__)
int child_plain(int (*body)(void *arg), void *arg);

/* This process has no child, not even one that has ended. */
void no_child_is_left(void);

/* Start `/bin/sh -c command`, with these options but for argv. */
struct bight_process *shell(const char *command, struct bight_process_options options);
/* The same, with pipes for all three. */
struct bight_process *shell_piped(const char *command);

/* What comes from a stream up to its end, as text; the next call overwrites it. */
const char *hear_all(struct bight_stream *stream);
/* The next line. */
const char *hear_line(struct bight_stream *stream);

/* It ends, or has, by itself with that code; or by that signal. Then end it. */
void exits_with(struct bight_process *process, int code);
void dies_by(struct bight_process *process, int signum);

#endif
