/* The life of a connection: wait for a request, read its head, run the handler, see that its answer
 * is whole, pass over what it has not read, and so on. While it waits it has no memory of its own
 * but its stack. */
#include "net/server/server.h"

#include <string.h>

#include <bight/task.h>
#include <bight/time.h>
#include <bight/waiter.h>

#include "coro/core/task.h"

/* After so long without a request the stack's memory is given back. */
#define REST_MS 1000

/* How long idle connections stay when the server ends. */
#define LINGER_MS 1000

static bool is_first(const struct http_connection *connection)
{
    return connection->requests == 0;
}

/* Sleep until there is a byte, for `timeout_ms` at most: 1; 0 at the end; or a negative code. */
static int64_t wait_byte(struct http_connection *connection, int64_t timeout_ms)
{
    struct bight_scope scope;
    const void *data;
    unsigned flags = connection->server->draining ? 0 : BIGHT_SCOPE_STOPPABLE;
    int64_t count = bight_scope_begin(&scope, timeout_ms, flags);

    if (count)
        return count;
    connection->idle = &scope;
    count = bight_stream_peek(connection->stream, &data, 1);
    connection->idle = NULL;
    if (count >= 0)
        count = count > 0;
    if (count <= 0)
        return bight_scope_end(&scope, (int)count);
    return bight_scope_end(&scope, 0) ? BIGHT_EBROKEN : 1;
}

static int64_t wait_idle(struct http_connection *connection)
{
    const struct bight_http_serve_options *options = &connection->server->options;
    int64_t whole_ms = is_first(connection) ? options->header_ms : options->idle_ms;
    int64_t count;

    if (whole_ms >= 0 && whole_ms <= REST_MS)
        return wait_byte(connection, whole_ms);
    count = wait_byte(connection, REST_MS);
    if (count != BIGHT_ETIMEDOUT || connection->server->draining)
        return count;
    bight__task_rest();
    return wait_byte(connection, whole_ms < 0 ? -1 : whole_ms - REST_MS);
}

/* The same between two requests, or before the first. A scope around that drains is heard of here
 * or by bight_serve, whichever comes first. */
static int64_t wait_request(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    int64_t count = BIGHT_EDRAIN;

    if (bight_stream_buffered(connection->stream)) {
        count = bight_checkpoint(); /* a refusal need not have waited for anything */
        return count ? count : 1;
    }
    if (!server->draining)
        count = wait_idle(connection);
    if (count != BIGHT_EDRAIN)
        return count;
    server->draining = true;
    return wait_byte(connection, LINGER_MS);
}

void bight__connections_drain(struct http_server *server)
{
    struct bight_link *link = server->connections.next;

    server->draining = true;
    for (; link != &server->connections; link = link->next) {
        const struct http_connection *connection = container_of(link, struct http_connection, link);

        if (connection->idle)
            bight_scope_set_timeout(connection->idle, LINGER_MS);
    }
}

/* Have the whole head in the stream's buffer, of which `held` bytes are there. Its length; a
 * negative status that refuses it; BIGHT_EOF; or another code. */
static int64_t read_rest(struct bight_exchange *exchange, int64_t held)
{
    struct bight_scope scope;
    const void *data;
    int64_t bytes = bight_scope_begin(&scope, exchange->server->options.header_ms, 0);

    if (bytes)
        return bytes;
    while (bytes == 0) {
        int64_t more = bight_stream_peek(exchange->stream, &data, (size_t)held + 1);

        if (more == held)
            bytes = BIGHT_EOF;
        else if (more < 0)
            bytes = more;
        else
            bytes =
                bight__head_scan(&exchange->head, data, (size_t)more, &exchange->server->limits);
        held = more;
    }
    if (bytes < 0)
        return bight_scope_end(&scope, (int)bytes);
    return bight_scope_end(&scope, 0) ? BIGHT_EBROKEN : bytes;
}

static int64_t read_head(struct bight_exchange *exchange)
{
    const void *data;
    int64_t held = bight_stream_peek(exchange->stream, &data, 0);
    int64_t bytes = held;

    if (held >= 0)
        bytes = bight__head_scan(&exchange->head, data, (size_t)held, &exchange->server->limits);
    if (bytes == 0) {
        bytes = read_rest(exchange, held);
        held = bytes > 0 ? bight_stream_peek(exchange->stream, &data, 0) : bytes;
    }
    if (bytes <= 0 || held < 0)
        return bytes <= 0 ? bytes : held;
    exchange->text = (char *)(uintptr_t)data;
    exchange->text_bytes = (size_t)bytes;
    return bytes;
}

/* What follows the head is to be read before the exchange is over: so the head cannot stay in front
 * of it. */
static int take_head(struct bight_exchange *exchange)
{
    const char *text = exchange->text;
    char *copy = bight__exchange_keep(exchange, exchange->text_bytes);

    if (!copy)
        return -503;
    memcpy(copy, text, exchange->text_bytes);
    if (*exchange->host)
        exchange->host = copy + (exchange->host - text);
    exchange->text = copy;
    exchange->head_taken = true;
    return bight_stream_consume(exchange->stream, exchange->text_bytes);
}

/* Make strings of the parts of the head: behind each is a byte that nobody needs any more. */
static void end_strings(struct bight_exchange *exchange)
{
    const struct head *head = &exchange->head;
    char *text = exchange->text;

    text[head->method + head->method_bytes] = '\0';
    text[head->target + head->target_bytes] = '\0';
    for (uint32_t i = 0; i < head->count; i++) {
        const struct head_field *field = &head->fields[i];

        text[field->name + field->name_bytes] = '\0';
        text[field->value + field->value_bytes] = '\0';
    }
    exchange->method = text + head->method;
    exchange->target = text + head->target;
}

static bool is_method(const struct bight_exchange *exchange, const char *method)
{
    size_t bytes = strlen(method);

    return exchange->head.method_bytes == bytes &&
           memcmp(exchange->text + exchange->head.method, method, bytes) == 0;
}

/* What follows from the head: 0, or a negative status. */
static int64_t judge_head(struct bight_exchange *exchange)
{
    int64_t rc;

    exchange->is_get = is_method(exchange, "GET");
    exchange->is_head = is_method(exchange, "HEAD");
    exchange->is_connect = is_method(exchange, "CONNECT");
    rc = bight__framing(exchange);
    if (rc == 0 && (exchange->body != BODY_NONE || exchange->upgrades || exchange->is_connect))
        rc = take_head(exchange);
    return rc ? rc : bight__path_make(exchange);
}

/* All that comes before the handler: 0, a negative status, BIGHT_EOF, or another code. Whoever sees
 * a refused exchange, such as a log, finds what was understood of it. */
static int64_t read_request(struct bight_exchange *exchange)
{
    int64_t rc = read_head(exchange);

    if (rc < 0) {
        exchange->head.count = 0; /* its fields are of a text that nobody has */
        return rc;
    }
    rc = judge_head(exchange);
    end_strings(exchange);
    if (rc == 0 && exchange->id)
        bight__request_id_adopt(exchange);
    return rc;
}

/* On the loop's thread, whatever the handler does. */
static void on_gone(struct stream_watch *watch, bool reset)
{
    struct bight_exchange *exchange = container_of(watch, struct bight_exchange, watch);

    if (!reset && !exchange->cancel_on_end)
        return;
    exchange->client_gone = true;
    bight_scope_cancel(&exchange->scope);
}

/* What the task is known by while the handler runs. */
static void end_names(const struct bight_exchange *exchange)
{
    if (exchange->traced)
        bight__trace_end();
    if (exchange->id)
        bight__request_id_end(exchange);
}

static int begin_names(struct bight_exchange *exchange)
{
    int rc = exchange->id ? bight__request_id_begin(exchange) : 0;

    if (rc == 0 && exchange->server->options.trace_context)
        rc = bight__trace_begin(exchange);
    return rc;
}

static int run_handler(struct bight_exchange *exchange)
{
    struct http_server *server = exchange->server;
    int64_t handler_ms = server->options.handler_ms;
    int rc = begin_names(exchange);

    if (rc == 0)
        rc = bight_scope_begin(&exchange->scope, handler_ms ? handler_ms : -1, 0);
    if (rc) {
        end_names(exchange);
        return rc;
    }
    server->running++;
    exchange->watch.gone = on_gone;
    bight__stream_watch(exchange->stream, &exchange->watch);
    rc = server->handler(exchange, server->arg);
    bight__stream_watch(exchange->stream, NULL);
    server->running--;
    rc = bight_scope_end(&exchange->scope, rc);
    end_names(exchange);
    return rc;
}

/* Whether the handler has failed only because of what the client did. */
static bool is_clients_fault(const struct bight_exchange *exchange, int rc)
{
    return exchange->client_gone || rc == exchange->blamed;
}

static int status_of_failure(const struct bight_exchange *exchange, int rc)
{
    if (rc == exchange->blamed)
        return exchange->blamed_status;
    return rc == BIGHT_ETIMEDOUT || bight_is_stop(rc) ? 503 : 500;
}

/* Whether it was cancelled together with the call that serves: by the task, or a scope around. */
static bool is_end_of_all(int rc)
{
    return (rc == BIGHT_ECANCELED && bight_cancelled()) || (rc == BIGHT_EDRAIN && bight_draining());
}

static void report_failure(struct bight_exchange *exchange, int rc)
{
    const struct bight_http_serve_options *options = &exchange->server->options;

    if (is_clients_fault(exchange, rc) || is_end_of_all(rc))
        return;
    if (options->on_failure)
        options->on_failure(options->callback_arg, exchange, rc);
    else
        bight__task_report(bight_self(), BIGHT_REPORT_UNSEEN_FAILURE, rc, 0,
                           "the handler of a request failed");
}

/* The handler has returned `rc`, or its answer turned out not to be whole. */
static int finish_failed(struct bight_exchange *exchange, int rc)
{
    if (exchange->client_gone)
        return BIGHT_ECONNRESET;
    report_failure(exchange, rc);
    if (exchange->answer <= ANSWER_BEGUN)
        return bight__refuse(exchange, status_of_failure(exchange, rc), is_end_of_all(rc));
    if (exchange->answer == ANSWER_DONE)
        return 0; /* a reset could still destroy it on its way */
    return exchange->answer == ANSWER_UPGRADED || is_end_of_all(rc) ? rc : BIGHT_EBROKEN;
}

static int finish(struct bight_exchange *exchange, int rc)
{
    if (rc >= 0)
        rc = exchange->client_gone ? BIGHT_ECONNRESET : bight__answer_finish(exchange);
    if (rc < 0)
        rc = finish_failed(exchange, rc);
    return rc;
}

static bool is_refusal(int64_t rc)
{
    return rc > -1000 && rc <= -400;
}

/* Answer the request that comes next: 0, or a negative code. */
static int answer_request(struct bight_exchange *exchange)
{
    const struct http_server *server = exchange->server;
    int64_t rc = read_request(exchange);

    exchange->connection->requests++;
    if (rc == BIGHT_ETIMEDOUT)
        rc = -408;
    if (rc == BIGHT_EOF) {
        exchange->connection->close = true;
        return 0;
    }
    if (is_refusal(rc))
        return bight__refuse(exchange, (int)-rc, true);
    if (rc)
        return (int)rc;
    if (server->options.max_running && server->running >= server->options.max_running)
        return bight__refuse(exchange, 503, false);
    return finish(exchange, run_handler(exchange));
}

/* Make the connection ready for the next request. */
static int clear_request(struct bight_exchange *exchange)
{
    struct http_connection *connection = exchange->connection;

    if (exchange->answer == ANSWER_UPGRADED)
        connection->close = true;
    if (connection->close)
        return 0;
    if (!exchange->head_taken)
        return bight_stream_consume(exchange->stream, exchange->text_bytes);
    if (bight__body_drop(exchange))
        connection->close = true;
    return 0;
}

/* 1: there may be another one; or a negative code. */
static int next_request(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    struct bight_exchange *exchange = bight__exchange_take(connection);
    int rc;

    if (!exchange)
        return BIGHT_ENOMEM;
    if (server->options.request_ids)
        bight__request_id_make(exchange);
    rc = answer_request(exchange);
    if (server->options.on_done && exchange->status)
        server->options.on_done(server->options.callback_arg, exchange);
    if (rc == 0)
        rc = clear_request(exchange);
    bight__exchange_give(exchange);
    return rc ? rc : 1;
}

int bight__connection_run(struct http_server *server, struct bight_stream *stream,
                          const struct bight_address *peer)
{
    struct http_connection connection = {.server = server, .stream = stream};
    int64_t rc = 1;

    if (peer) {
        connection.has_peer = true;
        connection.peer = *peer;
    }
    link_append(&server->connections, &connection.link);
    while (rc > 0 && !connection.close) {
        rc = wait_request(&connection);
        if (rc == BIGHT_ETIMEDOUT)
            rc = 0; /* nobody wants anything any more */
        else if (rc == 1)
            rc = next_request(&connection);
    }
    link_cut(&connection.link);
    return rc < 0 ? (int)rc : 0;
}
