/* What the connections of a server share, and how it begins and ends. All of it lies in the frame
 * of bight_http_serve. */
#include "net/server/server.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <bight/task.h>

#include "coro/core/task.h"
#include "runtime/door.h"

#define DEFAULT_CONNECTIONS 10000u
#define DEFAULT_REQUESTS 1000u
#define DEFAULT_LINE_BYTES ((size_t)8 << 10)
#define DEFAULT_HEAD_BYTES ((size_t)32 << 10)
#define DEFAULT_BODY_BYTES ((uint64_t)1 << 20)
#define DEFAULT_HEADER_MS 10000
#define DEFAULT_IDLE_MS 75000
#define DEFAULT_SLACK_MS 10000
#define DEFAULT_RATE 500u
#define DEFAULT_RETRY_S 1u
#define DEFAULT_END_MS 5000

#define HEAD_BYTES_MAX ((size_t)1 << 20)
#define SERVER_NAME_MAX 100u

/* Connections of one address. */
struct peer {
    struct hash_node node;
    struct bight_address address;
    size_t connections;
};

static void fill_defaults(struct bight_http_serve_options *options)
{
    if (!options->serve.max_connections)
        options->serve.max_connections = DEFAULT_CONNECTIONS;
    if (!options->serve.end_ms)
        options->serve.end_ms = DEFAULT_END_MS;
    if (!options->retry_after_s)
        options->retry_after_s = DEFAULT_RETRY_S;
    if (!options->max_requests)
        options->max_requests = DEFAULT_REQUESTS;
    if (!options->max_line_bytes)
        options->max_line_bytes = DEFAULT_LINE_BYTES;
    if (!options->max_head_bytes)
        options->max_head_bytes = DEFAULT_HEAD_BYTES;
    if (!options->max_headers)
        options->max_headers = HEAD_FIELDS_MAX;
    if (!options->max_body_bytes)
        options->max_body_bytes = DEFAULT_BODY_BYTES;
    if (!options->header_ms)
        options->header_ms = DEFAULT_HEADER_MS;
    if (!options->idle_ms)
        options->idle_ms = DEFAULT_IDLE_MS;
    if (!options->slack_ms)
        options->slack_ms = DEFAULT_SLACK_MS;
    if (!options->min_rate)
        options->min_rate = DEFAULT_RATE;
}

static bool are_valid(const struct bight_http_serve_options *options)
{
    const char *name = options->server_name;

    if (name && (strlen(name) > SERVER_NAME_MAX || !bight__is_field_value(name, strlen(name))))
        return false;
    return (unsigned)options->forwarded <= BIGHT_FORWARDED_RFC7239 &&
           (unsigned)options->trace_context <= BIGHT_TRACE_FROM_ANYONE &&
           options->max_headers <= HEAD_FIELDS_MAX && options->max_head_bytes <= HEAD_BYTES_MAX;
}

static int server_init(struct http_server *server,
                       int (*handler)(struct bight_exchange *exchange, void *arg), void *arg,
                       const struct bight_http_serve_options *options)
{
    struct bight_runtime *runtime;
    int rc = bight__runtime_get(&runtime);

    if (rc)
        return rc;
    *server = (struct http_server){.handler = handler, .arg = arg};
    if (options)
        server->options = *options;
    fill_defaults(&server->options);
    if (!are_valid(&server->options))
        return BIGHT_EINVAL;
    server->seams = bight__runtime_seams(runtime);
    server->limits = (struct head_limits){
        .line_bytes = server->options.max_line_bytes,
        .head_bytes = server->options.max_head_bytes,
        .fields = server->options.max_headers,
    };
    server->ids = bight__random(bight_self()->sched);
    link_init(&server->connections);
    rc = bight__trust_parse(&server->trust, server->options.trusted, server->seams);
    if (rc == 0 && server->options.max_per_peer)
        rc = bight__hash_init(&server->peers, server->seams);
    if (rc)
        bight__trust_free(&server->trust);
    return rc;
}

static void server_fini(struct http_server *server)
{
    bight__trust_free(&server->trust);
    while (server->spare) {
        struct bight_exchange *exchange = server->spare;

        server->spare = exchange->next;
        bight__free(exchange);
    }
    bight__hash_fini(&server->peers);
}

/* One address, whatever the port. NULL: there is none. */
static struct peer *peer_find(const struct http_server *server, const struct bight_address *address,
                              uint32_t hash)
{
    struct hash_node *node = hash_first(&server->peers, hash);

    for (; node; node = hash_along(node->chain, hash)) {
        struct peer *peer = container_of(node, struct peer, node);

        if (memcmp(peer->address.bytes, address->bytes, sizeof(address->bytes)) == 0)
            return peer;
    }
    return NULL;
}

/* One more connection of that address. 0; BIGHT_EBUSY: it has enough; BIGHT_ENOMEM. */
static int peer_enter(struct http_server *server, const struct bight_stream *stream,
                      struct peer **out)
{
    struct bight_address address;
    struct peer *peer;
    uint32_t hash;

    *out = NULL;
    if (!server->options.max_per_peer || bight_stream_peer_address(stream, &address))
        return 0; /* a Unix socket's peers are one another's equals */
    hash = hash_bytes(server->peers.seed, (const char *)address.bytes, sizeof(address.bytes));
    peer = peer_find(server, &address, hash);
    if (!peer) {
        peer = bight__alloc_zero(server->seams, sizeof(*peer));
        if (!peer)
            return BIGHT_ENOMEM;
        peer->address = address;
        bight__hash_add(&server->peers, server->seams, &peer->node, hash);
    }
    if (peer->connections == server->options.max_per_peer)
        return BIGHT_EBUSY;
    peer->connections++;
    *out = peer;
    return 0;
}

static void peer_leave(struct http_server *server, struct peer *peer)
{
    if (!peer || --peer->connections)
        return;
    bight__hash_remove(&server->peers, &peer->node);
    bight__free(peer);
}

/* Without having read what it wants. */
static int refuse_connection(struct http_server *server, struct bight_stream *stream)
{
    char text[200];
    size_t date_bytes;
    const char *date = bight__date_line(server, &date_bytes);
    int bytes = snprintf(text, sizeof(text),
                         "HTTP/1.1 503 Service Unavailable\r\n%sRetry-After: %u\r\n"
                         "Content-Length: 0\r\nConnection: close\r\n\r\n",
                         date, server->options.retry_after_s);
    int64_t written = bight_stream_try_write(stream, text, (size_t)bytes);

    return written < 0 ? (int)written : 0;
}

/* Read the header of the PROXY protocol: 1 when it names a peer, 0, or a negative code. */
static int read_proxy_header(struct bight_stream *stream, struct bight_address *peer)
{
    enum proxy_verdict verdict = PROXY_MORE;
    size_t length = 0, wanted = 1;
    int rc;

    while (verdict == PROXY_MORE) {
        const void *data;
        int64_t held = bight_stream_peek(stream, &data, wanted);

        if (held < (int64_t)wanted)
            return held < 0 ? (int)held : BIGHT_EOF;
        wanted = (size_t)held + 1;
        verdict = bight__proxy_header(data, (size_t)held, &length, peer);
    }
    if (verdict == PROXY_BAD)
        return BIGHT_EPROTOCOL;
    rc = bight_stream_consume(stream, length);
    return rc ? rc : verdict == PROXY_NAMED;
}

static int read_proxy_header_in_time(const struct http_server *server, struct bight_stream *stream,
                                     struct bight_address *peer)
{
    struct bight_scope scope;
    int rc = bight_scope_begin(&scope, server->options.header_ms, 0);

    if (rc)
        return rc;
    rc = read_proxy_header(stream, peer);
    return rc < 0 ? bight_scope_end(&scope, rc) : bight_scope_end(&scope, 0) ? BIGHT_EBROKEN : rc;
}

/* The connection, with what a proxy says in front and what the program puts above it. */
static int serve_layered(struct http_server *server, struct bight_stream *below)
{
    struct bight_stream *stream = below;
    struct bight_address peer;
    int named = 0, rc = 0;

    if (server->options.proxy_protocol) {
        bool has_address = bight_stream_peer_address(below, &peer) == 0;

        if (bight__trusts(&server->trust, has_address ? &peer : NULL))
            named = read_proxy_header_in_time(server, below, &peer);
    }
    if (named < 0)
        return named;
    if (server->options.layer)
        rc = server->options.layer(server->options.layer_arg, &stream);
    if (rc < 0)
        return rc;
    rc = bight__connection_run(server, stream, named ? &peer : NULL);
    if (stream == below)
        return rc;
    if (rc >= 0)
        rc = bight_stream_end(stream, server->options.serve.end_ms);
    else
        bight_stream_abort(stream);
    return rc;
}

static int serve_connection(struct bight_stream *stream, void *arg)
{
    struct http_server *server = arg;
    struct peer *peer;
    int rc = peer_enter(server, stream, &peer);

    if (rc == BIGHT_EBUSY) /* below a layer nobody expects plain text */
        return server->options.layer ? 0 : refuse_connection(server, stream);
    if (rc == 0)
        rc = serve_layered(server, stream);
    peer_leave(server, peer);
    return rc;
}

/* The callbacks of bight_serve, whose argument is the server. */

static void on_drain(void *arg)
{
    struct http_server *server = arg;
    const struct bight_serve_options *options = &server->options.serve;

    bight__connections_drain(server);
    if (options->on_drain)
        options->on_drain(options->callback_arg);
}

static void on_failure(void *arg, const struct bight_stream *stream, int code)
{
    const struct http_server *server = arg;
    const struct bight_serve_options *options = &server->options.serve;

    if (code == BIGHT_EBROKEN)
        return; /* which is what comes of a handler's failure, and that was told */
    if (options->on_failure)
        options->on_failure(options->callback_arg, stream, code);
    else if (code != BIGHT_ECONNRESET && code != BIGHT_EPIPE && code != BIGHT_EOF &&
             code != BIGHT_ETIMEDOUT)
        bight_report_send(code, "a connection failed");
}

static void on_remaining(void *arg, const struct bight_stream *stream)
{
    const struct http_server *server = arg;
    const struct bight_serve_options *options = &server->options.serve;

    if (options->on_remaining)
        options->on_remaining(options->callback_arg, stream);
    else
        bight_report_send(BIGHT_ETIMEDOUT, "a request is not answered in time");
}

int bight_http_serve(struct bight_listener *listener,
                     int (*handler)(struct bight_exchange *exchange, void *arg), void *arg,
                     const struct bight_http_serve_options *options)
{
    struct http_server server;
    struct bight_serve_options serve;
    int rc;

    if (!listener || !handler)
        return BIGHT_EINVAL;
    if (!bight_self())
        return BIGHT_ENOTASK;
    rc = server_init(&server, handler, arg, options);
    if (rc)
        return rc;
    serve = server.options.serve;
    serve.on_drain = on_drain;
    serve.on_failure = on_failure;
    serve.on_remaining = on_remaining;
    serve.callback_arg = &server;
    rc = bight_serve(listener, serve_connection, &server, &serve);
    server_fini(&server);
    return rc;
}

int bight_http_serve_stream(struct bight_stream *stream,
                            int (*handler)(struct bight_exchange *exchange, void *arg), void *arg,
                            const struct bight_http_serve_options *options)
{
    struct http_server server;
    int rc;

    if (!stream || !handler)
        return BIGHT_EINVAL;
    if (!bight_self())
        return BIGHT_ENOTASK;
    rc = server_init(&server, handler, arg, options);
    if (rc)
        return rc;
    rc = serve_layered(&server, stream);
    server_fini(&server);
    return rc;
}
