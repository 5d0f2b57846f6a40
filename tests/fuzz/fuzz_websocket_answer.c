/* net/websocket/connect.c: what a server answers to a client that asks for a WebSocket. In the
 * input a "@" is the right Sec-WebSocket-Accept for the client's key. However the bytes come, the
 * client says the same of them. What it takes says all that RFC 6455 4.1 asks for, and what follows
 * an answer is left in the stream. */
#include "net/websocket/websocket.h"
#include "tests/fuzz/run.h"

static const char *const protocols[] = {"chat", "superchat"};

struct pass {
    const uint8_t *data;
    size_t size;
    size_t read_max;
    struct bight_stream *client, *server;
    struct fuzz_buffer said; /* by the server */
    struct fuzz_buffer left; /* of that, behind the answer */
    char protocol[16];
    int rc, status;
};

static int connect_to(void *arg)
{
    const struct bight_websocket_options options = {.protocols = protocols, .protocol_count = 2};
    struct pass *pass = arg;
    struct bight_websocket *socket;
    char piece[100];
    int64_t count;

    pass->rc = bight_websocket_connect(&socket, pass->client, "a", "/", &options, &pass->status);
    if (pass->rc == 0) {
        if (bight_websocket_protocol(socket))
            strcpy(pass->protocol, bight_websocket_protocol(socket));
        FUZZ_CHECK(bight_websocket_free(socket) == 0);
        while ((count = bight_stream_read(pass->client, piece, sizeof(piece))) > 0)
            fuzz_put(&pass->left, piece, (size_t)count);
        FUZZ_CHECK(count == 0);
    }
    bight_stream_abort(pass->client);
    return 0;
}

/* The key of the request at the server's end, and what accepts it. */
static void read_request(const struct pass *pass, char accept[ACCEPT_BYTES + 1])
{
    static const char name[] = "Sec-WebSocket-Key: ";
    char request[1024];
    int64_t bytes = bight_stream_read_until(pass->server, request, sizeof(request), "\r\n\r\n", 4);

    FUZZ_CHECK(bytes > 0);
    const char *key = memmem(request, (size_t)bytes, name, sizeof(name) - 1);
    FUZZ_CHECK(key);
    FUZZ_CHECK(bight__websocket_accept_key(key + sizeof(name) - 1, accept) == 0);
}

static void answer(struct pass *pass)
{
    char accept[ACCEPT_BYTES + 1];

    read_request(pass, accept);
    fuzz_put(&pass->said, "", 0);
    for (size_t i = 0; i < pass->size; i++) {
        if (pass->data[i] == '@')
            fuzz_put(&pass->said, accept, ACCEPT_BYTES);
        else
            fuzz_put(&pass->said, &pass->data[i], 1);
    }
    fuzz_put(&pass->said, "", 1); /* a string */
    int rc = bight_stream_write(pass->server, pass->said.data, --pass->said.bytes);
    if (rc == 0)
        rc = bight_stream_shutdown(pass->server);
    FUZZ_CHECK(rc == 0 || rc == BIGHT_EPIPE || rc == BIGHT_ECONNRESET);
}

static void converse(struct pass *pass)
{
    const struct bight_stream_pair_options options = {.read_max = pass->read_max};
    struct bight_group group;

    FUZZ_CHECK(bight_stream_pair(&pass->client, &pass->server, &options) == 0);
    FUZZ_CHECK(bight_group_begin(&group, 0) == 0);
    FUZZ_CHECK(bight_group_spawn(NULL, &group, NULL, connect_to, pass) == 0);
    answer(pass);
    FUZZ_CHECK(bight_group_end(&group, 0) == 0);
    bight_stream_abort(pass->server);
}

static int converse_both(void *arg)
{
    struct pass *passes = arg;

    converse(&passes[0]);
    converse(&passes[1]);
    return 0;
}

/* The first header `name`, which is in lower case, in the head. NULL: there is none; *count: how
 * many there are. */
static char *header(const char *head, size_t bytes, const char *name, unsigned *count)
{
    const char *end = head + bytes, *line = head;
    char *value = NULL;

    *count = 0;
    while ((line = memmem(line, (size_t)(end - line), "\r\n", 2)) && (line += 2) < end) {
        const char *last = memmem(line, (size_t)(end - line), "\r\n", 2);
        const char *colon = last ? memchr(line, ':', (size_t)(last - line)) : NULL;

        if (!colon || !bight__is_name(line, (size_t)(colon - line), name))
            continue;
        while (bight__is_blank(*++colon))
            continue;
        if ((*count)++ == 0)
            value = strndup(colon, (size_t)(last - colon));
    }
    return value;
}

static void look_at_answer(const struct pass *pass, const char *head, size_t bytes)
{
    unsigned accepts, protocols_said, extensions, upgrades, connections;
    char *accept = header(head, bytes, "sec-websocket-accept", &accepts);
    char *protocol = header(head, bytes, "sec-websocket-protocol", &protocols_said);

    free(header(head, bytes, "sec-websocket-extensions", &extensions));
    free(header(head, bytes, "upgrade", &upgrades));
    free(header(head, bytes, "connection", &connections));
    FUZZ_CHECK(pass->status == 101 && bytes > 12 && memcmp(head, "HTTP/1.1 101", 12) == 0);
    FUZZ_CHECK(accepts == 1 && upgrades && connections && !extensions && protocols_said <= 1);
    FUZZ_CHECK(memchr(pass->data, '@', pass->size) && strlen(accept) >= ACCEPT_BYTES);
    FUZZ_CHECK(protocols_said == (*pass->protocol != '\0'));
    if (protocol)
        FUZZ_CHECK(strncmp(protocol, pass->protocol, strlen(pass->protocol)) == 0);
    free(accept);
    free(protocol);
}

/* Where the head that counts ends, from *begin on: those before it only inform (RFC 9110 15.2).
 * NULL: it has no end. */
static const char *head_end(const struct pass *pass, const char **begin)
{
    const char *at = pass->said.data, *end;
    size_t left = pass->said.bytes;

    while ((end = memmem(at, left, "\r\n\r\n", 4))) {
        *begin = at;
        end += 4;
        left -= (size_t)(end - at);
        if (end - at < 16 || memcmp(at, "HTTP/1.1 1", 10) != 0 || memcmp(at + 10, "01", 2) == 0)
            break;
        at = end;
    }
    return end;
}

static void look_at(const struct pass *pass)
{
    const char *begin = NULL, *end = head_end(pass, &begin);

    FUZZ_CHECK(pass->rc == 0 || pass->rc == BIGHT_EFORBIDDEN || pass->rc == BIGHT_EPROTOCOL ||
               pass->rc == BIGHT_EOF || pass->rc == BIGHT_ETOOBIG);
    FUZZ_CHECK(pass->status >= 0 && pass->status <= 999);
    if (pass->rc == BIGHT_EFORBIDDEN)
        FUZZ_CHECK(pass->status && pass->status / 100 != 1);
    if (pass->rc == BIGHT_EOF)
        FUZZ_CHECK(!end);
    if (pass->rc)
        return;
    FUZZ_CHECK(end);
    look_at_answer(pass, begin, (size_t)(end - begin));
    size_t left = pass->said.bytes - (size_t)(end - pass->said.data);
    FUZZ_CHECK(pass->left.bytes == left);
    FUZZ_CHECK(!left || memcmp(pass->left.data, end, left) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pass passes[] = {{.data = data, .size = size},
                            {.data = data, .size = size, .read_max = 1}};

    if (size > FUZZ_RUN_BYTES)
        return 0;
    fuzz_run(converse_both, passes);
    FUZZ_CHECK(passes[0].rc == passes[1].rc && passes[0].status == passes[1].status);
    FUZZ_CHECK(strcmp(passes[0].protocol, passes[1].protocol) == 0);
    for (size_t i = 0; i < 2; i++) {
        look_at(&passes[i]);
        free(passes[i].said.data);
        free(passes[i].left.data);
    }
    return 0;
}
