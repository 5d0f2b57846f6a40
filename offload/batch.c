/* See batch.h. */
#include "offload/batch.h"

#include <string.h>

#include "coro/core/source.h"
#include "offload/chunk.h"

#define INPUT_LEAST 256u

void bight__batch_clear(struct bight__batch *batch, size_t first)
{
    batch->items = 0;
    batch->first = first;
    batch->input_bytes = 0;
}

static int make_room(struct bight__batch *batch, size_t bytes)
{
    size_t room = batch->input_room ? batch->input_room : INPUT_LEAST;
    unsigned char *input;

    if (bytes <= batch->input_room)
        return 0;
    if (bytes > PTRDIFF_MAX)
        return BIGHT_ENOMEM;
    while (room < bytes)
        room *= 2;
    input = bight__alloc(&bight__sched->seams, room);
    if (!input)
        return BIGHT_ENOMEM;
    if (batch->items)
        memcpy(input, batch->input, batch->input_bytes);
    bight__free(batch->input);
    batch->input = input;
    batch->input_room = room;
    return 0;
}

int bight__batch_add(struct bight__batch *batch, const void *data, size_t bytes)
{
    const struct chunk_item item = {.bytes = (uint32_t)bytes};
    size_t padded = chunk_round_input(bytes);
    unsigned char *at;
    int rc;

    if (bytes > UINT32_MAX - CHUNK_INPUT_ALIGN || (!data && bytes))
        return BIGHT_EINVAL;
    if (!batch->input_bytes)
        batch->input_bytes = sizeof(struct chunk_head);
    rc = make_room(batch, batch->input_bytes + sizeof(item) + padded);
    if (rc)
        return rc;
    at = batch->input + batch->input_bytes;
    memcpy(at, &item, sizeof(item));
    if (bytes)
        memcpy(at + sizeof(item), data, bytes);
    memset(at + sizeof(item) + bytes, 0, padded - bytes);
    batch->input_bytes += sizeof(item) + padded;
    batch->items++;
    return 0;
}

void bight__batch_seal(struct bight__batch *batch)
{
    const struct chunk_head head = {.items = batch->items};

    memcpy(batch->input, &head, sizeof(head));
    batch->given = 0;
    batch->output_at = batch->items * sizeof(struct chunk_outcome);
    batch->ended = false;
}

void bight__batch_free(struct bight__batch *batch)
{
    bight_result_free(&batch->execution.result);
    bight__free(batch->input);
}

/* Check what came from another process, and give it. False: it is nonsense. */
static bool read_outcome(struct bight__batch *batch, struct bight_job_map_item *item)
{
    const struct bight_result *result = &batch->execution.result;
    struct chunk_outcome outcome;

    if (result->output_bytes < batch->items * sizeof(outcome))
        return false;
    memcpy(&outcome, (const char *)result->output + batch->given * sizeof(outcome),
           sizeof(outcome));
    if (outcome.end > CHUNK_NO_MEMORY)
        return false;
    if (outcome.output_bytes) {
        size_t at = chunk_round_output(batch->output_at);

        if (at > result->output_bytes || outcome.output_bytes > result->output_bytes - at)
            return false;
        item->output = (const char *)result->output + at;
        batch->output_at = at + outcome.output_bytes;
    }
    item->output_bytes = outcome.output_bytes;
    item->code = outcome.code;
    if (outcome.end == CHUNK_RAN)
        item->status = outcome.code < 0 ? BIGHT_EJOBFAILED : 0;
    else if (outcome.end == CHUNK_NO_MEMORY)
        item->status = BIGHT_ENOMEM;
    else
        item->status = outcome.end == CHUNK_TOO_BIG ? BIGHT_ETOOBIG : BIGHT_ECANCELED;
    return true;
}

void bight__batch_give(struct bight__batch *batch, struct bight_job_map_item *item)
{
    const struct bight_result *result = &batch->execution.result;
    bool ran = batch->status == 0 || (batch->status == BIGHT_ETIMEDOUT && result->output);

    *item = (struct bight_job_map_item){.index = batch->first + batch->given,
                                        .status = batch->status,
                                        .code = result->code,
                                        .exit_signal = result->exit_signal,
                                        .exit_status = result->exit_status,
                                        .attempts = result->attempts};
    if (batch->status == BIGHT_EJOBFAILED) { /* the chunk has failed, before its items */
        item->status = BIGHT_ENOMEM;
        item->code = 0;
    }
    if (ran && !read_outcome(batch, item))
        item->status = batch->status = BIGHT_EUNKNOWNOUTCOME;
    else if (ran && batch->status && item->status == BIGHT_ECANCELED)
        item->status = batch->status; /* the job's time was over */
    batch->given++;
}
