/* offload/batch.c: what a worker may write as the output of a chunk. Each item is given once, with
 * an output that lies within. Input: the number of items, then the output. */
#include "offload/batch.h"
#include "tests/fuzz/fuzz.h"

#include <bight/errors.h>

#include "offload/chunk.h"

enum { ITEMS_MAX = 20 };

static void check(const struct bight_job_map_item *item, const unsigned char *output, size_t bytes)
{
    const unsigned char *at = item->output;
    unsigned sum = 0;

    FUZZ_CHECK(item->status == 0 || item->status == BIGHT_EJOBFAILED ||
               item->status == BIGHT_ETOOBIG || item->status == BIGHT_ENOMEM ||
               item->status == BIGHT_ECANCELED || item->status == BIGHT_EUNKNOWNOUTCOME);
    if (!at)
        return;
    FUZZ_CHECK(at >= output && item->output_bytes <= bytes - (size_t)(at - output));
    for (size_t i = 0; i < item->output_bytes; i++)
        sum += at[i];
    FUZZ_CHECK(sum <= 255 * item->output_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bight__batch batch = {.items = size ? data[0] % ITEMS_MAX + 1 : 1, .first = 7};
    size_t bytes = size ? size - 1 : 0;
    unsigned char *output = malloc(bytes ? bytes : 1); /* of this size: a read beyond it is seen */

    FUZZ_CHECK(output);
    if (bytes)
        memcpy(output, data + 1, bytes);
    batch.output_at = batch.items * sizeof(struct chunk_outcome);
    batch.execution.result.output = output;
    batch.execution.result.output_bytes = bytes;
    for (uint32_t i = 0; i < batch.items; i++) {
        struct bight_job_map_item item;

        bight__batch_give(&batch, &item);
        FUZZ_CHECK(item.index == 7 + i);
        check(&item, output, bytes);
    }
    free(output);
    return 0;
}
