/* redis [PORT]: keeps keys and values for clients that speak the Redis protocol, version 2.
 *
 * To notice: requests are parsed where they have come (bight_stream_peek), as many as there are,
 * and their answers written at once: a client that pipelines costs one read and one write for all.
 * Nothing is believed: lengths have limits, and answers are written before they become many. An
 * idle connection has neither a buffer for what comes nor one for answers. */
#include "samples/net/redis.h"
#include "samples/net/serve.h"

#include <bight/errors.h>
#include <bight/runtime.h>

#include <stdio.h>

#define BATCH_BYTES 65536 /* of answers */

struct redis {
    uint16_t port;
    struct store store;
};

/* Returns how many bytes the requests had that were answered, in *wanted how many must have come
 * before there is more to do. */
static size_t answer(struct redis_session *session, const char *data, size_t bytes, size_t *wanted)
{
    struct resp_request *request = &session->request;
    size_t taken = 0;

    *wanted = 1;
    while (taken < bytes && session->answers.bytes < BATCH_BYTES && !session->over) {
        if (resp_parse(request, data + taken, bytes - taken)) {
            taken += request->bytes;
            if (request->count > 0)
                redis_command(session);
        } else if (request->error) {
            resp_error(&session->answers, "ERR Protocol error: %s", request->error);
            session->over = true;
        } else {
            *wanted = request->bytes;
            break;
        }
    }
    return taken;
}

static int write_answers(struct redis_session *session, struct bight_stream *stream)
{
    struct resp_answers *answers = &session->answers;
    int rc = answers->status;

    if (rc == 0 && answers->bytes > 0)
        rc = bight_stream_write(stream, answers->data, answers->bytes);
    resp_drop(answers);
    return rc;
}

static int serve(struct bight_stream *stream, void *arg)
{
    struct redis *redis = arg;
    struct redis_session session = {.store = &redis->store};
    size_t wanted = 1;

    while (!session.over) {
        const void *data;
        int64_t count = bight_stream_peek(stream, &data, wanted);
        size_t taken;
        int rc;

        if (count < (int64_t)wanted) /* its end, or a failure */
            return count < 0 ? (int)count : 0;
        taken = answer(&session, data, (size_t)count, &wanted);
        rc = write_answers(&session, stream);
        if (rc == 0)
            rc = bight_stream_consume(stream, taken);
        if (rc)
            return rc;
    }
    return 0;
}

static int run(void *arg)
{
    struct redis *redis = arg;
    int rc = serve_until_signal(redis->port, serve, redis);

    store_clear(&redis->store);
    return rc;
}

int main(int argc, char **argv)
{
    int wanted = argc > 1 ? parse_port(argv[1]) : 0;
    struct redis redis = {.port = (uint16_t)wanted};
    int rc;

    if (argc > 2 || wanted < 0) {
        fprintf(stderr, "usage: redis [PORT]\n");
        return 2;
    }
    rc = bight_run(run, &redis);
    if (rc)
        fprintf(stderr, "redis: %s\n", bight_strerror(rc));
    return rc != 0;
}
