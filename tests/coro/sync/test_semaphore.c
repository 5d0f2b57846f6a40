/* Semaphore: units in order, none lost, none too many. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <stdio.h>
#include <string.h>

struct shared {
    struct bight_semaphore semaphore;
    char order[32];
    const char *names; /* of those who have not begun */
};

static void note(struct shared *shared, char name)
{
    size_t held = strlen(shared->order);

    snprintf(shared->order + held, sizeof shared->order - held, "%c", name);
}

static int takes(void *arg)
{
    struct shared *shared = arg;
    char name = *shared->names++;
    int rc = bight_semaphore_acquire(&shared->semaphore);

    if (rc == 0)
        note(shared, name);
    return rc;
}

static void start(struct shared *shared, struct bight_task **tasks, int count)
{
    for (int i = 0; i < count; i++)
        ck_ok(bight_spawn(&tasks[i], takes, shared));
}

static int in_bulk(void *arg)
{
    struct shared shared = {.names = "abcd"};
    struct bight_task *tasks[4];

    (void)arg;
    ck_ok(bight_semaphore_init(&shared.semaphore, 3));
    ck_ok(bight_semaphore_acquire(&shared.semaphore));
    ck_ok(bight_semaphore_acquire(&shared.semaphore));
    ck_assert_int_eq(bight_semaphore_value(&shared.semaphore), 1);
    start(&shared, tasks, 3);
    ck_ok(bight_yield());
    ck_assert_str_eq(shared.order, "a");
    ck_assert_int_eq(bight_semaphore_value(&shared.semaphore), 0);
    ck_assert_uint_eq(bight_semaphore_waiting(&shared.semaphore), 2);
    ck_code(bight_semaphore_try_acquire(&shared.semaphore), BIGHT_EAGAIN);
    start(&shared, tasks + 3, 1);
    ck_ok(bight_semaphore_release(&shared.semaphore));
    ck_ok(bight_semaphore_release(&shared.semaphore));
    /* Handed over directly: nobody can come first, also not who asks now. */
    ck_assert_int_eq(bight_semaphore_value(&shared.semaphore), 0);
    ck_code(bight_semaphore_try_acquire(&shared.semaphore), BIGHT_EAGAIN);
    ck_ok(bight_yield());
    ck_assert_str_eq(shared.order, "abc");
    ck_assert_uint_eq(bight_semaphore_waiting(&shared.semaphore), 1);
    ck_ok(bight_semaphore_release(&shared.semaphore));
    for (int i = 0; i < 4; i++)
        ck_ok(bight_join(tasks[i], NULL));
    ck_ok(bight_semaphore_release(&shared.semaphore));
    ck_assert_int_eq(bight_semaphore_value(&shared.semaphore), 1);
    ck_ok(bight_semaphore_try_acquire(&shared.semaphore));
    return 0;
}

static int around_the_cancelled(void *arg)
{
    struct shared shared = {.names = "abc"};
    struct bight_task *tasks[3];
    int status;

    (void)arg;
    ck_ok(bight_semaphore_init(&shared.semaphore, 0));
    start(&shared, tasks, 3);
    world_settle();
    bight_task_cancel(tasks[0]);
    ck_assert_uint_eq(bight_semaphore_waiting(&shared.semaphore), 2);
    ck_ok(bight_semaphore_release(&shared.semaphore));
    ck_ok(bight_semaphore_release(&shared.semaphore));
    bight_task_cancel(tasks[1]); /* it has its unit */
    for (int i = 0; i < 3; i++) {
        ck_ok(bight_join(tasks[i], &status));
        ck_code(status, i ? 0 : BIGHT_ECANCELED);
    }
    ck_assert_str_eq(shared.order, "bc");
    ck_assert_int_eq(bight_semaphore_value(&shared.semaphore), 0);
    return 0;
}

struct handed {
    struct bight_semaphore semaphore;
    struct bight_task *second;
    bool had_unit;
};

static int releases_and_cancels(void *arg)
{
    struct handed *handed = arg;

    ck_ok(bight_semaphore_acquire(&handed->semaphore));
    ck_ok(bight_yield());
    ck_ok(bight_semaphore_release(&handed->semaphore));
    bight_task_cancel(handed->second);
    return 0;
}

static int cancelled_with_a_unit(void *arg)
{
    struct handed *handed = arg;
    int rc;

    ck_ok(bight_semaphore_acquire(&handed->semaphore));
    handed->had_unit = true;
    rc = bight_yield();
    ck_ok(bight_semaphore_release(&handed->semaphore));
    return rc;
}

static int handed_then_cancelled(void *arg)
{
    struct handed handed = {.had_unit = false};
    struct bight_task *first;
    int status;

    (void)arg;
    ck_ok(bight_semaphore_init(&handed.semaphore, 1));
    ck_ok(bight_spawn(&first, releases_and_cancels, &handed));
    ck_ok(bight_spawn(&handed.second, cancelled_with_a_unit, &handed));
    ck_ok(bight_join(first, &status));
    ck_code(status, 0);
    ck_ok(bight_join(handed.second, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert(handed.had_unit);
    ck_ok(bight_semaphore_try_acquire(&handed.semaphore));
    return 0;
}

static int twice(void *arg)
{
    struct shared *shared = arg;
    char name = *shared->names++;

    for (int i = 0; i < 2; i++) {
        ck_ok(bight_semaphore_acquire(&shared->semaphore));
        note(shared, name);
        ck_ok(bight_sleep(10));
        ck_ok(bight_semaphore_release(&shared->semaphore));
    }
    return 0;
}

static int in_turns_body(struct bight_group *group, void *arg)
{
    for (int i = 0; i < 3; i++)
        ck_ok(bight_group_spawn(NULL, group, NULL, twice, arg));
    return 0;
}

static int in_turns(void *arg)
{
    struct shared shared = {.names = "abc"};

    (void)arg;
    ck_ok(bight_semaphore_init(&shared.semaphore, 1));
    ck_ok(bight_group_run(in_turns_body, &shared));
    ck_assert_str_eq(shared.order, "abcabc");
    return 0;
}

/* The first unit is handed over at its release; the second one is free, and its taker need not give
 * way to the one that was woken. */
static int without_a_switch(void *arg)
{
    struct shared shared = {.names = "3"};
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_semaphore_init(&shared.semaphore, 0));
    start(&shared, &task, 1);
    world_settle();
    note(&shared, '1');
    ck_ok(bight_semaphore_release(&shared.semaphore));
    ck_assert_int_eq(bight_semaphore_value(&shared.semaphore), 0);
    ck_ok(bight_semaphore_release(&shared.semaphore));
    note(&shared, '2');
    ck_ok(bight_semaphore_acquire(&shared.semaphore));
    note(&shared, '4');
    ck_ok(bight_join(task, NULL));
    ck_assert_str_eq(shared.order, "1243");
    return 0;
}

static void semaphore_has_no_unit_too_many(void)
{
    struct bight_semaphore semaphore;

    ck_code(bight_semaphore_init(&semaphore, -1), BIGHT_EINVAL);
    ck_code(bight_semaphore_init_bounded(&semaphore, -1, 1), BIGHT_EINVAL);
    ck_code(bight_semaphore_init_bounded(&semaphore, 2, 1), BIGHT_EINVAL);
    ck_ok(bight_semaphore_init_bounded(&semaphore, 1, 2));
    ck_ok(bight_semaphore_release(&semaphore));
    ck_code(bight_semaphore_release(&semaphore), BIGHT_ERANGE);
    ck_assert_int_eq(bight_semaphore_value(&semaphore), 2);
    ck_ok(bight_semaphore_try_acquire(&semaphore));
    ck_ok(bight_semaphore_release(&semaphore));
    ck_ok(bight_semaphore_init(&semaphore, INT64_MAX));
    ck_code(bight_semaphore_release(&semaphore), BIGHT_ERANGE);
    ck_code(bight_semaphore_acquire(&semaphore), BIGHT_ENOTASK);
}

static const struct suite_case cases[] = {
    world_case(semaphore_hands_units_over_in_order, in_bulk),
    world_case(semaphore_passes_the_cancelled_by, around_the_cancelled),
    world_case(semaphore_unit_is_kept_by_a_task_that_is_cancelled_afterwards,
               handed_then_cancelled),
    world_case(semaphore_puts_those_who_come_back_behind_those_who_waited, in_turns),
    world_case(semaphore_unit_that_is_free_is_taken_without_a_switch, without_a_switch),
    plain_case(semaphore_has_no_unit_too_many),
};

test_suite("semaphore", cases);
