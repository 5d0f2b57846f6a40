/* Futures: settled once, awaited by many, callbacks in order. */
#include <bight.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

static int item;

static int settled_once(void *arg)
{
    struct bight_future future;
    int status = 7;
    void *value = &status;

    (void)arg;
    bight_future_init(&future);
    ck_assert(!bight_future_done(&future));
    ck_code(bight_future_get(&future, &status, &value), BIGHT_EAGAIN);
    ck_assert_int_eq(status, 7);
    ck_ok(bight_future_set(&future, &item));
    ck_assert(bight_future_done(&future));
    ck_ok(bight_future_get(&future, &status, &value));
    ck_assert_int_eq(status, 0);
    ck_assert_ptr_eq(value, &item);
    ck_code(bight_future_set(&future, NULL), BIGHT_EALREADY);
    ck_code(bight_future_fail(&future, BIGHT_EIO), BIGHT_EALREADY);
    ck_code(bight_future_cancel(&future), BIGHT_EALREADY);
    ck_ok(bight_future_wait(&future, NULL, &value));
    ck_assert_ptr_eq(value, &item);
    return 0;
}

static int failed(void *arg)
{
    struct bight_future future, cancelled, copy;
    void *value = &item;
    int status;

    (void)arg;
    bight_future_init(&future);
    bight_future_init(&cancelled);
    bight_future_init(&copy);
    ck_code(bight_future_copy(&copy, &future), BIGHT_EAGAIN);
    ck_code(bight_future_fail(&future, 0), BIGHT_EINVAL);
    ck_code(bight_future_fail(&future, 1), BIGHT_EINVAL);
    ck_ok(bight_future_fail(&future, BIGHT_EIO));
    ck_ok(bight_future_wait(&future, &status, &value));
    ck_assert_int_eq(status, BIGHT_EIO);
    ck_assert_ptr_null(value);
    ck_ok(bight_future_copy(&copy, &future));
    ck_code(bight_future_copy(&copy, &future), BIGHT_EALREADY);
    ck_ok(bight_future_get(&copy, &status, NULL));
    ck_assert_int_eq(status, BIGHT_EIO);
    ck_ok(bight_future_cancel(&cancelled));
    ck_ok(bight_future_get(&cancelled, &status, &value));
    ck_assert_int_eq(status, BIGHT_ECANCELED);
    return 0;
}

/* Whoever has a future may look or not: only tasks are reported. */
static int unread(void *arg)
{
    struct bight_future future;

    (void)arg;
    bight_future_init(&future);
    return bight_future_fail(&future, BIGHT_EIO);
}

/* Who is served, in order. */
static char trace[16];

static void note(char letter)
{
    size_t length = strlen(trace);

    ck_assert_uint_lt(length, sizeof(trace) - 1);
    trace[length] = letter;
    trace[length + 1] = '\0';
}

static int wait_and_note(void *arg)
{
    void *value;
    int status;
    int rc = bight_future_wait(arg, &status, &value);

    note(rc ? 'x' : 't');
    if (rc == 0)
        ck_assert_ptr_eq(value, &item);
    return rc;
}

static void note_call(struct bight_future_callback *callback)
{
    void *value;

    ck_assert_ptr_null(bight_self());
    ck_ok(bight_future_get(callback->future, NULL, &value));
    ck_assert_ptr_eq(value, &item);
    note('c');
}

static int many_wait(struct bight_group *group, void *arg)
{
    struct bight_future *future = arg;
    struct bight_future_callback first, second, late, gone;
    struct bight_task *victim;

    trace[0] = '\0';
    bight_future_init(future);
    ck_code(bight_future_add_callback(future, &first, NULL), BIGHT_EINVAL);
    ck_ok(bight_future_add_callback(future, &first, note_call));
    ck_ok(bight_group_spawn(NULL, group, NULL, wait_and_note, future));
    ck_ok(bight_group_spawn(&victim, group, NULL, wait_and_note, future));
    ck_ok(bight_yield());
    ck_ok(bight_future_add_callback(future, &second, note_call));
    ck_ok(bight_future_add_callback(future, &gone, note_call));
    ck_assert(bight_future_remove_callback(&gone));
    ck_assert(!bight_future_remove_callback(&gone));
    bight_task_cancel(victim);
    ck_ok(bight_future_set(future, &item));
    ck_ok(bight_future_add_callback(future, &late, note_call));
    ck_ok(bight_future_add_callback(future, &gone, note_call));
    ck_assert(bight_future_remove_callback(&gone));
    ck_assert_str_eq(trace, ""); /* nobody runs inside of set */
    ck_ok(bight_yield());
    ck_assert_str_eq(trace, "xctcc");
    ck_assert(!bight_future_remove_callback(&first));
    ck_ok(bight_join(victim, NULL));
    return 0;
}

static int many_wait_in_group(void *arg)
{
    struct bight_future future;

    (void)arg;
    return bight_group_run(many_wait, &future);
}

/* A callback may take back another one that is due. */
static struct bight_future_callback other;

static void take_other_back(struct bight_future_callback *callback)
{
    (void)callback;
    note('m');
    ck_assert(bight_future_remove_callback(&other));
}

static int changing_callbacks(void *arg)
{
    struct bight_future future;
    struct bight_future_callback first;

    (void)arg;
    trace[0] = '\0';
    bight_future_init(&future);
    ck_ok(bight_future_add_callback(&future, &first, take_other_back));
    ck_ok(bight_future_add_callback(&future, &other, note_call));
    ck_ok(bight_future_set(&future, &item));
    ck_ok(bight_yield());
    ck_assert_str_eq(trace, "m");
    return 0;
}

static void a_callback_may_change_the_list_while_others_are_due(void)
{
    struct bight_future_callback callback;
    struct bight_future future;

    bight_future_init(&future);
    ck_code(bight_future_add_callback(&future, &callback, note_call), BIGHT_ENORUNTIME);
    ck_ok(world_run(changing_callbacks, NULL, NULL));
}

static const struct suite_case cases[] = {
    world_case(a_future_holds_one_value_once, settled_once),
    world_case(a_failure_that_nobody_reads_is_not_reported, unread),
    world_case(a_failure_is_told_by_the_status_not_by_the_wait, failed),
    world_case(tasks_and_callbacks_are_served_in_the_order_they_came, many_wait_in_group),
    plain_case(a_callback_may_change_the_list_while_others_are_due),
};

test_suite("future", cases);
