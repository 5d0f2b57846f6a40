/* bight_execute: an execution, and the wait for it, in the caller's frame. See executor.h. */
#include "offload/executor.h"

#include "coro/core/source.h"
#include "offload/input.h"
#include "runtime/runtime.h"
#include "runtime/trace_context.h"

/* The record is not cleared: what the kind needs it fills in itself. */
struct awaited {
    struct bight_waiter waiter;
    int rc;
    struct bight_execution execution;
};

bool bight__execution_valid(const struct bight_job_def *def, const void *input, size_t input_bytes,
                            const struct bight_execute_options *options)
{
    const struct bight_job_input *placed = options ? options->placed : NULL;

    if (placed && (input != placed->data || !input_bytes || input_bytes > placed->bytes))
        return false;
    return def && def->fn && def->name && def->name[0] && !(def->flags & ~BIGHT_JOB_IDEMPOTENT) &&
           (input || input_bytes == 0);
}

/* For the task that runs, which may be NULL. */
static inline void fill(struct bight_execution *execution, struct bight_executor *executor,
                        const struct bight_job_def *def, const void *input, size_t input_bytes,
                        const struct bight_execute_options *options, const struct bight_task *self)
{
    const struct bight_trace_context *trace = bight__trace_context_seldom(self);

    execution->result = (struct bight_result){0};
    execution->executor = executor;
    execution->def = def;
    execution->input = input;
    execution->input_bytes = input_bytes;
    execution->options = options ? *options : (struct bight_execute_options){0};
    execution->ender = NULL;
    execution->items = 0;
    execution->bare = !options && !trace;
    execution->traced = trace;
    if (trace)
        execution->trace = *trace;
}

void bight__execution_fill(struct bight_execution *execution, struct bight_executor *executor,
                           const struct bight_job_def *def, const void *input, size_t input_bytes,
                           const struct bight_execute_options *options)
{
    fill(execution, executor, def, input, input_bytes, options, bight_self());
}

static void wake_caller(struct bight_execution *execution, int rc)
{
    struct awaited *awaited = container_of(execution, struct awaited, execution);

    awaited->rc = rc;
    bight__unpark_outside(&awaited->waiter);
}

/* Cancelled: withdraw the job if it has not begun, else it ends in its own time. It may refuse, but
 * it never shares a park: so it has the one flag that bight__unpark_outside wants. */
int bight__execute_abort(struct bight_waiter *waiter)
{
    struct bight_execution *execution = &container_of(waiter, struct awaited, waiter)->execution;
    struct bight_executor *executor = execution->executor;

    return executor->ops->withdraw(executor, execution) ? 0 : BIGHT_EBUSY;
}

void bight__execute_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct bight_execution *execution =
        &container_of(waiter, const struct awaited, waiter)->execution;

    execution->executor->ops->describe(execution, text, text_bytes);
}

static inline int begin(struct awaited *awaited, struct bight_task *self)
{
    struct bight_execution *execution = &awaited->execution;
    struct bight_executor *executor = execution->executor;
    int rc = 0;

    if (unlikely(!bight__executor_takes(executor)))
        rc = bight__executor_enter(executor, execution->options.wait_for_room);
    if (unlikely(rc))
        return rc;
    execution->ended = wake_caller;
    bight__waiter_begin_of(&awaited->waiter, executor->ops->wait, self);
    rc = executor->ops->begin(executor, execution);
    if (unlikely(rc))
        bight__executor_give_room(executor); /* it may have waited for its place */
    return rc;
}

/* Sleep until the job has ended, if it can begin. In the frame of the public function. */
__attribute__((always_inline)) static inline int
execute(struct bight_executor *executor, const struct bight_job_def *def, const void *input,
        size_t input_bytes, const struct bight_execute_options *options,
        struct bight_result *result, struct bight_task *self)
{
    struct awaited awaited;
    int rc;

    fill(&awaited.execution, executor, def, input, input_bytes, options, self);
    rc = begin(&awaited, self);
    if (likely(!rc)) {
        rc = bight__park_alone(self, &awaited.waiter);
        if (likely(!rc))
            rc = awaited.rc;
    } else {
        bight__breathe(self);
    }
    if (result)
        *result = awaited.execution.result;
    else
        bight_result_free(&awaited.execution.result);
    return rc;
}

/* What execute() needs is there; if not, why. */
static __attribute__((noinline)) int check(struct bight_executor *executor,
                                           const struct bight_job_def *def, const void *input,
                                           size_t input_bytes,
                                           const struct bight_execute_options *options)
{
    if (!executor || !bight__execution_valid(def, input, input_bytes, options))
        return BIGHT_EINVAL;
    if (!bight_self())
        return BIGHT_ENOTASK;
    if (executor->runtime != bight__runtime())
        return BIGHT_EPERM;
    executor->last_def = def;
    return 0;
}

/* `frame` is that of the public function, as for bight__observe_of. */
__attribute__((always_inline)) static inline int
check_and_execute(struct bight_executor *executor, const struct bight_job_def *def,
                  const void *input, size_t input_bytes,
                  const struct bight_execute_options *options, struct bight_result *result,
                  const char *frame)
{
    struct bight_task *self;
    int rc = 0;

    if (unlikely(options || !executor || executor->runtime != bight__runtime() ||
                 def != executor->last_def || !input))
        rc = check(executor, def, input, input_bytes, options);
    if (likely(!rc))
        rc = bight__observe_of(&self, frame);
    if (likely(!rc))
        return execute(executor, def, input, input_bytes, options, result, self);
    if (result)
        *result = (struct bight_result){0};
    return rc;
}

int bight_execute_with(struct bight_executor *executor, const struct bight_job_def *def,
                       const void *input, size_t input_bytes,
                       const struct bight_execute_options *options, struct bight_result *result)
{
    return check_and_execute(executor, def, input, input_bytes, options, result,
                             __builtin_frame_address(0));
}

int bight_execute(struct bight_executor *executor, const struct bight_job_def *def,
                  const void *input, size_t input_bytes, struct bight_result *result)
{
    return check_and_execute(executor, def, input, input_bytes, NULL, result,
                             __builtin_frame_address(0));
}
