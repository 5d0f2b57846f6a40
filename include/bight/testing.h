/* Testing programs that run on bight: the same program under a virtual clock, with the order of ready
 * tasks shuffled, allocations and system calls that fail, and suspensions that are cancelled, all of it
 * decided by numbers that one line of text tells and replays. Only what the program does inside of
 * bight_test_run is concerned; nothing here changes a runtime made by bight_run.
 *
 * Time stands still while tasks run. When none is ready and nothing outside of the runtime is pending,
 * it jumps to the next deadline; while something outside is pending it goes at its real pace, since
 * nobody knows when that ends. <bight/testing_clock.h> has clocks that the test moves itself. */
#ifndef BIGHT_TESTING_H
#define BIGHT_TESTING_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/runtime.h>
#include <bight/testing_clock.h>
#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

/* Room for a replay line, with what is said of the failure, and its end. */
#define BIGHT_TEST_LINE_BYTES 256

/* For the counts of struct bight_test_options: from there on, always. */
#define BIGHT_TEST_ALWAYS UINT64_MAX

/* Zero is the default for every field. */
struct bight_test_options {
    /* Shuffles the ready tasks of a turn and feeds all randomness. 0: ready tasks run in FIFO order. */
    uint64_t seed;
    /* Draw a fresh seed instead; the result and the replay line tell which. */
    bool fresh_seed;
    /* The allocation of that number fails, the first being 1, and `alloc_count` in all from it on
     * (0 is 1). 0: none fails. */
    uint64_t alloc;
    uint64_t alloc_count;
    /* At the suspension of that number the task's outermost scope is cancelled first, and at
     * `suspend_count` in all from it on (0 is 1). A suspension is an opening check for cancellation, or
     * falling asleep. 0: none. */
    uint64_t suspend;
    uint64_t suspend_count;
    /* The runtime's system call of that number fails, and `call_count` in all from it on (0 is 1), with an
     * error that this call may have. One that transfers bytes may transfer fewer instead. 0: none. */
    uint64_t call;
    uint64_t call_count;
    /* The same for each call with this probability, in millionths. */
    uint32_t call_chance;
    /* Time is the test's: it stands still until bight_test_advance and the like. */
    bool manual;
    /* A clock of the caller's instead, which rules alone; borrowed until the run has ended. */
    struct bight_test_clock *clock;
    /* Named in the replay line, so that a line is only replayed by the run that printed it; at most 63
     * bytes without white space, '=' and '#'. */
    const char *name;
    /* Do not try out first what libuv would abort over, as bight_run does: it is most of what a short
     * run costs. For the many runs after a first one. */
    bool skip_probe;
    /* Of the runtime; NULL for the defaults. */
    const struct bight_runtime_options *runtime;
    /* Called with one line, without a newline, for each failure: the one that replays it. Default:
     * written to standard error. */
    void (*say)(void *arg, const char *line);
    void *say_arg;
};

struct bight_test_result {
    /* What the run returned. */
    int status;
    /* As drawn, where it was. */
    uint64_t seed;
    /* What there was to count: each number up to these is a place where something can be made to
     * happen. */
    uint64_t allocs;
    uint64_t suspends;
    uint64_t calls;
    /* How many of each were made to fail, or cancelled. */
    uint64_t faults;
    /* Jumps of the clock, and the time that has passed on it. */
    uint64_t jumps;
    uint64_t elapsed_ns;
    /* Turns of tasks. */
    uint64_t turns;
    /* bight_test_fail was called. */
    bool failed;
    char line[BIGHT_TEST_LINE_BYTES];
};

/** bight_run in test mode. `result` may be NULL. The environment variable BIGHT_TEST holds a replay line:
 *  where its name is that of `options`, or it has none, its numbers take the place of theirs.
 *
 *  The run has failed when it returns an error, unless that comes of what was made to happen
 *  (BIGHT_ENOMEM, BIGHT_ECANCELED, the error of a call), or when bight_test_fail was called. Then
 *  `options->say` is given the replay line.
 *
 *  @return as bight_run; BIGHT_EINVAL for a name or a BIGHT_TEST that is none.
 *  Thread: any that has no runtime.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_test_run(const struct bight_test_options *options,
                                              int (*fn)(void *arg), void *arg,
                                              struct bight_test_result *result);

/** The counts of this thread's test run so far.
 *
 *  @return 0; BIGHT_ENOTSUP outside of a test run.
 */
BIGHT_API int bight_test_progress(struct bight_test_result *result);

/** Set the numbers of `options` from a replay line, with or without what stands before and behind its
 *  numbers; those it does not name become 0. The other fields stay as they are.
 *
 *  @return 0; BIGHT_EINVAL, and nothing was set.
 *  Thread: any.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_test_options_parse(const char *text,
                                                        struct bight_test_options *options);

/** The replay line of this thread's test run, for the messages of the test's own checks.
 *
 *  @return 0; BIGHT_ENOTSUP outside of a test run; BIGHT_ERANGE when it does not fit.
 */
BIGHT_API int bight_test_line(char *line, size_t line_bytes);

/** Note that the run has failed, and say its replay line with `what` behind it. The program goes on.
 *
 *  @return 0; BIGHT_ENOTSUP outside of a test run.
 */
BIGHT_API int bight_test_fail(const char *what);

/** 64 random bits that follow from the run's seed; 0 outside of a test run.
 *
 *  @return the bits.
 */
BIGHT_API uint64_t bight_test_random(void);

/* What the calling task went through so far. A call that may suspend passes a *checkpoint* when it
 * both could have been cancelled from outside and let other tasks run. */
struct bight_test_passes {
    /* Checks for a cancellation that was not shielded off. */
    uint64_t checks;
    /* Times that it went through the ready queue. */
    uint64_t turns;
};

/** Read the counts of the calling task.
 *
 *  @return 0; BIGHT_ENOTSUP outside of a test run; BIGHT_ENOTASK.
 */
BIGHT_API int bight_test_get_passes(struct bight_test_passes *passes);

/** Whether the calling task has passed a checkpoint since `before` was read.
 *
 *  @return true: it has.
 */
BIGHT_API bool bight_test_passed(const struct bight_test_passes *before);

/** Whether it neither checked for a cancellation nor let others run: also false for half a checkpoint.
 *
 *  @return true: it did neither.
 */
BIGHT_API bool bight_test_passed_none(const struct bight_test_passes *before);

/** Sleep until every other task is blocked, and has been for `cushion_ms` of real time; 0 is as soon as
 *  they are. Of several that settle the one with the smallest cushion goes on first, those of equal
 *  cushions at one time. A clock that jumps does so only when nobody settles with the same or a smaller
 *  cushion than its own.
 *
 *  @return 0; BIGHT_EINVAL for a negative cushion; BIGHT_ENOTSUP outside of a test run; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED.  Allocates: no.  Thread: the loop's.
 *  Ownership: none.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_test_settle(int64_t cushion_ms);

/* Brings steps of several tasks into an order: each encloses its step in enter and leave. */
struct bight_test_sequencer {
    /* Private. */
    struct bight_link waiting;
    uint64_t next;
    bool inside;
    bool broken;
};

/** Make `sequencer` begin with step 0.
 *
 *  Thread: any.
 */
BIGHT_API void bight_test_sequencer_init(struct bight_test_sequencer *sequencer);

/** Sleep until all steps before `step` were left. When one of those that wait is cancelled, the order
 *  can no longer come about: all the others, and whoever comes later, get BIGHT_EBROKEN.
 *
 *  @return 0; BIGHT_EALREADY when somebody took that step before; BIGHT_EBROKEN; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, and the sequencer is broken.
 *  Allocates: no.  Thread: the loop's.  Ownership: keeps sequencer until the step is left.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_test_sequencer_enter(struct bight_test_sequencer *sequencer,
                                                          uint64_t step);

/** The step that was entered is over; the next one may begin.
 *
 *  @return 0; BIGHT_EPERM when no step is inside.
 */
BIGHT_API int bight_test_sequencer_leave(struct bight_test_sequencer *sequencer);

BIGHT_END_DECLS

#endif
