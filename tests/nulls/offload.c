/* Rows of offload/. */
#include "tests/nulls/rows.h"

static int no_source(void *arg, const void **input, size_t *input_bytes)
{
    (void)arg, (void)input, (void)input_bytes;
    return 0;
}

static void walk_shared(void)
{
    void *data;

    says_einval(bight_shared_new, NULL, 8);
    says_einval(bight_shared_free, NULL);
    is_null(bight_shared_data, NULL);
    is_zero(bight_shared_bytes, NULL);
    says_einval(bight_workers_share, NULL, (void *)some);
    says_einval(bight_workers_share, (void *)some, NULL);
    says_einval(bight_job_shared, NULL, 0, &data, NULL);
    says_einval(bight_job_shared, (void *)some, 0, NULL, NULL);
    says_einval(bight_shared_mutex_init, NULL);
    says_einval(bight_shared_mutex_lock, NULL, -1);
    says_einval(bight_shared_mutex_try_lock, NULL);
    says_einval(bight_shared_mutex_unlock, NULL);
    says_einval(bight_shared_mutex_recover, NULL);
    says_einval(bight_shared_semaphore_init, NULL, 0, 1);
    says_einval(bight_shared_semaphore_acquire, NULL, -1);
    says_einval(bight_shared_semaphore_try_acquire, NULL);
    says_einval(bight_shared_semaphore_release, NULL);
    is_zero(bight_shared_semaphore_value, NULL);
    says_einval(bight_shared_event_init, NULL);
    says_einval(bight_shared_event_set, NULL);
    says_einval(bight_shared_event_clear, NULL);
    is_false(bight_shared_event_is_set, NULL);
    says_einval(bight_shared_event_wait, NULL, -1);
    says_einval(bight_shared_barrier_init, NULL, 1);
    says_einval(bight_shared_barrier_wait, NULL, -1);
    says_einval(bight_shared_barrier_abort, NULL);
    says_einval(bight_shared_barrier_reset, NULL);
    says_einval(bight_shared_barrier_waiting, NULL);
    says_einval(bight_shared_queue_init, NULL, some, 1, 1);
    says_einval(bight_shared_queue_init, (void *)some, NULL, 1, 1);
    says_einval(bight_shared_queue_put, NULL, some, 1, -1);
    says_einval(bight_shared_queue_put, (void *)some, NULL, 1, -1);
    says_einval(bight_shared_queue_try_put, NULL, some, 1);
    says_einval(bight_shared_queue_try_put, (void *)some, NULL, 1);
    says_einval(bight_shared_queue_get, NULL, some, 1, -1);
    says_einval(bight_shared_queue_get, (void *)some, NULL, 1, -1);
    says_einval(bight_shared_queue_try_get, NULL, some, 1);
    says_einval(bight_shared_queue_try_get, (void *)some, NULL, 1);
    says_einval(bight_shared_queue_task_done, NULL);
    says_einval(bight_shared_queue_join, NULL, -1);
    says_einval(bight_shared_queue_close, NULL);
    is_zero(bight_shared_queue_length, NULL);
    says_einval(bight_shared_pipe_init, NULL, some, 1);
    says_einval(bight_shared_pipe_init, (void *)some, NULL, 1);
    says_einval(bight_shared_pipe_write, NULL, some, 1, -1);
    says_einval(bight_shared_pipe_write, (void *)some, NULL, 1, -1);
    says_einval(bight_shared_pipe_read, NULL, some, 1, -1);
    says_einval(bight_shared_pipe_read, (void *)some, NULL, 1, -1);
    says_einval(bight_shared_pipe_close_write, NULL);
    says_einval(bight_shared_pipe_close_read, NULL);
}

void walk_offload(void)
{
    struct bight_execution execution;
    struct bight_job_map map;
    void *room;

    says_einval(bight_offload, NULL, NULL);
    says_einval(bight_workers_new, NULL, NULL);
    says_einval(bight_threads_new, NULL, NULL);
    says_einval(bight_threads_call, NULL, some_fn, NULL);
    says_einval(bight_threads_call, (void *)some, NULL, NULL);
    says_einval(bight_threads_call_owned, NULL, some_fn, NULL, NULL);
    says_einval(bight_threads_call_owned, (void *)some, NULL, NULL, NULL);
    says_einval(bight_executor_end, NULL);
    says_einval(bight_executor_get_stats, NULL, (void *)some);
    says_einval(bight_executor_get_stats, (void *)some, NULL);
    says_einval(bight_workers_pids, NULL, (void *)some, 1);
    says_einval(bight_job_process_start, NULL, (void *)some, NULL, 0, NULL);
    says_einval(bight_job_process_start, (void *)some, NULL, NULL, 0, NULL);
    says_einval(bight_job_process_join, NULL);
    is_null(bight_job_process_future, NULL);
    is_zero(bight_job_process_pid, NULL);
    is_false(bight_job_process_alive, NULL);
    says_einval(bight_job_process_terminate, NULL);
    says_einval(bight_job_process_kill, NULL);
    says_einval(bight_job_process_result, NULL, (void *)some);
    says_einval(bight_job_process_result, (void *)some, NULL);
    is_zero(bight_job_process_free, NULL);
    says_einval(bight_execute, NULL, (void *)some, NULL, 0, NULL);
    says_einval(bight_execute, (void *)some, NULL, NULL, 0, NULL);
    says_einval(bight_execute_with, NULL, (void *)some, NULL, 0, NULL, NULL);
    says_einval(bight_execute_with, (void *)some, NULL, NULL, 0, NULL, NULL);
    says_einval(bight_execution_begin, NULL, (void *)some, (void *)some, NULL, 0, NULL);
    says_einval(bight_execution_begin, &execution, NULL, (void *)some, NULL, 0, NULL);
    says_einval(bight_execution_begin, &execution, (void *)some, NULL, NULL, 0, NULL);
    says_einval(bight_execution_cancel, NULL);
    says_einval(bight_execution_end, NULL);
    says_einval(bight_executor_end_with, NULL, BIGHT_EXECUTOR_DRAIN);
    says_einval(bight_job_map_begin, NULL, (void *)some, (void *)some, no_source, NULL, NULL);
    says_einval(bight_job_map_begin, &map, NULL, (void *)some, no_source, NULL, NULL);
    says_einval(bight_job_map_begin, &map, (void *)some, NULL, no_source, NULL, NULL);
    says_einval(bight_job_map_next, NULL, (void *)some);
    says_einval(bight_job_map_next, (void *)some, NULL);
    says_einval(bight_job_map_end, NULL);
    says_einval(bight_job_map_all, NULL, (void *)some, NULL, 0, NULL);
    says_einval(bight_job_map_all, (void *)some, NULL, NULL, 0, NULL);
    says_einval(bight_job_map_all, (void *)some, (void *)some, NULL, 1, NULL);
    does_nothing(bight_result_free, NULL);
    says_einval(bight_job_input_new, NULL, 1);
    is_null(bight_job_input_data, NULL);
    does_nothing(bight_job_input_free, NULL);
    says_einval(bight_job_output_reserve, NULL, 1, &room);
    says_einval(bight_job_output_reserve, (void *)some, 1, NULL);
    says_einval(bight_job_output_commit, NULL, 1);
    says_einval(bight_job_output_append, NULL, some, 1);
    says_einval(bight_job_output_append, (void *)some, NULL, 1);
    says_einval(bight_job_trace_context, NULL, (void *)some);
    says_einval(bight_job_trace_context, (void *)some, NULL);
    says_einval(bight_job_progress, NULL, some, 1);
    says_einval(bight_job_progress, (void *)some, NULL, 1);
    does_nothing(bight_job_output_clear, NULL);
    is_false(bight_job_cancelled, NULL);
    does_nothing(bight_job_set_local, NULL, NULL);
    walk_shared();
}
