/* A chunk: the input of a job that runs its definition for each of several items, and what comes
 * back. The host makes the input, map.c, and does not believe the output; chunk.c runs it. */
#ifndef BIGHT_OFFLOAD_CHUNK_H
#define BIGHT_OFFLOAD_CHUNK_H

#include <bight/job.h>

/* Input: the head, and for each item this record and its bytes, rounded. */
#define CHUNK_INPUT_ALIGN 16u

struct chunk_head {
    uint32_t items;
    uint32_t unused[3];
};

struct chunk_item {
    uint32_t bytes;
    uint32_t unused[3];
};

/* Output: one of these for each item, and then their outputs, rounded. */
#define CHUNK_OUTPUT_ALIGN 8u

enum chunk_end {
    CHUNK_NOT_RUN, /* the job was cancelled before */
    CHUNK_RAN,
    CHUNK_TOO_BIG,
    CHUNK_NO_MEMORY, /* it was not run */
};

struct chunk_outcome {
    int32_t code;
    uint32_t end; /* enum chunk_end */
    uint32_t output_bytes;
    uint32_t unused;
};

/* Run `def` for each item of the chunk that is the input of `whole`. 0 or an error. */
int bight__chunk_run(struct bight_job *whole, const struct bight_job_def *def);

static inline size_t chunk_round_input(size_t bytes)
{
    return (bytes + CHUNK_INPUT_ALIGN - 1) & ~(size_t)(CHUNK_INPUT_ALIGN - 1);
}

static inline size_t chunk_round_output(size_t bytes)
{
    return (bytes + CHUNK_OUTPUT_ALIGN - 1) & ~(size_t)(CHUNK_OUTPUT_ALIGN - 1);
}

#endif
