/* Messages that go out: a server's in one frame and one write, without a copy; a client's, which
 * have to be masked, in frames of at most FRAGMENT_BYTES. Only the first write of a message can
 * fail without harm. */
#include <string.h>

#include <bight/waiter.h>

#include "net/websocket/websocket.h"

static int may_send(const struct bight_websocket *socket)
{
    if (socket->broken)
        return socket->broken;
    return socket->close.is_due || socket->close_sent ? BIGHT_ECLOSED : 0;
}

static int send_frame(struct bight_websocket *socket, uint8_t opcode, bool fin, const void *data,
                      size_t bytes)
{
    uint8_t header[HEADER_BYTES], *to = socket->is_client ? socket->fragment : header;
    size_t count;
    int rc = bight__websocket_encode(socket, opcode, fin, data, bytes, to, &count);

    if (rc)
        return rc;
    if (!socket->is_client && bytes) {
        const struct bight_slice slices[] = {{header, count}, {data, bytes}};

        return bight_stream_writev(socket->stream, slices, 2);
    }
    return bight_stream_write(socket->stream, to, count);
}

/* With the lock held. */
static int send_frames(struct bight_websocket *socket, uint8_t opcode, bool last, const char *data,
                       size_t bytes)
{
    size_t most = socket->is_client ? FRAGMENT_BYTES : SIZE_MAX;
    bool begun = socket->parts_open;

    for (;;) {
        size_t count = bytes < most ? bytes : most;
        int rc = bight__websocket_flush(socket, true);

        if (rc == 0)
            rc = send_frame(socket, begun ? WSLAY_CONTINUATION_FRAME : opcode,
                            last && count == bytes, data, count);
        if (rc) {
            if (begun)
                socket->broken = BIGHT_EBROKEN;
            return rc;
        }
        begun = true;
        bytes -= count;
        if (!bytes)
            return 0;
        data += count;
    }
}

static int prepare(struct bight_websocket *socket)
{
    if (socket->is_client && !socket->fragment) {
        socket->fragment = bight__alloc(socket->seams, FRAGMENT_BYTES + HEADER_BYTES);
        if (!socket->fragment)
            return BIGHT_ENOMEM;
    }
    return bight_mutex_lock(&socket->lock);
}

static int send_locked(struct bight_websocket *socket, enum bight_websocket_type type,
                       const void *data, size_t bytes, bool last)
{
    int rc = may_send(socket);

    if (rc == 0)
        rc = send_frames(socket, (uint8_t)type, last, data, bytes);
    if (rc == 0) {
        socket->parts_open = !last;
        /* The message has gone: a cancellation shows in the task's next call. */
        (void)bight__websocket_flush(socket, true);
    }
    return rc;
}

/* With `text` for how far its characters have come. */
static int send_some(struct bight_websocket *socket, enum bight_websocket_type type,
                     const void *data, size_t bytes, bool last, struct utf8 *text)
{
    int rc;

    if (type == BIGHT_WEBSOCKET_TEXT &&
        (!bight__utf8_goes_on(text, data, bytes) || (last && !bight__utf8_is_whole(text))))
        return BIGHT_EINVAL;
    rc = bight_checkpoint();
    if (rc)
        return rc;
    socket->sending = true;
    rc = prepare(socket);
    if (rc == 0) {
        rc = send_locked(socket, type, data, bytes, last);
        bight_mutex_unlock(&socket->lock);
    }
    socket->sending = false;
    return rc;
}

static int check(const struct bight_websocket *socket, enum bight_websocket_type type,
                 const void *data, size_t bytes)
{
    if (!socket || (!data && bytes) ||
        (type != BIGHT_WEBSOCKET_TEXT && type != BIGHT_WEBSOCKET_BINARY))
        return BIGHT_EINVAL;
    return socket->sending ? BIGHT_EBUSY : may_send(socket);
}

int bight_websocket_send(struct bight_websocket *socket, enum bight_websocket_type type,
                         const void *data, size_t bytes)
{
    struct utf8 text = {0};
    int rc = check(socket, type, data, bytes);

    if (rc == 0 && socket->parts_open)
        rc = BIGHT_EINVAL;
    return rc ? rc : send_some(socket, type, data, bytes, true, &text);
}

int bight_websocket_send_part(struct bight_websocket *socket, enum bight_websocket_type type,
                              const void *data, size_t bytes, bool last)
{
    struct utf8 text = {0};
    int rc = check(socket, type, data, bytes);

    if (rc == 0 && socket->parts_open) {
        rc = type == socket->parts_type ? 0 : BIGHT_EINVAL;
        text = socket->parts_text;
    }
    if (rc == 0)
        rc = send_some(socket, type, data, bytes, last, &text);
    if (rc == 0) {
        socket->parts_type = type;
        socket->parts_text = text;
    }
    return rc;
}

int bight_websocket_ping(struct bight_websocket *socket)
{
    int rc;

    if (!socket)
        return BIGHT_EINVAL;
    rc = bight_checkpoint();
    if (rc == 0)
        rc = may_send(socket);
    if (rc)
        return rc;
    socket->ping.is_due = true;
    rc = bight_mutex_lock(&socket->lock);
    if (rc)
        return rc;
    rc = bight__websocket_flush(socket, true);
    bight_mutex_unlock(&socket->lock);
    return rc;
}
