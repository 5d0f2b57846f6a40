/* Groups: what happens at the same moment, who is in a group, and what a group needs. */
#include "tests/conformance/conf.h"

#define Z BIGHT_EIO

static int sleeps_on(void *arg)
{
    return bight_sleep(*(int64_t *)arg);
}

/* The owner's cancellation is the group's; a child that is to fail after it needs a shield. */
static int fails_late(void *arg)
{
    (void)arg;
    ck_ok(bight_shield(-1, sleeps_on, &(int64_t){300}));
    return Z;
}

static int handles_slowly(void *arg)
{
    struct bight_group group;
    int rc;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, fails_late, NULL));
    rc = bight_sleep(10000);
    ck_code(rc, BIGHT_ECANCELED);
    ck_ok(bight_shield(-1, sleeps_on, &(int64_t){500}));
    return bight_group_end(&group, rc);
}

static int waits_for_slow(void *arg)
{
    struct bight_group group;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, handles_slowly, NULL));
    return bight_group_end(&group, 0);
}

static int fails_during_cancellation(void *arg)
{
    (void)arg;
    conf_cancelled_after(100, handles_slowly, NULL, Z);
    ck_assert_int_eq(conf_now_ms(), 600);
    conf_cancelled_after(100, waits_for_slow, NULL, Z);
    return 0;
}

static size_t others_alive(void)
{
    struct bight_runtime_stats stats;

    ck_ok(bight_runtime_get_stats(&stats));
    return stats.live - 1;
}

static int ended_ones_leave(void *arg)
{
    struct conf_sleeper children[10];
    struct bight_group group;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    for (int i = 0; i < 10; i++) {
        children[i] = (struct conf_sleeper){.sleep_ms = 300};
        ck_ok(bight_sleep(100));
        ck_ok(bight_group_spawn(NULL, &group, NULL, conf_sleeper, &children[i]));
        if (i == 5)
            ck_assert_uint_lt(others_alive(), 5);
    }
    ck_assert_uint_gt(others_alive(), 0);
    ck_ok(bight_sleep(1350));
    ck_assert_uint_eq(others_alive(), 0);
    return bight_group_end(&group, 0);
}

static int named_child(void *arg)
{
    struct bight_spawn_options options = {.name = "yolo"};
    struct conf_sleeper child = {.sleep_ms = 1};
    struct bight_group group;
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(&task, &group, &options, conf_sleeper, &child));
    ck_assert_str_eq(bight_task_name(task), "yolo");
    ck_ok(bight_group_end(&group, 0));
    conf_join(task, 0);
    return 0;
}

static int group_outside_rc, spawn_outside_rc;

static void opens_group(struct bight_call *call)
{
    struct conf_sleeper child = {0};
    struct bight_group group;

    (void)call;
    group_outside_rc = bight_group_begin(&group, 0);
    spawn_outside_rc = bight_group_spawn(NULL, &group, NULL, conf_sleeper, &child);
}

static int group_outside(void *arg)
{
    struct bight_call call;

    (void)arg;
    bight_call_init(&call, opens_group);
    ck_ok(bight_call_soon(&call));
    world_settle();
    ck_code(group_outside_rc, BIGHT_ENOTASK);
    ck_code(spawn_outside_rc, BIGHT_ECLOSED);
    ck_assert_uint_eq(others_alive(), 0);
    return 0;
}

struct moment {
    struct bight_event begun;
    int group_rc;
    int next_rc;
    bool cancelled[2]; /* when the group has ended, and after that was handled */
};

static int fails_after_a_yield(void *arg)
{
    struct moment *moment = arg;

    bight_event_set(&moment->begun);
    ck_code(bight_yield(), BIGHT_ECANCELED); /* the owner's cancellation came first */
    return Z;
}

static int handles_group(void *arg)
{
    struct moment *moment = arg;
    struct bight_group group;

    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, fails_after_a_yield, moment));
    moment->group_rc = bight_group_end(&group, bight_sleep(1000));
    moment->cancelled[0] = bight_cancelled();
    moment->next_rc = bight_sleep(1000);
    moment->cancelled[1] = bight_cancelled();
    return moment->next_rc;
}

static int same_moment(void *arg)
{
    struct moment moment = {0};
    struct bight_task *inner;

    (void)arg;
    bight_event_init(&moment.begun);
    ck_ok(bight_spawn(&inner, handles_group, &moment));
    ck_ok(bight_event_wait(&moment.begun));
    bight_task_cancel(inner);
    conf_join(inner, BIGHT_ECANCELED);
    ck_code(moment.group_rc, Z);
    ck_code(moment.next_rc, BIGHT_ECANCELED);
    ck_assert(moment.cancelled[0] && moment.cancelled[1]);
    ck_assert_int_eq(conf_now_ms(), 0);
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(tg_14_a_child_failing_while_the_body_handles_a_cancellation_wins,
              fails_during_cancellation),
    conf_case(tg_22_children_that_ended_leave_the_group_at_once, ended_ones_leave),
    conf_case(tg_25_children_can_be_named, named_child),
    conf_case(tg_31_a_group_needs_a_task, group_outside),
    conf_case(tg_34_a_cancellation_in_the_moment_of_a_childs_failure_is_not_lost, same_moment),
};

test_suite("taskgroups, moments", cases);
