/* net/server/head.c, framing.c and path.c: a request's head, which llhttp is asked about too, and
 * the trailers of a body. However the bytes come, the same is said of them; what is taken is in
 * order in every line, and its path leads nowhere above. */
#include <strings.h>

#include "net/server/server.h"
#include "tests/fuzz/fuzz.h"

static const struct head_limits limits = {
    .line_bytes = 1 << 20, .head_bytes = 1 << 20, .fields = HEAD_FIELDS_MAX};
static const struct bight_seams seams;

/* Each line feed is behind a carriage return, each of those before a line feed, and there is no
 * other control but tabs. */
static void look_at_lines(const char *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)data[i];

        if (c == '\n')
            FUZZ_CHECK(i > 0 && data[i - 1] == '\r');
        else if (c == '\r')
            FUZZ_CHECK(i + 1 < bytes && data[i + 1] == '\n');
        else
            FUZZ_CHECK((c >= ' ' && c != 0x7f) || c == '\t');
    }
    FUZZ_CHECK(memcmp(data + bytes - 2, "\r\n", 2) == 0);
}

static int64_t scan(struct head *head, const char *data, size_t size, size_t step)
{
    int64_t rc = 0;

    bight__head_init(head);
    for (size_t bytes = step; rc == 0 && bytes <= size; bytes += step)
        rc = bight__head_scan(head, data, bytes, &limits);
    return rc ? rc : bight__head_scan(head, data, size, &limits);
}

/* What is malformed as well as too much may be refused for either. */
static bool is_same(int64_t one, int64_t other)
{
    return one == other || (one < 0 && other < 0);
}

static int64_t scan_trailers(const char *data, size_t size, size_t step)
{
    struct trailers trailers = {.count = 0};
    int64_t rc = 0;

    for (size_t bytes = step; rc == 0 && bytes <= size; bytes += step)
        rc = bight__trailers_scan(&trailers, data, bytes, &limits);
    return rc ? rc : bight__trailers_scan(&trailers, data, size, &limits);
}

static void look_at_fields(const struct head *head, const char *data, size_t bytes)
{
    FUZZ_CHECK(head->version == 10 || head->version == 11);
    FUZZ_CHECK(bight__is_token(data + head->method, head->method_bytes));
    FUZZ_CHECK(!memchr(data + head->target, ' ', head->target_bytes));
    for (uint32_t i = 0; i < head->count; i++) {
        const struct head_field *field = &head->fields[i];
        const char *value = data + field->value;

        FUZZ_CHECK(field->name + field->name_bytes < field->value);
        FUZZ_CHECK(field->value + field->value_bytes < bytes);
        FUZZ_CHECK(bight__is_token(data + field->name, field->name_bytes));
        FUZZ_CHECK(data[field->name + field->name_bytes] == ':');
        FUZZ_CHECK(bight__is_field_value(value, field->value_bytes));
        FUZZ_CHECK(!field->value_bytes || (*value != ' ' && *value != '\t'));
    }
}

/* One segment behind the other, none of them empty but the last, and none that leads up. */
static void look_at_path(const char *path)
{
    FUZZ_CHECK(*path == '/');
    while (*path) {
        size_t bytes = strcspn(++path, "/");

        FUZZ_CHECK(bytes || !path[0]);
        FUZZ_CHECK(!(bytes == 1 && *path == '.') && !(bytes == 2 && memcmp(path, "..", 2) == 0));
        path += bytes;
    }
}

/* How many fields `name` there are. */
static unsigned fields_called(const struct bight_exchange *exchange, const char *name)
{
    unsigned count = 0;

    for (uint32_t i = 0; i < exchange->head.count; i++) {
        const struct head_field *field = &exchange->head.fields[i];

        count += field->name_bytes == strlen(name) &&
                 strncasecmp(exchange->text + field->name, name, field->name_bytes) == 0;
    }
    return count;
}

static void look_at_framing(const struct bight_exchange *exchange)
{
    unsigned lengths = fields_called(exchange, "content-length");
    unsigned codings = fields_called(exchange, "transfer-encoding");

    FUZZ_CHECK(lengths + codings <= 1);
    FUZZ_CHECK((codings == 1) == (exchange->body == BODY_CHUNK_LINE));
    FUZZ_CHECK(lengths || exchange->body != BODY_FIXED);
    FUZZ_CHECK(fields_called(exchange, "host") <= 1);
    FUZZ_CHECK(exchange->head.version == 10 || fields_called(exchange, "host") == 1);
}

/* What the head means: the exchange as connection.c prepares it. */
static void try_meaning(const struct head *head, char *data, size_t bytes)
{
    struct http_server server = {.seams = &seams};
    struct bight_exchange *exchange = calloc(1, sizeof(*exchange));

    FUZZ_CHECK(exchange);
    exchange->server = &server;
    exchange->head = *head;
    exchange->text = data;
    exchange->text_bytes = bytes;
    exchange->is_connect =
        head->method_bytes == 7 && memcmp(data + head->method, "CONNECT", 7) == 0;
    int rc = bight__framing(exchange);
    FUZZ_CHECK(rc == 0 || rc == -400 || rc == -417 || rc == -501);
    if (rc == 0) {
        look_at_framing(exchange);
        rc = bight__path_make(exchange);
        FUZZ_CHECK(rc == 0 || rc == -400);
        if (rc == 0 && exchange->path)
            look_at_path(exchange->path);
    }
    bight__exchange_give(exchange);
    free(server.spare);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct head *head = malloc(sizeof(*head)), *other = malloc(sizeof(*other));
    char *text = malloc(size + 1);

    FUZZ_CHECK(head && other && text);
    memcpy(text, data, size);
    int64_t bytes = scan(head, text, size, size + 1);
    FUZZ_CHECK(is_same(scan(other, text, size, 1), bytes));
    if (bytes > 0) {
        FUZZ_CHECK((size_t)bytes <= size && head->count == other->count);
        look_at_lines(text, (size_t)bytes);
        look_at_fields(head, text, (size_t)bytes);
        try_meaning(head, text, (size_t)bytes);
    } else {
        FUZZ_CHECK(bytes == 0 || bytes == -400 || bytes == -431 || bytes == -505);
    }
    memcpy(text, data, size);
    bytes = scan_trailers(text, size, size + 1);
    FUZZ_CHECK(is_same(scan_trailers(text, size, 1), bytes));
    if (bytes > 0)
        look_at_lines(text, (size_t)bytes);
    free(text);
    free(head);
    free(other);
    return 0;
}
