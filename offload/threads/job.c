/* Jobs on threads: the job gets a copy of its input in memory that the thread keeps, and its output
 * grows where the caller is to find it. */
#include "offload/threads/threads.h"

#include <stdio.h>
#include <string.h>

#include <bight/time.h>

#include "coro/base/units.h"
#include "offload/chunk.h"
#include "offload/job.h"

/* So much room for inputs a thread keeps for later jobs. */
#define INPUT_KEPT_BYTES ((size_t)1 << 20)
#define OUTPUT_LEAST 64u

/* call.cancelled of a job that has run for too long. */
#define LATE 2u

/* What the executor keeps of an execution, in its record. */
struct execution {
    struct call call;
    struct bight_timer limit;  /* looks how long the job has run, if that has a limit */
    _Atomic uint64_t began_ns; /* by the hardware's clock; known only if that has a limit */
};

_Static_assert(sizeof(struct execution) <= sizeof(((struct bight_execution *)NULL)->kind),
               "it fits into the record");

static struct execution *execution_of(const struct bight_execution *record)
{
    return (struct execution *)(uintptr_t)record->kind;
}

static struct bight_execution *record_of(struct call *call)
{
    uint64_t *kind = (uint64_t *)(void *)container_of(call, struct execution, call);

    return container_of(kind, struct bight_execution, kind);
}

static struct threads *threads_of(const struct bight_executor *executor)
{
    return container_of((struct bight_executor *)(uintptr_t)executor, struct threads, base);
}

/* The job as its thread has it. */
struct running {
    struct bight_job job;
    struct thread *thread;
    struct bight_execution *record;
};

static const struct bight_seams *seams_of(const struct thread *thread)
{
    return threads_seams(thread->threads);
}

static int grow(struct bight_job *job, size_t bytes)
{
    const struct thread *thread = container_of(job, struct running, job)->thread;
    size_t room = job->output_room ? job->output_room : OUTPUT_LEAST;
    unsigned char *output;

    if (bytes > PTRDIFF_MAX)
        return BIGHT_ENOMEM;
    while (room < bytes)
        room *= 2;
    output = bight__alloc(seams_of(thread), room);
    if (!output)
        return BIGHT_ENOMEM;
    if (job->output_bytes)
        memcpy(output, job->output, job->output_bytes);
    bight__free(job->output);
    job->output = output;
    job->output_room = room;
    return 0;
}

static void clear(struct bight_job *job)
{
    (void)job; /* the room stays */
}

static void set_local(struct bight_job *job, void *local)
{
    container_of(job, struct running, job)->thread->local = local;
}

static int progress(struct bight_job *job, const void *data, size_t bytes)
{
    struct running *running = container_of(job, struct running, job);

    if (!running->record->options.progress)
        return 0;
    return bight__report(running->thread->threads, running->record, data, bytes);
}

static void returned(struct bight_job *job)
{
    (void)job; /* in the thread that it was called in */
}

static const struct bight__job_ops job_ops = {grow, clear, set_local, progress, returned};

/* A copy of the input, or NULL when there is no memory. */
static void *copy_input(struct thread *thread, const void *input, size_t bytes)
{
    if (bytes > thread->input_room) {
        bight__free(thread->input);
        thread->input = bytes <= PTRDIFF_MAX ? bight__alloc(seams_of(thread), bytes) : NULL;
        thread->input_room = thread->input ? bytes : 0;
    }
    if (thread->input)
        memcpy(thread->input, input, bytes);
    return thread->input;
}

static void drop_input(struct thread *thread)
{
    if (thread->input_room <= INPUT_KEPT_BYTES)
        return;
    bight__free(thread->input);
    thread->input = NULL;
    thread->input_room = 0;
}

static void give_result(struct bight_execution *record, const struct bight_job *job, int code)
{
    struct bight_result *result = &record->result;

    result->code = code;
    result->attempts = 1;
    result->output_bytes = job->output_bytes;
    if (job->output_bytes)
        result->output = job->output;
    else
        bight__free(job->output);
    execution_of(record)->call.rc = code < 0 ? BIGHT_EJOBFAILED : 0;
}

static void run(struct call *call, struct thread *thread)
{
    struct bight_execution *record = record_of(call);
    struct running running = {.job = {.input_bytes = record->input_bytes,
                                      .attempt = 1,
                                      .local = thread->local,
                                      .ops = &job_ops,
                                      .cancel_flag = &call->cancelled,
                                      .trace = record->traced ? &record->trace : NULL},
                              .thread = thread,
                              .record = record};
    int code;

    if (record->options.run_ms > 0)
        atomic_store(&execution_of(record)->began_ns, uv_hrtime());
    if (record->input_bytes) {
        running.job.input = copy_input(thread, record->input, record->input_bytes);
        if (!running.job.input) {
            call->rc = BIGHT_ENOMEM;
            return;
        }
    }
    code =
        record->items ? bight__chunk_run(&running.job, record->def) : record->def->fn(&running.job);
    if (record->options.run_ms > 0) /* it is not late any more, whenever the loop looks */
        atomic_store(&execution_of(record)->began_ns, UINT64_MAX);
    give_result(record, &running.job, code);
    drop_input(thread);
}

static bool is_late(const struct execution *execution, int64_t run_ms, int64_t *left_ms)
{
    uint64_t began_ns = atomic_load(&execution->began_ns), now_ns = uv_hrtime();
    uint64_t end_ns = ns_after(began_ns ? began_ns : now_ns, run_ms);

    if (now_ns >= end_ns)
        return true;
    *left_ms = (int64_t)((end_ns - now_ns) / NS_PER_MS) + 1;
    return false;
}

static void look_again(struct execution *execution, int64_t delay_ms)
{
    struct bight_sched *sched = bight__sched;
    uint64_t when_ns = ns_after(bight_now_ns(), delay_ms);

    if (when_ns != UINT64_MAX)
        sched->driver->arm(sched, &execution->limit, when_ns);
}

static void limit_over(struct bight_timer *timer)
{
    struct execution *execution = container_of(timer, struct execution, limit);
    const struct bight_execution *record = record_of(&execution->call);
    int64_t left_ms = record->options.run_ms;

    if (!call_waits(threads_of(record->executor), &execution->call) &&
        is_late(execution, left_ms, &left_ms))
        __atomic_store_n(&execution->call.cancelled, LATE, __ATOMIC_RELAXED);
    else
        look_again(execution, left_ms);
}

static void forget_limit(struct execution *execution)
{
    struct bight_sched *sched = bight__sched;

    sched->driver->disarm(sched, &execution->limit);
}

static void ended(struct call *call)
{
    struct bight_execution *record = record_of(call);
    struct execution *execution = execution_of(record);
    int rc = call->rc;

    if (rc == BIGHT_EINITFAILED)
        record->result.code = call->init_code;
    if (unlikely(record->options.run_ms > 0)) {
        forget_limit(execution);
        if (call->cancelled == LATE && (rc == 0 || rc == BIGHT_EJOBFAILED))
            rc = BIGHT_ETIMEDOUT;
    }
    record->ended(record, rc);
}

void bight__threads_describe(const struct bight_execution *record, char *text, size_t text_bytes)
{
    const struct execution *execution = execution_of(record);
    bool waits = call_waits(threads_of(record->executor), &execution->call);

    snprintf(text, text_bytes, "%s, %s", record->def->name, waits ? "queued" : "begun");
}

const struct bight_waiter_ops bight__threads_wait = {
    .name = "thread job",
    .abort = bight__execute_abort,
    .describe = bight__execute_describe,
    .flags = BIGHT_WAITER_OUTSIDE,
};

int bight__threads_begin(struct bight_executor *executor, struct bight_execution *record)
{
    struct execution *execution = execution_of(record);
    int rc;

    execution->call.run = run;
    execution->call.ended = ended;
    if (unlikely(record->options.run_ms > 0)) {
        execution->limit = (struct bight_timer){.fire = limit_over};
        link_init(&execution->limit.link);
        atomic_init(&execution->began_ns, 0);
    }
    if (unlikely(record->options.run_ms > 0))
        look_again(execution, record->options.run_ms);
    rc = bight__threads_put(threads_of(executor), &execution->call);
    if (rc && record->options.run_ms > 0)
        forget_limit(execution);
    return rc;
}

bool bight__threads_withdraw_job(struct bight_executor *executor, struct bight_execution *record)
{
    struct execution *execution = execution_of(record);

    if (!bight__threads_withdraw(threads_of(executor), &execution->call))
        return false;
    if (record->options.run_ms > 0)
        forget_limit(execution);
    return true;
}
