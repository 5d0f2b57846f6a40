/* The body of a request. Bytes of a known length go straight into the handler's memory. */
#include "net/server/server.h"

#include <string.h>

#include <bight/time.h>
#include <bight/waiter.h>

#define FIRST_WHOLE_BYTES ((size_t)4 << 10)
#define DROP_STEP_BYTES 1024

int bight__blame(struct bight_exchange *exchange, int rc, int status)
{
    exchange->blamed = rc;
    exchange->blamed_status = status;
    return rc;
}

int bight__body_broken(struct bight_exchange *exchange, int error)
{
    exchange->body = BODY_BROKEN;
    exchange->body_error = error;
    return bight__blame(exchange, error,
                        error == BIGHT_ETOOBIG     ? 413
                        : error == BIGHT_ETIMEDOUT ? 408
                                                   : 400);
}

/* What a failed read of the connection means for the body: one that was cancelled can be made
 * again. */
static int failed(struct bight_exchange *exchange, int rc)
{
    bool passes = bight_is_stop(rc) || rc == BIGHT_ENOMEM;

    return passes ? rc : bight__body_broken(exchange, rc);
}

int64_t bight__body_receive(struct bight_exchange *exchange, void *buffer, size_t bytes)
{
    struct bight_scope scope;
    uint64_t since_ns;
    int64_t count = bight_stream_try_read(exchange->stream, buffer, bytes);
    int rc;

    if (count == BIGHT_EAGAIN) {
        rc = bight__pace_enter(exchange->server, &exchange->in, &scope, 0);
        if (rc)
            return rc;
        since_ns = bight_now_ns();
        count = bight_stream_read(exchange->stream, buffer, bytes);
        rc = bight__pace_leave(&exchange->in, &scope, since_ns, count);
        if (rc)
            return failed(exchange, rc);
    } else if (count > 0) {
        exchange->in.bytes += (uint64_t)count;
    }
    if (count == 0)
        return bight__body_broken(exchange, BIGHT_EPROTOCOL); /* it ended too early */
    return count < 0 ? failed(exchange, (int)count) : count;
}

int64_t bight__body_peek(struct bight_exchange *exchange, const char **data, size_t bytes)
{
    size_t held = bight_stream_buffered(exchange->stream);
    struct bight_scope scope;
    uint64_t since_ns;
    const void *at = NULL;
    int64_t count;
    int rc;

    if (held >= bytes) {
        count = bight_stream_peek(exchange->stream, &at, 0);
    } else {
        rc = bight__pace_enter(exchange->server, &exchange->in, &scope, 0);
        if (rc)
            return rc;
        since_ns = bight_now_ns();
        count = bight_stream_peek(exchange->stream, &at, bytes);
        rc = bight__pace_leave(&exchange->in, &scope, since_ns,
                               count < 0 ? count : count - (int64_t)held);
        if (rc)
            return failed(exchange, rc);
    }
    if (count < 0)
        return failed(exchange, (int)count);
    if (count < (int64_t)bytes)
        return bight__body_broken(exchange, BIGHT_EPROTOCOL);
    *data = at;
    return count;
}

static int64_t fixed_read(struct bight_exchange *exchange, void *buffer, size_t bytes)
{
    int64_t count;

    if (exchange->body_left > exchange->max_body_bytes - exchange->body_read)
        return bight__body_broken(exchange, BIGHT_ETOOBIG);
    if (bytes > exchange->body_left)
        bytes = (size_t)exchange->body_left;
    count = bight__body_receive(exchange, buffer, bytes);
    if (count <= 0)
        return count;
    exchange->body_read += (uint64_t)count;
    exchange->body_left -= (uint64_t)count;
    if (exchange->body_left == 0)
        exchange->body = BODY_NONE;
    return count;
}

/* The client waits to be told that it may send, and has not begun all the same. It needs no telling
 * when another task is just writing the answer. */
static int say_continue(struct bight_exchange *exchange)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const struct bight_slice slice = {text, sizeof(text) - 1};
    int rc;

    exchange->expects = false;
    if (exchange->answer >= ANSWER_OPEN || exchange->writing ||
        bight_stream_buffered(exchange->stream))
        return 0;
    exchange->writing = true;
    rc = bight__answer_send(exchange, &slice, 1);
    exchange->writing = false;
    exchange->expects = rc && exchange->answer != ANSWER_BROKEN; /* the next call says it */
    return rc;
}

int64_t bight__body_read(struct bight_exchange *exchange, void *buffer, size_t bytes)
{
    switch (exchange->body) {
    case BODY_NONE:
        return 0;
    case BODY_FIXED:
        return fixed_read(exchange, buffer, bytes);
    case BODY_BROKEN:
        return exchange->body_error;
    default:
        return bight__chunked_read(exchange, buffer, bytes);
    }
}

int64_t bight_exchange_read(struct bight_exchange *exchange, void *buffer, size_t bytes)
{
    int64_t count;

    if (!exchange || (!buffer && bytes))
        return BIGHT_EINVAL;
    count = bight_checkpoint();
    if (count)
        return count;
    if (exchange->reading)
        return BIGHT_EBUSY;
    if (bytes == 0)
        return 0;
    exchange->reading = true;
    if (exchange->expects)
        count = say_continue(exchange);
    if (count == 0)
        count = bight__body_read(exchange, buffer, bytes);
    exchange->reading = false;
    return count;
}

bool bight__body_is_short(const struct bight_exchange *exchange)
{
    if (exchange->body == BODY_NONE)
        return true;
    return exchange->body == BODY_FIXED && !exchange->expects &&
           exchange->body_left <= DROPPED_BYTES;
}

int bight__body_drop(struct bight_exchange *exchange)
{
    char bytes[DROP_STEP_BYTES];
    int64_t count = 1;

    while (count > 0)
        count = bight__body_read(exchange, bytes, sizeof(bytes));
    return (int)count;
}

/* Room for more in `whole`, of which `used` bytes are used. */
static int whole_grow(struct bight_exchange *exchange, size_t used, size_t *capacity)
{
    size_t wanted = *capacity ? 2 * *capacity : FIRST_WHOLE_BYTES;
    char *more;

    if (!*capacity && exchange->body == BODY_FIXED)
        wanted = (size_t)exchange->body_left + 2;
    more = bight__alloc(exchange->server->seams, wanted);
    if (!more)
        return BIGHT_ENOMEM;
    if (used)
        memcpy(more, exchange->whole, used);
    bight__free(exchange->whole);
    exchange->whole = more;
    *capacity = wanted;
    return 0;
}

int bight_exchange_read_all(struct bight_exchange *exchange, const char **body, size_t *bytes)
{
    size_t used = 0, capacity = 0;
    int64_t count = 1;
    int rc;

    if (!exchange || !body)
        return BIGHT_EINVAL;
    rc = bight_checkpoint();
    if (rc)
        return rc;
    if (exchange->reading)
        return BIGHT_EBUSY;
    bight__free(exchange->whole);
    exchange->whole = NULL;
    /* What is too long is refused before there is memory for it. */
    if (exchange->body == BODY_FIXED &&
        exchange->body_left > exchange->max_body_bytes - exchange->body_read)
        return bight__body_broken(exchange, BIGHT_ETOOBIG);
    while (count > 0) {
        if (capacity - used < 2 && whole_grow(exchange, used, &capacity))
            return BIGHT_ENOMEM;
        count = exchange->body == BODY_NONE
                    ? 0
                    : bight_exchange_read(exchange, exchange->whole + used, capacity - used - 1);
        if (count > 0)
            used += (size_t)count;
    }
    if (count < 0)
        return (int)count;
    exchange->whole[used] = '\0';
    *body = exchange->whole;
    if (bytes)
        *bytes = used;
    return 0;
}
