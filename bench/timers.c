/* Timers by the million: the wheel under all deadlines against a uv_timer_t each. Moving one
 * while many others are live (cancel one of them at random, arm it for a random time in the
 * next minute), and firing them all. */
#include "bench/bench.h"
#include "coro/base/list.h"
#include "runtime/wheel.h"

#include <stdlib.h>

#include <bight/errors.h>
#include <uv.h>

#define MOVES 200000u
#define SECOND_NS UINT64_C(1000000000)

struct timers {
    size_t live;
    uv_loop_t loop;
    uv_timer_t *uv;
    struct bight_wheel wheel;
    struct bight_timer *ours;
    uint64_t random;
};

static uint64_t delay_ms(struct timers *timers)
{
    return 1000 + bench_random(&timers->random) % 59000;
}

static void uv_fired(uv_timer_t *timer)
{
    (void)timer;
}

static void fired(struct bight_timer *timer)
{
    (void)timer;
}

static void open_timers(void *arg)
{
    struct timers *timers = arg;

    timers->random = 88172645463325252u;
    bench_check(uv_loop_init(&timers->loop), "loop");
    timers->uv = calloc(timers->live, sizeof *timers->uv);
    timers->ours = calloc(timers->live, sizeof *timers->ours);
    bench_check(timers->uv && timers->ours ? 0 : BIGHT_ENOMEM, "calloc");
    bight__wheel_init(&timers->wheel, SECOND_NS);
    for (size_t i = 0; i < timers->live; i++) {
        uv_timer_init(&timers->loop, &timers->uv[i]);
        uv_timer_start(&timers->uv[i], uv_fired, delay_ms(timers), 0);
        link_init(&timers->ours[i].link);
        timers->ours[i].fire = fired;
        bight__wheel_arm(&timers->wheel, &timers->ours[i], SECOND_NS + delay_ms(timers) * 1000000);
    }
}

static void close_timers(void *arg)
{
    struct timers *timers = arg;

    for (size_t i = 0; i < timers->live; i++)
        uv_close((uv_handle_t *)&timers->uv[i], NULL);
    uv_run(&timers->loop, UV_RUN_DEFAULT);
    bench_check(uv_loop_close(&timers->loop), "close");
    free(timers->uv);
    free(timers->ours);
}

static double move_ours(void *arg, uint64_t operations)
{
    struct timers *timers = arg;
    uint64_t begin = bench_begin();

    for (uint64_t i = 0; i < operations; i++) {
        struct bight_timer *timer = &timers->ours[bench_random(&timers->random) % timers->live];

        bight__wheel_disarm(&timers->wheel, timer);
        bight__wheel_arm(&timers->wheel, timer, SECOND_NS + delay_ms(timers) * 1000000);
    }
    return bench_end(begin, operations);
}

static double move_uv(void *arg, uint64_t operations)
{
    struct timers *timers = arg;
    uint64_t begin = bench_begin();

    for (uint64_t i = 0; i < operations; i++) {
        uv_timer_t *timer = &timers->uv[bench_random(&timers->random) % timers->live];

        uv_timer_stop(timer);
        uv_timer_start(timer, uv_fired, delay_ms(timers), 0);
    }
    return bench_end(begin, operations);
}

/* All timers come due within FIRE_MS, at random; what is measured is firing them all. */
#define FIRE_MS 200

static double fire_ours(void *arg, uint64_t operations)
{
    struct timers *timers = arg;
    uint64_t now = SECOND_NS, begin;
    size_t fired_count = 0;
    double ns;

    (void)operations; /* all the timers there are */
    bight__wheel_init(&timers->wheel, now);
    for (size_t i = 0; i < timers->live; i++) {
        link_init(&timers->ours[i].link);
        timers->ours[i].fire = fired;
        bight__wheel_arm(&timers->wheel, &timers->ours[i],
                         now + (1 + bench_random(&timers->random) % FIRE_MS) * 1000000);
    }
    begin = bench_begin();
    for (unsigned ms = 1; ms <= FIRE_MS; ms++)
        fired_count += bight__wheel_advance(&timers->wheel, now + ms * UINT64_C(1000000));
    ns = bench_end(begin, timers->live);
    bench_check(fired_count == timers->live ? 0 : BIGHT_EINVAL, "fire");
    return ns;
}

/* libuv uses the real clock: wait until all are due, and let one turn of the loop fire them. */
static double fire_uv(void *arg, uint64_t operations)
{
    struct timers *timers = arg;
    uint64_t begin, ready;

    (void)operations;
    uv_update_time(&timers->loop);
    for (size_t i = 0; i < timers->live; i++)
        uv_timer_start(&timers->uv[i], uv_fired, 1 + bench_random(&timers->random) % FIRE_MS, 0);
    ready = bench_wall_ns() + (FIRE_MS + 2) * UINT64_C(1000000);
    while (bench_wall_ns() < ready)
        continue;
    begin = bench_begin();
    uv_run(&timers->loop, UV_RUN_NOWAIT);
    return bench_end(begin, timers->live);
}

static struct timers few = {.live = 1000}, many = {.live = 1000000};

static const struct bench_row rows[] = {
    {"timer_1000", "ns", "uv_timer_stop and uv_timer_start", move_ours, move_uv, &few, MOVES,
     .open = open_timers, .close = close_timers},
    {"timer_1000000", "ns", "uv_timer_stop and uv_timer_start", move_ours, move_uv, &many, MOVES,
     .open = open_timers, .close = close_timers},
    {"timer_fire", "ns", "uv_timer_t", fire_ours, fire_uv, &many, 1000000, .open = open_timers,
     .close = close_timers},
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
