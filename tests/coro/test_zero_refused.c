/* Records of zeros that cannot be used: every call on one says so, and none crashes. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <string.h>

/* Records that cannot do without what an init function is given. */
static int refused(void *arg)
{
    struct bight_condition condition;
    struct bight_barrier barrier;
    struct bight_rate_limiter rate;
    struct bight_ticker ticker;
    struct bight_mutex *none = NULL;

    (void)arg;
    memset(&condition, 0, sizeof(condition));
    memset(&barrier, 0, sizeof(barrier));
    memset(&rate, 0, sizeof(rate));
    memset(&ticker, 0, sizeof(ticker));
    for (int i = 0; i < 2; i++) {
        ck_code(bight_condition_wait(&condition), BIGHT_EINVAL);
        ck_code(bight_condition_wait_until(&condition, (bool (*)(void *))bight_event_is_set, NULL),
                BIGHT_EINVAL);
        ck_code(bight_condition_notify(&condition, 1), BIGHT_EINVAL);
        ck_code(bight_condition_notify_all(&condition), BIGHT_EINVAL);
        ck_assert_uint_eq(bight_condition_waiting(&condition), 0);
        bight_condition_init(&condition, none); /* the same */
    }
    ck_code(bight_barrier_wait(&barrier), BIGHT_EINVAL);
    bight_barrier_reset(&barrier);
    ck_code(bight_barrier_wait(&barrier), BIGHT_EINVAL);
    bight_barrier_abort(&barrier);
    ck_code(bight_barrier_wait(&barrier), BIGHT_EINVAL);
    ck_assert_int_eq(bight_barrier_get_state(&barrier), BIGHT_BARRIER_BROKEN);
    ck_assert_int_eq(bight_barrier_parties(&barrier), 0);
    ck_assert_int_eq(bight_barrier_waiting(&barrier), 0);
    ck_code(bight_rate_limiter_acquire(&rate, 0), BIGHT_EINVAL);
    ck_code(bight_rate_limiter_try_acquire(&rate, 1), BIGHT_EINVAL);
    ck_assert_uint_eq(bight_rate_limiter_available(&rate), 0);
    ck_code(bight_ticker_wait(&ticker), BIGHT_EINVAL);
    return 0;
}

/* Of what is opened: one that is all zero is not open. */
static int not_open(void *arg)
{
    struct bight_scope scope;
    struct bight_group group;
    struct bight_as_completed completed;
    struct bight_wait_item *item;
    struct bight_task_callback callback;
    struct bight_subscriber subscriber;
    struct bight_sender sender;
    struct bight_receiver receiver;
    struct bight_case chosen;
    int value;
    void *got;

    (void)arg;
    memset(&scope, 0, sizeof(scope));
    memset(&group, 0, sizeof(group));
    memset(&completed, 0, sizeof(completed));
    memset(&callback, 0, sizeof(callback));
    memset(&subscriber, 0, sizeof(subscriber));
    memset(&sender, 0, sizeof(sender));
    memset(&receiver, 0, sizeof(receiver));
    memset(&chosen, 0, sizeof(chosen));
    bight_scope_cancel(&scope);
    ck_code(bight_scope_enter(&scope), BIGHT_EINVAL);
    ck_code(bight_scope_end(&scope, 0), BIGHT_ESCOPE);
    ck_code(bight_scope_set_timeout(&scope, 1), BIGHT_EINVAL);
    ck_code(bight_scope_set_deadline(&scope, 1), BIGHT_EINVAL);
    ck_code(bight_scope_set_shield(&scope, true), BIGHT_EINVAL);
    ck_assert_uint_eq(bight_scope_deadline(&scope), BIGHT_NO_DEADLINE);
    ck_assert_int_eq(bight_scope_get_state(&scope), BIGHT_SCOPE_FINISHED);
    ck_code(bight_group_spawn(NULL, &group, NULL, world_forever, NULL), BIGHT_ECLOSED);
    ck_code(bight_group_start(NULL, &group, NULL, world_forever, NULL, NULL), BIGHT_ECLOSED);
    ck_code(bight_group_drain(&group), BIGHT_ECLOSED);
    ck_code(bight_group_end(&group, 0), BIGHT_ESCOPE);
    ck_code(bight_as_completed_next(&completed, &item), BIGHT_ECLOSED);
    bight_as_completed_end(&completed);
    ck_assert(!bight_task_remove_callback(&callback));
    bight_broadcast_unsubscribe(&subscriber);
    ck_code(bight_broadcast_receive(&subscriber, &value, NULL), BIGHT_ECLOSED);
    ck_code(bight_channel_send(&sender, NULL), BIGHT_ECLOSED);
    ck_code(bight_channel_receive(&receiver, &got), BIGHT_ECLOSED);
    bight_sender_end(&sender);
    bight_receiver_end(&receiver);
    ck_code(bight_select(&chosen, 1, 0), BIGHT_EINVAL);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(records_of_zeros_that_need_an_argument_are_refused, refused),
    world_case(records_of_zeros_are_not_open, not_open),
};

test_suite("zero_refused", cases);
