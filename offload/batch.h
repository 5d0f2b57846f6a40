/* A batch of a map: the record of an execution, and the chunk that is its input and whose outcomes
 * are its output. See map.c and chunk.h. */
#ifndef BIGHT_OFFLOAD_BATCH_H
#define BIGHT_OFFLOAD_BATCH_H

#include <bight/job_map.h>

struct bight__batch {
    struct bight_execution execution;
    struct bight_link link;
    struct bight_job_map *map;
    unsigned char *input;
    size_t input_bytes;
    size_t input_room;
    size_t first; /* index of its first item */
    uint32_t items;
    uint32_t given;
    size_t output_at; /* of the next item's */
    int status;
    bool ended;
};

/* Have it empty; the index of its first item will be `first`. */
void bight__batch_clear(struct bight__batch *batch, size_t first);
/* Copy an item into it. 0 or an error. */
int bight__batch_add(struct bight__batch *batch, const void *data, size_t bytes);
/* It has items, and is about to be given to the executor. */
void bight__batch_seal(struct bight__batch *batch);
/* It has ended: give what became of its next item. */
void bight__batch_give(struct bight__batch *batch, struct bight_job_map_item *item);
void bight__batch_free(struct bight__batch *batch);

#endif
