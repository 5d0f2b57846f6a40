/* Tasks that wait at a WebSocket: cancelled in a receive or a send, one beside another, and for a
 * Close. */
#include "tests/net/websocket/frames.h"

/* What a client sends at a time, as it is on the wire: a header of 8 bytes with the mask. */
#define FRAGMENT_ON_WIRE (16384 + 8)

static int receives_in(struct bight_websocket *socket, int64_t timeout_ms,
                       struct bight_websocket_message *message)
{
    struct bight_scope scope;

    ck_ok(bight_scope_begin(&scope, timeout_ms, 0));
    return bight_scope_end(&scope, bight_websocket_receive(socket, message));
}

static int cancelled_receive(void *arg)
{
    struct bight_websocket_message message;
    int turns = 0, rc;

    (void)arg;
    frames_begin(frames_wait, NULL);
    frames_say(0x01, "be");
    ck_code(receives_in(frames_socket, 10, &message), BIGHT_ETIMEDOUT);
    /* Byte by byte, with a receive between any two. */
    {
        static const char rest[] = "\x89\x81\1\2\3\4\1\x00\x80\0\0\0\0\x80\x83\0\0\0\0gun";

        for (size_t i = 0; i < sizeof(rest) - 1; i++) {
            talk_say_bytes(rest + i, 1);
            rc = receives_in(frames_socket, 10, &message);
            ck_assert_int_eq(rc, i < sizeof(rest) - 2 ? BIGHT_ETIMEDOUT : 0);
            turns++;
        }
    }
    ck_assert_int_gt(turns, 20);
    ck_assert_str_eq(message.data, "begun");
    frames_expect_bytes("\x8a\x01\0", 3, "");
    return talk_end();
}

/* While the peer takes nothing a send sleeps; cancelled then, it has sent nothing, or the rest can
 * be sent never more. */
static int sends_for(struct bight_websocket *socket, int64_t timeout_ms, size_t bytes)
{
    static char data[100000];
    struct bight_scope scope;

    ck_ok(bight_scope_begin(&scope, timeout_ms, 0));
    return bight_scope_end(&scope,
                           bight_websocket_send(socket, BIGHT_WEBSOCKET_BINARY, data, bytes));
}

static int cancelled_send(void *arg)
{
    const struct bight_stream_pair_options pair = {.capacity = 1000};
    struct bight_websocket *client = frames_connect(frames_wait, NULL, NULL, &pair);
    struct bight_websocket_message message;

    (void)arg;
    /* 4 + 996: it is full to the last byte. */
    ck_ok(sends_for(frames_socket, -1, 996));
    ck_code(sends_for(frames_socket, 10, 10), BIGHT_ETIMEDOUT);
    ck_ok(bight_websocket_receive(client, &message));
    ck_assert_uint_eq(message.bytes, 996);
    ck_ok(sends_for(frames_socket, 10, 10));
    ck_ok(bight_websocket_receive(client, &message));
    ck_assert_uint_eq(message.bytes, 10);
    ck_code(sends_for(frames_socket, 10, 5000), BIGHT_ETIMEDOUT);
    ck_code(sends_for(frames_socket, 10, 1), BIGHT_EBROKEN);
    ck_code(bight_websocket_ping(frames_socket), BIGHT_EBROKEN);
    ck_code(bight_websocket_close(frames_socket, 1000, NULL, 10), BIGHT_EBROKEN);
    return frames_leave(client);
}

/* A fragment of a client's that could not go out makes a hole, even where the stream has none. */
static int cancelled_fragments(void *arg)
{
    const struct bight_stream_pair_options pair = {.capacity = FRAGMENT_ON_WIRE};
    struct bight_websocket *client = frames_connect(frames_wait, NULL, NULL, &pair);

    (void)arg;
    ck_code(sends_for(client, 10, 50000), BIGHT_ETIMEDOUT);
    ck_code(sends_for(client, 10, 1), BIGHT_EBROKEN);
    ck_assert_int_eq(frames_leave(client), 0);
    return 0;
}

static int receive_forever(void *arg)
{
    struct bight_websocket_message message;
    int rc;

    while ((rc = bight_websocket_receive(arg, &message)) == 0)
        continue;
    return rc;
}

static int one_at_a_time(void *arg)
{
    struct bight_websocket *client = frames_connect(frames_echo, NULL, NULL, NULL);
    struct bight_websocket_message message;
    enum bight_websocket_type type;
    struct bight_task *task;
    int status;

    (void)arg;
    ck_ok(bight_spawn(&task, receive_forever, client));
    world_settle();
    ck_code(bight_websocket_receive(client, &message), BIGHT_EBUSY);
    ck_code(bight_websocket_next(client, &type), BIGHT_EBUSY);
    ck_code(bight_websocket_free(client), BIGHT_EBUSY);
    ck_ok(bight_websocket_ping(client));
    /* The task that receives sees the end, and this one is told. */
    ck_ok(bight_websocket_close(client, 1001, "bye", 1000));
    ck_ok(bight_join(task, &status));
    ck_assert_int_eq(status, BIGHT_EOF);
    ck_code(bight_websocket_send(client, BIGHT_WEBSOCKET_TEXT, "x", 1), BIGHT_ECLOSED);
    ck_ok(frames_leave(client));
    ck_assert_int_eq(frames_result, BIGHT_EOF);
    return 0;
}

static int close_forever(void *arg)
{
    return bight_websocket_close(arg, 1000, NULL, -1);
}

/* Whoever closes takes over when the task that received has left. */
static int reader_leaves(void *arg)
{
    const struct bight_stream_pair_options pair = {.delay_ms = 100};
    struct bight_websocket *client = frames_connect(frames_echo, NULL, NULL, &pair);
    struct bight_task *reader, *closer;
    int status;

    (void)arg;
    ck_ok(bight_spawn(&reader, receive_forever, client));
    world_settle();
    ck_ok(bight_spawn(&closer, close_forever, client));
    world_settle();
    ck_code(bight_websocket_close(client, 1000, NULL, -1), BIGHT_EBUSY);
    bight_task_cancel(reader);
    ck_ok(bight_join(reader, &status));
    ck_assert_int_eq(status, BIGHT_ECANCELED);
    ck_ok(bight_join(closer, &status));
    ck_ok(status);
    return frames_leave(client);
}

/* A Close goes behind a message that is just going out. */
static int send_large(void *arg)
{
    return sends_for(arg, -1, 50000);
}

static int closes_behind(void *arg)
{
    const struct bight_stream_pair_options pair = {.capacity = 1000};
    struct bight_websocket *client = frames_connect(frames_wait, NULL, NULL, &pair);
    struct bight_websocket_message message;
    struct bight_task *sender, *closer;
    int status;

    (void)arg;
    ck_ok(bight_spawn(&sender, send_large, frames_socket));
    world_settle();
    ck_ok(bight_spawn(&closer, close_forever, frames_socket));
    world_settle();
    ck_ok(bight_websocket_receive(client, &message));
    ck_assert_uint_eq(message.bytes, 50000);
    ck_code(bight_websocket_receive(client, &message), BIGHT_EOF);
    ck_ok(bight_join(sender, &status));
    ck_ok(status);
    ck_ok(bight_join(closer, &status));
    ck_ok(status);
    return frames_leave(client);
}

static int close_now(struct bight_websocket *socket)
{
    return bight_websocket_close(socket, 1000, NULL, 1000);
}

static int both_close(void *arg)
{
    const struct bight_stream_pair_options pair = {.delay_ms = 50};
    struct bight_websocket *client = frames_connect(close_now, NULL, NULL, &pair);

    (void)arg;
    ck_ok(bight_websocket_close(client, 1000, NULL, 1000));
    ck_ok(frames_leave(client));
    ck_assert_int_eq(frames_result, 0);
    return 0;
}

static int count_turns(void *arg)
{
    int *turns = arg;

    for (; *turns >= 0 && *turns < 1000; ++*turns) {
        if (bight_yield())
            return 0;
    }
    return 0;
}

/* Pings that are there already, more than what one turn may take: whoever receives does not wait
 * for any of them, and others run in between. */
static int floods(void *arg)
{
    enum { PING_BYTES = 6, PINGS = 700000 };
    static char pings[PINGS * PING_BYTES];
    const struct bight_stream_pair_options pair = {.capacity = 2 * sizeof(pings)};
    struct bight_websocket *client = frames_connect(frames_wait, NULL, NULL, &pair);
    struct bight_websocket_message message;
    struct bight_task *task;
    int turns = 0;

    (void)arg;
    for (size_t i = 0; i < sizeof(pings); i += PING_BYTES)
        memcpy(pings + i, "\x89\x80\0\0\0\0", PING_BYTES);
    talk_say_bytes(pings, sizeof(pings));
    frames_say(0x81, "end");
    ck_ok(bight_spawn(&task, count_turns, &turns));
    ck_ok(bight_websocket_receive(frames_socket, &message));
    ck_assert_str_eq(message.data, "end");
    ck_assert_int_ge(turns, 2);
    turns = -1;
    ck_ok(bight_join(task, NULL));
    return frames_leave(client);
}

/* Accepting that was cancelled before it began leaves no headers. */
static int accepts_later(struct bight_exchange *exchange, void *arg)
{
    static const char *const protocols[] = {"chat"};
    const struct bight_websocket_options options = {.protocols = protocols, .protocol_count = 1};
    struct bight_websocket *socket;
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, -1, 0));
    bight_scope_cancel(&scope);
    ck_code(bight_websocket_accept(&socket, exchange, &options), BIGHT_ECANCELED);
    ck_ok(bight_scope_end(&scope, BIGHT_ECANCELED));
    ck_ok(bight_websocket_accept(&socket, exchange, &options));
    return bight_websocket_free(socket);
}

static int cancelled_accept(void *arg)
{
    (void)arg;
    talk_begin(accepts_later, NULL);
    ck_assert_str_eq(talk_ask(ASK_BEGIN "Sec-WebSocket-Protocol: chat\r\n\r\n", 101),
                     "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Protocol: chat\r\n"
                     "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                     "Upgrade: websocket\r\n\r\n<end>");
    return talk_end();
}

static const struct suite_case cases[] = {
    world_case(an_accept_that_was_cancelled_before_leaves_nothing, cancelled_accept),
    world_case(a_cancelled_receive_loses_nothing, cancelled_receive),
    world_case(a_cancelled_send_has_sent_nothing_or_breaks, cancelled_send),
    world_case(a_message_that_lacks_fragments_breaks, cancelled_fragments),
    world_case(a_second_task_is_refused, one_at_a_time),
    world_case(who_closes_receives_when_nobody_does, reader_leaves),
    world_case(close_waits_for_a_message_that_goes_out, closes_behind),
    world_case(a_flood_of_pings_lets_others_run, floods),
    world_case(both_may_close_at_once, both_close),
};

test_suite("websocket_waits", cases);
