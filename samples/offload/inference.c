/* Inference in parallel: what is to be classified is fetched by tasks, gathered into small batches,
 * classified in workers, and stored.
 *
 * To notice: the model is loaded before bight_workers_prepare, so all workers have it from their
 * first moment, and share its memory, because nobody writes to it. (What a worker has to open for
 * itself belongs into bight_workers_options.init.) The queue between is bounded: when workers are
 * slow the fetching waits, and memory does not grow. A batch goes when it is full, or a few
 * milliseconds after its first item: under load batches are large, and a lone item does not wait
 * for company. Who has fetched all closes the queue; what is in it is still taken. */
#include "samples/offload/lesson.h"

#include "samples/offload/network.h"
#include "samples/offload/slow_server.h"

#include <bight/errors.h>
#include <bight/gather.h>
#include <bight/mutex.h>
#include <bight/offload.h>
#include <bight/queue.h>
#include <bight/runtime.h>
#include <bight/scope.h>
#include <bight/time.h>
#include <bight/workers.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS 200
#define FETCHES 32 /* at a time */
#define WAITING 64 /* items that were fetched */
#define BATCH_MOST 16
#define BATCH_MS 5
#define IN_FLIGHT 4 /* batches */

static struct network network; /* written before there are workers, and never again */

struct item {
    struct pipeline *pipeline;
    uint32_t number;
    float input[NETWORK_INPUTS];
};

struct batch {
    struct pipeline *pipeline;
    size_t count;
    struct item *items[BATCH_MOST];
    int32_t classes[BATCH_MOST];
};

struct pipeline {
    struct bight_executor *workers;
    struct bight_queue *items;
    struct bight_mutex collecting;
    struct item *all;
    FILE *store;
    uint16_t port;
    unsigned batches;
};

/* --- in workers ------------------------------------------------------------------------------- */

static int classify(struct bight_job *job)
{
    const float(*inputs)[NETWORK_INPUTS] = job->input;
    size_t count = job->input_bytes / sizeof *inputs;
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++) {
        int32_t class = network_classify(&network, inputs[i]);

        rc = bight_job_output_append(job, &class, sizeof class);
    }
    return rc;
}

static const struct bight_job_def classify_job = {
    .name = "classify", .fn = classify, .flags = BIGHT_JOB_IDEMPOTENT};

/* --- fetch ------------------------------------------------------------------------------------ */

static int fetch_item(void *arg)
{
    struct item *item = arg;
    char path[16], answer[SLOW_LINE_BYTES];
    int rc;

    (void)snprintf(path, sizeof path, "/%u", item->number);
    rc = slow_fetch(item->pipeline->port, 1 + item->number % 5, path, answer);
    if (rc)
        return rc;
    /* As if the answer had them. */
    network_noise(item->input, NETWORK_INPUTS, 1 + strtoul(answer + 1, NULL, 10));
    return bight_queue_put(item->pipeline->items, item);
}

static int fetch_stage(void *arg)
{
    struct pipeline *pipeline = arg;
    int rc = bight_map(fetch_item, pipeline->all, sizeof *pipeline->all, ITEMS, FETCHES, 0);

    bight_queue_close(pipeline->items);
    return rc;
}

/* --- batch ------------------------------------------------------------------------------------ */

static int fill(void *arg)
{
    struct batch *batch = arg;
    void *items[BATCH_MOST];
    int count = bight_queue_get_many(batch->pipeline->items, items, BATCH_MOST - batch->count);

    for (int i = 0; i < count; i++)
        batch->items[batch->count++] = items[i];
    return count;
}

/* 0: the batch is full, or its time is over, or it is the last; BIGHT_ECLOSED: there is none. */
static int collect(struct batch *batch)
{
    int rc = fill(batch); /* the first, however long it takes */
    uint64_t deadline_ns = bight_now_ns() + BATCH_MS * 1000000;

    while (rc > 0 && batch->count < BATCH_MOST)
        rc = bight_deadline(deadline_ns, fill, batch);
    if (rc == BIGHT_ETIMEDOUT || (rc == BIGHT_ECLOSED && batch->count))
        return 0;
    return rc < 0 ? rc : 0;
}

/* --- classify and store ----------------------------------------------------------------------- */

static int store(void *arg) /* on a thread */
{
    const struct batch *batch = arg;
    int count = 0;

    for (size_t i = 0; i < batch->count && count >= 0; i++)
        count =
            fprintf(batch->pipeline->store, "%u %d\n", batch->items[i]->number, batch->classes[i]);
    return count < 0 ? BIGHT_EIO : 0;
}

static int process_batch(struct batch *batch)
{
    float inputs[BATCH_MOST][NETWORK_INPUTS];
    int rc;

    batch->pipeline->batches++;
    for (size_t i = 0; i < batch->count; i++)
        memcpy(inputs[i], batch->items[i]->input, sizeof inputs[i]);
    rc = job_call(batch->pipeline->workers, &classify_job, inputs, batch->count * sizeof inputs[0],
                  batch->classes, batch->count * sizeof batch->classes[0]);
    return rc ? rc : bight_offload(store, batch);
}

/* One of IN_FLIGHT tasks. One has the mutex and collects; the others have their batches at a worker
 * or in the store. */
static int process_batches(void *arg)
{
    struct pipeline *pipeline = *(struct pipeline **)arg;
    int rc;

    do {
        struct batch batch = {.pipeline = pipeline};

        rc = bight_mutex_lock(&pipeline->collecting);
        if (rc)
            return rc;
        rc = collect(&batch);
        bight_mutex_unlock(&pipeline->collecting);
        if (rc == 0)
            rc = process_batch(&batch);
    } while (rc == 0);
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int classify_stage(void *arg)
{
    struct pipeline *pipelines[IN_FLIGHT];

    for (int i = 0; i < IN_FLIGHT; i++)
        pipelines[i] = arg;
    return bight_map(process_batches, pipelines, sizeof pipelines[0], IN_FLIGHT, IN_FLIGHT, 0);
}

/* --- all of it -------------------------------------------------------------------------------- */

static int run_stages(struct pipeline *pipeline)
{
    struct bight_gather stages[] = {
        {.fn = fetch_stage, .arg = pipeline, .name = "fetch"},
        {.fn = classify_stage, .arg = pipeline, .name = "classify"},
    };
    int rc = bight_queue_new(&pipeline->items, WAITING);

    if (rc)
        return rc;
    rc = bight_gather_all(stages, sizeof stages / sizeof stages[0], 0);
    bight_queue_abort(pipeline->items, NULL, NULL); /* what a failure has left */
    bight_queue_free(pipeline->items);
    return rc;
}

/* What was stored, beside what one loop finds. */
static void check(struct pipeline *pipeline)
{
    int stored = 0, equal = 0, class;
    unsigned number;

    rewind(pipeline->store);
    while (fscanf(pipeline->store, "%u %d", &number, &class) == 2 && number < ITEMS) {
        stored++;
        equal += network_classify(&network, pipeline->all[number].input) == class;
    }
    printf("%d results stored, %d as one loop has them\n", stored, equal);
}

static int with_workers(struct pipeline *pipeline)
{
    uint64_t start = bight_now_ns();
    int ended, rc = bight_workers_new(&pipeline->workers, NULL);

    if (rc)
        return rc;
    rc = run_stages(pipeline);
    if (rc == 0) {
        printf("%d items, %u batches of at most %d: %.0f ms\n", ITEMS, pipeline->batches,
               BATCH_MOST, ms_since(start));
        check(pipeline);
    }
    ended = bight_executor_end(pipeline->workers);
    return rc ? rc : ended;
}

static int lesson(void *arg)
{
    struct pipeline *pipeline = arg;
    struct slow_server *server;
    int rc = slow_server_start(&server, &pipeline->port);

    if (rc)
        return rc;
    rc = with_workers(pipeline);
    slow_server_stop(server);
    return rc;
}

static int run(void)
{
    struct pipeline pipeline = {
        .collecting = BIGHT_MUTEX_INIT,
        .store = tmpfile(),
        .all = calloc(ITEMS, sizeof *pipeline.all),
    };
    int rc = pipeline.store && pipeline.all ? 0 : BIGHT_ENOMEM;

    for (uint32_t i = 0; i < ITEMS && rc == 0; i++) {
        pipeline.all[i].pipeline = &pipeline;
        pipeline.all[i].number = i;
    }
    if (rc == 0)
        rc = bight_run(lesson, &pipeline);
    free(pipeline.all);
    if (pipeline.store)
        (void)fclose(pipeline.store);
    return rc;
}

int main(int argc, char **argv)
{
    int rc;

    network_load(&network, 20260801);
    rc = bight_workers_prepare(argc, argv);
    return lesson_status("inference", rc ? rc : run());
}
