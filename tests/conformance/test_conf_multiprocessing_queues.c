/* Queues between processes. */
#include "tests/conformance/conf_process.h"

static struct shop begin(unsigned workers)
{
    struct shop shop = shop_begin(workers);

    CHECK_EQ(bight_shared_queue_init(&shop.board->queue, shop.board->storage, 32, 8), 0);
    return shop;
}

static void put(struct bight_shared_queue *queue, int number)
{
    CHECK_EQ(bight_shared_queue_put(queue, &number, sizeof(number), -1), 0);
}

/* `count` numbers from `id` on. */
static int put_numbers(struct bight_job *job)
{
    struct order order;
    struct board *board = find_board(job, &order);

    for (int i = 0; i < order.count; i++)
        put(&board->queue, order.id + i);
    return 0;
}
static const struct bight_job_def put_job = {.name = "put", .fn = put_numbers};

static int mq_02_items_come_in_order_and_then_it_is_empty(void *arg)
{
    struct shop shop = begin(1);
    struct bight_shared_queue *queue = &shop.board->queue;
    struct worker_call call;
    struct order order;
    int got = 0;

    (void)arg;
    shop_call(&shop, &call, &order, &put_job, 2, 4);
    CHECK_EQ(bight_shared_queue_get(queue, &got, sizeof(got), -1), sizeof(got));
    CHECK_EQ(got, 2);
    shop_join(&call, 0);
    CHECK_EQ(bight_shared_queue_get(queue, &got, sizeof(got), 5000), sizeof(got));
    CHECK_EQ(got, 3);
    CHECK_EQ(bight_shared_queue_get(queue, &got, sizeof(got), 0), sizeof(got));
    CHECK_EQ(got, 4);
    CHECK_EQ(bight_shared_queue_try_get(queue, &got, sizeof(got)), sizeof(got));
    CHECK_EQ(got, 5);
    CHECK_EQ(bight_shared_queue_try_get(queue, &got, sizeof(got)), BIGHT_EAGAIN);
    CHECK_EQ(bight_shared_queue_get(queue, &got, sizeof(got), 0), BIGHT_ETIMEDOUT);
    for (int limit = 20; limit <= 60; limit += 40) {
        uint64_t begun_ns = bight_now_ns();

        CHECK_EQ(bight_shared_queue_get(queue, &got, sizeof(got), limit), BIGHT_ETIMEDOUT);
        CHECK(bight_now_ns() - begun_ns >= (uint64_t)limit * 1000000);
    }
    return shop_end(&shop);
}

static int get_with_limit(struct bight_job *job)
{
    struct order order;
    struct board *board = find_board(job, &order);
    int got;

    return bight_shared_queue_get(&board->queue, &got, sizeof(got), order.count) == BIGHT_ETIMEDOUT
               ? 0
               : -1;
}
static const struct bight_job_def limit_job = {.name = "limit", .fn = get_with_limit};

/* In a task, and in a job. */
static int mq_03_a_get_may_be_limited(void *arg)
{
    struct shop shop = begin(1);
    uint64_t begun_ns = bight_now_ns();
    struct worker_call call;
    struct order order;
    int got;

    (void)arg;
    CHECK_EQ(bight_shared_queue_get(&shop.board->queue, &got, sizeof(got), 200), BIGHT_ETIMEDOUT);
    CHECK(bight_now_ns() - begun_ns >= 200000000);
    begun_ns = bight_now_ns();
    shop_call(&shop, &call, &order, &limit_job, 0, 200);
    shop_join(&call, 0);
    CHECK(bight_now_ns() - begun_ns >= 200000000);
    return shop_end(&shop);
}

/* A put is in the queue when it returns: there is no thread that would write it later. */
static int mq_04_what_two_processes_have_put_is_there_in_order(void *arg)
{
    struct shop shop = begin(1);
    struct bight_shared_queue *queue = &shop.board->queue;
    struct worker_call call;
    struct order order;
    int got;

    (void)arg;
    for (int i = 0; i < 10; i++)
        put(queue, i);
    shop_call(&shop, &call, &order, &put_job, 10, 10);
    shop_join(&call, 0);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(bight_shared_queue_try_get(queue, &got, sizeof(got)), sizeof(got));
        CHECK_EQ(got, i);
    }
    CHECK_EQ(bight_shared_queue_try_get(queue, &got, sizeof(got)), BIGHT_EAGAIN);
    return shop_end(&shop);
}

static int mq_05_the_length_is_how_many_are_in_it(void *arg)
{
    static const int lengths[] = {0, 1, 2, 1, 0};
    struct shop shop = begin(1);
    struct bight_shared_queue *queue = &shop.board->queue;
    int got;

    (void)arg;
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(bight_shared_queue_length(queue), lengths[i]);
        if (i < 2)
            put(queue, i);
        else if (i < 4)
            CHECK_EQ(bight_shared_queue_get(queue, &got, sizeof(got), -1), sizeof(got));
    }
    return shop_end(&shop);
}

#define END (-1)

/* Until the end mark; returns how many there were before. */
static int work(struct bight_job *job)
{
    struct order order;
    struct board *board = find_board(job, &order);

    for (int count = 0, got;; count++) {
        CHECK_EQ(bight_shared_queue_get(&board->queue, &got, sizeof(got), -1), sizeof(got));
        if (got == END)
            return count;
        usleep(10000);
        atomic_fetch_add(&board->came[0], 1);
        CHECK_EQ(bight_shared_queue_task_done(&board->queue), 0);
    }
}
static const struct bight_job_def work_job = {.name = "work", .fn = work};

static int mq_06_a_join_returns_when_all_is_reported_as_done(void *arg)
{
    struct shop shop = begin(4);
    struct bight_shared_queue *queue = &shop.board->queue;
    struct worker_call calls[4];
    struct order orders[4];
    int sum = 0;

    (void)arg;
    for (int i = 0; i < 4; i++)
        shop_call(&shop, &calls[i], &orders[i], &work_job, i, 0);
    for (int i = 0; i < 10; i++)
        put(queue, i);
    CHECK_EQ(bight_shared_queue_join(queue, -1), 0);
    CHECK_EQ(atomic_load(&shop.board->came[0]), 10);
    CHECK_EQ(bight_shared_queue_length(queue), 0);
    for (int i = 0; i < 4; i++)
        put(queue, END);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(bight_join(calls[i].task, NULL), 0);
        CHECK_EQ(calls[i].rc, 0);
        sum += calls[i].result.code;
        bight_result_free(&calls[i].result);
    }
    CHECK_EQ(sum, 10);
    return shop_end(&shop);
}

static int use_closed(struct bight_job *job)
{
    struct order order;
    struct board *board = find_board(job, &order);
    int got = 0;

    CHECK_EQ(bight_shared_queue_put(&board->queue, &got, sizeof(got), -1), BIGHT_ECLOSED);
    CHECK_EQ(bight_shared_queue_try_put(&board->queue, &got, sizeof(got)), BIGHT_ECLOSED);
    CHECK_EQ(bight_shared_queue_get(&board->queue, &got, sizeof(got), -1), BIGHT_ECLOSED);
    CHECK_EQ(bight_shared_queue_try_get(&board->queue, &got, sizeof(got)), BIGHT_ECLOSED);
    return 0;
}
static const struct bight_job_def closed_job = {.name = "closed", .fn = use_closed};

/* For everybody: the job does not close it itself. */
static int mq_08_a_closed_queue_says_so(void *arg)
{
    struct shop shop = begin(1);
    struct worker_call call;
    struct order order;
    int got = 0;

    (void)arg;
    CHECK_EQ(bight_shared_queue_close(&shop.board->queue), 0);
    CHECK_EQ(bight_shared_queue_put(&shop.board->queue, &got, sizeof(got), -1), BIGHT_ECLOSED);
    CHECK_EQ(bight_shared_queue_get(&shop.board->queue, &got, sizeof(got), -1), BIGHT_ECLOSED);
    shop_call(&shop, &call, &order, &closed_job, 0, 0);
    shop_join(&call, 0);
    return shop_end(&shop);
}

static const struct suite_case cases[] = {
    worker_case(mq_02_items_come_in_order_and_then_it_is_empty, 0),
    worker_case(mq_03_a_get_may_be_limited, 0),
    worker_case(mq_04_what_two_processes_have_put_is_there_in_order, 0),
    worker_case(mq_05_the_length_is_how_many_are_in_it, 0),
    worker_case(mq_06_a_join_returns_when_all_is_reported_as_done, 0),
    worker_case(mq_08_a_closed_queue_says_so, 0),
};

worker_suite("multiprocessing, queues", cases);
