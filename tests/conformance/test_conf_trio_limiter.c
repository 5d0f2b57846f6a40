/* The capacity limiter: one unit to a borrower, the next in line, and totals that change. */
#include "tests/conformance/conf.h"

#include <string.h>

/* A limiter and those who want a unit of it, each in a task. */
struct borrowers {
    struct bight_limiter limiter;
    struct bight_borrower all[7];
    struct bight_task *tasks[7];
    int started;
};

struct borrowing {
    struct bight_limiter *limiter;
    struct bight_borrower *borrower;
};

static int borrows(void *arg)
{
    const struct borrowing borrowing = *(struct borrowing *)arg;

    return bight_limiter_acquire(borrowing.limiter, borrowing.borrower);
}

/* `count` more tasks want in, one after the other. */
static void want_in(struct borrowers *borrowers, int count)
{
    for (int end = borrowers->started + count; borrowers->started < end; borrowers->started++) {
        struct borrowing borrowing = {&borrowers->limiter, &borrowers->all[borrowers->started]};

        bight_borrower_init(borrowing.borrower);
        ck_ok(bight_spawn(&borrowers->tasks[borrowers->started], borrows, &borrowing));
        world_settle();
    }
}

/* `inside` names those who have a unit, such as "03"; so many others wait. */
static void expect_inside(const struct borrowers *borrowers, const char *inside, size_t waiting)
{
    char found[8] = "";

    for (int i = 0, n = 0; i < borrowers->started; i++)
        if (bight_borrower_limiter(&borrowers->all[i]))
            found[n++] = (char)('0' + i);
    ck_assert_str_eq(found, inside);
    ck_assert_int_eq(bight_limiter_borrowed(&borrowers->limiter), (int64_t)strlen(inside));
    ck_assert_uint_eq(bight_limiter_waiting(&borrowers->limiter), waiting);
}

static void give_back(struct borrowers *borrowers, int number)
{
    ck_ok(bight_limiter_release(&borrowers->limiter, &borrowers->all[number]));
}

static void join_all(const struct borrowers *borrowers)
{
    for (int i = 0; i < borrowers->started; i++)
        conf_join(borrowers->tasks[i], 0);
}

static int one_unit_each(void *arg)
{
    struct bight_borrower me, someone, third;
    struct bight_limiter limiter;

    (void)arg;
    ck_ok(bight_limiter_init(&limiter, 2));
    bight_borrower_init(&me);
    bight_borrower_init(&someone);
    bight_borrower_init(&third);
    ck_code(bight_limiter_release(&limiter, &me), BIGHT_EPERM);
    ck_ok(bight_limiter_acquire(&limiter, &me));
    ck_code(bight_limiter_acquire(&limiter, &me), BIGHT_EALREADY);
    ck_code(bight_limiter_try_acquire(&limiter, &me), BIGHT_EALREADY);
    ck_assert_int_eq(bight_limiter_borrowed(&limiter), 1);
    ck_ok(bight_limiter_acquire(&limiter, &someone));
    ck_code(bight_limiter_try_acquire(&limiter, &third), BIGHT_EAGAIN);
    ck_assert_ptr_eq(bight_borrower_limiter(&me), &limiter);
    ck_assert_ptr_eq(bight_borrower_limiter(&someone), &limiter);
    ck_assert_ptr_null(bight_borrower_limiter(&third));
    ck_assert_int_eq(bight_limiter_borrowed(&limiter), 2);
    ck_ok(bight_limiter_release(&limiter, &someone));
    ck_ok(bight_limiter_release(&limiter, &me));
    ck_assert_ptr_null(bight_borrower_limiter(&someone));
    ck_assert_ptr_null(bight_borrower_limiter(&me));
    ck_assert_int_eq(bight_limiter_borrowed(&limiter), 0);
    ck_assert_int_eq(bight_limiter_total(&limiter), 2);
    return 0;
}

static int next_in_line(void *arg)
{
    struct borrowers borrowers = {.started = 0};
    struct bight_borrower late;

    (void)arg;
    ck_ok(bight_limiter_init(&borrowers.limiter, 2));
    want_in(&borrowers, 3);
    expect_inside(&borrowers, "01", 1);
    give_back(&borrowers, 0);
    expect_inside(&borrowers, "12", 0); /* before the third has run */
    bight_borrower_init(&late);
    ck_code(bight_limiter_try_acquire(&borrowers.limiter, &late), BIGHT_EAGAIN);
    join_all(&borrowers);
    return 0;
}

static int change_total(void *arg)
{
    struct borrowers borrowers = {.started = 0};
    struct bight_limiter *limiter = &borrowers.limiter;

    (void)arg;
    ck_ok(bight_limiter_init(limiter, 2));
    want_in(&borrowers, 5);
    expect_inside(&borrowers, "01", 3);
    ck_ok(bight_limiter_set_total(limiter, 4));
    expect_inside(&borrowers, "0123", 1);
    ck_ok(bight_limiter_set_total(limiter, 1));
    expect_inside(&borrowers, "0123", 1);
    ck_assert_int_eq(bight_limiter_total(limiter), 1);
    for (int i = 0; i < 3; i++)
        give_back(&borrowers, i);
    expect_inside(&borrowers, "3", 1);
    give_back(&borrowers, 3);
    expect_inside(&borrowers, "4", 0);
    ck_code(bight_limiter_set_total(limiter, -1), BIGHT_EINVAL);
    ck_assert_int_eq(bight_limiter_total(limiter), 1);
    ck_ok(bight_limiter_set_total(limiter, BIGHT_LIMITER_UNLIMITED));
    want_in(&borrowers, 2);
    expect_inside(&borrowers, "456", 0);
    join_all(&borrowers);
    ck_code(bight_limiter_init(limiter, -1), BIGHT_EINVAL);
    ck_ok(bight_limiter_init(limiter, BIGHT_LIMITER_UNLIMITED));
    return 0;
}

static void none_at_zero(struct bight_limiter *limiter)
{
    struct bight_borrower borrower;

    bight_borrower_init(&borrower);
    ck_code(bight_limiter_try_acquire(limiter, &borrower), BIGHT_EAGAIN);
}

static int total_of_zero(void *arg)
{
    struct borrowers borrowers = {.started = 0};
    struct bight_limiter *limiter = &borrowers.limiter;

    (void)arg;
    ck_ok(bight_limiter_init(limiter, 5));
    ck_ok(bight_limiter_set_total(limiter, 0));
    want_in(&borrowers, 5);
    expect_inside(&borrowers, "", 5);
    none_at_zero(limiter);
    ck_ok(bight_limiter_set_total(limiter, 5));
    expect_inside(&borrowers, "01234", 0);
    want_in(&borrowers, 1);
    expect_inside(&borrowers, "01234", 1);
    for (int i = 0; i < 5; i++)
        give_back(&borrowers, i);
    expect_inside(&borrowers, "5", 0);
    ck_ok(bight_limiter_set_total(limiter, 0));
    none_at_zero(limiter);
    want_in(&borrowers, 1);
    expect_inside(&borrowers, "5", 1);
    give_back(&borrowers, 5);
    expect_inside(&borrowers, "", 1);
    ck_ok(bight_limiter_set_total(limiter, 1));
    expect_inside(&borrowers, "6", 0);
    join_all(&borrowers);
    ck_assert_int_eq(bight_limiter_total(limiter), 1);
    return 0;
}

static int cancel_waiters(void *arg)
{
    struct borrowers borrowers = {.started = 0};

    (void)arg;
    ck_ok(bight_limiter_init(&borrowers.limiter, 1));
    want_in(&borrowers, 3);
    expect_inside(&borrowers, "0", 2);
    for (int i = 1; i < 3; i++) {
        bight_task_cancel(borrowers.tasks[i]);
        conf_join(borrowers.tasks[i], BIGHT_ECANCELED);
    }
    expect_inside(&borrowers, "0", 0);
    give_back(&borrowers, 0);
    expect_inside(&borrowers, "", 0);
    conf_join(borrowers.tasks[0], 0);
    return 0;
}

static int zero_and_cancel(void *arg)
{
    ck_ok(total_of_zero(arg));
    return cancel_waiters(arg);
}

static const struct suite_case cases[] = {
    conf_case(tsync_12_a_borrower_has_one_unit_and_returns_what_it_has, one_unit_each),
    conf_case(tsync_13_a_returned_unit_is_the_next_waiters, next_in_line),
    conf_case(tsync_14_more_units_let_waiters_in_and_fewer_put_nobody_out, change_total),
    conf_case(tsync_15_at_a_total_of_zero_nobody_gets_in, zero_and_cancel),
};

test_suite("trio limiter", cases);
