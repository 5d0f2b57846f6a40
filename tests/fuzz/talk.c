/* See talk.h. */
#include "tests/fuzz/talk.h"

static void on_failure(void *arg, const struct bight_exchange *exchange, int code)
{
    (void)arg;
    (void)exchange;
    FUZZ_CHECK(code == 0);
}

const struct bight_http_serve_options fuzz_talk_options = {.on_failure = on_failure};

struct ends {
    struct fuzz_talk *talk;
    struct bight_stream *client, *server;
};

static int serve(void *arg)
{
    const struct ends *ends = arg;
    struct fuzz_talk *talk = ends->talk;

    talk->rc = bight_http_serve_stream(ends->server, talk->handler, talk->arg,
                                       talk->options ? talk->options : &fuzz_talk_options);
    if (talk->rc == 0)
        return bight_stream_end(ends->server, 0);
    bight_stream_abort(ends->server);
    return 0;
}

/* The server may have closed the connection by then. */
static int say(void *arg)
{
    const struct ends *ends = arg;
    int rc = bight_stream_write(ends->client, ends->talk->said, ends->talk->said_bytes);

    if (rc == 0)
        rc = bight_stream_shutdown(ends->client);
    FUZZ_CHECK(rc == 0 || rc == BIGHT_EPIPE || rc == BIGHT_ECONNRESET);
    return 0;
}

static void hear(const struct ends *ends)
{
    struct fuzz_buffer heard = {0};
    char piece[1024];
    int64_t count;

    fuzz_put(&heard, "", 0); /* never NULL */
    while ((count = bight_stream_read(ends->client, piece, sizeof(piece))) > 0)
        fuzz_put(&heard, piece, (size_t)count);
    FUZZ_CHECK(count == 0 || count == BIGHT_ECONNRESET);
    ends->talk->heard = heard.data;
    ends->talk->heard_bytes = heard.bytes;
}

void fuzz_talk(struct fuzz_talk *talk)
{
    const struct bight_stream_pair_options options = {.capacity = FUZZ_RUN_BYTES,
                                                      .read_max = talk->read_max};
    struct ends ends = {.talk = talk};
    struct bight_group group;

    FUZZ_CHECK(bight_stream_pair(&ends.client, &ends.server, &options) == 0);
    FUZZ_CHECK(bight_group_begin(&group, 0) == 0);
    FUZZ_CHECK(bight_group_spawn(NULL, &group, NULL, serve, &ends) == 0);
    FUZZ_CHECK(bight_group_spawn(NULL, &group, NULL, say, &ends) == 0);
    hear(&ends);
    FUZZ_CHECK(bight_group_end(&group, 0) == 0);
    bight_stream_abort(ends.client);
}
