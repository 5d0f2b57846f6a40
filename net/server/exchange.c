/* What a handler may ask of its exchange, and where exchanges come from: those that were used are
 * kept for the next requests, of whatever connection. */
#include "net/server/server.h"

#include <string.h>

#include <bight/time.h>

#define ALIGN _Alignof(max_align_t)
_Static_assert(KEPT_BYTES % ALIGN == 0, "what is kept there stays aligned");

/* As many as are kept while nobody uses them. */
#define SPARE_MAX 64

struct kept_block {
    struct kept_block *next;
    _Alignas(max_align_t) char data[];
};

void *bight__exchange_keep(struct bight_exchange *exchange, size_t bytes)
{
    struct kept_block *block;
    size_t used = exchange->kept_used;

    if (bytes <= KEPT_BYTES - used) {
        exchange->kept_used = used + (bytes + ALIGN - 1) / ALIGN * ALIGN;
        return exchange->kept_room + used;
    }
    block = bight__alloc(exchange->server->seams, sizeof(*block) + bytes);
    if (!block)
        return NULL;
    block->next = exchange->kept;
    exchange->kept = block;
    return block->data;
}

struct bight_exchange *bight__exchange_take(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    struct bight_exchange *exchange = server->spare;

    if (exchange) {
        server->spare = exchange->next;
        server->spare_count--;
    } else {
        exchange = bight__alloc(server->seams, sizeof(*exchange));
        if (!exchange)
            return NULL;
    }
    memset(exchange, 0, offsetof(struct bight_exchange, head));
    bight__head_init(&exchange->head);
    exchange->connection = connection;
    exchange->server = server;
    exchange->stream = connection->stream;
    exchange->started_ns = bight_now_ns();
    exchange->method = exchange->target = exchange->host = "";
    exchange->max_body_bytes = server->options.max_body_bytes;
    exchange->cancel_on_end = server->options.cancel_on_end;
    exchange->out = exchange->out_room;
    exchange->out_end = PREFIX_BYTES;
    exchange->out_capacity = OUT_BYTES;
    return exchange;
}

void bight__exchange_give(struct bight_exchange *exchange)
{
    struct http_server *server = exchange->server;

    while (exchange->kept) {
        struct kept_block *block = exchange->kept;

        exchange->kept = block->next;
        bight__free(block);
    }
    bight__free(exchange->whole);
    bight__gzip_free(exchange->gzip);
    if (exchange->out != exchange->out_room)
        bight__free(exchange->out);
    if (server->spare_count == SPARE_MAX) {
        bight__free(exchange);
        return;
    }
    exchange->next = server->spare;
    server->spare = exchange;
    server->spare_count++;
}

void *bight_exchange_keep(struct bight_exchange *exchange, size_t bytes)
{
    return exchange && bytes <= PTRDIFF_MAX ? bight__exchange_keep(exchange, bytes) : NULL;
}

const char *bight_exchange_method(const struct bight_exchange *exchange)
{
    return exchange ? exchange->method : NULL;
}

const char *bight_exchange_target(const struct bight_exchange *exchange)
{
    return exchange ? exchange->target : NULL;
}

const char *bight_exchange_path(const struct bight_exchange *exchange)
{
    if (!exchange)
        return NULL;
    return exchange->path ? exchange->path : exchange->target;
}

const char *bight_exchange_query(const struct bight_exchange *exchange)
{
    return exchange ? exchange->query : NULL;
}

const char *bight_exchange_host(const struct bight_exchange *exchange)
{
    return exchange ? exchange->host : NULL;
}

int bight_exchange_version(const struct bight_exchange *exchange)
{
    return exchange ? exchange->head.version : BIGHT_EINVAL;
}

const char *bight_exchange_header(const struct bight_exchange *exchange, const char *name)
{
    size_t bytes;

    if (!exchange || !name)
        return NULL;
    bytes = strlen(name);
    for (uint32_t i = 0; i < exchange->head.count; i++) {
        const struct head_field *field = &exchange->head.fields[i];

        if (field->name_bytes == bytes &&
            strncasecmp(exchange->text + field->name, name, bytes) == 0)
            return exchange->text + field->value;
    }
    return NULL;
}

int bight_exchange_header_at(const struct bight_exchange *exchange, size_t index, const char **name,
                             const char **value)
{
    if (!exchange || !name || !value)
        return BIGHT_EINVAL;
    if (index >= exchange->head.count)
        return BIGHT_ENOENT;
    *name = exchange->text + exchange->head.fields[index].name;
    *value = exchange->text + exchange->head.fields[index].value;
    return 0;
}

struct bight_stream *bight_exchange_stream(const struct bight_exchange *exchange)
{
    return exchange ? exchange->stream : NULL;
}

int64_t bight_exchange_body_bytes(const struct bight_exchange *exchange)
{
    return exchange ? exchange->body_bytes : BIGHT_EINVAL;
}

int bight_exchange_set_max_body(struct bight_exchange *exchange, uint64_t bytes)
{
    if (!exchange)
        return BIGHT_EINVAL;
    /* What was read already counts. */
    exchange->max_body_bytes = bytes < exchange->body_read ? exchange->body_read : bytes;
    return 0;
}

int bight_exchange_cancel_on_end(struct bight_exchange *exchange, bool cancel)
{
    if (!exchange)
        return BIGHT_EINVAL;
    if (exchange->answer == ANSWER_UPGRADED)
        return BIGHT_EALREADY;
    exchange->cancel_on_end = cancel;
    bight__stream_watch(exchange->stream, &exchange->watch); /* tells what is known already */
    return 0;
}

int bight_exchange_status(const struct bight_exchange *exchange)
{
    return exchange ? exchange->status : BIGHT_EINVAL;
}

uint64_t bight_exchange_bytes_sent(const struct bight_exchange *exchange)
{
    return exchange ? exchange->sent : 0;
}

uint64_t bight_exchange_started_ns(const struct bight_exchange *exchange)
{
    return exchange ? exchange->started_ns : 0;
}
