/* Rows of coro/queue. */
#include "tests/nulls/rows.h"

static void queues(void)
{
    void *item;

    says_einval(bight_queue_new, NULL, 1);
    says_einval(bight_queue_new_with, NULL, NULL);
    gives(0, bight_queue_free, NULL);
    says_einval(bight_queue_put, NULL, NULL);
    says_einval(bight_queue_try_put, NULL, NULL);
    says_einval(bight_queue_get, NULL, &item);
    says_einval(bight_queue_get, (void *)some, NULL);
    says_einval(bight_queue_try_get, NULL, &item);
    says_einval(bight_queue_try_get, (void *)some, NULL);
    says_einval(bight_queue_get_many, NULL, &item, 1);
    says_einval(bight_queue_get_many, (void *)some, NULL, 1);
    says_einval(bight_queue_try_get_many, NULL, &item, 1);
    says_einval(bight_queue_try_get_many, (void *)some, NULL, 1);
    says_einval(bight_queue_task_done, NULL);
    says_einval(bight_queue_join, NULL);
    says_einval(bight_queue_close, NULL);
    says_einval(bight_queue_abort, NULL, NULL, NULL);
    is_zero(bight_queue_length, NULL);
    is_false(bight_queue_empty, NULL);
    is_false(bight_queue_full, NULL);
    does_nothing(bight_queue_get_stats, NULL, (void *)some);
    does_nothing(bight_queue_get_stats, (void *)some, NULL);
    does_nothing(bight_queue_visit, NULL, (void *)some_fn, NULL);
    does_nothing(bight_queue_visit, (void *)some, NULL, NULL);
}

static void channels(void)
{
    void *item;

    says_einval(bight_channel_open, NULL, (void *)some, NULL);
    says_einval(bight_channel_open, (void *)some, NULL, NULL);
    says_einval(bight_channel_send, NULL, NULL);
    says_einval(bight_channel_try_send, NULL, NULL);
    says_einval(bight_channel_receive, NULL, &item);
    says_einval(bight_channel_receive, (void *)some, NULL);
    says_einval(bight_channel_try_receive, NULL, &item);
    says_einval(bight_channel_try_receive, (void *)some, NULL);
    says_einval(bight_sender_clone, NULL, (void *)some);
    says_einval(bight_sender_clone, (void *)some, NULL);
    says_einval(bight_sender_end, NULL);
    says_einval(bight_receiver_clone, NULL, (void *)some);
    says_einval(bight_receiver_clone, (void *)some, NULL);
    says_einval(bight_receiver_end, NULL);
    says_einval(bight_sender_get_stats, NULL, (void *)some);
    says_einval(bight_sender_get_stats, (void *)some, NULL);
    says_einval(bight_receiver_get_stats, NULL, (void *)some);
    says_einval(bight_receiver_get_stats, (void *)some, NULL);
}

static void broadcasts(void)
{
    const struct bight_broadcast_options options = {.capacity = 1, .value_bytes = 1};

    says_einval(bight_broadcast_new, NULL, &options);
    says_einval(bight_broadcast_new, (void *)some, NULL);
    gives(0, bight_broadcast_free, NULL);
    says_einval(bight_broadcast_publish, NULL, some);
    says_einval(bight_broadcast_publish, (void *)some, NULL);
    says_einval(bight_broadcast_try_publish, NULL, some);
    says_einval(bight_broadcast_try_publish, (void *)some, NULL);
    says_einval(bight_broadcast_close, NULL);
    says_einval(bight_broadcast_subscribe, NULL, (void *)some);
    says_einval(bight_broadcast_subscribe, (void *)some, NULL);
    says_einval(bight_broadcast_unsubscribe, NULL);
    says_einval(bight_broadcast_receive, NULL, some, NULL);
    says_einval(bight_broadcast_receive, (void *)some, NULL, NULL);
    says_einval(bight_broadcast_try_receive, NULL, some, NULL);
    says_einval(bight_broadcast_try_receive, (void *)some, NULL, NULL);
}

static void latest_values(void)
{
    struct bight_latest latest;
    uint64_t version = 0;
    int value = 1;

    does_nothing(bight_latest_init, NULL, some, 1);
    says_einval(bight_latest_set, NULL, some);
    is_zero(bight_latest_get, NULL, NULL);
    says_einval(bight_latest_wait, NULL, &version, NULL);
    says_einval(bight_latest_wait, (void *)some, NULL, NULL);
    says_einval(bight_latest_close, NULL);
    bight_latest_init(&latest, &value, sizeof(value));
    says_einval(bight_latest_set, &latest, NULL);
    bight_latest_init(&latest, NULL, sizeof(value));
    says_einval(bight_latest_set, &latest, &value);
    is_zero(bight_latest_get, &latest, &value);
    says_einval(bight_latest_wait, &latest, &version, &value);
    ck_assert_int_eq(value, 1);
}

static void generators(void)
{
    says_einval(bight_generator_new, NULL, (void *)some_fn, NULL);
    says_einval(bight_generator_new, (void *)some, NULL, NULL);
    says_einval(bight_generator_new_in, NULL, NULL, NULL, (void *)some_fn, NULL);
    says_einval(bight_generator_new_in, (void *)some, NULL, NULL, NULL, NULL);
    says_einval(bight_generator_yield, NULL, NULL);
    says_einval(bight_generator_next, NULL, (void *)some);
    says_einval(bight_generator_next, (void *)some, NULL);
    says_einval(bight_generator_end, NULL);
    gives(0, bight_generator_free, NULL);
}

void walk_queue(void)
{
    queues();
    channels();
    broadcasts();
    latest_values();
    generators();
}
