/* Maps: a window of batches, each the record of an execution and the chunk that is its input. A
 * batch is spare, open (being filled, or waiting for room in the executor), begun, or given (its
 * results are being handed out). See <bight/job_map.h> and batch.h. */
#include "offload/batch.h"

#include <string.h>

#include "coro/core/source.h"
#include "offload/executor.h"
#include "runtime/runtime.h"

#define CHUNK_MOST 65536u
#define WINDOW_MOST 65536u

static struct bight__batch *batch_of(struct bight_link *link)
{
    return container_of(link, struct bight__batch, link);
}

static int fill_in(struct bight_job_map_options *options, const struct bight_executor *executor)
{
    struct bight_executor_stats stats;

    if (options->chunk == 0)
        options->chunk = 1;
    if (options->window == 0) {
        (void)bight_executor_get_stats(executor, &stats);
        options->window = 2 * (size_t)stats.workers;
    }
    if (options->chunk > CHUNK_MOST || options->window > WINDOW_MOST)
        return BIGHT_EINVAL;
    return 0;
}

int bight_job_map_begin(struct bight_job_map *map, struct bight_executor *executor,
                        const struct bight_job_def *def, bight_job_map_source *source, void *arg,
                        const struct bight_job_map_options *options)
{
    int rc;

    if (!map)
        return BIGHT_EINVAL;
    *map = (struct bight_job_map){.def = def, .source = source, .arg = arg};
    if (!executor || !source || !bight__execution_valid(def, NULL, 0, NULL))
        return BIGHT_EINVAL;
    if (executor->runtime != bight__runtime())
        return BIGHT_EPERM;
    if (options)
        map->options = *options;
    rc = fill_in(&map->options, executor);
    if (rc)
        return rc;
    map->batches =
        bight__alloc_zero(&bight__sched->seams, map->options.window * sizeof(*map->batches));
    if (!map->batches)
        return BIGHT_ENOMEM;
    link_init(&map->spare);
    link_init(&map->begun);
    link_init(&map->ended);
    for (size_t i = 0; i < map->options.window; i++) {
        map->batches[i].map = map;
        link_append(&map->spare, &map->batches[i].link);
    }
    map->executor = executor;
    return 0;
}

/* An execution has ended, or was withdrawn. */
static void note_end(struct bight__batch *batch, int rc)
{
    struct bight_job_map *map = batch->map;
    struct bight_waiter *waiter = map->waiter;

    batch->status = rc;
    batch->ended = true;
    if (map->options.unordered) {
        link_remove(&batch->link);
        link_append(&map->ended, &batch->link);
    }
    if (!waiter)
        return;
    map->waiter = NULL;
    (void)bight_unpark(waiter, 0);
}

static void execution_ended(struct bight_execution *execution, int rc)
{
    bight__sched->outside--;
    note_end(container_of(execution, struct bight__batch, execution), rc);
}

/* A batch to put items into. NULL: the window is full. */
static struct bight__batch *open_batch(struct bight_job_map *map)
{
    struct bight_link *link;

    if (map->open)
        return map->open;
    link = link_take(&map->spare);
    if (!link)
        return NULL;
    map->open = batch_of(link);
    bight__batch_clear(map->open, map->index);
    return map->open;
}

/* Ask the source for as many items as a chunk has. The failure of the source, or its end, is noted
 * in the map. */
static int fill(struct bight_job_map *map, struct bight__batch *batch)
{
    while (batch->items < map->options.chunk && !map->drained) {
        const void *input = NULL;
        size_t input_bytes = 0;
        int rc = map->source(map->arg, &input, &input_bytes);

        if (bight_is_stop(rc))
            return rc;
        if (rc > 0)
            rc = bight__batch_add(batch, input, input_bytes);
        else
            map->drained = true;
        if (rc < 0) {
            map->drained = true;
            map->failure = rc;
            batch->items = 0;
        }
        map->index += !map->drained;
    }
    return 0;
}

/* There is room, or `rc` says why there will be none. An item that cannot be given to the executor
 * has a status all the same. */
static void begin_batch(struct bight_job_map *map, struct bight__batch *batch, int rc)
{
    struct bight_executor *executor = map->executor;
    struct bight_execution *execution = &batch->execution;

    bight__batch_seal(batch);
    bight__execution_fill(execution, executor, map->def, batch->input, batch->input_bytes,
                          &map->options.execute);
    execution->items = batch->items; /* it is not bare, for it has options */
    execution->ended = execution_ended;
    map->open = NULL;
    link_append(&map->begun, &batch->link);
    if (rc) {
        note_end(batch, rc);
        return;
    }
    rc = executor->ops->begin(executor, execution);
    if (rc) {
        note_end(batch, rc);
        bight__executor_give_room(executor);
    } else {
        bight__sched->outside++; /* also while no task waits for a result */
    }
}

static bool has_begun(struct bight_job_map *map)
{
    return !link_empty(&map->begun) || !link_empty(&map->ended);
}

/* Begin what the window has room for. Where others fill the executor, wait only if nothing of this
 * map is there that makes room. */
static int begin_all(struct bight_job_map *map)
{
    struct bight__batch *batch;

    while (!map->drained || map->open) {
        int rc;

        batch = open_batch(map);
        if (!batch)
            return 0;
        rc = fill(map, batch);
        if (rc)
            return rc;
        if (!batch->items) {
            map->open = NULL;
            link_append(&map->spare, &batch->link);
            return 0;
        }
        rc = bight__executor_full(map->executor);
        if (rc == BIGHT_EFULL && has_begun(map))
            return 0;
        if (rc == BIGHT_EFULL)
            rc = bight__executor_enter(map->executor, true);
        if (bight_is_stop(rc))
            return rc;
        begin_batch(map, batch, rc);
    }
    return 0;
}

struct map_wait {
    struct bight_waiter waiter;
    struct bight_job_map *map;
};

static int abort_next(struct bight_waiter *waiter)
{
    container_of(waiter, struct map_wait, waiter)->map->waiter = NULL;
    return 0;
}

static const struct bight_waiter_ops next_ops = {
    .name = "result of a job map",
    .abort = abort_next,
};

static const struct bight_waiter_ops end_ops = {
    .name = "end of a job map",
    .abort = NULL,
};

static int await(struct bight_job_map *map, const struct bight_waiter_ops *ops)
{
    struct map_wait wait = {.map = map};

    bight__waiter_begin(&wait.waiter, ops);
    map->waiter = &wait.waiter;
    return bight_park(&wait.waiter);
}

/* The batch whose results are next, if it has ended. */
static struct bight__batch *find_ended(struct bight_job_map *map)
{
    struct bight_link *list = map->options.unordered ? &map->ended : &map->begun;
    struct bight__batch *batch = link_empty(list) ? NULL : batch_of(list->next);

    if (!batch || !batch->ended)
        return NULL;
    link_remove(&batch->link);
    return batch;
}

static void retire(struct bight_job_map *map)
{
    struct bight__batch *batch = map->given;

    bight_result_free(&batch->execution.result);
    map->given = NULL;
    link_append(&map->spare, &batch->link);
}

static int next(struct bight_job_map *map, struct bight_job_map_item *item)
{
    if (map->given && map->given->given == map->given->items)
        retire(map);
    while (!map->given) {
        int rc = begin_all(map);

        if (rc)
            return rc;
        map->given = find_ended(map);
        if (map->given)
            break;
        if (!has_begun(map) && !map->open)
            return map->failure ? map->failure : BIGHT_ECLOSED;
        rc = await(map, &next_ops);
        if (rc)
            return rc;
    }
    bight__batch_give(map->given, item);
    return 0;
}

int bight_job_map_next(struct bight_job_map *map, struct bight_job_map_item *item)
{
    int rc;

    if (!map || !item || !map->executor)
        return BIGHT_EINVAL;
    if (map->busy)
        return BIGHT_EBUSY;
    map->busy = true; /* also while others run in the checkpoint */
    rc = bight_checkpoint();
    if (!rc)
        rc = next(map, item);
    map->busy = false;
    return rc;
}

static void withdraw_all(struct bight_job_map *map)
{
    struct bight_executor *executor = map->executor;

    for (size_t i = 0; i < map->options.window; i++) {
        struct bight__batch *batch = &map->batches[i];

        if (link_empty(&batch->link) || batch->ended || batch == map->open)
            continue;
        if (batch->execution.executor && executor->ops->withdraw(executor, &batch->execution))
            execution_ended(&batch->execution, BIGHT_ECANCELED);
    }
}

static bool is_idle(struct bight_job_map *map)
{
    for (const struct bight_link *at = map->begun.next; at != &map->begun; at = at->next) {
        if (!container_of(at, const struct bight__batch, link)->ended)
            return false;
    }
    return true;
}

int bight_job_map_end(struct bight_job_map *map)
{
    if (!map)
        return BIGHT_EINVAL;
    if (!bight_self())
        return BIGHT_ENOTASK;
    if (!map->executor)
        return 0;
    if (map->executor->runtime != bight__runtime())
        return BIGHT_EPERM;
    if (map->busy)
        return BIGHT_EBUSY;
    map->busy = true;
    withdraw_all(map);
    while (!is_idle(map))
        (void)!await(map, &end_ops);
    for (size_t i = 0; i < map->options.window; i++) {
        bight__batch_free(&map->batches[i]);
    }
    bight__free(map->batches);
    *map = (struct bight_job_map){0};
    return 0;
}

struct rows {
    struct bight_job_map_row *rows;
    size_t count;
    size_t next;
};

static int next_row(void *arg, const void **input, size_t *input_bytes)
{
    struct rows *rows = arg;

    if (rows->next == rows->count)
        return 0;
    *input = rows->rows[rows->next].input;
    *input_bytes = rows->rows[rows->next++].input_bytes;
    return 1;
}

static int keep(struct bight_job_map_row *row, const struct bight_job_map_item *item)
{
    void *output = NULL;

    if (item->output_bytes) {
        output = bight__alloc(&bight__sched->seams, item->output_bytes);
        if (!output)
            return BIGHT_ENOMEM;
        memcpy(output, item->output, item->output_bytes);
    }
    row->status = item->status;
    row->result = (struct bight_result){.code = item->code,
                                        .output = output,
                                        .output_bytes = item->output_bytes,
                                        .exit_signal = item->exit_signal,
                                        .exit_status = item->exit_status,
                                        .attempts = item->attempts};
    return 0;
}

int bight_job_map_all(struct bight_executor *executor, const struct bight_job_def *def,
                      struct bight_job_map_row *rows, size_t count,
                      const struct bight_job_map_options *options)
{
    struct rows source = {rows, count, 0};
    struct bight_job_map_item item;
    struct bight_job_map map;
    int rc, ended;

    if (!executor || !bight__execution_valid(def, NULL, 0, NULL) || (!rows && count))
        return BIGHT_EINVAL;
    for (size_t i = 0; i < count; i++) {
        rows[i].status = BIGHT_ECANCELED;
        rows[i].result = (struct bight_result){0};
    }
    rc = bight_checkpoint();
    if (!rc)
        rc = bight_job_map_begin(&map, executor, def, next_row, &source, options);
    if (rc)
        return rc;
    while (!rc && !(rc = bight_job_map_next(&map, &item)))
        rc = keep(&rows[item.index], &item);
    ended = bight_job_map_end(&map);
    if (rc != BIGHT_ECLOSED)
        return rc;
    rc = ended;
    for (size_t i = count; i-- > 0;)
        rc = rows[i].status ? rows[i].status : rc;
    return rc;
}
