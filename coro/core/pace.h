/* How long what runs has run. Time is looked at after a number of steps, which are 1 at first,
 * double while they are short against what is left of the slice, and are never more than 14: so a
 * slice ends within a step of its time where steps are of one length, and within 14 where they are
 * not, or one step later where that is an operation: see bight__op. A post may come on top, late as
 * the slice was, which makes 16. A look is a reading of the processor's count of time, or of the
 * clock where that is a test's or the rate of the count is not known yet.
 *
 * A step is what runs between two suspending calls; calls and posts are steps too.
 *
 * libuv has phases: tasks and calls run before it polls and after. What two phases in a row spend
 * is no more than a slice, so that both the poll and the host's timers, which libuv calls in
 * between, come round once per slice. */
#ifndef BIGHT_CORO_CORE_PACE_H
#define BIGHT_CORO_CORE_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct bight_sched;

/* Steps between two looks at the most. */
#define STEPS_PER_LOOK 14u

struct bight_pace {
    unsigned stride; /* steps between the last look and the next */
    unsigned left;   /* of them */
    bool by_ticks;   /* the times below are ticks; otherwise ns of the driver's clock */
    bool skipped;    /* the last phase was left out, for want of time */
    bool over;       /* what began last has used its time up */
    bool passing;    /* calls are made while the timers are passed */
    double rate;     /* units of the times per ns */
    uint64_t slice;
    uint64_t begin;
    uint64_t end;
    uint64_t looked;
    uint64_t calm_until; /* so long steps like the last ones are in time, in ticks; 0: unknown */
    uint64_t before;     /* spent by the last phase */
    uint64_t spent;      /* by this one */
    uint64_t rate_ns;    /* readings of the clock and of the count at the same time, from which */
    uint64_t rate_ticks; /* the rate is measured; 0 before the first */

    /* Steps after the time was over: since the timers were passed last, and between that pass and
     * the one before. And so many calls may this pass make yet, whatever the time is. */
    unsigned late;
    unsigned late_before;
    unsigned least;
};

/* The scheduler is zero but for its options. */
void bight__pace_init(struct bight_sched *sched);

/* A slice begins, with the first timer due at `next_ns`. False: this phase has no time left. */
bool bight__pace_begin(struct bight_sched *sched, uint64_t next_ns);

/* Posts are about to be made, at least one. */
void bight__pace_begin_posts(struct bight_sched *sched);

/* The timers are about to be passed. */
static inline void bight__pace_timers(struct bight_pace *pace)
{
    pace->late_before = pace->late;
    pace->late = 0;
}

/* A call is to be made before the deadline that the pass of the timers has come to. False: there is
 * no more time for such calls in this pass. */
bool bight__pace_call(struct bight_sched *sched);

/* The timers have been passed, and calls were made. */
void bight__pace_end_calls(struct bight_sched *sched);

/* Look at the time. False: it is over. */
bool bight__pace_look(struct bight_sched *sched);

/* What began is over. */
void bight__pace_end(struct bight_sched *sched);

/* The phase is over. */
void bight__pace_phase(struct bight_sched *sched);

#endif
