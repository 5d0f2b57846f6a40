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

/* Of a slice: its least part, however soon a timer is due, and what posts have in any case. */
#define LEAST_PART 16
#define POSTS_PART 4

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

bool bight__pace_look(struct bight_sched *sched)
{
    struct bight_pace *pace = &sched->pace;
    uint64_t at = now(sched);
    uint64_t took = at - pace->looked;
    uint64_t left;

    /* A count that has gone back comes out as very long. */
    if (at - pace->begin >= pace->end - pace->begin) {
        pace->stride = 1;
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
        pace->stride = 1;
    pace->spent += at - pace->begin;
}

void bight__pace_phase(struct bight_sched *sched)
{
    sched->pace.before = sched->pace.spent;
    sched->pace.spent = 0;
}
