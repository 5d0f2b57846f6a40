/* choose_model [RUNS]: which model for which work. I/O, computation, and both in turns, each as a
 * plain loop, in tasks, on threads, in workers, and with tasks for the one and workers for the
 * other; then in workers by their number. The best of so many runs. choose_model.gp draws it.
 *
 * To notice: the functions are the same throughout, a blocking one and one that is awaited. What
 * differs is who calls them. */
#include "samples/offload/lesson.h"
#include "samples/offload/slow_server.h"

#include <bight/errors.h>
#include <bight/gather.h>
#include <bight/runtime.h>
#include <bight/threads.h>
#include <bight/time.h>
#include <bight/workers.h>

#include <stdio.h>
#include <stdlib.h>

#define PIECES 32
#define LATENCY_MS 10
#define LIMIT 60000u /* primes below it are counted, which takes some milliseconds, */
#define PRIMES 6057u /* and are so many */

enum work { IO, CPU, MIXED, WORKS };

/* What is measured: each kind of work, and the start and the end of what the model needs. */
enum { START = WORKS, COLUMNS };

/* A piece of work, as it is sent to a worker too. */
struct piece {
    enum work work;
    uint16_t port;
    uint32_t limit;
};

/* --- the work --------------------------------------------------------------------------------- */

static uint32_t count_primes(uint32_t limit)
{
    uint32_t primes = 0;

    for (uint32_t n = 2; n < limit; n++) {
        uint32_t divisor = 2;

        while (divisor * divisor <= n && n % divisor)
            divisor++;
        primes += divisor * divisor > n;
    }
    return primes;
}

static int do_blocking(const struct piece *piece, uint32_t *answer)
{
    char text[SLOW_LINE_BYTES];
    int rc = piece->work == CPU ? 0 : slow_fetch_blocking(piece->port, LATENCY_MS, "/data", text);

    *answer = piece->work == IO ? 0 : count_primes(piece->limit);
    return rc;
}

static int piece_in_worker(struct bight_job *job)
{
    struct piece piece;
    uint32_t answer;
    int rc = job_input(job, &piece, sizeof piece);

    if (rc == 0)
        rc = do_blocking(&piece, &answer);
    return rc ? rc : bight_job_output_append(job, &answer, sizeof answer);
}

static const struct bight_job_def piece_job = {
    .name = "piece", .fn = piece_in_worker, .flags = BIGHT_JOB_IDEMPOTENT};

/* --- the models ------------------------------------------------------------------------------- */

struct call {
    struct bight_executor *executor;
    struct piece piece;
    uint32_t answer;
};

static int in_loop(void *arg)
{
    struct call *call = arg;

    return do_blocking(&call->piece, &call->answer);
}

static int in_task(void *arg)
{
    struct call *call = arg;
    char text[SLOW_LINE_BYTES];
    int rc = call->piece.work == CPU ? 0 : slow_fetch(call->piece.port, LATENCY_MS, "/data", text);

    call->answer = call->piece.work == IO ? 0 : count_primes(call->piece.limit);
    return rc;
}

static int on_thread(void *arg)
{
    struct call *call = arg;

    return bight_threads_call(call->executor, in_loop, call);
}

static int in_worker(void *arg)
{
    struct call *call = arg;

    return job_call(call->executor, &piece_job, &call->piece, sizeof call->piece, &call->answer,
                    sizeof call->answer);
}

/* The task waits for the network, a worker computes. */
static int in_both(void *arg)
{
    struct call *call = arg;
    struct piece rest = call->piece;
    char text[SLOW_LINE_BYTES];
    int rc = rest.work == CPU ? 0 : slow_fetch(rest.port, LATENCY_MS, "/data", text);

    call->answer = 0;
    if (rc || rest.work == IO)
        return rc;
    rest.work = CPU;
    return job_call(call->executor, &piece_job, &rest, sizeof rest, &call->answer,
                    sizeof call->answer);
}

static int no_executor(struct bight_executor **out, unsigned count)
{
    (void)count;
    *out = NULL;
    return 0;
}

static int new_threads(struct bight_executor **out, unsigned count)
{
    return bight_threads_new(out, &(struct bight_threads_options){.threads_most = count});
}

static int new_workers(struct bight_executor **out, unsigned count)
{
    return bight_workers_new(out, &(struct bight_workers_options){.workers = count});
}

static const struct model {
    const char *name;
    int (*call)(void *call);
    int (*start)(struct bight_executor **out, unsigned count);
    unsigned count; /* of threads or workers; 0: the executor's default */
    size_t at_once;
} models[] = {
    {"loop", in_loop, no_executor, 0, 1},
    {"tasks", in_task, no_executor, 0, PIECES},
    {"threads", on_thread, new_threads, PIECES, PIECES}, /* they mostly wait */
    {"workers", in_worker, new_workers, 0, PIECES},      /* one for each processor */
    {"both", in_both, new_workers, 0, PIECES},
};

#define MODELS (sizeof models / sizeof models[0])

/* --- measuring -------------------------------------------------------------------------------- */

static int run_pieces(const struct model *model, struct bight_executor *executor,
                      const struct piece *piece)
{
    struct call calls[PIECES];
    int rc = 0;

    for (int i = 0; i < PIECES; i++)
        calls[i] = (struct call){.piece = *piece, .executor = executor};
    if (model->at_once == 1)
        for (int i = 0; i < PIECES && rc == 0; i++)
            rc = model->call(&calls[i]);
    else
        rc = bight_map(model->call, calls, sizeof calls[0], PIECES, model->at_once, 0);
    for (int i = 0; i < PIECES && rc == 0; i++)
        if (calls[i].answer != (piece->work == IO ? 0 : PRIMES))
            rc = BIGHT_EPROTOCOL;
    return rc;
}

static int measure_once(const struct model *model, uint16_t port, double ms[COLUMNS])
{
    struct bight_executor *executor;
    uint64_t start = bight_now_ns();
    int ended = 0, rc = model->start(&executor, model->count);

    if (rc)
        return rc;
    ms[START] = ms_since(start);
    for (int work = 0; work < WORKS && rc == 0; work++) {
        start = bight_now_ns();
        rc = run_pieces(model, executor, &(struct piece){(enum work)work, port, LIMIT});
        ms[work] = ms_since(start);
    }
    start = bight_now_ns();
    if (executor)
        ended = bight_executor_end(executor);
    ms[START] += ms_since(start);
    return rc ? rc : ended;
}

struct runs {
    uint16_t port;
    long count;
};

/* The best of all runs: whatever else the machine does makes one longer, and none shorter. */
static int measure(const struct model *model, const char *name, const struct runs *runs)
{
    double best[COLUMNS], ms[COLUMNS];
    int rc = measure_once(model, runs->port, best);

    for (long i = 1; i < runs->count && rc == 0; i++) {
        rc = measure_once(model, runs->port, ms);
        for (int column = 0; column < COLUMNS && rc == 0; column++)
            if (ms[column] < best[column])
                best[column] = ms[column];
    }
    if (rc == 0)
        printf("%-8s %7.0f ms %7.0f ms %7.0f ms %7.0f ms\n", name, best[IO], best[CPU], best[MIXED],
               best[START]);
    return rc;
}

static int measure_all(const struct runs *runs)
{
    struct model workers = {"", in_worker, new_workers, 1, PIECES};
    char name[16];
    int rc = 0;

    printf("# model       I/O        CPU      mixed      start\n");
    for (size_t i = 0; i < MODELS && rc == 0; i++)
        rc = measure(&models[i], models[i].name, runs);
    printf("\n\n# workers     I/O        CPU      mixed      start\n");
    for (; workers.count <= PIECES && rc == 0; workers.count *= 2) {
        (void)snprintf(name, sizeof name, "%u", workers.count);
        rc = measure(&workers, name, runs);
    }
    return rc;
}

static int lesson(void *arg)
{
    struct runs *runs = arg;
    struct slow_server *server;
    int rc = slow_server_start(&server, &runs->port);

    if (rc)
        return rc;
    rc = measure_all(runs);
    slow_server_stop(server);
    return rc;
}

int main(int argc, char **argv)
{
    int rc = bight_workers_prepare(argc, argv);
    struct runs runs = {.count = argc > 1 ? strtol(argv[1], NULL, 10) : 1};

    return lesson_status("choose_model", rc ? rc : bight_run(lesson, &runs));
}
