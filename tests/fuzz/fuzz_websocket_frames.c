/* net/websocket/receive.c: what the peer of a WebSocket sends. Input: a byte, of which the lowest
 * bit says that we are the client, and then the peer's bytes. The messages are the same in whatever
 * pieces the bytes come and are read; texts are UTF-8; what is sent back are control frames in
 * order, with nothing behind a Close. */
#include "net/websocket/websocket.h"
#include "tests/fuzz/run.h"

#define MESSAGE_BYTES 1024u

#define PASSES 4

enum way {
    WHOLE,   /* by bight_websocket_receive */
    PIECES,  /* by bight_websocket_next and bight_websocket_read */
    SKIPPED, /* the same, and only the first piece is read */
};

/* One pass: how the messages are read, and what came of it. */
struct pass {
    const uint8_t *data;
    size_t size;
    bool is_client;
    enum way way;
    size_t read_max;
    struct bight_stream *peer, *stream;
    struct fuzz_buffer messages; /* type, bytes, data of each */
    unsigned count;
    unsigned begun; /* by bight_websocket_next */
    int rc, close_code;
    char reason[CONTROL_BYTES];
};

static void end_message(struct pass *pass, enum bight_websocket_type type, const void *data,
                        size_t bytes)
{
    struct utf8 text = {0};

    FUZZ_CHECK(type == BIGHT_WEBSOCKET_TEXT || type == BIGHT_WEBSOCKET_BINARY);
    if (type == BIGHT_WEBSOCKET_TEXT)
        FUZZ_CHECK(bight__utf8_goes_on(&text, data, bytes) && bight__utf8_is_whole(&text));
    fuzz_put(&pass->messages, &type, sizeof(type));
    fuzz_put(&pass->messages, &bytes, sizeof(bytes));
    fuzz_put(&pass->messages, data, bytes);
    pass->count++;
}

static int read_whole(struct bight_websocket *socket, struct pass *pass)
{
    struct bight_websocket_message message;
    int rc;

    while ((rc = bight_websocket_receive(socket, &message)) == 0) {
        FUZZ_CHECK(message.bytes <= MESSAGE_BYTES && message.data[message.bytes] == '\0');
        end_message(pass, message.type, message.data, message.bytes);
    }
    return rc;
}

/* A message that is not complete is none. */
static int read_pieces(struct bight_websocket *socket, struct pass *pass)
{
    enum bight_websocket_type type;
    int64_t rc;

    while ((rc = bight_websocket_next(socket, &type)) == 0) {
        struct fuzz_buffer message = {0};
        char piece[5];

        pass->begun++;
        if (pass->way == SKIPPED) {
            rc = bight_websocket_read(socket, piece, sizeof(piece));
            if (rc < 0)
                break;
            continue;
        }
        while ((rc = bight_websocket_read(socket, piece, sizeof(piece))) > 0)
            fuzz_put(&message, piece, (size_t)rc);
        if (rc == 0)
            end_message(pass, type, message.data ? message.data : "", message.bytes);
        free(message.data);
        if (rc < 0)
            break;
    }
    return (int)rc;
}

static int receive(void *arg)
{
    const struct bight_websocket_options options = {.max_message_bytes = MESSAGE_BYTES};
    struct pass *pass = arg;
    struct bight_websocket_message message;
    struct bight_websocket *socket;

    FUZZ_CHECK(bight__websocket_new(&socket, pass->is_client, &options) == 0);
    socket->stream = pass->stream;
    pass->rc = pass->way == WHOLE ? read_whole(socket, pass) : read_pieces(socket, pass);
    FUZZ_CHECK(pass->rc == BIGHT_EOF || pass->rc == BIGHT_ECONNRESET ||
               pass->rc == BIGHT_EPROTOCOL || (pass->rc == BIGHT_ETOOBIG && pass->way == WHOLE));
    FUZZ_CHECK(bight_websocket_receive(socket, &message) == pass->rc);
    pass->close_code = bight_websocket_close_code(socket);
    strcpy(pass->reason, bight_websocket_close_reason(socket));
    FUZZ_CHECK((pass->rc == BIGHT_EOF) == (pass->close_code != CLOSE_ABNORMAL));
    FUZZ_CHECK(bight_websocket_free(socket) == 0);
    return bight_stream_shutdown(pass->stream);
}

static int say(void *arg)
{
    const struct pass *pass = arg;
    int rc = bight_stream_write(pass->peer, pass->data, pass->size);

    if (rc == 0)
        rc = bight_stream_shutdown(pass->peer);
    FUZZ_CHECK(rc == 0);
    return 0;
}

/* The next frame of what was sent: where its payload begins; its opcode to *opcode. */
static size_t look_at_frame(const uint8_t *frame, size_t left, bool is_client, int *opcode)
{
    size_t header = is_client ? 6 : 2;

    FUZZ_CHECK(left >= header);
    *opcode = frame[0] & 15;
    FUZZ_CHECK((frame[0] & 0xf0) == 0x80); /* whole, and no extension */
    FUZZ_CHECK(*opcode == WSLAY_CONNECTION_CLOSE || *opcode == WSLAY_PONG);
    FUZZ_CHECK((frame[1] & 0x80) == (is_client ? 0x80 : 0) && (frame[1] & 0x7f) <= CONTROL_BYTES);
    FUZZ_CHECK(left >= header + (frame[1] & 0x7fu));
    return header;
}

/* The code of the Close with which it ends, if it has one, goes with how the peer's bytes ended. */
static void look_at_answer(const struct pass *pass, const uint8_t *sent, size_t bytes)
{
    int opcode = 0, code = 0;

    for (size_t at = 0, header; at < bytes; at += header + (sent[at + 1] & 0x7f)) {
        FUZZ_CHECK(opcode != WSLAY_CONNECTION_CLOSE);
        header = look_at_frame(sent + at, bytes - at, pass->is_client, &opcode);
        const uint8_t *payload = sent + at + header, *mask = payload - 4;
        if (opcode != WSLAY_CONNECTION_CLOSE || !(sent[at + 1] & 0x7f))
            continue;
        FUZZ_CHECK((sent[at + 1] & 0x7f) == 2);
        code = payload[0] << 8 | payload[1];
        if (pass->is_client)
            code ^= mask[0] << 8 | mask[1];
    }
    FUZZ_CHECK((opcode == WSLAY_CONNECTION_CLOSE) == (pass->rc != BIGHT_ECONNRESET));
    if (pass->rc == BIGHT_EOF)
        FUZZ_CHECK(code == (pass->close_code == CLOSE_NONE ? 0 : pass->close_code));
    if (pass->rc == BIGHT_EPROTOCOL)
        FUZZ_CHECK(code == CLOSE_PROTOCOL || code == CLOSE_TEXT);
    if (pass->rc == BIGHT_ETOOBIG)
        FUZZ_CHECK(code == CLOSE_TOO_BIG);
}

static void converse(struct pass *pass)
{
    const struct bight_stream_pair_options options = {.capacity = 2 * FUZZ_RUN_BYTES,
                                                      .read_max = pass->read_max};
    struct bight_group group;
    uint8_t sent[256];
    struct fuzz_buffer all = {0};
    int64_t count;

    FUZZ_CHECK(bight_stream_pair(&pass->peer, &pass->stream, &options) == 0);
    FUZZ_CHECK(bight_group_begin(&group, 0) == 0);
    FUZZ_CHECK(bight_group_spawn(NULL, &group, NULL, receive, pass) == 0);
    FUZZ_CHECK(bight_group_spawn(NULL, &group, NULL, say, pass) == 0);
    while ((count = bight_stream_read(pass->peer, sent, sizeof(sent))) > 0)
        fuzz_put(&all, sent, (size_t)count);
    FUZZ_CHECK(count == 0 && bight_group_end(&group, 0) == 0);
    look_at_answer(pass, (const uint8_t *)all.data, all.bytes);
    free(all.data);
    bight_stream_abort(pass->stream);
    bight_stream_abort(pass->peer);
}

static int converse_all(void *arg)
{
    struct pass *passes = arg;

    for (size_t i = 0; i < PASSES; i++)
        converse(&passes[i]);
    return 0;
}

static bool is_refused(int rc)
{
    return rc == BIGHT_EPROTOCOL || rc == BIGHT_ETOOBIG;
}

/* As the first but for messages that are too long, which only the first does not take. */
static void compare(const struct pass *first, const struct pass *other)
{
    if (first->rc == BIGHT_ETOOBIG && other->way != WHOLE) {
        FUZZ_CHECK(other->count >= first->count && other->messages.bytes >= first->messages.bytes);
        return;
    }
    /* What is malformed as well as too long may be refused for either. */
    FUZZ_CHECK(first->rc == other->rc || (is_refused(first->rc) && is_refused(other->rc)));
    FUZZ_CHECK(first->count == other->count);
    FUZZ_CHECK(fuzz_same(&first->messages, &other->messages));
    FUZZ_CHECK(first->close_code == other->close_code);
    FUZZ_CHECK(strcmp(first->reason, other->reason) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pass passes[PASSES];

    if (!size || size > FUZZ_RUN_BYTES)
        return 0;
    for (size_t i = 0; i < PASSES; i++)
        passes[i] = (struct pass){.data = data + 1,
                                  .size = size - 1,
                                  .is_client = data[0] & 1,
                                  .way = (const enum way[]){WHOLE, WHOLE, PIECES, SKIPPED}[i],
                                  .read_max = i % 2};
    fuzz_run(converse_all, passes);
    compare(&passes[0], &passes[1]);
    compare(&passes[0], &passes[2]);
    /* A message that is refused has begun when its first bytes were in order. */
    FUZZ_CHECK(passes[2].rc == passes[3].rc);
    FUZZ_CHECK(passes[2].begun == passes[3].begun || is_refused(passes[2].rc));
    for (size_t i = 0; i < PASSES; i++)
        free(passes[i].messages.data);
    return 0;
}
