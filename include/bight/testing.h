/* Testing programs that run on bight: the same program under a virtual clock, with the order of
 * ready tasks shuffled, allocations and system calls that fail, and suspensions that are cancelled.
 * Numbers decide all of it; one line of text has them and replays the run. This concerns only what
 * the program does inside of bight_test_run; nothing here changes a runtime made by bight_run.
 *
 * Time stands still while tasks run. When none is ready and nothing outside of the runtime is
 * pending, it jumps to the next deadline; while something outside is pending it runs at its real
 * pace, because nobody knows when that ends. <bight/testing_clock.h> has clocks that the test moves
 * itself. */
#ifndef BIGHT_TESTING_H
#define BIGHT_TESTING_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/runtime.h>
#include <bight/testing_clock.h>
#include <bight/waiter.h>

BIGHT_BEGIN_DECLS

/* Room for a replay line with the text of the failure and the final NUL. */
#define BIGHT_TEST_LINE_BYTES 256

/* For the counts of struct bight_test_options: from there on, every time. */
#define BIGHT_TEST_ALWAYS UINT64_MAX

/* Zero is the default for every field. */
struct bight_test_options {
    /* Shuffles the ready tasks of a turn and feeds all randomness. 0: ready tasks run in FIFO
     * order. */
    uint64_t seed;
    /* Draw a fresh seed instead; it is in the result and the replay line. */
    bool fresh_seed;
    /* The allocation of that number fails, the first being 1, and `alloc_count` in all from it on
     * (0 is 1). 0: none fails. */
    uint64_t alloc;
    uint64_t alloc_count;
    /* At the suspension of that number the task's outermost scope is cancelled first, and at
     * `suspend_count` in all from it on (0 is 1). A suspension is the check for cancellation that
     * opens a call, or falling asleep. 0: none. */
    uint64_t suspend;
    uint64_t suspend_count;
    /* The runtime's system call of that number fails, and `call_count` in all from it on (0 is 1),
     * with an error that this call may have. One that transfers bytes may transfer fewer instead.
     * 0: none. */
    uint64_t call;
    uint64_t call_count;
    /* The same for each call with this probability, in millionths. */
    uint32_t call_chance;
    /* The test moves the time: it stands still until bight_test_advance and the like. */
    bool manual;
    /* A clock of the caller's, which is used instead; borrowed until the run has ended. */
    struct bight_test_clock *clock;
    /* Named in the replay line, so that a line is only replayed by the run that printed it; at most
     * 63 bytes without white space, '=' and '#'. */
    const char *name;
    /* Skip the probe for what libuv would abort over, which bight_run does: it is most of the cost
     * of a short run. For the many runs after a first one. */
    bool skip_probe;
    /* Options of the runtime; NULL for the defaults. */
    const struct bight_runtime_options *runtime;
    /* Called with the replay line of each failure, without a newline. Default: it is written to
     * standard error. */
    void (*say)(void *arg, const char *line);
    void *say_arg;
    /* The error that the run is to return. Returning it is no failure, and returning none is one.
     * 0: the run is to return no error. */
    int expected;
};

struct bight_test_result {
    /* What the run returned. */
    int status;
    /* The seed, also when it was drawn. */
    uint64_t seed;
    /* How many there were: each number up to these is a place where something can be made to
     * happen. */
    uint64_t allocs;
    uint64_t suspends;
    uint64_t calls;
    /* How many of each were made to fail, or cancelled. */
    uint64_t faults;
    /* Jumps of the clock, and the time that has passed on the clock. */
    uint64_t jumps;
    uint64_t elapsed_ns;
    /* Turns of tasks. */
    uint64_t turns;
    /* bight_test_fail was called. */
    bool failed;
    char line[BIGHT_TEST_LINE_BYTES];
};

/** bight_run in test mode. `result` may be NULL. The environment variable BIGHT_TEST holds a replay
 *  line: if its name is that of `options`, or it has none, its numbers replace theirs.
 *
 *  The run has failed when bight_test_fail was called, or when it returns an error, unless the
 *  error is `options->expected` or what was made to happen (BIGHT_ENOMEM, BIGHT_ECANCELED, the
 *  error of a call). Then `options->say` gets the replay line.
 *
 *  @return as bight_run; BIGHT_EINVAL for an invalid name or BIGHT_TEST, or a positive `expected`.
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

/** Set the numbers of `options` from a replay line, with or without the text before and behind its
 *  numbers; numbers that it does not name become 0. The other fields stay as they are.
 *
 *  @return 0; BIGHT_EINVAL: the line is invalid, nothing was set.
 *  Thread: any.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_test_options_parse(const char *text,
                                                        struct bight_test_options *options);

/** The replay line of this thread's test run, for the messages of the test's own checks.
 *
 *  @return 0; BIGHT_ENOTSUP outside of a test run; BIGHT_ERANGE when it does not fit.
 */
BIGHT_API int bight_test_line(char *line, size_t line_bytes);

/** Mark the run as failed, and give its replay line to `say`, with `what` behind it. The program
 *  goes on.
 *
 *  @return 0; BIGHT_ENOTSUP outside of a test run.
 */
BIGHT_API int bight_test_fail(const char *what);

/** 64 random bits that follow from the run's seed; 0 outside of a test run.
 *
 *  @return the bits.
 */
BIGHT_API uint64_t bight_test_random(void);

/* What the calling task has passed so far. A call that may suspend passes a *checkpoint* when it
 * could have been cancelled from outside and let other tasks run. */
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

/** Whether the calling task neither checked for a cancellation nor let others run since `before`
 *  was read; also false after half a checkpoint.
 *
 *  @return true: it did neither.
 */
BIGHT_API bool bight_test_passed_none(const struct bight_test_passes *before);

/** Sleep until every other task has been blocked for `cushion_ms` of real time; with 0, as soon as
 *  they are blocked. A task that wakes meanwhile begins that time anew. Of several tasks that
 *  settle, the one with the smallest cushion goes on first, those with equal cushions together. No
 *  clock jumps while a task settles, so a deadline passes meanwhile only if the clock moves by
 *  itself.
 *
 *  @return 0; BIGHT_EINVAL for a negative cushion; BIGHT_ENOTSUP outside of a test run;
 *          BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED.  Allocates: no.
 *  Thread: the loop's.  Ownership: none.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_test_settle(int64_t cushion_ms);

/* Puts steps of several tasks into an order: each task encloses its step in enter and leave. */
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

/** Sleep until all steps before `step` were left. When a task that waits is cancelled, the order is
 *  impossible: all others that wait, and all that come later, get BIGHT_EBROKEN.
 *
 *  @return 0; BIGHT_EALREADY when that step was taken before; BIGHT_EBROKEN; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, and the sequencer is broken.
 *  Allocates: no.  Thread: the loop's.  Ownership: keeps sequencer until the step is left.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_test_sequencer_enter(struct bight_test_sequencer *sequencer,
                                                          uint64_t step);

/** Leave the step that was entered; the next one may begin.
 *
 *  @return 0; BIGHT_EPERM when no step is inside.
 */
BIGHT_API int bight_test_sequencer_leave(struct bight_test_sequencer *sequencer);

BIGHT_END_DECLS

#endif
