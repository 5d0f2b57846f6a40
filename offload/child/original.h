/* Whether this process is the worker, or a copy of it: a job may fork, and return in the child from
 * its own function, where all that is the worker's must be left alone. */
#ifndef BIGHT_OFFLOAD_CHILD_ORIGINAL_H
#define BIGHT_OFFLOAD_CHILD_ORIGINAL_H

#include <stdbool.h>
#include <sys/types.h>

struct original {
    const volatile char *here; /* points to 1, to 0 in a copy; NULL: ask getpid */
    pid_t pid;
};

/* This process is the original. */
void bight__original_mark(struct original *original);

bool bight__original_is_here(const struct original *original);

#endif
