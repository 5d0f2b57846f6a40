/* The sample bight-reverse, SAMPLE_REVERSE, between the sample web_chat, SAMPLE_WEB_CHAT, and
 * Python's websockets: CHAT_CLIENT is the path of its script. */
#include "tests/net/server/peer.h"
#include "tests/samples/net/programs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static void websockets_needed(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (system(PEER_PYTHON " -c 'import websockets' >/dev/null 2>&1") != 0)
        test_skip("python3-websockets");
}

static int talk(void *arg)
{
    struct server chat = server_start((const char *const[]){SAMPLE_WEB_CHAT, NULL});
    char route[64], port[16];
    struct server front;
    struct peer visitors;

    (void)arg;
    snprintf(route, sizeof route, "/chat=http://127.0.0.1:%u", chat.port);
    front =
        server_start((const char *const[]){SAMPLE_REVERSE, "-l", "127.0.0.1:0", "-r", route, NULL});
    snprintf(port, sizeof port, "%u", front.port);
    peer_start(&visitors, (const char *const[]){PEER_PYTHON, CHAT_CLIENT, port, NULL});
    peer_has(listened_hear(visitors.out, "talked\n"), "talked\n");
    server_stop(&chat, SIGTERM); /* it says goodbye */
    ck_assert_str_eq(peer_finish(&visitors), "1001 the server ends\n<end>");
    server_stop(&front, SIGTERM);
    return 0;
}

static void visitors_talk_through_it(void)
{
    ck_ok(bight_run(talk, NULL));
}

static const struct suite_case cases[] = {
    plain_case(visitors_talk_through_it),
};

test_suite("reverse_chat", cases, .begin = websockets_needed);
