/* The life of a WebSocket but its beginning: how it ends, and what can be asked then. */
#include <limits.h>
#include <string.h>

#include <bight/scope.h>
#include <bight/waiter.h>

#include "coro/base/units.h"
#include "net/websocket/websocket.h"
#include "runtime/door.h"

#define DEFAULT_MESSAGE_BYTES ((size_t)1 << 20)
#define DEFAULT_PING_MS 30000
#define DEFAULT_CLOSE_MS 5000

static uint64_t time_of(int64_t ms)
{
    return ms < 0 || (uint64_t)ms > INT64_MAX / NS_PER_MS ? UINT64_MAX : (uint64_t)ms * NS_PER_MS;
}

static void set_options(struct bight_websocket *socket,
                        const struct bight_websocket_options *options)
{
    int64_t ping_ms = options->ping_ms ? options->ping_ms : DEFAULT_PING_MS;
    int64_t twice_ms = ping_ms < 0 || ping_ms > INT64_MAX / 2 ? -1 : 2 * ping_ms;

    socket->ping_ns = time_of(ping_ms);
    socket->idle_ns = time_of(options->idle_ms ? options->idle_ms : twice_ms);
    socket->close_ms = options->close_ms ? options->close_ms : DEFAULT_CLOSE_MS;
    socket->max_message_bytes =
        options->max_message_bytes ? options->max_message_bytes : DEFAULT_MESSAGE_BYTES;
}

/* wslay's records, of which it takes each from malloc. */
static int open_frames(struct bight_websocket *socket)
{
    static const struct wslay_frame_callbacks callbacks = {
        .send_callback = bight__websocket_on_send,
        .recv_callback = bight__websocket_on_recv,
        .genmask_callback = bight__websocket_on_mask,
    };

    if (wslay_frame_context_init(&socket->in, &callbacks, socket)) {
        socket->in = NULL;
        return BIGHT_ENOMEM;
    }
    if (wslay_frame_context_init(&socket->out, &callbacks, socket)) {
        socket->out = NULL;
        return BIGHT_ENOMEM;
    }
    return 0;
}

static bool are_tokens(const struct bight_websocket_options *options)
{
    for (size_t i = 0; i < options->protocol_count; i++) {
        if (!options->protocols ||
            !bight__is_token(options->protocols[i], strlen(options->protocols[i])))
            return false;
    }
    return true;
}

int bight__websocket_new(struct bight_websocket **out, bool is_client,
                         const struct bight_websocket_options *options)
{
    struct bight_runtime *runtime;
    struct bight_websocket *socket;
    int rc = are_tokens(options) ? bight__runtime_get(&runtime) : BIGHT_EINVAL;

    if (rc)
        return rc;
    socket = bight__alloc_zero(bight__runtime_seams(runtime), sizeof(*socket));
    if (!socket)
        return BIGHT_ENOMEM;
    socket->seams = bight__runtime_seams(runtime);
    socket->is_client = is_client;
    set_options(socket, options);
    rc = open_frames(socket);
    if (rc) {
        bight_websocket_free(socket);
        return rc;
    }
    *out = socket;
    return 0;
}

int bight_websocket_free(struct bight_websocket *socket)
{
    if (!socket)
        return 0;
    if (socket->receiving || socket->sending || socket->closing || bight_mutex_owner(&socket->lock))
        return BIGHT_EBUSY;
    if (socket->in)
        wslay_frame_context_free(socket->in);
    if (socket->out)
        wslay_frame_context_free(socket->out);
    bight__free(socket->protocol);
    bight__free(socket->message);
    bight__free(socket->fragment);
    bight__free(socket);
    return 0;
}

bool bight__websocket_may_send_code(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

void bight__websocket_ended(struct bight_websocket *socket, int rc)
{
    socket->ended = rc;
    socket->peer_code = CLOSE_ABNORMAL;
    if (rc == BIGHT_ECLOSED)
        socket->broken = rc; /* the stream is gone */
}

/* Until the peer's Close has come, by whoever receives. */
static int await_close(struct bight_websocket *socket)
{
    int rc = 0;

    while (rc == 0 && !socket->ended) {
        bight_event_clear(&socket->changed);
        rc =
            socket->receiving ? bight_event_wait(&socket->changed) : bight__websocket_drain(socket);
    }
    return rc;
}

static int close_handshake(struct bight_websocket *socket)
{
    int rc = bight_mutex_lock(&socket->lock);

    if (rc)
        return rc;
    rc = bight__websocket_flush(socket, true);
    bight_mutex_unlock(&socket->lock);
    if (rc == 0)
        rc = await_close(socket);
    if (rc == 0 && socket->ended != BIGHT_EOF)
        rc = socket->ended;
    return rc;
}

static bool is_reason(int code, const char *reason)
{
    struct utf8 text = {0};

    if (!reason)
        return true;
    return code && strlen(reason) <= CONTROL_BYTES - 2 &&
           bight__utf8_goes_on(&text, reason, strlen(reason)) && bight__utf8_is_whole(&text);
}

int bight_websocket_close(struct bight_websocket *socket, int code, const char *reason,
                          int64_t timeout_ms)
{
    struct bight_scope scope;
    int rc;

    if (!socket || (code && !bight__websocket_may_send_code(code)) || !is_reason(code, reason))
        return BIGHT_EINVAL;
    rc = bight_checkpoint();
    if (rc)
        return rc;
    if (socket->closing)
        return BIGHT_EBUSY;
    rc = bight_scope_begin(&scope, timeout_ms, BIGHT_SCOPE_INHERIT);
    if (rc)
        return rc;
    socket->closing = true;
    bight__websocket_due_close(socket, code, reason);
    rc = close_handshake(socket);
    socket->closing = false;
    return bight_scope_end(&scope, rc);
}

int bight_websocket_close_code(const struct bight_websocket *socket)
{
    return socket ? socket->peer_code : BIGHT_EINVAL;
}

const char *bight_websocket_close_reason(const struct bight_websocket *socket)
{
    return socket ? socket->peer_reason : NULL;
}

const char *bight_websocket_protocol(const struct bight_websocket *socket)
{
    return socket ? socket->protocol : NULL;
}
