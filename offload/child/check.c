/* See check.h. */
#include "offload/child/check.h"

#include "offload/wire/sum.h"

bool bight__check_job(const struct channel *channel, uint64_t map_bytes,
                      const struct channel_slot *slot, uint64_t position)
{
    const unsigned char *input = (const unsigned char *)channel + slot->input_offset;
    uint32_t input_bytes = slot->flags & SLOT_PLACED ? 0 : slot->input_bytes;
    uint64_t bytes = (uint64_t)slot->define_bytes + input_bytes, sum;

    if (slot->input_offset > map_bytes || bytes > map_bytes - slot->input_offset ||
        slot->define_bytes > CHANNEL_DEFINE_MAX)
        return false;
    sum = bight__sum_of_job(slot, position);
    if (slot->define_bytes)
        sum = bight__sum_on(sum, input, slot->define_bytes);
    return bight__sum_all(sum, input + slot->define_bytes, input_bytes) == slot->sum;
}

void bight__check_write(const struct channel *channel, struct channel_slot *slot, uint64_t position)
{
    const struct sum_outcome head = {.position = position,
                                     .verdict = slot->verdict,
                                     .code = slot->code,
                                     .offset = slot->output_offset,
                                     .bytes = slot->output_bytes,
                                     .grown = slot->grown};
    uint64_t sum = bight__sum_of_outcome(&head);

    if (slot->output_bytes && slot->output_offset != OUTPUT_SENT)
        sum = bight__sum_all(sum, (const unsigned char *)channel + slot->output_offset,
                             slot->output_bytes);
    slot->sum = sum;
}
