/* The pipe: a ring of bytes. */
#include "offload/shared/ring.h"

#include <string.h>

/* As much as is copied with the lock held. */
#define PIECE_BYTES ((uint64_t)64 << 10)

#define CLOSED_WRITE 1u
#define CLOSED_READ 2u

struct pipe_call {
    struct shared_call call;
    struct bight_shared_pipe *pipe;
    const unsigned char *data; /* to write */
    unsigned char *into;       /* or where to read to */
    size_t bytes;
    size_t done;
};

struct shape {
    unsigned char *storage;
    uint64_t bytes;
    uint64_t head;
    uint64_t tail;
};

static struct bight_shared *segment_of(const struct bight_shared_pipe *pipe)
{
    return bight__shared_of(&pipe->base, sizeof(*pipe), SHARED_PIPE);
}

static const struct bight_waiter_ops write_ops = {
    .name = "room in a shared pipe", .abort = bight__shared_abort, .flags = BIGHT_WAITER_OUTSIDE};
static const struct bight_waiter_ops read_ops = {
    .name = "shared pipe", .abort = bight__shared_abort, .flags = BIGHT_WAITER_OUTSIDE};

/* False when something has written over it. */
static bool look(const struct shared_call *call, struct bight_shared_pipe *pipe,
                 struct shape *shape)
{
    shape->bytes = shared_load(pipe->bytes);
    shape->storage =
        bight__ring_storage(call->segment, &pipe->base, shared_load(pipe->storage), shape->bytes);
    /* The head first: it cannot pass a tail that is read later. */
    shape->head = shared_load(pipe->head);
    shape->tail = shared_load(pipe->tail);
    return shape->storage && shape->bytes;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* With the lock held. */
static int write_now(struct pipe_call *call)
{
    struct bight_shared_pipe *pipe = call->pipe;
    uint64_t at, count, first;
    struct shape shape;

    if (!look(&call->call, pipe, &shape) || shape.tail - shape.head > shape.bytes)
        return BIGHT_EPROTOCOL;
    if (shared_load(pipe->closed))
        return BIGHT_EPIPE;
    count = least(shape.bytes - (shape.tail - shape.head), call->bytes - call->done);
    count = least(count, PIECE_BYTES);
    if (count == 0)
        return BIGHT_EAGAIN;
    at = shape.tail % shape.bytes;
    first = least(count, shape.bytes - at);
    memcpy(shape.storage + at, call->data + call->done, first);
    memcpy(shape.storage, call->data + call->done + first, count - first);
    shared_store(pipe->tail, shape.tail + count);
    call->done += count;
    return 0;
}

static int read_now(struct pipe_call *call)
{
    struct bight_shared_pipe *pipe = call->pipe;
    uint64_t at, count, first;
    struct shape shape;

    if (!look(&call->call, pipe, &shape) || shape.tail - shape.head > shape.bytes)
        return BIGHT_EPROTOCOL;
    if (shared_load(pipe->closed) & CLOSED_READ)
        return BIGHT_EPIPE;
    count = least(least(shape.tail - shape.head, call->bytes), PIECE_BYTES);
    if (count == 0)
        return shared_load(pipe->closed) ? 0 : BIGHT_EAGAIN;
    at = shape.head % shape.bytes;
    first = least(count, shape.bytes - at);
    memcpy(call->into, shape.storage + at, first);
    memcpy(call->into + first, shape.storage, count - first);
    shared_store(pipe->head, shape.head + count);
    call->done = count;
    return 0;
}

/* Take the lock only where something can be done, or said. */
static int attempt(struct pipe_call *call, uint64_t none, int (*act)(struct pipe_call *call))
{
    struct bight_shared_pipe *pipe = call->pipe;
    struct shape shape;
    int rc;

    if (look(&call->call, pipe, &shape) && !shared_load(pipe->closed) &&
        shape.tail - shape.head == (none ? shape.bytes : 0))
        return BIGHT_EAGAIN;
    if (!bight__ring_lock(call->call.segment, &pipe->lock))
        return BIGHT_EAGAIN;
    rc = act(call);
    bight__ring_unlock(&pipe->lock);
    bight__shared_changed(call->call.segment, &pipe->base);
    return rc;
}

/* After a piece there is no waiting, since the piece itself was a change. */
static int attempt_write(struct shared_call *base)
{
    struct pipe_call *call = container_of(base, struct pipe_call, call);
    int rc = attempt(call, 1, write_now);

    return !rc && call->done < call->bytes ? BIGHT_EAGAIN : rc;
}

static int attempt_read(struct shared_call *call)
{
    return attempt(container_of(call, struct pipe_call, call), 0, read_now);
}

int bight_shared_pipe_init(struct bight_shared_pipe *pipe, void *storage, size_t bytes)
{
    int rc;

    if (!pipe || !storage || !bytes || bytes > SIZE_MAX / 4 ||
        bight__shared_find(storage, bytes) != bight__shared_find(pipe, sizeof(*pipe)))
        return BIGHT_EINVAL;
    rc = bight__shared_enter(&pipe->base, sizeof(*pipe), SHARED_PIPE);
    if (rc)
        return rc;
    pipe->storage = (unsigned char *)storage - (unsigned char *)pipe;
    pipe->bytes = bytes;
    shared_store(pipe->base.kind, SHARED_PIPE);
    return 0;
}

static int begin(struct pipe_call *call, struct bight_shared_pipe *pipe,
                 const struct bight_waiter_ops *ops, int (*attempt_it)(struct shared_call *call))
{
    call->pipe = pipe;
    call->call = (struct shared_call){segment_of(pipe), &pipe->base, ops, attempt_it};
    return call->call.segment ? 0 : BIGHT_EINVAL;
}

int64_t bight_shared_pipe_write(struct bight_shared_pipe *pipe, const void *data, size_t bytes,
                                int64_t timeout_ms)
{
    struct pipe_call call = {.data = data, .bytes = bytes};
    int rc;

    if (!pipe || (!data && bytes) || bytes > INT64_MAX)
        return BIGHT_EINVAL;
    rc = bight__shared_begin();
    if (!rc)
        rc = begin(&call, pipe, &write_ops, attempt_write);
    if (!rc && bytes)
        rc = bight__shared_call(&call.call, timeout_ms);
    return call.done || !rc ? (int64_t)call.done : rc;
}

int64_t bight_shared_pipe_read(struct bight_shared_pipe *pipe, void *data, size_t bytes,
                               int64_t timeout_ms)
{
    struct pipe_call call = {.into = data, .bytes = bytes};
    int rc;

    if (!pipe || (!data && bytes))
        return BIGHT_EINVAL;
    rc = bight__shared_begin();
    if (!rc)
        rc = begin(&call, pipe, &read_ops, attempt_read);
    if (!rc && bytes)
        rc = bight__shared_call(&call.call, timeout_ms);
    return rc ? rc : (int64_t)call.done;
}

static int close_end(struct bight_shared_pipe *pipe, uint32_t end)
{
    struct bight_shared *segment = pipe ? segment_of(pipe) : NULL;

    if (!segment)
        return BIGHT_EINVAL;
    __atomic_or_fetch(&pipe->closed, end, __ATOMIC_SEQ_CST);
    bight__shared_changed(segment, &pipe->base);
    return 0;
}

int bight_shared_pipe_close_write(struct bight_shared_pipe *pipe)
{
    return close_end(pipe, CLOSED_WRITE);
}

int bight_shared_pipe_close_read(struct bight_shared_pipe *pipe)
{
    return close_end(pipe, CLOSED_READ);
}
