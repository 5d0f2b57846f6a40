/* Rows of coro/combine. */
#include "tests/nulls/rows.h"

static void futures(void)
{
    does_nothing(bight_future_init, NULL);
    says_einval(bight_future_set, NULL, NULL);
    says_einval(bight_future_fail, NULL, BIGHT_EIO);
    says_einval(bight_future_cancel, NULL);
    says_einval(bight_future_copy, NULL, (void *)some);
    says_einval(bight_future_copy, (void *)some, NULL);
    is_false(bight_future_done, NULL);
    says_einval(bight_future_get, NULL, NULL, NULL);
    says_einval(bight_future_wait, NULL, NULL, NULL);
    says_einval(bight_future_wait_for, NULL, -1, NULL, NULL);
    says_einval(bight_future_add_callback, NULL, (void *)some, (void *)some_fn);
    says_einval(bight_future_add_callback, (void *)some, NULL, (void *)some_fn);
    says_einval(bight_future_add_callback, (void *)some, (void *)some, NULL);
    is_false(bight_future_remove_callback, NULL);
}

static void many(void)
{
    struct bight_gather nothing = {.fn = NULL};

    says_einval(bight_gather_all, NULL, 1, 0);
    says_einval(bight_gather_all, &nothing, 1, 0);
    says_einval(bight_map, NULL, some, 1, 1, 1, 0);
    says_einval(bight_map, some_fn, NULL, 1, 1, 1, 0);
    says_einval(bight_race, NULL, 1, -1, NULL);
    says_einval(bight_race, &nothing, 1, -1, NULL);
}

static void waits(void)
{
    struct bight_wait_item none = {.task = NULL};
    struct bight_wait_item *item;

    says_einval(bight_wait, NULL, 1, BIGHT_WAIT_ALL_COMPLETED, -1);
    says_einval(bight_wait, &none, 1, BIGHT_WAIT_ALL_COMPLETED, -1);
    says_einval(bight_as_completed_begin, NULL, NULL, 0);
    says_einval(bight_as_completed_begin, (void *)some, NULL, 1);
    says_einval(bight_as_completed_begin, (void *)some, &none, 1);
    says_einval(bight_as_completed_next, NULL, &item);
    says_einval(bight_as_completed_next, (void *)some, NULL);
    says_einval(bight_as_completed_try_next, NULL, &item);
    says_einval(bight_as_completed_try_next, (void *)some, NULL);
    is_zero(bight_as_completed_left, NULL);
    says_einval(bight_as_completed_end, NULL);
    says_einval(bight_wait_for, NULL, -1, NULL);
}

/* A case without a source is refused by the select. */
static void selects(void)
{
    struct bight_case without;

    says_einval(bight_select, NULL, 1, 0);
    does_nothing(bight_case_join, NULL, (void *)some);
    does_nothing(bight_case_join, &without, NULL);
    says_einval(bight_select, &without, 1, 0);
    does_nothing(bight_case_get, NULL, (void *)some);
    does_nothing(bight_case_get, &without, NULL);
    says_einval(bight_select, &without, 1, 0);
    does_nothing(bight_case_put, NULL, (void *)some, NULL);
    does_nothing(bight_case_put, &without, NULL, NULL);
    says_einval(bight_select, &without, 1, 0);
    does_nothing(bight_case_receive, NULL, (void *)some);
    does_nothing(bight_case_receive, &without, NULL);
    says_einval(bight_select, &without, 1, 0);
    does_nothing(bight_case_send, NULL, (void *)some, NULL);
    does_nothing(bight_case_send, &without, NULL, NULL);
    says_einval(bight_select, &without, 1, 0);
    does_nothing(bight_case_event, NULL, (void *)some);
    does_nothing(bight_case_event, &without, NULL);
    says_einval(bight_select, &without, 1, 0);
    does_nothing(bight_case_future, NULL, (void *)some);
    does_nothing(bight_case_future, &without, NULL);
    says_einval(bight_select, &without, 1, 0);
    does_nothing(bight_case_custom, NULL, (void *)some, NULL);
    does_nothing(bight_case_custom, &without, NULL, NULL);
    says_einval(bight_select, &without, 1, 0);
    does_nothing(bight_case_custom, &without, (void *)some, NULL); /* without a function in it */
    says_einval(bight_select, &without, 1, 0);
    does_nothing(bight_case_sleep, NULL, 1);
    does_nothing(bight_case_deadline, NULL, 1);
}

static void backgrounds(void)
{
    says_einval(bight_background_new, NULL, NULL, NULL);
    says_einval(bight_background_spawn, NULL, NULL, NULL, some_fn, NULL);
    says_einval(bight_background_spawn, NULL, (void *)some, NULL, NULL, NULL);
    is_zero(bight_background_live, NULL);
    says_einval(bight_background_drain, NULL);
    gives(0, bight_background_end, NULL);
}

void walk_combine(void)
{
    futures();
    many();
    waits();
    selects();
    backgrounds();
}
