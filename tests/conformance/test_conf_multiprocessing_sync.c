/* Events and barriers between processes. */
#include "tests/conformance/conf_process.h"

static int set_later(struct bight_job *job)
{
    struct order order;
    struct board *board = find_board(job, &order);

    usleep(20000);
    return bight_shared_event_set(&board->event);
}

/* Waits until the event is set, again and again. */
static int wait_set(struct bight_job *job)
{
    struct order order;
    struct board *board = find_board(job, &order);

    CHECK_EQ(bight_shared_event_wait(&board->event, 0), BIGHT_ETIMEDOUT);
    atomic_fetch_add(&worker_shared->running, 1);
    CHECK_EQ(bight_shared_event_wait(&board->event, -1), 0);
    CHECK(bight_shared_event_is_set(&board->event));
    return bight_shared_event_wait(&board->event, 10);
}
static const struct bight_job_def set_job = {.name = "set", .fn = set_later};
static const struct bight_job_def wait_job = {.name = "wait", .fn = wait_set};

static int msync_10_an_event_is_seen_on_both_sides(void *arg)
{
    struct shop shop = shop_begin(1);
    struct bight_shared_event *event = &shop.board->event;
    uint64_t begun_ns = bight_now_ns();
    struct worker_call call;
    struct order order;

    (void)arg;
    CHECK_EQ(bight_shared_event_init(event), 0);
    CHECK(!bight_shared_event_is_set(event));
    CHECK_EQ(bight_shared_event_wait(event, 0), BIGHT_ETIMEDOUT);
    CHECK_EQ(bight_shared_event_wait(event, 50), BIGHT_ETIMEDOUT);
    CHECK(bight_now_ns() - begun_ns >= 50000000);
    shop_call(&shop, &call, &order, &wait_job, 0, 0);
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(bight_shared_event_set(event), 0);
    CHECK(bight_shared_event_is_set(event));
    CHECK_EQ(bight_shared_event_wait(event, -1), 0);
    CHECK_EQ(bight_shared_event_wait(event, 50), 0);
    shop_join(&call, 0);
    CHECK_EQ(bight_shared_event_clear(event), 0);
    CHECK(!bight_shared_event_is_set(event));
    shop_call(&shop, &call, &order, &set_job, 0, 0);
    CHECK_EQ(bight_shared_event_wait(event, -1), 0);
    CHECK(bight_shared_event_is_set(event));
    shop_join(&call, 0);
    return shop_end(&shop);
}

#define PARTIES 5

/* `rounds` passes: of each, everybody has come before anybody has left. Returns how often it was
 * the last to come. */
static int pass(struct board *board, int rounds)
{
    int last = 0;

    for (int i = 0; i < rounds; i++) {
        int rc;

        atomic_fetch_add(&board->came[0], 1);
        rc = bight_shared_barrier_wait(&board->barrier, -1);
        CHECK(rc >= 0 && rc < PARTIES);
        last += rc == PARTIES - 1;
        CHECK(atomic_load(&board->came[0]) >= PARTIES * (i + 1));
        CHECK(atomic_load(&board->came[1]) >= PARTIES * i);
        atomic_fetch_add(&board->came[1], 1);
        CHECK(bight_shared_barrier_wait(&board->barrier, -1) >= 0);
        CHECK(atomic_load(&board->came[1]) >= PARTIES * (i + 1));
        CHECK(atomic_load(&board->came[1]) <= PARTIES * (i + 1));
        CHECK(bight_shared_barrier_wait(&board->barrier, -1) >= 0);
    }
    return last;
}

static int pass_in_job(struct bight_job *job)
{
    struct order order;
    struct board *board = find_board(job, &order);

    return pass(board, order.count);
}
static const struct bight_job_def pass_job = {.name = "pass", .fn = pass_in_job};

/* Four jobs and this task. */
static int mbar_01_a_barrier_is_passed_in_lockstep(void *arg)
{
    static const int rounds[] = {1, 10, 1000};
    struct shop shop = shop_begin(PARTIES - 1);
    struct worker_call calls[PARTIES - 1];
    struct order orders[PARTIES - 1];

    (void)arg;
    CHECK_EQ(bight_shared_barrier_init(&shop.board->barrier, PARTIES), 0);
    for (int round = 0; round < 3; round++) {
        int last;

        atomic_store(&shop.board->came[0], 0);
        atomic_store(&shop.board->came[1], 0);
        for (int i = 0; i < PARTIES - 1; i++)
            shop_call(&shop, &calls[i], &orders[i], &pass_job, i, rounds[round]);
        last = pass(shop.board, rounds[round]);
        for (int i = 0; i < PARTIES - 1; i++) {
            CHECK_EQ(bight_join(calls[i].task, NULL), 0);
            CHECK_EQ(calls[i].rc, 0);
            last += calls[i].result.code;
            bight_result_free(&calls[i].result);
        }
        CHECK_EQ(last, rounds[round]);
        CHECK_EQ(atomic_load(&shop.board->came[1]), PARTIES * rounds[round]);
        CHECK_EQ(bight_shared_barrier_waiting(&shop.board->barrier), 0);
    }
    return shop_end(&shop);
}

static const struct suite_case cases[] = {
    worker_case(msync_10_an_event_is_seen_on_both_sides, 0),
    worker_case(mbar_01_a_barrier_is_passed_in_lockstep, 0),
};

worker_suite("multiprocessing, events and barriers", cases);
