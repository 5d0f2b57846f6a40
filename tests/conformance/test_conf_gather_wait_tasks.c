/* Waiting for several tasks at once, and for one after the other as they end. */
#include "tests/conformance/conf.h"

#define E BIGHT_EIO

static struct bight_task *starts(struct conf_sleeper *sleeper)
{
    struct bight_task *task;

    ck_ok(bight_spawn(&task, conf_sleeper, sleeper));
    return task;
}

/* End and join a task, whatever it was about. */
static void ends(struct bight_task *task)
{
    bight_task_cancel(task);
    ck_ok(bight_join(task, NULL));
}

static int twice(void *arg)
{
    struct conf_sleeper c = {.returns = 3}, d = {.returns = 4};
    struct bight_task *task_c = starts(&c), *task_d = starts(&d);
    struct bight_wait_item items[] = {{.task = task_c}, {.task = task_c}, {.task = task_d}};

    (void)arg;
    ck_assert_int_eq(bight_wait(items, 3, BIGHT_WAIT_ALL_COMPLETED, -1), 2);
    for (int i = 0; i < 3; i++)
        ck_assert(items[i].done);
    ck_assert_int_eq(items[0].status, 3);
    ck_assert_int_eq(items[1].status, 3);
    ck_assert_int_eq(items[2].status, 4);
    conf_join(task_c, 3);
    conf_join(task_d, 4);
    return 0;
}

static int unknown_mode(void *arg)
{
    struct conf_sleeper sleeper = {.sleep_ms = 10000};
    struct bight_wait_item item = {.task = starts(&sleeper)};

    (void)arg;
    ck_code(bight_wait(&item, 1, -1, -1), BIGHT_EINVAL);
    ck_code(bight_wait(&item, 1, 4, -1), BIGHT_EINVAL);
    ck_assert(!item.done && !sleeper.begun);
    ck_assert_int_eq(conf_now_ms(), 0);
    ends(item.task);
    return 0;
}

static int first_completed(void *arg)
{
    struct conf_sleeper a = {.sleep_ms = 10000}, b = {.sleep_ms = 100};
    struct bight_wait_item items[2];

    (void)arg;
    items[1].task = starts(&a);
    items[0].task = starts(&b);
    ck_assert_int_eq(bight_wait(items, 2, BIGHT_WAIT_FIRST_COMPLETED, -1), 1);
    ck_assert_int_eq(conf_now_ms(), 100);
    ck_assert(items[0].done && !items[1].done);
    ck_assert_int_eq(items[0].status, 0);
    ck_assert(!bight_task_done(items[1].task));
    conf_join(items[0].task, 0);
    conf_join(items[1].task, 0); /* it was not cancelled, and sleeps to its end */
    ck_assert_int_eq(conf_now_ms(), 10000);
    return 0;
}

static int yields_once(void *arg)
{
    (void)arg;
    return bight_yield();
}

static int waits_for_first(void *arg)
{
    struct bight_wait_item *items = arg;

    return bight_wait(items, 2, BIGHT_WAIT_FIRST_COMPLETED, -1);
}

/* The case has the second task yield twice: there, two turns pass between the end of the first
 * and the waiter's run. Here the waiter is made ready by that end itself, so it is the rest of
 * the turn in which others may end, and with a second yield it would be told of one. */
static int all_that_is_done(void *arg)
{
    struct bight_wait_item items[2];
    struct bight_task *waiter;

    (void)arg;
    ck_ok(bight_spawn(&items[1].task, yields_once, NULL));
    ck_ok(bight_spawn(&items[0].task, yields_once, NULL));
    ck_ok(bight_spawn(&waiter, waits_for_first, items));
    conf_join(waiter, 2); /* one woke it, the other had ended by the time it ran */
    ck_assert(items[0].done && items[1].done);
    conf_join(items[0].task, 0);
    conf_join(items[1].task, 0);
    return 0;
}

static int failed_already(void *arg)
{
    struct conf_sleeper a = {.sleep_ms = 10000}, b = {.returns = E};
    struct bight_wait_item items[2];

    (void)arg;
    items[1].task = starts(&a);
    items[0].task = starts(&b);
    ck_assert_int_eq(bight_wait(items, 2, BIGHT_WAIT_FIRST_FAILED, -1), 1);
    ck_assert(items[0].done && !items[1].done);
    ck_assert_int_eq(items[0].status, E);
    ck_assert_int_eq(conf_now_ms(), 0);
    /* Once more, when it has failed before the call. */
    ck_assert_int_eq(bight_wait(items, 2, BIGHT_WAIT_FIRST_FAILED, -1), 1);
    ck_assert_int_eq(conf_now_ms(), 0);
    conf_join(items[0].task, E);
    ends(items[1].task);
    return 0;
}

static int timed(int64_t timeout_ms)
{
    struct conf_sleeper a = {.sleep_ms = 100}, b = {.sleep_ms = 150};
    struct bight_wait_item items[2];
    int64_t begin_ms = conf_now_ms();

    items[1].task = starts(&a);
    items[0].task = starts(&b);
    ck_ok(bight_yield()); /* both sleep by now, so their timers are older than ours */
    ck_assert_int_eq(bight_wait(items, 2, BIGHT_WAIT_ALL_COMPLETED, timeout_ms), 1);
    ck_assert(items[1].done && !items[0].done);
    ck_assert_int_eq(conf_now_ms() - begin_ms, timeout_ms);
    conf_join(items[1].task, 0);
    conf_join(items[0].task, 0); /* it goes on */
    ck_assert_int_eq(conf_now_ms() - begin_ms, 150);
    return 0;
}

static int timed_out(void *arg)
{
    (void)arg;
    return timed(110);
}

static int just_in_time(void *arg)
{
    (void)arg;
    return timed(100);
}

struct inner {
    struct bight_future future;
    int *counter;
};

static int inner(void *arg)
{
    struct inner *inner_arg = arg;
    int rc = bight_future_wait(&inner_arg->future, NULL, NULL);

    *inner_arg->counter += rc == 0;
    return rc;
}

struct outer {
    struct bight_wait_item item;
    int *counter;
};

static int outer(void *arg)
{
    struct outer *outer_arg = arg;
    int rc = bight_wait(&outer_arg->item, 1, BIGHT_WAIT_ALL_COMPLETED, -1);

    if (rc >= 0)
        *outer_arg->counter += 100;
    return rc;
}

static int cancelled_waiter(void *arg)
{
    int counter = 0;
    struct inner inner_arg = {.counter = &counter};
    struct outer outer_arg = {.counter = &counter};
    struct bight_task *task;

    (void)arg;
    bight_future_init(&inner_arg.future);
    ck_ok(bight_spawn(&outer_arg.item.task, inner, &inner_arg));
    ck_ok(bight_spawn(&task, outer, &outer_arg));
    world_settle();
    bight_task_cancel(task);
    conf_join(task, BIGHT_ECANCELED);
    ck_ok(bight_future_set(&inner_arg.future, NULL));
    conf_join(outer_arg.item.task, 0);
    ck_assert_int_eq(counter, 1);
    return 0;
}

/* As completed */

static int in_order_of_ends(void *arg)
{
    struct conf_sleeper a = {.sleep_ms = 10, .returns = 'a'}, b = {.sleep_ms = 10, .returns = 'b'},
                        c = {.sleep_ms = 150, .returns = 'c'};
    struct bight_wait_item items[] = {
        {.task = starts(&b)}, {.task = starts(&c)}, {.task = starts(&a)}};
    struct bight_as_completed completed;
    struct bight_wait_item *item;
    int values[3];

    (void)arg;
    ck_ok(bight_as_completed_begin(&completed, items, 3));
    for (int i = 0; i < 3; i++) {
        ck_ok(bight_as_completed_next(&completed, &item));
        values[i] = item->status;
        ck_assert(item->done);
        ck_assert_int_eq(conf_now_ms(), i < 2 ? 10 : 150);
    }
    ck_code(bight_as_completed_next(&completed, &item), BIGHT_ECLOSED);
    bight_as_completed_end(&completed);
    ck_assert_int_eq(values[0] + values[1], 'a' + 'b');
    ck_assert_int_ne(values[0], values[1]);
    ck_assert_int_eq(values[2], 'c');
    for (int i = 0; i < 3; i++)
        ck_ok(bight_join(items[i].task, NULL));
    return 0;
}

/* One who asks for the next one, as a task. */
struct asker {
    struct bight_as_completed *completed;
    struct bight_wait_item *got;
    int64_t got_ms;
};

static int asks(void *arg)
{
    struct asker *asker = arg;
    int rc = bight_as_completed_next(asker->completed, &asker->got);

    asker->got_ms = conf_now_ms();
    return rc;
}

static void two_askers(int64_t a_ms, int64_t b_ms, struct asker askers[2])
{
    struct conf_sleeper a = {.sleep_ms = a_ms, .returns = 'a'};
    struct conf_sleeper b = {.sleep_ms = b_ms, .returns = 'b'};
    struct bight_wait_item items[] = {{.task = starts(&a)}, {.task = starts(&b)}};
    struct bight_as_completed completed;
    struct bight_task *tasks[2];

    ck_ok(bight_as_completed_begin(&completed, items, 2));
    for (int i = 0; i < 2; i++) {
        askers[i].completed = &completed;
        ck_ok(bight_spawn(&tasks[i], asks, &askers[i]));
    }
    for (int i = 0; i < 2; i++)
        conf_join(tasks[i], 0);
    ck_assert_int_eq(askers[0].got->status + askers[1].got->status, 'a' + 'b');
    ck_assert_ptr_ne(askers[0].got, askers[1].got);
    ck_assert_ptr_eq(askers[0].got, &items[0]);
    bight_as_completed_end(&completed);
    for (int i = 0; i < 2; i++)
        ck_ok(bight_join(items[i].task, NULL));
}

static int who_asks_first(void *arg)
{
    struct asker askers[2];

    (void)arg;
    two_askers(50, 100, askers);
    ck_assert_int_eq(askers[0].got_ms, 50);
    ck_assert_int_eq(askers[1].got_ms, 100);
    return 0;
}

static int ask_at_once(void *arg)
{
    struct asker askers[2];

    (void)arg;
    two_askers(50, 50, askers);
    ck_assert_int_eq(askers[0].got_ms, 50);
    ck_assert_int_eq(askers[1].got_ms, 50);
    return 0;
}

static int given_twice(void *arg)
{
    struct conf_sleeper c = {.returns = 'h'}, d = {.returns = 's'};
    struct bight_task *task_c = starts(&c), *task_d = starts(&d);
    struct bight_wait_item items[] = {{.task = task_c}, {.task = task_c}, {.task = task_d}};
    struct bight_as_completed completed;
    struct bight_wait_item *item;
    int sum = 0, count = 0, rc;

    (void)arg;
    ck_ok(bight_as_completed_begin(&completed, items, 3));
    while ((rc = bight_as_completed_next(&completed, &item)) == 0) {
        sum += item->status;
        count++;
    }
    ck_code(rc, BIGHT_ECLOSED);
    bight_as_completed_end(&completed);
    ck_assert_int_eq(count, 2);
    ck_assert_int_eq(sum, 'h' + 's');
    conf_join(task_c, 'h');
    conf_join(task_d, 's');
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(wait_02_a_task_given_twice_counts_once, twice),
    conf_case(wait_04_an_unknown_mode_is_refused, unknown_mode),
    conf_case(wait_06_the_first_end_leaves_the_rest_alone, first_completed),
    conf_case(wait_07_all_that_have_ended_by_then_are_told, all_that_is_done),
    conf_case(wait_08_a_failure_that_is_there_ends_the_wait, failed_already),
    conf_case(wait_11_a_timeout_tells_what_has_ended, timed_out),
    conf_case(wait_12_an_end_at_the_timeout_counts, just_in_time),
    conf_case(wait_14_cancelling_the_waiter_leaves_the_tasks_running, cancelled_waiter),
    conf_case(ascomp_01_tasks_come_out_as_they_end, in_order_of_ends),
    conf_case(ascomp_06_who_asks_first_gets_the_first_that_ends, who_asks_first),
    conf_case(ascomp_07_several_may_ask_at_the_same_time, ask_at_once),
    conf_case(ascomp_08_a_task_given_twice_comes_out_once, given_twice),
};

test_suite("wait, as completed", cases);
