/* WebSocket against Python's websockets, as its server and as its client. */
#include <bight.h>
#include <bight/websocket.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness/program.h"
#include "tests/harness/support.h"
#include "tests/harness/world.h"

#define PYTHON "/usr/bin/python3"

static void peers_needed(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (system(PYTHON " -c 'import websockets' >/dev/null 2>&1") != 0)
        test_skip("python3-websockets");
}

struct program {
    pid_t pid;
    struct bight_stream *out;
};

static void program_start(struct program *program, const char *script, unsigned port)
{
    char text[16];
    const char *const argv[] = {PYTHON, "-c", script, text, NULL};
    int out;

    snprintf(text, sizeof(text), "%u", port);
    program->pid = test_program_start_heard(argv, SIGTERM, &out);
    ck_ok(bight_stream_from_fd(&program->out, out));
}

static void program_says(struct program *program, const char *wanted)
{
    char line[256] = "";

    ck_assert_int_ge(bight_stream_read_line(program->out, line, sizeof(line)), 0);
    ck_assert_str_eq(line, wanted);
}

/* It ends by itself, when it has said all. */
static void program_end(struct program *program)
{
    char line[256];

    ck_code((int)bight_stream_read_line(program->out, line, sizeof(line)), BIGHT_EOF);
    ck_ok(bight_stream_end(program->out, 0));
    ck_assert_int_eq(test_program_end(program->pid, 0), 0);
}

/* Their client with our server */

static int closed_with;

static int echo(struct bight_exchange *exchange, void *arg)
{
    static const char *const protocols[] = {"chat", "other"};
    const struct bight_websocket_options options = {.protocols = protocols, .protocol_count = 2};
    struct bight_websocket_message message;
    struct bight_websocket *socket;
    int rc = bight_websocket_accept(&socket, exchange, &options);

    if (rc)
        return rc;
    while (rc == 0 && bight_websocket_receive(socket, &message) == 0) {
        if (message.bytes == 5 && strcmp(message.data, "close") == 0)
            rc = bight_websocket_close(socket, 4000, "as you wish", 5000);
        else
            rc = bight_websocket_send(socket, message.type, message.data, message.bytes);
    }
    closed_with = bight_websocket_close_code(socket);
    ck_ok(bight_websocket_free(socket));
    (void)bight_listener_close(arg);
    return 0; /* so that the client reads what was said last */
}

static const char client_script[] =
    "import asyncio, sys, websockets\n"
    "async def main():\n"
    "    url = 'ws://127.0.0.1:' + sys.argv[1] + '/echo?x=1'\n"
    "    async with websockets.connect(url, subprotocols=['none', 'other', 'chat'],\n"
    "                                  max_size=None) as ws:\n"
    "        assert ws.subprotocol == 'chat', ws.subprotocol\n"
    "        for bytes in 0, 1, 125, 126, 65535, 65536, 1000000:\n"
    "            await ws.send('\\u20ac' * (bytes // 3))\n"
    "            assert await ws.recv() == '\\u20ac' * (bytes // 3)\n"
    "            await ws.send(b'\\xff' * bytes)\n"
    "            assert await ws.recv() == b'\\xff' * bytes\n"
    "        await ws.send(['in ', 'frag', '', 'ments'])\n"
    "        assert await ws.recv() == 'in fragments'\n"
    "        await asyncio.wait_for(await ws.ping('are you there'), 10)\n"
    "        many = ['%d' % i for i in range(1000)]\n"
    "        async def send_all():\n"
    "            for one in many:\n"
    "                await ws.send(one)\n"
    "        sending = asyncio.create_task(send_all())\n"
    "        assert [await ws.recv() for _ in many] == many\n"
    "        await sending\n"
    "        if END == 'ours':\n"
    "            await ws.send('close')\n"
    "            try:\n"
    "                await ws.recv()\n"
    "            except websockets.ConnectionClosed as end:\n"
    "                assert (end.rcvd.code, end.rcvd.reason) == (4000, 'as you wish')\n"
    "        elif END == 'theirs':\n"
    "            await ws.close(3001, 'bye')\n"
    "            assert ws.close_code == 3001, ws.close_code\n"
    "        else:\n"
    "            await ws.send('x' * (1 << 21))\n"
    "            try:\n"
    "                await ws.recv()\n"
    "            except websockets.ConnectionClosed as end:\n"
    "                assert end.rcvd.code == 1009, end.rcvd\n"
    "    print('done')\n"
    "asyncio.run(main())\n";

static const struct {
    const char *end;
    int code;
} ends[] = {{"ours", 4000}, {"theirs", 3001}, {"too big", 1006}};

static int serves(void *arg)
{
    const int i = *(int *)arg;
    char script[sizeof(client_script) + 64];
    struct bight_listener *listener;
    struct bight_address address;
    struct program program;

    snprintf(script, sizeof(script), "END = '%s'\n%s", ends[i].end, client_script);
    ck_ok(bight_tcp_listen(&listener, "127.0.0.1", 0, NULL));
    ck_ok(bight_listener_address(listener, &address));
    program_start(&program, script, address.port);
    ck_ok(bight_http_serve(listener, echo, listener, NULL));
    program_says(&program, "done");
    program_end(&program);
    ck_assert_int_eq(closed_with, ends[i].code);
    ck_ok(bight_listener_end(listener));
    return 0;
}

static void their_client_is_served_and_it_ends_by(int i)
{
    ck_ok(bight_run(serves, &i));
}

/* Our client with their server */

static const char server_script[] =
    "import asyncio, sys, websockets\n"
    "async def echo(ws):\n"
    "    try:\n"
    "        async for message in ws:\n"
    "            if message == 'close':\n"
    "                await ws.close(1001, 'going')\n"
    "            elif message == 'pieces':\n"
    "                await ws.send(['one ', 'two ', 'three'])\n"
    "            elif message == 'ping':\n"
    "                await asyncio.wait_for(await ws.ping(), 10)\n"
    "                await ws.send('pong came')\n"
    "            else:\n"
    "                await ws.send(message)\n"
    "    except websockets.ConnectionClosed:\n"
    "        pass\n"
    "    print('closed', ws.close_code, ws.close_reason, ws.request_headers['X-Test'],\n"
    "          flush=True)\n"
    "    over.set()\n"
    "async def main():\n"
    "    global over\n"
    "    over = asyncio.Event()\n"
    "    async with websockets.serve(echo, '127.0.0.1', 0, subprotocols=['b', 'a'],\n"
    "                                max_size=None) as server:\n"
    "        print(server.sockets[0].getsockname()[1], flush=True)\n"
    "        await over.wait()\n"
    "asyncio.run(main())\n";

static void comes_back(struct bight_websocket *socket, enum bight_websocket_type type, size_t bytes)
{
    struct bight_websocket_message message;
    char *data = malloc(bytes + 1);

    ck_assert_ptr_nonnull(data);
    memset(data, type == BIGHT_WEBSOCKET_TEXT ? 'x' : 0xff, bytes);
    ck_ok(bight_websocket_send(socket, type, data, bytes));
    ck_ok(bight_websocket_receive(socket, &message));
    ck_assert_int_eq(message.type, type);
    ck_assert_uint_eq(message.bytes, bytes);
    ck_assert_mem_eq(message.data, data, bytes);
    free(data);
}

static void is_answered(struct bight_websocket *socket, const char *question, const char *answer)
{
    struct bight_websocket_message message;

    ck_ok(bight_websocket_send(socket, BIGHT_WEBSOCKET_TEXT, question, strlen(question)));
    ck_ok(bight_websocket_receive(socket, &message));
    ck_assert_str_eq(message.data, answer);
}

static struct bight_websocket *meet(struct program *program, struct bight_stream **stream)
{
    static const char *const protocols[] = {"a", "b"}, *const headers[] = {"X-Test: yes"};
    const struct bight_websocket_options options = {
        .protocols = protocols, .protocol_count = 2, .headers = headers, .header_count = 1};
    struct bight_websocket *socket;
    char line[16], host[32];

    program_start(program, server_script, 0);
    ck_assert_int_gt(bight_stream_read_line(program->out, line, sizeof(line)), 0);
    snprintf(host, sizeof(host), "127.0.0.1:%s", line);
    ck_ok(bight_tcp_connect(stream, "127.0.0.1", (uint16_t)atoi(line), NULL, NULL));
    ck_ok(bight_websocket_connect(&socket, *stream, host, "/", &options, NULL));
    return socket;
}

static int asks(void *arg)
{
    static const size_t sizes[] = {0, 1, 125, 126, 16384, 16385, 65535, 65536, 1000000};
    struct bight_websocket_message message;
    struct bight_stream *stream;
    struct program program;
    struct bight_websocket *socket = meet(&program, &stream);

    ck_assert_ptr_nonnull(bight_websocket_protocol(socket));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        comes_back(socket, BIGHT_WEBSOCKET_TEXT, sizes[i]);
        comes_back(socket, BIGHT_WEBSOCKET_BINARY, sizes[i]);
    }
    is_answered(socket, "pieces", "one two three");
    is_answered(socket, "ping", "pong came");
    ck_ok(bight_websocket_ping(socket));
    if (*(int *)arg) {
        ck_ok(bight_websocket_close(socket, 3000, "thanks", 10000));
    } else {
        ck_ok(bight_websocket_send(socket, BIGHT_WEBSOCKET_TEXT, "close", 5));
        ck_code(bight_websocket_receive(socket, &message), BIGHT_EOF);
        ck_assert_int_eq(bight_websocket_close_code(socket), 1001);
        ck_assert_str_eq(bight_websocket_close_reason(socket), "going");
    }
    ck_ok(bight_websocket_free(socket));
    ck_ok(bight_stream_end(stream, 5000));
    program_says(&program, *(int *)arg ? "closed 3000 thanks yes" : "closed 1001  yes");
    program_end(&program);
    return 0;
}

static void their_server_answers_and_either_side_closes(int i)
{
    ck_ok(bight_run(asks, &i));
}

static const struct suite_case cases[] = {
    each_case(their_client_is_served_and_it_ends_by, 3),
    each_case(their_server_answers_and_either_side_closes, 2),
};

test_suite("websocket_peers", cases, .begin = peers_needed);
