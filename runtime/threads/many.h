/* The door of many.c for tests. */
#ifndef BIGHT_RUNTIME_THREADS_MANY_H
#define BIGHT_RUNTIME_THREADS_MANY_H

#include <bight/many.h>

#include "runtime/runtime.h"

/* bight_run_many_with, with the seams of a test: its own, and those of each runtime. */
int bight__run_many_with_seams(const struct bight_many_options *options,
                               const struct bight_seams *seams, unsigned count,
                               int (*fn)(void *arg), void *arg);

#endif
