/* The calls of <bight/executor.h>: they check what holds for every kind of executor, then call its
 * own function. No job is kept here. */
#include "offload/executor.h"

#include <sched.h>
#include <sys/mman.h>

#include "coro/core/source.h"
#include "runtime/runtime.h"

static bool valid(const struct bight_job_def *def, const void *input, size_t input_bytes)
{
    return def && def->fn && def->name && def->name[0] && !(def->flags & ~BIGHT_JOB_IDEMPOTENT) &&
           (input || input_bytes == 0);
}

int bight_execute(struct bight_executor *executor, const struct bight_job_def *def,
                  const void *input, size_t input_bytes, struct bight_result *result)
{
    struct bight_result unwanted = {0};
    struct bight_task *self;
    int rc;

    if (result)
        *result = (struct bight_result){0};
    if (!executor || !valid(def, input, input_bytes))
        return BIGHT_EINVAL;
    rc = bight__observe(&self);
    if (rc)
        return rc;
    if (executor->runtime == bight__runtime())
        rc = executor->ops->execute(executor, def, input, input_bytes, result ? result : &unwanted);
    else
        rc = BIGHT_EPERM;
    bight_result_free(&unwanted);
    bight__breathe(self);
    return rc;
}

void bight_result_free(struct bight_result *result)
{
    if (!result)
        return;
    if (result->mapped_bytes)
        munmap(result->output, result->mapped_bytes);
    else
        bight__free(result->output);
    *result = (struct bight_result){0};
}

int bight_executor_end(struct bight_executor *executor)
{
    if (!executor)
        return BIGHT_EINVAL;
    if (!bight_self())
        return BIGHT_ENOTASK;
    if (executor->runtime != bight__runtime())
        return BIGHT_EPERM;
    return executor->ops->end(executor);
}

int bight_executor_get_stats(const struct bight_executor *executor,
                             struct bight_executor_stats *stats)
{
    if (!executor || !stats)
        return BIGHT_EINVAL;
    *stats = (struct bight_executor_stats){0};
    executor->ops->get_stats(executor, stats);
    return 0;
}

unsigned bight__cpu_count(void)
{
    cpu_set_t set;
    int count = 0;

    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        count = CPU_COUNT(&set);
    return count > 0 ? (unsigned)count : 1;
}
