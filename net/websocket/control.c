/* The frames that go between messages: pongs, pings, Close. What is due is noted in the WebSocket
 * and goes out with the lock held: by the task that notes it, or by the one that is just sending,
 * behind its frame. One that the peer has taken a part of stays in `control`, so that a task can be
 * cancelled while it waits for the rest to go. */
#include <errno.h>
#include <string.h>

#include <bight/scope.h>

#include "net/websocket/websocket.h"
#include "runtime/stream/stream.h"

ssize_t bight__websocket_on_send(const uint8_t *data, size_t bytes, int flags, void *arg)
{
    struct bight_websocket *socket = arg;

    (void)flags;
    if (data != socket->direct) {
        memcpy(socket->written, data, bytes);
        socket->written += bytes;
    }
    return (ssize_t)bytes;
}

/* Nobody may be able to foresee a mask (RFC 6455 10.3). */
int bight__websocket_on_mask(uint8_t *mask, size_t bytes, void *arg)
{
    struct bight_websocket *socket = arg;

    if (socket->masks_left < bytes) {
        if (!bight__websocket_random(socket->masks, sizeof(socket->masks)))
            return -1;
        socket->masks_left = sizeof(socket->masks);
    }
    socket->masks_left -= bytes;
    memcpy(mask, socket->masks + socket->masks_left, bytes);
    return 0;
}

int bight__websocket_encode(struct bight_websocket *socket, uint8_t opcode, bool fin,
                            const void *data, size_t data_bytes, uint8_t *to, size_t *bytes)
{
    struct wslay_frame_iocb frame = {
        .fin = fin,
        .opcode = opcode,
        .payload_length = data_bytes,
        .mask = socket->is_client,
        .data = data,
        .data_length = data_bytes,
    };

    socket->direct = socket->is_client ? NULL : data;
    socket->written = to;
    if (wslay_frame_send(socket->out, &frame) < 0)
        return BIGHT_EIO; /* no random number */
    *bytes = (size_t)(socket->written - to);
    return 0;
}

static int fill(struct bight_websocket *socket, uint8_t opcode, struct due *due)
{
    size_t bytes;
    int rc = bight__websocket_encode(socket, opcode, true, due->payload, due->bytes,
                                     socket->control, &bytes);

    if (rc)
        return rc;
    if (!socket->is_client) {
        memcpy(socket->control + bytes, due->payload, due->bytes);
        bytes += due->bytes;
    }
    socket->control_at = 0;
    socket->control_end = bytes;
    due->is_due = false;
    return 0;
}

static bool is_any_due(const struct bight_websocket *socket)
{
    return !socket->close_sent &&
           (socket->pong.is_due || socket->ping.is_due || socket->close.is_due);
}

/* Take the next one that is due. */
static int fill_next(struct bight_websocket *socket)
{
    int rc;

    if (socket->pong.is_due)
        return fill(socket, WSLAY_PONG, &socket->pong);
    if (socket->ping.is_due)
        return fill(socket, WSLAY_PING, &socket->ping);
    rc = fill(socket, WSLAY_CONNECTION_CLOSE, &socket->close);
    socket->close_sent = rc == 0;
    return rc;
}

static int put(struct bight_websocket *socket, bool wait)
{
    int64_t count = bight_stream_try_write(socket->stream, socket->control + socket->control_at,
                                           socket->control_end - socket->control_at);

    if (count == BIGHT_EAGAIN && wait)
        return bight__stream_wait_writable(socket->stream);
    if (count < 0)
        return (int)count;
    socket->control_at += (size_t)count;
    return 0;
}

int bight__websocket_flush(struct bight_websocket *socket, bool wait)
{
    int rc = socket->broken;

    while (rc == 0) {
        if (socket->control_at < socket->control_end)
            rc = put(socket, wait);
        else if (is_any_due(socket))
            rc = fill_next(socket);
        else
            break;
    }
    return rc;
}

int bight__websocket_say(struct bight_websocket *socket, bool wait)
{
    int rc;

    if (socket->control_at == socket->control_end && !is_any_due(socket))
        return 0;
    if (bight_mutex_try_lock(&socket->lock))
        return 0;
    rc = bight__websocket_flush(socket, wait);
    bight_mutex_unlock(&socket->lock);
    return bight_is_stop(rc) ? rc : 0;
}

void bight__websocket_due_close(struct bight_websocket *socket, int code, const char *reason)
{
    struct due *due = &socket->close;

    if (due->is_due || socket->close_sent)
        return;
    due->is_due = true;
    due->bytes = 0;
    if (!code)
        return;
    due->payload[0] = (uint8_t)(code >> 8);
    due->payload[1] = (uint8_t)code;
    due->bytes = 2;
    if (reason) {
        memcpy(due->payload + 2, reason, strlen(reason));
        due->bytes = (uint8_t)(due->bytes + strlen(reason));
    }
}

void bight__websocket_say_close(struct bight_websocket *socket)
{
    struct bight_scope scope;
    int rc = bight_scope_begin(&scope, socket->close_ms, 0);

    if (rc)
        return;
    rc = bight__websocket_say(socket, true);
    rc = bight_scope_end(&scope, rc);
    (void)rc; /* it was only a courtesy */
}
