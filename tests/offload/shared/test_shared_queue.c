/* The shared queue between the host and workers that come, go and are killed. */
#include "tests/offload/shared/shared_cases.h"

#include <errno.h>

#include "tests/harness/random.h"

#define CAPACITY 8
#define ITEM_BYTES 64

struct item {
    int from;
    int number;
    unsigned char rest[ITEM_BYTES - 2 * sizeof(int)]; /* all the same */
};

static struct item item_of(int from, int number)
{
    struct item item = {.from = from, .number = number};

    memset(item.rest, (from * 31 + number) & 0xff, sizeof(item.rest));
    return item;
}

static void check_item(const struct item *item)
{
    struct item right = item_of(item->from, item->number);

    CHECK(memcmp(item, &right, sizeof(right)) == 0);
}

static struct bight_executor *executor;
static struct bight_shared *segment;
static struct board *board;

static struct order begin(unsigned workers)
{
    struct order order = {0};

    executor = worker_open_count(workers);
    order.number = share_board(executor, &segment, &board);
    CHECK(sizeof(board->storage) >= bight_shared_queue_storage(CAPACITY, ITEM_BYTES));
    CHECK_EQ(bight_shared_queue_init(&board->queue, board->storage, CAPACITY, ITEM_BYTES), 0);
    return order;
}

static int end(void)
{
    worker_close(executor);
    CHECK_EQ(bight_shared_free(segment), 0);
    return 0;
}

static int produce(struct bight_job *job)
{
    struct order order;
    struct board *on = find_board(job, &order);

    atomic_fetch_add(&on->came[1], 1);
    for (int i = 0; i < order.count; i++) {
        struct item item = item_of(order.id, i);

        CHECK_EQ(bight_shared_queue_put(&on->queue, &item, sizeof(item), -1), 0);
    }
    return 0;
}
static const struct bight_job_def produce_job = {.name = "produce", .fn = produce};

/* Until it is closed; returns how many it got. */
static int consume(struct bight_job *job)
{
    struct order order;
    struct board *on = find_board(job, &order);
    struct item item;
    int count = 0, rc;

    atomic_fetch_add(&on->came[1], 1);
    while ((rc = bight_shared_queue_get(&on->queue, &item, sizeof(item), -1)) >= 0) {
        CHECK_EQ(rc, sizeof(item));
        check_item(&item);
        atomic_fetch_add(&on->came[0], 1);
        CHECK_EQ(bight_shared_queue_task_done(&on->queue), 0);
        count++;
    }
    CHECK_EQ(rc, BIGHT_ECLOSED);
    return count;
}
static const struct bight_job_def consume_job = {.name = "consume", .fn = consume};

static int produce_in_task(void *arg)
{
    for (int i = 0; i < *(int *)arg; i++) {
        struct item item = item_of(9, i);

        CHECK_EQ(bight_shared_queue_put(&board->queue, &item, sizeof(item), -1), 0);
    }
    return 0;
}

static int consume_in_task(void *arg)
{
    struct item item;
    int rc;

    while ((rc = bight_shared_queue_get(&board->queue, &item, sizeof(item), -1)) >= 0) {
        check_item(&item);
        atomic_fetch_add(&board->came[0], 1);
        CHECK_EQ(bight_shared_queue_task_done(&board->queue), 0);
        ++*(int *)arg;
    }
    CHECK_EQ(rc, BIGHT_ECLOSED);
    return 0;
}

static int items_go_through_once(void *arg)
{
    struct order order = begin(4), orders[4];
    struct worker_call calls[4];
    struct bight_task *tasks[2];
    int count = 2000, got = 0;

    (void)arg;
    for (int i = 0; i < 4; i++) {
        orders[i] = order;
        orders[i].id = i;
        orders[i].count = count;
        calls[i] =
            (struct worker_call){.executor = executor, .def = i < 2 ? &produce_job : &consume_job};
        begin_order(&calls[i], &orders[i]);
    }
    CHECK_EQ(bight_spawn(&tasks[0], produce_in_task, &count), 0);
    CHECK_EQ(bight_spawn(&tasks[1], consume_in_task, &got), 0);
    CHECK_EQ(bight_join(tasks[0], NULL), 0);
    worker_join(&calls[0]);
    worker_join(&calls[1]);
    CHECK_EQ(bight_shared_queue_join(&board->queue, -1), 0);
    CHECK_EQ(bight_shared_queue_length(&board->queue), 0);
    CHECK_EQ(bight_shared_queue_close(&board->queue), 0);
    CHECK_EQ(bight_join(tasks[1], NULL), 0);
    worker_join(&calls[2]);
    worker_join(&calls[3]);
    CHECK_EQ(atomic_load(&board->came[0]), 3 * count);
    CHECK(got > 0);
    CHECK_EQ(bight_shared_queue_task_done(&board->queue), BIGHT_EINVAL);
    return end();
}

static int it_counts_and_says_when_it_is_empty_full_or_closed(void *arg)
{
    struct bight_shared_queue *queue;
    char small[4], text[ITEM_BYTES + 1] = "text";

    (void)arg;
    (void)begin(1);
    queue = &board->queue;
    CHECK_EQ(bight_shared_queue_try_get(queue, text, sizeof(text)), BIGHT_EAGAIN);
    CHECK_EQ(bight_shared_queue_get(queue, text, sizeof(text), 0), BIGHT_ETIMEDOUT);
    CHECK_EQ(bight_shared_queue_get(queue, text, sizeof(text), 10), BIGHT_ETIMEDOUT);
    CHECK_EQ(bight_shared_queue_put(queue, text, ITEM_BYTES + 1, -1), BIGHT_EMSGSIZE);
    for (int i = 0; i < CAPACITY; i++) {
        CHECK_EQ(bight_shared_queue_length(queue), i);
        CHECK_EQ(bight_shared_queue_try_put(queue, text, (size_t)i * 8), 0);
    }
    CHECK_EQ(bight_shared_queue_try_put(queue, text, 1), BIGHT_EAGAIN);
    CHECK_EQ(bight_shared_queue_put(queue, text, 1, 5), BIGHT_ETIMEDOUT);
    CHECK_EQ(bight_shared_queue_join(queue, 5), BIGHT_ETIMEDOUT);
    CHECK_EQ(bight_shared_queue_get(queue, small, sizeof(small), -1), 0); /* an empty item */
    CHECK_EQ(bight_shared_queue_get(queue, small, sizeof(small), -1), BIGHT_EMSGSIZE);
    CHECK_EQ(bight_shared_queue_close(queue), 0);
    CHECK_EQ(bight_shared_queue_put(queue, text, 1, -1), BIGHT_ECLOSED);
    for (int i = 1; i < CAPACITY; i++)
        CHECK_EQ(bight_shared_queue_get(queue, text, sizeof(text), -1), i * 8);
    CHECK_EQ(bight_shared_queue_get(queue, text, sizeof(text), -1), BIGHT_ECLOSED);
    CHECK_EQ(bight_shared_queue_try_get(queue, text, sizeof(text)), BIGHT_ECLOSED);
    return end();
}

/* Producers and consumers are killed at any instant. What is got is whole, from each producer in
 * order and at most once; and at the end the queue works. */
static int killed_processes_leave_a_queue_that_works(void *arg)
{
    struct order order = begin(4), orders[4];
    struct worker_call calls[4];
    int pids[4], last[4];
    unsigned seed = 7;

    (void)arg;
    for (int round = 0; round < 25; round++) {
        struct item item;
        int killed = 0;

        for (int i = 0; i < 4; i++) {
            last[i] = -1;
            orders[i] = order;
            orders[i].id = i;
            orders[i].count = 1000000;
            calls[i] = (struct worker_call){.executor = executor,
                                            .def = i < 3 ? &produce_job : &consume_job};
            begin_order(&calls[i], &orders[i]);
        }
        worker_await(&board->came[1], 4 * (round + 1));
        while (killed < 4) {
            for (unsigned i = seed = seed * 1103515245 + 12345, n = i % 40; n > 0; n--) {
                CHECK_EQ(bight_shared_queue_get(&board->queue, &item, sizeof(item), 5000),
                         sizeof(item));
                check_item(&item);
                CHECK(item.number > last[item.from]);
                last[item.from] = item.number;
            }
            if (bight_workers_pids(executor, pids, 4) != 4)
                continue;
            /* Of three producers the last one is killed with the consumer. */
            for (int i = killed < 2 ? killed : 0; i < (killed < 2 ? killed + 1 : 4); i++)
                CHECK(kill(pids[i], SIGKILL) == 0 || errno == ESRCH); /* it may be killed */
            killed = killed < 2 ? killed + 1 : 4;
        }
        for (int i = 0; i < 4; i++)
            worker_join(&calls[i]);
        while (bight_shared_queue_get(&board->queue, &item, sizeof(item), 0) >= 0)
            check_item(&item);
        while (worker_stats(executor).ready != 4)
            CHECK_EQ(bight_sleep(1), 0);
    }
    for (int i = 0; i < 3 * CAPACITY; i++) {
        struct item item = item_of(1, i);

        CHECK_EQ(bight_shared_queue_put(&board->queue, &item, sizeof(item), 5000), 0);
        CHECK_EQ(bight_shared_queue_get(&board->queue, &item, sizeof(item), 5000), sizeof(item));
        CHECK_EQ(item.number, i);
    }
    return end();
}

/* Be killed in the middle of a put: with the lock, and with bytes that do not count. */
static int put_half(struct bight_job *job)
{
    struct order order;
    struct board *on = find_board(job, &order);

    CHECK_EQ(bight_shared_mutex_lock(&on->mutex, -1), 0); /* to learn who we are */
    on->queue.lock = on->mutex.owner >> 32 << 32;
    memset(on->storage, 0xee, 40);
    atomic_fetch_add(&worker_shared->running, 1);
    while (!atomic_load(&worker_shared->released))
        usleep(200);
    raise(SIGKILL);
    return 0;
}
static const struct bight_job_def put_half_job = {.name = "put half", .fn = put_half};

static int a_put_that_was_begun_does_not_count(void *arg)
{
    struct order order = begin(3), produced = order;
    struct worker_call dies = {.executor = executor, .def = &put_half_job},
                       puts = {.executor = executor, .def = &produce_job};
    struct item item = item_of(1, 1);

    (void)arg;
    produced.count = 1;
    CHECK_EQ(bight_shared_mutex_init(&board->mutex), 0);
    begin_order(&dies, &order);
    worker_await(&worker_shared->running, 1);
    begin_order(&puts, &produced);
    worker_await(&board->came[1], 1);
    /* Nobody can do anything, and no call of the host waits for longer than it should. */
    CHECK_EQ(bight_shared_queue_try_put(&board->queue, &item, sizeof(item)), BIGHT_EAGAIN);
    CHECK_EQ(bight_shared_queue_put(&board->queue, &item, sizeof(item), 20), BIGHT_ETIMEDOUT);
    CHECK(!puts.ended);
    atomic_store(&worker_shared->released, 1);
    CHECK_EQ(bight_shared_queue_get(&board->queue, &item, sizeof(item), -1), sizeof(item));
    check_item(&item);
    CHECK_EQ(bight_shared_queue_length(&board->queue), 0);
    worker_join(&puts);
    CHECK_EQ(puts.rc, 0);
    worker_join(&dies);
    CHECK_EQ(dies.rc, BIGHT_EWORKERDIED);
    CHECK_EQ(bight_shared_mutex_lock(&board->mutex, -1), BIGHT_EOWNERDEAD);
    return end();
}

/* Random bytes over all that the queue keeps in the segment: calls of the host return, and touch
 * nothing that they should not. */
static int a_queue_that_was_written_over_harms_nobody(void *arg)
{
    uint64_t random = 4711;
    unsigned char into[ITEM_BYTES + 16];

    (void)arg;
    (void)begin(1);
    for (int i = 0; i < 20000; i++) {
        unsigned char *bytes = (unsigned char *)&board->queue;
        size_t from = sizeof(board->queue.base);
        int rc;

        CHECK_EQ(bight_shared_queue_init(&board->queue, board->storage, CAPACITY, ITEM_BYTES), 0);
        for (int n = 0; n < i % 5; n++)
            CHECK_EQ(bight_shared_queue_try_put(&board->queue, into, ITEM_BYTES), 0);
        for (uint64_t n = 1 + test_random(&random) % 12; n > 0; n--)
            bytes[from + test_random(&random) % (sizeof(board->queue) - from)] =
                (unsigned char)test_random(&random);
        board->storage[0] = test_random(&random) % 3 ? test_random(&random) : ITEM_BYTES;
        memset(into, 0xa5, sizeof(into));
        rc = bight_shared_queue_try_get(&board->queue, into, ITEM_BYTES);
        CHECK(rc <= ITEM_BYTES);
        for (size_t n = ITEM_BYTES; n < sizeof(into); n++)
            CHECK_EQ(into[n], 0xa5);
        rc = bight_shared_queue_try_put(&board->queue, into, ITEM_BYTES);
        CHECK(rc <= 0);
        CHECK(bight_shared_queue_put(&board->queue, into, ITEM_BYTES, 0) <= 0);
        CHECK(bight_shared_queue_get(&board->queue, into, ITEM_BYTES, 0) <= ITEM_BYTES);
        (void)bight_shared_queue_task_done(&board->queue);
        CHECK(bight_shared_queue_length(&board->queue) <= UINT32_MAX);
        CHECK_EQ(bight_shared_queue_close(&board->queue), 0);
    }
    return end();
}

/* The same all the time, while the host uses it. */
static int write_over(struct bight_job *job)
{
    struct order order;
    struct board *on = find_board(job, &order);
    uint64_t random = 99;

    atomic_fetch_add(&worker_shared->running, 1);
    while (!atomic_load(&worker_shared->released)) {
        uint64_t number = test_random(&random);

        __atomic_store_n((unsigned char *)&on->queue + number % sizeof(on->queue),
                         (unsigned char)(number >> 32), __ATOMIC_RELAXED);
    }
    return 0;
}
static const struct bight_job_def write_over_job = {.name = "write over", .fn = write_over};

static int a_queue_that_is_being_written_over_harms_nobody(void *arg)
{
    struct order order = begin(1);
    struct worker_call call = {.executor = executor, .def = &write_over_job};
    unsigned char into[ITEM_BYTES + 16];

    (void)arg;
    memset(into, 0xa5, sizeof(into));
    begin_order(&call, &order);
    worker_await(&worker_shared->running, 1);
    for (int i = 0; i < 3000; i++) {
        /* Some must go through, so it is often in order. */
        CHECK_EQ(bight_shared_queue_init(&board->queue, board->storage, CAPACITY, ITEM_BYTES), 0);
        CHECK(bight_shared_queue_try_put(&board->queue, into, ITEM_BYTES) <= 0);
        CHECK(bight_shared_queue_try_get(&board->queue, into, ITEM_BYTES) <= ITEM_BYTES);
        CHECK(bight_shared_queue_put(&board->queue, into, ITEM_BYTES, i % 50 ? 0 : 1) <= 0);
        CHECK(bight_shared_queue_get(&board->queue, into, ITEM_BYTES, i % 50 ? 0 : 1) <=
              ITEM_BYTES);
        CHECK(bight_shared_queue_join(&board->queue, i % 50 ? 0 : 1) <= 0);
        for (size_t n = ITEM_BYTES; n < sizeof(into); n++)
            CHECK_EQ(into[n], 0xa5);
    }
    atomic_store(&worker_shared->released, 1);
    worker_join(&call);
    CHECK_EQ(call.rc, 0);
    CHECK_EQ(bight_shared_queue_init(&board->queue, board->storage, CAPACITY, ITEM_BYTES), 0);
    CHECK_EQ(bight_shared_queue_put(&board->queue, into, ITEM_BYTES, -1), 0);
    CHECK_EQ(bight_shared_queue_get(&board->queue, into, ITEM_BYTES, -1), ITEM_BYTES);
    return end();
}

static int its_numbers_are_looked_at(void *arg)
{
    char item[ITEM_BYTES];

    (void)arg;
    (void)begin(1);
    board->queue.tail = CAPACITY + 1;
    CHECK_EQ(bight_shared_queue_get(&board->queue, item, sizeof(item), -1), BIGHT_EPROTOCOL);
    CHECK_EQ(bight_shared_queue_put(&board->queue, item, sizeof(item), -1), BIGHT_EPROTOCOL);
    board->queue.tail = 1;
    board->queue.storage = 1 << 20;
    CHECK_EQ(bight_shared_queue_get(&board->queue, item, sizeof(item), -1), BIGHT_EPROTOCOL);
    board->queue.storage = -(1 << 20);
    CHECK_EQ(bight_shared_queue_put(&board->queue, item, sizeof(item), -1), BIGHT_EPROTOCOL);
    board->queue.base.kind = 0;
    CHECK_EQ(bight_shared_queue_put(&board->queue, item, sizeof(item), -1), BIGHT_EINVAL);
    CHECK_EQ(bight_shared_queue_init(&board->queue, segment, 4, 8), BIGHT_EINVAL);
    CHECK_EQ(bight_shared_queue_init(&board->queue, board->storage, UINT32_MAX, 8), BIGHT_EINVAL);
    CHECK_EQ(bight_shared_queue_init(&board->queue, board->storage, 0, 8), BIGHT_EINVAL);
    CHECK_EQ(bight_shared_queue_storage(1, 1), 8);
    CHECK_EQ(bight_shared_queue_storage(0, 1), 0);
    CHECK_EQ(bight_shared_queue_storage(1, SIZE_MAX), 0);
    return end();
}

static const struct suite_case cases[] = {
    worker_case(items_go_through_once, 0),
    worker_case(it_counts_and_says_when_it_is_empty_full_or_closed, 0),
    worker_case(killed_processes_leave_a_queue_that_works, 0),
    worker_case(a_put_that_was_begun_does_not_count, 0),
    worker_case(a_queue_that_was_written_over_harms_nobody, 0),
    worker_case(a_queue_that_is_being_written_over_harms_nobody, 0),
    worker_case(its_numbers_are_looked_at, 0),
};

worker_suite("shared_queue", cases);
