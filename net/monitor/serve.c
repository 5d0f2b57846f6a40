/* The monitor's socket: who may ask, requests line by line, limits of time. */
#include <bight/monitor.h>

#include <bight/scope.h>
#include <bight/unix.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coro/base/seams.h"
#include "net/monitor/answer.h"
#include "runtime/door.h"

#define BACKLOG 16
#define REQUEST_BYTES 128
#define DEFAULT_TASKS 1000
#define DEFAULT_CONNECTIONS 8
#define DEFAULT_IDLE_MS 60000
#define DEFAULT_WRITE_MS 5000

/* How long the end of a connection may take. */
#define END_MS 1000

struct monitor {
    struct bight_monitor_options options;
    const struct bight_seams *seams;
};

struct request {
    struct bight_stream *stream;
    char line[REQUEST_BYTES];
    struct bight_answer answer;
};

static bool is_allowed(const struct bight_stream *stream)
{
    struct bight_stream_credentials peer;

    if (bight_stream_peer_credentials(stream, &peer))
        return false;
    return peer.uid == 0 || peer.uid == geteuid();
}

/* A drain ends the wait for a request, not an answer. */
static int read_request(struct request *request, int64_t idle_ms)
{
    struct bight_scope scope;
    int64_t length;
    int rc = bight_scope_begin(&scope, idle_ms, BIGHT_SCOPE_STOPPABLE);

    if (rc)
        return rc;
    length = bight_stream_read_line(request->stream, request->line, sizeof request->line);
    return bight_scope_end(&scope, length < 0 ? (int)length : 0);
}

static int write_answer(void *arg)
{
    const struct request *request = arg;

    return bight_stream_write(request->stream, request->answer.text, request->answer.bytes);
}

static int say(struct bight_stream *stream, const char *text)
{
    return bight_stream_write(stream, text, strlen(text));
}

static int answer_one(const struct monitor *monitor, struct request *request)
{
    int rc = read_request(request, monitor->options.idle_ms);

    if (rc == BIGHT_ETOOBIG)
        return say(request->stream, "error: a request is a word; try help\n\n");
    if (rc)
        return rc;
    request->answer = (struct bight_answer){
        .seams = monitor->seams,
        .tasks_max = monitor->options.tasks_max,
    };
    bight__reply_request(&request->answer, request->line);
    if (!request->answer.bytes)
        rc = BIGHT_ENOMEM;
    else
        rc = bight_timeout(monitor->options.write_ms, write_answer, request);
    bight__free(request->answer.text);
    return rc;
}

/* That the peer is silent, slow or gone is nobody's failure. */
static int answer_all(struct bight_stream *stream, void *arg)
{
    struct request request = {.stream = stream};
    int rc = 0;

    if (!is_allowed(stream))
        return say(stream, "error: not for you\n\n");
    while (rc == 0)
        rc = answer_one(arg, &request);
    return rc == BIGHT_EOF || rc == BIGHT_ETIMEDOUT ? 0 : rc;
}

static struct bight_monitor_options options_with_defaults(const struct bight_monitor_options *given)
{
    struct bight_monitor_options options = {0};

    if (given)
        options = *given;
    if (!options.tasks_max)
        options.tasks_max = DEFAULT_TASKS;
    if (!options.max_connections)
        options.max_connections = DEFAULT_CONNECTIONS;
    if (!options.idle_ms)
        options.idle_ms = DEFAULT_IDLE_MS;
    if (!options.write_ms)
        options.write_ms = DEFAULT_WRITE_MS;
    return options;
}

int bight_monitor_listen(struct bight_listener **out, const char *path)
{
    const struct bight_listen_options options = {.backlog = BACKLOG, .mode = 0600};

    return bight_unix_listen(out, path, &options);
}

int bight_monitor_serve(struct bight_listener *listener,
                        const struct bight_monitor_options *options)
{
    struct monitor monitor = {.options = options_with_defaults(options)};
    struct bight_serve_options serve = {
        .max_connections = monitor.options.max_connections,
        .end_ms = END_MS,
    };
    struct bight_runtime *runtime;
    int rc;

    if (!listener)
        return BIGHT_EINVAL;
    rc = bight__runtime_get(&runtime);
    if (rc)
        return rc == BIGHT_ENORUNTIME ? BIGHT_ENOTASK : rc;
    monitor.seams = bight__runtime_seams(runtime);
    return bight_serve(listener, answer_all, &monitor, &serve);
}
