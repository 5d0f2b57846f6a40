/* Wait: for the first, the first failure, all, with a limit of time; the tasks are left as they
 * are. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <bight/wait.h>

static uint64_t begin_ns;

static int elapsed_ms(void)
{
    return (int)((bight_now_ns() - begin_ns) / 1000000);
}

struct sleeper {
    int64_t sleep_ms;
    int code;
};

static int sleeps(void *arg)
{
    const struct sleeper *sleeper = arg;
    int rc = bight_sleep(sleeper->sleep_ms);

    return rc ? rc : sleeper->code;
}

static void spawn_all(struct bight_wait_item *items, struct sleeper *sleepers, size_t count)
{
    begin_ns = bight_now_ns();
    for (size_t i = 0; i < count; i++)
        ck_ok(bight_spawn(&items[i].task, sleeps, &sleepers[i]));
}

static void end_all(struct bight_wait_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bight_task_cancel(items[i].task);
        ck_ok(bight_join(items[i].task, NULL));
    }
}

static int first_completed(void *arg)
{
    struct sleeper sleepers[] = {{10000, 0}, {100, BIGHT_EIO}, {200, 5}};
    struct bight_wait_item items[3];

    (void)arg;
    spawn_all(items, sleepers, 3);
    ck_assert_int_eq(bight_wait(items, 3, BIGHT_WAIT_FIRST_COMPLETED, -1), 1);
    ck_assert_int_eq(elapsed_ms(), 100);
    ck_assert(!items[0].done && items[1].done && !items[2].done);
    ck_code(items[1].status, BIGHT_EIO);
    /* It is still done, so the next wait for it does not sleep. */
    ck_assert_int_eq(bight_wait(items, 3, BIGHT_WAIT_FIRST_COMPLETED, -1), 1);
    ck_assert_int_eq(elapsed_ms(), 100);
    ck_ok(bight_sleep(150));
    ck_assert_int_eq(bight_wait(items, 3, BIGHT_WAIT_FIRST_COMPLETED, -1), 2);
    ck_assert_int_eq(items[2].status, 5);
    ck_assert(!bight_task_done(items[0].task));
    end_all(items, 3);
    return 0;
}

static int yields(void *arg)
{
    for (int i = 0; i < *(int *)arg; i++)
        ck_ok(bight_yield());
    return 0;
}

struct waiting {
    struct bight_wait_item *items;
    size_t count;
    enum bight_wait_until until;
    int64_t timeout_ms;
    int rc;
};

static int waits(void *arg)
{
    struct waiting *waiting = arg;

    waiting->rc = bight_wait(waiting->items, waiting->count, waiting->until, waiting->timeout_ms);
    return waiting->rc;
}

static int really_done(void *arg)
{
    struct bight_wait_item items[2];
    struct waiting waiting = {items, 2, BIGHT_WAIT_FIRST_COMPLETED, -1, 0};
    struct bight_task *waiter;
    int once = 1;

    (void)arg;
    ck_ok(bight_spawn(&items[1].task, yields, &once));
    ck_ok(bight_spawn(&items[0].task, yields, &once));
    ck_ok(bight_spawn(&waiter, waits, &waiting));
    ck_ok(bight_join(waiter, NULL));
    /* The second has ended before the waiter ran. */
    ck_assert_int_eq(waiting.rc, 2);
    ck_assert(items[0].done && items[1].done);
    end_all(items, 2);
    return 0;
}

static int first_failed(void *arg)
{
    struct sleeper sleepers[] = {{10000, 0}, {100, 0}, {150, BIGHT_EIO}, {120, 0}};
    struct bight_wait_item items[4];

    (void)arg;
    spawn_all(items, sleepers, 4);
    ck_ok(bight_sleep(10));
    bight_task_cancel(items[3].task); /* cancelled is not failed */
    ck_assert_int_eq(bight_wait(items, 4, BIGHT_WAIT_FIRST_FAILED, -1), 3);
    ck_assert_int_eq(elapsed_ms(), 150);
    ck_code(items[3].status, BIGHT_ECANCELED);
    ck_code(items[2].status, BIGHT_EIO);
    ck_assert(!items[0].done);
    ck_assert_int_eq(bight_wait(items, 4, BIGHT_WAIT_FIRST_FAILED, -1),
                     3); /* it is there already */
    ck_assert_int_eq(elapsed_ms(), 150);
    /* Nobody fails: it is all then. */
    ck_ok(bight_join(items[2].task, NULL));
    items[2] = items[3];
    ck_assert_int_eq(bight_wait(items, 3, BIGHT_WAIT_FIRST_FAILED, -1), 3);
    ck_assert_int_eq(elapsed_ms(), 10000);
    end_all(items, 3);
    return 0;
}

static int all(void *arg)
{
    struct sleeper sleepers[] = {{30, 1}, {10, BIGHT_EIO}, {20, 2}};
    struct bight_wait_item items[3];

    (void)arg;
    spawn_all(items, sleepers, 3);
    ck_assert_int_eq(bight_wait(items, 3, BIGHT_WAIT_ALL_COMPLETED, -1), 3);
    ck_assert_int_eq(elapsed_ms(), 30);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(items[i].status, sleepers[i].code);
    end_all(items, 3);
    return 0;
}

static int out_of_time(void *arg)
{
    struct sleeper sleepers[] = {{100, 0}, {150, 0}};
    struct bight_wait_item items[2];

    (void)arg;
    spawn_all(items, sleepers, 2);
    ck_assert_int_eq(bight_wait(items, 2, BIGHT_WAIT_ALL_COMPLETED, 0), 0);
    ck_assert_int_eq(bight_wait(items, 2, BIGHT_WAIT_ALL_COMPLETED, 110), 1);
    ck_assert_int_eq(elapsed_ms(), 110);
    ck_assert(items[0].done && !items[1].done);
    ck_assert_int_eq(bight_wait(items, 2, BIGHT_WAIT_ALL_COMPLETED, 0), 1);
    ck_assert_int_eq(bight_wait(items, 2, BIGHT_WAIT_ALL_COMPLETED, 1000), 2);
    ck_assert_int_eq(elapsed_ms(), 150);
    end_all(items, 2);
    /* One that ends at that very time is done. */
    spawn_all(items, sleepers, 2);
    world_settle();
    ck_assert_int_eq(bight_wait(items, 2, BIGHT_WAIT_ALL_COMPLETED, 100), 1);
    ck_assert_int_eq(elapsed_ms(), 100);
    end_all(items, 2);
    return 0;
}

static int duplicates(void *arg)
{
    struct sleeper sleepers[] = {{10, 1}, {20, 2}};
    struct bight_wait_item items[5];

    (void)arg;
    for (int round = 0; round < 2; round++) {
        spawn_all(items, sleepers, 2);
        items[2].task = items[0].task;
        items[3].task = items[1].task;
        items[4].task = items[0].task;
        if (round)
            ck_ok(bight_sleep(15)); /* the first one is done before */
        ck_assert_int_eq(bight_wait(items, 5, BIGHT_WAIT_FIRST_COMPLETED, -1), 1);
        ck_assert(items[0].done && items[2].done && items[4].done && !items[3].done);
        ck_assert_int_eq(bight_wait(items, 5, BIGHT_WAIT_ALL_COMPLETED, -1), 2);
        ck_assert_int_eq(elapsed_ms(), 20);
        for (int i = 0; i < 5; i++)
            ck_assert_int_eq(items[i].status, i % 2 + 1);
        end_all(items, 2);
    }
    return 0;
}

static int cancelled(void *arg)
{
    struct sleeper sleepers[] = {{10, 1}, {100, 2}};
    struct bight_wait_item items[2];
    struct waiting waiting = {items, 2, BIGHT_WAIT_ALL_COMPLETED, 1000, 0};
    struct bight_task *waiter;
    int status;

    (void)arg;
    spawn_all(items, sleepers, 2);
    ck_ok(bight_spawn(&waiter, waits, &waiting));
    ck_ok(bight_sleep(20));
    bight_task_cancel(waiter);
    ck_ok(bight_join(waiter, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert(items[0].done && !items[1].done);
    ck_ok(bight_join(items[1].task, &status));
    ck_assert_int_eq(status, 2); /* it was not cancelled */
    ck_ok(bight_join(items[0].task, NULL));
    return 0;
}

static int joins(void *arg)
{
    int status;
    int rc = bight_join(*(struct bight_task **)arg, &status);

    return rc ? rc : status;
}

static int joined_meanwhile(void *arg)
{
    struct sleeper sleepers[] = {{0, 1}, {20, 2}};
    struct bight_wait_item items[2];
    struct bight_task *joiner[2];

    (void)arg;
    spawn_all(items, sleepers, 2);
    world_settle();
    for (int i = 0; i < 2; i++)
        ck_ok(bight_spawn(&joiner[i], joins, &items[i].task));
    /* Both handles are gone before this returns, one of them before it is over. */
    ck_assert_int_eq(bight_wait(items, 2, BIGHT_WAIT_ALL_COMPLETED, -1), 2);
    ck_assert_int_eq(items[0].status, 1);
    ck_assert_int_eq(items[1].status, 2);
    for (int i = 0; i < 2; i++)
        ck_ok(bight_join(joiner[i], NULL));
    return 0;
}

static int waits_for_event(void *arg)
{
    return bight_event_wait(arg);
}

static int hundred(void *arg)
{
    struct bight_wait_item items[100];
    struct bight_event event;

    (void)arg;
    bight_event_init(&event);
    for (int i = 0; i < 100; i++)
        ck_ok(bight_spawn(&items[i].task, waits_for_event, &event));
    world_settle();
    bight_event_set(&event);
    ck_assert_int_eq(bight_wait(items, 100, BIGHT_WAIT_ALL_COMPLETED, -1), 100);
    end_all(items, 100);
    return 0;
}

/* Two tasks, each of which waits for the other. */
static int waits_for_other(void *arg)
{
    struct bight_wait_item item = {.task = *(struct bight_task **)arg};

    return bight_wait(&item, 1, BIGHT_WAIT_ALL_COMPLETED, -1);
}

static int joins_other(void *arg)
{
    return bight_join(*(struct bight_task **)arg, NULL);
}

static int circle(void *arg)
{
    struct bight_task *tasks[2];
    int status;

    (void)arg;
    ck_ok(bight_spawn(&tasks[0], joins_other, &tasks[1]));
    ck_ok(bight_spawn(&tasks[1], waits_for_other, &tasks[0]));
    ck_ok(bight_join(tasks[0], &status)); /* and with it the handle of the other */
    ck_ok(status);
    return 0;
}

static int refuses(void *arg)
{
    struct bight_wait_item items[2] = {{.task = bight_self()}, {.task = NULL}};

    (void)arg;
    ck_code(bight_wait(items, 0, BIGHT_WAIT_ALL_COMPLETED, -1), BIGHT_EINVAL);
    ck_code(bight_wait(items, 2, BIGHT_WAIT_ALL_COMPLETED, -1), BIGHT_EINVAL);
    ck_code(bight_wait(items, 1, 0, -1), BIGHT_EINVAL);
    ck_code(bight_wait(items, 1, 4, -1), BIGHT_EINVAL);
    ck_code(bight_wait(items, 1, BIGHT_WAIT_FIRST_COMPLETED, -1), BIGHT_EDEADLK);
    ck_ok(bight_spawn(&items[0].task, world_forever, NULL));
    struct bight_task *task = items[0].task;
    ck_ok(bight_sleep(1));
    items[0].task = task;
    ck_assert_int_eq(bight_wait(items, 1, BIGHT_WAIT_FIRST_COMPLETED, 5), 0);
    end_all(items, 1);
    return 0;
}

static void wait_refuses_what_cannot_be(void)
{
    struct bight_wait_item item = {.task = NULL};

    ck_code(bight_wait(&item, 1, BIGHT_WAIT_ALL_COMPLETED, -1), BIGHT_EINVAL);
    item.task = (struct bight_task *)&item; /* not looked at */
    ck_code(bight_wait(&item, 1, BIGHT_WAIT_ALL_COMPLETED, -1), BIGHT_ENOTASK);
    ck_ok(world_run(refuses, NULL, NULL));
}

static const struct suite_case cases[] = {
    world_case(wait_for_the_first_leaves_the_others_alone, first_completed),
    world_case(wait_sees_all_that_are_done_when_the_waiter_runs, really_done),
    world_case(wait_for_the_first_failure_does_not_count_the_cancelled, first_failed),
    world_case(wait_for_all, all),
    world_case(wait_out_of_time_says_how_many_are_done, out_of_time),
    world_case(wait_counts_a_task_that_is_listed_twice_once, duplicates),
    world_case(wait_that_is_cancelled_leaves_the_tasks_running, cancelled),
    world_case(wait_needs_no_handle_after_the_end, joined_meanwhile),
    world_case(wait_for_a_hundred_that_end_together, hundred),
    world_case(wait_that_would_close_a_circle_is_refused, circle),
    plain_case(wait_refuses_what_cannot_be),
};

test_suite("wait", cases);
