/* How late a timer fires beside a task that is always busy: the task works for a set time, and
 * yields after each step. A ticker sleeps until the next whole millisecond of the clock, works for
 * a random part of one itself, so that steps do not fall at the same place in each, and sleeps
 * again; the median of its delays is measured. Baseline: the same ticker as a uv_timer_t, and an
 * idle callback that does one step each time. Wall time. */
#include "bench/run.h"

#include <stdlib.h>

#include <bight/task.h>
#include <bight/time.h>
#include <uv.h>

#define MS UINT64_C(1000000)
#define US UINT64_C(1000)
#define MANY_TICKS 300
#define FEW_TICKS 100
/* A sample ends after its ticks, or after this long if it has some. */
#define SAMPLE_NS (1500 * MS)
#define LEAST_TICKS 3

/* Steps of `ns`, and after a number of them one of `long_ns`. */
struct work {
    uint64_t ns;
    unsigned steps;
    uint64_t long_ns;
};

struct beat {
    const struct work *work;
    unsigned done; /* steps since the last long one */
    uint64_t random;
    uint64_t due_ns;
    uint64_t end_ns;
    size_t ticks;
    size_t ticked;
    bool over;
    double *late_us;
};

/* Work until the loop's clock says so. */
static void spin(uint64_t ns)
{
    uint64_t end = uv_hrtime() + ns;

    while (uv_hrtime() < end)
        continue;
}

static void step(struct beat *beat)
{
    const struct work *work = beat->work;

    if (work->steps && beat->done++ == work->steps) {
        beat->done = 0;
        spin(work->long_ns);
    } else {
        spin(work->ns);
    }
}

static void next_due(struct beat *beat)
{
    beat->due_ns = (uv_hrtime() / MS + 1) * MS;
}

/* Whether there will be another tick. */
static bool tick(struct beat *beat)
{
    uint64_t now = uv_hrtime();

    beat->late_us[beat->ticked++] = (double)(now - beat->due_ns) / (double)US;
    beat->over =
        beat->ticked == beat->ticks || (beat->ticked >= LEAST_TICKS && now >= beat->end_ns);
    if (beat->over)
        return false;
    spin(bench_random(&beat->random) % MS);
    next_due(beat);
    return true;
}

static int busy(void *arg)
{
    struct beat *beat = arg;

    while (!beat->over) {
        step(beat);
        bench_check(bight_yield(), "yield");
    }
    return 0;
}

static int ticker_main(void *arg)
{
    struct beat *beat = arg;
    struct bight_task *task;

    bench_check(bight_spawn(&task, busy, beat), "spawn");
    next_due(beat);
    do
        bench_check(bight_sleep_until(beat->due_ns), "sleep");
    while (tick(beat));
    return bight_join(task, NULL);
}

static void uv_ticked(uv_timer_t *timer)
{
    struct beat *beat = timer->data;

    if (!tick(beat)) {
        uv_stop(timer->loop);
        return;
    }
    uv_update_time(timer->loop);
    uv_timer_start(timer, uv_ticked, beat->due_ns / MS - uv_now(timer->loop), 0);
}

static void uv_step(uv_idle_t *idle)
{
    step(idle->data);
}

static void uv_beat(struct beat *beat)
{
    uv_loop_t loop;
    uv_timer_t timer;
    uv_idle_t idle;

    bench_check(uv_loop_init(&loop), "loop");
    uv_timer_init(&loop, &timer);
    uv_idle_init(&loop, &idle);
    timer.data = idle.data = beat;
    uv_idle_start(&idle, uv_step);
    next_due(beat);
    uv_update_time(&loop);
    uv_timer_start(&timer, uv_ticked, beat->due_ns / MS - uv_now(&loop), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_close((uv_handle_t *)&idle, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    bench_check(uv_loop_close(&loop), "close");
}

static void bight_beat(struct beat *beat)
{
    bench_run(ticker_main, beat);
}

static double lateness(const struct work *work, uint64_t ticks, void (*run)(struct beat *beat))
{
    struct beat beat = {.work = work, .random = 88172645463325252u, .ticks = ticks};
    double median;

    beat.late_us = calloc(ticks, sizeof *beat.late_us);
    bench_check(beat.late_us ? 0 : BIGHT_ENOMEM, "calloc");
    beat.end_ns = uv_hrtime() + SAMPLE_NS;
    run(&beat);
    median = bench_median(beat.late_us, beat.ticked);
    free(beat.late_us);
    return median;
}

static double ours(void *arg, uint64_t operations)
{
    return lateness(arg, operations, bight_beat);
}

static double raw(void *arg, uint64_t operations)
{
    return lateness(arg, operations, uv_beat);
}

static struct work steps_1us = {.ns = 1 * US}, steps_100us = {.ns = 100 * US};
static struct work steps_5ms = {.ns = 5 * MS}, mixed = {1 * US, 63, 5 * MS};

static const struct bench_row rows[] = {
    {"lateness_1us", "us", "uv_timer_t beside an idle callback", ours, raw, &steps_1us, MANY_TICKS,
     .samples = 5},
    {"lateness_100us", "us", "uv_timer_t beside an idle callback", ours, raw, &steps_100us,
     MANY_TICKS, .samples = 5},
    {"lateness_5ms", "us", "uv_timer_t beside an idle callback", ours, raw, &steps_5ms, FEW_TICKS,
     .samples = 5},
    {"lateness_mixed", "us", "uv_timer_t beside an idle callback", ours, raw, &mixed, FEW_TICKS,
     .samples = 5},
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
