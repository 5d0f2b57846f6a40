/* How a connection of WebSocket ends: by a Close of either side, without one, and by the silence of
 * a peer. */
#include "tests/net/websocket/frames.h"

#include <string.h>

static int close_codes(void *arg)
{
    static const struct {
        const char *payload;
        size_t bytes;
    } closes[] = {{"", 0}, {"\x03\xe9gone \xe2\x82\xac", 10}, {"\x0f\xa0", 2}};

    (void)arg;
    for (size_t i = 0; i < sizeof(closes) / sizeof(*closes); i++) {
        char answer[4] = {(char)0x88, (char)(closes[i].bytes ? 2 : 0)};

        frames_begin(frames_echo, NULL);
        ck_assert_int_eq(bight_websocket_close_code(frames_socket), 0);
        memcpy(answer + 2, closes[i].payload, closes[i].bytes ? 2 : 0);
        frames_say_bytes(0x88, closes[i].payload, closes[i].bytes);
        frames_expect_bytes(answer, closes[i].bytes ? 4 : 2, "<end>");
        ck_ok(frames_end(BIGHT_EOF));
    }
    return 0;
}

static int keeps_what_was_said(struct bight_websocket *socket)
{
    int rc = frames_echo(socket);

    ck_assert_int_eq(bight_websocket_close_code(socket), 1001);
    ck_assert_str_eq(bight_websocket_close_reason(socket), "gone");
    ck_ok(bight_websocket_close(socket, 1000, "too", 1000)); /* nothing is left to do */
    return rc;
}

static int reasons(void *arg)
{
    (void)arg;
    frames_begin(keeps_what_was_said, NULL);
    frames_say(0x88, "\x03\xe9gone");
    frames_expect_end("\x88\x02\x03\xe9");
    return frames_end(BIGHT_EOF);
}

static int ends_without_close(void *arg)
{
    (void)arg;
    frames_begin(frames_echo, NULL);
    frames_say(0x01, "half");
    ck_ok(bight_stream_shutdown(talk_client));
    ck_assert(talk_is_over());
    ck_ok(frames_end(BIGHT_ECONNRESET));
    frames_begin(frames_echo, NULL);
    bight_stream_abort(talk_client);
    talk_client = NULL;
    ck_assert(talk_is_over());
    talk_end();
    ck_assert_int_eq(frames_result, BIGHT_ECONNRESET);
    return 0;
}

/* The server closes, with messages of both sides on their way. */
static int says_and_closes(struct bight_websocket *socket)
{
    ck_ok(bight_sleep(1));
    for (int i = 0; i < 3; i++)
        ck_ok(bight_websocket_send(socket, BIGHT_WEBSOCKET_TEXT, "x", 1));
    ck_code(bight_websocket_close(socket, 1004, NULL, 1000), BIGHT_EINVAL);
    ck_code(bight_websocket_close(socket, 1005, NULL, 1000), BIGHT_EINVAL);
    ck_code(bight_websocket_close(socket, 0, "why", 1000), BIGHT_EINVAL);
    ck_code(bight_websocket_close(socket, 1000, "\xff", 1000), BIGHT_EINVAL);
    return bight_websocket_close(socket, 3000, "done", 1000);
}

static int closes(void *arg)
{
    (void)arg;
    frames_begin(says_and_closes, NULL);
    ck_ok(bight_sleep(1));
    frames_expect("\x81\x01x\x81\x01x\x81\x01x\x88\x06\x0b\xb8"
                  "done");
    frames_say(0x01, "too ");
    frames_say(0x89, "no pong behind Close");
    frames_say(0x80, "late");
    frames_expect("");
    frames_say(0x88, "\x0b\xb8");
    frames_expect_end("");
    ck_ok(frames_end(0));
    frames_begin(says_and_closes, NULL);
    ck_ok(bight_sleep(1100)); /* the peer does not answer */
    ck_assert(talk_is_over());
    return frames_end(BIGHT_ETIMEDOUT);
}

/* A peer that is silent */

static int pings(void *arg)
{
    const struct bight_websocket_options options = {.ping_ms = 1000, .idle_ms = 1500};

    (void)arg;
    frames_begin(frames_echo, &options);
    for (int i = 0; i < 3; i++) {
        ck_ok(bight_sleep(999));
        frames_expect("");
        ck_ok(bight_sleep(2));
        frames_expect("\x89\x00");
        frames_say(0x8a, "");
    }
    ck_ok(bight_sleep(900));
    frames_say(0x81, "x"); /* as good as a pong */
    frames_expect("\x81\x01x");
    ck_ok(bight_sleep(900));
    frames_expect("");
    ck_ok(bight_sleep(590));
    frames_expect("\x89\x00");
    ck_assert(!talk_is_over());
    ck_ok(bight_sleep(20));
    ck_assert(talk_is_over());
    return frames_end(BIGHT_ETIMEDOUT);
}

static int never_pings(void *arg)
{
    const struct bight_websocket_options options = {.ping_ms = -1};

    (void)arg;
    frames_begin(frames_echo, &options);
    ck_ok(bight_sleep(1000000000));
    frames_expect("");
    frames_say(0x81, "x");
    frames_expect("\x81\x01x");
    return talk_end();
}

static const struct suite_case cases[] = {
    world_case(a_close_is_answered_with_its_code, close_codes),
    world_case(code_and_reason_of_the_peer_are_kept, reasons),
    world_case(an_end_without_close_is_no_end, ends_without_close),
    world_case(close_goes_behind_what_was_sent, closes),
    world_case(a_silent_peer_is_pinged_and_then_given_up, pings),
    world_case(pings_can_be_left_out, never_pings),
};

test_suite("websocket_end", cases);
