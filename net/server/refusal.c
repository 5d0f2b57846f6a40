/* Requests that the server answers itself, because they are malformed, too large or too many, or
 * because their handler has failed. */
#include "net/server/server.h"

#include <stdio.h>

int bight__refuse(struct bight_exchange *exchange, int status, bool close)
{
    char retry_after[16], text[64];
    int rc = 0, bytes;

    bight__answer_reset(exchange);
    exchange->close = exchange->close || close;
    if (status == 503) {
        snprintf(retry_after, sizeof(retry_after), "%u", exchange->server->options.retry_after_s);
        rc = bight_exchange_add_header(exchange, "Retry-After", retry_after);
    }
    bytes = snprintf(text, sizeof(text), "%d %s\n", status, bight__status_text(status));
    return rc ? rc : bight__answer_whole(exchange, status, "text/plain", text, (size_t)bytes);
}
