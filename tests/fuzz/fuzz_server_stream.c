/* A whole connection of the HTTP server: the input is what a client says before it ends its half,
 * and a handler sends bodies back. Whatever it is, the server answers the same whether it comes at
 * once or byte by byte, and nothing behind a closed connection's answer. */
#include "tests/fuzz/talk.h"

static int echo(struct bight_exchange *exchange, void *arg)
{
    unsigned *answers = arg;
    const char *body;
    size_t bytes;
    int rc = bight_exchange_read_all(exchange, &body, &bytes);

    *answers += rc == 0;
    FUZZ_CHECK(*bight_exchange_path(exchange) == '/' || *bight_exchange_path(exchange) == '*' ||
               strcmp(bight_exchange_method(exchange), "CONNECT") == 0);
    if (rc)
        return rc;
    if (strcmp(bight_exchange_method(exchange), "CONNECT") == 0)
        return bight_exchange_answer_status(exchange, 403);
    return bight_exchange_answer(exchange, 200, NULL, body, bytes);
}

/* Cut every `what` with so much more as there is behind it: it may be in a body too. */
static void cut(struct fuzz_talk *talk, const char *what, size_t more)
{
    char *at = talk->heard;

    while ((at = memmem(at, talk->heard_bytes - (size_t)(at - talk->heard), what, strlen(what)))) {
        size_t bytes = strlen(what) + more;
        size_t behind = talk->heard_bytes - (size_t)(at - talk->heard);

        if (bytes > behind)
            bytes = behind;
        memmove(at, at + bytes, behind - bytes);
        talk->heard_bytes -= bytes;
    }
}

struct input {
    const uint8_t *data;
    size_t size;
    unsigned answers[2]; /* by the handler */
    struct fuzz_talk talks[2];
};

static int hear_both(void *arg)
{
    struct input *input = arg;

    for (size_t i = 0; i < 2; i++) {
        struct fuzz_talk *talk = &input->talks[i];

        *talk = (struct fuzz_talk){.handler = echo,
                                   .arg = &input->answers[i],
                                   .said = input->data,
                                   .said_bytes = input->size,
                                   .read_max = i};
        fuzz_talk(talk);
        FUZZ_CHECK(talk->rc == 0);
        /* Whether a client is told to go on depends on whether it has by then. */
        cut(talk, "HTTP/1.1 100 Continue\r\n\r\n", 0);
        cut(talk, "\r\nDate: ", strlen("Sun, 06 Nov 1994 08:49:37 GMT"));
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {.data = data, .size = size};
    const struct fuzz_talk *one = &input.talks[0], *other = &input.talks[1];

    if (size > FUZZ_RUN_BYTES)
        return 0;
    fuzz_run(hear_both, &input);
    FUZZ_CHECK(input.answers[0] == input.answers[1] && one->heard_bytes == other->heard_bytes);
    FUZZ_CHECK(!one->heard_bytes || memcmp(one->heard, other->heard, one->heard_bytes) == 0);
    free(one->heard);
    free(other->heard);
    return 0;
}
