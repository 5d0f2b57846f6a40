/* A layer: a stream that reads and writes through another one, below, as TLS does. It is woken when
 * the one below is, and keeps what that did not take. A kind of layers embeds struct layer as its
 * first member, and its ops leave out those of descriptors and addresses. */
#ifndef BIGHT_RUNTIME_STREAM_LAYER_H
#define BIGHT_RUNTIME_STREAM_LAYER_H

#include "runtime/stream/stream.h"

struct layer {
    struct bight_stream stream; /* first */
    char *kept;                 /* a chunk of what is to be written; NULL: nothing is */
    size_t kept_begin, kept_end;
    char *spare;      /* a chunk for the write to come; NULL but for that time */
    int lost;         /* what a write to the stream below returned; 0: it takes more */
    bool reads_first; /* a write waits until something has come from below */
    bool corked;      /* writes are kept until bight__layer_flush, to go in one piece */
    bool gives_below; /* at its end, to whoever made it; otherwise it ends it */
};

/* Open the layer, all zero before, above `below`, which nobody else may use from now on. The
 * calling task is inside of its reading side. 0; BIGHT_EPERM, BIGHT_EBUSY, BIGHT_ECLOSED. `ops` are
 * for a stream below whose waits end outside of the runtime, or inside. */
BIGHT_INTERNAL_API int bight__layer_begin(struct layer *layer, struct bight_stream *below,
                                          const struct stream_ops ops[2]);
/* The calling task leaves: the layer is the user's. BIGHT_ECLOSED: `below` was aborted meanwhile,
 * and both are gone. */
BIGHT_INTERNAL_API int bight__layer_opened(struct layer *layer);
/* Instead of that: close the layer, and give `below` back. */
BIGHT_INTERNAL_API void bight__layer_undo(struct layer *layer);

/* An attempt to read from below: up to `bytes`, 0 at its end, or a negative code. */
BIGHT_INTERNAL_API int64_t bight__layer_read(struct layer *layer, void *buffer, size_t bytes);

/* See that a write does not fail for want of memory, from here to the release. False: it would. */
BIGHT_INTERNAL_API bool bight__layer_reserve(struct layer *layer);
BIGHT_INTERNAL_API void bight__layer_release(struct layer *layer);

/* Write all of it below, and keep what does not go now. 0, also when the connection is lost;
 * BIGHT_ENOMEM; BIGHT_ETOOBIG: too much is kept. */
BIGHT_INTERNAL_API int bight__layer_write(struct layer *layer, const void *data, size_t bytes);

/* Write what is kept, and no longer wait for more: 0 when all has gone, `lost`, or BIGHT_EAGAIN,
 * with `ready` of the writing side cleared. */
BIGHT_INTERNAL_API int bight__layer_flush(struct layer *layer);

/* A write of the kind waits until something comes from below: clear `ready`. BIGHT_EAGAIN. */
BIGHT_INTERNAL_API int bight__layer_read_first(struct layer *layer);

/* A read of the kind found nothing: clear `ready`, unless something came meanwhile; whether it did.
 */
BIGHT_INTERNAL_API bool bight__layer_again(struct layer *layer);

/* Sleep until a read is worth an attempt: 0, BIGHT_ECANCELED or BIGHT_ECLOSED. */
BIGHT_INTERNAL_API int bight__layer_wait(struct layer *layer);

/* The last steps of an `ops->finish`: write what is kept, and then those of the stream below unless
 * that is given back. */
BIGHT_INTERNAL_API int bight__layer_finish(struct layer *layer);

/* The last step of an `ops->close`: the stream below is ended, or given back. The record is the
 * kind's to free. */
BIGHT_INTERNAL_API void bight__layer_end(struct layer *layer, bool reset);

#endif
