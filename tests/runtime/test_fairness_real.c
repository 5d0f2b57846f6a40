/* coro/core/pace.c in real time, beside libuv's own handles and the clock: steps are counted. What
 * they promise in virtual time: test_fairness.c. */
#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/harness/world.h"

#include <bight/uv.h>

#include <unistd.h>

#define STEPS 200

struct real {
    uv_loop_t loop;
    uv_timer_t timer;
    uv_poll_t poll;
    struct bight_runtime *runtime;
    int ends[2];
    unsigned steps;
    unsigned seen; /* steps when the host's callback was there last */
    unsigned most; /* steps between two of them */
    unsigned written, read;
    unsigned callbacks;
};

static void spin(uint64_t ns)
{
    uint64_t begin = uv_hrtime();

    while (uv_hrtime() - begin < ns)
        continue;
}

static void on_host_timer(uv_timer_t *timer)
{
    struct real *real = timer->data;

    real->callbacks++;
    if (real->steps - real->seen > real->most)
        real->most = real->steps - real->seen;
    real->seen = real->steps;
}

static void on_host_poll(uv_poll_t *poll, int status, int events)
{
    struct real *real = poll->data;
    char byte;

    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(events, UV_READABLE);
    ck_assert_int_eq(read(real->ends[0], &byte, 1), 1);
    real->read = real->steps;
}

static void on_detached(void *arg)
{
    struct real *real = arg;

    uv_close((uv_handle_t *)&real->timer, NULL);
    uv_close((uv_handle_t *)&real->poll, NULL);
}

static int works_on(void *arg)
{
    struct real *real = arg;

    real->seen = real->steps;
    while (real->steps < STEPS) {
        spin(200000);
        if (++real->steps == STEPS / 2) {
            ck_assert_int_eq(write(real->ends[1], "x", 1), 1);
            real->written = real->steps;
        }
        ck_ok(bight_yield());
    }
    return bight_detach(real->runtime, on_detached, real);
}

static void host_callbacks_wait_for_two_steps(void)
{
    struct real real = {0};

    ck_assert_int_eq(pipe(real.ends), 0);
    ck_assert_int_eq(uv_loop_init(&real.loop), 0);
    uv_timer_init(&real.loop, &real.timer);
    ck_assert_int_eq(uv_poll_init(&real.loop, &real.poll, real.ends[0]), 0);
    real.timer.data = real.poll.data = &real;
    uv_timer_start(&real.timer, on_host_timer, 0, 1);
    uv_poll_start(&real.poll, UV_READABLE, on_host_poll);
    ck_ok(bight_attach(&real.runtime, &real.loop, NULL));
    ck_ok(bight_spawn(NULL, works_on, &real));
    uv_run(&real.loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&real.loop), 0);
    close(real.ends[0]);
    close(real.ends[1]);
    ck_assert_uint_ge(real.callbacks, STEPS / 10);
    /* libuv's timers count in ms: 5 steps, and what was said. */
    ck_assert_uint_le(real.most, 5 + 2);
    ck_assert_uint_ge(real.read, real.written);
    ck_assert_uint_le(real.read - real.written, 2);
}

#define TICKS 20

struct busy {
    uint64_t step_ns; /* when the last step began */
    bool stop;
};

static int is_busy(void *arg)
{
    struct busy *busy = arg;

    while (!busy->stop) {
        busy->step_ns = bight_now_ns();
        spin(2000000);
        ck_ok(bight_yield());
    }
    return 0;
}

/* The steps that begin between the time that a tick is due and the tick. */
static int ticks_beside(void *arg)
{
    struct busy busy = {0};
    struct bight_task *task;
    unsigned *begun = arg;

    ck_ok(bight_spawn(&task, is_busy, &busy));
    for (int i = 0; i < TICKS; i++) {
        uint64_t due_ns = bight_now_ns() + 3000000;

        ck_ok(bight_sleep(3));
        *begun += busy.step_ns > due_ns;
    }
    busy.stop = true;
    return bight_join(task, NULL);
}

static void what_comes_due_goes_before_the_next_step_of_one_that_is_alone(void)
{
    unsigned begun = 0;

    ck_ok(bight_run(ticks_beside, &begun));
    ck_assert_uint_lt(begun, TICKS / 2); /* a few: a step may begin just when one is due */
}

static int yields_often(void *arg)
{
    struct bight_runtime_stats stats;
    uint64_t slices;

    (void)arg;
    ck_ok(bight_runtime_get_stats(&stats));
    slices = stats.slices;
    for (int i = 0; i < 1000; i++) {
        spin(2000);
        ck_ok(bight_yield());
    }
    ck_ok(bight_runtime_get_stats(&stats));
    ck_assert_uint_ge(stats.slices - slices, 999);
    return 0;
}

static void a_slice_of_a_microsecond_is_one_step(void)
{
    const struct bight_runtime_options options = {.slice_us = 1};

    ck_ok(bight_run_with(&options, yields_often, NULL));
}

static const struct suite_case cases[] = {
    plain_case(host_callbacks_wait_for_two_steps),
    plain_case(what_comes_due_goes_before_the_next_step_of_one_that_is_alone),
    plain_case(a_slice_of_a_microsecond_is_one_step),
};

test_suite("fairness_real", cases);
