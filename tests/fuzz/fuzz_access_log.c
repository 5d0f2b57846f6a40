/* net/server/access_log.c, and what can be asked of an exchange that is over, whether a handler had
 * it or the server has refused it. The input is what a client says. Whatever it is, a line is one
 * line: JSON that a strict reader takes, or the combined format with its three fields in quotes. */
#include <bight/access_log.h>

#include "net/server/utf8.h"
#include "tests/fuzz/talk.h"

/* What is left of a text that should be JSON. */
struct reader {
    const char *at, *end;
};

static bool take(struct reader *reader, char c)
{
    if (reader->at == reader->end || *reader->at != c)
        return false;
    reader->at++;
    return true;
}

static bool is_digit(const struct reader *reader)
{
    return reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9';
}

/* RFC 8259 7, of what this writer uses. */
static void read_string(struct reader *reader)
{
    const char *begin = reader->at + 1;
    struct utf8 character = {0};

    FUZZ_CHECK(take(reader, '"'));
    while (!take(reader, '"')) {
        FUZZ_CHECK(reader->at < reader->end && (unsigned char)*reader->at >= ' ');
        if (!take(reader, '\\')) {
            reader->at++;
            continue;
        }
        FUZZ_CHECK(reader->end - reader->at >= 5 && *reader->at == 'u');
        FUZZ_CHECK(strspn(++reader->at, "0123456789abcdef") >= 4);
        reader->at += 4;
    }
    FUZZ_CHECK(bight__utf8_goes_on(&character, begin, (size_t)(reader->at - 1 - begin)));
    FUZZ_CHECK(bight__utf8_is_whole(&character));
}

static void read_number(struct reader *reader)
{
    bool leading = take(reader, '0');

    FUZZ_CHECK(leading != is_digit(reader));
    while (is_digit(reader))
        reader->at++;
    if (!take(reader, '.'))
        return;
    FUZZ_CHECK(is_digit(reader));
    while (is_digit(reader))
        reader->at++;
}

static void look_at_json(const char *line, size_t bytes)
{
    struct reader reader = {line, line + bytes};

    FUZZ_CHECK(take(&reader, '{'));
    do {
        read_string(&reader);
        FUZZ_CHECK(take(&reader, ':'));
        if (is_digit(&reader))
            read_number(&reader);
        else
            read_string(&reader);
    } while (take(&reader, ','));
    FUZZ_CHECK(take(&reader, '}') && take(&reader, '\n') && reader.at == reader.end);
}

static void look_at_combined(const char *line, size_t bytes)
{
    unsigned quotes = 0, brackets = 0;

    for (size_t i = 0; i < bytes - 1; i++) {
        FUZZ_CHECK(line[i] >= ' ' && line[i] < 0x7f);
        quotes += line[i] == '"';
        brackets += line[i] == '[' && quotes == 0;
    }
    FUZZ_CHECK(line[bytes - 1] == '\n' && quotes == 6 && brackets == 1);
}

/* In a block that has just enough room, and in one that has not. */
static void look_at_line(const struct bight_exchange *exchange, enum bight_access_log_format format)
{
    static char room[BIGHT_ACCESS_LOG_BYTES];
    int64_t bytes = bight_access_log_line(exchange, format, room, sizeof(room));

    FUZZ_CHECK(bytes > 0 && strlen(room) == (size_t)bytes);
    if (format == BIGHT_ACCESS_LOG_JSON)
        look_at_json(room, (size_t)bytes);
    else
        look_at_combined(room, (size_t)bytes);
    char *block = malloc((size_t)bytes + 1);
    FUZZ_CHECK(block);
    FUZZ_CHECK(bight_access_log_line(exchange, format, block, (size_t)bytes + 1) == bytes);
    free(block);
    block = malloc((size_t)bytes);
    FUZZ_CHECK(block);
    FUZZ_CHECK(bight_access_log_line(exchange, format, block, (size_t)bytes) == BIGHT_ETOOBIG);
    free(block);
}

static void look_at_all(const struct bight_exchange *exchange)
{
    const char *name, *value;
    struct bight_address address;
    size_t bytes = strlen(bight_exchange_method(exchange)) + strlen(bight_exchange_host(exchange)) +
                   strlen(bight_exchange_target(exchange));

    FUZZ_CHECK(bytes < 3 * FUZZ_RUN_BYTES);
    FUZZ_CHECK(strlen(bight_exchange_path(exchange)) < FUZZ_RUN_BYTES);
    if (bight_exchange_query(exchange))
        FUZZ_CHECK(strlen(bight_exchange_query(exchange)) < FUZZ_RUN_BYTES);
    for (size_t i = 0; bight_exchange_header_at(exchange, i, &name, &value) == 0; i++) {
        FUZZ_CHECK(*name && !strpbrk(name, "\r\n:") && !strpbrk(value, "\r\n"));
        const char *first = bight_exchange_header(exchange, name);
        FUZZ_CHECK(first && first <= value);
    }
    int rc = bight_exchange_peer(exchange, &address);
    FUZZ_CHECK(rc == BIGHT_ENOTSUP || (rc == 0 && (address.family == 4 || address.family == 6)));
    (void)bight_exchange_is_secure(exchange);
    FUZZ_CHECK(bight_exchange_status(exchange) >= 200 && bight_exchange_id(exchange));
    FUZZ_CHECK(bight_exchange_body_bytes(exchange) >= -1);
    (void)bight_exchange_version(exchange);
}

static void on_done(void *arg, const struct bight_exchange *exchange)
{
    unsigned *lines = arg;

    look_at_all(exchange);
    look_at_line(exchange, BIGHT_ACCESS_LOG_COMBINED);
    look_at_line(exchange, BIGHT_ACCESS_LOG_JSON);
    ++*lines;
}

static int answer(struct bight_exchange *exchange, void *arg)
{
    const char *body;
    size_t bytes;
    int rc = bight_exchange_read_all(exchange, &body, &bytes);

    (void)arg;
    if (rc == 0 && strcmp(bight_exchange_method(exchange), "CONNECT") == 0)
        return bight_exchange_answer_status(exchange, 403);
    return rc ? rc : bight_exchange_answer(exchange, 200, NULL, body, bytes);
}

struct input {
    const uint8_t *data;
    size_t size;
    unsigned lines[2];
};

/* As it comes, and byte by byte: there is a line for the same number of requests. */
static int log_both(void *arg)
{
    struct input *input = arg;

    for (size_t i = 0; i < 2; i++) {
        const struct bight_http_serve_options options = {
            .on_failure = fuzz_talk_options.on_failure,
            .on_done = on_done,
            .callback_arg = &input->lines[i],
            .request_ids = true,
            .max_line_bytes = 512,
            .max_head_bytes = 2048,
            .max_headers = 16,
            .max_body_bytes = 1024,
            .trusted = "unix, 10.0.0.0/8",
            .forwarded = i ? BIGHT_FORWARDED_X : BIGHT_FORWARDED_RFC7239,
        };
        struct fuzz_talk talk = {.handler = answer,
                                 .options = &options,
                                 .said = input->data,
                                 .said_bytes = input->size,
                                 .read_max = i};

        fuzz_talk(&talk);
        free(talk.heard);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {.data = data, .size = size};

    if (size > FUZZ_RUN_BYTES)
        return 0;
    fuzz_run(log_both, &input);
    FUZZ_CHECK(input.lines[0] == input.lines[1]);
    return 0;
}
