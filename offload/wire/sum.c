/* See sum.h. Products of 64 by 64 bits, both halves of which count; two of them at a time, since
 * one waits for the one before it. */
#include "offload/wire/sum.h"

#include <string.h>

/* Odd, of no pattern. The last two tell inputs from outputs. */
#define FIRST_KEY 0x8ebc6af09c88c6e3u
#define SECOND_KEY 0x589965cc75374cc3u
#define THIRD_KEY 0x1d8e4e27c47d124fu
#define JOB_START 0xa0761d6478bd642fu
#define OUTCOME_START 0xe7037ed1a0b428dbu

#define BLOCK_BYTES ((size_t)32)

static uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t word(const unsigned char *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

/* Each half goes on from itself, so that a word of zeros in the product loses nothing but that. */
static void add_block(uint64_t halves[2], const unsigned char *at)
{
    halves[0] += fold(word(at) ^ FIRST_KEY, word(at + 8) ^ halves[0]);
    halves[1] += fold(word(at + 16) ^ SECOND_KEY, word(at + 24) ^ halves[1]);
}

uint64_t bight__sum_on(uint64_t sum, const void *data, size_t bytes)
{
    uint64_t halves[2] = {sum ^ FIRST_KEY, sum ^ SECOND_KEY};
    unsigned char last[BLOCK_BYTES] = {0};
    const unsigned char *at = data;
    size_t left = bytes;

    for (; left >= BLOCK_BYTES; left -= BLOCK_BYTES, at += BLOCK_BYTES)
        add_block(halves, at);
    if (left) {
        memcpy(last, at, left);
        add_block(halves, last);
    }
    return fold(halves[0] ^ bytes ^ THIRD_KEY, fold(halves[1] ^ FIRST_KEY, SECOND_KEY));
}

uint64_t bight__sum_all(uint64_t sum, const void *data, size_t bytes)
{
    const unsigned char *at = data;

    for (size_t piece; bytes; bytes -= piece, at += piece) {
        piece = bytes < SUM_BYTES ? bytes : SUM_BYTES;
        sum = bight__sum_on(sum, at, piece);
    }
    return sum;
}

uint64_t bight__sum_of_job(const struct channel_slot *slot, uint64_t position)
{
    const uint32_t head[] = {slot->serial,       slot->def,
                             slot->flags,        slot->attempt,
                             slot->define_bytes, slot->input_offset,
                             slot->input_bytes,  slot->flags & SLOT_PLACED ? slot->placed : 0};
    uint64_t sum = bight__sum_on(JOB_START ^ position, head, sizeof(head));

    return slot->flags & SLOT_TRACED ? bight__sum_on(sum, &slot->trace, sizeof(slot->trace)) : sum;
}

uint64_t bight__sum_of_outcome(const struct sum_outcome *outcome)
{
    return bight__sum_on(OUTCOME_START, outcome, sizeof(*outcome));
}
