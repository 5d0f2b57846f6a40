/* Clocks that a test moves: by hand, at a rate, or by jumps to the next deadline. A clock is used
 * by one bight_test_run at a time, as bight_test_options.clock; the functions without a clock are
 * for the one of the run they are called in. */
#ifndef BIGHT_TESTING_CLOCK_H
#define BIGHT_TESTING_CLOCK_H

#include <bight/base.h>

BIGHT_BEGIN_DECLS

struct bight_test_clock {
    /* Private. */
    uint64_t now_ns;  /* at the last change of the rate, or jump */
    uint64_t real_ns; /* then */
    double rate;
    int64_t autojump_ms;
    uint64_t (*real)(void *arg);
    void *real_arg;
};

/** Make a clock that shows 0 and stands still.
 *
 *  Thread: any.
 */
BIGHT_API void bight_test_clock_init(struct bight_test_clock *clock);

/** What the clock shows, in ns since its start.
 *
 *  @return the time.
 *  Thread: the one that uses the clock.
 */
BIGHT_API uint64_t bight_test_clock_now_ns(const struct bight_test_clock *clock);

/** Move the clock forward. Timers that become due fire when the calling task lets others run.
 *
 *  @return 0; BIGHT_EINVAL for a negative duration, and the time is unchanged.
 *  Thread: the one that uses the clock.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_test_clock_advance(struct bight_test_clock *clock,
                                                        int64_t duration_ms);

/** Have the clock go `rate` times as fast as real time; 0: stand still. The time it shows does not
 *  jump.
 *
 *  @return 0; BIGHT_EINVAL for a rate that is negative or not finite.
 *  Thread: the one that uses the clock.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_test_clock_set_rate(struct bight_test_clock *clock,
                                                         double rate);

/** Have the clock jump to the next deadline once every task has been blocked for `cushion_ms` of
 *  real time; negative: never. With a cushion of 0 it does not jump while something outside of the
 *  runtime is pending; with a longer one it does. It never does while a task is in
 *  bight_test_settle.
 *
 *  Thread: the one that uses the clock.
 */
BIGHT_API void bight_test_clock_set_autojump(struct bight_test_clock *clock, int64_t cushion_ms);

/** Take real time from `real(arg)`, in ns, instead of the system's clock. The time shown does not
 *  jump.
 *
 *  Thread: the one that uses the clock.  Ownership: keeps arg as long as clock is used.
 */
BIGHT_API void bight_test_clock_set_real(struct bight_test_clock *clock,
                                         uint64_t (*real)(void *arg), void *arg);

/** How much real time has to pass until the clock shows `when_ns`.
 *
 *  @return ns, 0 for a time in the past; UINT64_MAX when the clock stands still before it.
 *  Thread: the one that uses the clock.
 */
BIGHT_API uint64_t bight_test_clock_real_ns_until(const struct bight_test_clock *clock,
                                                  uint64_t when_ns);

/** bight_test_clock_advance for this thread's test run.
 *
 *  @return 0; BIGHT_EINVAL as there; BIGHT_ENOTSUP outside of a test run.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_test_advance(int64_t duration_ms);

/** bight_test_clock_set_rate for this thread's test run, whose clock then moves at that rate only.
 *
 *  @return 0; BIGHT_EINVAL as there; BIGHT_ENOTSUP outside of a test run.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_test_set_rate(double rate);

/** bight_test_clock_set_autojump for this thread's test run.
 *
 *  @return 0; BIGHT_ENOTSUP outside of a test run.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_test_set_autojump(int64_t cushion_ms);

/** The time that has passed on the clock since this thread's test run began.
 *
 *  @return ns; 0 outside of a test run.
 */
BIGHT_API uint64_t bight_test_elapsed_ns(void);

BIGHT_END_DECLS

#endif
