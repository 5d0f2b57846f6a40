/* Channels: what closing one of several ends means for those who use it, for those who use
 * others, and for the other side. Items are small numbers as pointers. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#define ITEM(n) ((void *)(uintptr_t)(n))
#define NUMBER(item) ((int)(uintptr_t)(item))

static int dropped;

static void drop(void *sum, void *item)
{
    *(int *)sum += NUMBER(item);
}

static void open_channel(struct bight_sender *sender, struct bight_receiver *receiver,
                         size_t capacity)
{
    dropped = 0;
    ck_ok(bight_channel_open(
        sender, receiver,
        &(struct bight_channel_options){.capacity = capacity, .drop = drop, .drop_arg = &dropped}));
}

/* A task that sends or receives once. */
struct user {
    struct bight_sender *sender;
    struct bight_receiver *receiver;
    void *item;
    struct bight_task *task;
};

static int use(void *arg)
{
    struct user *user = arg;

    return user->sender ? bight_channel_send(user->sender, user->item)
                        : bight_channel_receive(user->receiver, &user->item);
}

static void spawn_sender(struct user *user, struct bight_sender *sender, int number)
{
    *user = (struct user){.sender = sender, .item = ITEM(number)};
    ck_ok(bight_spawn(&user->task, use, user));
    world_settle();
}

static void spawn_receiver(struct user *user, struct bight_receiver *receiver)
{
    *user = (struct user){.receiver = receiver};
    ck_ok(bight_spawn(&user->task, use, user));
    world_settle();
}

static void join_user(struct user *user, int code)
{
    int status;

    ck_ok(bight_join(user->task, &status));
    ck_code(status, code);
}

static void receive_number(struct bight_receiver *receiver, int number)
{
    void *item;

    ck_ok(bight_channel_receive(receiver, &item));
    ck_assert_int_eq(NUMBER(item), number);
}

static void receiving_gives(struct bight_receiver *receiver, int code)
{
    void *item;

    ck_code(bight_channel_receive(receiver, &item), code);
    ck_code(bight_channel_try_receive(receiver, &item), code);
}

static void sending_gives(struct bight_sender *sender, int code)
{
    ck_code(bight_channel_send(sender, ITEM(9)), code);
    ck_code(bight_channel_try_send(sender, ITEM(9)), code);
}

static int drains(void *arg)
{
    struct bight_sender sender, clone;
    struct bight_receiver receiver, other;
    struct bight_channel_stats stats;

    (void)arg;
    open_channel(&sender, &receiver, 3);
    ck_ok(bight_channel_send(&sender, ITEM(1)));
    ck_ok(bight_channel_try_send(&sender, ITEM(2)));
    bight_sender_end(&sender);
    bight_sender_end(&sender);
    sending_gives(&sender, BIGHT_ECLOSED);
    ck_code(bight_sender_clone(&clone, &sender), BIGHT_ECLOSED);
    ck_code(bight_sender_get_stats(&sender, &stats), BIGHT_ECLOSED);
    ck_ok(bight_receiver_get_stats(&receiver, &stats));
    ck_assert(stats.length == 2 && stats.capacity == 3 && !stats.senders && stats.receivers == 1);
    receive_number(&receiver, 1);
    receive_number(&receiver, 2);
    receiving_gives(&receiver, BIGHT_EPIPE);
    bight_receiver_end(&receiver);
    bight_receiver_end(&receiver);
    receiving_gives(&receiver, BIGHT_ECLOSED);
    ck_code(bight_receiver_clone(&other, &receiver), BIGHT_ECLOSED);
    ck_code(bight_receiver_get_stats(&receiver, &stats), BIGHT_ECLOSED);
    return 0;
}

static int breaks(void *arg)
{
    struct bight_sender sender;
    struct bight_receiver receivers[3], clone;
    struct user waits;

    (void)arg;
    open_channel(&sender, &receivers[0], 2);
    ck_ok(bight_receiver_clone(&receivers[1], &receivers[0]));
    ck_ok(bight_receiver_clone(&receivers[2], &receivers[1]));
    ck_ok(bight_channel_send(&sender, ITEM(1)));
    bight_receiver_end(&receivers[0]);
    bight_receiver_end(&receivers[1]);
    ck_code(bight_receiver_clone(&clone, &receivers[1]), BIGHT_ECLOSED);
    ck_ok(bight_channel_send(&sender, ITEM(2)));
    spawn_sender(&waits, &sender, 4);
    ck_assert_int_eq(dropped, 0);
    bight_receiver_end(&receivers[2]);
    ck_assert_int_eq(dropped, 3);
    join_user(&waits, BIGHT_EPIPE); /* its item is still its own */
    sending_gives(&sender, BIGHT_EPIPE);
    bight_sender_end(&sender);
    sending_gives(&sender, BIGHT_ECLOSED);
    return 0;
}

static int closes_in_use(void *arg)
{
    struct bight_sender sender;
    struct bight_receiver receiver;
    struct user user;

    (void)arg;
    open_channel(&sender, &receiver, 0);
    spawn_sender(&user, &sender, 1);
    bight_sender_end(&sender);
    join_user(&user, BIGHT_ECLOSED);
    sending_gives(&sender, BIGHT_ECLOSED);
    receiving_gives(&receiver, BIGHT_EPIPE);
    bight_receiver_end(&receiver);

    open_channel(&sender, &receiver, 0);
    spawn_receiver(&user, &receiver);
    bight_receiver_end(&receiver);
    join_user(&user, BIGHT_ECLOSED);
    receiving_gives(&receiver, BIGHT_ECLOSED);
    sending_gives(&sender, BIGHT_EPIPE);
    bight_sender_end(&sender);

    open_channel(&sender, &receiver, 0);
    spawn_receiver(&user, &receiver);
    bight_sender_end(&sender);
    join_user(&user, BIGHT_EPIPE);
    bight_receiver_end(&receiver);
    return 0;
}

static int closes_one_of_two(void *arg)
{
    struct bight_sender senders[2];
    struct bight_receiver receivers[2];
    struct bight_channel_stats stats;
    struct user users[2];

    (void)arg;
    open_channel(&senders[0], &receivers[0], 0);
    ck_ok(bight_sender_clone(&senders[1], &senders[0]));
    ck_ok(bight_receiver_clone(&receivers[1], &receivers[0]));
    for (int i = 0; i < 2; i++)
        spawn_sender(&users[i], &senders[i], i + 1);
    ck_ok(bight_sender_get_stats(&senders[1], &stats));
    ck_assert(stats.senders == 2 && stats.receivers == 2 && stats.sending == 2);
    bight_sender_end(&senders[0]);
    receive_number(&receivers[0], 2);
    join_user(&users[0], BIGHT_ECLOSED);
    join_user(&users[1], 0);

    for (int i = 0; i < 2; i++)
        spawn_receiver(&users[i], &receivers[i]);
    ck_ok(bight_sender_get_stats(&senders[1], &stats));
    ck_assert(stats.senders == 1 && stats.receivers == 2 && stats.receiving == 2);
    bight_receiver_end(&receivers[0]);
    ck_ok(bight_channel_send(&senders[1], ITEM(3)));
    join_user(&users[0], BIGHT_ECLOSED);
    join_user(&users[1], 0);
    ck_assert_int_eq(NUMBER(users[1].item), 3);
    bight_sender_end(&senders[1]);
    bight_receiver_end(&receivers[1]);
    return 0;
}

/* An end may be gone by the time a call on it returns. */
static int ends_early(void *arg)
{
    struct user users[2];
    struct bight_receiver last;

    (void)arg;
    {
        struct bight_sender sender;
        struct bight_receiver receiver;

        open_channel(&sender, &receiver, 0);
        ck_ok(bight_receiver_clone(&last, &receiver));
        spawn_receiver(&users[0], &receiver);
        spawn_receiver(&users[1], &receiver);
        ck_ok(bight_channel_send(&sender, ITEM(1)));
        bight_receiver_end(&receiver);
        bight_sender_end(&sender);
        memset(&receiver, 0xff, sizeof(receiver));
    }
    join_user(&users[0], 0); /* it was given the item before */
    ck_assert_int_eq(NUMBER(users[0].item), 1);
    join_user(&users[1], BIGHT_ECLOSED);
    receiving_gives(&last, BIGHT_EPIPE);
    bight_receiver_end(&last);
    return 0;
}

static int cancels(void *arg)
{
    struct bight_sender sender;
    struct bight_receiver receiver;
    struct user users[2];

    (void)arg;
    open_channel(&sender, &receiver, 1);
    for (int i = 0; i < 2; i++)
        spawn_receiver(&users[i], &receiver);
    bight_task_cancel(users[0].task);
    ck_ok(bight_channel_send(&sender, ITEM(1))); /* passes the cancelled one by */
    join_user(&users[0], BIGHT_ECANCELED);
    join_user(&users[1], 0);
    ck_ok(bight_channel_try_send(&sender, ITEM(2))); /* nobody waits any more: it is kept */
    for (int i = 0; i < 2; i++)
        spawn_sender(&users[i], &sender, 3 + i);
    bight_task_cancel(users[0].task);
    receive_number(&receiver, 2);
    receive_number(&receiver, 4);
    join_user(&users[0], BIGHT_ECANCELED);
    join_user(&users[1], 0);
    bight_receiver_end(&receiver);
    bight_sender_end(&sender);
    return 0;
}

/* One that sends, five that receive from the same end. */
struct share {
    struct bight_receiver *receiver;
    int count, sum;
};

static int receives_share(void *arg)
{
    struct share *share = arg;
    void *item;
    int rc;

    while (!(rc = bight_channel_receive(share->receiver, &item))) {
        share->count++;
        share->sum += NUMBER(item);
    }
    return rc == BIGHT_EPIPE ? 0 : rc;
}

static int shares(void *arg)
{
    struct bight_sender sender;
    struct bight_receiver receiver;
    struct share all[5];
    struct bight_task *tasks[5];
    int count = 0, sum = 0, status;

    (void)arg;
    open_channel(&sender, &receiver, 1);
    for (int i = 0; i < 5; i++) {
        all[i] = (struct share){.receiver = &receiver};
        ck_ok(bight_spawn(&tasks[i], receives_share, &all[i]));
    }
    world_settle();
    for (int i = 0; i < 10; i++)
        ck_ok(bight_channel_send(&sender, ITEM(i)));
    bight_sender_end(&sender);
    for (int i = 0; i < 5; i++) {
        ck_ok(bight_join(tasks[i], &status));
        ck_ok(status);
        ck_assert_int_ge(all[i].count, 1);
        count += all[i].count;
        sum += all[i].sum;
    }
    ck_assert_int_eq(count, 10);
    ck_assert_int_eq(sum, 45);
    bight_receiver_end(&receiver);
    return 0;
}

/* What drop may do: close the other side. */
static void drop_and_close(void *to_close, void *item)
{
    dropped += NUMBER(item);
    bight_sender_end(to_close);
}

static int drops(void *arg)
{
    struct bight_sender sender;
    struct bight_channel_options options = {
        .capacity = BIGHT_QUEUE_UNBOUNDED, .drop = drop_and_close, .drop_arg = &sender};
    struct bight_receiver receiver;

    (void)arg;
    dropped = 0;
    ck_ok(bight_channel_open(&sender, &receiver, &options));
    for (int i = 1; i <= 20; i++)
        ck_ok(bight_channel_try_send(&sender, ITEM(i)));
    bight_receiver_end(&receiver);
    ck_assert_int_eq(dropped, 210);
    sending_gives(&sender, BIGHT_ECLOSED);
    options.capacity = SIZE_MAX - 1;
    ck_code(bight_channel_open(&sender, &receiver, &options), BIGHT_EINVAL);
    return 0;
}

static void channel_ends_of_zeroes_are_closed(void)
{
    struct bight_sender sender = {0};
    struct bight_receiver receiver = {0};
    struct bight_channel_options options = {.capacity = 1};
    void *item;

    ck_code(bight_channel_try_send(&sender, ITEM(1)), BIGHT_ECLOSED);
    ck_code(bight_channel_try_receive(&receiver, &item), BIGHT_ECLOSED);
    bight_sender_end(&sender);
    bight_receiver_end(&receiver);
    ck_code(bight_channel_open(&sender, &receiver, &options), BIGHT_ENORUNTIME);
    ck_code(bight_channel_send(&sender, ITEM(1)), BIGHT_ENOTASK);
}

static const struct suite_case cases[] = {
    world_case(channel_whose_senders_are_closed_drains_and_ends, drains),
    world_case(channel_breaks_when_the_last_receiver_is_closed, breaks),
    world_case(channel_end_closed_in_use_ends_the_calls_on_it, closes_in_use),
    world_case(channel_end_closed_concerns_only_its_own_users, closes_one_of_two),
    world_case(channel_calls_outlive_the_end_they_were_made_on, ends_early),
    world_case(channel_calls_cancelled_leave_it_as_it_was, cancels),
    world_case(channel_items_go_round_among_receivers, shares),
    world_case(channel_drops_what_is_left_even_if_that_closes_it, drops),
    plain_case(channel_ends_of_zeroes_are_closed),
};

test_suite("channel_ends", cases);
