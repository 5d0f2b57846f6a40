/* A whole connection of the HTTP server: the input is what a client says before it ends its half,
 * and a handler sends bodies back. Whatever it is, the server answers the same whether it comes at
 * once or byte by byte, and nothing behind a closed connection's answer. */
#include <bight.h>
#include <bight/server.h>

#include "tests/fuzz/fuzz.h"

#define SIZE_MAX_BYTES 8192u
#define HEARD_BYTES (256u << 10)

struct talk {
    const uint8_t *data;
    size_t size;
    size_t read_max;
    struct bight_stream *client, *server;
    char *heard;
    size_t length;
    unsigned answers; /* by the handler */
};

static int echo(struct bight_exchange *exchange, void *arg)
{
    struct talk *talk = arg;
    const char *body;
    size_t bytes;
    int rc = bight_exchange_read_all(exchange, &body, &bytes);

    talk->answers += rc == 0;
    FUZZ_CHECK(*bight_exchange_path(exchange) == '/' || *bight_exchange_path(exchange) == '*' ||
               strcmp(bight_exchange_method(exchange), "CONNECT") == 0);
    if (rc)
        return rc;
    if (strcmp(bight_exchange_method(exchange), "CONNECT") == 0)
        return bight_exchange_answer_status(exchange, 403);
    return bight_exchange_answer(exchange, 200, NULL, body, bytes);
}

static void on_failure(void *arg, const struct bight_exchange *exchange, int code)
{
    (void)arg;
    (void)exchange;
    FUZZ_CHECK(code == 0); /* none but the client's, which are not told */
}

static int serve(void *arg)
{
    struct talk *talk = arg;
    const struct bight_http_serve_options options = {.on_failure = on_failure};
    int rc = bight_http_serve_stream(talk->server, echo, talk, &options);

    FUZZ_CHECK(rc == 0);
    return bight_stream_end(talk->server, 0);
}

/* The server may have closed the connection by then. */
static int say(void *arg)
{
    struct talk *talk = arg;
    int rc = bight_stream_write(talk->client, talk->data, talk->size);

    if (rc == 0)
        rc = bight_stream_shutdown(talk->client);
    FUZZ_CHECK(rc == 0 || rc == BIGHT_EPIPE);
    return 0;
}

static void converse(struct talk *talk)
{
    const struct bight_stream_pair_options options = {.read_max = talk->read_max};
    struct bight_group group;
    int64_t count = 1;

    FUZZ_CHECK(bight_stream_pair(&talk->client, &talk->server, &options) == 0);
    FUZZ_CHECK(bight_group_begin(&group, 0) == 0);
    FUZZ_CHECK(bight_group_spawn(NULL, &group, NULL, serve, talk) == 0);
    FUZZ_CHECK(bight_group_spawn(NULL, &group, NULL, say, talk) == 0);
    while (count > 0) {
        count = bight_stream_read(talk->client, talk->heard + talk->length,
                                  HEARD_BYTES - 1 - talk->length);
        talk->length += count > 0 ? (size_t)count : 0;
    }
    FUZZ_CHECK(count == 0);
    FUZZ_CHECK(bight_group_end(&group, 0) == 0);
    FUZZ_CHECK(bight_stream_end(talk->client, 0) == 0);
}

/* Cut every `what` and what follows it up to the end of a line. */
static void cut(struct talk *talk, const char *what, size_t more)
{
    char *at = talk->heard;

    while ((at = memmem(at, talk->length - (size_t)(at - talk->heard), what, strlen(what)))) {
        size_t bytes = strlen(what) + more;
        size_t behind = talk->length - (size_t)(at - talk->heard);

        FUZZ_CHECK(bytes <= behind);
        memmove(at, at + bytes, behind - bytes);
        talk->length -= bytes;
    }
}

static void hear(struct talk *talk)
{
    talk->heard = malloc(HEARD_BYTES);
    FUZZ_CHECK(talk->heard);
    converse(talk);
    /* Whether a client is told to go on depends on whether it has by then. */
    cut(talk, "HTTP/1.1 100 Continue\r\n\r\n", 0);
    cut(talk, "\r\nDate: ", strlen("Sun, 06 Nov 1994 08:49:37 GMT"));
}

/* `arg` is two talks. */
static int hear_both(void *arg)
{
    struct talk *talks = arg;

    hear(&talks[0]);
    hear(&talks[1]);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bight_test_options options = {.skip_probe = true};
    struct talk talks[] = {{.data = data, .size = size},
                           {.data = data, .size = size, .read_max = 1}};

    if (size > SIZE_MAX_BYTES)
        return 0;
    FUZZ_CHECK(bight_test_run(&options, hear_both, talks, NULL) == 0);
    FUZZ_CHECK(talks[0].answers == talks[1].answers && talks[0].length == talks[1].length);
    FUZZ_CHECK(memcmp(talks[0].heard, talks[1].heard, talks[0].length) == 0);
    free(talks[0].heard);
    free(talks[1].heard);
    return 0;
}
