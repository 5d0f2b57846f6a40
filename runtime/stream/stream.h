/* The private part of streams: what all kinds have in common, and what a kind has to provide. A
 * kind embeds struct bight_stream as its first member and tries; the common part waits.
 *
 * stream.c has the life of a stream, read.c and scan.c read, write.c writes, buffer.c keeps what
 * was read and not taken, streams.c the runtime's record; descriptor.c and pair.c are kinds, and
 * layer.c has what those have in common that go through another stream. */
#ifndef BIGHT_RUNTIME_STREAM_STREAM_H
#define BIGHT_RUNTIME_STREAM_STREAM_H

#include <bight/stream.h>

#include "coro/core/source.h"
#include "runtime/runtime.h"
#include "runtime/stream/poller.h"

/* Of the chunks in which bytes wait that were read and not taken. Only the pages that are written
 * to are ever resident, so it costs a stream with little in its buffer nothing that it is large. */
#define STREAM_CHUNK_BYTES 65536u

/* The slices that one attempt to write looks at. */
#define STREAM_SLICES 16

/* A kind of stream. None of these suspends. `read`, `write` and `shutdown` may return BIGHT_EAGAIN
 * after they have cleared `ready` of the side; bight__stream_ready is then called when it is worth
 * another attempt. */
struct stream_ops {
    /* What ends a wait is in this runtime: a stall is noticed, and virtual time may jump. */
    bool inside;
    /* Move up to `bytes`, more than 0: how many, 0 at the end, or a negative code. */
    int64_t (*read)(struct bight_stream *stream, void *buffer, size_t bytes);
    /* Move some of `count` slices, of which the first is not empty: how many bytes, at least 1, or
     * a negative code. `count` is at most STREAM_SLICES. */
    int64_t (*write)(struct bight_stream *stream, const struct bight_slice *slices, size_t count);
    /* Like `write` of one slice, behind which more is written at once: it may wait for that, and go
     * out with it. NULL: `write` does as well. */
    int64_t (*write_more)(struct bight_stream *stream, const struct bight_slice *slice);
    /* Of the file from `offset`; otherwise like `write`. 0: the file has no more. NULL: not from
     * the kernel. */
    int64_t (*send_file)(struct bight_stream *stream, int file, int64_t offset, size_t bytes);
    /* End the writing half. NULL: there are no halves. */
    int (*shutdown)(struct bight_stream *stream);
    /* A step of what bight_stream_end does before it closes, while there is time: 0 when that was
     * the last; 1: there is another; BIGHT_EAGAIN: there is when the reading side, whose `ready`
     * is cleared, becomes ready. NULL: nothing is done. */
    int (*finish)(struct bight_stream *stream);
    /* Close and free; `reset`: the peer is to see that it did not end properly. */
    void (*close)(struct bight_stream *stream, bool reset);
    /* NULL: there is none. */
    int (*fd)(const struct bight_stream *stream);
    int (*local_address)(const struct bight_stream *stream, struct bight_address *address);
    int (*peer_address)(const struct bight_stream *stream, struct bight_address *address);
    /* The kind and who is at the other side, for dumps and reports. */
    void (*describe)(const struct bight_stream *stream, char *text, size_t text_bytes);
};

/* Why a half takes no call, one bit each. */
#define SIDE_BUSY 1u  /* a task is inside of a call */
#define SIDE_CASE 2u  /* a case of a select waits */
#define SIDE_OVER 4u  /* the stream is ended or aborted: both halves */
#define SIDE_BELOW 8u /* another stream reads and writes through this one: both halves */

/* The reading or the writing half. */
struct stream_side {
    struct bight_waiter *waiter; /* of the task inside, or of a case */
    const struct bight_waiter_ops *wait;
    int error;     /* every later call returns it; 0: none */
    uint8_t taken; /* SIDE_* */
    bool ready;    /* an attempt may succeed */
};

struct stream_buffer {
    size_t begin;
    size_t end;
    size_t capacity;
    char *data; /* NULL: none is held */
};

enum stream_phase {
    STREAM_OPEN,
    STREAM_ENDING,  /* a task is inside of bight_stream_end */
    STREAM_HURRIED, /* the same, and it was aborted meanwhile */
    STREAM_ABORTED, /* freed by the last call that leaves */
};

/* Told at once, wherever the task is that uses the stream, when the peer goes. It must not suspend,
 * and may be told of an end and later of a reset. */
struct stream_watch {
    void (*gone)(struct stream_watch *watch, bool reset);
};

/* What a stream without a layer knows of that. */
#define PEER_ENDED 1u /* it writes no more; it may read */
#define PEER_RESET 2u /* neither */

/* What every read and write touches comes last, beside what a kind adds: with thousands of streams
 * each line of it is fetched from far away. */
struct bight_stream {
    struct streams *streams;
    struct bight_link link;     /* in the runtime's list */
    struct bight_stream *below; /* of a layer: see layer.h */
    struct bight_waiter *ender; /* waits until nobody is inside */
    struct stream_watch *watch; /* NULL: nobody */
    uint8_t peer_gone;          /* PEER_* */
    uint8_t phase;              /* enum stream_phase */
    bool shut;                  /* the writing half is ended; `out.error` says so too */
    bool skips_line;            /* the rest of a line that was too long is to be dropped */
    struct stream_buffer buffer;
    const struct stream_ops *ops;
    struct bight_sched *sched;  /* whose it is */
    struct bight_stream *above; /* NULL, or the layer that reads and writes through this one */
    struct stream_side in;
    struct stream_side out;
    uint64_t bytes_read; /* by the kind; what is in the buffer is part of it */
    uint64_t bytes_written;
    size_t last_written;
};

/* What another room has registered here and the runtime is to end, such as a listener. */
struct stream_guest {
    struct bight_link link;
    const char *kind;                        /* for reports: "a listener" */
    void (*end)(struct stream_guest *guest); /* no task is left */
};

/* streams.c: what a runtime has of streams: those that are open, what the kernel tells them, and
 * chunks that are not used now. Private to streams.c but for what is said here. */
struct streams {
    struct bight_plugin plugin;
    struct poller poller;
    struct bight_link open;
    struct bight_link guests; /* of struct stream_guest */
    struct poll_place *places;
    uint32_t places_count;
    uint32_t places_free;
    struct stream_chunk *chunks;
    unsigned chunks_count;
};

/* The record of this thread's runtime, made when there is none yet. BIGHT_ENORUNTIME; BIGHT_ECLOSED
 * when the runtime's last task has ended; BIGHT_ENOMEM; BIGHT_EMFILE. */
int bight__streams_get(struct streams **out);

/* The guest's kind and end are set; its own end removes it. */
void bight__guest_add(struct stream_guest *guest, struct streams *streams);
void bight__guest_remove(struct stream_guest *guest, const struct streams *streams);

/* Register `fd` for all events, edge-triggered, until it is removed. */
int bight__source_add(struct streams *streams, struct poll_source *source, int fd);
void bight__source_remove(struct streams *streams, const struct poll_source *source, int fd);

/* A chunk of STREAM_CHUNK_BYTES; NULL: no memory. */
BIGHT_INTERNAL_API void *bight__chunk_take(struct streams *streams);
BIGHT_INTERNAL_API void bight__chunk_give(struct streams *streams, void *chunk);

/* stream.c: to be called by a kind once its record, all zero before, is whole: from now on it is
 * open and belongs to the user. Both sides are ready. */
void bight__stream_open(struct bight_stream *stream, struct streams *streams,
                        const struct stream_ops *ops);
/* Wake who waits at that side: `in` or `out` of a stream. */
static inline void bight__side_wake(struct stream_side *side, int result)
{
    struct bight_waiter *waiter = side->waiter;

    side->waiter = NULL;
    side->taken &= (uint8_t)~SIDE_CASE;
    if (waiter)
        bight_unpark(waiter, result);
}

/* layer.c: the stream below `above` became ready on a side. */
void bight__layer_wake(struct bight_stream *above);

/* It is worth another attempt on that side. */
static inline void bight__side_ready(struct stream_side *side)
{
    side->ready = true;
    bight__side_wake(side, 0);
}

/* The same of a side of `stream`. */
static inline void bight__stream_ready(const struct bight_stream *stream, struct stream_side *side)
{
    bight__side_ready(side);
    if (unlikely(stream->above))
        bight__layer_wake(stream->above);
}

/* stream.c: have `watch` told, or with NULL nobody any more, of the peer at the bottom; at once of
 * what is known already. */
BIGHT_INTERNAL_API void bight__stream_watch(struct bight_stream *stream,
                                            struct stream_watch *watch);
/* To be called by a kind, of PEER_*. */
void bight__stream_peer_gone(struct bight_stream *stream, unsigned what);

/* The one at the bottom, which has a descriptor and addresses if there are any. */
static inline const struct bight_stream *bight__stream_bottom(const struct bight_stream *stream)
{
    while (stream->below)
        stream = stream->below;
    return stream;
}

struct side_wait {
    struct bight_waiter waiter;
    struct stream_side *side;
};

/* Sleep until `side` is ready, even of a stream that is being ended. `self` is the running task. */
static inline int bight__side_wait(struct stream_side *side, struct bight_task *self)
{
    struct side_wait wait;

    bight__waiter_begin_of(&wait.waiter, side->wait, self);
    wait.side = side;
    side->waiter = &wait.waiter;
    return bight__park_alone(self, &wait.waiter);
}

/* Sleep until `side` is ready; 0, BIGHT_ECANCELED or BIGHT_ECLOSED. */
int bight__stream_wait(struct stream_side *side);

/* The same, and at a side of another stream too, until that is ended; 0 may mean nothing. */
int bight__stream_wait_also(struct stream_side *side, struct stream_side *other);
/* Between two steps of a call that makes many: let others run, observe cancellation and the end of
 * the stream. */
int bight__stream_pause(const struct bight_stream *stream);
/* The last call leaves a stream that was ended or aborted. */
void bight__stream_left(struct bight_stream *stream);
/* Close and free it now, whoever is inside. */
void bight__stream_destroy(struct bight_stream *stream, bool reset);
/* The cold half of bight__stream_enter. */
int bight__stream_refuse(const struct bight_stream *stream);

static inline void bight__stream_leave(struct bight_stream *stream, struct stream_side *side)
{
    side->taken &= (uint8_t)~SIDE_BUSY;
    if (unlikely(side->taken))
        bight__stream_left(stream);
}

/* The opening of a call on one side of a stream: the task, *self, is inside from here on, also
 * while the checkpoint lets others run, until bight__stream_leave. Not inside if it fails.
 * `sleeps`: the call is about to switch, where the step is counted. */
__attribute__((always_inline)) static inline int bight__stream_enter_of(struct bight_stream *stream,
                                                                        struct stream_side *side,
                                                                        bool writes, bool sleeps,
                                                                        struct bight_task **self)
{
    struct bight_sched *sched = stream->sched;
    int rc;

    if (unlikely(sched != bight__sched || side->taken))
        return bight__stream_refuse(stream);
    side->taken = SIDE_BUSY;
    if (writes)
        stream->last_written = 0; /* also of a write that is cancelled before it begins */
    rc = sleeps ? bight__observe_in(sched, self, __builtin_frame_address(0))
                : bight__checkpoint_in(sched, self, __builtin_frame_address(0));
    if (likely(!rc && side->taken == SIDE_BUSY))
        return 0;
    bight__stream_leave(stream, side);
    return rc ? rc : BIGHT_ECLOSED;
}

__attribute__((always_inline)) static inline int
bight__stream_enter(struct bight_stream *stream, struct stream_side *side, bool writes)
{
    struct bight_task *self;

    return bight__stream_enter_of(stream, side, writes, false, &self);
}

static inline bool bight__stream_is_over(const struct bight_stream *stream)
{
    return stream->in.taken & SIDE_OVER;
}

/* The same check for a call that does not suspend; nobody is inside afterwards. */
int bight__stream_check(const struct bight_stream *stream, const struct stream_side *side);

/* buffer.c */
static inline size_t bight__stream_held(const struct bight_stream *stream)
{
    return stream->buffer.end - stream->buffer.begin;
}

/* Make room for `bytes` in all in the buffer, what is held included. 0 or BIGHT_ENOMEM. */
int bight__buffer_reserve(struct bight_stream *stream, size_t bytes);
/* Take up to `bytes` out; with `to` NULL they are dropped. */
size_t bight__buffer_take(struct bight_stream *stream, void *to, size_t bytes);
/* Put bytes back in front. 0 or BIGHT_ENOMEM. */
int bight__buffer_put_back(struct bight_stream *stream, const void *from, size_t bytes);
/* Give the memory back if nothing is held. */
void bight__buffer_rest(struct bight_stream *stream);
void bight__buffer_free(struct bight_stream *stream);

/* read.c, for a task inside the reading side. Like bight_stream_read. */
int64_t bight__stream_read_some(struct bight_stream *stream, void *buffer, size_t bytes);
/* Have the buffer hold more than it does, with room for `room` in all: more than 0, 0 at the end,
 * or a negative code. */
int64_t bight__stream_fill(struct bight_stream *stream, size_t room);
/* Have the buffer hold at least `bytes`, with room for `room`: how many it holds, which is fewer
 * when the stream has ended, or a negative code. */
int64_t bight__stream_look(struct bight_stream *stream, size_t bytes, size_t room);

/* One attempt to do so, which does not wait: BIGHT_EAGAIN. */
int64_t bight__stream_try_fill(struct bight_stream *stream, size_t room);
/* One attempt to read some, what is buffered first; `bytes` is more than 0. */
int64_t bight__stream_take(struct bight_stream *stream, void *buffer, size_t bytes);

/* write.c, for a task inside the writing side. One attempt to write some: how many bytes, or a
 * negative code. */
int64_t bight__stream_put(struct bight_stream *stream, const struct bight_slice *slices,
                          size_t count);
/* Like bight_stream_writev. */
int bight__stream_write_all(struct bight_stream *stream, const struct bight_slice *slices,
                            size_t count);
/* A write failed with `rc`: note what that means for later ones, and return it. */
int bight__stream_write_failed(struct bight_stream *stream, int rc);

/* For those who wait between attempts by themselves, under a deadline for each wait. All check the
 * stream as bight_stream_try_write does, and a failure other than BIGHT_EAGAIN breaks it as there;
 * that a write stays undone is the caller's affair. */
BIGHT_INTERNAL_API int64_t bight__stream_try_writev(struct bight_stream *stream,
                                                    const struct bight_slice *slices, size_t count);
/* One slice, behind which more is written at once. */
BIGHT_INTERNAL_API int64_t bight__stream_try_write_more(struct bight_stream *stream,
                                                        const struct bight_slice *slice);
/* BIGHT_EOF: the file has no more; BIGHT_EINVAL: not from the kernel. */
BIGHT_INTERNAL_API int64_t bight__stream_try_send_file(struct bight_stream *stream, int file,
                                                       int64_t offset, size_t bytes);
/* Sleep until another attempt to write is worth it: 0, or as bight_stream_write. */
BIGHT_INTERNAL_API int bight__stream_wait_writable(struct bight_stream *stream);

/* descriptor.c: a stream of a connected socket that is non-blocking already. `peer` may be NULL. */
int bight__socket_stream(struct bight_stream **out, struct streams *streams, int fd, int family,
                         const struct bight_address *peer);

#endif
