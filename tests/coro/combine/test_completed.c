/* As-completed: in the order of the ends, to several tasks at a time, each once. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <bight/wait.h>

static uint64_t begin_ns;

static int elapsed_ms(void)
{
    return (int)((bight_now_ns() - begin_ns) / 1000000);
}

static int sleeps(void *arg)
{
    int rc = bight_sleep(*(int *)arg);

    return rc ? rc : *(int *)arg;
}

static void begin(struct bight_as_completed *completed, struct bight_wait_item *items, int *ms,
                  size_t count)
{
    begin_ns = bight_now_ns();
    for (size_t i = 0; i < count; i++)
        ck_ok(bight_spawn(&items[i].task, sleeps, &ms[i]));
    ck_ok(bight_as_completed_begin(completed, items, count));
}

static void end_all(struct bight_as_completed *completed, struct bight_wait_item *items,
                    size_t count)
{
    bight_as_completed_end(completed);
    for (size_t i = 0; i < count; i++) {
        bight_task_cancel(items[i].task);
        ck_ok(bight_join(items[i].task, NULL));
    }
}

static int in_order(void *arg)
{
    struct bight_as_completed completed;
    struct bight_wait_item items[4], *item;
    int ms[] = {20, 150, 10, 20};
    static const int order[] = {2, 0, 3, 1};

    (void)arg;
    begin(&completed, items, ms, 4);
    for (int i = 0; i < 4; i++) {
        ck_ok(bight_as_completed_next(&completed, &item));
        ck_assert_ptr_eq(item, &items[order[i]]);
        ck_assert(item->done);
        ck_assert_int_eq(item->status, ms[order[i]]);
        ck_assert_int_eq(elapsed_ms(), ms[order[i]]);
    }
    ck_code(bight_as_completed_next(&completed, &item), BIGHT_ECLOSED);
    end_all(&completed, items, 4);
    ck_code(bight_as_completed_next(&completed, &item), BIGHT_ECLOSED);
    return 0;
}

static int done_before(void *arg)
{
    struct bight_as_completed completed;
    struct bight_wait_item items[4], *item;
    int ms[] = {30, 10, 5, 10};

    (void)arg;
    begin_ns = bight_now_ns();
    for (int i = 0; i < 3; i++)
        ck_ok(bight_spawn(&items[i].task, sleeps, &ms[i]));
    items[3].task = items[1].task; /* twice, but it is given out once */
    ck_ok(bight_sleep(15));
    ck_ok(bight_as_completed_begin(&completed, items, 4));
    for (int i = 0; i < 3; i++) {
        ck_ok(bight_as_completed_next(&completed, &item));
        ck_assert_ptr_eq(item, &items[(i + 1) % 3]);
    }
    ck_assert_int_eq(elapsed_ms(), 30);
    ck_code(bight_as_completed_next(&completed, &item), BIGHT_ECLOSED);
    end_all(&completed, items, 3);
    /* Twice, and not done before. */
    begin_ns = bight_now_ns();
    ck_ok(bight_spawn(&items[0].task, sleeps, &ms[0]));
    items[1].task = items[2].task = items[0].task;
    ck_ok(bight_as_completed_begin(&completed, items, 3));
    ck_ok(bight_as_completed_next(&completed, &item));
    ck_assert_ptr_eq(item, &items[0]);
    ck_code(bight_as_completed_next(&completed, &item), BIGHT_ECLOSED);
    end_all(&completed, items, 1);
    ck_assert(items[2].done);
    ck_assert_int_eq(items[2].status, 30);
    return 0;
}

static int nothing(void *arg)
{
    struct bight_as_completed completed;
    struct bight_wait_item none = {.task = NULL}, *item;

    (void)arg;
    ck_code(bight_as_completed_begin(&completed, &none, 1), BIGHT_EINVAL);
    ck_ok(bight_as_completed_begin(&completed, NULL, 0));
    ck_code(bight_as_completed_next(&completed, &item), BIGHT_ECLOSED);
    bight_as_completed_end(&completed);
    return 0;
}

struct consumer {
    struct bight_as_completed *completed;
    struct bight_wait_item *item;
    int at_ms;
};

static int takes(void *arg)
{
    struct consumer *consumer = arg;
    int rc = bight_as_completed_next(consumer->completed, &consumer->item);

    consumer->at_ms = elapsed_ms();
    return rc;
}

static int several(void *arg)
{
    struct bight_as_completed completed;
    struct bight_wait_item items[2];
    struct consumer consumers[4];
    struct bight_task *tasks[4];
    int ms[] = {20, 10};
    int status[4];

    (void)arg;
    begin(&completed, items, ms, 2);
    for (int i = 0; i < 4; i++) {
        consumers[i] = (struct consumer){.completed = &completed};
        ck_ok(bight_spawn(&tasks[i], takes, &consumers[i]));
    }
    ck_ok(bight_sleep(5));
    bight_task_cancel(tasks[0]); /* what would have been its goes to the next */
    for (int i = 0; i < 4; i++)
        ck_ok(bight_join(tasks[i], &status[i]));
    ck_code(status[0], BIGHT_ECANCELED);
    ck_ok(status[1]);
    ck_assert_ptr_eq(consumers[1].item, &items[1]);
    ck_assert_int_eq(consumers[1].at_ms, 10);
    ck_ok(status[2]);
    ck_assert_ptr_eq(consumers[2].item, &items[0]);
    ck_assert_int_eq(consumers[2].at_ms, 20);
    ck_code(status[3], BIGHT_ECLOSED); /* there is none left for it */
    ck_assert_int_eq(consumers[3].at_ms, 20);
    end_all(&completed, items, 2);
    return 0;
}

static int ended_early(void *arg)
{
    struct bight_as_completed completed;
    struct bight_wait_item items[2];
    struct consumer consumer = {.completed = &completed};
    struct bight_task *task;
    int ms[] = {20, 10};
    int status;

    (void)arg;
    begin(&completed, items, ms, 2);
    ck_ok(bight_spawn(&task, takes, &consumer));
    world_settle();
    bight_as_completed_end(&completed);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECLOSED);
    ck_ok(bight_join(items[0].task, &status)); /* they go on */
    ck_assert_int_eq(status, 20);
    ck_ok(bight_join(items[1].task, &status));
    ck_assert_int_eq(status, 10);
    return 0;
}

static int out_of_time(void *arg)
{
    struct bight_as_completed completed;
    struct bight_wait_item items[2], *item;
    struct bight_scope scope;
    int ms[] = {10, 100};

    (void)arg;
    begin(&completed, items, ms, 2);
    ck_ok(bight_scope_begin(&scope, 50, 0));
    ck_ok(bight_as_completed_next(&completed, &item));
    ck_code(bight_scope_end(&scope, bight_as_completed_next(&completed, &item)), BIGHT_ETIMEDOUT);
    ck_ok(bight_as_completed_next(&completed, &item)); /* nothing was lost */
    ck_assert_ptr_eq(item, &items[1]);
    end_all(&completed, items, 2);
    return 0;
}

static int without_waiting(void *arg)
{
    struct bight_wait_item items[2] = {{0}}, *item = NULL;
    struct bight_as_completed completed;
    int one = 1;

    (void)arg;
    ck_ok(bight_spawn(&items[0].task, world_forever, NULL));
    ck_ok(bight_spawn(&items[1].task, world_return, &one));
    ck_ok(bight_as_completed_begin(&completed, items, 2));
    ck_assert_uint_eq(bight_as_completed_left(&completed), 2);
    ck_code(bight_as_completed_try_next(&completed, &item), BIGHT_EAGAIN);
    ck_assert_ptr_null(item);
    ck_ok(bight_yield());
    ck_assert_uint_eq(bight_as_completed_left(&completed), 2);
    ck_ok(bight_as_completed_try_next(&completed, &item));
    ck_assert(item == &items[1] && item->status == 1);
    ck_assert_uint_eq(bight_as_completed_left(&completed), 1);
    ck_code(bight_as_completed_try_next(&completed, &item), BIGHT_EAGAIN);
    bight_task_cancel(items[0].task);
    ck_ok(bight_yield());
    ck_ok(bight_as_completed_try_next(&completed, &item));
    ck_assert_ptr_eq(item, &items[0]);
    ck_code(bight_as_completed_try_next(&completed, &item), BIGHT_ECLOSED);
    ck_assert_uint_eq(bight_as_completed_left(&completed), 0);
    bight_as_completed_end(&completed);
    ck_ok(bight_join(items[0].task, NULL));
    return bight_join(items[1].task, NULL);
}

static const struct suite_case cases[] = {
    world_case(as_completed_gives_items_in_the_order_of_their_ends, in_order),
    world_case(as_completed_gives_each_task_once, done_before),
    world_case(as_completed_of_nothing_is_over, nothing),
    world_case(as_completed_serves_several_tasks_in_order, several),
    world_case(as_completed_ended_early_leaves_the_tasks_running, ended_early),
    world_case(as_completed_under_a_deadline, out_of_time),
    world_case(they_can_be_asked_for_without_waiting, without_waiting),
};

test_suite("completed", cases);
