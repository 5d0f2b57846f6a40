/* Events: set, cleared, and who was woken in between. */
#include "tests/conformance/conf.h"

static int set_already(void *arg)
{
    struct bight_event event;
    struct bight_task *other;
    int runs = 0;

    (void)arg;
    bight_event_init(&event);
    bight_event_set(&event);
    ck_ok(bight_spawn(&other, world_add_one, &runs));
    ck_ok(bight_event_wait(&event));
    ck_assert_int_eq(runs, 0); /* nobody else ran */
    ck_assert(bight_event_is_set(&event));
    conf_join(other, 0);
    return 0;
}

static int set_and_cleared(void *arg)
{
    struct bight_event event;

    (void)arg;
    bight_event_init(&event);
    ck_assert(!bight_event_is_set(&event));
    bight_event_set(&event);
    ck_assert(bight_event_is_set(&event));
    bight_event_clear(&event);
    ck_assert(!bight_event_is_set(&event));
    return 0;
}

struct waits_once {
    struct bight_event event;
    int woken;
};

static int waits_once(void *arg)
{
    struct waits_once *waits = arg;
    int rc = bight_event_wait(&waits->event);

    if (rc == 0)
        waits->woken++;
    return rc;
}

/* The waiter need not be listed any more before it runs: it was woken when the event was set. */
static int set_cleared_and_set(void *arg)
{
    struct waits_once waits = {0};
    struct bight_task *task;

    (void)arg;
    bight_event_init(&waits.event);
    ck_ok(bight_spawn(&task, waits_once, &waits));
    ck_ok(bight_yield());
    ck_assert_uint_eq(bight_event_waiting(&waits.event), 1);
    bight_event_set(&waits.event);
    bight_event_clear(&waits.event);
    ck_assert(!bight_event_is_set(&waits.event));
    ck_assert_int_eq(waits.woken, 0);
    bight_event_set(&waits.event);
    bight_event_set(&waits.event);
    ck_ok(bight_yield());
    ck_assert_int_eq(waits.woken, 1);
    ck_assert_uint_eq(bight_event_waiting(&waits.event), 0);
    ck_assert(bight_task_done(task));
    conf_join(task, 0);

    bight_event_clear(&waits.event);
    ck_ok(bight_spawn(&task, waits_once, &waits));
    ck_ok(bight_yield());
    bight_event_set(&waits.event);
    bight_event_clear(&waits.event); /* and it stays so */
    conf_join(task, 0);
    ck_assert_int_eq(waits.woken, 2);
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(event_02_waiting_for_a_set_event_does_not_wait, set_already),
    conf_case(event_04_an_event_is_set_and_cleared, set_and_cleared),
    conf_case(event_05_who_was_woken_stays_woken_when_the_event_is_cleared, set_cleared_and_set),
};

test_suite("sync, events", cases);
