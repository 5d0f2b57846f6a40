/* Programs of others, and ours as a user starts them: child processes, known by their pid. Knows
 * nothing of bight. */
#ifndef TESTS_HARNESS_PROGRAM_H
#define TESTS_HARNESS_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Start argv[0], a path. It reads from `in`, speaks to `out` and complains to `err`; negative: as
 * this process does. It gets the signal `death` if this process ends first. */
pid_t test_program_start(const char *const *argv, int death, int in, int out, int err);
/* The same with a pipe to hear it by, whose other end is then at *out. */
pid_t test_program_start_heard(const char *const *argv, int death, int *out);
/* Hear it up to a line that has `part`, which is then in `line`, and close `out`. Returns whether
 * there was one; otherwise it has ended, or will not say more. */
bool test_program_says(int out, const char *part, char *line, size_t line_bytes);
/* Send it `signum`, 0 for none, and wait until it has ended. Returns what waitpid says. */
int test_program_end(pid_t pid, int signum);

/* Remove a folder with all that is in it. */
void test_remove_folder(const char *path);

#endif
