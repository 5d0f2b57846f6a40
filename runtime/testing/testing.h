/* The test mode's record, one per run, which stands behind all seams (coro/base/seams.h). run.c
 * makes and ends runs; clock.c has the clocks and the seams of time, idle.c what happens when
 * nothing is ready, faults.c what fails, is cancelled and shuffled, line.c the replay line. The
 * project's own suites embed the record too, to use its clock with seams of their own. */
#ifndef BIGHT_RUNTIME_TESTING_TESTING_H
#define BIGHT_RUNTIME_TESTING_TESTING_H

#include <stdatomic.h>

#include <bight/testing.h>

#include "runtime/runtime.h"

/* The longest name of a run, with its NUL. */
#define TEST_NAME_BYTES 64

struct bight__test {
    struct bight_test_clock own_clock;
    struct bight_test_clock *clock;
    bool paced;        /* the clock goes at the real pace while something outside is pending */
    bool outside;      /* something was pending at the last reading */
    uint64_t begin_ns; /* what the clock showed at the beginning */
    uint64_t jumps;
    /* The struct settle_wait of those who settle, by cushion. */
    struct bight_link settling;
    /* Since when nothing was ready, in real time, after how many slices that was, and whether the
     * loop was to poll once more after the cushion. */
    uint64_t idle_since_ns;
    uint64_t idle_slices;
    bool idle_polled;
    /* Only bight_test_run uses the fields from here on. */
    struct bight_test_options options;
    char name[TEST_NAME_BYTES];
    uint64_t order; /* states of two random sequences */
    uint64_t values;
    _Atomic uint64_t allocs;
    _Atomic uint64_t calls;
    _Atomic uint64_t faults;
    uint64_t suspends;
    uint64_t turns;
    _Atomic int last_error;       /* of the last call that was made to fail */
    _Atomic uint64_t may_fail[3]; /* bits: errors that may follow from what was made to happen */
    bool failed;
};

/* The record of this thread's test run, or NULL. */
struct bight__test *bight__test(void);

/* Begin a record with a clock of its own, which is paced and jumps at once. `seams` get their time
 * from it: their ctx is then the record, or something that begins with it. */
void bight__test_time(struct bight__test *test, struct bight_seams *seams);

/* clock.c: have the clock show `when_ns`, if that is ahead. */
void bight__test_clock_jump(struct bight_test_clock *clock, uint64_t when_ns);
uint64_t bight__test_now(void *ctx);
uint64_t bight__test_wait(void *ctx, uint64_t deadline_ns);

/* idle.c */
bool bight__test_idle(void *ctx, uint64_t deadline_ns, bool outside, uint64_t *again_ns);

/* faults.c: let `seams` fail, cancel and shuffle as the options say. */
void bight__test_faults(struct bight__test *test, struct bight_seams *seams);
/* Whether what was made to happen may be the reason that a run ends with `code`. */
bool bight__test_is_expected(const struct bight__test *test, int code);
uint64_t bight__test_draw(uint64_t *state);
/* An error that the call `name` may fail with. It is never EINTR twice in a row, because a caller
 * that tries again would never finish. */
int bight__test_error(const char *name, uint64_t random, int last_error);

/* line.c: write the line of the numbers in `options`, followed by ` # WHAT` unless `what` is NULL.
 * Returns its length, which may be more than there is room for. */
size_t bight__test_line(const struct bight_test_options *options, const char *name,
                        const char *what, char *line, size_t line_bytes);
/* Like bight_test_options_parse. `name` has room for TEST_NAME_BYTES; empty if `text` has none. */
int bight__test_parse(const char *text, struct bight_test_options *options, char *name);
/* Whether `name` is allowed in a line. */
bool bight__test_is_name(const char *name);

#endif
