/* The head of an answer. The headers that the handler adds are collected with room in front of
 * them, where the server's own come once they are known, so that the head is one piece. */
#include "net/server/server.h"

#include <string.h>

/* Behind the headers: the empty line. */
#define TAIL_BYTES 2u

bool bight__status_has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

struct text {
    char *at;
};

static void add(struct text *text, const char *bytes, size_t count)
{
    memcpy(text->at, bytes, count);
    text->at += count;
}

#define ADD(text, literal) add(text, literal, sizeof(literal) - 1)

static void add_number(struct text *text, uint64_t number)
{
    char digits[20];
    size_t count = 0;

    do {
        digits[sizeof(digits) - ++count] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    add(text, digits + sizeof(digits) - count, count);
}

static void add_status(struct text *text, int status)
{
    const char *name = bight__status_text(status);

    ADD(text, "HTTP/1.1 ");
    add_number(text, (uint64_t)status);
    ADD(text, " ");
    add(text, name, strlen(name));
    ADD(text, "\r\n");
}

/* Whether the connection ends with this answer. */
static bool closes(const struct bight_exchange *exchange)
{
    const struct http_connection *connection = exchange->connection;
    const struct http_server *server = exchange->server;

    return exchange->close || connection->close || !exchange->keep_alive || server->draining ||
           bight_draining() || connection->requests >= server->options.max_requests ||
           exchange->framing == FRAMING_CLOSE || !bight__body_is_short(exchange);
}

static void add_connection(struct text *text, struct bight_exchange *exchange)
{
    if (closes(exchange)) {
        exchange->connection->close = true;
        ADD(text, "Connection: close\r\n");
    } else if (exchange->head.version == 10) {
        ADD(text, "Connection: keep-alive\r\n");
    }
}

static void add_framing(struct text *text, const struct bight_exchange *exchange)
{
    if (exchange->framing == FRAMING_LENGTH) {
        ADD(text, "Content-Length: ");
        add_number(text, exchange->promised);
        ADD(text, "\r\n");
    } else if (exchange->framing == FRAMING_CHUNKED) {
        ADD(text, "Transfer-Encoding: chunked\r\n");
    }
}

char *bight__answer_head(struct bight_exchange *exchange, size_t *bytes)
{
    struct http_server *server = exchange->server;
    char prefix[PREFIX_BYTES];
    struct text text = {prefix};
    size_t prefix_bytes;
    char *begin;

    add_status(&text, exchange->status);
    if (!exchange->has_date) {
        const char *line = bight__date_line(server, &prefix_bytes);

        add(&text, line, prefix_bytes);
    }
    if (server->options.server_name) {
        ADD(&text, "Server: ");
        add(&text, server->options.server_name, strlen(server->options.server_name));
        ADD(&text, "\r\n");
    }
    if (exchange->status == 101) {
        ADD(&text, "Connection: Upgrade\r\n");
    } else if (exchange->answer != ANSWER_UPGRADED) {
        add_connection(&text, exchange);
        add_framing(&text, exchange);
    }
    prefix_bytes = (size_t)(text.at - prefix);
    begin = exchange->out + PREFIX_BYTES - prefix_bytes;
    memcpy(begin, prefix, prefix_bytes);
    memcpy(exchange->out + exchange->out_end, "\r\n", TAIL_BYTES);
    *bytes = prefix_bytes + exchange->out_end - PREFIX_BYTES + TAIL_BYTES;
    return begin;
}

static int reserve(struct bight_exchange *exchange, size_t bytes)
{
    size_t wanted = exchange->out_end + bytes + TAIL_BYTES;
    size_t capacity = exchange->out_capacity;
    char *out;

    if (wanted <= capacity)
        return 0;
    if (wanted > OUT_BYTES_MAX)
        return BIGHT_ETOOBIG;
    while (capacity < wanted)
        capacity *= 2;
    out = bight__alloc(exchange->server->seams, capacity);
    if (!out)
        return BIGHT_ENOMEM;
    memcpy(out + PREFIX_BYTES, exchange->out + PREFIX_BYTES, exchange->out_end - PREFIX_BYTES);
    if (exchange->out != exchange->out_room)
        bight__free(exchange->out);
    exchange->out = out;
    exchange->out_capacity = capacity;
    return 0;
}

/* What a handler cannot set, for the server does. */
static bool is_ours(const char *name, size_t bytes)
{
    static const char *const names[] = {"connection", "content-length", "keep-alive",
                                        "transfer-encoding", "upgrade"};
    static const unsigned lengths = 1u << 10 | 1u << 14 | 1u << 17 | 1u << 7;

    if (bytes > 17 || !(lengths >> bytes & 1))
        return false;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (bight__is_name(name, bytes, names[i]))
            return true;
    }
    return false;
}

/* A header whose name and value are in order. */
static int add_line(struct bight_exchange *exchange, const char *name, size_t name_bytes,
                    const char *value, size_t value_bytes)
{
    struct text text;
    int rc = reserve(exchange, name_bytes + value_bytes + 4);

    if (rc)
        return rc;
    text.at = exchange->out + exchange->out_end;
    add(&text, name, name_bytes);
    ADD(&text, ": ");
    add(&text, value, value_bytes);
    ADD(&text, "\r\n");
    exchange->out_end = (size_t)(text.at - exchange->out);
    return 0;
}

int bight__answer_add(struct bight_exchange *exchange, const char *name, const char *value)
{
    size_t name_bytes = strlen(name), value_bytes = strlen(value);

    if (!bight__is_token(name, name_bytes) || !bight__is_field_value(value, value_bytes))
        return BIGHT_EINVAL;
    if (name_bytes == 4 && bight__is_name(name, name_bytes, "date"))
        exchange->has_date = true;
    return add_line(exchange, name, name_bytes, value, value_bytes);
}

int bight__answer_add_type(struct bight_exchange *exchange, const char *type)
{
    size_t bytes = strlen(type);

    if (exchange->answer != ANSWER_NONE)
        return BIGHT_EALREADY;
    if (!bight__is_field_value(type, bytes))
        return BIGHT_EINVAL;
    return add_line(exchange, "Content-Type", 12, type, bytes);
}

int bight_exchange_add_header(struct bight_exchange *exchange, const char *name, const char *value)
{
    if (!exchange || !name || !value || is_ours(name, strlen(name)))
        return BIGHT_EINVAL;
    if (exchange->answer != ANSWER_NONE)
        return BIGHT_EALREADY;
    return bight__answer_add(exchange, name, value);
}

void bight_exchange_close(struct bight_exchange *exchange)
{
    if (exchange)
        exchange->close = true;
}
