/* Futures, and failures that somebody or nobody has seen. */
#include "tests/conformance/conf.h"

#include <stdlib.h>

#define E BIGHT_EIO

/* What a future has come to, all at once; the reads of a pending one leave both as they were. */
static void expect(const struct bight_future *future, int status, const void *value)
{
    void *read_value = NULL;
    int read_status = 1;

    ck_assert(bight_future_done(future));
    ck_ok(bight_future_get(future, &read_status, &read_value));
    ck_code(read_status, status);
    ck_assert_ptr_eq(read_value, value);
}

static void expect_pending(const struct bight_future *future)
{
    void *value = &value;
    int status = 7;

    ck_assert(!bight_future_done(future));
    ck_code(bight_future_get(future, &status, &value), BIGHT_EAGAIN);
    ck_assert_int_eq(status, 7);
    ck_assert_ptr_eq(value, &value);
}

static void expect_refusals(struct bight_future *future)
{
    ck_code(bight_future_set(future, &future), BIGHT_EALREADY);
    ck_code(bight_future_fail(future, BIGHT_ERANGE), BIGHT_EALREADY);
    ck_code(bight_future_cancel(future), BIGHT_EALREADY);
}

static int forty_two = 42;

static int begins_pending(void *arg)
{
    struct bight_future future;

    (void)arg;
    bight_future_init(&future);
    expect_pending(&future);
    ck_ok(bight_future_cancel(&future));
    expect(&future, BIGHT_ECANCELED, NULL);
    return 0;
}

static int waits(struct bight_future *future, int *status, void **value)
{
    *value = NULL;
    *status = 1;
    return bight_future_wait(future, status, value);
}

static int is_cancelled(void *arg)
{
    struct bight_future future;
    void *value;
    int status;

    (void)arg;
    bight_future_init(&future);
    ck_ok(bight_future_cancel(&future));
    expect_refusals(&future);
    expect(&future, BIGHT_ECANCELED, NULL);
    ck_ok(waits(&future, &status, &value));
    ck_code(status, BIGHT_ECANCELED);
    return 0;
}

static int holds_a_value(void *arg)
{
    struct bight_future future;
    void *value;
    int status;

    (void)arg;
    bight_future_init(&future);
    expect_pending(&future);
    ck_ok(bight_future_set(&future, &forty_two));
    expect(&future, 0, &forty_two);
    expect_refusals(&future);
    expect(&future, 0, &forty_two);
    ck_ok(waits(&future, &status, &value));
    ck_assert_int_eq(status, 0);
    ck_assert_ptr_eq(value, &forty_two);
    return 0;
}

static int holds_an_error(void *arg)
{
    struct bight_future future;
    void *value;
    int status;

    (void)arg;
    bight_future_init(&future);
    expect_pending(&future);
    ck_ok(bight_future_fail(&future, E));
    expect(&future, E, NULL);
    expect_refusals(&future);
    expect(&future, E, NULL);
    ck_ok(waits(&future, &status, &value));
    ck_code(status, E);
    return 0;
}

static int copies(void *arg)
{
    struct bight_future from[3], to[3];

    (void)arg;
    for (int i = 0; i < 3; i++) {
        bight_future_init(&from[i]);
        bight_future_init(&to[i]);
        ck_code(bight_future_copy(&to[i], &from[i]), BIGHT_EAGAIN);
        expect_pending(&to[i]);
    }
    ck_ok(bight_future_set(&from[0], &forty_two));
    ck_ok(bight_future_fail(&from[1], E));
    ck_ok(bight_future_cancel(&from[2]));
    for (int i = 0; i < 3; i++)
        ck_ok(bight_future_copy(&to[i], &from[i]));
    expect(&to[0], 0, &forty_two);
    expect(&to[1], E, NULL);
    expect(&to[2], BIGHT_ECANCELED, NULL);
    return 0;
}

/* What a timer does: its future may have been cancelled meanwhile. */
struct timed {
    struct bight_call call;
    struct bight_future future;
    bool called;
};

static void set_in_time(struct bight_call *call)
{
    struct timed *timed = (struct timed *)call;

    timed->called = true;
    bight_future_set(&timed->future, &forty_two); /* unless it is done */
}

static int set_unless_cancelled(void *arg)
{
    struct timed timed = {.called = false};

    (void)arg;
    bight_call_init(&timed.call, set_in_time);
    bight_future_init(&timed.future);
    ck_ok(bight_call_later(&timed.call, 10));
    ck_ok(bight_future_cancel(&timed.future));
    ck_ok(bight_sleep(10));
    ck_assert(timed.called);
    expect(&timed.future, BIGHT_ECANCELED, NULL);
    return 0;
}

/* Callbacks */

static struct conf_notes notes;

static void calls_1(struct bight_future_callback *callback)
{
    (void)callback;
    conf_note(&notes, "cb1");
}

static void calls_2(struct bight_future_callback *callback)
{
    (void)callback;
    conf_note(&notes, "cb2");
}

static int removes_callbacks(void *arg)
{
    struct bight_future_callback first[6], second, third;
    struct bight_future future;

    (void)arg;
    bight_future_init(&future);
    ck_ok(bight_future_add_callback(&future, &first[0], calls_1));
    ck_ok(bight_future_add_callback(&future, &second, calls_2));
    ck_assert(bight_future_remove_callback(&second));
    ck_assert(!bight_future_remove_callback(&second));
    ck_ok(bight_future_add_callback(&future, &third, calls_1));
    ck_assert(bight_future_remove_callback(&third));
    ck_ok(bight_future_add_callback(&future, &second, calls_2));
    for (int i = 1; i < 6; i++)
        ck_ok(bight_future_add_callback(&future, &first[i], calls_1));
    for (int i = 0; i < 6; i++) /* each record is one registration */
        ck_assert(bight_future_remove_callback(&first[i]));
    ck_ok(bight_future_set(&future, NULL));
    ck_assert_str_eq(notes.text, "");
    world_settle();
    ck_assert_str_eq(notes.text, " cb2");
    return 0;
}

/* The first member: so the call-back finds the others. */
struct mutation {
    struct bight_future_callback mut;
    struct bight_future_callback g[2];
    bool removed[2];
};

static void mutates(struct bight_future_callback *callback)
{
    struct mutation *mutation = (struct mutation *)callback;

    conf_note(&notes, "mut");
    for (int i = 0; i < 2; i++)
        mutation->removed[i] = bight_future_remove_callback(&mutation->g[i]);
}

static int changes_callbacks(void *arg)
{
    struct mutation mutation;
    struct bight_future future;

    (void)arg;
    bight_future_init(&future);
    ck_ok(bight_future_add_callback(&future, &mutation.g[0], calls_1));
    ck_ok(bight_future_add_callback(&future, &mutation.mut, mutates));
    ck_ok(bight_future_add_callback(&future, &mutation.g[1], calls_1));
    ck_ok(bight_future_set(&future, NULL));
    world_settle();
    /* The one before it was called and cannot be taken back, the one behind it can. */
    ck_assert_str_eq(notes.text, " cb1 mut");
    ck_assert(!mutation.removed[0]);
    ck_assert(mutation.removed[1]);
    return 0;
}

/* Unseen: conf_ok fails when anything is reported. */

static int forgets_pending(void *arg)
{
    struct bight_future *future = malloc(sizeof(*future));

    (void)arg;
    bight_future_init(future);
    free(future);
    return 0;
}

static int forgets_values(void *arg)
{
    struct bight_future unread, read;
    struct bight_task *task;

    (void)arg;
    bight_future_init(&unread);
    bight_future_init(&read);
    ck_ok(bight_future_set(&unread, &forty_two));
    ck_ok(bight_future_set(&read, &forty_two));
    expect(&read, 0, &forty_two);
    ck_ok(bight_spawn(&task, world_return, &forty_two)); /* a task is such a cell too */
    world_settle();
    ck_ok(bight_task_detach(task));
    return 0;
}

static int reads_errors(void *arg)
{
    struct bight_future read, awaited;
    struct bight_task *task;
    int status;

    (void)arg;
    bight_future_init(&read);
    bight_future_init(&awaited);
    ck_ok(bight_future_fail(&read, E));
    ck_ok(bight_future_fail(&awaited, E));
    expect(&read, E, NULL);
    ck_ok(bight_future_wait(&awaited, &status, NULL));
    ck_code(status, E);
    ck_ok(bight_spawn(&task, world_return, &(int){E}));
    world_settle();
    ck_ok(bight_task_status(task, &status));
    ck_code(status, E);
    ck_ok(bight_task_detach(task));
    ck_ok(bight_spawn(&task, world_return, &(int){E}));
    conf_join(task, E);
    return 0;
}

static int cancels_failed(void *arg)
{
    struct bight_future future;
    struct bight_task *task;

    (void)arg;
    bight_future_init(&future);
    ck_ok(bight_future_fail(&future, E));
    ck_code(bight_future_cancel(&future), BIGHT_EALREADY);
    ck_ok(bight_spawn(&task, world_return, &(int){E}));
    world_settle();
    ck_assert(!bight_task_cancel(task));
    return bight_task_detach(task);
}

static int fails(void *arg)
{
    (void)arg;
    return E;
}

static void unobs_07_what_the_run_returned_is_not_reported_again(void)
{
    struct world_reports reports;

    ck_code(conf_main(fails, &reports), E);
    for (size_t i = 0; i < sizeof(reports.count) / sizeof(*reports.count); i++)
        ck_assert_uint_eq(reports.count[i], 0);
}

static const struct suite_case cases[] = {
    conf_case(fut_01_a_new_future_is_pending_and_can_be_cancelled, begins_pending),
    conf_case(fut_02_a_cancelled_future_refuses_everything_else, is_cancelled),
    conf_case(fut_03_a_future_takes_one_value_once, holds_a_value),
    conf_case(fut_04_a_future_takes_one_error_once, holds_an_error),
    conf_case(fut_07_what_a_future_holds_can_be_copied, copies),
    conf_case(fut_08_setting_a_cancelled_future_leaves_it_alone, set_unless_cancelled),
    conf_case(fut_11_callbacks_can_be_removed_and_the_call_says_whether_it_did, removes_callbacks),
    conf_case(fut_13_a_callback_may_remove_others_while_they_are_due, changes_callbacks),
    conf_case(unobs_01_a_pending_future_may_be_forgotten, forgets_pending),
    conf_case(unobs_02_a_value_that_nobody_reads_is_not_reported, forgets_values),
    conf_case(unobs_04_an_error_that_was_read_is_not_reported, reads_errors),
    conf_case(unobs_05_an_error_is_not_reported_after_an_attempt_to_cancel, cancels_failed),
    plain_case(unobs_07_what_the_run_returned_is_not_reported_again),
};

test_suite("tasks, futures", cases);
