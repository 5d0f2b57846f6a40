/* A task per connection. All that a connection costs beside its stream and its task lies on the
 * stack of that task; what it shares with the others lies in the frame of bight_serve. */
#include "net/stream/listener.h"

#include <bight/group.h>

#include "coro/core/task.h"

#define DEFAULT_DRAIN_MS 10000
#define DEFAULT_END_MS 5000
#define DEFAULT_PAUSE_MS 100

/* How many connections may wait to be accepted, unless net.core.somaxconn was raised. */
#define WAITING_MOST 4096

struct serve {
    struct bight_group group; /* of the tasks of the connections */
    struct bight_listener *listener;
    int (*handler)(struct bight_stream *stream, void *arg);
    void *arg;
    struct bight_serve_options options;
    size_t live;                   /* connections */
    struct bight_link connections; /* whose handlers have begun and not returned */
    struct bight_event changed;    /* a connection ended, or the listener was closed */
    bool scarce;                   /* descriptors or memory, which was reported */
    bool overtime;                 /* handlers had to return before now */
};

/* In the frame of the connection's task. */
struct connection {
    struct bight_link link;
    struct bight_stream *stream;
    struct bight_task *task;
};

static void report_failure(const struct serve *serve, const struct connection *connection, int code)
{
    const struct bight_serve_options *options = &serve->options;

    if (options->on_failure)
        options->on_failure(options->callback_arg, connection->stream, code);
    else if (code != BIGHT_ECONNRESET && code != BIGHT_EPIPE && code != BIGHT_EOF)
        bight__task_report(connection->task, BIGHT_REPORT_UNSEEN_FAILURE, code, 0,
                           "the handler of a connection failed");
}

static void report_remaining(const struct serve *serve, const struct connection *connection)
{
    const struct bight_serve_options *options = &serve->options;

    if (options->on_remaining)
        options->on_remaining(options->callback_arg, connection->stream);
    else
        bight__task_report(connection->task, BIGHT_REPORT_PROGRAM, BIGHT_ETIMEDOUT, 0,
                           "the handler of a connection has not returned in time");
}

static struct serve *serve_of(const struct bight_task *task)
{
    return container_of(bight_task_group(task), struct serve, group);
}

static void connection_gone(struct serve *serve)
{
    serve->live--;
    bight_event_set(&serve->changed);
}

/* Always 0: to the group it is no failure when a connection fails. */
static int connection_main(void *arg)
{
    struct connection connection = {.stream = arg, .task = bight_self()};
    struct serve *serve = serve_of(connection.task);
    int rc;

    link_append(&serve->connections, &connection.link);
    rc = serve->handler(connection.stream, serve->arg);
    link_cut(&connection.link);
    if (rc == BIGHT_EDRAIN && bight_draining())
        rc = 0; /* as it was asked to */
    if (rc >= 0 && bight_stream_end(connection.stream, serve->options.end_ms) == BIGHT_EBUSY)
        rc = BIGHT_EBUSY; /* the handler has left a layer above it */
    if (rc < 0) {
        if (rc != BIGHT_ECANCELED || !bight_task_cancelling(connection.task))
            report_failure(serve, &connection, rc);
        bight_stream_abort(connection.stream);
    }
    connection_gone(serve);
    return 0;
}

/* It was cancelled before its first step. */
static void connection_dropped(void *arg)
{
    struct connection connection = {.stream = arg, .task = bight_self()};
    struct serve *serve = serve_of(connection.task);

    if (serve->overtime)
        report_remaining(serve, &connection);
    bight_stream_abort(connection.stream);
    connection_gone(serve);
}

static int spawn(struct serve *serve, struct bight_stream *stream)
{
    char name[BIGHT_TASK_NAME_BYTES];
    struct bight_spawn_options options = {
        .name = bight_stream_describe(stream, name, sizeof(name)),
        .stack_bytes = serve->options.stack_bytes,
        .drop = connection_dropped,
    };
    int rc = bight_group_spawn(NULL, &serve->group, &options, connection_main, stream);

    if (rc)
        bight_stream_abort(stream);
    else
        serve->live++;
    return rc;
}

static bool is_scarcity(int code)
{
    switch (code) {
    case BIGHT_EMFILE:
    case -ENFILE:
    case -ENOBUFS:
    case BIGHT_ENOMEM:
    case -ENOSPC: /* fs.epoll.max_user_watches */
        return true;
    default:
        return false;
    }
}

/* Sleep until a connection has ended, the listener was closed, or that time is over. */
static int wait_change(struct serve *serve, int64_t timeout_ms)
{
    struct bight_case cases[2];
    int rc;

    bight_event_clear(&serve->changed);
    bight_case_event(&cases[0], &serve->changed);
    bight_case_sleep(&cases[1], timeout_ms);
    rc = bight_select(cases, 2, BIGHT_SELECT_ORDERED);
    return rc < 0 ? rc : 0;
}

/* The system keeps the connections meanwhile, as many as its backlog takes. */
static int pause_for(struct serve *serve, int code)
{
    if (!serve->scarce)
        bight_report_send(code, "connections wait, for want of descriptors or memory");
    serve->scarce = true;
    if (serve->listener->fd < 0)
        return 0; /* it was closed before this task had its turn: nothing else would tell */
    return wait_change(serve, serve->options.pause_ms);
}

static int serve_next(struct serve *serve)
{
    struct bight_stream *stream;
    int rc = bight_listener_accept(&stream, serve->listener);

    if (rc == 0)
        rc = spawn(serve, stream);
    if (is_scarcity(rc))
        return pause_for(serve, rc);
    serve->scarce = serve->scarce && rc;
    return rc;
}

/* The close would reset the connections that the system has taken already: they are served too.
 * Never more than may have waited at once, for others go on coming. */
static void take_waiting(struct serve *serve)
{
    size_t most = serve->options.max_connections;
    struct bight_stream *stream;
    int rc = 0;

    for (int i = 0; rc == 0 && i < WAITING_MOST && (!most || serve->live < most); i++) {
        serve->listener->ready = true; /* the loop may not have heard yet */
        rc = bight_listener_try_accept(&stream, serve->listener);
        if (rc == 0)
            rc = spawn(serve, stream);
    }
}

/* Returns why it accepts no more, BIGHT_ECLOSED after bight_listener_close. A drain closes the
 * listener; connections that were made before are served. */
static int serve_all(struct serve *serve)
{
    size_t most = serve->options.max_connections;
    struct bight_scope scope;
    int rc = bight_scope_begin(&scope, -1, BIGHT_SCOPE_STOPPABLE);

    if (rc)
        return rc;
    while (rc == 0 && serve->listener->fd >= 0)
        rc = most && serve->live >= most ? wait_change(serve, -1) : serve_next(serve);
    rc = bight_scope_end(&scope, rc);
    if (rc != BIGHT_EDRAIN)
        return rc ? rc : BIGHT_ECLOSED;
    take_waiting(serve);
    rc = bight_listener_close(serve->listener);
    return rc && rc != BIGHT_EALREADY ? rc : BIGHT_ECLOSED;
}

static void stop_remaining(struct serve *serve)
{
    serve->overtime = true;
    for (struct bight_link *link = serve->connections.next; link != &serve->connections;
         link = link->next)
        report_remaining(serve, container_of(link, struct connection, link));
    bight_scope_cancel(&serve->group.scope);
}

/* Let the handlers that run return, as long as there is time. */
static int drain(struct serve *serve)
{
    struct bight_scope scope;
    int rc = bight_scope_begin(&scope, serve->options.drain_ms, 0);

    if (rc)
        return rc;
    rc = bight_scope_end(&scope, bight_group_drain(&serve->group));
    if (rc != BIGHT_ETIMEDOUT)
        return rc;
    stop_remaining(serve);
    return 0;
}

static int64_t time_option(int64_t ms, int64_t fallback_ms)
{
    return ms ? ms : fallback_ms;
}

static int serve_in_group(struct serve *serve)
{
    int rc = bight_group_begin(&serve->group, BIGHT_GROUP_COLLECT);

    if (rc)
        return rc;
    rc = serve_all(serve);
    if (rc == BIGHT_ECLOSED) {
        if (serve->options.on_drain)
            serve->options.on_drain(serve->options.callback_arg);
        rc = drain(serve);
    }
    return bight_group_end(&serve->group, rc);
}

int bight_serve(struct bight_listener *listener,
                int (*handler)(struct bight_stream *stream, void *arg), void *arg,
                const struct bight_serve_options *options)
{
    struct serve serve = {.listener = listener, .handler = handler, .arg = arg};
    int rc;

    if (!listener || !handler)
        return BIGHT_EINVAL;
    if (!bight_self())
        return BIGHT_ENOTASK;
    if (bight__listener_is_foreign(listener))
        return BIGHT_EPERM;
    if (listener->served)
        return BIGHT_EALREADY;
    if (listener->fd < 0)
        return BIGHT_ECLOSED;
    if (options)
        serve.options = *options;
    serve.options.drain_ms = time_option(serve.options.drain_ms, DEFAULT_DRAIN_MS);
    serve.options.end_ms = time_option(serve.options.end_ms, DEFAULT_END_MS);
    serve.options.pause_ms = time_option(serve.options.pause_ms, DEFAULT_PAUSE_MS);
    link_init(&serve.connections);
    listener->served = &serve.changed;
    rc = serve_in_group(&serve);
    listener->served = NULL;
    return rc;
}
