/* The handler takes the connection over: another protocol, or a tunnel. */
#include "net/server/answer.h"

#include <string.h>
#include <strings.h>

#include <bight/waiter.h>

/* Whether the client asks for `protocol`. */
static bool is_asked_for(const struct bight_exchange *exchange, const char *protocol)
{
    const char *at, *end, *item;
    size_t bytes, wanted = strlen(protocol);

    if (!exchange->upgrades)
        return false;
    at = bight__field_value(exchange, exchange->protocol);
    end = at + exchange->protocol->value_bytes;
    while ((item = bight__list_next(&at, end, &bytes))) {
        if (bytes == wanted && strncasecmp(item, protocol, bytes) == 0)
            return true;
    }
    return false;
}

int bight_exchange_upgrade(struct bight_exchange *exchange, const char *protocol,
                           struct bight_stream **stream)
{
    int rc;

    if (!exchange || !stream || exchange->body != BODY_NONE)
        return BIGHT_EINVAL;
    if (protocol ? !is_asked_for(exchange, protocol) : !exchange->is_connect)
        return BIGHT_EINVAL;
    if (exchange->answer != ANSWER_NONE)
        return BIGHT_EALREADY;
    rc = bight_checkpoint();
    if (rc == 0 && protocol)
        rc = bight__answer_add(exchange, "Upgrade", protocol);
    if (rc)
        return rc;
    exchange->status = protocol ? 101 : 200;
    exchange->framing = FRAMING_NONE;
    exchange->answer = ANSWER_UPGRADED;
    rc = bight__answer_put(exchange, NULL, 0);
    if (rc) {
        exchange->answer = ANSWER_BROKEN;
        return rc;
    }
    bight__stream_watch(exchange->stream, NULL);
    bight_scope_set_timeout(&exchange->scope, -1);
    *stream = exchange->stream;
    return 0;
}
