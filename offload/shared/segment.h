/* Segments, as a process has them: its own, and in a worker those that it was sent. */
#ifndef BIGHT_OFFLOAD_SHARED_SEGMENT_H
#define BIGHT_OFFLOAD_SHARED_SEGMENT_H

#include <bight/shared.h>

#include "offload/watch.h"

/* How many segments an executor can give its workers. */
#define SHARES_MAX 128

/* At the end of a segment's memory, behind what the user has. */
struct shared_tail {
    uint64_t bytes;   /* before it */
    uint32_t dropped; /* the host has freed the segment */
    uint32_t reserved[13];
};

_Static_assert(sizeof(struct shared_tail) == 64, "the same in all versions of a program");

/* An object that its maker has to look at when a worker has died. */
struct shared_object {
    uint64_t at; /* in the segment */
    uint32_t kind;
};

/* Somebody who has to know when a segment is freed: `leave` unlinks it. */
struct shared_holder {
    struct bight_link link;
    void (*leave)(struct shared_holder *holder);
};

struct bight_shared {
    struct bight_link link; /* of the segments of this process */
    unsigned char *data;
    size_t room; /* bytes that the user may have at `data` */
    size_t bytes;
    size_t map_bytes;
    struct shared_tail *tail;
    uint32_t member; /* who this process is in it; 1: its maker */
    int bell;        /* the end of a pair of sockets that wakes the maker's loop */
    /* The rest is its maker's, on the loop's thread, but for `objects`. */
    struct bight_runtime *runtime; /* NULL in a worker */
    struct bight_plugin plugin;
    int memory;
    struct watch *watch;           /* of the other end */
    struct bight_link waits;       /* of tasks */
    size_t inside;                 /* tasks in a call that may wait, woken or not */
    struct bight_link holders;     /* the executors that have it */
    struct shared_object *objects; /* in order of `at`; guarded by the lock of the segments */
    size_t object_count;
    size_t object_room;
};

/* The segment that has the `bytes` at `at`; NULL: none. */
struct bight_shared *bight__shared_find(const void *at, size_t bytes);

/* An object of `bytes` is about to be initialised: zero it and note it. 0 or an error. */
int bight__shared_enter(struct bight__shared_base *base, size_t bytes, uint32_t kind);

/* The process `member` has ended: free what it held, and tell all who may wait for it. In the
 * maker, on the loop's thread. */
void bight__shared_death(struct bight_shared *segment, uint32_t member);

/* In a worker: take a segment that was sent; its descriptors are ours from now on. */
int bight__shared_take(struct bight_shared **out, int memory, int bell, uint32_t member);
/* Let go of it. */
void bight__shared_drop(struct bight_shared *segment);
/* A new process: it has none of the segments of the one that it was forked from. */
void bight__shared_forget(void);

#endif
