/* A request that becomes a WebSocket: the head goes to the server behind over a connection of its
 * own, and when that says 101 so does this one, and copies what comes, both ways, without a look
 * at it. Other protocols are not let through: "h2c" would be a second way in, past the routes. */
#include "samples/common/relay.h"
#include "samples/reverse/proxy.h"

#include <bight/scope.h>
#include <bight/tcp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Of the answer's head. */
#define LINE_BYTES 8192
#define FIELDS_MOST 100

/* Of a body where there is no 101. */
#define REFUSAL_BYTES 65536

struct tunnel {
    struct bight_exchange *exchange;
    const struct proxy *proxy;
    const struct route *route;
    const char *request;
    struct bight_stream *server;
    int status;
    struct fields fields; /* of the answer */
    char *body;           /* where it is no 101; NULL: none */
    size_t body_bytes;
};

bool proxy_is_websocket(struct bight_exchange *exchange)
{
    struct fields fields;

    return bight_exchange_header(exchange, "Upgrade") && bight_exchange_version(exchange) == 11 &&
           strcmp(bight_exchange_method(exchange), "GET") == 0 &&
           bight_exchange_body_bytes(exchange) == 0 && fields_of_request(&fields, exchange) == 0 &&
           fields_list(&fields, "Upgrade", "websocket") &&
           fields_list(&fields, "Connection", "Upgrade");
}

/* --- the request ------------------------------------------------------------------------------ */

static const char *make_head(const struct tunnel *tunnel)
{
    static const char upgrade[] = "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    const char *target = proxy_target(tunnel->exchange);
    struct fields fields;
    size_t bytes;
    char *head, *at;

    if (!target || fields_upward(&fields, tunnel->exchange, tunnel->route,
                                 tunnel->proxy->options.replace_host))
        return NULL;
    bytes = strlen(target) + sizeof upgrade + sizeof "GET  HTTP/1.1\r\n";
    for (size_t i = 0; i < fields.count; i++)
        bytes += strlen(fields.all[i].name) + strlen(fields.all[i].value) + 4;
    head = at = bight_exchange_keep(tunnel->exchange, bytes);
    if (!head)
        return NULL;
    at += sprintf(at, "GET %s HTTP/1.1\r\n", target);
    for (size_t i = 0; i < fields.count; i++)
        at += sprintf(at, "%s: %s\r\n", fields.all[i].name, fields.all[i].value);
    memcpy(at, upgrade, sizeof upgrade);
    return head;
}

/* --- the answer's head ------------------------------------------------------------------------ */

/* The next line, in memory of the exchange. */
static int read_line(struct tunnel *tunnel, char *buffer, char **line)
{
    int64_t bytes = bight_stream_read_line(tunnel->server, buffer, LINE_BYTES);

    if (bytes < 0)
        return bytes == BIGHT_EOF || bytes == BIGHT_ETOOBIG ? BIGHT_EPROTOCOL : (int)bytes;
    if (strlen(buffer) != (size_t)bytes) /* a NUL: what is behind it would be lost */
        return BIGHT_EPROTOCOL;
    *line = bight_exchange_keep(tunnel->exchange, (size_t)bytes + 1);
    if (!*line)
        return BIGHT_ENOMEM;
    memcpy(*line, buffer, (size_t)bytes + 1);
    return 0;
}

/* "HTTP/1.1 101 Switching Protocols" */
static int read_status(struct tunnel *tunnel, char *buffer)
{
    char *line = NULL, *end;
    int rc = read_line(tunnel, buffer, &line);

    if (rc)
        return rc;
    if (strncmp(line, "HTTP/1.", 7) != 0 || strlen(line) < 12 || line[8] != ' ')
        return BIGHT_EPROTOCOL;
    tunnel->status = (int)strtol(line + 9, &end, 10);
    return end == line + 12 && (*end == ' ' || !*end) && tunnel->status >= 100 ? 0
                                                                               : BIGHT_EPROTOCOL;
}

/* "Name: value". What else is wrong with one, bight_exchange_add_header will find. */
static int split(char *line, struct field *field)
{
    char *colon = strchr(line, ':');
    size_t bytes;

    if (!colon || strcspn(line, " \t") < (size_t)(colon - line))
        return BIGHT_EPROTOCOL;
    *colon++ = '\0';
    colon += strspn(colon, " \t");
    bytes = strlen(colon);
    while (bytes && (colon[bytes - 1] == ' ' || colon[bytes - 1] == '\t'))
        colon[--bytes] = '\0';
    *field = (struct field){line, colon};
    return 0;
}

static int read_fields(struct tunnel *tunnel, char *buffer)
{
    struct fields *fields = &tunnel->fields;
    char *line = NULL;

    for (fields->count = 0;; fields->count++) {
        int rc = read_line(tunnel, buffer, &line);

        if (rc || !*line)
            return rc;
        if (fields->count == FIELDS_MOST)
            return BIGHT_EPROTOCOL;
        rc = split(line, &fields->all[fields->count]);
        if (rc)
            return rc;
    }
}

/* Send the request and read the head of what is said to it, but for provisional answers. */
static int ask(void *arg)
{
    struct tunnel *tunnel = arg;
    char *buffer = bight_exchange_keep(tunnel->exchange, LINE_BYTES);
    int rc = bight_stream_write(tunnel->server, tunnel->request, strlen(tunnel->request));

    tunnel->fields.all =
        bight_exchange_keep(tunnel->exchange, FIELDS_MOST * sizeof *tunnel->fields.all);
    if (!buffer || !tunnel->fields.all)
        return BIGHT_ENOMEM;
    do {
        if (rc == 0)
            rc = read_status(tunnel, buffer);
        if (rc == 0)
            rc = read_fields(tunnel, buffer);
    } while (rc == 0 && tunnel->status < 200 && tunnel->status != 101);
    return rc;
}

/* --- what follows ----------------------------------------------------------------------------- */

static int pass_both_ways(struct tunnel *tunnel)
{
    struct bight_stream *client;
    int rc = bight_exchange_upgrade(tunnel->exchange, "websocket", &client);

    return rc ? rc : relay_both_ways(client, tunnel->server);
}

/* The body of an answer that is no 101, where it has a short length; otherwise the status has to
 * do. */
static int read_refusal(void *arg)
{
    struct tunnel *tunnel = arg;
    const char *length = fields_find(&tunnel->fields, "Content-Length");
    size_t bytes = length ? strtoul(length, NULL, 10) : 0;

    if (bytes == 0 || bytes > REFUSAL_BYTES || tunnel->status == 204 || tunnel->status == 304 ||
        fields_find(&tunnel->fields, "Transfer-Encoding"))
        return 0;
    tunnel->body = bight_exchange_keep(tunnel->exchange, bytes);
    tunnel->body_bytes = bytes;
    return tunnel->body ? bight_stream_read_exactly(tunnel->server, tunnel->body, bytes)
                        : BIGHT_ENOMEM;
}

/* What is to be known of the answer is known before anything of it goes on. */
static int hear(struct tunnel *tunnel)
{
    int64_t silence_ms = tunnel->proxy->options.silence_ms;
    int rc = bight_timeout(silence_ms, ask, tunnel);

    if (rc)
        return rc;
    if (tunnel->status == 101)
        return fields_list(&tunnel->fields, "Upgrade", "websocket") ? 0 : BIGHT_EPROTOCOL;
    return bight_timeout(silence_ms, read_refusal, tunnel);
}

static int answer(struct tunnel *tunnel)
{
    int rc = fields_downward(tunnel->exchange, &tunnel->fields, 11);

    if (rc == BIGHT_EPROTOCOL)
        return proxy_refuse(tunnel->exchange, tunnel->route, rc,
                            "its answer has a malformed field");
    if (rc || tunnel->status == 101)
        return rc ? rc : pass_both_ways(tunnel);
    return bight_exchange_answer(tunnel->exchange, tunnel->status, NULL,
                                 tunnel->body ? tunnel->body : "", tunnel->body_bytes);
}

int proxy_tunnel_over(struct bight_exchange *exchange, const struct proxy *proxy,
                      const struct route *route, struct bight_stream *server)
{
    struct tunnel tunnel = {.exchange = exchange, .proxy = proxy, .route = route, .server = server};
    int rc = BIGHT_ENOMEM;

    tunnel.request = make_head(&tunnel);
    if (tunnel.request) {
        rc = hear(&tunnel);
        rc = rc ? proxy_refuse(exchange, route, rc, bight_strerror(rc)) : answer(&tunnel);
    }
    if (rc)
        bight_stream_abort(server);
    else
        rc = bight_stream_end(server, 0);
    return rc;
}

/* --- where it goes ---------------------------------------------------------------------------- */

struct dial {
    const struct route *route;
    struct bight_stream *server;
};

static int connect_to(void *arg)
{
    struct dial *dial = arg;

    return bight_tcp_connect(&dial->server, dial->route->host, dial->route->port, NULL, NULL);
}

int proxy_tunnel(struct bight_exchange *exchange, const struct proxy *proxy,
                 const struct route *route)
{
    struct dial dial = {.route = route};
    int rc = bight_timeout(proxy->options.connect_ms, connect_to, &dial);

    return rc ? proxy_refuse(exchange, route, rc, bight_strerror(rc))
              : proxy_tunnel_over(exchange, proxy, route, dial.server);
}
