/* net/websocket/accept.c: a request for a WebSocket. The input is what a client says. However it
 * comes, it is answered the same, and it is accepted only where it says all that RFC 6455 4.2.1
 * asks for, and comes from no page of another origin. */
#include <bight/websocket.h>

#include "tests/fuzz/talk.h"

#include <strings.h>

static const char *const protocols[] = {"chat", "superchat"};

struct pass {
    unsigned accepted, refused;
    char protocol[16];
};

static bool has(const struct bight_exchange *exchange, const char *name, const char *text)
{
    const char *value = bight_exchange_header(exchange, name);

    return value && strcasestr(value, text);
}

static void look_at_accepted(const struct bight_exchange *exchange,
                             const struct bight_websocket *socket)
{
    const char *origin = bight_exchange_header(exchange, "Origin");
    const char *key = bight_exchange_header(exchange, "Sec-WebSocket-Key");
    const char *protocol = bight_websocket_protocol(socket);

    FUZZ_CHECK(strcmp(bight_exchange_method(exchange), "GET") == 0);
    FUZZ_CHECK(bight_exchange_version(exchange) == 11);
    FUZZ_CHECK(bight_exchange_body_bytes(exchange) == 0);
    FUZZ_CHECK(has(exchange, "Upgrade", "websocket"));
    FUZZ_CHECK(strcmp(bight_exchange_header(exchange, "Sec-WebSocket-Version"), "13") == 0);
    FUZZ_CHECK(key && strlen(key) == 24 && strcmp(key + 22, "==") == 0);
    FUZZ_CHECK(!protocol || strcmp(protocol, "chat") == 0 || strcmp(protocol, "superchat") == 0);
    if (!origin)
        return;
    const char *host = strstr(origin, "://");
    FUZZ_CHECK(host && strcasecmp(host + 3, bight_exchange_host(exchange)) == 0);
}

static int accept_it(struct bight_exchange *exchange, void *arg)
{
    const struct bight_websocket_options options = {.protocols = protocols, .protocol_count = 2};
    struct pass *pass = arg;
    struct bight_websocket *socket;
    int rc = bight_websocket_accept(&socket, exchange, &options);

    FUZZ_CHECK(rc == 0 || rc == 1);
    pass->accepted += rc == 0;
    pass->refused += rc == 1;
    if (rc == 1) {
        int status = bight_exchange_status(exchange);

        FUZZ_CHECK(status == 400 || status == 403);
        return rc;
    }
    look_at_accepted(exchange, socket);
    if (bight_websocket_protocol(socket))
        strcpy(pass->protocol, bight_websocket_protocol(socket));
    FUZZ_CHECK(bight_websocket_free(socket) == 0);
    return 0;
}

struct input {
    const uint8_t *data;
    size_t size;
    struct pass passes[2];
};

static int ask_both(void *arg)
{
    struct input *input = arg;

    for (size_t i = 0; i < 2; i++) {
        struct fuzz_talk talk = {.handler = accept_it,
                                 .arg = &input->passes[i],
                                 .said = input->data,
                                 .said_bytes = input->size,
                                 .read_max = i};

        fuzz_talk(&talk);
        /* The connection is over with the first that is accepted. */
        FUZZ_CHECK(input->passes[i].accepted <= 1);
        if (input->passes[i].accepted)
            FUZZ_CHECK(memmem(talk.heard, talk.heard_bytes, "HTTP/1.1 101 ", 13));
        free(talk.heard);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {.data = data, .size = size};

    if (size > FUZZ_RUN_BYTES)
        return 0;
    fuzz_run(ask_both, &input);
    FUZZ_CHECK(input.passes[0].accepted == input.passes[1].accepted);
    FUZZ_CHECK(input.passes[0].refused == input.passes[1].refused);
    FUZZ_CHECK(strcmp(input.passes[0].protocol, input.passes[1].protocol) == 0);
    return 0;
}
