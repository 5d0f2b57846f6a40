/* The server of WebSocket, byte by byte: handshakes, frames that are in order, and what it says to
 * those that are not. */
#include "tests/net/websocket/frames.h"

#include <string.h>

/* Handshakes */

static int agrees(void *arg)
{
    (void)arg;
    frames_begin(frames_echo, NULL);
    frames_say(0x88, "");
    frames_expect_end("\x88\x00");
    return frames_end(BIGHT_EOF);
}

static const struct refused {
    const char *request;
    int status;
} refused[] = {
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: other\r\nConnection: Upgrade\r\n"
     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
     400},
    {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n",
     400},
    {"POST / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
     400},
    {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
     "Sec-WebSocket-Version: 13\r\n\r\n",
     400},
    {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\nSec-WebSocket-Version: 13\r\n\r\n",
     400},
    {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive\r\n"
     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
     400},
    {ASK_BEGIN "Content-Length: 1\r\n\r\nx", 400},
    {ASK_BEGIN "Origin: https://evil.example\r\n\r\n", 403},
    {ASK_BEGIN "Origin: null\r\n\r\n", 403},
    {ASK_BEGIN "Origin: https://example.org:444\r\n\r\n", 403},
};

static int refuses_one(void *arg)
{
    const struct refused *one = arg;
    const char *answer;

    frames_serve(frames_echo, NULL, NULL);
    answer = talk_ask(one->request, one->status);
    ck_assert_int_eq(strstr(answer, "\r\nSec-WebSocket-Version: 13\r\n") != NULL,
                     one->status == 400);
    ck_assert_int_eq(talk_calls, 1);
    ck_assert_int_eq(talk_failures, 0);
    /* The connection goes on. */
    if (one->status != 400 || !strstr(one->request, "Content-Length"))
        ck_assert_str_eq(talk_ask(ASK, 101), AGREED_BEGIN "\r\n");
    return talk_end();
}

static void one_that_is_not_in_order_is_refused(int i)
{
    ck_ok(world_run(refuses_one, (void *)(uintptr_t)&refused[i], NULL));
}

static bool allows(void *arg, const char *origin)
{
    return strcmp(origin, arg) == 0;
}

static int origins(void *arg)
{
    char friendly[] = "https://friend.example";
    const struct bight_websocket_options options = {.allows = allows, .allows_arg = friendly};

    (void)arg;
    frames_serve(frames_echo, NULL, NULL);
    talk_ask(ASK_BEGIN "Origin: https://EXAMPLE.org\r\n\r\n", 101);
    ck_ok(talk_end());
    frames_serve(frames_echo, &options, NULL);
    talk_ask(ASK_BEGIN "Origin: https://example.org\r\n\r\n", 403);
    talk_ask(ASK_BEGIN "Origin: https://friend.example\r\n\r\n", 101);
    return talk_end();
}

static int protocols(void *arg)
{
    static const char *const known[] = {"b", "a"}, *const bad[] = {"a b"};
    const struct bight_websocket_options options = {.protocols = known, .protocol_count = 2};
    const struct bight_websocket_options worse = {.protocols = bad, .protocol_count = 1};

    (void)arg;
    frames_serve(frames_echo, &options, NULL);
    ck_assert_ptr_nonnull(strstr(talk_ask(ASK_BEGIN "Sec-WebSocket-Protocol: a, ,x\r\n"
                                                    "Sec-WebSocket-Protocol: B,b\r\n\r\n",
                                          101),
                                 "\r\nSec-WebSocket-Protocol: b\r\n"));
    ck_assert_str_eq(bight_websocket_protocol(frames_socket), "b");
    ck_ok(talk_end());
    frames_serve(frames_echo, &options, NULL);
    ck_assert_str_eq(talk_ask(ASK_BEGIN "Sec-WebSocket-Protocol: c\r\n\r\n", 101),
                     AGREED_BEGIN "\r\n");
    ck_assert_ptr_null(bight_websocket_protocol(frames_socket));
    ck_ok(talk_end());
    frames_serve(frames_echo, &worse, NULL);
    talk_ask(ASK, 500);
    ck_assert_int_eq(talk_last_failure, BIGHT_EINVAL);
    return talk_end();
}

/* Messages */

static int echoes(void *arg)
{
    static char large[70000];
    static const uint8_t two_bytes[] = {0x82, 126, 0x01, 0x2c};
    static const uint8_t eight_bytes[] = {0x82, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70};
    static uint8_t answer[70010];

    (void)arg;
    frames_begin(frames_echo, NULL);
    frames_say(0x81, "hello");
    frames_expect("\x81\x05hello");
    frames_say(0x81, "");
    frames_expect("\x81\x00");
    frames_say_bytes(0x82, "\0\xff", 2);
    frames_expect("\x82\x02\0\xff");
    frames_say(0x81, "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80");
    frames_expect("\x81\x0bgr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80");
    memset(large, 'x', sizeof(large));
    memset(answer + 4, 'x', sizeof(answer) - 4);
    frames_say_bytes(0x82, large, 300);
    memcpy(answer, two_bytes, sizeof(two_bytes));
    frames_expect_bytes(answer, 304, "");
    memset(answer + 10, 'x', 300);
    memcpy(answer, eight_bytes, sizeof(eight_bytes));
    frames_say_bytes(0x82, large, sizeof(large));
    frames_expect_bytes(answer, sizeof(answer), "");
    frames_say(0x81, "a");
    frames_say(0x81, "b");
    frames_say(0x81, "c");
    frames_expect("\x81\x01"
                  "a\x81\x01"
                  "b\x81\x01"
                  "c");
    frames_say_bytes(0x88, "\x03\xe8thanks", 8);
    frames_expect_end("\x88\x02\x03\xe8");
    return frames_end(BIGHT_EOF);
}

/* Control frames go between fragments; a character may be split by them. */
static int fragments(void *arg)
{
    (void)arg;
    frames_begin(frames_echo, NULL);
    frames_say(0x01, "gr\xc3");
    frames_say(0x89, "are you there");
    frames_expect("\x8a\x0d"
                  "are you there");
    frames_say(0x00, "");
    frames_say(0x8a, "unasked");
    frames_say(0x80, "\xbc\xc3\x9f");
    frames_expect("\x81\x06gr\xc3\xbc\xc3\x9f");
    frames_say(0x02, "a");
    frames_say(0x80, "");
    frames_expect("\x82\x01"
                  "a");
    return frames_end(BIGHT_ECONNRESET);
}

static int pieces(void *arg)
{
    (void)arg;
    frames_begin(frames_echo_pieces, NULL);
    frames_say(0x81, "ten bytes!");
    frames_expect("\x01\x07ten byt\x00\x03"
                  "es!\x80\x00");
    frames_say(0x02, "a");
    frames_expect("\x02\x01"
                  "a");
    frames_say(0x89, "");
    frames_expect("\x8a\x00");
    frames_say(0x80, "b");
    frames_expect("\x00\x01"
                  "b\x80\x00");
    frames_say(0x88, "");
    frames_expect_end("\x88\x00");
    return frames_end(BIGHT_EOF);
}

/* What is left of a message is dropped by the next call. */
static int skips(struct bight_websocket *socket)
{
    struct bight_websocket_message message;
    enum bight_websocket_type type;
    char piece[2];

    ck_code(bight_websocket_read(socket, piece, 2), BIGHT_EINVAL);
    ck_ok(bight_websocket_next(socket, &type));
    ck_assert_int_eq(type, BIGHT_WEBSOCKET_TEXT);
    ck_code(bight_websocket_read(socket, piece, 0), 0);
    ck_code(bight_websocket_read(socket, piece, 2), 2);
    ck_ok(bight_websocket_next(socket, &type));
    ck_assert_int_eq(type, BIGHT_WEBSOCKET_BINARY);
    ck_ok(bight_websocket_receive(socket, &message));
    ck_assert_str_eq(message.data, "third");
    ck_code(bight_websocket_read(socket, piece, 2), BIGHT_EINVAL);
    return bight_websocket_receive(socket, &message);
}

static int skipped(void *arg)
{
    (void)arg;
    frames_begin(skips, NULL);
    frames_say(0x01, "first");
    frames_say(0x80, "and more of it");
    frames_say(0x02, "second");
    frames_say(0x00, "second");
    frames_say(0x80, "second");
    frames_say(0x81, "third");
    frames_say(0x88, "");
    frames_expect_end("\x88\x00");
    return frames_end(BIGHT_EOF);
}

/* While a message goes out, control frames wait for its end, and only the last of several pings is
 * answered. */

static int sends_much(void *arg)
{
    static char much[1000];

    return bight_websocket_send(arg, BIGHT_WEBSOCKET_BINARY, much, sizeof(much));
}

static int echoes_and_sends_much(struct bight_websocket *socket)
{
    struct bight_group group;
    int rc = bight_group_begin(&group, 0);

    ck_ok(rc);
    ck_ok(bight_group_spawn(NULL, &group, NULL, sends_much, socket));
    world_settle();
    ck_code(bight_websocket_send(socket, BIGHT_WEBSOCKET_TEXT, "x", 1), BIGHT_EBUSY);
    ck_code(bight_websocket_free(socket), BIGHT_EBUSY);
    rc = frames_echo(socket);
    ck_ok(bight_group_end(&group, 0));
    return rc;
}

static int pongs(void *arg)
{
    static const struct bight_stream_pair_options narrow = {.capacity = 300};
    static const uint8_t head[] = {0x82, 126, 0x03, 0xe8}, last_pong[] = {0x8a, 1, '3'};
    static uint8_t answer[1007];

    (void)arg;
    frames_serve(echoes_and_sends_much, NULL, &narrow);
    talk_say(ASK);
    world_settle();
    ck_assert_int_gt(bight_stream_read_until(talk_client, answer, sizeof(answer), "\r\n\r\n", 4),
                     0);
    memset(answer, 0, sizeof(answer));
    memcpy(answer, head, sizeof(head));
    frames_say(0x89, "1");
    frames_say(0x89, "2");
    world_settle();
    frames_say(0x89, "3");
    world_settle();
    memcpy(answer + 1004, last_pong, sizeof(last_pong));
    frames_expect_bytes(answer, sizeof(answer), "");
    frames_say(0x88, "");
    frames_expect_end("\x88\x00");
    return frames_end(BIGHT_EOF);
}

/* What is wrong */

static const struct wrong {
    const char *name;
    const char *bytes;
    size_t count;
    const char *said; /* the code of Close */
    int code;
} wrong[] = {
#define WRONG(name, literal, said, code)                                                           \
    {                                                                                              \
        name, literal, sizeof(literal) - 1, said, code                                             \
    }
    WRONG("not masked", "\x81\x01x", "\x03\xea", BIGHT_EPROTOCOL),
    WRONG("reserved bit 1", "\xc1\x81\0\0\0\0x", "\x03\xea", BIGHT_EPROTOCOL),
    WRONG("reserved bit 2", "\xa1\x81\0\0\0\0x", "\x03\xea", BIGHT_EPROTOCOL),
    WRONG("reserved bit 3", "\x91\x81\0\0\0\0x", "\x03\xea", BIGHT_EPROTOCOL),
    WRONG("reserved bit of a ping", "\xc9\x80\0\0\0\0", "\x03\xea", BIGHT_EPROTOCOL),
    WRONG("opcode 3", "\x83\x80\0\0\0\0", "\x03\xea", BIGHT_EPROTOCOL),
    WRONG("opcode 11", "\x8b\x80\0\0\0\0", "\x03\xea", BIGHT_EPROTOCOL),
    WRONG("nothing to continue", "\x80\x80\0\0\0\0", "\x03\xea", BIGHT_EPROTOCOL),
    WRONG("a message within another", "\x01\x81\0\0\0\0x\x81\x81\0\0\0\0x", "\x03\xea",
          BIGHT_EPROTOCOL),
    WRONG("a ping in fragments", "\x09\x80\0\0\0\0", "\x03\xea", BIGHT_EPROTOCOL),
    WRONG("a ping of 126 bytes", "\x89\xfe\0\x7e\0\0\0\0", "\x03\xea", BIGHT_EPROTOCOL),
    WRONG("a length of 2 bytes for 1", "\x81\xfe\0\x01\0\0\0\0x", "\x03\xea", BIGHT_EPROTOCOL),
    WRONG("a length of 8 bytes for 2", "\x81\xff\0\0\0\0\0\0\x01\0\0\0\0\0x", "\x03\xea",
          BIGHT_EPROTOCOL),
    WRONG("a negative length", "\x81\xff\x80\0\0\0\0\x01\0\0\0\0\0\0x", "\x03\xea",
          BIGHT_EPROTOCOL),
    WRONG("a Close of one byte", "\x88\x81\0\0\0\0\x03", "\x03\xea", BIGHT_EPROTOCOL),
    WRONG("a Close of 1005", "\x88\x82\0\0\0\0\x03\xed", "\x03\xea", BIGHT_EPROTOCOL),
    WRONG("a Close of 999", "\x88\x82\0\0\0\0\x03\xe7", "\x03\xea", BIGHT_EPROTOCOL),
    WRONG("a Close of 2999", "\x88\x82\0\0\0\0\x0b\xb7", "\x03\xea", BIGHT_EPROTOCOL),
    WRONG("a Close of 5000", "\x88\x82\0\0\0\0\x13\x88", "\x03\xea", BIGHT_EPROTOCOL),
    WRONG("a Close with other text", "\x88\x83\0\0\0\0\x03\xe8\xff", "\x03\xef", BIGHT_EPROTOCOL),
    WRONG("no UTF-8", "\x81\x81\0\0\0\0\xff", "\x03\xef", BIGHT_EPROTOCOL),
    WRONG("UTF-8 that is too long", "\x81\x82\0\0\0\0\xc0\xaf", "\x03\xef", BIGHT_EPROTOCOL),
    WRONG("a surrogate", "\x81\x83\0\0\0\0\xed\xa0\x80", "\x03\xef", BIGHT_EPROTOCOL),
    WRONG("beyond U+10FFFF", "\x81\x84\0\0\0\0\xf4\x90\x80\x80", "\x03\xef", BIGHT_EPROTOCOL),
    WRONG("half a character", "\x81\x82\0\0\0\0\xe2\x82", "\x03\xef", BIGHT_EPROTOCOL),
    WRONG("half a character in fragments", "\x01\x81\0\0\0\0\xe2\x80\x81\0\0\0\0\x82", "\x03\xef",
          BIGHT_EPROTOCOL),
    WRONG("no UTF-8 before the end", "\x01\x81\0\0\0\0\xff", "\x03\xef", BIGHT_EPROTOCOL),
    WRONG("11 bytes", "\x82\x8b\0\0\0\0x", "\x03\xf1", BIGHT_ETOOBIG),
    WRONG("11 bytes in fragments", "\x02\x86\0\0\0\0aaaaaa\x80\x85\0\0\0\0x", "\x03\xf1",
          BIGHT_ETOOBIG),
    WRONG("2^63 - 1 bytes", "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0x", "\x03\xf1",
          BIGHT_ETOOBIG),
};

static int goes_wrong(struct bight_websocket *socket)
{
    struct bight_websocket_message message;
    int rc = frames_echo(socket);

    ck_code(bight_websocket_receive(socket, &message), rc);
    ck_code(bight_websocket_send(socket, BIGHT_WEBSOCKET_TEXT, "x", 1), BIGHT_ECLOSED);
    ck_code(bight_websocket_ping(socket), BIGHT_ECLOSED);
    ck_code(bight_websocket_close(socket, 1000, NULL, 1000), rc);
    ck_assert_int_eq(bight_websocket_close_code(socket), 1006);
    return rc;
}

static int say_wrong(void *arg)
{
    const struct wrong *one = arg;
    const struct bight_websocket_options options = {.max_message_bytes = 10};
    char answer[5] = "\x88\x02";

    frames_begin(goes_wrong, &options);
    frames_say(0x81, "ten bytes!");
    frames_expect("\x81\x0aten bytes!");
    memcpy(answer + 2, one->said, 2);
    talk_say_bytes(one->bytes, one->count);
    frames_expect_bytes(answer, 4, "<end>");
    return frames_end(one->code);
}

static void what_is_wrong_is_told(int i)
{
    int rc = world_run(say_wrong, (void *)(uintptr_t)&wrong[i], NULL);

    ck_assert_msg(rc == 0, "%s: %s", wrong[i].name, bight_error_name(rc));
}

static const struct suite_case cases[] = {
    world_case(a_request_that_asks_for_it_gets_a_websocket, agrees),
    each_case(one_that_is_not_in_order_is_refused, sizeof(refused) / sizeof(*refused)),
    world_case(pages_of_others_may_connect_only_when_allowed, origins),
    world_case(the_best_protocol_that_was_offered_is_chosen, protocols),
    world_case(messages_of_all_lengths_come_back, echoes),
    world_case(fragments_are_joined_and_control_frames_answered_between, fragments),
    world_case(a_message_is_read_and_sent_in_pieces, pieces),
    world_case(what_is_left_of_a_message_is_dropped, skipped),
    world_case(the_last_of_several_pings_is_answered, pongs),
    each_case(what_is_wrong_is_told, sizeof(wrong) / sizeof(*wrong)),
};

test_suite("websocket", cases);
