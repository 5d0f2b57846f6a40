/* Wait group: wakes all at zero, and at no other number. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

static int waits(void *arg)
{
    return bight_wait_group_wait(arg);
}

static int wakes_at_zero(void *arg)
{
    struct bight_task *tasks[3];
    struct bight_wait_group group;
    int status;

    (void)arg;
    bight_wait_group_init(&group);
    ck_ok(bight_wait_group_wait(&group)); /* at once */
    ck_ok(bight_wait_group_add(&group, 3));
    for (int i = 0; i < 3; i++)
        ck_ok(bight_spawn(&tasks[i], waits, &group));
    world_settle();
    ck_assert_uint_eq(bight_wait_group_waiting(&group), 3);
    bight_task_cancel(tasks[1]);
    ck_ok(bight_wait_group_finish(&group));
    ck_code(bight_wait_group_add(&group, -3), BIGHT_ERANGE);
    ck_assert_int_eq(bight_wait_group_count(&group), 2);
    world_settle();
    ck_assert(!bight_task_done(tasks[0]));
    ck_ok(bight_wait_group_add(&group, -2));
    ck_ok(bight_wait_group_add(&group, 1)); /* those already woken stay woken */
    for (int i = 0; i < 3; i++) {
        ck_ok(bight_join(tasks[i], &status));
        ck_code(status, i == 1 ? BIGHT_ECANCELED : 0);
    }
    ck_code(bight_timeout(10, waits, &group), BIGHT_ETIMEDOUT);
    return 0;
}

static void wait_group_count_stays_in_range(void)
{
    struct bight_wait_group group;

    bight_wait_group_init(&group);
    ck_code(bight_wait_group_finish(&group), BIGHT_ERANGE);
    ck_ok(bight_wait_group_add(&group, INT64_MAX));
    ck_code(bight_wait_group_add(&group, 1), BIGHT_ERANGE);
    ck_code(bight_wait_group_add(&group, INT64_MIN), BIGHT_ERANGE);
    ck_assert_int_eq(bight_wait_group_count(&group), INT64_MAX);
    ck_code(bight_wait_group_wait(&group), BIGHT_ENOTASK);
}

static const struct suite_case cases[] = {
    world_case(wait_group_wakes_all_who_wait_at_zero, wakes_at_zero),
    plain_case(wait_group_count_stays_in_range),
};

test_suite("wait_group", cases);
