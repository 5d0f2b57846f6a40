/* Looking at the tree of tasks: who is whose parent, in which group, and which groups a task has
 * open. */
#include <bight.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#define ROOM 8

struct tasks {
    struct bight_task *list[ROOM];
    int count;
};

static bool note_task(void *arg, struct bight_task *task)
{
    struct tasks *tasks = arg;

    tasks->list[tasks->count++] = task;
    return tasks->count < ROOM;
}

struct groups {
    struct bight_group *list[ROOM];
    int count;
};

static bool note_group(void *arg, struct bight_group *group)
{
    struct groups *groups = arg;

    groups->list[groups->count++] = group;
    return groups->count < 2;
}

static int walks_tasks(void *arg)
{
    struct bight_group group;
    struct bight_task *child;
    struct tasks tasks = {.count = 0}, first = {.count = ROOM - 1};

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(&child, &group, NULL, world_forever, NULL));
    bight_tasks(note_task, &tasks);
    ck_assert_int_eq(tasks.count, 2);
    ck_assert_ptr_eq(tasks.list[0], bight_self());
    ck_assert_ptr_eq(tasks.list[1], child);
    ck_assert_ptr_eq(bight_task_parent(child), bight_self());
    ck_assert_ptr_null(bight_task_parent(bight_self()));
    bight_tasks(note_task, &first); /* until it has had enough */
    ck_assert_int_eq(first.count, ROOM);
    bight_task_cancel(child);
    ck_ok(bight_join(child, NULL));
    return bight_group_end(&group, 0);
}

static void all_tasks_are_walked_parents_first(void)
{
    struct tasks none = {.count = 0};

    bight_tasks(note_task, &none);
    ck_assert_int_eq(none.count, 0);
    ck_ok(world_run(walks_tasks, NULL, NULL));
}

static int walks_groups(void *arg)
{
    struct bight_task *self = bight_self();
    struct bight_group outer, inner, third;
    struct groups groups = {.count = 0};
    struct bight_task *child;
    struct bight_scope scope;

    (void)arg;
    ck_assert_ptr_null(bight_task_group(self));
    bight_task_groups(self, note_group, &groups);
    ck_assert_int_eq(groups.count, 0);
    ck_ok(bight_group_begin(&outer, 0));
    ck_ok(bight_scope_begin(&scope, -1, 0));
    ck_ok(bight_group_begin(&inner, 0));
    ck_ok(bight_group_begin(&third, 0));
    bight_task_groups(self, note_group, &groups);
    ck_assert_int_eq(groups.count, 2); /* it had enough */
    ck_assert_ptr_eq(groups.list[0], &outer);
    ck_assert_ptr_eq(groups.list[1], &inner);
    ck_ok(bight_group_spawn(&child, &inner, NULL, world_return, &(int){0}));
    ck_assert_ptr_eq(bight_task_group(child), &inner);
    ck_ok(bight_join(child, NULL));
    ck_ok(bight_group_end(&third, 0));
    ck_ok(bight_group_end(&inner, 0));
    ck_ok(bight_scope_end(&scope, 0));
    return bight_group_end(&outer, 0);
}

static int says_ready(void *arg)
{
    ck_assert_ptr_eq(bight_task_group(bight_self()), arg);
    ck_ok(bight_group_started(0));
    ck_assert_ptr_eq(bight_task_group(bight_self()), arg);
    return 0;
}

static int starts_one(struct bight_group *group, void *arg)
{
    (void)arg;
    return bight_group_start(NULL, group, NULL, says_ready, group, NULL);
}

static int run_starts_one(void *arg)
{
    return bight_group_run(starts_one, arg);
}

static const struct suite_case cases[] = {
    plain_case(all_tasks_are_walked_parents_first),
    world_case(a_tasks_groups_are_walked_in_the_order_of_their_opening, walks_groups),
    world_case(a_task_that_starts_is_seen_in_the_group_it_is_meant_for, run_starts_one),
};

test_suite("tree", cases);
