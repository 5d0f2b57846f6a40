#include "coro/core/pace.h"
#include "coro/base/ticks.h"
#include "coro/core/sched.h"

/* How long the rate is measured for, at least. */
#define RATE_NS (2 * NS_PER_MS)

/* How often clock and count are read for one sample. */
#define READINGS 3

/* Counts per ns that a processor may have; whatever is outside of that is none. */
#define RATE_MIN 0.001
#define RATE_MAX 100.0

/* Of a slice: its least part, however soon a timer is due, what posts have in any case, and what
 * calls have that are due before a deadline. */
#define LEAST_PART 16
#define POSTS_PART 4
#define CALLS_PART 2

/* So many of these calls are made whatever the time is, less the steps that were late before. */
#define CALLS_LEAST (STEPS_PER_LOOK / 2)

static uint64_t slice_ns(const struct bight_sched *sched)
{
    return sched->options.slice_us * UINT64_C(1000);
}

static uint64_t now(struct bight_sched *sched)
{
    return sched->pace.by_ticks ? bight__ticks() : sched->driver->now_ns(sched);
}

static void count_in(struct bight_sched *sched, bool by_ticks, double rate)
{
    struct bight_pace *pace = &sched->pace;

    if (by_ticks != pace->by_ticks)
        pace->before = pace->spent = 0;
    pace->by_ticks = by_ticks;
    pace->rate = rate;
    pace->slice = (uint64_t)((double)slice_ns(sched) * rate);
}

/* Read the clock and the count at one moment, as nearly as may be: the thread may be interrupted
 * between the two. */
static uint64_t read_both(struct bight_sched *sched, uint64_t *ticks)
{
    uint64_t now_ns = 0, least = UINT64_MAX;

    for (int i = 0; i < READINGS; i++) {
        uint64_t before = bight__ticks(), ns = sched->driver->now_ns(sched);
        uint64_t gap = bight__ticks() - before;

        if (gap > least)
            continue;
        least = gap;
        now_ns = ns;
        *ticks = before + gap / 2;
    }
    return now_ns;
}

/* Measure the rate now and then: it may change when a machine moves to another host. */
static void rate_update(struct bight_sched *sched, uint64_t now_ns)
{
    struct bight_pace *pace = &sched->pace;
    bool first = !pace->rate_ns;
    uint64_t ticks = 0, took_ns;
    double rate;

    if (sched->seams.now_ns || now_ns - pace->rate_ns < RATE_NS)
        return;
    now_ns = read_both(sched, &ticks);
    took_ns = now_ns - pace->rate_ns;
    rate = (double)(ticks - pace->rate_ticks) / (double)took_ns;
    pace->rate_ns = now_ns;
    pace->rate_ticks = ticks;
    if (first)
        return;
    if (rate >= RATE_MIN && rate <= RATE_MAX)
        count_in(sched, true, rate);
    else
        count_in(sched, false, 1);
}

void bight__pace_init(struct bight_sched *sched)
{
    sched->pace.stride = 1;
    count_in(sched, false, 1);
}

static void begin(struct bight_sched *sched, uint64_t most)
{
    struct bight_pace *pace = &sched->pace;

    pace->begin = now(sched);
    pace->end = pace->begin + most;
    pace->looked = pace->begin;
    pace->calm_until = 0;
    pace->left = pace->stride;
    pace->over = false;
}

/* Steps were made after the time was over: as many as since the last look, or fewer. */
static void is_over(struct bight_pace *pace)
{
    if (!pace->over)
        pace->late += pace->stride;
    pace->over = true;
    pace->stride = 1;
}

/* What of the slice this phase has. */
static uint64_t time_left(const struct bight_pace *pace)
{
    uint64_t spent = pace->before + pace->spent;

    return spent < pace->slice ? pace->slice - spent : 0;
}

/* A timer that is due sooner than the slice would end ends it. */
static uint64_t until_timer(const struct bight_sched *sched, uint64_t now_ns, uint64_t next_ns,
                            uint64_t most)
{
    const struct bight_pace *pace = &sched->pace;
    uint64_t least = pace->slice / LEAST_PART;
    uint64_t until;

    if (next_ns == UINT64_MAX || next_ns >= now_ns + slice_ns(sched))
        return most;
    until = next_ns > now_ns ? (uint64_t)((double)(next_ns - now_ns) * pace->rate) : 0;
    if (until < least)
        until = least;
    return until < most ? until : most;
}

bool bight__pace_begin(struct bight_sched *sched, uint64_t next_ns)
{
    struct bight_pace *pace = &sched->pace;
    uint64_t now_ns = sched->driver->now_ns(sched);
    uint64_t most;

    rate_update(sched, now_ns);
    most = time_left(pace);
    /* Two phases in a row are never left out, whatever posts have spent. */
    if (!most && !pace->skipped) {
        pace->skipped = true;
        return false;
    }
    pace->skipped = false;
    begin(sched, until_timer(sched, now_ns, next_ns, most ? most : pace->slice));
    return true;
}

void bight__pace_begin_posts(struct bight_sched *sched)
{
    uint64_t left = time_left(&sched->pace);
    uint64_t least = sched->pace.slice / POSTS_PART;

    begin(sched, left > least ? left : least);
}

/* Together with the last pass, and the slice after it, calls are late by no more than that. */
static void begin_calls(struct bight_sched *sched)
{
    struct bight_pace *pace = &sched->pace;

    begin(sched, pace->slice / CALLS_PART);
    pace->passing = true;
    pace->least = pace->late_before < CALLS_LEAST ? CALLS_LEAST - pace->late_before : 1;
}

bool bight__pace_call(struct bight_sched *sched)
{
    struct bight_pace *pace = &sched->pace;

    if (!pace->passing)
        begin_calls(sched);
    if (!pace->over && (pace->left || bight__pace_look(sched)))
        pace->left--;
    else if (pace->least)
        pace->late++;
    else
        return false;
    pace->least -= pace->least > 0;
    return true;
}

void bight__pace_end_calls(struct bight_sched *sched)
{
    bight__pace_end(sched);
    sched->pace.passing = false;
}

bool bight__pace_look(struct bight_sched *sched)
{
    struct bight_pace *pace = &sched->pace;
    uint64_t at = now(sched);
    uint64_t took = at - pace->looked;
    uint64_t left;

    /* A count that has gone back comes out as very long. */
    if (at - pace->begin >= pace->end - pace->begin) {
        is_over(pace);
        pace->calm_until = 0;
        return false;
    }
    left = pace->end - at;
    if (left < took)
        pace->stride = 1;
    else if (left / 2 >= took)
        pace->stride = pace->stride < STEPS_PER_LOOK / 2 ? 2 * pace->stride : STEPS_PER_LOOK;
    pace->calm_until = pace->by_ticks && pace->stride == STEPS_PER_LOOK ? pace->end - took : 0;
    pace->looked = at;
    pace->left = pace->stride;
    return true;
}

void bight__pace_end(struct bight_sched *sched)
{
    struct bight_pace *pace = &sched->pace;
    uint64_t at = now(sched);

    if (at - pace->begin >= pace->end - pace->begin)
        is_over(pace);
    pace->spent += at - pace->begin;
}

void bight__pace_phase(struct bight_sched *sched)
{
    sched->pace.before = sched->pace.spent;
    sched->pace.spent = 0;
}
