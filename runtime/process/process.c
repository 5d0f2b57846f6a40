/* The life of a process: started, waited for, told to end, and ended. The loop hears of its end by
 * the pidfd and reaps it at once, whoever waits. */
#include "coro/core/source.h"
#include "runtime/process/process.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

struct process_wait {
    struct bight_waiter waiter; /* in the process's list */
    const struct bight_process *process;
    struct bight_process_status *status; /* NULL: not asked for */
};

/* Who waits is given the status here: the process may be gone when it runs. */
static void wake_all(struct bight_process *process)
{
    struct bight_link *link;

    while ((link = link_take(&process->waits))) {
        struct process_wait *wait = container_of(link, struct process_wait, waiter.link);

        if (wait->status)
            *wait->status = process->status;
        bight_unpark(&wait->waiter, 0);
    }
    (void)bight__wake_all(&process->cases, 0);
}

/* Its number is not another's yet, nor is that of its group. */
static void on_ended(struct poll_source *source, uint32_t events)
{
    struct bight_process *process = container_of(source, struct bight_process, source);

    (void)events;
    if (process->status.state != BIGHT_PROCESS_RUNNING)
        return;
    if (process->asked && process->leads)
        (void)bight__process_send_group(process, SIGKILL);
    if (bight__process_collect(process))
        wake_all(process);
}

/* Nothing is left of it but the record. */
static void release(struct bight_process *process)
{
    bight__guest_remove(&process->guest, process->registry);
    bight__source_remove(process->registry, &process->source, process->pidfd);
    close(process->pidfd);
    bight__free(process);
}

/* No task is left; its streams have been ended. */
static void on_runtime_end(struct stream_guest *guest)
{
    struct bight_process *process = container_of(guest, struct bight_process, guest);

    if (process->status.state == BIGHT_PROCESS_RUNNING) {
        (void)bight__process_send_group(process, SIGKILL);
        bight__process_bury(process->pid, process->pidfd);
    }
    release(process);
}

/* Fill in a record, whose child is made last. */
static int launch(struct bight_process *process, struct process_plan *plan,
                  const struct bight_seams *seams)
{
    int rc = bight__process_spawn(plan, seams, &process->pid, &process->pidfd);

    if (rc)
        return rc;
    process->leads = plan->options->flags & (BIGHT_PROCESS_NEW_GROUP | BIGHT_PROCESS_NEW_SESSION) ||
                     plan->terminal_fd >= 0;
    process->source.ready = on_ended;
    rc = bight__source_add(process->registry, &process->source, process->pidfd);
    if (rc) {
        (void)bight__process_send_group(process, SIGKILL);
        bight__process_bury(process->pid, process->pidfd);
        close(process->pidfd);
    }
    return rc;
}

static void adopt(struct bight_process *process, const struct process_stdio *stdio)
{
    for (int i = 0; i < STREAMS; i++)
        process->streams[i] = stdio->streams[i];
    link_init(&process->waits);
    link_init(&process->cases);
    process->guest = (struct stream_guest){.kind = "a process", .end = on_runtime_end};
    bight__guest_add(&process->guest, process->registry);
}

/* With a plan whose standard descriptors are to be opened. */
static int start(struct bight_process *process, struct process_plan *plan,
                 const struct bight_seams *seams)
{
    struct process_stdio stdio;
    int rc = bight__process_stdio_open(&stdio, seams, plan->options);

    if (rc)
        return rc;
    for (int i = 0; i <= STDERR_FILENO; i++)
        plan->maps[i].fd = stdio.fds[i];
    rc = launch(process, plan, seams);
    bight__process_stdio_close(&stdio);
    if (rc == 0) {
        adopt(process, &stdio);
        return 0;
    }
    for (int i = 0; i < STREAMS; i++)
        bight_stream_abort(stdio.streams[i]);
    return rc;
}

int bight_process_start(struct bight_process **out, const struct bight_process_options *options)
{
    const struct bight_seams *seams;
    struct bight_process *process;
    struct process_plan plan;
    struct streams *registry;
    int rc;

    if (!out || !options)
        return BIGHT_EINVAL;
    rc = bight__streams_get(&registry);
    if (rc)
        return rc;
    seams = &registry->poller.runtime->sched.seams;
    rc = bight__process_plan_make(&plan, seams, options);
    if (rc)
        return rc;
    process = bight__alloc_zero(seams, sizeof(*process));
    rc = BIGHT_ENOMEM;
    if (process) {
        process->registry = registry;
        rc = start(process, &plan, seams);
    }
    bight__process_plan_free(&plan);
    if (rc)
        bight__free(process);
    else
        *out = process;
    return rc;
}

static bool is_foreign(const struct bight_process *process)
{
    return process->registry->poller.runtime != bight__runtime();
}

int64_t bight_process_pid(const struct bight_process *process)
{
    return process ? process->pid : 0;
}

struct bight_stream *bight_process_input(const struct bight_process *process)
{
    return process ? process->streams[STDIN_FILENO] : NULL;
}

struct bight_stream *bight_process_output(const struct bight_process *process)
{
    return process ? process->streams[STDOUT_FILENO] : NULL;
}

struct bight_stream *bight_process_error(const struct bight_process *process)
{
    return process ? process->streams[STDERR_FILENO] : NULL;
}

struct bight_stream *bight_process_terminal(const struct bight_process *process)
{
    return process ? process->streams[TERMINAL_STREAM] : NULL;
}

struct bight_stream *bight_process_take_stream(struct bight_process *process, int child_fd)
{
    struct bight_stream *stream;

    if (!process || child_fd < 0 || child_fd > STDERR_FILENO)
        return NULL;
    stream = process->streams[child_fd];
    process->streams[child_fd] = NULL;
    return stream;
}

int bight_process_get_status(const struct bight_process *process,
                             struct bight_process_status *status)
{
    if (!process || !status)
        return BIGHT_EINVAL;
    *status = process->status;
    return 0;
}

static int send_if_there(const struct bight_process *process, int signum,
                         int (*sends)(const struct bight_process *process, int signum))
{
    if (!process)
        return BIGHT_EINVAL;
    if (is_foreign(process))
        return BIGHT_EPERM;
    return process->status.state == BIGHT_PROCESS_RUNNING ? sends(process, signum) : BIGHT_ESRCH;
}

int bight_process_signal(struct bight_process *process, int signum)
{
    return send_if_there(process, signum, bight__process_send);
}

int bight_process_kill(struct bight_process *process)
{
    return send_if_there(process, SIGKILL, bight__process_send_group);
}

/* Waiting */

static void wait_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct process_wait *wait = container_of(waiter, const struct process_wait, waiter);

    snprintf(text, text_bytes, "%d", (int)wait->process->pid);
}

static const struct bight_waiter_ops wait_ops = {
    .name = "process",
    .abort = bight__unlink_abort,
    .describe = wait_describe,
    .flags = BIGHT_WAITER_OUTSIDE,
};

/* Of a process that may have ended. */
static int wait_or_take(struct bight_process *process, struct bight_process_status *status)
{
    struct process_wait wait = {.process = process, .status = status};

    if (is_foreign(process))
        return BIGHT_EPERM;
    if (process->status.state != BIGHT_PROCESS_RUNNING) {
        if (status)
            *status = process->status;
        return 0;
    }
    bight__waiter_begin(&wait.waiter, &wait_ops);
    link_append(&process->waits, &wait.waiter.link);
    return bight_park(&wait.waiter);
}

int bight_process_wait(struct bight_process *process, struct bight_process_status *status)
{
    struct bight_task *self;
    int rc;

    if (!process)
        return BIGHT_EINVAL;
    rc = bight__observe(&self);
    if (rc)
        return rc;
    rc = wait_or_take(process, status);
    bight__breathe(self);
    return rc;
}

static bool case_attempt(struct bight_case *chosen)
{
    const struct bight_process *process = chosen->source;

    chosen->status = is_foreign(process) ? BIGHT_EPERM : 0;
    return chosen->status || process->status.state != BIGHT_PROCESS_RUNNING;
}

static int case_arm(struct bight_case *chosen)
{
    struct bight_process *process = chosen->source;

    link_append(&process->cases, &chosen->waiter.link);
    return 0;
}

static const struct bight_waiter_ops case_wait = {
    .name = "select: process",
    .abort = bight__unlink_abort,
    .flags = BIGHT_WAITER_OUTSIDE,
};
static const struct bight_case_ops case_ops = {&case_wait, case_attempt, case_arm, NULL};

void bight_case_process(struct bight_case *to, struct bight_process *process)
{
    if (to)
        bight_case_custom(to, process ? &case_ops : NULL, process);
}

/* Its end */

/* Sleep until it has ended, for `grace_ms`: 0, BIGHT_ETIMEDOUT, BIGHT_ECANCELED. */
static int wait_for(struct bight_process *process, int64_t grace_ms)
{
    struct bight_scope scope;
    int rc = bight_scope_begin(&scope, grace_ms, BIGHT_SCOPE_INHERIT);

    return rc ? rc : bight_scope_end(&scope, wait_or_take(process, NULL));
}

/* TERM, for `grace_ms`, then KILL, and its end. BIGHT_ESRCH: it has ended, of which the loop has
 * not heard. */
static int ask_to_end(struct bight_process *process, int64_t grace_ms)
{
    int rc;

    process->asked = true;
    if (grace_ms) {
        rc = bight__process_send_group(process, SIGTERM);
        if (rc && rc != BIGHT_ESRCH)
            return rc;
        (void)bight__process_send_group(process, SIGCONT);
        rc = wait_for(process, grace_ms);
        if (rc != BIGHT_ETIMEDOUT)
            return rc;
    }
    rc = bight__process_send_group(process, SIGKILL);
    return rc && rc != BIGHT_ESRCH ? rc : wait_or_take(process, NULL);
}

int bight_process_terminate(struct bight_process *process, int64_t grace_ms)
{
    struct bight_task *self;
    int rc;

    if (!process)
        return BIGHT_EINVAL;
    rc = bight__observe(&self);
    if (rc)
        return rc;
    if (is_foreign(process))
        return BIGHT_EPERM;
    if (process->status.state == BIGHT_PROCESS_RUNNING)
        rc = ask_to_end(process, grace_ms);
    bight__breathe(self);
    return rc;
}

/* Whatever is around. */
static int end_it(struct bight_process *process, int64_t grace_ms)
{
    struct bight_scope shield;
    int rc = bight_scope_begin(&shield, -1, BIGHT_SCOPE_SHIELD);

    return rc ? rc : bight_scope_end(&shield, ask_to_end(process, grace_ms));
}

static int end_streams(struct bight_process *process)
{
    for (int i = 0; i < STREAMS; i++) {
        int rc = bight_stream_end(process->streams[i], 0);

        if (rc)
            return rc;
        process->streams[i] = NULL;
    }
    return 0;
}

int bight__process_finish(struct bight_process *process, int64_t grace_ms,
                          struct bight_process_status *status)
{
    int rc = 0;

    if (is_foreign(process))
        return BIGHT_EPERM;
    if (process->ending)
        return BIGHT_EALREADY;
    process->ending = true;
    if (process->status.state == BIGHT_PROCESS_RUNNING)
        rc = end_it(process, grace_ms);
    *status = process->status;
    if (rc == 0)
        rc = end_streams(process);
    if (rc) {
        process->ending = false;
        return rc;
    }
    release(process);
    return 0;
}

int bight_process_end(struct bight_process *process, int64_t grace_ms)
{
    struct bight_process_status status;

    return process ? bight__process_finish(process, grace_ms, &status) : 0;
}
