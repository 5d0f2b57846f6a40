/* Select over a stream: the case of its readability. Nothing is taken from the stream, except that
 * a byte may go into its buffer, from where the next read takes it. */
#include "runtime/stream/stream.h"

static int readable_abort(struct bight_waiter *waiter)
{
    struct bight_stream *stream = bight_case_of(waiter)->source;

    if (stream->in.waiter != waiter)
        return 0; /* never armed */
    stream->in.waiter = NULL;
    stream->in.taken &= (uint8_t)~SIDE_CASE;
    return 0;
}

static const struct bight_waiter_ops readable_wait = {
    .name = "select: stream",
    .abort = readable_abort,
    .flags = BIGHT_WAITER_OUTSIDE,
};

static const struct bight_waiter_ops inner_readable_wait = {
    .name = "select: stream",
    .abort = readable_abort,
};

/* Whether a read would not wait. Readiness is only a hint, so bytes are read ahead. */
static int64_t look(struct bight_stream *stream)
{
    int64_t held = (int64_t)bight__stream_held(stream);

    return held ? held : bight__stream_try_fill(stream, 1);
}

static bool readable_attempt(struct bight_case *chosen)
{
    struct bight_stream *stream = chosen->source;
    int rc = bight__stream_check(stream, &stream->in);

    if (rc == 0 && look(stream) == BIGHT_EAGAIN)
        return false;
    chosen->status = rc;
    return true;
}

static int readable_arm(struct bight_case *chosen)
{
    struct bight_stream *stream = chosen->source;

    /* Another case of the same select may have been faster. */
    if (stream->in.taken)
        return BIGHT_EBUSY;
    stream->in.taken = SIDE_CASE;
    stream->in.waiter = &chosen->waiter;
    /* The attempt of another case may have written to the other side of this one's pair. */
    if (unlikely(stream->in.ready))
        bight__side_wake(&stream->in, 0);
    return 0;
}

static const struct bight_case_ops readable_ops = {&readable_wait, readable_attempt, readable_arm,
                                                   NULL};
static const struct bight_case_ops inner_readable_ops = {&inner_readable_wait, readable_attempt,
                                                         readable_arm, NULL};

void bight_case_readable(struct bight_case *to, struct bight_stream *stream)
{
    if (!to)
        return;
    /* Without a source it is invalid: it has no ops, and the select says so. */
    if (!stream)
        bight_case_custom(to, NULL, NULL);
    else
        bight_case_custom(to, stream->ops->inside ? &inner_readable_ops : &readable_ops, stream);
}
