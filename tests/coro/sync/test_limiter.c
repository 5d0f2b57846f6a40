/* Capacity limiter: one unit per borrower, a total that moves. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#define MANY 6

struct shared {
    struct bight_limiter limiter;
    struct bight_borrower borrowers[MANY];
    struct bight_task *tasks[MANY];
    int begun;
};

static int borrows(void *arg)
{
    struct shared *shared = arg;

    return bight_limiter_acquire(&shared->limiter, &shared->borrowers[shared->begun++]);
}

static void start(struct shared *shared, int count)
{
    int first = shared->begun;

    for (int i = first; i < first + count; i++) {
        bight_borrower_init(&shared->borrowers[i]);
        ck_ok(bight_spawn(&shared->tasks[i], borrows, shared));
    }
    world_settle();
}

/* Who has a unit, as digits. */
static void ck_lent(const struct shared *shared, const char *expected)
{
    char lent[MANY + 1] = "";
    size_t count = 0;

    for (int i = 0; i < shared->begun; i++)
        if (bight_borrower_limiter(&shared->borrowers[i]))
            lent[count++] = (char)('0' + i);
    ck_assert_str_eq(lent, expected);
    ck_assert_int_eq(bight_limiter_borrowed(&shared->limiter), (int)count);
}

static void give_back(struct shared *shared, int who)
{
    ck_ok(bight_limiter_release(&shared->limiter, &shared->borrowers[who]));
    world_settle();
}

static int one_each(void *arg)
{
    struct bight_borrower me, someone, third;
    struct bight_limiter limiter, other;

    (void)arg;
    ck_ok(bight_limiter_init(&limiter, 2));
    ck_ok(bight_limiter_init(&other, 2));
    bight_borrower_init(&me);
    bight_borrower_init(&someone);
    bight_borrower_init(&third);
    ck_code(bight_limiter_release(&limiter, &me), BIGHT_EPERM);
    ck_ok(bight_limiter_acquire(&limiter, &me));
    ck_code(bight_limiter_acquire(&limiter, &me), BIGHT_EALREADY);
    ck_code(bight_limiter_try_acquire(&other, &me), BIGHT_EALREADY);
    ck_ok(bight_limiter_acquire(&limiter, &someone));
    ck_code(bight_limiter_try_acquire(&limiter, &third), BIGHT_EAGAIN);
    ck_assert_ptr_eq(bight_borrower_limiter(&me), &limiter);
    ck_code(bight_limiter_release(&other, &me), BIGHT_EPERM);
    ck_ok(bight_limiter_release(&limiter, &me));
    ck_code(bight_limiter_release(&limiter, &me), BIGHT_EPERM);
    ck_assert_ptr_null(bight_borrower_limiter(&me));
    ck_ok(bight_limiter_release(&limiter, &someone));
    ck_assert_int_eq(bight_limiter_borrowed(&limiter), 0);
    return 0;
}

static int next_waiter(void *arg)
{
    struct shared shared = {0};
    struct bight_borrower late;

    (void)arg;
    ck_ok(bight_limiter_init(&shared.limiter, 2));
    start(&shared, 3);
    ck_lent(&shared, "01");
    ck_code(bight_limiter_acquire(&shared.limiter, &shared.borrowers[2]), BIGHT_EALREADY);
    ck_code(bight_limiter_release(&shared.limiter, &shared.borrowers[2]), BIGHT_EPERM);
    ck_ok(bight_limiter_release(&shared.limiter, &shared.borrowers[0]));
    ck_lent(&shared, "12"); /* before it ran */
    bight_borrower_init(&late);
    ck_code(bight_limiter_try_acquire(&shared.limiter, &late), BIGHT_EAGAIN);
    for (int i = 0; i < 3; i++)
        ck_ok(bight_join(shared.tasks[i], NULL));
    return 0;
}

static int moving_total(void *arg)
{
    struct shared shared = {0};

    (void)arg;
    ck_ok(bight_limiter_init(&shared.limiter, 2));
    start(&shared, 5);
    ck_lent(&shared, "01");
    ck_ok(bight_limiter_set_total(&shared.limiter, 4));
    ck_lent(&shared, "0123");
    ck_ok(bight_limiter_set_total(&shared.limiter, 1));
    ck_code(bight_limiter_set_total(&shared.limiter, -1), BIGHT_EINVAL);
    ck_assert_int_eq(bight_limiter_total(&shared.limiter), 1);
    world_settle();
    ck_lent(&shared, "0123");
    for (int i = 0; i < 3; i++)
        give_back(&shared, i);
    ck_lent(&shared, "3");
    ck_assert_uint_eq(bight_limiter_waiting(&shared.limiter), 1);
    give_back(&shared, 3);
    ck_lent(&shared, "4");
    ck_ok(bight_limiter_set_total(&shared.limiter, BIGHT_LIMITER_UNLIMITED));
    start(&shared, 1);
    ck_lent(&shared, "45");
    for (int i = 0; i < 6; i++)
        ck_ok(bight_join(shared.tasks[i], NULL));
    return 0;
}

static int nothing_at_zero(void *arg)
{
    struct shared shared = {0};
    struct bight_borrower late;

    (void)arg;
    ck_code(bight_limiter_init(&shared.limiter, -1), BIGHT_EINVAL);
    ck_ok(bight_limiter_init(&shared.limiter, 0));
    bight_borrower_init(&late);
    ck_code(bight_limiter_try_acquire(&shared.limiter, &late), BIGHT_EAGAIN);
    start(&shared, 5);
    ck_lent(&shared, "");
    ck_ok(bight_limiter_set_total(&shared.limiter, 5));
    ck_lent(&shared, "01234");
    start(&shared, 1);
    give_back(&shared, 0);
    ck_lent(&shared, "12345");
    for (int i = 1; i < 5; i++)
        give_back(&shared, i);
    for (int i = 0; i < 6; i++)
        ck_ok(bight_join(shared.tasks[i], NULL));
    return 0;
}

/* One is inside when the total becomes 0, one waits. */
static int lowered_to_zero(void *arg)
{
    struct shared shared = {0};
    int status;

    (void)arg;
    ck_ok(bight_limiter_init(&shared.limiter, 1));
    start(&shared, 3);
    ck_ok(bight_limiter_set_total(&shared.limiter, 0));
    ck_lent(&shared, "0");
    give_back(&shared, 0);
    ck_lent(&shared, "");
    ck_ok(bight_limiter_set_total(&shared.limiter, 1));
    ck_lent(&shared, "1");
    bight_task_cancel(shared.tasks[1]); /* it has its unit */
    bight_task_cancel(shared.tasks[2]);
    ck_assert_uint_eq(bight_limiter_waiting(&shared.limiter), 0);
    for (int i = 0; i < 3; i++) {
        ck_ok(bight_join(shared.tasks[i], &status));
        ck_code(status, i == 2 ? BIGHT_ECANCELED : 0);
    }
    give_back(&shared, 1);
    ck_ok(bight_limiter_acquire(&shared.limiter, &shared.borrowers[2])); /* as good as before */
    return 0;
}

static const struct suite_case cases[] = {
    world_case(limiter_lends_each_borrower_one_unit, one_each),
    world_case(limiter_gives_a_returned_unit_to_the_next_waiter, next_waiter),
    world_case(limiter_total_may_move_below_what_is_out, moving_total),
    world_case(limiter_of_nothing_lets_nobody_in, nothing_at_zero),
    world_case(limiter_lowered_to_nothing_lets_the_inside_one_stay, lowered_to_zero),
};

test_suite("limiter", cases);
