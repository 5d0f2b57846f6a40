/* What suites of maps share. */
#ifndef TESTS_OFFLOAD_MAP_CASES_H
#define TESTS_OFFLOAD_MAP_CASES_H

#include "tests/offload/worker_cases.h"

enum kind { THREADS, WORKERS };

/* Gives the numbers from 0 on. */
struct numbers {
    int next;
    int count;   /* -1: endless */
    int fail_at; /* -1: never */
    int code;
    bool sleeps;
};

/* Two workers with a limit of 64 KiB for payloads, or two threads; `queue_max` jobs may wait. */
struct bight_executor *map_open(enum kind kind, size_t queue_max);
/* Call it for both, each time with worker_shared as it was at the start. */
int map_on_both(void (*fn)(enum kind kind));
/* The source that numbers are. */
int map_next_number(void *arg, const void **input, size_t *input_bytes);
/* It must succeed. */
void map_begin(struct bight_job_map *map, struct bight_executor *executor,
               const struct bight_job_def *def, struct numbers *numbers,
               struct bight_job_map_options options);
/* The item is what square_job makes of the number `index`. */
void map_expect_square(const struct bight_job_map_item *item, size_t index);

/* Its output is the square, its code the number; counts itself in worker_shared->counter. */
extern const struct bight_job_def square_job;
/* The numbers 0 and 1 are as hold_job, others end at once. */
extern const struct bight_job_def hold_some_job;

#endif
