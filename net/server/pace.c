/* The time that a client has: a fixed slack, and what the bytes that it moved take at the lowest
 * rate that is put up with. Only the time counts in which the server waited for it. */
#include "net/server/server.h"

#include <bight/time.h>

#define NS_OF_MS 1e6

int bight__pace_enter(const struct http_server *server, const struct client_pace *pace,
                      struct bight_scope *scope, uint64_t bytes)
{
    const struct bight_http_serve_options *options = &server->options;
    double left_ms;

    if (options->slack_ms < 0)
        return bight_scope_begin(scope, -1, BIGHT_SCOPE_INHERIT);
    left_ms = (double)options->slack_ms - (double)pace->waited_ns / NS_OF_MS +
              1000.0 * (double)(pace->bytes + bytes) / options->min_rate;
    if (left_ms < 0)
        left_ms = 0;
    return bight_scope_begin(scope, left_ms < 9e15 ? (int64_t)left_ms : -1, BIGHT_SCOPE_INHERIT);
}

int bight__pace_leave(struct client_pace *pace, struct bight_scope *scope, uint64_t since_ns,
                      int64_t moved)
{
    pace->waited_ns += bight_now_ns() - since_ns;
    if (moved > 0)
        pace->bytes += (uint64_t)moved;
    return bight_scope_end(scope, moved < 0 ? (int)moved : 0);
}
