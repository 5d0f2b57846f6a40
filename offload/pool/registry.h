/* The definitions that one executor has been given, numbered in order of their first use, each with
 * the record that tells a worker which one it is. */
#ifndef BIGHT_OFFLOAD_POOL_REGISTRY_H
#define BIGHT_OFFLOAD_POOL_REGISTRY_H

#include <bight/job.h>

#include "coro/base/seams.h"

struct registry_entry {
    const struct bight_job_def *def;
    /* struct channel_define with its strings, as long as channel_round() makes it. */
    unsigned char *record;
    uint32_t record_bytes;
};

struct registry {
    const struct bight_seams *seams;
    struct registry_entry *entries;
    uint32_t count;
    uint32_t room;
    /* Open addressing: numbers + 1 by address of the definition. */
    uint32_t *table;
    uint32_t table_size;                  /* a power of two, at least twice `count`; 0 at first */
    const struct bight_job_def *last_def; /* that was asked for last: mostly the next one too */
    uint32_t last;                        /* its number */
};

/* The number of `def`, or BIGHT_EUNKNOWNJOB when it is not static, or BIGHT_ENOMEM. */
int64_t bight__registry_find(struct registry *registry, const struct bight_job_def *def);

void bight__registry_free(struct registry *registry);

#endif
