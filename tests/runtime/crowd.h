/* Timed calls that are due by the hundred and work for long, in virtual time as in test_fairness.c:
 * for the suites that look at what such calls let through, and in what order. */
#ifndef TESTS_RUNTIME_CROWD_H
#define TESTS_RUNTIME_CROWD_H

#include <uv.h>

#include <bight.h>

#define SLICE_MS 10
#define CALLS 200
#define DUE_MS 20
#define MADE_MOST 2000

struct timed {
    struct bight_call call;
    struct crowd *crowd;
    uint64_t due_ns;
    bool made;
};

/* The calls, and those beside them. */
struct crowd {
    struct bight_test_clock clock;
    uint64_t seed;
    struct timed calls[CALLS];
    int64_t step_ms; /* most calls */
    int64_t long_ms; /* each call after so many: */
    unsigned shorts; /* 0: none */
    bool again;      /* each call arms itself once more, for now */
    unsigned made;
    uint64_t worked_ns;   /* by the calls, and those who yield; time passes without work as well */
    uint64_t last_due_ns; /* of the last call made */
    bool stop;
    int64_t waited_ms; /* the longest wait of anybody beside them */
    uint64_t trace;    /* what happened when, as one number */
    uv_poll_t poll;
    uv_check_t check;
    int ends[2];
    uint64_t polled_ns, checked_ns; /* of the work that was done */
    struct bight_event readable;
};

uint64_t crowd_now(const struct crowd *crowd);

/* Work for so long. */
void crowd_spend(struct crowd *crowd, int64_t ms);

/* Something happens now. */
void crowd_traced(struct crowd *crowd, uint64_t what);

/* What the calls do: they come once each, in the order of their times. */
void crowd_make(struct bight_call *call);

/* Arm the first `calls` of them for DUE_MS from now, and a little before: the first are due
 * last. */
void crowd_arm(struct crowd *crowd, size_t calls);

/* main(arg) in virtual time, by the crowd's clock and in slices of SLICE_MS. */
void crowd_run(struct crowd *crowd, int (*main)(void *arg), void *arg);

#endif
