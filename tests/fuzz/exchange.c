/* See exchange.h. */
#include "tests/fuzz/exchange.h"

static const struct head_limits limits = {
    .line_bytes = 1 << 20, .head_bytes = 1 << 20, .fields = HEAD_FIELDS_MAX};
static const struct bight_seams seams;

static char *append(char *to, const char *text, size_t bytes)
{
    memcpy(to, text, bytes);
    return to + bytes;
}

/* The head, in a block of exactly its size. */
static char *make_head(const char *name, const char *values, size_t bytes, size_t *head_bytes)
{
    static const char first[] = "GET / HTTP/1.1\r\n", last[] = "\r\n";
    const char *end = values + bytes;
    size_t lines = 1;

    for (const char *at = values; (at = memchr(at, '\n', (size_t)(end - at))); at++)
        lines++;
    *head_bytes = sizeof(first) - 1 + lines * (strlen(name) + 4) + bytes - (lines - 1) + 2;
    char *head = malloc(*head_bytes), *to = head;
    FUZZ_CHECK(head);
    to = append(to, first, sizeof(first) - 1);
    while (lines--) {
        const char *feed = memchr(values, '\n', (size_t)(end - values));
        size_t length = (size_t)((feed ? feed : end) - values);

        to = append(to, name, strlen(name));
        to = append(to, ": ", 2);
        to = append(to, values, length);
        to = append(to, last, 2);
        values += length + 1;
    }
    to = append(to, last, 2);
    FUZZ_CHECK(to == head + *head_bytes);
    return head;
}

/* As connection.c does it. */
static void end_strings(struct bight_exchange *exchange)
{
    for (uint32_t i = 0; i < exchange->head.count; i++) {
        const struct head_field *field = &exchange->head.fields[i];

        exchange->text[field->name + field->name_bytes] = '\0';
        exchange->text[field->value + field->value_bytes] = '\0';
    }
}

bool fuzz_exchange_open(struct fuzz_exchange *opened, const char *name, const char *values,
                        size_t bytes)
{
    struct bight_exchange *exchange = calloc(1, sizeof(*exchange));
    size_t head_bytes;

    FUZZ_CHECK(exchange);
    *opened = (struct fuzz_exchange){.exchange = exchange};
    opened->text = make_head(name, values, bytes, &head_bytes);
    opened->server.seams = &seams;
    opened->connection.server = &opened->server;
    exchange->server = &opened->server;
    exchange->connection = &opened->connection;
    exchange->text = opened->text;
    exchange->text_bytes = head_bytes;
    exchange->out = exchange->out_room;
    exchange->out_end = PREFIX_BYTES;
    exchange->out_capacity = OUT_BYTES;
    bight__head_init(&exchange->head);
    if (bight__head_scan(&exchange->head, exchange->text, head_bytes, &limits) ==
        (int64_t)head_bytes) {
        end_strings(exchange);
        return true;
    }
    fuzz_exchange_close(opened);
    return false;
}

void fuzz_exchange_close(struct fuzz_exchange *opened)
{
    bight__exchange_give(opened->exchange);
    free(opened->server.spare);
    free(opened->text);
}
