/* Semaphores: counting, and the order of those who wait. */
#include "tests/conformance/conf.h"

#include <stddef.h>
#include <stdio.h>

static void sem_01_a_semaphore_begins_with_any_number_of_units_but_a_negative_one(void)
{
    struct bight_semaphore semaphore;

    ck_ok(bight_semaphore_init(&semaphore, 0));
    ck_assert_int_eq(bight_semaphore_value(&semaphore), 0);
    ck_code(bight_semaphore_try_acquire(&semaphore), BIGHT_EAGAIN);
    ck_ok(bight_semaphore_init(&semaphore, 1));
    ck_assert_int_eq(bight_semaphore_value(&semaphore), 1);
    ck_ok(bight_semaphore_try_acquire(&semaphore));
    ck_code(bight_semaphore_init(&semaphore, -1), BIGHT_EINVAL);
    ck_code(bight_semaphore_init_bounded(&semaphore, -1, 1), BIGHT_EINVAL);
}

/* Takes a unit, keeps it, and notes its number. */
struct taker {
    struct bight_semaphore *semaphore;
    struct conf_notes *notes;
    const char *number;
    struct bight_task *task;
    struct bight_call cancel;
};

static int takes(void *arg)
{
    struct taker *taker = arg;
    int rc = bight_semaphore_acquire(taker->semaphore);

    if (rc == 0)
        conf_note(taker->notes, taker->number);
    return rc;
}

static void start_taker(struct taker *taker, struct bight_semaphore *semaphore,
                        struct conf_notes *notes, const char *number)
{
    *taker = (struct taker){.semaphore = semaphore, .notes = notes, .number = number};
    ck_ok(bight_spawn(&taker->task, takes, taker));
}

static void ck_semaphore(const struct bight_semaphore *semaphore, int64_t value, size_t waiting)
{
    ck_assert_int_eq(bight_semaphore_value(semaphore), value);
    ck_assert_uint_eq(bight_semaphore_waiting(semaphore), waiting);
}

static int counted_down(void *arg)
{
    struct bight_semaphore semaphore;
    struct conf_notes notes = {0};
    struct taker takers[4];

    (void)arg;
    ck_ok(bight_semaphore_init(&semaphore, 3));
    ck_ok(bight_semaphore_acquire(&semaphore));
    ck_ok(bight_semaphore_acquire(&semaphore));
    ck_semaphore(&semaphore, 1, 0);
    start_taker(&takers[0], &semaphore, &notes, "1");
    start_taker(&takers[1], &semaphore, &notes, "2");
    start_taker(&takers[2], &semaphore, &notes, "3");
    ck_ok(bight_yield());
    ck_assert_str_eq(notes.text, " 1");
    ck_semaphore(&semaphore, 0, 2);

    start_taker(&takers[3], &semaphore, &notes, "4");
    ck_ok(bight_semaphore_release(&semaphore));
    ck_ok(bight_semaphore_release(&semaphore));
    ck_semaphore(&semaphore, 0, 0); /* the units are the waiters' at once */
    ck_assert_str_eq(notes.text, " 1");
    ck_ok(bight_yield());
    ck_assert_str_eq(notes.text, " 1 2 3");
    ck_semaphore(&semaphore, 0, 1);
    for (int i = 0; i < 3; i++) {
        ck_assert(bight_task_done(takers[i].task));
        conf_join(takers[i].task, 0);
    }
    ck_assert(!bight_task_done(takers[3].task));
    ck_ok(bight_semaphore_release(&semaphore));
    conf_join(takers[3].task, 0);
    ck_assert_str_eq(notes.text, " 1 2 3 4");
    ck_semaphore(&semaphore, 0, 0);
    return 0;
}

static void cancels(struct bight_call *call)
{
    struct taker *taker = (struct taker *)((char *)call - offsetof(struct taker, cancel));

    bight_task_cancel(taker->task);
}

static int cancelled_taker(void *arg)
{
    struct bight_semaphore semaphore;
    struct conf_notes notes = {0};
    struct taker taker;

    (void)arg;
    ck_ok(bight_semaphore_init(&semaphore, 1));
    ck_ok(bight_semaphore_acquire(&semaphore));
    start_taker(&taker, &semaphore, &notes, "1");
    bight_call_init(&taker.cancel, cancels);
    ck_ok(bight_call_soon(&taker.cancel)); /* after the taker began to wait */
    conf_join(taker.task, BIGHT_ECANCELED);
    ck_semaphore(&semaphore, 0, 0);
    ck_assert_str_eq(notes.text, "");
    ck_ok(bight_semaphore_release(&semaphore));
    ck_semaphore(&semaphore, 1, 0); /* nobody got it */
    return 0;
}

static int twice_in_turn(void *arg)
{
    struct taker *taker = arg;

    for (int round = 1; round <= 2; round++) {
        char note[16];

        ck_ok(bight_semaphore_acquire(taker->semaphore));
        snprintf(note, sizeof(note), "%s_%d", taker->number, round);
        conf_note(taker->notes, note);
        ck_ok(bight_sleep(10));
        ck_ok(bight_semaphore_release(taker->semaphore));
    }
    return 0;
}

static int coming_back(void *arg)
{
    static const char *const numbers[] = {"c1", "c2", "c3"};
    struct bight_semaphore semaphore;
    struct conf_notes notes = {0};
    struct taker takers[3];

    (void)arg;
    ck_ok(bight_semaphore_init(&semaphore, 1));
    for (int i = 0; i < 3; i++) {
        takers[i] = (struct taker){.semaphore = &semaphore, .notes = &notes, .number = numbers[i]};
        ck_ok(bight_spawn(&takers[i].task, twice_in_turn, &takers[i]));
    }
    for (int i = 0; i < 3; i++)
        conf_join(takers[i].task, 0);
    ck_assert_str_eq(notes.text, " c1_1 c2_1 c3_1 c1_2 c2_2 c3_2");
    ck_assert_int_eq(conf_now_ms(), 60);
    ck_semaphore(&semaphore, 1, 0);
    return 0;
}

static int around_the_cancelled(void *arg)
{
    struct bight_semaphore semaphore;
    struct conf_notes notes = {0};
    struct taker takers[3];

    (void)arg;
    ck_ok(bight_semaphore_init(&semaphore, 0));
    start_taker(&takers[0], &semaphore, &notes, "1");
    start_taker(&takers[1], &semaphore, &notes, "2");
    start_taker(&takers[2], &semaphore, &notes, "3");
    ck_ok(bight_yield());
    ck_semaphore(&semaphore, 0, 3);
    bight_task_cancel(takers[0].task);
    ck_ok(bight_yield());
    ck_semaphore(&semaphore, 0, 2);
    ck_ok(bight_semaphore_release(&semaphore));
    ck_ok(bight_semaphore_release(&semaphore));
    conf_join(takers[0].task, BIGHT_ECANCELED);
    conf_join(takers[1].task, 0);
    conf_join(takers[2].task, 0);
    ck_assert_str_eq(notes.text, " 2 3");
    ck_semaphore(&semaphore, 0, 0);
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(sem_01_a_semaphore_begins_with_any_number_of_units_but_a_negative_one),
    conf_case(sem_02_units_are_counted_down_and_several_handed_out_at_once, counted_down),
    conf_case(sem_03_a_cancelled_waiter_leaves_no_entry, cancelled_taker),
    conf_case(sem_09_who_comes_back_queues_behind_those_who_waited, coming_back),
    conf_case(sem_11_the_order_is_kept_around_a_cancelled_first_waiter, around_the_cancelled),
};

test_suite("sync, semaphores", cases);
