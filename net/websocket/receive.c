/* What comes in. wslay takes frames apart, and gives their payloads in pieces as they come; here
 * they become messages, and control frames are answered. All that is known of a message is in the
 * WebSocket, so a call that was cancelled goes on with the next. */
#include <string.h>

#include <bight/waiter.h>

#include "net/websocket/websocket.h"

int bight__websocket_enter(struct bight_websocket *socket)
{
    int rc = bight_checkpoint();

    if (rc)
        return rc;
    if (socket->receiving)
        return BIGHT_EBUSY;
    if (socket->ended)
        return socket->ended;
    socket->receiving = true;
    return 0;
}

void bight__websocket_leave(struct bight_websocket *socket)
{
    socket->receiving = false;
    if (socket->closing)
        bight_event_set(&socket->changed);
}

/* The peer did wrong: tell it, and no more is taken from it. */
static int refuse(struct bight_websocket *socket, int code, int rc)
{
    bight__websocket_ended(socket, rc);
    bight__websocket_due_close(socket, code, NULL);
    bight__websocket_say_close(socket);
    return rc;
}

static int broke_protocol(struct bight_websocket *socket)
{
    return refuse(socket, CLOSE_PROTOCOL, BIGHT_EPROTOCOL);
}

static int on_close(struct bight_websocket *socket)
{
    const uint8_t *payload = socket->control_in;
    size_t bytes = socket->control_in_bytes;
    struct utf8 text = {0};
    int code = bytes >= 2 ? payload[0] << 8 | payload[1] : CLOSE_NONE;

    if (bytes == 1 || (bytes && !bight__websocket_may_send_code(code)))
        return broke_protocol(socket);
    if (bytes &&
        (!bight__utf8_goes_on(&text, payload + 2, bytes - 2) || !bight__utf8_is_whole(&text)))
        return refuse(socket, CLOSE_TEXT, BIGHT_EPROTOCOL);
    bight__websocket_ended(socket, BIGHT_EOF);
    socket->peer_code = code;
    if (bytes > 2)
        memcpy(socket->peer_reason, payload + 2, bytes - 2);
    bight__websocket_due_close(socket, bytes ? code : 0, NULL);
    bight__websocket_say_close(socket);
    return BIGHT_EOF;
}

static int on_control(struct bight_websocket *socket)
{
    struct due *pong = &socket->pong;

    if (socket->opcode == WSLAY_CONNECTION_CLOSE)
        return on_close(socket);
    if (socket->opcode == WSLAY_PONG)
        return 0;
    /* Only the last of several pings needs an answer (RFC 6455 5.5.3). */
    pong->is_due = true;
    pong->bytes = socket->control_in_bytes;
    memcpy(pong->payload, socket->control_in, pong->bytes);
    return bight__websocket_say(socket, false);
}

static bool is_control(uint8_t opcode)
{
    return wslay_is_ctrl_frame(opcode);
}

/* Whether such a frame may come now. */
static bool may_come(const struct bight_websocket *socket, const struct wslay_frame_iocb *frame)
{
    if (frame->rsv || frame->mask == socket->is_client)
        return false;
    switch (frame->opcode) {
    case WSLAY_CONTINUATION_FRAME:
        return socket->phase != MESSAGE_NONE;
    case WSLAY_TEXT_FRAME:
    case WSLAY_BINARY_FRAME:
        return socket->phase == MESSAGE_NONE;
    case WSLAY_CONNECTION_CLOSE:
    case WSLAY_PING:
    case WSLAY_PONG:
        return true;
    default:
        return false;
    }
}

static int begin_frame(struct bight_websocket *socket, const struct wslay_frame_iocb *frame)
{
    if (!may_come(socket, frame))
        return broke_protocol(socket);
    socket->in_frame = true;
    socket->opcode = frame->opcode;
    socket->fin = frame->fin;
    socket->frame_left = frame->payload_length;
    socket->control_in_bytes = 0;
    if (frame->opcode == WSLAY_TEXT_FRAME || frame->opcode == WSLAY_BINARY_FRAME) {
        socket->phase = MESSAGE_PIECES;
        socket->type = (enum bight_websocket_type)frame->opcode;
        socket->complete = false;
        socket->text = (struct utf8){0};
    }
    return 0;
}

static int on_data(struct bight_websocket *socket, const struct wslay_frame_iocb *frame)
{
    bool is_last = socket->fin && !socket->frame_left;

    if (socket->type == BIGHT_WEBSOCKET_TEXT &&
        (!bight__utf8_goes_on(&socket->text, frame->data, frame->data_length) ||
         (is_last && !bight__utf8_is_whole(&socket->text))))
        return refuse(socket, CLOSE_TEXT, BIGHT_EPROTOCOL);
    socket->piece = frame->data;
    socket->piece_bytes = frame->data_length;
    socket->complete = is_last;
    return 0;
}

/* Whether the next call may fare better, for nothing is wrong with the connection. */
static bool is_passing(int code)
{
    return bight_is_stop(code) || code == BIGHT_ENOMEM || code == BIGHT_EBUSY ||
           code == BIGHT_EPERM || code == BIGHT_ENOTASK || code == BIGHT_ESCOPE;
}

static int stopped(struct bight_websocket *socket, ssize_t error)
{
    if (error != WSLAY_ERR_WANT_READ)
        return broke_protocol(socket);
    if (!is_passing(socket->code))
        bight__websocket_ended(socket, socket->code);
    return socket->code;
}

/* Take the next piece of a frame, of which there may be none yet. The one before must be taken. */
static int step(struct bight_websocket *socket)
{
    struct wslay_frame_iocb frame;
    ssize_t bytes;
    int rc = 0;

    do {
        socket->code = 0;
        bytes = wslay_frame_recv(socket->in, &frame);
    } while (bytes == WSLAY_ERR_WANT_READ && !socket->code);
    if (bytes < 0)
        return stopped(socket, bytes);
    if (!socket->in_frame)
        rc = begin_frame(socket, &frame);
    if (rc)
        return rc;
    socket->frame_left -= frame.data_length;
    socket->in_frame = socket->frame_left > 0;
    if (!is_control(socket->opcode))
        return on_data(socket, &frame);
    memcpy(socket->control_in + socket->control_in_bytes, frame.data, frame.data_length);
    socket->control_in_bytes = (uint8_t)(socket->control_in_bytes + frame.data_length);
    return socket->in_frame ? 0 : on_control(socket);
}

/* What has come of the message was taken. */
static void take_piece(struct bight_websocket *socket)
{
    socket->piece_bytes = 0;
    if (socket->complete)
        socket->phase = MESSAGE_NONE;
}

/* Drop what is left of the message, and wait until the next one begins. */
static int begin_message(struct bight_websocket *socket)
{
    int rc = 0;

    while (rc == 0 && socket->phase != MESSAGE_NONE) {
        take_piece(socket);
        if (socket->phase != MESSAGE_NONE)
            rc = step(socket);
    }
    while (rc == 0 && socket->phase == MESSAGE_NONE)
        rc = step(socket);
    return rc;
}

static void free_message(struct bight_websocket *socket)
{
    bight__free(socket->message);
    socket->message = NULL;
    socket->message_room = 0;
}

/* Room for `bytes` and a NUL. */
static int make_room(struct bight_websocket *socket, size_t bytes)
{
    size_t room = socket->message_room ? socket->message_room : 256;
    char *larger;

    if (bytes < socket->message_room)
        return 0;
    while (room <= bytes)
        room *= 2;
    larger = bight__alloc(socket->seams, room);
    if (!larger)
        return BIGHT_ENOMEM;
    if (socket->message_bytes)
        memcpy(larger, socket->message, socket->message_bytes);
    bight__free(socket->message);
    socket->message = larger;
    socket->message_room = room;
    return 0;
}

/* Put the piece behind what was collected. */
static int collect_piece(struct bight_websocket *socket)
{
    size_t limit = socket->max_message_bytes - socket->message_bytes;
    uint64_t announced = is_control(socket->opcode) ? 0 : socket->frame_left;
    int rc;

    if (socket->piece_bytes > limit || announced > limit - socket->piece_bytes)
        return refuse(socket, CLOSE_TOO_BIG, BIGHT_ETOOBIG);
    rc = make_room(socket, socket->message_bytes + socket->piece_bytes);
    if (rc)
        return rc;
    if (socket->piece_bytes)
        memcpy(socket->message + socket->message_bytes, socket->piece, socket->piece_bytes);
    socket->message_bytes += socket->piece_bytes;
    take_piece(socket);
    return 0;
}

static int collect(struct bight_websocket *socket)
{
    int rc = 0;

    if (socket->phase != MESSAGE_WHOLE) {
        rc = begin_message(socket);
        if (rc)
            return rc;
        socket->phase = MESSAGE_WHOLE;
        socket->message_bytes = 0;
        if (socket->message_room > KEPT_MESSAGE_BYTES)
            free_message(socket);
    }
    while ((rc = collect_piece(socket)) == 0 && socket->phase == MESSAGE_WHOLE &&
           (rc = step(socket)) == 0)
        continue;
    return rc;
}

int bight_websocket_receive(struct bight_websocket *socket, struct bight_websocket_message *message)
{
    int rc;

    if (!socket || !message)
        return BIGHT_EINVAL;
    rc = bight__websocket_enter(socket);
    if (rc)
        return rc;
    rc = collect(socket);
    if (rc == 0) {
        socket->message[socket->message_bytes] = '\0';
        message->type = socket->type;
        message->data = socket->message;
        message->bytes = socket->message_bytes;
    }
    bight__websocket_leave(socket);
    return rc;
}

int bight_websocket_next(struct bight_websocket *socket, enum bight_websocket_type *type)
{
    int rc;

    if (!socket || !type)
        return BIGHT_EINVAL;
    rc = bight__websocket_enter(socket);
    if (rc)
        return rc;
    rc = begin_message(socket);
    if (rc == 0)
        *type = socket->type;
    bight__websocket_leave(socket);
    return rc;
}

static int64_t read_piece(struct bight_websocket *socket, void *buffer, size_t bytes)
{
    size_t count;

    while (!socket->piece_bytes) {
        int rc;

        if (socket->complete) {
            take_piece(socket);
            return 0;
        }
        rc = step(socket);
        if (rc)
            return rc;
    }
    count = socket->piece_bytes < bytes ? socket->piece_bytes : bytes;
    memcpy(buffer, socket->piece, count);
    socket->piece += count;
    socket->piece_bytes -= count;
    return (int64_t)count;
}

int64_t bight_websocket_read(struct bight_websocket *socket, void *buffer, size_t bytes)
{
    int64_t count;

    if (!socket || (!buffer && bytes))
        return BIGHT_EINVAL;
    count = bight__websocket_enter(socket);
    if (count)
        return count;
    if (socket->phase != MESSAGE_PIECES)
        count = BIGHT_EINVAL;
    else if (bytes)
        count = read_piece(socket, buffer, bytes);
    bight__websocket_leave(socket);
    return count;
}

int bight__websocket_drain(struct bight_websocket *socket)
{
    int rc = bight__websocket_enter(socket);

    if (rc)
        return rc;
    while ((rc = begin_message(socket)) == 0)
        continue;
    bight__websocket_leave(socket);
    return socket->ended ? 0 : rc;
}
