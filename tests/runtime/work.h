/* Ways to work, in virtual time: tasks, calls and posts that make step after step, for the suites
 * that look at how long others wait beside them. A step spends time by a clock that does not tell
 * the runtime so. */
#ifndef TESTS_RUNTIME_WORK_H
#define TESTS_RUNTIME_WORK_H

#include "tests/harness/world.h"

#define SLICE_MS 10

struct work {
    struct bight_test_clock clock;
    int64_t step_ms; /* most steps */
    int64_t long_ms; /* the others: */
    unsigned shorts; /* how many of the first come before */
    unsigned longs;  /* how many of these */
    unsigned steps;  /* so far */
    bool stop;
    void (*on_step)(struct work *work); /* before each, or NULL */
    struct bight_queue *queue;
    struct bight_sender sender;
    struct bight_receiver receiver;
    struct bight_semaphore semaphore;
    struct bight_mutex mutex;
    struct bight_event event;
    struct bight_call call;
    struct bight_post post;
    struct bight_mailbox *mailbox;
};

uint64_t work_now(const struct work *work);

/* One step of the work. */
void work_step(struct work *work);

/* What the work is about; `arg` of each way is the work. */
void work_open(struct work *work);
void work_close(struct work *work);

/* Tasks that work until told to stop, one step between two calls that may suspend; and functions
 * that begin work which is none of tasks. */
extern int (*const work_tasks[])(void *arg);
extern int (*const work_others[])(void *arg);
extern const size_t work_task_count, work_other_count;

/* Around the length of a slice, and far from it. */
#define WORK_LENGTHS 6
extern const int64_t work_lengths_ms[WORK_LENGTHS];
/* Short steps of no time, and then long ones. */
#define WORK_MIXES 5
#define WORK_LONG_MS 40
extern const struct work_mix {
    unsigned shorts, longs;
} work_mixes[WORK_MIXES];

/* main(arg) in virtual time, by the work's clock and in slices of SLICE_MS. */
void work_run(struct work *work, int (*main)(void *arg), void *arg);

#endif
