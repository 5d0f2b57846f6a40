/* Rows of coro/core: tasks, scopes, groups, calls, the mutex. */
#include "tests/nulls/rows.h"

static void tasks(void)
{
    says_einval(bight_spawn, NULL, NULL, NULL);
    says_einval(bight_spawn_with, NULL, NULL, NULL, NULL);
    says_einval(bight_join, NULL, NULL);
    says_einval(bight_join_result, NULL, &(struct bight_task_result){0});
    says_einval(bight_join_result, (void *)some, NULL);
    says_einval(bight_task_detach, NULL);
    is_false(bight_task_cancel, NULL);
    is_false(bight_task_drain, NULL);
    is_false(bight_task_cancelling, NULL);
    is_false(bight_task_was_cancelled, NULL);
    is_false(bight_task_done, NULL);
    says_einval(bight_task_status, NULL, &(int){0});
    says_einval(bight_task_status, (void *)some, NULL);
    says_einval(bight_task_add_callback, NULL, (void *)some, (void *)some_fn);
    says_einval(bight_task_add_callback, (void *)some, NULL, (void *)some_fn);
    says_einval(bight_task_add_callback, (void *)some, (void *)some, NULL);
    is_false(bight_task_remove_callback, NULL);
    does_nothing(bight_tasks, NULL, NULL);
    says_einval(bight_task_get_info, NULL, (void *)some);
    says_einval(bight_task_get_info, (void *)some, NULL);
    is_null(bight_task_parent, NULL);
    is_zero(bight_task_id, NULL);
    is_null(bight_task_name, NULL);
    does_nothing(bight_task_set_name, NULL, "name");
    does_nothing(bight_task_set_name, (void *)some, NULL);
    says_einval(bight_defer, NULL, NULL);
    is_null(bight_local_get, NULL);
    says_einval(bight_local_set, NULL, NULL);
    says_einval(bight_local_set_copy, NULL, "value", 6);
    says_einval(bight_local_set_copy, &(struct bight_local){"name", NULL}, NULL, 6);
    says_einval(bight_dump, NULL, NULL);
}

static void scopes(void)
{
    says_einval(bight_timeout, -1, NULL, NULL);
    says_einval(bight_deadline, BIGHT_NO_DEADLINE, NULL, NULL);
    says_einval(bight_shield, -1, NULL, NULL);
    says_einval(bight_scope_begin, NULL, -1, 0);
    does_nothing(bight_scope_init, NULL, -1, 0);
    says_einval(bight_scope_enter, NULL);
    says_einval(bight_scope_end, NULL, 0);
    does_nothing(bight_scope_cancel, NULL);
    does_nothing(bight_scope_drain, NULL);
    says_einval(bight_scope_set_timeout, NULL, 1);
    says_einval(bight_scope_set_deadline, NULL, 1);
    gives(BIGHT_NO_DEADLINE, bight_scope_deadline, NULL);
    says_einval(bight_scope_set_shield, NULL, true);
    gives(BIGHT_SCOPE_FINISHED, bight_scope_get_state, NULL);
    is_false(bight_cancel_get_cause, NULL);
}

static void groups(void)
{
    says_einval(bight_group_run, NULL, NULL);
    says_einval(bight_group_begin, NULL, 0);
    says_einval(bight_group_begin_with, NULL, NULL);
    says_einval(bight_group_spawn, NULL, NULL, NULL, some_fn, NULL);
    says_einval(bight_group_spawn, NULL, (void *)some, NULL, NULL, NULL);
    says_einval(bight_group_start, NULL, NULL, NULL, some_fn, NULL, NULL);
    says_einval(bight_group_start, NULL, (void *)some, NULL, NULL, NULL, NULL);
    says_einval(bight_group_drain, NULL);
    is_null(bight_task_group, NULL);
    does_nothing(bight_task_groups, NULL, (void *)some_fn, NULL);
    does_nothing(bight_task_groups, (void *)some, NULL, NULL);
    says_einval(bight_group_end, NULL, 0);
}

static void calls(void)
{
    does_nothing(bight_call_init, NULL, NULL);
    says_einval(bight_call_soon, NULL);
    says_einval(bight_call_later, NULL, 1);
    says_einval(bight_call_at, NULL, 1);
    is_false(bight_call_cancel, NULL);
    is_false(bight_call_pending, NULL);
    is_zero(bight_call_when_ns, NULL);
}

static void mutexes(void)
{
    does_nothing(bight_mutex_init, NULL);
    says_einval(bight_mutex_lock, NULL);
    says_einval(bight_mutex_try_lock, NULL);
    says_einval(bight_mutex_unlock, NULL);
    is_null(bight_mutex_owner, NULL);
    is_zero(bight_mutex_waiting, NULL);
}

void walk_core(void)
{
    tasks();
    scopes();
    groups();
    calls();
    mutexes();
}
