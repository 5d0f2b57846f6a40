/* Rows of runtime/, but for runtime/stream and runtime/testing. */
#include "tests/nulls/rows.h"

#include <bight/uv.h>

static void runs(void)
{
    struct bight_runner *runner = NULL;

    says_einval(bight_run, NULL, NULL);
    says_einval(bight_run_with, NULL, NULL, NULL);
    says_einval(bight_runner_open, NULL, NULL);
    gives(BIGHT_ECLOSED, bight_runner_run, NULL, some_fn, NULL); /* one that was ended */
    says_einval(bight_runner_run, (void *)some, NULL, NULL);
    says_einval(bight_runner_end, NULL);
    gives(0, bight_runner_end, &runner);
    says_einval(bight_report_send, 0, NULL);
    says_einval(bight_report_write_fd, NULL, 2);
    says_einval(bight_metrics_write, NULL, NULL);
    says_einval(bight_metrics_text, NULL, 4096);
    says_einval(bight_log, BIGHT_LOG_INFO, NULL);
    says_einval(bight_log_line_text, NULL, BIGHT_LOG_TEXT, some, 4096);
    says_einval(bight_log_line_text, &(struct bight_log_line){.text = "text"}, BIGHT_LOG_TEXT, NULL,
                4096);
    says_einval(bight_trace_context_parse, NULL, "00");
    says_einval(bight_trace_context_parse, (void *)some, NULL);
    says_einval(bight_trace_context_format, NULL, some, 64);
    says_einval(bight_trace_context_format, &(struct bight_trace_context){.flags = 1}, NULL, 64);
    says_einval(bight_trace_context_make, NULL, NULL);
    says_einval(bight_trace_context_set, NULL, "a=1");
    says_einval(bight_trace_context_get, NULL);
    says_einval(bight_runtime_get_stats, NULL);
    says_einval(bight_runtime_count_parked, NULL, 1);
    says_einval(bight_runtime_get_stack_marks, NULL, 1);
    says_einval(bight_attach, NULL, (void *)some, NULL);
    says_einval(bight_attach, (void *)some, NULL, NULL);
    says_einval(bight_detach, NULL, NULL, NULL);
    does_nothing(bight_hook_init, NULL, NULL);
    says_einval(bight_hook_add_turn, NULL);
    says_einval(bight_hook_add_idle, NULL);
    is_false(bight_hook_remove, NULL);
}

static void services(void)
{
    int fd = 0;

    says_einval(bight_service_run, NULL, NULL, NULL, NULL);
    gives(1, bight_service_exit_code, NULL);
    says_einval(bight_service_notify, NULL);
    says_einval(bight_service_status, NULL);
    says_einval(bight_service_store_fds, NULL, &fd, 1);
    says_einval(bight_service_store_fds, "name", NULL, 1);
    says_einval(bight_service_get_fds, NULL, 1);
}

static void threads(void)
{
    struct bight_case without;
    void *item;

    says_einval(bight_mailbox_get, NULL);
    is_null(bight_mailbox_ref, NULL);
    does_nothing(bight_mailbox_unref, NULL);
    says_einval(bight_post_call, NULL, (void *)some_fn, NULL);
    says_einval(bight_post_call, (void *)some, NULL, NULL);
    says_einval(bight_post_record, NULL, (void *)some);
    says_einval(bight_post_record, (void *)some, NULL);
    says_einval(bight_thread_run, NULL, some_fn, NULL, NULL);
    says_einval(bight_thread_run, (void *)some, NULL, NULL, NULL);
    says_einval(bight_thread_call, NULL, some_fn, NULL, NULL);
    says_einval(bight_thread_call, (void *)some, NULL, NULL, NULL);
    says_einval(bight_thread_submit, NULL, (void *)some, some_fn, NULL);
    says_einval(bight_thread_submit, (void *)some, NULL, some_fn, NULL);
    says_einval(bight_thread_submit, (void *)some, (void *)some, NULL, NULL);
    is_null(bight_submission_ref, NULL);
    does_nothing(bight_submission_unref, NULL);
    says_einval(bight_submission_wait, NULL, -1, NULL);
    says_einval(bight_submission_cancel, NULL);
    does_nothing(bight_case_submission, NULL, (void *)some);
    does_nothing(bight_case_submission, &without, NULL);
    says_einval(bight_select, &without, 1, 0);
    says_einval(bight_run_many, 1, NULL, NULL);
    says_einval(bight_run_many_with, NULL, 1, NULL, NULL);
    gives(BIGHT_ENORUNTIME, bight_many_mailbox, NULL, 0);
    says_einval(bight_thread_event_new, NULL);
    is_null(bight_thread_event_ref, NULL);
    does_nothing(bight_thread_event_unref, NULL);
    does_nothing(bight_thread_event_set, NULL);
    does_nothing(bight_thread_event_clear, NULL);
    is_false(bight_thread_event_is_set, NULL);
    says_einval(bight_thread_event_wait, NULL, -1);
    says_einval(bight_thread_queue_new, NULL, 1, NULL, NULL);
    is_null(bight_thread_queue_ref, NULL);
    does_nothing(bight_thread_queue_unref, NULL);
    says_einval(bight_thread_queue_put, NULL, NULL, -1);
    says_einval(bight_thread_queue_try_put, NULL, NULL);
    says_einval(bight_thread_queue_get, NULL, &item, -1);
    says_einval(bight_thread_queue_get, (void *)some, NULL, -1);
    says_einval(bight_thread_queue_try_get, NULL, &item);
    says_einval(bight_thread_queue_try_get, (void *)some, NULL);
    does_nothing(bight_thread_queue_close, NULL);
    is_zero(bight_thread_queue_length, NULL);
    does_nothing(bight_case_thread_queue_get, NULL, (void *)some);
    does_nothing(bight_case_thread_queue_get, &without, NULL);
    says_einval(bight_select, &without, 1, 0);
    does_nothing(bight_case_thread_queue_put, NULL, (void *)some, NULL);
    does_nothing(bight_case_thread_queue_put, &without, NULL, NULL);
    says_einval(bight_select, &without, 1, 0);
}

static void times(void)
{
    says_einval(bight_ticker_init, NULL, 1, BIGHT_TICKER_BURST);
    says_einval(bight_ticker_wait, NULL);
    does_nothing(bight_ticker_reset, NULL);
    says_einval(bight_retry_run, NULL, NULL, NULL);
}

static void of_libuv(void)
{
    says_einval(bight_signal_open, NULL, 10);
    says_einval(bight_signal_wait, NULL);
    gives(0, bight_signal_end, NULL);
    does_nothing(bight_case_signal, NULL, (void *)some);
    says_einval(bight_uv_req_init, NULL);
    says_einval(bight_uv_await, NULL);
    does_nothing(bight_uv_on_fs, NULL);
    does_nothing(bight_uv_on_connect, NULL, 0);
    does_nothing(bight_uv_on_write, NULL, 0);
    does_nothing(bight_uv_on_shutdown, NULL, 0);
    does_nothing(bight_uv_on_udp_send, NULL, 0);
    does_nothing(bight_uv_on_getaddrinfo, NULL, 0, NULL);
    does_nothing(bight_uv_on_getnameinfo, NULL, 0, NULL, NULL);
    does_nothing(bight_uv_on_random, NULL, 0, NULL, 0);
    does_nothing(bight_uv_on_work, NULL, 0);
    says_einval(bight_uv_close, NULL);
}

static void processes(void)
{
    const struct bight_process_options options = {.argv = NULL};
    struct bight_process *process;
    struct bight_process_status status;
    struct bight_process_result result;
    struct bight_terminal_size size;
    struct bight_terminal_mode mode;
    struct bight_case chosen;

    says_einval(bight_process_start, NULL, &options);
    says_einval(bight_process_start, &process, NULL);
    is_zero(bight_process_pid, NULL);
    is_null(bight_process_input, NULL);
    is_null(bight_process_output, NULL);
    is_null(bight_process_error, NULL);
    is_null(bight_process_take_stream, NULL, 0);
    is_null(bight_process_terminal, NULL);
    says_einval(bight_terminal_get_size, NULL, &size);
    says_einval(bight_terminal_get_size, (void *)some, NULL);
    says_einval(bight_terminal_set_size, NULL, &size);
    says_einval(bight_terminal_set_size, (void *)some, NULL);
    says_einval(bight_terminal_set_raw, NULL, &mode);
    says_einval(bight_terminal_set_mode, NULL, &mode);
    says_einval(bight_terminal_set_mode, (void *)some, NULL);
    says_einval(bight_process_wait, NULL, &status);
    does_nothing(bight_case_process, NULL, (void *)some);
    does_nothing(bight_case_process, &chosen, NULL); /* the select refuses it */
    says_einval(bight_process_get_status, NULL, &status);
    says_einval(bight_process_get_status, (void *)some, NULL);
    says_einval(bight_process_signal, NULL, 1);
    says_einval(bight_process_kill, NULL);
    says_einval(bight_process_terminate, NULL, 0);
    gives(0, bight_process_end, NULL, 0);
    says_einval(bight_process_run, NULL, &options, NULL);
    says_einval(bight_process_run, &result, NULL, NULL);
    does_nothing(bight_process_result_free, NULL);
}

void walk_runtime(void)
{
    runs();
    services();
    threads();
    processes();
    times();
    of_libuv();
}
