/* <bight/job_process.h>: a pool of one worker, which has one job and is not replaced. The pool has
 * the record, and frees it. Read pool.h first. */
#include <bight/job_process.h>
#include <bight/shared.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "offload/pool/pool.h"

struct bight_job_process {
    struct pool *pool;
    struct bight_execution execution;
    void *input; /* a copy, where the worker's is filled in later */
    int pid;
    int rc;       /* what the execution came to */
    bool settled; /* it has ended */
    bool over;    /* and the process too */
    /* Done when it is over. A caller's time limit may cancel the first. */
    struct bight_future future;
    struct bight_future joined;
};

/* Something has changed in the pool. */
static void look(struct pool *pool)
{
    struct bight_job_process *process = pool->process;
    struct bight_result *result;

    if (!process || process->over || !process->settled || pool->count > 0)
        return;
    result = &process->execution.result;
    result->exit_signal = WIFSIGNALED(pool->end_status) ? WTERMSIG(pool->end_status) : 0;
    result->exit_status = WIFEXITED(pool->end_status) ? WEXITSTATUS(pool->end_status) : 0;
    process->over = true;
    pool->runtime->sched.outside--;
    (void)bight_future_set(&process->future, process);
    (void)bight_future_set(&process->joined, process);
}

static void settle(struct bight_execution *execution, int rc)
{
    struct bight_job_process *process =
        container_of(execution, struct bight_job_process, execution);

    process->rc = rc;
    process->settled = true;
    look(process->pool);
}

static void free_process(struct pool *pool)
{
    struct bight_job_process *process = pool->process;

    bight_result_free(&process->execution.result);
    bight__free(process->input);
    bight__free(process);
}

/* Give the job to the worker, which is ready. From here on it is the only one. */
static int give_job(struct pool *pool, struct bight_job_process *process,
                    const struct bight_job_def *def, const void *input, size_t input_bytes)
{
    int rc;

    if (input_bytes > FILL_BYTES) {
        process->input = bight__alloc(pool_seams(pool), input_bytes);
        if (!process->input)
            return BIGHT_ENOMEM;
        input = memcpy(process->input, input, input_bytes);
    }
    bight__execution_fill(&process->execution, &pool->base, def, input, input_bytes, NULL);
    process->execution.ended = settle;
    rc = bight__pool_begin(&pool->base, &process->execution);
    if (rc)
        return rc;
    pool->alone = true;
    pool->runtime->sched.outside++; /* also between the end of the job and that of the process */
    return 0;
}

static int begin(struct pool *pool, const struct bight_job_def *def, const void *input,
                 size_t input_bytes)
{
    struct bight_job_process *process = bight__alloc_zero(pool_seams(pool), sizeof(*process));

    if (!process)
        return BIGHT_ENOMEM;
    process->pool = pool;
    process->pid = container_of(pool->workers.next, struct worker, link)->pid;
    bight_future_init(&process->future);
    bight_future_init(&process->joined);
    pool->process = process;
    pool->look = look;
    pool->free_process = free_process;
    return give_job(pool, process, def, input, input_bytes);
}

static int share(struct pool *pool, struct bight_shared *const *segments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int number = bight_workers_share(&pool->base, segments[i]);

        if (number < 0)
            return number;
    }
    return 0;
}

int bight_job_process_start(struct bight_job_process **out, const struct bight_job_def *def,
                            const void *input, size_t input_bytes,
                            const struct bight_job_process_options *options)
{
    static const struct bight_job_process_options defaults;
    const struct bight_job_process_options *from = options ? options : &defaults;
    const struct bight_workers_options pool_options = {.workers = 1,
                                                       .ahead = 1,
                                                       .jobs_max = 1,
                                                       .attempts_max = 1,
                                                       .grace_ms = from->grace_ms,
                                                       .payload_max_bytes = from->payload_max_bytes,
                                                       .nice = from->nice,
                                                       .limits = from->limits,
                                                       .limit_count = from->limit_count};
    struct pool *pool;
    int rc;

    if (!out || !bight__execution_valid(def, input, input_bytes, NULL) ||
        (!from->segments && from->segment_count))
        return BIGHT_EINVAL;
    rc = bight__pool_open(&pool, &pool_options, from->name ? from->name : def->name);
    if (rc)
        return rc;
    rc = share(pool, from->segments, from->segment_count);
    if (!rc)
        rc = begin(pool, def, input, input_bytes);
    if (rc) {
        pool->look = NULL;
        bight__pool_close(pool);
        return rc;
    }
    bight__opened_note(pool->runtime, pool);
    *out = pool->process;
    return 0;
}

static int check(const struct bight_job_process *process)
{
    if (!process)
        return BIGHT_EINVAL;
    return process->pool->base.runtime == bight__runtime() ? 0 : BIGHT_EPERM;
}

int bight_job_process_join(struct bight_job_process *process)
{
    int status, rc = check(process);

    return rc ? rc : bight_future_wait(&process->joined, &status, NULL);
}

struct bight_future *bight_job_process_future(struct bight_job_process *process)
{
    return process ? &process->future : NULL;
}

int bight_job_process_pid(const struct bight_job_process *process)
{
    return process ? process->pid : 0;
}

bool bight_job_process_alive(const struct bight_job_process *process)
{
    return process && !process->over;
}

static int send_signal(struct bight_job_process *process, int number)
{
    struct pool *pool;
    int rc = check(process);

    if (rc)
        return rc;
    pool = process->pool;
    if (process->over || link_empty(&pool->workers))
        return BIGHT_EALREADY;
    bight__worker_signal(container_of(pool->workers.next, struct worker, link), number);
    return 0;
}

int bight_job_process_terminate(struct bight_job_process *process)
{
    return send_signal(process, SIGTERM);
}

int bight_job_process_kill(struct bight_job_process *process)
{
    return send_signal(process, SIGKILL);
}

int bight_job_process_result(const struct bight_job_process *process,
                             const struct bight_result **result)
{
    if (!process || !result)
        return BIGHT_EINVAL;
    *result = process->over ? &process->execution.result : NULL;
    return process->over ? process->rc : BIGHT_EBUSY;
}

int bight_job_process_free(struct bight_job_process *process)
{
    int rc = process ? check(process) : 0;

    if (!process || rc)
        return rc;
    if (!process->over)
        return BIGHT_EBUSY;
    bight__pool_free(process->pool);
    return 0;
}
