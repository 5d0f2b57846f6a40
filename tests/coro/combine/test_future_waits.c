/* Futures in wait, as-completed and wait-for: those that were done before and those that are done
 * meanwhile, beside tasks; what becomes of a future when the time is over or the caller is
 * cancelled. */
#include "coro/base/list.h"
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <bight/wait.h>

static uint64_t begin_ns;
static int value;

static int elapsed_ms(void)
{
    return (int)((bight_now_ns() - begin_ns) / 1000000);
}

/* Settles its future from a call, later. */
struct setter {
    struct bight_call call;
    struct bight_future future;
    int code; /* 0: with a value */
};

static void settle(struct bight_call *call)
{
    struct setter *setter = bight_container_of(call, struct setter, call);

    ck_ok(setter->code ? bight_future_fail(&setter->future, setter->code)
                       : bight_future_set(&setter->future, &value));
}

/* Negative: never. */
static void settles_in(struct setter *setter, int64_t ms, int code)
{
    setter->code = code;
    bight_future_init(&setter->future);
    bight_call_init(&setter->call, settle);
    if (ms >= 0)
        ck_ok(bight_call_later(&setter->call, ms));
}

static void settle_all_in(struct setter *setters, struct bight_wait_item *items, const int *ms,
                          const int *codes, size_t count)
{
    begin_ns = bight_now_ns();
    for (size_t i = 0; i < count; i++) {
        settles_in(&setters[i], ms[i], codes[i]);
        items[i] = (struct bight_wait_item){.future = &setters[i].future};
    }
}

static bool is_left_alone(const struct bight_future *future)
{
    return !bight_future_done(future) && list_empty(&future->watches);
}

static int first_completed(void *arg)
{
    static const int ms[] = {-1, 100, 200}, codes[] = {0, BIGHT_EIO, 0};
    struct bight_wait_item items[3];
    struct setter setters[3];

    (void)arg;
    settle_all_in(setters, items, ms, codes, 3);
    ck_assert_int_eq(bight_wait(items, 3, BIGHT_WAIT_FIRST_COMPLETED, -1), 1);
    ck_assert_int_eq(elapsed_ms(), 100);
    ck_assert(!items[0].done && items[1].done && !items[2].done);
    ck_code(items[1].status, BIGHT_EIO);
    ck_assert(!items[1].cancelled);
    ck_assert(is_left_alone(&setters[0].future) && is_left_alone(&setters[2].future));
    /* It is still done, so the next wait for it does not sleep. */
    ck_assert_int_eq(bight_wait(items, 3, BIGHT_WAIT_FIRST_COMPLETED, -1), 1);
    ck_assert_int_eq(elapsed_ms(), 100);
    ck_assert_int_eq(bight_wait(&items[2], 1, BIGHT_WAIT_FIRST_COMPLETED, -1), 1);
    ck_assert_int_eq(elapsed_ms(), 200);
    return items[2].status;
}

static int first_failed(void *arg)
{
    static const int ms[] = {-1, 100, 110, 120};
    static const int codes[] = {0, 0, BIGHT_ECANCELED, BIGHT_EIO};
    struct bight_wait_item items[4];
    struct setter setters[4];

    (void)arg;
    settle_all_in(setters, items, ms, codes, 4);
    /* One that is cancelled has not failed. */
    ck_assert_int_eq(bight_wait(items, 4, BIGHT_WAIT_FIRST_FAILED, -1), 3);
    ck_assert_int_eq(elapsed_ms(), 120);
    ck_assert(!items[0].done && items[1].done && items[2].cancelled && !items[3].cancelled);
    ck_code(items[2].status, BIGHT_ECANCELED);
    ck_code(items[3].status, BIGHT_EIO);
    /* Nobody fails: it is all then. */
    settles_in(&setters[0], 10, 0);
    ck_assert_int_eq(bight_wait(items, 3, BIGHT_WAIT_FIRST_FAILED, -1), 3);
    ck_assert_int_eq(elapsed_ms(), 130);
    return 0;
}

static int sleeps(void *arg)
{
    int rc = bight_sleep(*(int *)arg);

    return rc ? rc : *(int *)arg;
}

static int beside_tasks(void *arg)
{
    static const int ms[] = {30, 10}, codes[] = {0, 0};
    struct bight_wait_item items[6];
    struct setter setters[2];
    int task_ms = 20;

    (void)arg;
    settle_all_in(setters, items, ms, codes, 2);
    items[2] = (struct bight_wait_item){.task = NULL};
    ck_ok(bight_spawn(&items[2].task, sleeps, &task_ms));
    items[2].future = &setters[0].future; /* not looked at */
    items[3] = items[0];
    items[4] = items[2];
    items[5] = items[1];
    /* Each is counted once, however often it is listed. */
    ck_assert_int_eq(bight_wait(items, 6, BIGHT_WAIT_FIRST_COMPLETED, -1), 1);
    ck_assert(items[1].done && items[5].done && !items[4].done);
    ck_assert_int_eq(bight_wait(items, 6, BIGHT_WAIT_ALL_COMPLETED, -1), 3);
    ck_assert_int_eq(elapsed_ms(), 30);
    for (int i = 0; i < 6; i++)
        ck_assert(items[i].done && items[i].status == (items[i].task ? 20 : 0));
    ck_assert_int_eq(bight_wait(items, 6, BIGHT_WAIT_ALL_COMPLETED, -1), 3);
    return bight_join(items[2].task, NULL);
}

static int out_of_time(void *arg)
{
    static const int ms[] = {10, 100}, codes[] = {0, 0};
    struct bight_wait_item items[2];
    struct setter setters[2];

    (void)arg;
    settle_all_in(setters, items, ms, codes, 2);
    ck_assert_int_eq(bight_wait(items, 2, BIGHT_WAIT_ALL_COMPLETED, 0), 0);
    ck_assert_int_eq(elapsed_ms(), 0);
    ck_assert_int_eq(bight_wait(items, 2, BIGHT_WAIT_ALL_COMPLETED, 50), 1);
    ck_assert_int_eq(elapsed_ms(), 50);
    ck_assert(items[0].done && !items[1].done && is_left_alone(&setters[1].future));
    return bight_future_wait(&setters[1].future, NULL, NULL);
}

struct waiting {
    struct bight_wait_item *items;
    size_t count;
    int rc;
};

static int waits(void *arg)
{
    struct waiting *waiting = arg;

    waiting->rc = bight_wait(waiting->items, waiting->count, BIGHT_WAIT_ALL_COMPLETED, -1);
    return waiting->rc;
}

static int waits_cancelled(void *arg)
{
    static const int ms[] = {10, 100}, codes[] = {0, 0};
    struct bight_wait_item items[2];
    struct setter setters[2];
    struct waiting waiting = {items, 2, 0};
    struct bight_task *task;

    (void)arg;
    settle_all_in(setters, items, ms, codes, 2);
    ck_ok(bight_spawn(&task, waits, &waiting));
    ck_ok(bight_sleep(20));
    bight_task_cancel(task);
    ck_ok(bight_join(task, NULL));
    ck_code(waiting.rc, BIGHT_ECANCELED);
    ck_assert(items[0].done && !items[1].done && is_left_alone(&setters[1].future));
    return bight_future_wait(&setters[1].future, NULL, NULL);
}

/* Two that wait for the same, one that waits for it alone, and a callback. */
static void note_done(struct bight_future_callback *callback)
{
    ck_assert(bight_future_done(callback->future));
    ++value;
}

static int several_wait(void *arg)
{
    struct bight_wait_item items[2][1];
    struct waiting waiting[2] = {{items[0], 1, 0}, {items[1], 1, 0}};
    struct bight_future_callback callback;
    struct bight_task *tasks[2];
    struct setter setter;

    (void)arg;
    settles_in(&setter, 10, BIGHT_EIO);
    value = 0;
    for (int i = 0; i < 2; i++) {
        items[i][0] = (struct bight_wait_item){.future = &setter.future};
        ck_ok(bight_spawn(&tasks[i], waits, &waiting[i]));
    }
    ck_ok(bight_future_add_callback(&setter.future, &callback, note_done));
    int status = 0, rc = bight_future_wait(&setter.future, &status, NULL);
    ck_ok(rc);
    ck_code(status, BIGHT_EIO);
    for (int i = 0; i < 2; i++) {
        ck_ok(bight_join(tasks[i], NULL));
        ck_assert_int_eq(waiting[i].rc, 1);
        ck_code(items[i][0].status, BIGHT_EIO);
    }
    ck_assert_int_eq(value, 1);
    return 0;
}

static int in_order(void *arg)
{
    static const int ms[] = {20, -1, 10, 30}, codes[] = {BIGHT_EIO, 0, 0, BIGHT_ECANCELED};
    static const int order[] = {1, 2, 5, 0, 3};
    struct bight_as_completed completed;
    struct bight_wait_item items[6], *item;
    struct setter setters[4];
    int task_ms = 15;

    (void)arg;
    settle_all_in(setters, items, ms, codes, 4);
    ck_ok(bight_future_set(&setters[1].future, &value)); /* it is done before */
    items[4] = (struct bight_wait_item){.future = &setters[2].future};
    items[5] = (struct bight_wait_item){.task = NULL};
    ck_ok(bight_spawn(&items[5].task, sleeps, &task_ms));
    ck_ok(bight_as_completed_begin(&completed, items, 6));
    for (int i = 0; i < 5; i++) {
        ck_assert_uint_eq(bight_as_completed_left(&completed), 5 - (size_t)i);
        ck_ok(bight_as_completed_next(&completed, &item));
        ck_assert_ptr_eq(item, &items[order[i]]);
        ck_assert(item->done && item->cancelled == (order[i] == 3));
        ck_assert_int_eq(item->status, order[i] == 5 ? 15 : codes[order[i]]);
    }
    ck_code(bight_as_completed_next(&completed, &item), BIGHT_ECLOSED);
    bight_as_completed_end(&completed);
    ck_assert(items[4].done && items[4].status == 0);
    return bight_join(items[5].task, NULL);
}

static int ended_meanwhile(void *arg)
{
    struct bight_as_completed completed;
    struct bight_wait_item items[3], *item = NULL;
    struct setter setters[3];

    (void)arg;
    settle_all_in(setters, items, (const int[]){-1, -1, -1}, (const int[]){0, 0, 0}, 3);
    ck_ok(bight_as_completed_begin(&completed, items, 3));
    ck_code(bight_as_completed_try_next(&completed, &item), BIGHT_EAGAIN);
    settle(&setters[2].call);
    settle(&setters[0].call);
    /* What is done may be gone before it is given out. */
    setters[2].future = (struct bight_future){.status = BIGHT_EIO};
    ck_ok(bight_as_completed_try_next(&completed, &item));
    ck_assert(item == &items[2] && item->status == 0);
    bight_as_completed_end(&completed);
    ck_assert(items[0].done && !items[1].done && is_left_alone(&setters[1].future));
    ck_code(bight_as_completed_next(&completed, &item), BIGHT_ECLOSED);
    settle(&setters[1].call); /* nobody is told */
    ck_assert(!items[1].done);
    return 0;
}

static int next_under_a_deadline(void *arg)
{
    struct bight_as_completed completed;
    struct bight_wait_item item, *taken;
    struct bight_scope scope;
    struct setter setter;

    (void)arg;
    settle_all_in(&setter, &item, (const int[]){100}, (const int[]){0}, 1);
    ck_ok(bight_as_completed_begin(&completed, &item, 1));
    ck_ok(bight_scope_begin(&scope, 50, 0));
    ck_code(bight_scope_end(&scope, bight_as_completed_next(&completed, &taken)), BIGHT_ETIMEDOUT);
    ck_assert(!bight_future_done(&setter.future));
    ck_ok(bight_as_completed_next(&completed, &taken)); /* nothing was lost */
    ck_assert_ptr_eq(taken, &item);
    bight_as_completed_end(&completed);
    return 0;
}

static int for_one(void *arg)
{
    struct setter setter;
    int status = 1;
    void *got = NULL;

    (void)arg;
    begin_ns = bight_now_ns();
    settles_in(&setter, 10, 0);
    ck_ok(bight_future_wait_for(&setter.future, 100, &status, &got));
    ck_assert(status == 0 && got == &value);
    ck_assert_int_eq(elapsed_ms(), 10);
    ck_ok(bight_future_wait_for(&setter.future, 0, NULL, NULL)); /* it was done before */
    settles_in(&setter, 10, BIGHT_EIO);
    ck_ok(bight_future_wait_for(&setter.future, -1, &status, &got)); /* not the call's failure */
    ck_code(status, BIGHT_EIO);
    ck_assert_ptr_null(got);
    settles_in(&setter, 10, BIGHT_ECANCELED); /* by somebody else */
    ck_ok(bight_future_wait_for(&setter.future, 100, &status, NULL));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert_int_eq(elapsed_ms(), 30);
    return 0;
}

static int waits_for_one(void *arg)
{
    int status = 1;
    int rc = bight_future_wait(arg, &status, NULL);

    ck_ok(rc);
    return status;
}

static int for_one_in_vain(void *arg)
{
    struct bight_future future;
    struct bight_task *other;
    int status = 1;
    void *got = &value;

    (void)arg;
    begin_ns = bight_now_ns();
    bight_future_init(&future);
    ck_ok(bight_spawn(&other, waits_for_one, &future));
    ck_code(bight_future_wait_for(&future, 100, &status, &got), BIGHT_ETIMEDOUT);
    ck_assert_int_eq(elapsed_ms(), 100);
    ck_assert(status == 1 && got == &value);
    /* It is cancelled, and all who wait for it see that. */
    ck_code(bight_future_set(&future, &value), BIGHT_EALREADY);
    ck_ok(bight_join(other, &status));
    ck_code(status, BIGHT_ECANCELED);
    bight_future_init(&future);
    ck_code(bight_future_wait_for(&future, 0, NULL, NULL), BIGHT_ETIMEDOUT);
    ck_ok(bight_future_get(&future, &status, NULL));
    ck_code(status, BIGHT_ECANCELED);
    return 0;
}

/* What comes first decides: a call that is due before the time is over, or with it, or a
 * cancellation. */
static int for_one_just_done(void *arg)
{
    struct setter setter;
    struct bight_scope scope;
    void *got = NULL;
    int status = 1;

    (void)arg;
    settles_in(&setter, -1, 0);
    ck_ok(bight_call_later(&setter.call, 100));
    ck_ok(bight_future_wait_for(&setter.future, 100, &status, &got));
    ck_assert(status == 0 && got == &value);
    settles_in(&setter, -1, 0);
    ck_ok(bight_call_later(&setter.call, 100));
    ck_ok(bight_scope_begin(&scope, 100, 0));
    int rc = bight_future_wait_for(&setter.future, -1, &status, &got);
    ck_ok(rc);
    ck_ok(bight_scope_end(&scope, rc));
    ck_assert(status == 0 && got == &value);
    settles_in(&setter, -1, 0);
    ck_ok(bight_scope_begin(&scope, -1, 0));
    bight_scope_cancel(&scope);
    ck_code(bight_future_wait_for(&setter.future, -1, &status, &got), BIGHT_ECANCELED);
    ck_code(bight_future_set(&setter.future, &value), BIGHT_EALREADY);
    return bight_scope_end(&scope, BIGHT_ECANCELED);
}

static int waits_for_it(void *arg)
{
    int status = 1, rc = bight_future_wait_for(arg, 1000, &status, NULL);

    ck_assert_int_eq(status, 1);
    return rc;
}

static int waits_for_it_late(void *arg)
{
    struct bight_scope scope;
    int rc = bight_scope_begin(&scope, -1, 0);

    bight_scope_cancel(&scope);
    rc = rc ? rc : waits_for_it(arg);
    ck_code(rc, BIGHT_ECANCELED);
    return bight_scope_end(&scope, rc);
}

static int for_one_cancelled(void *arg)
{
    struct bight_future future;
    struct bight_task *task;
    int status;

    (void)arg;
    bight_future_init(&future);
    ck_ok(bight_spawn(&task, waits_for_it, &future));
    ck_ok(bight_sleep(20));
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_ok(bight_future_get(&future, &status, NULL));
    ck_code(status, BIGHT_ECANCELED);
    /* Also when it begins cancelled; one that is done keeps what it has. */
    bight_future_init(&future);
    ck_ok(waits_for_it_late(&future));
    ck_ok(bight_future_get(&future, &status, NULL));
    ck_code(status, BIGHT_ECANCELED);
    bight_future_init(&future);
    ck_ok(bight_future_set(&future, &value));
    ck_ok(waits_for_it_late(&future));
    ck_ok(bight_future_get(&future, &status, NULL));
    ck_ok(status);
    return 0;
}

static void waits_for_futures_need_a_task(void)
{
    struct bight_future future = BIGHT_FUTURE_INIT;
    struct bight_wait_item item = {.future = &future};

    ck_code(bight_wait(&item, 1, BIGHT_WAIT_ALL_COMPLETED, -1), BIGHT_ENOTASK);
    ck_code(bight_future_wait_for(&future, -1, NULL, NULL), BIGHT_ENOTASK);
    ck_code(bight_future_wait_for(&future, 0, NULL, NULL), BIGHT_ENOTASK);
    ck_assert(is_left_alone(&future));
}

static const struct suite_case cases[] = {
    world_case(wait_for_the_first_future_leaves_the_others_alone, first_completed),
    world_case(a_cancelled_future_has_not_failed, first_failed),
    world_case(futures_and_tasks_are_waited_for_together_each_once, beside_tasks),
    world_case(a_wait_out_of_time_leaves_futures_pending, out_of_time),
    world_case(a_cancelled_wait_leaves_futures_pending, waits_cancelled),
    world_case(several_wait_for_the_same_future, several_wait),
    world_case(as_completed_gives_futures_in_the_order_in_which_they_are_done, in_order),
    world_case(futures_may_end_while_the_iterator_lives_and_after_it, ended_meanwhile),
    world_case(as_completed_of_futures_under_a_deadline, next_under_a_deadline),
    world_case(a_future_done_in_time_has_its_value, for_one),
    world_case(a_future_waited_for_in_vain_is_cancelled, for_one_in_vain),
    world_case(what_ends_a_future_first_decides, for_one_just_done),
    world_case(a_cancelled_wait_for_a_future_cancels_it, for_one_cancelled),
    plain_case(waits_for_futures_need_a_task),
};

test_suite("future_waits", cases);
