/* Errands (coro/core/sched.c, runtime/door.h): on whose stack they run, and that nobody else runs
 * before the task goes on. */
#include <bight.h>
#include <bight/waiter.h>

#include <fenv.h>

#include "runtime/runtime.h"
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

static char trace[64];
static size_t traced;
static char *outside; /* a frame of the thread's own stack */

static void note(char sign)
{
    if (traced + 1 < sizeof trace)
        trace[traced++] = sign;
    trace[traced] = '\0';
}

static void go(void (*fn)(void *arg), void *arg)
{
    struct bight_runtime *runtime;

    ck_ok(bight__runtime_get(&runtime));
    bight__runtime_errand(runtime, fn, arg);
}

static size_t distance(const char *a, const char *b)
{
    return a < b ? (size_t)(b - a) : (size_t)(a - b);
}

static void is_outside(void *arg)
{
    ck_assert_ptr_null(bight_self());
    ck_code(bight_yield(), BIGHT_ENOTASK);
    ck_assert_uint_lt(distance(__builtin_frame_address(0), outside), 100000);
    ++*(int *)arg;
}

static int goes_outside(void *arg)
{
    struct bight_task *self = bight_self();
    int count = 0;

    (void)arg;
    ck_assert_uint_gt(distance(__builtin_frame_address(0), outside), 100000);
    for (int i = 1; i <= 1000; i++) {
        go(is_outside, &count);
        ck_assert_int_eq(count, i);
        ck_assert_ptr_eq(bight_self(), self);
    }
    return 0;
}

static void an_errand_is_done_on_the_threads_own_stack(void)
{
    outside = __builtin_frame_address(0);
    ck_ok(bight_run(goes_outside, NULL));
}

static void note_lower(void *arg)
{
    note(*(char *)arg);
}

/* Each is switched to by the one before, and not by the loop. */
static int sends_between(void *arg)
{
    char sign = *(char *)arg, lower = (char)(sign - 'A' + 'a');

    for (int i = 0; i < 2; i++) {
        note(sign);
        go(note_lower, &lower);
        note(sign);
        ck_ok(bight_yield());
    }
    return 0;
}

static char signs[] = "ABC";

static int three(struct bight_group *group, void *arg)
{
    (void)arg;
    for (char *sign = signs; *sign; sign++)
        ck_ok(bight_group_spawn(NULL, group, NULL, sends_between, sign));
    return 0;
}

static int run_three(void *arg)
{
    (void)arg;
    traced = 0;
    ck_ok(bight_group_run(three, NULL));
    ck_assert_str_eq(trace, "AaABbBCcCAaABbBCcC");
    return 0;
}

struct pair {
    struct bight_waiter waiter;
    struct bight_task *sleeper;
    struct bight_task *sender;
};

static const struct bight_waiter_ops sleeper_ops = {.name = "sleeper"};

static int sleeps(void *arg)
{
    struct pair *pair = arg;

    ck_ok(bight_waiter_init(&pair->waiter, &sleeper_ops));
    ck_ok(bight_park(&pair->waiter));
    note('w');
    return 0;
}

static void wakes_and_cancels(void *arg)
{
    struct pair *pair = arg;

    ck_assert(bight_unpark(&pair->waiter, 0));
    ck_assert(bight_task_cancel(pair->sender));
    note('e');
}

static int sends(void *arg)
{
    go(wakes_and_cancels, arg);
    note('t');
    ck_code(bight_checkpoint(), BIGHT_ECANCELED);
    return 0;
}

static int run_pair(void *arg)
{
    struct pair pair;

    (void)arg;
    traced = 0;
    ck_ok(bight_spawn(&pair.sleeper, sleeps, &pair));
    ck_ok(bight_yield());
    ck_ok(bight_spawn(&pair.sender, sends, &pair));
    ck_ok(bight_join(pair.sender, NULL));
    ck_ok(bight_join(pair.sleeper, NULL));
    ck_assert_str_eq(trace, "etw");
    return 0;
}

static void rounds_to_nearest(void *arg)
{
    (void)arg;
    ck_assert_int_eq(fegetround(), FE_TONEAREST);
}

static int rounds_up(void *arg)
{
    (void)arg;
    ck_assert_int_eq(fesetround(FE_UPWARD), 0);
    go(rounds_to_nearest, NULL);
    ck_assert_int_eq(fegetround(), FE_UPWARD);
    return 0;
}

static int own_rounding(void *arg)
{
    const struct bight_spawn_options options = {.flags = BIGHT_SPAWN_FLOAT_CONTROL};
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_spawn_with(&task, &options, rounds_up, NULL));
    ck_ok(bight_join(task, NULL));
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(an_errand_is_done_on_the_threads_own_stack),
    world_case(nobody_runs_between_an_errand_and_its_task, run_three),
    world_case(an_errand_wakes_others_and_cancels_its_task, run_pair),
    world_case(an_errand_has_the_threads_float_control, own_rounding),
};

test_suite("errand", cases);
