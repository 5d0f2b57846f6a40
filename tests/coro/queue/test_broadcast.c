/* Broadcast: every subscriber receives everything, in order, or learns how much it has missed;
 * nobody is held up longer than the policy says. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

static struct bight_broadcast *make(size_t capacity, enum bight_broadcast_policy policy)
{
    struct bight_broadcast_options options = {capacity, sizeof(int), policy};
    struct bight_broadcast *broadcast;

    ck_ok(bight_broadcast_new(&broadcast, &options));
    return broadcast;
}

static void publish(struct bight_broadcast *broadcast, int value)
{
    ck_ok(bight_broadcast_try_publish(broadcast, &value));
}

static void receive(struct bight_subscriber *subscriber, int value, uint64_t missed)
{
    uint64_t dropped = 99;
    int got = 0;

    ck_ok(bight_broadcast_try_receive(subscriber, &got, &dropped));
    ck_assert_int_eq(got, value);
    ck_assert_uint_eq(dropped, missed);
}

static void receives_nothing(struct bight_subscriber *subscriber, int code)
{
    int got;

    ck_code(bight_broadcast_try_receive(subscriber, &got, NULL), code);
    if (code != BIGHT_EAGAIN)
        ck_code(bight_broadcast_receive(subscriber, &got, NULL), code);
}

/* A task that publishes or receives once. */
struct user {
    struct bight_broadcast *broadcast;
    struct bight_subscriber *subscriber;
    int value;
    uint64_t missed;
    struct bight_task *task;
};

static int use(void *arg)
{
    struct user *user = arg;

    return user->broadcast ? bight_broadcast_publish(user->broadcast, &user->value)
                           : bight_broadcast_receive(user->subscriber, &user->value, &user->missed);
}

static void spawn_publisher(struct user *user, struct bight_broadcast *broadcast, int value)
{
    *user = (struct user){.broadcast = broadcast, .value = value};
    ck_ok(bight_spawn(&user->task, use, user));
    world_settle();
}

static void spawn_receiver(struct user *user, struct bight_subscriber *subscriber)
{
    *user = (struct user){.subscriber = subscriber, .missed = 99};
    ck_ok(bight_spawn(&user->task, use, user));
    world_settle();
}

static void join_user(struct user *user, int code, int value)
{
    int status;

    ck_ok(bight_join(user->task, &status));
    ck_code(status, code);
    ck_assert_int_eq(user->value, value);
    if (user->subscriber && code == 0)
        ck_assert_uint_eq(user->missed, 0);
}

static int all_receive(void *arg)
{
    struct bight_broadcast *broadcast = make(3, BIGHT_BROADCAST_WAIT);
    struct bight_subscriber early, late;

    (void)arg;
    publish(broadcast, 1); /* to nobody */
    ck_ok(bight_broadcast_subscribe(broadcast, &early));
    for (int round = 0; round < 5; round++) { /* so that the ring wraps */
        publish(broadcast, 10);
        ck_ok(bight_broadcast_subscribe(broadcast, &late));
        publish(broadcast, 11);
        publish(broadcast, 12);
        ck_code(bight_broadcast_try_publish(broadcast, &(int){13}), BIGHT_EAGAIN);
        receive(&late, 11, 0);
        receive(&late, 12, 0);
        receives_nothing(&late, BIGHT_EAGAIN);
        for (int i = 10; i < 13 - (round == 2); i++)
            receive(&early, i, 0);
        if (round == 2)
            receive(&early, 12, 0);
        receives_nothing(&early, BIGHT_EAGAIN);
        bight_broadcast_unsubscribe(&late);
        bight_broadcast_unsubscribe(&late);
        receives_nothing(&late, BIGHT_ECLOSED);
    }
    ck_code(bight_broadcast_free(broadcast), BIGHT_EBUSY);
    bight_broadcast_unsubscribe(&early);
    return bight_broadcast_free(broadcast);
}

static int waits_for_slowest(void *arg)
{
    struct bight_broadcast *broadcast = make(1, BIGHT_BROADCAST_WAIT);
    struct bight_subscriber fast, slow;
    struct user publishers[3];

    (void)arg;
    ck_ok(bight_broadcast_subscribe(broadcast, &fast));
    ck_ok(bight_broadcast_subscribe(broadcast, &slow));
    publish(broadcast, 1);
    for (int i = 0; i < 3; i++)
        spawn_publisher(&publishers[i], broadcast, 2 + i);
    bight_task_cancel(publishers[0].task);
    receive(&fast, 1, 0);
    receives_nothing(&fast, BIGHT_EAGAIN);
    receive(&slow, 1, 0); /* lets 3 in, not 2 */
    receive(&fast, 3, 0);
    receives_nothing(&fast, BIGHT_EAGAIN);
    bight_broadcast_unsubscribe(&slow); /* nobody waits for it any more: lets 4 in */
    receive(&fast, 4, 0);
    for (int i = 0; i < 3; i++)
        join_user(&publishers[i], i ? 0 : BIGHT_ECANCELED, 2 + i);
    publish(broadcast, 5);
    for (int i = 0; i < 3; i++)
        spawn_publisher(&publishers[i], broadcast, 6 + i);
    bight_broadcast_unsubscribe(&fast); /* to nobody, all of them */
    for (int i = 0; i < 3; i++)
        join_user(&publishers[i], 0, 6 + i);
    return bight_broadcast_free(broadcast);
}

static int drops_oldest(void *arg)
{
    struct bight_broadcast *broadcast = make(2, BIGHT_BROADCAST_DROP_OLDEST);
    struct bight_subscriber fast, slow;

    (void)arg;
    ck_ok(bight_broadcast_subscribe(broadcast, &fast));
    ck_ok(bight_broadcast_subscribe(broadcast, &slow));
    for (int i = 1; i <= 7; i++) {
        publish(broadcast, i);
        receive(&fast, i, 0);
    }
    receive(&slow, 6, 5);
    publish(broadcast, 8);
    receive(&slow, 7, 0);
    for (int i = 9; i <= 11; i++)
        publish(broadcast, i);
    receive(&slow, 10, 2);
    receive(&fast, 10, 2);
    receive(&slow, 11, 0);
    receives_nothing(&slow, BIGHT_EAGAIN);
    publish(broadcast, 12);
    publish(broadcast, 13);
    bight_broadcast_unsubscribe(&fast); /* lags by more than is kept */
    receive(&slow, 12, 0);
    receive(&slow, 13, 0);
    bight_broadcast_unsubscribe(&slow);
    return bight_broadcast_free(broadcast);
}

static int receivers_wait(void *arg)
{
    struct bight_broadcast *broadcast = make(1, BIGHT_BROADCAST_WAIT);
    struct bight_subscriber shared, other;
    struct user users[4];

    (void)arg;
    ck_ok(bight_broadcast_subscribe(broadcast, &shared));
    ck_ok(bight_broadcast_subscribe(broadcast, &other));
    for (int i = 0; i < 3; i++)
        spawn_receiver(&users[i], &shared);
    spawn_receiver(&users[3], &other);
    bight_task_cancel(users[0].task);
    publish(broadcast, 1); /* to the second of `shared` and to `other`; nothing is kept */
    publish(broadcast, 2); /* to the third; kept for `other` */
    bight_task_cancel(users[2].task);
    join_user(&users[0], BIGHT_ECANCELED, 0);
    join_user(&users[1], 0, 1);
    join_user(&users[2], 0, 2);
    join_user(&users[3], 0, 1);
    receives_nothing(&shared, BIGHT_EAGAIN);
    receive(&other, 2, 0);
    spawn_receiver(&users[0], &shared);
    bight_broadcast_unsubscribe(&shared);
    join_user(&users[0], BIGHT_ECLOSED, 0);
    bight_broadcast_unsubscribe(&other);
    return bight_broadcast_free(broadcast);
}

static int closes(void *arg)
{
    struct bight_broadcast *broadcast = make(1, BIGHT_BROADCAST_WAIT);
    struct bight_subscriber behind, waiting;
    struct user publisher, receiver;

    (void)arg;
    ck_ok(bight_broadcast_subscribe(broadcast, &behind));
    ck_ok(bight_broadcast_subscribe(broadcast, &waiting));
    publish(broadcast, 1);
    receive(&waiting, 1, 0);
    spawn_publisher(&publisher, broadcast, 2);
    spawn_receiver(&receiver, &waiting);
    ck_code(bight_broadcast_free(broadcast), BIGHT_EBUSY);
    bight_broadcast_close(broadcast);
    join_user(&publisher, BIGHT_ECLOSED, 2);
    join_user(&receiver, BIGHT_ECLOSED, 0);
    ck_code(bight_broadcast_try_publish(broadcast, &(int){3}), BIGHT_ECLOSED);
    ck_code(bight_broadcast_publish(broadcast, &(int){3}), BIGHT_ECLOSED);
    receive(&behind, 1, 0); /* drains */
    receives_nothing(&behind, BIGHT_ECLOSED);
    bight_broadcast_unsubscribe(&behind);
    bight_broadcast_unsubscribe(&waiting);
    ck_code(bight_broadcast_subscribe(broadcast, &behind), BIGHT_ECLOSED);
    return bight_broadcast_free(broadcast);
}

static int misuse(void *arg)
{
    struct bight_broadcast_options options[] = {
        {0, 1, BIGHT_BROADCAST_WAIT},
        {1, 0, BIGHT_BROADCAST_WAIT},
        {SIZE_MAX / 8, 8, BIGHT_BROADCAST_WAIT},
        {1, SIZE_MAX, BIGHT_BROADCAST_WAIT},
        {1, 1, (enum bight_broadcast_policy)2},
    };
    struct bight_broadcast *broadcast;

    (void)arg;
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        ck_code(bight_broadcast_new(&broadcast, &options[i]), BIGHT_EINVAL);
    return bight_broadcast_free(NULL);
}

static const struct suite_case cases[] = {
    world_case(broadcast_reaches_all_who_are_subscribed_in_order, all_receive),
    world_case(broadcast_waits_for_the_slowest_if_it_is_to, waits_for_slowest),
    world_case(broadcast_drops_the_oldest_if_it_is_to_and_tells, drops_oldest),
    world_case(broadcast_gives_to_who_waits_past_the_cancelled, receivers_wait),
    world_case(broadcast_closed_drains_and_then_says_so, closes),
    world_case(broadcast_that_cannot_be_is_refused, misuse),
};

test_suite("broadcast", cases);
