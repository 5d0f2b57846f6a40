/* What streams that go through another one have in common. The stream below is taken, on both
 * sides, so that no call of a user gets inside. */
#include "runtime/stream/layer.h"

#include <string.h>

_Static_assert(offsetof(struct layer, stream) == 0, "the stream is the first member");

static struct layer *layer_of(struct bight_stream *stream)
{
    return (struct layer *)(uintptr_t)stream;
}

int bight__layer_begin(struct layer *layer, struct bight_stream *below,
                       const struct stream_ops ops[2])
{
    int rc = bight__stream_check(below, &below->in);

    if (rc == 0)
        rc = bight__stream_check(below, &below->out);
    if (rc)
        return rc;
    below->in.taken = SIDE_BELOW;
    below->out.taken = SIDE_BELOW;
    below->above = &layer->stream;
    link_remove(&below->link);
    layer->stream.below = below;
    layer->stream.in.taken = SIDE_BUSY;
    bight__stream_open(&layer->stream, below->streams, &ops[below->ops->inside]);
    return 0;
}

int bight__layer_opened(struct layer *layer)
{
    bool over = bight__stream_is_over(&layer->stream);

    bight__stream_leave(&layer->stream, &layer->stream.in);
    return over ? BIGHT_ECLOSED : 0;
}

void bight__layer_undo(struct layer *layer)
{
    layer->gives_below = true;
    bight__stream_destroy(&layer->stream, true);
}

int64_t bight__layer_read(struct layer *layer, void *buffer, size_t bytes)
{
    return bight__stream_take(layer->stream.below, buffer, bytes);
}

static void drop_kept(struct layer *layer)
{
    if (layer->kept)
        bight__chunk_give(layer->stream.streams, layer->kept);
    layer->kept = NULL;
}

bool bight__layer_reserve(struct layer *layer)
{
    if (!layer->kept && !layer->spare)
        layer->spare = bight__chunk_take(layer->stream.streams);
    return layer->kept || layer->spare;
}

void bight__layer_release(struct layer *layer)
{
    if (layer->spare)
        bight__chunk_give(layer->stream.streams, layer->spare);
    layer->spare = NULL;
}

/* How many of the bytes go now; what is lost counts as gone. */
static size_t put(struct layer *layer, const char *data, size_t bytes)
{
    struct bight_stream *below = layer->stream.below;
    size_t done = 0;

    while (done < bytes && !layer->lost) {
        const struct bight_slice rest = {data + done, bytes - done};
        int64_t written = below->out.error ? below->out.error : bight__stream_put(below, &rest, 1);

        if (written == BIGHT_EAGAIN)
            return done;
        if (written < 0)
            layer->lost = (int)written;
        else
            done += (size_t)written;
    }
    return bytes;
}

static int keep(struct layer *layer, const char *data, size_t bytes)
{
    if (!layer->kept) {
        if (!bight__layer_reserve(layer))
            return BIGHT_ENOMEM;
        layer->kept = layer->spare;
        layer->spare = NULL;
        layer->kept_begin = layer->kept_end = 0;
    }
    if (bytes > STREAM_CHUNK_BYTES - layer->kept_end) {
        layer->kept_end -= layer->kept_begin;
        memmove(layer->kept, layer->kept + layer->kept_begin, layer->kept_end);
        layer->kept_begin = 0;
    }
    if (bytes > STREAM_CHUNK_BYTES - layer->kept_end)
        return BIGHT_ETOOBIG;
    memcpy(layer->kept + layer->kept_end, data, bytes);
    layer->kept_end += bytes;
    return 0;
}

static void put_kept(struct layer *layer)
{
    if (layer->kept) {
        layer->kept_begin +=
            put(layer, layer->kept + layer->kept_begin, layer->kept_end - layer->kept_begin);
        if (layer->kept_begin == layer->kept_end || layer->lost)
            drop_kept(layer);
    }
    layer->stream.out.ready = !layer->kept;
}

int bight__layer_write(struct layer *layer, const void *data, size_t bytes)
{
    size_t gone = 0;

    if (layer->corked && layer->kept && bytes > STREAM_CHUNK_BYTES - layer->kept_end)
        put_kept(layer); /* it is more than one piece can be */
    if (!layer->kept && !layer->corked)
        gone = put(layer, data, bytes);
    return gone == bytes ? 0 : keep(layer, (const char *)data + gone, bytes - gone);
}

int bight__layer_flush(struct layer *layer)
{
    layer->corked = false;
    put_kept(layer);
    return layer->kept ? BIGHT_EAGAIN : layer->lost;
}

/* A read of a layer may have to write first, and a write to read. Its end waits at its reading side
 * for whatever happens below, which may be several layers down. */
void bight__layer_wake(struct bight_stream *above)
{
    struct layer *layer = layer_of(above);
    const struct bight_stream *below = above->below;
    bool reads = below->in.ready, writes = reads && layer->reads_first;

    if (layer->kept && below->out.ready && bight__layer_flush(layer) != BIGHT_EAGAIN)
        writes = true;
    if (writes) {
        layer->reads_first = false;
        bight__stream_ready(above, &above->out);
    }
    if (bight__stream_is_over(above) || (reads && !above->in.ready))
        bight__stream_ready(above, &above->in);
}

int bight__layer_read_first(struct layer *layer)
{
    layer->reads_first = true;
    layer->stream.out.ready = false;
    return BIGHT_EAGAIN;
}

bool bight__layer_again(struct layer *layer)
{
    const struct bight_stream *below = layer->stream.below;

    layer->stream.in.ready = below->in.ready || below->in.error || below->buffer.data;
    return layer->stream.in.ready;
}

int bight__layer_wait(struct layer *layer)
{
    return bight__stream_wait(&layer->stream.in);
}

int bight__layer_finish(struct layer *layer)
{
    struct bight_stream *below = layer->stream.below;
    int rc = bight__layer_flush(layer);

    if (rc == 0 && !layer->gives_below && below->ops->finish)
        rc = below->ops->finish(below);
    if (rc == BIGHT_EAGAIN)
        layer->stream.in.ready = false;
    return rc == BIGHT_EAGAIN || rc == 1 ? rc : 0;
}

/* Unless its owner has aborted it meanwhile. */
static bool give_back(struct bight_stream *below)
{
    if (below->phase != STREAM_OPEN)
        return false;
    below->in.taken = 0;
    below->out.taken = 0;
    below->above = NULL;
    link_append(&below->streams->open, &below->link);
    return true;
}

void bight__layer_end(struct layer *layer, bool reset)
{
    struct bight_stream *below = layer->stream.below;

    if (!reset)
        (void)bight__layer_flush(layer);
    drop_kept(layer);
    if (!layer->gives_below || !give_back(below))
        bight__stream_destroy(below, reset);
}
