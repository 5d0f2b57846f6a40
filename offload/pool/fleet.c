/* The workers of a pool: how many there are, what the zygote says about them, their deaths, the
 * zygote's death. A worker that ends is replaced at once; when workers or the zygote
 * fail at their start, the next attempt waits a while. What it may fail for, such as processes or
 * memory, can come back, so there is always a next one; but when the initialiser fails a few times
 * in a row, or there is no way to make a zygote, the pool is broken. Read pool.h first. */
#include "offload/pool/pool.h"

#include <errno.h>
#include <linux/sockios.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "offload/pool/prepare.h"
#include "offload/wire/control.h"

#define FAILURES_MAX 3
#define FIRST_RETRY_MS 20
/* How many requests to the zygote may be under way: its socket certainly holds this many. */
#define FORKING_MAX 16
/* How long the zygote, which serves other executors too, may take to read; and how often it is
 * looked whether it has while jobs are awaited. */
#define HEARING_MS 2000
#define HEARINGS 4

static struct worker *worker_of(struct bight_link *link)
{
    return container_of(link, struct worker, link);
}

void bight__fleet_hurry(struct pool *pool)
{
    if (link_empty(&pool->hearing.link))
        pool_arm(pool, &pool->hearing, HEARING_MS / HEARINGS);
    if (pool->failures >= FAILURES_MAX && pool->ready == 0)
        bight__executions_refuse(pool);
}

/* A worker or a zygote failed before it ran a job. */
static void count_failure(struct pool *pool, int code)
{
    pool->failures++;
    pool->failure = code;
    if (pool->dismissed)
        return;
    if (code == BIGHT_ENOTPREPARED)
        pool->broken = code;
    else if (pool->init_failures >= FAILURES_MAX && pool->ready == 0)
        pool->broken = pool->init_failure;
    if (pool->broken)
        bight__executions_refuse(pool);
    else if (pool->base.closing)
        bight__fleet_hurry(pool);
    bight__pool_progress(pool);
}

/* The same because of the initialiser: `code` is its result, or why it has none. */
static void count_init_failure(struct pool *pool, int code)
{
    pool->init_failures++;
    pool->init_failure = code;
    if (code == BIGHT_EWORKERDIED) {
        /* What jobs get that never ran is another code, and this is what the initialiser's is. */
        pool->init_failure = BIGHT_EINITFAILED;
        pool->init_code = code;
    }
    count_failure(pool, code);
}

/* The worker takes jobs once its process id is known and it is able. One of these is now true. */
static void check_ready(struct worker *worker)
{
    struct pool *pool = worker->pool;

    /* With too many of them it replaces one that runs its last job. */
    if (worker->phase != WORKER_STARTING || !worker->able || !worker->pid || worker->ended ||
        pool->ready >= pool->options.workers)
        return;
    bight__worker_phase(worker, WORKER_READY);
    worker->was_ready = true;
    pool->failures = pool->init_failures = 0;
    bight__pool_progress(pool);
    bight__pool_pump(pool);
    bight__balance(worker);
    bight__turnover_look(worker);
    bight__pool_tell(
        pool, &(struct bight_workers_event){.kind = BIGHT_WORKERS_STARTED, .pid = worker->pid});
}

void bight__fleet_admit(struct pool *pool)
{
    if (!pool->turns_over || pool->ready >= pool->options.workers)
        return;
    for (struct bight_link *at = pool->workers.next; at != &pool->workers; at = at->next)
        check_ready(worker_of(at));
}

static void initialised(struct bight_execution *init, int rc)
{
    struct worker *worker = container_of(init, struct worker, init);
    struct pool *pool = worker->pool;

    worker->served = 0; /* it is no job */
    pool->init_code = init->result.code;
    bight_result_free(&init->result);
    if (rc == 0) {
        worker->able = true;
        check_ready(worker);
    } else if (worker->phase == WORKER_STARTING) {
        worker->expected = true;
        bight__worker_doom(worker);
        count_init_failure(pool, rc == BIGHT_EJOBFAILED ? BIGHT_EINITFAILED : rc);
    }
}

static void heard(void *arg)
{
    struct worker *worker = arg;
    struct pool *pool = worker->pool;
    bool sound = bight__outputs_listen(worker);

    if (sound)
        (void)bight__harvest(worker);
    if (!worker->watch)
        return; /* its initialiser failed */
    if (!pool->options.init)
        worker->able = true;
    check_ready(worker);
    if (!sound || worker->scribbled || worker->spoiled ||
        (worker->phase == WORKER_DOOMED && worker->load == 0)) {
        bight__worker_doom(worker);
        bight__pool_pump(pool);
        return;
    }
    bight__turnover_look(worker);
    bight__fleet_admit(pool);
    bight__pool_pump(pool);
    bight__balance(worker);
}

static const struct worker_callbacks callbacks = {heard, bight__fleet_grace_over, initialised};

/* Take the results of a worker that has ended, and see to what is left in its ring. */
static void settle_ring(struct worker *worker, int status)
{
    if (!worker->scribbled)
        (void)bight__harvest(worker);
    while (worker->head > worker->tail) {
        struct execution *execution = worker->seats[--worker->head % CHANNEL_SLOTS].execution;
        bool began;

        if (!execution)
            continue;
        began = !bight__unpost(execution);
        execution->worker = worker;
        if (execution == execution_of(&worker->init))
            worker->init_began = began;
        else
            bight__execution_orphaned(execution, began, status);
    }
}

/* Whether the initialiser is to blame for the end of a worker that was never ready: SIGKILL comes
 * from elsewhere, from a kernel without memory for example. */
static bool died_of_init(const struct worker *worker, int status)
{
    return worker->init_began && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void forked(struct worker *worker, int pid)
{
    worker->pool->forking--;
    worker->pid = pid;
}

static void tell_death(const struct pool *pool, int pid, int status)
{
    const struct bight_workers_event event = {
        .kind = BIGHT_WORKERS_DIED,
        .pid = pid,
        .exit_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
        .exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0};

    bight__pool_tell(pool, &event);
}

/* The process has ended, or certainly will. `code` is the failure to count if the worker was never
 * ready, 0 if it has been counted. */
static void worker_ended(struct worker *worker, int status, int code)
{
    struct pool *pool = worker->pool;
    bool died = !worker->expected && worker->phase != WORKER_LEAVING;
    int pid;

    if (!worker->pid)
        forked(worker, -1);
    worker->ended = true;
    bight__shares_worker_ended(worker, code != 0);
    settle_ring(worker, status);
    if (died) {
        pool->died++;
        if (!worker->was_ready && code && died_of_init(worker, status))
            count_init_failure(pool, code);
        else if (!worker->was_ready && code)
            count_failure(pool, code);
    }
    pid = worker->pid;
    pool->end_status = status;
    bight__worker_free(worker);
    if (pool->alone) {
        pool->broken = BIGHT_EWORKERDIED;
        bight__executions_refuse(pool);
    }
    bight__pool_progress(pool);
    if (died && pid > 0)
        tell_death(pool, pid, status);
}

/* When the line is closed, the zygote kills this pool's workers and tells nobody about it. */
static void close_line(struct pool *pool)
{
    bight__watch_close(pool->line);
    pool->line = NULL;
    pool->line_stuck = false;
    pool->zygote_pid = 0;
}

static void end_workers(struct pool *pool)
{
    while (!link_empty(&pool->workers))
        worker_ended(worker_of(pool->workers.next), SIGKILL, 0);
}

static void zygote_ended(struct pool *pool)
{
    bool useless = pool->ready == 0;
    int why;

    close_line(pool);
    pool->zygotes_died++;
    why = bight__zygote_lost(pool->zygote_generation);
    end_workers(pool);
    if (useless)
        count_failure(pool, why);
}

static struct worker *find(struct pool *pool, uint64_t serial)
{
    for (struct bight_link *at = pool->workers.next; at != &pool->workers; at = at->next) {
        if (worker_of(at)->serial == serial)
            return worker_of(at);
    }
    return NULL;
}

static void obey(struct pool *pool, const struct control_message *message)
{
    struct worker *worker = find(pool, message->worker);

    if (message->kind == CONTROL_HELLO)
        pool->zygote_pid = message->pid;
    if (!worker)
        return;
    if (message->kind == CONTROL_SPAWNED) {
        forked(worker, message->pid);
        check_ready(worker);
    } else if (message->kind == CONTROL_FAILED) {
        worker_ended(worker, 0, -message->value);
    } else if (message->kind == CONTROL_ENDED) {
        worker_ended(worker, message->value, BIGHT_EWORKERDIED);
    }
}

/* The zygote sent something, or has ended. */
static void on_line(void *arg)
{
    struct pool *pool = arg;

    while (pool->line) {
        struct control_message message;
        int fds[CONTROL_FDS_MAX];
        int got = bight__control_receive(bight__watch_fd(pool->line), &message, fds);

        if (got == -EAGAIN)
            break;
        if (got == 1)
            obey(pool, &message);
        else
            zygote_ended(pool);
    }
    bight__fleet_fill(pool);
    bight__fleet_admit(pool);
    bight__pool_pump(pool);
}

int bight__fleet_connect(struct pool *pool)
{
    struct zygote_line line;
    int rc;

    if (pool->line)
        return 0;
    rc = bight__zygote_connect(&line);
    if (rc)
        return rc;
    rc = bight__watch_new(&pool->line, pool->runtime, line.fd, on_line, pool);
    if (rc) {
        close(line.fd);
        return rc;
    }
    pool->zygote_generation = line.generation;
    return 0;
}

static void fill_now(struct pool *pool)
{
    while (bight__turnover_wants(pool) && pool->forking < FORKING_MAX) {
        int rc = bight__fleet_connect(pool);

        if (!rc)
            rc = bight__worker_start(pool, &callbacks);
        if (pool->line && (rc == BIGHT_EPIPE || rc == BIGHT_ECONNRESET))
            zygote_ended(pool); /* it says why, and counts it unless there were workers */
        else if (rc)
            count_failure(pool, rc);
        if (rc && pool->failures)
            return;
    }
}

/* Wait after a failed attempt before the next one. */
void bight__fleet_fill(struct pool *pool)
{
    unsigned doublings = pool->failures < 7 ? pool->failures : 7;

    if (pool->broken || pool->dismissed || !link_empty(&pool->timer.link) ||
        !bight__turnover_wants(pool))
        return;
    if (pool->failures == 0)
        fill_now(pool);
    if (pool->failures && !pool->broken)
        pool_arm(pool, &pool->timer, FIRST_RETRY_MS << doublings);
}

/* Whether the zygote has not read all that it was sent. */
static bool zygote_is_deaf(const struct pool *pool)
{
    int unread = 0;

    return ioctl(bight__watch_fd(pool->line), SIOCOUTQ, &unread) < 0 || unread > 0;
}

static bool is_running_jobs(const struct pool *pool)
{
    for (const struct bight_link *at = pool->workers.next; at != &pool->workers; at = at->next) {
        const struct worker *worker = container_of(at, const struct worker, link);

        if (worker->phase == WORKER_READY && worker->load)
            return true;
    }
    return false;
}

/* The pool is closing, and waits for jobs. If none runs, those that are left wait for the zygote:
 * for a worker, or for the news that theirs has ended. Send it what it ignores, to see whether it
 * reads; otherwise it is stopped, or the keeper that should make it. */
void bight__fleet_hearing(struct bight_timer *timer)
{
    struct pool *pool = container_of(timer, struct pool, hearing);
    const struct control_message nothing = {.kind = CONTROL_SIGNAL};

    if (!pool->line || is_running_jobs(pool) || !zygote_is_deaf(pool)) {
        pool->unheard = 0;
        if (pool->line)
            (void)bight__control_send(bight__watch_fd(pool->line), &nothing, NULL, 0);
    } else if (++pool->unheard == HEARINGS) {
        pool->unheard = 0;
        zygote_ended(pool);
        bight__fleet_fill(pool);
        bight__pool_pump(pool);
    }
    pool_arm(pool, timer, HEARING_MS / HEARINGS);
}

/* Some workers that were let go are still there: kill them. If they stay even then, leave them to
 * the zygote. Only if the zygote does not listen either, kill it, and with it other pools'
 * workers. */
static void lose_patience(struct pool *pool)
{
    if (pool->impatient) {
        if (pool->line && zygote_is_deaf(pool)) {
            zygote_ended(pool);
        } else {
            close_line(pool);
            end_workers(pool);
        }
        return;
    }
    pool->impatient = true;
    for (struct bight_link *at = pool->workers.next; at != &pool->workers; at = at->next)
        bight__worker_signal(worker_of(at), SIGKILL);
    pool_arm(pool, &pool->timer, HEARING_MS);
}

void bight__fleet_timer(struct bight_timer *timer)
{
    struct pool *pool = container_of(timer, struct pool, timer);

    if (pool->dismissed) {
        lose_patience(pool);
        return;
    }
    if (pool->line_stuck && pool->line)
        zygote_ended(pool);
    if (!pool->broken)
        fill_now(pool);
    bight__fleet_fill(pool);
}

void bight__fleet_dismiss(struct pool *pool)
{
    pool->dismissed = true;
    pool_disarm(pool, &pool->timer);
    pool_disarm(pool, &pool->patience);
    pool_disarm(pool, &pool->hearing);
    pool_disarm(pool, &pool->idling);
    for (struct bight_link *at = pool->workers.next; at != &pool->workers; at = at->next) {
        struct worker *worker = worker_of(at);

        if (worker->phase != WORKER_DOOMED)
            bight__worker_phase(worker, WORKER_LEAVING);
        bight__watch_close(worker->watch);
        worker->watch = NULL;
    }
    if (pool->count)
        pool_arm(pool, &pool->timer, pool->options.grace_ms);
}

void bight__fleet_abandon(struct pool *pool)
{
    pool_disarm(pool, &pool->timer);
    pool_disarm(pool, &pool->patience);
    pool_disarm(pool, &pool->hearing);
    pool_disarm(pool, &pool->idling);
    pool_disarm(pool, &pool->filler);
    while (!link_empty(&pool->workers))
        bight__worker_free(worker_of(pool->workers.next));
    bight__watch_close(pool->line);
    pool->line = NULL;
}
