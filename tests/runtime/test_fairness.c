/* coro/core/pace.c and those who ask it: whatever steps are made of, nothing waits longer than a
 * slice and two steps, or 16 where steps differ. Steps spend virtual time, by a clock that does not
 * tell the runtime so. In real time: test_fairness_real.c. */
#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/runtime/work.h"

#define WAIT_MS 500

static uint64_t due_ns;
static int64_t late_ms;

static void due_in(struct work *work, int64_t wait_ms)
{
    due_ns = work_now(work) + (uint64_t)wait_ms * 1000000;
}

static void came(struct work *work)
{
    late_ms = (int64_t)(work_now(work) - due_ns) / 1000000;
    ck_assert_int_ge(late_ms, 0);
}

/* What is done by a task of its own beside a sleeper. */
struct beside {
    struct work *work;
    int (*fn)(void *arg);
};

static int sleeps_beside(void *arg)
{
    struct beside *beside = arg;
    struct work *work = beside->work;
    struct bight_task *task;

    work_open(work);
    due_in(work, WAIT_MS);
    ck_ok(bight_spawn(&task, beside->fn, work));
    ck_ok(bight_sleep(WAIT_MS));
    came(work);
    work->stop = true;
    ck_ok(bight_join(task, NULL));
    work_close(work);
    return 0;
}

static int times_out(void *arg)
{
    struct beside *beside = arg;
    struct work *work = beside->work;

    work_open(work);
    due_in(work, WAIT_MS);
    ck_code(bight_timeout(WAIT_MS, beside->fn, work), BIGHT_ETIMEDOUT);
    came(work);
    work_close(work);
    return 0;
}

static void run(struct work *work, int (*main)(void *arg), int (*fn)(void *arg))
{
    struct beside beside = {work, fn};

    work_run(work, main, &beside);
}

static void equal(int (*main)(void *arg), int (*fn)(void *arg))
{
    for (size_t i = 0; i < WORK_LENGTHS; i++) {
        struct work work = {.step_ms = work_lengths_ms[i]};

        run(&work, main, fn);
        ck_assert_int_le(late_ms, SLICE_MS + 2 * work_lengths_ms[i]);
    }
}

static void a_timer_waits_for_a_slice_and_two_steps(void)
{
    for (size_t i = 0; i < work_task_count; i++)
        equal(sleeps_beside, work_tasks[i]);
    for (size_t i = 0; i < work_other_count; i++)
        equal(sleeps_beside, work_others[i]);
}

static void a_deadline_waits_for_a_slice_and_two_steps(void)
{
    for (size_t i = 0; i < work_task_count; i++)
        equal(times_out, work_tasks[i]);
}

static void mixed(int (*main)(void *arg), int (*fn)(void *arg))
{
    for (size_t i = 0; i < WORK_MIXES; i++) {
        struct work work = {
            .shorts = work_mixes[i].shorts, .longs = work_mixes[i].longs, .long_ms = WORK_LONG_MS};

        run(&work, main, fn);
        ck_assert_int_le(late_ms, SLICE_MS + 16 * WORK_LONG_MS);
        ck_assert_uint_gt(work.steps, work_mixes[i].shorts);
    }
}

static void where_steps_differ_it_is_16_of_them(void)
{
    for (size_t i = 0; i < work_task_count; i++) {
        mixed(sleeps_beside, work_tasks[i]);
        mixed(times_out, work_tasks[i]);
    }
    for (size_t i = 0; i < work_other_count; i++)
        mixed(sleeps_beside, work_others[i]);
}

/* Order */

static int passes(void *arg)
{
    struct work *work = arg;

    for (int i = 0; i < 100; i++) {
        work_step(work);
        ck_ok(bight_checkpoint());
    }
    return 0;
}

static int looks_on(void *arg)
{
    struct work *work = arg;

    ck_assert_uint_eq(work->steps, 100);
    return 0;
}

static int stays_first(void *arg)
{
    struct beside *beside = arg;
    struct bight_task *first, *second;

    ck_ok(bight_spawn(&first, beside->fn, beside->work));
    ck_ok(bight_spawn(&second, looks_on, beside->work));
    ck_ok(bight_join(first, NULL));
    return bight_join(second, NULL);
}

static void a_slice_that_ends_changes_no_order(void)
{
    struct work work = {.step_ms = 50};

    run(&work, stays_first, passes);
}

/* A task that is ready has its turn after as many operations as without a clock. */

#define OPERATIONS 128

static int comes(void *arg)
{
    struct work *work = arg;

    work->stop = true;
    return 0;
}

static int works_before(void *arg)
{
    struct beside *beside = arg;
    struct bight_task *task;

    work_open(beside->work);
    ck_ok(bight_checkpoint()); /* the steps before, of no length */
    ck_ok(bight_yield());
    ck_ok(bight_spawn(&task, comes, beside->work));
    ck_ok(beside->fn(beside->work));
    ck_ok(bight_join(task, NULL));
    work_close(beside->work);
    return 0;
}

static void a_ready_task_waits_for_128_operations_of_any_length(void)
{
    for (size_t i = 0; i < work_task_count; i++) {
        for (size_t k = 0; k < WORK_LENGTHS; k++) {
            struct work work = {.step_ms = work_lengths_ms[k]};

            run(&work, works_before, work_tasks[i]);
            ck_assert_uint_le(work.steps, OPERATIONS + 2);
        }
    }
}

static const struct suite_case cases[] = {
    plain_case(a_timer_waits_for_a_slice_and_two_steps),
    plain_case(a_deadline_waits_for_a_slice_and_two_steps),
    plain_case(where_steps_differ_it_is_16_of_them),
    plain_case(a_slice_that_ends_changes_no_order),
    plain_case(a_ready_task_waits_for_128_operations_of_any_length),
};

test_suite("fairness", cases);
