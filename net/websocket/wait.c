/* Waiting for the peer: for bytes, with what is due sent before, and with pings when it is silent.
 * Time counts only while a task waits: when nobody listens, the peer cannot be heard. */
#include <bight/scope.h>
#include <bight/time.h>
#include <bight/waiter.h>

#include "coro/base/units.h"
#include "net/websocket/websocket.h"

/* How long to wait until there is something to do: to ping, or to give up. */
static int64_t patience_ms(const struct bight_websocket *socket)
{
    uint64_t until_ns = socket->idle_ns;

    if (!socket->pinged && socket->ping_ns < until_ns)
        until_ns = socket->ping_ns;
    if (until_ns == UINT64_MAX)
        return -1;
    if (until_ns <= socket->silent_ns)
        return 0;
    return (int64_t)((until_ns - socket->silent_ns + NS_PER_MS - 1) / NS_PER_MS);
}

/* Read, or BIGHT_EAGAIN: it was silent for so long. */
static int64_t read_patiently(struct bight_websocket *socket, void *buffer, size_t bytes)
{
    const uint64_t since_ns = bight_now_ns();
    struct bight_scope scope;
    int64_t count = bight_scope_begin(&scope, patience_ms(socket), BIGHT_SCOPE_INHERIT);
    int rc;

    if (count)
        return count;
    count = bight__websocket_say(socket, true);
    if (count == 0)
        count = bight_stream_read(socket->stream, buffer, bytes);
    rc = bight_scope_end(&scope, count < 0 ? (int)count : 0);
    socket->silent_ns += bight_now_ns() - since_ns;
    if (rc == BIGHT_ETIMEDOUT && scope.caught)
        return BIGHT_EAGAIN;
    return rc ? rc : count;
}

/* It was silent: ping, or give up. */
static int prod(struct bight_websocket *socket)
{
    if (socket->silent_ns >= socket->idle_ns)
        return BIGHT_ETIMEDOUT;
    if (socket->silent_ns >= socket->ping_ns && !socket->pinged) {
        socket->pinged = true;
        socket->ping.is_due = true;
    }
    return 0;
}

static int64_t wait_bytes(struct bight_websocket *socket, void *buffer, size_t bytes)
{
    int64_t count = bight_checkpoint(); /* a peer may always have something more */

    if (count == 0)
        count = bight_stream_try_read(socket->stream, buffer, bytes);
    while (count == BIGHT_EAGAIN) {
        count = read_patiently(socket, buffer, bytes);
        if (count == BIGHT_EAGAIN) {
            int rc = prod(socket);

            if (rc)
                return rc;
        }
    }
    return count;
}

ssize_t bight__websocket_on_recv(uint8_t *buffer, size_t bytes, int flags, void *arg)
{
    struct bight_websocket *socket = arg;
    int64_t count = wait_bytes(socket, buffer, bytes);

    (void)flags;
    if (count <= 0) {
        socket->code = count ? (int)count : BIGHT_ECONNRESET;
        return -1;
    }
    socket->silent_ns = 0;
    socket->pinged = false;
    return (ssize_t)count;
}
