/* Event: set wakes all who wait, and stays. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

static int waits(void *arg)
{
    return bight_event_wait(arg);
}

static int wakes_all(void *arg)
{
    struct bight_task *tasks[3];
    struct bight_event event;
    int status;

    (void)arg;
    bight_event_init(&event);
    for (int i = 0; i < 3; i++)
        ck_ok(bight_spawn(&tasks[i], waits, &event));
    world_settle();
    ck_assert(!bight_event_is_set(&event));
    ck_assert_uint_eq(bight_event_waiting(&event), 3);
    bight_task_cancel(tasks[1]);
    bight_event_set(&event);
    ck_assert_uint_eq(bight_event_waiting(&event), 0);
    bight_event_clear(&event); /* those already woken stay woken */
    bight_task_cancel(tasks[2]);
    for (int i = 0; i < 3; i++) {
        ck_ok(bight_join(tasks[i], &status));
        ck_code(status, i == 1 ? BIGHT_ECANCELED : 0);
    }
    ck_code(bight_timeout(10, waits, &event), BIGHT_ETIMEDOUT);
    bight_event_set(&event);
    ck_ok(bight_event_wait(&event)); /* at once */
    return 0;
}

static const struct suite_case cases[] = {
    world_case(event_wakes_all_who_wait_and_stays_set, wakes_all),
};

test_suite("event", cases);
