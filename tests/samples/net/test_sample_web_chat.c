/* The sample web_chat: SAMPLE_WEB_CHAT is its path. */
#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/samples/net/programs.h"

#include <bight.h>
#include <bight/websocket.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static const char *const argv[] = {SAMPLE_WEB_CHAT, NULL};

struct chatter {
    struct bight_stream *stream;
    struct bight_websocket *socket;
};

static void hears(const struct chatter *chatter, const char *expected)
{
    struct bight_websocket_message message;

    ck_assert_int_eq(bight_websocket_receive(chatter->socket, &message), 0);
    ck_assert_str_eq(message.data, expected);
}

static void says(const struct chatter *chatter, const char *text)
{
    ck_assert_int_eq(
        bight_websocket_send(chatter->socket, BIGHT_WEBSOCKET_TEXT, text, strlen(text)), 0);
}

static struct chatter enter(const struct server *server, const char *name)
{
    struct chatter chatter = {.stream = server_dial(server)};
    char path[64], expected[64];

    snprintf(path, sizeof path, "/chat?name=%s", name);
    snprintf(expected, sizeof expected, "* %s is here", name);
    ck_assert_int_eq(
        bight_websocket_connect(&chatter.socket, chatter.stream, "127.0.0.1", path, NULL, NULL), 0);
    hears(&chatter, expected);
    return chatter;
}

static void leave(const struct chatter *chatter)
{
    ck_assert_int_eq(bight_websocket_free(chatter->socket), 0);
    bight_stream_end(chatter->stream, 1000);
}

static int hear_each_other(void *server)
{
    struct chatter ann = enter(server, "ann"), bob = enter(server, "bob");

    hears(&ann, "* bob is here");
    says(&ann, "hello \xe2\x82\xac <b>");
    hears(&ann, "ann: hello \xe2\x82\xac <b>");
    hears(&bob, "ann: hello \xe2\x82\xac <b>");
    ck_assert_int_eq(bight_websocket_close(bob.socket, 1000, NULL, 5000), 0);
    leave(&bob);
    hears(&ann, "* bob has left");
    leave(&ann);
    return 0;
}

static void what_one_says_all_hear(void)
{
    server_play(argv, hear_each_other);
}

static int is_refused(void *server)
{
    static const char *const paths[] = {"/chat", "/chat?name=", "/chat?name=a%20b",
                                        "/chat?name=sixteenLetters16"};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct bight_stream *stream = server_dial(server);
        struct bight_websocket *socket;
        int status;

        ck_assert_int_eq(bight_websocket_connect(&socket, stream, "a", paths[i], NULL, &status),
                         BIGHT_EFORBIDDEN);
        ck_assert_int_eq(status, 400);
        bight_stream_abort(stream);
    }
    return 0;
}

static void who_has_no_name_is_refused(void)
{
    server_play(argv, is_refused);
}

static int gets_the_page(void *server)
{
    struct bight_stream *stream = server_dial(server);
    char text[8192];
    int64_t count;

    scene_says(stream, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    count = bight_stream_read_until(stream, text, sizeof text - 1, "</script>", 9);
    ck_assert_int_gt(count, 0);
    text[count] = '\0';
    ck_assert_ptr_nonnull(strstr(text, "Content-Type: text/html"));
    ck_assert_ptr_nonnull(strstr(text, "new WebSocket("));
    bight_stream_abort(stream);
    return 0;
}

static void there_is_a_page(void)
{
    server_play(argv, gets_the_page);
}

static int is_told(void *arg)
{
    const struct server *server = arg;
    struct chatter ann = enter(server, "ann");
    struct bight_websocket_message message;

    ck_assert_int_eq(kill(server->pid, SIGTERM), 0);
    ck_assert_int_eq(bight_websocket_receive(ann.socket, &message), BIGHT_EOF);
    ck_assert_int_eq(bight_websocket_close_code(ann.socket), 1001);
    ck_assert_str_eq(bight_websocket_close_reason(ann.socket), "the server ends");
    leave(&ann);
    return 0;
}

static void a_server_that_ends_says_so(void)
{
    struct server server = server_start(argv);
    int status;

    ck_assert_int_eq(bight_run(is_told, &server), 0);
    ck_assert_int_eq(test_waitpid(server.pid, &status, 0), server.pid);
    ck_assert_int_eq(status, 0);
}

static const struct suite_case cases[] = {
    plain_case(what_one_says_all_hear),
    plain_case(who_has_no_name_is_refused),
    plain_case(there_is_a_page),
    plain_case(a_server_that_ends_says_so),
};

test_suite("sample_web_chat", cases);
