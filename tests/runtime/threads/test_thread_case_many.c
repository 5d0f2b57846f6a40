/* runtime/threads/thread_case.c: many runtimes and threads at once. Nothing is lost, and nobody is
 * forgotten. */
#include <bight.h>
#include <pthread.h>
#include <stdatomic.h>

#include "tests/harness/expect.h"
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

static void begin(pthread_t *thread, void *(*body)(void *arg), void *arg)
{
    ck_assert_int_eq(pthread_create(thread, NULL, body, arg), 0);
}

static void *as_runtime(void *body)
{
    ck_ok(bight_run(*(int (**)(void *arg))body, NULL));
    return NULL;
}

/* Two runtimes play ball: each only ever waits in selects. */

#define PASSES 2000

static struct bight_thread_queue *sides[2];

static int play(int side)
{
    struct bight_case cases[2];
    int rc = 0;

    for (int i = 0; i < PASSES && rc == 0; i++) {
        bight_case_thread_queue_get(&cases[0], sides[side]);
        bight_case_sleep(&cases[1], -1);
        rc = bight_select(cases, 2, 0);
        if (rc || cases[0].status)
            return BIGHT_EIO;
        void *ball = cases[0].value;
        EXPECT(ball == &sides);
        bight_case_thread_queue_put(&cases[0], sides[1 - side], ball);
        rc = bight_select(cases, 2, 0);
    }
    return rc;
}

static int play_left(void *arg)
{
    (void)arg;
    return play(0);
}

static int play_right(void *arg)
{
    (void)arg;
    return play(1);
}

static void two_runtimes_pass_an_item_to_and_fro(void)
{
    int (*bodies[2])(void *) = {play_left, play_right};
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        ck_ok(bight_thread_queue_new(&sides[i], 1, NULL, NULL));
    for (int i = 0; i < 2; i++)
        begin(&threads[i], as_runtime, &bodies[i]);
    ck_ok(bight_thread_queue_put(sides[0], &sides, -1));
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(bight_thread_queue_length(sides[0]), 1);
    for (int i = 0; i < 2; i++)
        bight_thread_queue_unref(sides[i]);
}

/* A market: what is for sale is put and got by selects that often choose something else, and by
 * threads in the calls. */

#define RUNTIMES 2
#define TASKS 3
#define EACH 400
#define MAKERS (RUNTIMES * TASKS + 1)

static struct bight_thread_queue *goods;
static atomic_int numbers[MAKERS * EACH];
static atomic_int makers;
static atomic_int consumed;

/* The last closes the market. */
static void made(void)
{
    if (++makers == MAKERS)
        bight_thread_queue_close(goods);
}

static void sold(void *number)
{
    EXPECT(atomic_fetch_add((atomic_int *)number, 1) == 0);
    consumed++;
}

static int tries(struct bight_case *cases, int patience_ms)
{
    bight_case_sleep(&cases[1], patience_ms);
    int chosen = bight_select(cases, 2, 0);

    EXPECT(chosen >= 0);
    if (chosen == 0)
        return cases[0].status;
    return BIGHT_EAGAIN;
}

static int produce(void *first)
{
    struct bight_case cases[2];
    atomic_int *number = first;

    for (int i = 0; number < (atomic_int *)first + EACH; i++) {
        bight_case_thread_queue_put(&cases[0], goods, number);
        int rc = tries(cases, i % 3 - 1);
        EXPECT(rc == 0 || rc == BIGHT_EAGAIN);
        number += rc == 0;
    }
    made();
    return 0;
}

static int consume(void *arg)
{
    struct bight_case cases[2];

    (void)arg;
    for (int i = 0;; i++) {
        bight_case_thread_queue_get(&cases[0], goods);
        int rc = tries(cases, i % 3 - 1);
        if (rc == BIGHT_ECLOSED)
            return 0;
        EXPECT(rc == 0 || rc == BIGHT_EAGAIN);
        if (rc == 0)
            sold(cases[0].value);
    }
}

static void *produce_as_thread(void *first)
{
    for (int i = 0; i < EACH; i++)
        EXPECT(bight_thread_queue_put(goods, (atomic_int *)first + i, -1) == 0);
    made();
    return NULL;
}

static void *consume_as_thread(void *arg)
{
    void *number;

    (void)arg;
    while (bight_thread_queue_get(goods, &number, -1) == 0)
        sold(number);
    return NULL;
}

static int market(struct bight_group *group, void *first)
{
    for (int i = 0; i < TASKS; i++) {
        ck_ok(bight_group_spawn(NULL, group, NULL, produce, (atomic_int *)first + i * EACH));
        ck_ok(bight_group_spawn(NULL, group, NULL, consume, NULL));
    }
    return 0;
}

static int market_main(void *first)
{
    return bight_group_run(market, first);
}

static void *market_runtime(void *first)
{
    ck_ok(bight_run(market_main, first));
    return NULL;
}

static void nothing_is_lost_between_selects_and_calls(int i)
{
    pthread_t runtimes[RUNTIMES], maker, taker;

    ck_ok(bight_thread_queue_new(&goods, (size_t)i * 2 + 1, NULL, NULL));
    for (int at = 0; at < RUNTIMES; at++)
        begin(&runtimes[at], market_runtime, &numbers[at * TASKS * EACH]);
    begin(&maker, produce_as_thread, &numbers[RUNTIMES * TASKS * EACH]);
    begin(&taker, consume_as_thread, NULL);
    for (int at = 0; at < RUNTIMES; at++)
        pthread_join(runtimes[at], NULL);
    pthread_join(maker, NULL);
    pthread_join(taker, NULL);
    ck_assert_int_eq(consumed, MAKERS * EACH);
    ck_assert_uint_eq(bight_thread_queue_length(goods), 0);
    bight_thread_queue_unref(goods);
}

/* Nobody is forgotten: each item is for one of those who sleep without a limit. */

#define SLEEPERS 50

static int sleeper(void *arg)
{
    struct bight_case one;

    (void)arg;
    bight_case_thread_queue_get(&one, goods);
    ck_ok(bight_select(&one, 1, 0));
    ck_ok(one.status);
    sold(one.value);
    return 0;
}

static void *give_all(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2 * SLEEPERS; i++)
        EXPECT(bight_thread_queue_put(goods, &numbers[i], -1) == 0);
    return NULL;
}

static int sleepers(struct bight_group *group, void *arg)
{
    for (int i = 0; i < SLEEPERS; i++)
        ck_ok(bight_group_spawn(NULL, group, NULL, sleeper, arg));
    return 0;
}

static int sleepers_main(void *arg)
{
    return bight_group_run(sleepers, arg);
}

static void each_that_sleeps_gets_one(int i)
{
    int (*body)(void *) = sleepers_main;
    pthread_t threads[3];

    ck_ok(bight_thread_queue_new(&goods, (size_t)i * SLEEPERS, NULL, NULL));
    begin(&threads[0], as_runtime, &body);
    begin(&threads[1], give_all, NULL);
    begin(&threads[2], as_runtime, &body);
    for (int at = 0; at < 3; at++)
        pthread_join(threads[at], NULL);
    ck_assert_int_eq(consumed, 2 * SLEEPERS);
    bight_thread_queue_unref(goods);
}

/* More are told at once than one post has time for. Those that are let go of meanwhile are not. */

#define CROWD 300

static atomic_int let_go;

static int in_crowd(void *arg)
{
    struct bight_case one;

    (void)arg;
    bight_case_thread_queue_get(&one, goods);
    int rc = bight_select(&one, 1, 0);
    if (rc == 0)
        ck_code(one.status, BIGHT_ECLOSED);
    let_go += rc == BIGHT_ECANCELED;
    consumed += rc == 0;
    return 0;
}

static int crowd_closed(void *arg)
{
    static struct bight_task *tasks[CROWD];

    for (int i = 0; i < CROWD; i++)
        ck_ok(bight_spawn(&tasks[i], in_crowd, arg));
    world_settle();
    bight_thread_queue_close(goods);
    for (int i = 0; i < CROWD; i += 3)
        bight_task_cancel(tasks[i]);
    while (consumed == 0)
        ck_ok(bight_yield());
    bight_task_cancel(tasks[CROWD - 1]);
    for (int i = 0; i < CROWD; i++)
        ck_ok(bight_join(tasks[i], NULL));
    return 0;
}

static void a_crowd_is_told_in_several_goes(void)
{
    ck_ok(bight_thread_queue_new(&goods, 1, NULL, NULL));
    ck_ok(world_run(crowd_closed, NULL, NULL));
    ck_assert_int_eq(consumed + let_go, CROWD);
    ck_assert_int_ge(let_go, CROWD / 3);
    bight_thread_queue_unref(goods);
}

/* Calls submitted to another runtime, one after the other and some at a time */

#define CALLS 300

static struct bight_mailbox *mailbox;
static struct bight_thread_event *over;

static int serve(void *ready)
{
    ck_ok(bight_mailbox_get(&mailbox));
    bight_thread_event_set(ready);
    return bight_thread_event_wait(over, -1);
}

static void *serve_as_runtime(void *ready)
{
    ck_ok(bight_run(serve, ready));
    return NULL;
}

static int answer(void *number)
{
    int rc = bight_yield();

    return rc ? rc : *(int *)number;
}

static int ask(void *arg)
{
    struct bight_submission *two[2];
    struct bight_case cases[2];
    int wanted[2] = {1, 2};

    (void)arg;
    for (int i = 0; i < CALLS; i++) {
        for (int at = 0; at < 2; at++) {
            ck_ok(bight_thread_submit(&two[at], mailbox, answer, &wanted[at]));
            bight_case_submission(&cases[at], two[at]);
        }
        int first = bight_select(cases, 2, 0);
        EXPECT(first >= 0 && cases[first].status == wanted[first]);
        EXPECT(bight_select(&cases[1 - first], 1, 0) == 0);
        EXPECT(cases[1 - first].status == wanted[1 - first]);
        bight_submission_unref(two[0]);
        bight_submission_unref(two[1]);
    }
    return 0;
}

static void a_task_selects_over_calls_in_another_runtime(void)
{
    struct bight_thread_event *ready;
    pthread_t server;

    ck_ok(bight_thread_event_new(&ready));
    ck_ok(bight_thread_event_new(&over));
    begin(&server, serve_as_runtime, ready);
    ck_ok(bight_thread_event_wait(ready, -1));
    ck_ok(bight_run(ask, NULL));
    bight_mailbox_unref(mailbox);
    bight_thread_event_set(over);
    pthread_join(server, NULL);
    bight_thread_event_unref(over);
    bight_thread_event_unref(ready);
}

static const struct suite_case cases[] = {
    plain_case(two_runtimes_pass_an_item_to_and_fro),
    each_case(nothing_is_lost_between_selects_and_calls, 2),
    each_case(each_that_sleeps_gets_one, 2),
    plain_case(a_crowd_is_told_in_several_goes),
    plain_case(a_task_selects_over_calls_in_another_runtime),
};

test_suite("thread_case_many", cases);
