/* Two copies at once, one per direction, in one group. */
#include "samples/common/relay.h"

#include <bight/gather.h>
#include <bight/scope.h>
#include <bight/stream.h>
#include <bight/tcp.h>

#define CONNECT_MS 10000

struct direction {
    struct bight_stream *from;
    struct bight_stream *to;
};

static int copy(void *arg)
{
    const struct direction *direction = arg;
    int64_t copied = bight_stream_copy(direction->from, direction->to);

    return copied < 0 ? (int)copied : bight_stream_shutdown(direction->to);
}

int relay_both_ways(struct bight_stream *one, struct bight_stream *other)
{
    struct direction there = {one, other}, back = {other, one};
    struct bight_gather calls[] = {{.fn = copy, .arg = &there}, {.fn = copy, .arg = &back}};

    return bight_gather_all(calls, 2, 0);
}

struct dial {
    const struct relay_host *host;
    struct bight_stream *stream;
};

static int dial(void *arg)
{
    struct dial *to = arg;

    return bight_tcp_connect(&to->stream, to->host->name, to->host->port, NULL, NULL);
}

int relay(struct bight_stream *client, const struct relay_host *host)
{
    struct dial to = {.host = host};
    int rc = bight_timeout(CONNECT_MS, dial, &to);

    if (rc)
        return rc;
    rc = relay_both_ways(client, to.stream);
    if (rc)
        bight_stream_abort(to.stream);
    else
        rc = bight_stream_end(to.stream, 0); /* both ends have been seen: no need to wait */
    return rc;
}
