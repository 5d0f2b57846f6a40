/* From one stream to another. Only what was written is taken, so a failure loses nothing. The call
 * is inside of both streams and waits for both at once, so that it notices when either is ended. */
#include "runtime/stream/stream.h"

/* One step: how many bytes went over, at least 1; 0: `from` has ended; BIGHT_EAGAIN: it was waited
 * for something; another negative code. */
static int64_t step(struct bight_stream *from, struct bight_stream *to)
{
    int64_t count = (int64_t)bight__stream_held(from);
    int rc;

    if (count == 0)
        count = bight__stream_try_fill(from, 1);
    if (count == BIGHT_EAGAIN) {
        rc = bight__stream_wait_also(&from->in, &to->out);
        return rc ? rc : BIGHT_EAGAIN;
    }
    if (count <= 0)
        return count;
    struct bight_slice slice = {from->buffer.data + from->buffer.begin, (size_t)count};
    count = bight__stream_put(to, &slice, 1);
    if (count == BIGHT_EAGAIN) {
        rc = bight__stream_wait_also(&to->out, &from->in);
        return rc ? rc : BIGHT_EAGAIN;
    }
    if (count < 0)
        return bight__stream_write_failed(to, (int)count);
    (void)bight__buffer_take(from, NULL, (size_t)count);
    return count;
}

static int64_t copy(struct bight_stream *from, struct bight_stream *to)
{
    int64_t copied = 0;

    for (;;) {
        int rc = bight__stream_pause(from);
        int64_t count;

        if (rc == 0 && bight__stream_is_over(to))
            rc = BIGHT_ECLOSED;
        if (rc)
            return rc;
        count = step(from, to);
        if (count == 0)
            return copied;
        if (count < 0 && count != BIGHT_EAGAIN)
            return count;
        copied += count > 0 ? count : 0;
    }
}

int64_t bight_stream_copy(struct bight_stream *from, struct bight_stream *to)
{
    int64_t copied;
    int rc;

    if (!from || !to)
        return BIGHT_EINVAL;
    rc = bight__stream_enter(from, &from->in, false);
    if (unlikely(rc))
        return rc;
    copied = bight__stream_enter(to, &to->out, true);
    if (copied == 0) {
        copied = to->out.error;
        if (copied == 0)
            copied = copy(from, to);
        bight__stream_leave(to, &to->out);
    }
    bight__stream_leave(from, &from->in);
    return copied;
}
