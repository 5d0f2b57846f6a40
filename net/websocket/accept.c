/* The server's handshake: RFC 6455 4.2. What is wrong with a request is answered here, and the
 * handler's own return does nothing more. */
#include <string.h>
#include <strings.h>

#include <bight/waiter.h>

#include "net/websocket/websocket.h"

/* What accept returns for a request that was refused. */
#define REFUSED 1

static int answered(int rc)
{
    return rc ? rc : REFUSED;
}

/* 400, and which version we know: RFC 6455 4.4. */
static int refuse_request(struct bight_exchange *exchange)
{
    int rc = bight_exchange_add_header(exchange, "Sec-WebSocket-Version", "13");

    return answered(rc ? rc : bight_exchange_answer_status(exchange, 400));
}

/* 16 bytes in base64. */
static bool is_key(const char *key)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    return key && strspn(key, letters) == KEY_BYTES - 2 && strcmp(key + KEY_BYTES - 2, "==") == 0;
}

static bool asks(const struct bight_exchange *exchange)
{
    const char *upgrade = bight_exchange_header(exchange, "Upgrade");

    return upgrade && strcmp(bight_exchange_method(exchange), "GET") == 0 &&
           bight__websocket_lists(upgrade, strlen(upgrade), "websocket", false);
}

/* The same host and port: of "https://example.org:444" what follows the slashes. Ports that go
 * without saying are left out on both sides. */
static bool is_own(const char *origin, const char *host)
{
    const char *slashes = strstr(origin, "://");

    return slashes && strcasecmp(slashes + 3, host) == 0;
}

static bool may_connect(const struct bight_exchange *exchange,
                        const struct bight_websocket_options *options)
{
    const char *origin = bight_exchange_header(exchange, "Origin");

    if (!origin)
        return true;
    if (options->allows)
        return options->allows(options->allows_arg, origin);
    return is_own(origin, bight_exchange_host(exchange));
}

static bool is_offered(const struct bight_exchange *exchange, const char *protocol)
{
    const char *name, *value;

    for (size_t i = 0; bight_exchange_header_at(exchange, i, &name, &value) == 0; i++) {
        if (strcasecmp(name, "Sec-WebSocket-Protocol") == 0 &&
            bight__websocket_lists(value, strlen(value), protocol, true))
            return true;
    }
    return false;
}

static int choose_protocol(struct bight_websocket *socket, struct bight_exchange *exchange,
                           const struct bight_websocket_options *options)
{
    for (size_t i = 0; i < options->protocol_count; i++) {
        const char *protocol = options->protocols[i];
        int rc;

        if (!is_offered(exchange, protocol))
            continue;
        rc = bight__websocket_set_protocol(socket, protocol);
        return rc ? rc : bight_exchange_add_header(exchange, "Sec-WebSocket-Protocol", protocol);
    }
    return 0;
}

/* 0, or REFUSED, or a failure. */
static int refuse(struct bight_exchange *exchange, const struct bight_websocket_options *options)
{
    const char *version = bight_exchange_header(exchange, "Sec-WebSocket-Version");

    if (!asks(exchange) || !version || strcmp(version, "13") != 0 ||
        !is_key(bight_exchange_header(exchange, "Sec-WebSocket-Key")))
        return refuse_request(exchange);
    if (!may_connect(exchange, options))
        return answered(bight_exchange_answer_status(exchange, 403));
    return 0;
}

static int shake_hands(struct bight_websocket *socket, struct bight_exchange *exchange,
                       const struct bight_websocket_options *options)
{
    char accept[ACCEPT_BYTES + 1];
    int rc =
        bight__websocket_accept_key(bight_exchange_header(exchange, "Sec-WebSocket-Key"), accept);

    if (rc == 0)
        rc = choose_protocol(socket, exchange, options);
    if (rc == 0)
        rc = bight_exchange_add_header(exchange, "Sec-WebSocket-Accept", accept);
    if (rc)
        return rc;
    rc = bight_exchange_upgrade(exchange, "websocket", &socket->stream);
    /* HTTP/1.0, a body, or no "Connection: upgrade". */
    if (rc == BIGHT_EINVAL)
        rc = refuse_request(exchange);
    return rc;
}

int bight_websocket_accept(struct bight_websocket **out, struct bight_exchange *exchange,
                           const struct bight_websocket_options *options)
{
    const struct bight_websocket_options how =
        options ? *options : (struct bight_websocket_options){0};
    struct bight_websocket *socket;
    int rc;

    if (!out || !exchange)
        return BIGHT_EINVAL;
    rc = bight_checkpoint();
    if (rc == 0)
        rc = bight__websocket_new(&socket, false, &how);
    if (rc)
        return rc;
    rc = refuse(exchange, &how);
    if (rc == 0)
        rc = shake_hands(socket, exchange, &how);
    if (rc) {
        bight_websocket_free(socket);
        return rc;
    }
    *out = socket;
    return 0;
}
