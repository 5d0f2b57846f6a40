/* Groups as trio has them: whose failure comes out, who wakes whom, who can be looked up, and
 * waits that do not let go at once. */
#include "tests/conformance/conf.h"

#include <stdio.h>

#define E BIGHT_EIO

/* A wait that refuses to be interrupted. */
struct stubborn {
    struct bight_waiter waiter;
    struct bight_scope scope;
    struct conf_notes notes;
    int woke_with;
    int asked;
};

static int refuse(struct bight_waiter *waiter)
{
    struct stubborn *stubborn = (struct stubborn *)waiter; /* the first member */

    stubborn->asked++;
    conf_note(&stubborn->notes, "abort-called");
    return BIGHT_EBUSY;
}

static const struct bight_waiter_ops stubborn_ops = {.name = "something stubborn", .abort = refuse};

static int wait_stubbornly(struct stubborn *stubborn)
{
    ck_ok(bight_waiter_init(&stubborn->waiter, &stubborn_ops));
    conf_note(&stubborn->notes, "sleep");
    return bight_park(&stubborn->waiter);
}

static int refuses(void *arg)
{
    struct stubborn *stubborn = arg;
    int rc;

    ck_ok(bight_scope_begin(&stubborn->scope, -1, 0));
    stubborn->woke_with = wait_stubbornly(stubborn);
    conf_note(&stubborn->notes, "woke");
    rc = bight_checkpoint();
    if (rc == BIGHT_ECANCELED)
        conf_note(&stubborn->notes, "cancelled");
    return bight_scope_end(&stubborn->scope, rc);
}

static int refused(void *arg)
{
    struct stubborn stubborn = {.asked = 0};
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_spawn(&task, refuses, &stubborn));
    world_settle();
    bight_scope_cancel(&stubborn.scope);
    world_settle();
    ck_assert_str_eq(stubborn.notes.text, " sleep abort-called");
    ck_assert(bight_unpark(&stubborn.waiter, 1));
    conf_join(task, 0);
    ck_assert_str_eq(stubborn.notes.text, " sleep abort-called woke cancelled");
    ck_assert_int_eq(stubborn.woke_with, 1);
    ck_assert(stubborn.scope.caught);
    return 0;
}

/* An operation that stops slowly when it is asked to, and then says that it was cancelled. */
static int stops_slowly(void *arg)
{
    struct stubborn *stubborn = arg;
    int rc = wait_stubbornly(stubborn);

    if (stubborn->asked)
        rc = BIGHT_ECANCELED;
    ck_code(rc, BIGHT_ECANCELED);
    conf_note(&stubborn->notes, "cancelled");
    ck_ok(bight_yield()); /* the shield is on by now */
    conf_note(&stubborn->notes, "done");
    return 0;
}

static int asked_once(void *arg)
{
    struct stubborn stubborn = {.asked = 0};
    struct bight_scope outer1, outer2;
    struct bight_group group;

    (void)arg;
    ck_ok(bight_scope_begin(&outer1, -1, 0));
    ck_ok(bight_scope_begin(&outer2, -1, 0));
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, stops_slowly, &stubborn));
    world_settle();
    bight_scope_cancel(&outer1);
    ck_assert_str_eq(stubborn.notes.text, " sleep abort-called");
    bight_scope_cancel(&outer2);
    ck_ok(bight_scope_set_shield(&group.scope, true));
    ck_assert(bight_unpark(&stubborn.waiter, 0));
    ck_ok(bight_group_end(&group, 0));
    ck_assert_str_eq(stubborn.notes.text, " sleep abort-called cancelled done");
    ck_assert_int_eq(stubborn.asked, 1);
    ck_ok(bight_scope_end(&outer2, 0));
    ck_ok(bight_scope_end(&outer1, 0));
    return 0;
}

static int body_fails_alone(struct bight_group *group, void *arg)
{
    (void)group;
    (void)arg;
    return E;
}

static int body_alone(void *arg)
{
    struct bight_group group;

    (void)arg;
    ck_code(bight_group_run(body_fails_alone, NULL), E);
    ck_ok(bight_group_begin(&group, 0));
    ck_code(bight_group_end(&group, E), E);
    ck_assert_uint_eq(group.failed, 1);
    ck_code(group.failures[0].code, E);
    return 0;
}

static int child_alone(void *arg)
{
    struct bight_group group;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, &(struct bight_spawn_options){.name = "child"},
                            world_return, &(int){E}));
    ck_code(bight_group_end(&group, 0), E);
    ck_assert_uint_eq(group.failed, 1);
    ck_code(group.failures[0].code, E);
    ck_assert_str_eq(group.failures[0].task, "child");
    return 0;
}

struct turns {
    struct conf_notes *notes;
    const char *name;
};

static int notes_turns(void *arg)
{
    const struct turns *turns = arg;
    char word[16];

    for (int i = 0; i < 3; i++) {
        snprintf(word, sizeof(word), "%s%d", turns->name, i);
        conf_note(turns->notes, word);
        ck_ok(bight_yield());
    }
    return 0;
}

static int takes_turns(void *arg)
{
    struct conf_notes notes = {.used = 0};
    struct turns turns[2] = {{&notes, "a"}, {&notes, "b"}};
    struct bight_group group;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, notes_turns, &turns[0]));
    ck_ok(bight_group_spawn(NULL, &group, NULL, notes_turns, &turns[1]));
    ck_ok(bight_group_end(&group, 0));
    ck_assert_str_eq(notes.text, " a0 b0 a1 b1 a2 b2");
    return 0;
}

static int wakes_body(void *arg)
{
    struct bight_group group;
    int rc;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, world_return, &(int){E}));
    rc = bight_sleep(-1);
    ck_code(rc, BIGHT_ECANCELED);
    ck_code(bight_group_end(&group, rc), E);
    ck_assert_uint_eq(group.failed, 1);
    return 0;
}

struct late {
    struct bight_group group;
    int second_ran;
    int begun;
};

static int spawns_second(void *arg)
{
    struct late *late = arg;

    ck_ok(bight_yield()); /* the owner closes by now */
    late->begun = 1;
    return bight_group_spawn(NULL, &late->group, NULL, world_add_one, &late->second_ran);
}

static int added_while_closing(void *arg)
{
    struct late late = {.begun = 0};

    (void)arg;
    ck_ok(bight_group_begin(&late.group, 0));
    ck_ok(bight_group_spawn(NULL, &late.group, NULL, spawns_second, &late));
    ck_assert_int_eq(late.begun, 0);
    ck_ok(bight_group_end(&late.group, 0));
    ck_assert_int_eq(late.second_ran, 1);
    ck_code(bight_group_spawn(NULL, &late.group, NULL, world_add_one, &late.second_ran),
            BIGHT_ECLOSED);
    ck_ok(bight_yield());
    ck_assert_int_eq(late.second_ran, 1);
    return 0;
}

struct seen {
    void *list[8];
    int count;
    const struct bight_group *group; /* only tasks of this one */
};

static bool see_task(void *arg, struct bight_task *task)
{
    struct seen *seen = arg;

    if (bight_task_group(task) == seen->group)
        seen->list[seen->count++] = task;
    return true;
}

static bool see_group(void *arg, struct bight_group *group)
{
    struct seen *seen = arg;

    seen->list[seen->count++] = group;
    return true;
}

/* That the tasks of `group` are exactly those two, NULL for none. */
static void insist_on_tasks(const struct bight_group *group, struct bight_task *one,
                            struct bight_task *other)
{
    struct seen seen = {.group = group};

    bight_tasks(see_task, &seen);
    ck_assert_int_eq(seen.count, !!one + !!other);
    ck_assert(!one || seen.list[0] == one);
    ck_assert(!other || seen.list[1] == other);
}

static void insist_on_groups(const struct bight_task *task, struct bight_group *one,
                             struct bight_group *other)
{
    struct seen seen = {.count = 0};

    bight_task_groups(task, see_group, &seen);
    ck_assert_int_eq(seen.count, !!one + !!other);
    ck_assert(!one || seen.list[0] == one);
    ck_assert(!other || seen.list[1] == other);
}

struct family {
    struct bight_event over;
    struct bight_group *inner;
    struct bight_task *grandchild;
};

static int waits_over(void *arg)
{
    struct family *family = arg;

    return bight_event_wait(&family->over);
}

static int has_child(void *arg)
{
    struct family *family = arg;
    struct bight_group group;

    ck_ok(bight_group_begin(&group, 0));
    family->inner = &group;
    ck_ok(bight_group_spawn(&family->grandchild, &group, NULL, waits_over, family));
    insist_on_groups(bight_self(), &group, NULL);
    insist_on_tasks(&group, family->grandchild, NULL);
    return bight_group_end(&group, 0);
}

static int looked_up(void *arg)
{
    struct bight_task *self = bight_self(), *parent, *child;
    struct bight_group first, second;
    struct family family = {.inner = NULL};

    (void)arg;
    bight_event_init(&family.over);
    ck_assert_ptr_null(bight_task_parent(self));
    ck_assert_ptr_null(bight_task_group(self));
    insist_on_groups(self, NULL, NULL);
    ck_ok(bight_group_begin(&first, 0));
    ck_ok(bight_group_spawn(&parent, &first, NULL, has_child, &family));
    ck_ok(bight_group_begin(&second, 0));
    ck_ok(bight_group_spawn(&child, &second, NULL, waits_over, &family));
    insist_on_groups(self, &first, &second);
    world_settle();
    insist_on_tasks(&first, parent, NULL);
    insist_on_tasks(&second, child, NULL);
    insist_on_groups(parent, family.inner, NULL);
    insist_on_tasks(family.inner, family.grandchild, NULL);
    insist_on_groups(child, NULL, NULL);
    /* Up to the root. */
    ck_assert_ptr_eq(bight_task_group(family.grandchild), family.inner);
    ck_assert_ptr_eq(bight_task_parent(family.grandchild), parent);
    ck_assert_ptr_eq(bight_task_group(parent), &first);
    ck_assert_ptr_eq(bight_task_parent(parent), self);
    bight_event_set(&family.over);
    ck_ok(bight_group_end(&second, 0));
    insist_on_groups(self, &first, NULL);
    /* The links upwards outlive the end of a task, as long as there is a group to link to. */
    ck_ok(bight_group_drain(&first));
    ck_assert(bight_task_done(parent));
    ck_assert_ptr_eq(bight_task_group(parent), &first);
    ck_assert_ptr_eq(bight_task_parent(parent), self);
    insist_on_tasks(&first, NULL, NULL);
    ck_ok(bight_group_end(&first, 0));
    insist_on_groups(self, NULL, NULL);
    conf_join(parent, 0);
    conf_join(child, 0);
    conf_join(family.grandchild, 0);
    return 0;
}

static const struct bight_local variable = {"variable", "default"};

static int reads_and_changes(void *arg)
{
    ck_assert_str_eq(bight_local_get(&variable), arg);
    return bight_local_set(&variable, "child's");
}

static int locals_copied(void *arg)
{
    struct bight_group group;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, reads_and_changes, "default"));
    ck_ok(bight_yield());
    ck_assert_str_eq(bight_local_get(&variable), "default");
    ck_ok(bight_local_set(&variable, "body's"));
    ck_ok(bight_group_spawn(NULL, &group, NULL, reads_and_changes, "body's"));
    return bight_group_end(&group, 0);
}

static const struct suite_case cases[] = {
    conf_case(tabort_01_a_wait_that_refuses_to_let_go_ends_in_its_own_time, refused),
    conf_case(tabort_03_a_wait_is_asked_once_and_a_late_shield_changes_nothing, asked_once),
    conf_case(tnursery_01_the_bodys_failure_comes_out, body_alone),
    conf_case(tnursery_02_a_childs_failure_comes_out, child_alone),
    conf_case(tnursery_03_two_children_take_turns, takes_turns),
    conf_case(tnursery_05_a_failing_child_wakes_the_body, wakes_body),
    conf_case(tnursery_08_children_may_be_added_while_the_group_closes, added_while_closing),
    conf_case(tnursery_10_parents_children_and_groups_can_be_looked_up, looked_up),
    conf_case(tnursery_13_locals_are_copied_at_the_spawn, locals_copied),
};

test_suite("trio-cancel, groups", cases);
