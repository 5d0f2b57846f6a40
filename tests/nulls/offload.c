/* Rows of offload/. */
#include "tests/nulls/rows.h"

void walk_offload(void)
{
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
    says_einval(bight_execute, NULL, (void *)some, NULL, 0, NULL);
    says_einval(bight_execute, (void *)some, NULL, NULL, 0, NULL);
    does_nothing(bight_result_free, NULL);
    says_einval(bight_job_output_reserve, NULL, 1, &room);
    says_einval(bight_job_output_reserve, (void *)some, 1, NULL);
    says_einval(bight_job_output_commit, NULL, 1);
    says_einval(bight_job_output_append, NULL, some, 1);
    says_einval(bight_job_output_append, (void *)some, NULL, 1);
    does_nothing(bight_job_output_clear, NULL);
    is_false(bight_job_cancelled, NULL);
    does_nothing(bight_job_set_local, NULL, NULL);
}
