/* Conditions: a waiter that is cancelled has the mutex, and no notification is lost with it. */
#include "tests/conformance/conf.h"

struct place {
    struct bight_mutex mutex;
    struct bight_condition condition;
    int state;
};

static void place_init(struct place *place)
{
    *place = (struct place){.state = 0};
    bight_mutex_init(&place->mutex);
    bight_condition_init(&place->condition, &place->mutex);
}

static void lock(struct place *place)
{
    ck_ok(bight_mutex_lock(&place->mutex));
}

static void unlock(struct place *place)
{
    ck_ok(bight_mutex_unlock(&place->mutex));
}

static void notify(struct place *place, size_t count)
{
    ck_ok(bight_condition_notify(&place->condition, count));
}

static bool state_is_set(void *arg)
{
    const struct place *place = arg;

    return place->state != 0;
}

/* A task that waits, for the condition or for a state, and looks at how that came out. */
struct waiter {
    struct place *place;
    bool for_state;
    bool ended;
    int saw;
    bool had_mutex;
    bool cancelled; /* is it so for the next call too */
    struct bight_cancel_cause cause;
    struct bight_task *task;
};

static int waiter(void *arg)
{
    struct waiter *waits = arg;
    struct place *place = waits->place;

    lock(place);
    waits->saw = waits->for_state
                     ? bight_condition_wait_until(&place->condition, state_is_set, place)
                     : bight_condition_wait(&place->condition);
    waits->ended = true;
    waits->had_mutex = bight_mutex_owner(&place->mutex) == bight_self();
    waits->cancelled = bight_cancel_get_cause(&waits->cause);
    unlock(place);
    return waits->saw;
}

static void start_waiter(struct waiter *waits, struct place *place, bool for_state)
{
    *waits = (struct waiter){.place = place, .for_state = for_state};
    ck_ok(bight_spawn(&waits->task, waiter, waits));
}

static int cancelled_waiter(void *arg)
{
    struct place place;
    struct waiter waits;

    (void)arg;
    place_init(&place);
    start_waiter(&waits, &place, false);
    ck_ok(bight_yield());
    bight_task_cancel(waits.task);
    conf_join(waits.task, BIGHT_ECANCELED);
    ck_assert(waits.had_mutex);
    ck_assert_uint_eq(bight_condition_waiting(&place.condition), 0);

    start_waiter(&waits, &place, false);
    ck_ok(bight_yield());
    lock(&place);
    bight_task_cancel(waits.task);
    ck_assert_uint_eq(bight_condition_waiting(&place.condition), 0);
    ck_ok(bight_yield());
    ck_assert(!waits.ended); /* it has to have the mutex first */
    unlock(&place);
    conf_join(waits.task, BIGHT_ECANCELED);
    ck_assert(waits.had_mutex);
    ck_assert_ptr_null(bight_mutex_owner(&place.mutex));
    return 0;
}

/* Main has notified the waiter, which queues for the mutex, and cancels it before it unlocks. */
static void cancelled_while_locking_again(struct place *place, struct waiter *waits, bool for_state)
{
    place_init(place);
    start_waiter(waits, place, for_state);
    ck_ok(bight_yield());
    lock(place);
    place->state = 1;
    notify(place, 1);
    ck_ok(bight_yield());
    ck_assert_uint_eq(bight_mutex_waiting(&place->mutex), 1);
    bight_task_cancel(waits->task);
    ck_ok(bight_yield());
    ck_assert(!waits->ended);
    unlock(place);
    ck_ok(bight_yield());
    ck_assert(bight_task_done(waits->task));
    conf_join(waits->task, BIGHT_ECANCELED);
    ck_assert(waits->had_mutex);
    ck_assert_ptr_null(bight_mutex_owner(&place->mutex));
}

static int cancelled_after_the_notification(void *arg)
{
    struct place place;
    struct waiter waits;

    (void)arg;
    cancelled_while_locking_again(&place, &waits, false);
    return 0;
}

static int the_cause_comes_out(void *arg)
{
    struct place place;
    struct waiter waits;

    (void)arg;
    cancelled_while_locking_again(&place, &waits, true);
    ck_code(waits.saw, BIGHT_ECANCELED);
    ck_assert(waits.cancelled);
    ck_assert_int_eq(waits.cause.kind, BIGHT_CAUSE_TASK);
    return 0;
}

static int consumer(void *arg)
{
    struct place *place = arg;
    int rc;

    lock(place);
    for (;;) {
        rc = bight_condition_wait_until(&place->condition, state_is_set, place);
        if (rc || place->state < 0)
            break;
        place->state--;
    }
    unlock(place);
    return rc;
}

static bool state_is_clear(void *arg)
{
    return !state_is_set(arg);
}

static int waits_until_consumed(void *arg)
{
    struct place *place = arg;

    return bight_condition_wait_until(&place->condition, state_is_clear, place);
}

/* One item, and the consumer that is told is cancelled. Nobody tells main that the item is gone:
 * it waits for all the time. */
static void cancelled_consumer(bool after_a_yield)
{
    struct bight_task *consumers[2];
    struct place place;

    place_init(&place);
    for (int i = 0; i < 2; i++)
        ck_ok(bight_spawn(&consumers[i], consumer, &place));
    ck_ok(bight_yield());
    lock(&place);
    place.state = 1;
    notify(&place, 1);
    if (after_a_yield)
        ck_ok(bight_yield());
    bight_task_cancel(consumers[0]);
    ck_code(bight_timeout(10, waits_until_consumed, &place), BIGHT_ETIMEDOUT);
    ck_assert_int_eq(place.state, 0);
    ck_assert_ptr_eq(bight_mutex_owner(&place.mutex), bight_self());
    conf_join(consumers[0], BIGHT_ECANCELED);
    place.state = -1;
    ck_ok(bight_condition_notify_all(&place.condition));
    unlock(&place);
    conf_join(consumers[1], 0);
}

static int cancelled_when_notified(void *arg)
{
    (void)arg;
    cancelled_consumer(false);
    return 0;
}

static int cancelled_when_locking_again(void *arg)
{
    (void)arg;
    cancelled_consumer(true);
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(cond_02_a_cancelled_waiter_holds_the_mutex_when_it_is_told, cancelled_waiter),
    conf_case(cond_04_a_cancellation_after_the_notification_is_not_lost,
              cancelled_after_the_notification),
    conf_case(cond_13_a_cancellation_while_the_mutex_is_re_taken_comes_out_unchanged,
              the_cause_comes_out),
    conf_case(cond_14_a_notification_that_hits_a_task_cancelled_in_the_same_turn_is_not_lost,
              cancelled_when_notified),
    conf_case(cond_15_a_notification_that_hits_a_task_which_re_takes_the_mutex_is_not_lost,
              cancelled_when_locking_again),
};

test_suite("sync, cancelled conditions", cases);
