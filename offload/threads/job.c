/* bight_execute on threads: the job gets a copy of its input in memory that the thread keeps, and
 * its output grows where the caller is to find it. */
#include "offload/threads/threads.h"

#include <stdio.h>
#include <string.h>

#include "offload/job.h"

/* So much room for inputs a thread keeps for later jobs. */
#define INPUT_KEPT_BYTES ((size_t)1 << 20)
#define OUTPUT_LEAST 64u

struct execution {
    struct call call;
    struct bight_waiter waiter;
    struct threads *threads;
    const struct bight_job_def *def;
    const void *input;
    size_t input_bytes;
    struct bight_result *result;
};

/* The job as its thread has it. */
struct running {
    struct bight_job job;
    struct thread *thread;
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

static const struct bight__job_ops job_ops = {.grow = grow, .clear = clear, .set_local = set_local};

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

static void give_result(struct execution *execution, const struct bight_job *job, int code)
{
    struct bight_result *result = execution->result;

    result->code = code;
    result->attempts = 1;
    result->output_bytes = job->output_bytes;
    if (job->output_bytes)
        result->output = job->output;
    else
        bight__free(job->output);
    execution->call.rc = code < 0 ? BIGHT_EJOBFAILED : 0;
}

static void run(struct call *call, struct thread *thread)
{
    struct execution *execution = container_of(call, struct execution, call);
    struct running running = {.job = {.input_bytes = execution->input_bytes,
                                      .attempt = 1,
                                      .local = thread->local,
                                      .ops = &job_ops,
                                      .cancel_flag = &call->cancelled},
                              .thread = thread};

    if (execution->input_bytes) {
        running.job.input = copy_input(thread, execution->input, execution->input_bytes);
        if (!running.job.input) {
            call->rc = BIGHT_ENOMEM;
            return;
        }
    }
    give_result(execution, &running.job, execution->def->fn(&running.job));
    drop_input(thread);
}

static void ended(struct call *call)
{
    bight__unpark_outside(&container_of(call, struct execution, call)->waiter);
}

/* Cancelled: withdraw the job if it has not begun; else it can see that nobody wants it. */
static int abort_execution(struct bight_waiter *waiter)
{
    struct execution *execution = container_of(waiter, struct execution, waiter);

    return bight__threads_withdraw(execution->threads, &execution->call) ? 0 : BIGHT_EBUSY;
}

static void describe_execution(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct execution *execution = container_of(waiter, const struct execution, waiter);
    bool waits = call_waits(execution->threads, &execution->call);

    snprintf(text, text_bytes, "%s, %s", execution->def->name, waits ? "queued" : "begun");
}

/* As for the calls of call.c. */
static const struct bight_waiter_ops execution_ops = {
    .name = "thread job",
    .abort = abort_execution,
    .describe = describe_execution,
    .flags = BIGHT_WAITER_OUTSIDE,
};

int bight__threads_execute(struct bight_executor *executor, const struct bight_job_def *def,
                           const void *input, size_t input_bytes, struct bight_result *result)
{
    struct execution execution = {.call = {.run = run, .ended = ended},
                                  .threads = container_of(executor, struct threads, base),
                                  .def = def,
                                  .input = input,
                                  .input_bytes = input_bytes,
                                  .result = result};
    int rc;

    bight__waiter_begin(&execution.waiter, &execution_ops);
    rc = bight__threads_take(execution.threads, &execution.call);
    if (rc)
        return rc;
    rc = bight_park(&execution.waiter);
    if (rc)
        return rc;
    if (execution.call.rc == BIGHT_EINITFAILED)
        result->code = execution.call.init_code;
    return execution.call.rc;
}
