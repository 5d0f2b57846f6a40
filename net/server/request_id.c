/* Numbers of requests. They go with the task, and with those that it starts, in a local that the
 * log knows too. */
#include "net/server/server.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <bight/task.h>

#include "coro/base/splitmix.h"
#include "runtime/log.h"

#define HEX_DIGITS 16

void bight__request_id_make(struct bight_exchange *exchange)
{
    do /* each number once, and none near the one before */
        exchange->id = splitmix_next(&exchange->server->ids);
    while (!exchange->id);
}

void bight__request_id_adopt(struct bight_exchange *exchange)
{
    const char *text = bight_exchange_header(exchange, "X-Request-Id");
    uint64_t id = 0;

    if (!text || strlen(text) != HEX_DIGITS || !bight__peer_is_trusted(exchange))
        return;
    for (; *text; text++) {
        int digit = bight__hex(*text);

        if (digit < 0)
            return;
        id = id << 4 | (unsigned)digit;
    }
    if (id)
        exchange->id = id;
}

int bight__request_id_begin(const struct bight_exchange *exchange)
{
    char name[BIGHT_TASK_NAME_BYTES];

    snprintf(name, sizeof(name), "request %016" PRIx64, exchange->id);
    bight_task_set_name(bight_self(), name);
    return bight__request_id_set(exchange->id);
}

void bight__request_id_end(const struct bight_exchange *exchange)
{
    char name[BIGHT_TASK_NAME_BYTES];

    bight_task_set_name(bight_self(), bight_stream_describe(exchange->stream, name, sizeof(name)));
    if (bight__request_id_set(0))
        return; /* it was set before, so there is memory for it */
}

uint64_t bight_exchange_id(const struct bight_exchange *exchange)
{
    return exchange ? exchange->id : 0;
}

uint64_t bight_request_id(void)
{
    return bight__request_id();
}
