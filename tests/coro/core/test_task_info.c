/* coro/core/info.c: what there is to see of a task, in each state of its life. */
#include <bight.h>

#include <string.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

static struct bight_task_info info_of(const struct bight_task *task)
{
    struct bight_task_info info;

    ck_ok(bight_task_get_info(task, &info));
    return info;
}

static int waits(void *event)
{
    return bight_event_wait(event);
}

static int a_life(void *arg)
{
    const struct bight_spawn_options named = {.name = "waits"};
    struct bight_task_info info = info_of(bight_self());
    struct bight_event event;
    struct bight_task *task;

    (void)arg;
    ck_assert_int_eq(info.state, BIGHT_TASK_RUNNING);
    ck_assert_uint_eq(info.id, 1);
    ck_assert_str_eq(info.waits_for, "");
    bight_event_init(&event);
    ck_ok(bight_spawn_with(&task, &named, waits, &event));
    info = info_of(task);
    ck_assert_int_eq(info.state, BIGHT_TASK_NEW);
    ck_assert_str_eq(info.name, "waits");
    ck_assert_uint_eq(info.parent_id, 0);
    ck_assert_uint_eq(info.stack_used, 0);
    ck_assert_uint_ge(info.stack_bytes, 200000);
    ck_assert_ptr_nonnull(info.spawned_at);
    ck_ok(bight_yield());
    info = info_of(task);
    ck_assert_int_eq(info.state, BIGHT_TASK_WAITING);
    ck_assert_str_eq(info.waits_for, "event");
    ck_assert_uint_gt(info.stack_used, 0);
    ck_assert_int_lt(info.deadline_ms, 0);
    bight_event_set(&event);
    info = info_of(task);
    ck_assert_int_eq(info.state, BIGHT_TASK_READY);
    ck_assert_str_eq(info.waits_for, "");
    ck_ok(bight_yield());
    ck_assert_int_eq(info_of(task).state, BIGHT_TASK_ENDED);
    return bight_join(task, NULL);
}

static int waits_for_two(void *arg)
{
    struct bight_event *events = arg;
    struct bight_case cases[3];

    bight_case_event(&cases[0], &events[0]);
    bight_case_event(&cases[1], &events[1]);
    bight_case_sleep(&cases[2], 50);
    return bight_select(cases, 3, 0);
}

static int has_child(void *arg)
{
    struct bight_group group;

    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, waits_for_two, arg));
    return bight_group_end(&group, 0);
}

static bool find_child(void *arg, struct bight_task *task)
{
    struct bight_task_info info = info_of(task);

    if (info.parent_id)
        *(struct bight_task_info *)arg = info;
    return true;
}

static int below_others(void *arg)
{
    struct bight_task_info child = {0};
    struct bight_event events[2];
    struct bight_scope scope;
    struct bight_task *task;

    (void)arg;
    bight_event_init(&events[0]);
    bight_event_init(&events[1]);
    ck_ok(bight_spawn(&task, has_child, events));
    world_settle();
    bight_tasks(find_child, &child);
    ck_assert_uint_eq(child.parent_id, bight_task_id(task));
    ck_assert_ptr_nonnull(strstr(child.waits_for, "select: event"));
    ck_assert_ptr_nonnull(strstr(child.waits_for, "select: time"));
    ck_assert_ptr_nonnull(strstr(child.waits_for, " or "));
    ck_assert(!child.cancelled);
    ck_ok(bight_scope_begin(&scope, 250, 0));
    ck_assert_int_eq(info_of(bight_self()).deadline_ms, 250);
    ck_ok(bight_scope_end(&scope, 0));
    ck_assert_int_lt(info_of(bight_self()).deadline_ms, 0);
    ck_assert(bight_task_cancel(task));
    ck_assert(info_of(task).cancelled);
    return bight_join(task, NULL);
}

static const struct suite_case cases[] = {
    world_case(a_task_is_seen_from_its_spawn_to_its_end, a_life),
    world_case(parents_deadlines_and_several_waits_are_seen, below_others),
};

test_suite("task_info", cases);
