/* Rate limiter: exact in virtual time, bursts, order, cancellation without loss. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <bight/rate_limiter.h>

static uint64_t begin_ns;

static uint64_t elapsed_ns(void)
{
    return bight_now_ns() - begin_ns;
}

static int even(void *arg)
{
    struct bight_rate_limiter limiter;

    (void)arg;
    ck_ok(bight_rate_limiter_init(&limiter, 3, 1000, 1));
    begin_ns = bight_now_ns();
    for (uint64_t i = 0; i <= 300; i++) {
        ck_ok(bight_rate_limiter_acquire(&limiter, 1));
        /* Each at its own ns, rounded up, and the error does not add up. */
        ck_assert_uint_eq(elapsed_ns(), (i * 1000000000 + 2) / 3);
    }
    return 0;
}

static int bursts(void *arg)
{
    struct bight_rate_limiter limiter;

    (void)arg;
    ck_ok(bight_rate_limiter_init(&limiter, 10, 1000, 5));
    for (int round = 0; round < 2; round++) {
        begin_ns = bight_now_ns();
        ck_assert_uint_eq(bight_rate_limiter_available(&limiter), 5);
        for (int i = 0; i < 7; i++)
            ck_ok(bight_rate_limiter_acquire(&limiter, 1));
        ck_assert_uint_eq(elapsed_ns(), 200000000);
        ck_code(bight_rate_limiter_try_acquire(&limiter, 1), BIGHT_EAGAIN);
        ck_ok(bight_sleep(99));
        ck_code(bight_rate_limiter_try_acquire(&limiter, 1), BIGHT_EAGAIN);
        ck_ok(bight_sleep(1));
        ck_ok(bight_rate_limiter_try_acquire(&limiter, 1));
        ck_ok(bight_sleep(3600000)); /* no more than the burst is saved up */
    }
    begin_ns = bight_now_ns();
    ck_ok(bight_rate_limiter_acquire(&limiter, 5));
    ck_ok(bight_rate_limiter_acquire(&limiter, 0));
    ck_ok(bight_rate_limiter_acquire(&limiter, 5));
    ck_assert_uint_eq(elapsed_ns(), 500000000);
    ck_code(bight_rate_limiter_acquire(&limiter, 6), BIGHT_ERANGE);
    ck_code(bight_rate_limiter_try_acquire(&limiter, 6), BIGHT_ERANGE);
    return 0;
}

static void rate_limiter_refuses_what_cannot_be(void)
{
    struct bight_rate_limiter limiter;

    ck_code(bight_rate_limiter_init(&limiter, 0, 1000, 1), BIGHT_EINVAL);
    ck_code(bight_rate_limiter_init(&limiter, 1, 0, 1), BIGHT_EINVAL);
    ck_code(bight_rate_limiter_init(&limiter, 1, 1000, 0), BIGHT_EINVAL);
    ck_code(bight_rate_limiter_init(&limiter, 1, UINT32_MAX, UINT32_MAX), BIGHT_ERANGE);
    ck_ok(bight_rate_limiter_init(&limiter, UINT32_MAX, 1, UINT32_MAX));
    ck_code(bight_rate_limiter_acquire(&limiter, 1), BIGHT_ENOTASK);
    ck_code(bight_rate_limiter_try_acquire(&limiter, 1), BIGHT_ENORUNTIME);
    ck_assert_uint_eq(bight_rate_limiter_available(&limiter), 0);
}

struct wish {
    struct bight_rate_limiter *limiter;
    uint32_t tokens;
    int64_t got_ms; /* -1: nothing */
};

static int wishes(void *arg)
{
    struct wish *wish = arg;
    int rc = bight_rate_limiter_acquire(wish->limiter, wish->tokens);

    wish->got_ms = rc ? -1 : (int64_t)(elapsed_ns() / 1000000);
    return rc;
}

static int in_line(void *arg)
{
    struct bight_rate_limiter limiter;
    struct wish line[] = {{&limiter, 5, 0}, {&limiter, 1, 0}, {&limiter, 2, 0}, {&limiter, 1, 0}};
    struct bight_task *tasks[4];

    (void)arg;
    ck_ok(bight_rate_limiter_init(&limiter, 10, 1000, 5));
    ck_ok(bight_rate_limiter_acquire(&limiter, 5));
    begin_ns = bight_now_ns();
    for (int i = 0; i < 4; i++)
        ck_ok(bight_spawn(&tasks[i], wishes, &line[i]));
    ck_ok(bight_sleep(150));
    ck_code(bight_rate_limiter_try_acquire(&limiter, 1), BIGHT_EAGAIN); /* those are first */
    for (int i = 0; i < 4; i++)
        ck_ok(bight_join(tasks[i], NULL));
    ck_assert_int_eq(line[0].got_ms, 500);
    ck_assert_int_eq(line[1].got_ms, 600);
    ck_assert_int_eq(line[2].got_ms, 800);
    ck_assert_int_eq(line[3].got_ms, 900);
    return 0;
}

static int leaves_the_line(void *arg)
{
    struct bight_rate_limiter limiter;
    struct wish line[] = {{&limiter, 5, 0}, {&limiter, 1, 0}, {&limiter, 1, 0}, {&limiter, 1, 0}};
    struct bight_task *tasks[4];

    (void)arg;
    ck_ok(bight_rate_limiter_init(&limiter, 10, 1000, 5));
    ck_ok(bight_rate_limiter_acquire(&limiter, 5));
    begin_ns = bight_now_ns();
    for (int i = 0; i < 4; i++)
        ck_ok(bight_spawn(&tasks[i], wishes, &line[i]));
    ck_ok(bight_sleep(150));
    bight_task_cancel(tasks[2]); /* in the middle, then the first one */
    bight_task_cancel(tasks[0]);
    for (int i = 0; i < 4; i++)
        ck_ok(bight_join(tasks[i], NULL));
    ck_assert_int_eq(line[0].got_ms, -1);
    ck_assert_int_eq(line[1].got_ms, 150);
    ck_assert_int_eq(line[2].got_ms, -1);
    ck_assert_int_eq(line[3].got_ms, 200);
    ck_code(bight_rate_limiter_try_acquire(&limiter, 1), BIGHT_EAGAIN); /* nor was any lost */
    ck_ok(bight_sleep(100));
    ck_ok(bight_rate_limiter_try_acquire(&limiter, 1));
    return 0;
}

static int takes_one(void *arg)
{
    return bight_rate_limiter_acquire(arg, 1);
}

/* The first waiter is due in the ns in which more comes than it needs. */
static int looks_while_one_is_due(void *arg)
{
    struct bight_rate_limiter limiter;
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_rate_limiter_init(&limiter, 1500000, 1499999, 1));
    ck_ok(bight_rate_limiter_acquire(&limiter, 1));
    ck_ok(bight_spawn(&task, takes_one, &limiter));
    ck_ok(bight_yield());
    ck_ok(bight_test_advance(1));
    ck_assert_uint_eq(bight_rate_limiter_available(&limiter), 1);
    ck_ok(bight_test_advance(5));
    ck_assert_uint_eq(bight_rate_limiter_available(&limiter), 1);
    return bight_join(task, NULL);
}

static void rate_limiter_never_has_more_than_the_burst(void)
{
    struct bight_test_options options = {.manual = true};

    ck_ok(bight_test_run(&options, looks_while_one_is_due, NULL, NULL));
}

static const struct suite_case cases[] = {
    world_case(rate_limiter_is_exact, even),
    world_case(rate_limiter_saves_up_a_burst_and_no_more, bursts),
    plain_case(rate_limiter_refuses_what_cannot_be),
    world_case(rate_limiter_serves_in_order, in_line),
    world_case(rate_limiter_gives_the_tokens_of_the_cancelled_to_the_next, leaves_the_line),
    plain_case(rate_limiter_never_has_more_than_the_burst),
};

test_suite("rate", cases);
