/* The life of a stream: opened by its kind, ended or aborted by its user or with the runtime. A
 * call is inside from bight__stream_enter to bight__stream_leave, on one of the two sides. The
 * memory goes when the stream was ended or aborted and nobody is inside. */
#include "runtime/stream/stream.h"

#include <stdio.h>
#include <string.h>

static int side_abort(struct bight_waiter *waiter)
{
    container_of(waiter, struct side_wait, waiter)->side->waiter = NULL;
    return 0;
}

static void describe(const struct bight_stream *stream, char *text, size_t text_bytes)
{
    stream->ops->describe(stream, text, text_bytes);
}

static void read_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct side_wait *wait = container_of(waiter, const struct side_wait, waiter);

    describe(container_of(wait->side, struct bight_stream, in), text, text_bytes);
}

static void write_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct side_wait *wait = container_of(waiter, const struct side_wait, waiter);

    describe(container_of(wait->side, struct bight_stream, out), text, text_bytes);
}

/* Of both kinds: a pair in memory is nothing outside of the runtime, for only its tasks end a
 * wait. */
static const struct bight_waiter_ops read_ops[] = {
    {.name = "stream read",
     .abort = side_abort,
     .describe = read_describe,
     .flags = BIGHT_WAITER_OUTSIDE},
    {.name = "stream read", .abort = side_abort, .describe = read_describe},
};
static const struct bight_waiter_ops write_ops[] = {
    {.name = "stream write",
     .abort = side_abort,
     .describe = write_describe,
     .flags = BIGHT_WAITER_OUTSIDE},
    {.name = "stream write", .abort = side_abort, .describe = write_describe},
};

static void wait_begin(struct side_wait *wait, struct stream_side *side)
{
    bight__waiter_begin(&wait->waiter, side->wait);
    wait->side = side;
}

int bight__stream_wait(struct stream_side *side)
{
    /* It may have been ended between the wake-up from the last wait and its task's turn. */
    return side->taken & SIDE_OVER ? BIGHT_ECLOSED : bight__side_wait(side, bight__sched->current);
}

int bight__stream_wait_also(struct stream_side *side, struct stream_side *other)
{
    struct side_wait wait, also;
    int rc;

    if ((side->taken | other->taken) & SIDE_OVER)
        return BIGHT_ECLOSED;
    wait_begin(&wait, side);
    wait_begin(&also, other);
    rc = bight_waiter_also(&also.waiter, &wait.waiter);
    if (rc)
        return rc; /* does not happen: both always let go */
    side->waiter = &wait.waiter;
    other->waiter = &also.waiter;
    return bight_park(&wait.waiter);
}

int bight__stream_pause(const struct bight_stream *stream)
{
    int rc = bight_checkpoint();

    if (rc)
        return rc;
    return bight__stream_is_over(stream) ? BIGHT_ECLOSED : 0;
}

/* No call may begin any more, and who waits is told. */
static void close_sides(struct bight_stream *stream, enum stream_phase phase)
{
    stream->phase = (uint8_t)phase;
    stream->in.taken |= SIDE_OVER;
    stream->out.taken |= SIDE_OVER;
    bight__side_wake(&stream->in, BIGHT_ECLOSED);
    bight__side_wake(&stream->out, BIGHT_ECLOSED);
}

int bight__stream_refuse(const struct bight_stream *stream)
{
    const struct bight_sched *sched = bight__sched;
    int rc, why;

    if (!sched || !sched->current)
        return BIGHT_ENOTASK;
    if (stream->sched != sched)
        return BIGHT_EPERM;
    /* Nobody is inside here: the checkpoint lets others run, who may end the stream. */
    why = bight__stream_is_over(stream) ? BIGHT_ECLOSED : BIGHT_EBUSY;
    rc = bight_checkpoint();
    return rc ? rc : why;
}

int bight__stream_check(const struct bight_stream *stream, const struct stream_side *side)
{
    if (stream->sched != bight__sched)
        return BIGHT_EPERM;
    if (side->taken & SIDE_OVER)
        return BIGHT_ECLOSED;
    return side->taken ? BIGHT_EBUSY : 0;
}

void bight__stream_open(struct bight_stream *stream, struct streams *streams,
                        const struct stream_ops *ops)
{
    stream->ops = ops;
    stream->sched = &streams->poller.runtime->sched;
    stream->streams = streams;
    stream->in.ready = true;
    stream->out.ready = true;
    stream->in.wait = &read_ops[ops->inside];
    stream->out.wait = &write_ops[ops->inside];
    link_append(&streams->open, &stream->link);
    bight__opened_note(streams->poller.runtime, stream);
}

static bool anybody_inside(const struct bight_stream *stream)
{
    return (stream->in.taken | stream->out.taken) & SIDE_BUSY;
}

void bight__stream_destroy(struct bight_stream *stream, bool reset)
{
    link_cut(&stream->link);
    bight__opened_forget(stream->streams->poller.runtime, stream);
    bight__buffer_free(stream);
    stream->ops->close(stream, reset);
}

void bight__stream_left(struct bight_stream *stream)
{
    struct bight_waiter *ender = stream->ender;

    if (anybody_inside(stream))
        return;
    if (stream->phase == STREAM_ABORTED) {
        bight__stream_destroy(stream, true);
        return;
    }
    stream->ender = NULL;
    if (ender)
        bight_unpark(ender, 0);
}

/* Those inside leave at once, since they wait for nothing else. */
static const struct bight_waiter_ops leave_ops = {.name = "stream end"};

static int wait_until_left(struct bight_stream *stream)
{
    struct bight_waiter waiter;
    int rc = bight_waiter_init(&waiter, &leave_ops);

    if (rc)
        return rc;
    stream->ender = &waiter;
    return bight_park(&waiter);
}

/* Let the kind take its leave of the peer, for as long as there is time. */
static void finish(struct bight_stream *stream, int64_t timeout_ms)
{
    struct bight_scope scope;
    int step, rc = bight_scope_begin(&scope, timeout_ms, 0);

    if (rc)
        return; /* outside of a task: there is no time */
    while (rc == 0 && stream->phase == STREAM_ENDING && (step = stream->ops->finish(stream)))
        rc = step == BIGHT_EAGAIN ? bight__side_wait(&stream->in, bight__sched->current)
                                  : bight_checkpoint();
    rc = bight_scope_end(&scope, rc);
    (void)rc; /* the time is over, or the caller was cancelled: it closes all the same */
}

int bight_stream_end(struct bight_stream *stream, int64_t timeout_ms)
{
    int rc;

    if (!stream)
        return 0;
    if (stream->sched != bight__sched)
        return BIGHT_EPERM;
    if (stream->phase != STREAM_OPEN)
        return BIGHT_EALREADY;
    if (stream->above)
        return BIGHT_EBUSY;
    if (anybody_inside(stream) && !bight_self())
        return BIGHT_ENOTASK;
    close_sides(stream, STREAM_ENDING);
    while (anybody_inside(stream)) {
        rc = wait_until_left(stream);
        if (rc)
            return rc; /* does not happen: the wait cannot be cancelled */
    }
    if (timeout_ms != 0 && stream->ops->finish)
        finish(stream, timeout_ms);
    bight__stream_destroy(stream, stream->phase == STREAM_HURRIED);
    return 0;
}

void bight_stream_abort(struct bight_stream *stream)
{
    if (!stream || stream->sched != bight__sched)
        return;
    if (stream->above) {
        stream->phase = STREAM_ABORTED; /* so that it is not given back */
        bight_stream_abort(stream->above);
        return;
    }
    if (stream->phase == STREAM_OPEN) {
        close_sides(stream, STREAM_ABORTED);
        if (!anybody_inside(stream))
            bight__stream_destroy(stream, true);
    } else if (stream->phase == STREAM_ENDING) {
        stream->phase = STREAM_HURRIED;
        bight__side_wake(&stream->in, BIGHT_ECLOSED); /* its end waits for the peer no longer */
    }
}

int bight_stream_get_stats(const struct bight_stream *stream, struct bight_stream_stats *stats)
{
    if (!stream || !stats)
        return BIGHT_EINVAL;
    *stats = (struct bight_stream_stats){
        .bytes_read = stream->bytes_read,
        .bytes_written = stream->bytes_written,
        .buffered = bight__stream_held(stream),
    };
    return 0;
}

int bight_stream_fd(const struct bight_stream *stream)
{
    if (!stream)
        return BIGHT_EINVAL;
    stream = bight__stream_bottom(stream);
    return stream->ops->fd ? stream->ops->fd(stream) : BIGHT_ENOTSUP;
}

int bight_stream_local_address(const struct bight_stream *stream, struct bight_address *address)
{
    if (!stream || !address)
        return BIGHT_EINVAL;
    stream = bight__stream_bottom(stream);
    return stream->ops->local_address ? stream->ops->local_address(stream, address) : BIGHT_ENOTSUP;
}

int bight_stream_peer_address(const struct bight_stream *stream, struct bight_address *address)
{
    if (!stream || !address)
        return BIGHT_EINVAL;
    stream = bight__stream_bottom(stream);
    return stream->ops->peer_address ? stream->ops->peer_address(stream, address) : BIGHT_ENOTSUP;
}

char *bight_stream_describe(const struct bight_stream *stream, char *text, size_t text_bytes)
{
    if (!stream || !text || !text_bytes)
        return NULL;
    stream->ops->describe(stream, text, text_bytes);
    return text;
}

static void tell_watch(const struct bight_stream *stream)
{
    if (stream->watch && stream->peer_gone)
        stream->watch->gone(stream->watch, stream->peer_gone & PEER_RESET);
}

void bight__stream_peer_gone(struct bight_stream *stream, unsigned what)
{
    stream->peer_gone |= (uint8_t)what;
    tell_watch(stream);
}

void bight__stream_watch(struct bight_stream *stream, struct stream_watch *watch)
{
    while (stream->below)
        stream = stream->below;
    stream->watch = watch;
    tell_watch(stream);
}
