/* Several items of one definition in one job: fewer wake-ups, and less for the loop to do. See
 * chunk.h. */
#include "offload/chunk.h"

#include <string.h>

#include <bight/errors.h>

#include "coro/base/list.h"
#include "offload/executor.h"
#include "offload/job.h"

/* One item, as its function sees it. Its output grows at the end of the whole job's. */
struct item {
    struct bight_job job;
    struct bight_job *whole;
    bool too_big;
};

static void point(struct item *item)
{
    item->job.output = item->whole->output + item->whole->output_bytes;
    item->job.output_room = item->whole->output_room - item->whole->output_bytes;
}

static int grow(struct bight_job *job, size_t bytes)
{
    struct item *item = container_of(job, struct item, job);
    size_t before = item->whole->output_bytes;
    void *room;
    int rc;

    item->whole->output_bytes += job->output_bytes; /* what is there is kept */
    rc = bight_job_output_reserve(item->whole, bytes - job->output_bytes, &room);
    item->whole->output_bytes = before;
    point(item);
    if (rc == BIGHT_ETOOBIG) {
        item->too_big = true;
        item->whole->ops->clear(item->whole);
    }
    return rc;
}

static void clear(struct bight_job *job)
{
    container_of(job, struct item, job)->too_big = false;
}

static void set_local(struct bight_job *job, void *local)
{
    bight_job_set_local(container_of(job, struct item, job)->whole, local);
}

static int progress(struct bight_job *job, const void *data, size_t bytes)
{
    return bight_job_progress(container_of(job, struct item, job)->whole, data, bytes);
}

static void returned(struct bight_job *job)
{
    struct bight_job *whole = container_of(job, struct item, job)->whole;

    whole->ops->returned(whole);
}

static const struct bight__job_ops item_ops = {grow, clear, set_local, progress, returned};

/* Pad the output, so that the next item's is aligned. */
static int pad(struct bight_job *whole)
{
    size_t bytes = chunk_round_output(whole->output_bytes) - whole->output_bytes;
    void *room;
    int rc;

    if (!bytes)
        return 0;
    rc = bight_job_output_reserve(whole, bytes, &room);
    if (rc)
        return rc;
    memset(room, 0, bytes);
    return bight_job_output_commit(whole, bytes);
}

static struct chunk_outcome *outcome_at(struct bight_job *whole, uint32_t at)
{
    return (struct chunk_outcome *)(void *)whole->output + at;
}

static void run_item(struct bight_job *whole, const struct bight_job_def *def, uint32_t at,
                     void *input, size_t input_bytes)
{
    struct item item = {.whole = whole,
                        .job = {.input = input_bytes ? input : NULL,
                                .input_bytes = input_bytes,
                                .attempt = whole->attempt,
                                .local = whole->local,
                                .ops = &item_ops,
                                .cancel_flag = whole->cancel_flag,
                                .trace = whole->trace}};
    int code, rc;

    rc = pad(whole);
    if (rc) {
        whole->ops->clear(whole);
        outcome_at(whole, at)->end = rc == BIGHT_ETOOBIG ? CHUNK_TOO_BIG : CHUNK_NO_MEMORY;
        return;
    }
    point(&item);
    code = def->fn(&item.job);
    returned(&item.job); /* before anything is written */
    item.too_big |= item.job.output_bytes > UINT32_MAX;
    *outcome_at(whole, at) =
        (struct chunk_outcome){.code = code,
                               .end = item.too_big ? CHUNK_TOO_BIG : CHUNK_RAN,
                               .output_bytes = item.too_big ? 0 : (uint32_t)item.job.output_bytes};
    if (!item.too_big)
        whole->output_bytes += item.job.output_bytes;
}

int bight__chunk_run(struct bight_job *whole, const struct bight_job_def *def)
{
    const struct chunk_head *head = whole->input;
    unsigned char *input = (unsigned char *)whole->input + sizeof(*head);
    size_t bytes = head->items * sizeof(struct chunk_outcome);
    void *table;
    int rc = bight_job_output_reserve(whole, bytes, &table);

    if (rc)
        return rc;
    memset(table, 0, bytes);
    rc = bight_job_output_commit(whole, bytes);
    for (uint32_t i = 0; i < head->items && !bight_job_cancelled(whole); i++) {
        const struct chunk_item *item = (const struct chunk_item *)(const void *)input;

        input += sizeof(*item);
        run_item(whole, def, i, input, item->bytes);
        input += chunk_round_input(item->bytes);
    }
    return rc;
}
