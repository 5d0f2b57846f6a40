/* Channels: buffers, and what closing one of several ends means for those who use it, for those
 * who use another, and for the other side. Items are small numbers as pointers. */
#include "tests/conformance/conf.h"

#define ITEM(n) ((void *)(uintptr_t)(n))
#define NUMBER(item) ((int)(uintptr_t)(item))

/* In bight CLOSED is ECLOSED, BROKEN and END_OF_CHANNEL are EPIPE, WOULD_BLOCK is EAGAIN. */

struct channel {
    struct bight_sender s;
    struct bight_receiver r;
};

static void open_channel(struct channel *channel, size_t capacity)
{
    ck_ok(bight_channel_open(&channel->s, &channel->r,
                             &(struct bight_channel_options){.capacity = capacity}));
}

static void close_channel(struct channel *channel)
{
    bight_sender_end(&channel->s);
    bight_receiver_end(&channel->r);
}

/* Both forms of a call end with `code`. */
static void sends_give(struct bight_sender *sender, int code)
{
    ck_code(bight_channel_send(sender, ITEM(9)), code);
    ck_code(bight_channel_try_send(sender, ITEM(9)), code);
}

static void receives_give(struct bight_receiver *receiver, int code)
{
    void *item;

    ck_code(bight_channel_receive(receiver, &item), code);
    ck_code(bight_channel_try_receive(receiver, &item), code);
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

static void block_in(struct user *user)
{
    ck_ok(bight_spawn(&user->task, use, user));
    world_settle();
    ck_assert(!bight_task_done(user->task));
}

static int buffer_sizes(void *arg)
{
    struct channel bad, channel;
    void *item;

    (void)arg;
    ck_code(
        bight_channel_open(&bad.s, &bad.r, &(struct bight_channel_options){.capacity = (size_t)-2}),
        BIGHT_EINVAL);
    open_channel(&channel, BIGHT_QUEUE_UNBOUNDED);
    for (int i = 0; i < 10; i++)
        ck_ok(bight_channel_try_send(&channel.s, ITEM(i)));
    bight_sender_end(&channel.s);
    for (int i = 0; i < 10; i++) {
        ck_ok(bight_channel_receive(&channel.r, &item));
        ck_assert_int_eq(NUMBER(item), i);
    }
    ck_code(bight_channel_receive(&channel.r, &item), BIGHT_EPIPE);
    close_channel(&channel);
    return 0;
}

static int close_sender(void *arg)
{
    struct bight_receiver receiver_clone;
    struct bight_sender sender_clone;
    struct channel channel;
    void *item;

    (void)arg;
    open_channel(&channel, 1);
    ck_ok(bight_channel_send(&channel.s, ITEM(7)));
    bight_sender_end(&channel.s);
    sends_give(&channel.s, BIGHT_ECLOSED);
    ck_code(bight_sender_clone(&sender_clone, &channel.s), BIGHT_ECLOSED);
    bight_sender_end(&channel.s);
    ck_ok(bight_channel_receive(&channel.r, &item));
    ck_assert_int_eq(NUMBER(item), 7);
    receives_give(&channel.r, BIGHT_EPIPE);
    bight_receiver_end(&channel.r);
    receives_give(&channel.r, BIGHT_ECLOSED);
    ck_code(bight_receiver_clone(&receiver_clone, &channel.r), BIGHT_ECLOSED);
    bight_receiver_end(&channel.r);
    return 0;
}

static int receive_in_time(void *arg)
{
    struct bight_channel_stats stats;
    struct bight_scope scope;
    struct channel channel;
    void *item;
    int rc;

    (void)arg;
    open_channel(&channel, 1);
    ck_ok(bight_scope_begin(&scope, 10000, 0));
    rc = bight_channel_receive(&channel.r, &item);
    ck_code(rc, BIGHT_ECANCELED);
    ck_code(bight_scope_end(&scope, rc), BIGHT_ETIMEDOUT);
    ck_assert(scope.caught);
    ck_assert_int_eq(conf_now_ms(), 10000);
    /* Nobody is there to receive: a send that waited would never end. */
    ck_ok(bight_channel_send(&channel.s, ITEM(1)));
    ck_ok(bight_sender_get_stats(&channel.s, &stats));
    ck_assert_uint_eq(stats.length, 1);
    ck_assert_uint_eq(stats.receiving, 0);
    ck_assert_int_eq(conf_now_ms(), 10000);
    close_channel(&channel);
    return 0;
}

struct consumer {
    struct bight_receiver *receiver;
    int *taken; /* how often each item came out */
    int count;
};

static int consumes(void *arg)
{
    struct consumer *consumer = arg;
    void *item;
    int rc;

    while (!(rc = bight_channel_receive(consumer->receiver, &item))) {
        consumer->taken[NUMBER(item)]++;
        consumer->count++;
    }
    ck_code(rc, BIGHT_EPIPE);
    return 0;
}

static int five_consumers(void *arg)
{
    struct consumer consumers[5];
    struct bight_group group;
    struct channel channel;
    int taken[10] = {0};

    (void)arg;
    open_channel(&channel, 1);
    ck_ok(bight_group_begin(&group, 0));
    for (int i = 0; i < 5; i++) {
        consumers[i] = (struct consumer){&channel.r, taken, 0};
        ck_ok(bight_group_spawn(NULL, &group, NULL, consumes, &consumers[i]));
    }
    world_settle();
    for (int i = 0; i < 10; i++)
        ck_ok(bight_channel_send(&channel.s, ITEM(i)));
    bight_sender_end(&channel.s);
    ck_ok(bight_group_end(&group, 0));
    for (int i = 0; i < 5; i++)
        ck_assert_int_ge(consumers[i].count, 1);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(taken[i], 1);
    close_channel(&channel);
    return 0;
}

static int close_sender_in_use(void *arg)
{
    struct channel channel;
    struct user sender;

    (void)arg;
    open_channel(&channel, 0);
    sender = (struct user){.sender = &channel.s, .item = ITEM(1)};
    block_in(&sender);
    bight_sender_end(&channel.s);
    conf_join(sender.task, BIGHT_ECLOSED);
    sends_give(&channel.s, BIGHT_ECLOSED);
    receives_give(&channel.r, BIGHT_EPIPE);
    close_channel(&channel);
    return 0;
}

static int close_receiver_in_use(void *arg)
{
    struct channel channel;
    struct user receiver;

    (void)arg;
    open_channel(&channel, 0);
    receiver = (struct user){.receiver = &channel.r};
    block_in(&receiver);
    bight_receiver_end(&channel.r);
    conf_join(receiver.task, BIGHT_ECLOSED);
    receives_give(&channel.r, BIGHT_ECLOSED);
    close_channel(&channel);
    return 0;
}

static int close_clones(void *arg)
{
    struct bight_receiver r2, r3, refused;
    struct channel channel;

    (void)arg;
    open_channel(&channel, 10);
    ck_ok(bight_receiver_clone(&r2, &channel.r));
    ck_ok(bight_receiver_clone(&r3, &r2));
    ck_ok(bight_channel_try_send(&channel.s, ITEM(1)));
    ck_ok(bight_channel_send(&channel.s, ITEM(2)));
    bight_receiver_end(&channel.r);
    bight_receiver_end(&r2);
    ck_code(bight_receiver_clone(&refused, &channel.r), BIGHT_ECLOSED);
    ck_code(bight_receiver_clone(&refused, &r2), BIGHT_ECLOSED);
    ck_ok(bight_channel_try_send(&channel.s, ITEM(3)));
    ck_ok(bight_channel_send(&channel.s, ITEM(4)));
    bight_receiver_end(&r3);
    sends_give(&channel.s, BIGHT_EPIPE);
    close_channel(&channel);
    return 0;
}

static int close_one_sender(void *arg)
{
    struct user first, second;
    struct bight_sender s2;
    struct channel channel;
    void *item;

    (void)arg;
    open_channel(&channel, 0);
    ck_ok(bight_sender_clone(&s2, &channel.s));
    first = (struct user){.sender = &channel.s, .item = ITEM(1)};
    second = (struct user){.sender = &s2, .item = ITEM(2)};
    block_in(&first);
    block_in(&second);
    bight_sender_end(&channel.s);
    conf_join(first.task, BIGHT_ECLOSED);
    ck_assert(!bight_task_done(second.task));
    ck_ok(bight_channel_try_receive(&channel.r, &item));
    ck_assert_int_eq(NUMBER(item), 2);
    conf_join(second.task, 0);
    bight_sender_end(&s2);
    close_channel(&channel);
    return 0;
}

static int close_one_receiver(void *arg)
{
    struct bight_receiver r2;
    struct user first, second;
    struct channel channel;

    (void)arg;
    open_channel(&channel, 0);
    ck_ok(bight_receiver_clone(&r2, &channel.r));
    first = (struct user){.receiver = &channel.r};
    second = (struct user){.receiver = &r2};
    block_in(&first);
    block_in(&second);
    bight_receiver_end(&channel.r);
    conf_join(first.task, BIGHT_ECLOSED);
    ck_assert(!bight_task_done(second.task));
    ck_ok(bight_channel_try_send(&channel.s, ITEM(5)));
    conf_join(second.task, 0);
    ck_assert_int_eq(NUMBER(second.item), 5);
    bight_receiver_end(&r2);
    close_channel(&channel);
    return 0;
}

/* Whoever finds the other side waiting goes on without a switch, and has still checked for a
 * cancellation; whoever came first has let others run too. */
static void passed_since(const struct bight_test_passes *before, bool came_first)
{
    struct bight_test_passes now;

    ck_ok(bight_test_get_passes(&now));
    ck_assert_uint_gt(now.checks, before->checks);
    ck_assert(bight_test_passed(before) == came_first);
}

static int sends_observed(void *arg)
{
    struct bight_test_passes passes;

    ck_ok(bight_test_get_passes(&passes));
    ck_ok(bight_channel_send(arg, ITEM(1)));
    passed_since(&passes, false);
    return 0;
}

static int rendezvous(void *arg)
{
    struct bight_test_passes passes;
    struct bight_task *task;
    struct channel channel;
    void *item;

    (void)arg;
    open_channel(&channel, 0);
    ck_code(bight_channel_try_receive(&channel.r, &item), BIGHT_EAGAIN);
    ck_code(bight_channel_try_send(&channel.s, ITEM(1)), BIGHT_EAGAIN);
    ck_ok(bight_spawn(&task, sends_observed, &channel.s));
    ck_ok(bight_test_get_passes(&passes));
    ck_ok(bight_channel_receive(&channel.r, &item));
    passed_since(&passes, true);
    ck_assert_int_eq(NUMBER(item), 1);
    conf_join(task, 0);
    ck_code(bight_channel_try_receive(&channel.r, &item), BIGHT_EAGAIN);
    close_channel(&channel);
    return 0;
}

static void tchan_16_without_a_buffer_sender_and_receiver_meet(void)
{
    ck_ok(bight_test_run(NULL, rendezvous, NULL, NULL));
}

static const struct suite_case cases[] = {
    /* A size is an unsigned integer: the compiler sees to the type, and -1 is how unlimited is
     * written. */
    conf_case(tchan_02_a_size_beyond_memory_is_refused_and_unlimited_is_none, buffer_sizes),
    conf_case(tchan_03_a_closed_sender_sends_no_more_but_the_rest_comes_out, close_sender),
    conf_case(tchan_04_a_receive_that_timed_out_leaves_the_channel_as_it_was, receive_in_time),
    conf_case(tchan_06_several_receivers_get_each_item_once_and_all_end, five_consumers),
    conf_case(tchan_07_closing_a_sender_in_use_ends_the_send_and_then_the_receives,
              close_sender_in_use),
    conf_case(tchan_09_closing_a_receiver_in_use_ends_the_receive, close_receiver_in_use),
    conf_case(tchan_10_the_channel_is_broken_when_the_last_receiver_is_closed, close_clones),
    conf_case(tchan_11_closing_one_sender_concerns_its_own_sends_only, close_one_sender),
    conf_case(tchan_12_closing_one_receiver_concerns_its_own_receives_only, close_one_receiver),
    plain_case(tchan_16_without_a_buffer_sender_and_receiver_meet),
};

test_suite("trio channels", cases);
