/* bight_http_serve and WebSocket with Python's aiohttp as the client. AIOHTTP_CLIENT is the path of
 * its script. */
#include "tests/net/server/echoed.h"
#include "tests/net/server/peer.h"

#include <bight/multipart.h>
#include <bight/websocket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void aiohttp_needed(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (system(PEER_PYTHON " -c 'import aiohttp' >/dev/null 2>&1") != 0)
        test_skip("python3-aiohttp");
}

/* A line of each part: its name, its file's name, its type and how long it is. */
static int parts(struct bight_exchange *exchange)
{
    static char text[1024], piece[4096];
    struct bight_multipart *all;
    struct bight_part part;
    size_t used = 0;
    int rc = bight_multipart_begin(&all, exchange);

    while (rc == 0) {
        rc = bight_multipart_next(all, &part);
        if (rc)
            break;
        int64_t count, bytes = 0;

        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s %s %s ", part.name,
                                 part.filename ? part.filename : "-",
                                 part.content_type ? part.content_type : "-");
        while ((count = bight_multipart_read(all, piece, sizeof(piece))) > 0)
            bytes += count;
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%d\n", (int)bytes);
        rc = count < 0 ? (int)count : 0;
    }
    return rc == BIGHT_EOF ? bight_exchange_answer(exchange, 200, NULL, text, used) : rc;
}

static int coded(struct bight_exchange *exchange)
{
    static const char text[] = "compressible ";
    int rc = bight_exchange_compress(exchange);

    if (rc == 0 || rc == BIGHT_ENOTSUP)
        rc = bight_exchange_begin(exchange, 200, -1);
    for (int i = 0; i < 10000 && rc == 0; i++)
        rc = bight_exchange_write(exchange, text, sizeof(text) - 1);
    return rc;
}

static int websocket(struct bight_exchange *exchange)
{
    static const char *const protocols[] = {"chat"};
    const struct bight_websocket_options options = {.protocols = protocols, .protocol_count = 1};
    struct bight_websocket_message message;
    struct bight_websocket *socket;
    int rc = bight_websocket_accept(&socket, exchange, &options);

    if (rc)
        return rc;
    while (rc == 0 && bight_websocket_receive(socket, &message) == 0) {
        if (message.bytes == 5 && strcmp(message.data, "close") == 0)
            rc = bight_websocket_close(socket, 4001, "as you wish", 5000);
        else
            rc = bight_websocket_send(socket, message.type, message.data, message.bytes);
    }
    listened.returned++;
    listened.last = bight_websocket_close_code(socket);
    ck_ok(bight_websocket_free(socket));
    return 0;
}

static int answer(struct bight_exchange *exchange, void *arg)
{
    const char *path = bight_exchange_path(exchange), *body;

    if (strcmp(path, "/parts") == 0)
        return parts(exchange);
    if (strcmp(path, "/coded") == 0)
        return coded(exchange);
    if (strcmp(path, "/websocket") == 0)
        return websocket(exchange);
    if (strcmp(path, "/too-large") == 0)
        return bight_exchange_read_all(exchange, &body, NULL);
    return echoed(exchange, arg);
}

static void runs(const char *scene)
{
    struct peer python;
    char port[16];

    snprintf(port, sizeof(port), "%u", peer_behind());
    peer_start(&python, (const char *const[]){PEER_PYTHON, AIOHTTP_CLIENT, port, scene, NULL});
    ck_assert_str_eq(peer_finish(&python), "<end>");
}

static int requests(void)
{
    runs("requests");
    ck_assert_int_eq(listened.failures, 0);
    return 0;
}

static int bodies(void)
{
    runs("bodies");
    return 0;
}

static int compressed(void)
{
    runs("coded");
    return 0;
}

static int halves(void)
{
    runs("half");
    ck_assert_int_eq(listened.failures, 2);
    return 0;
}

static int messages(void)
{
    runs("websocket");
    ck_assert_int_eq(listened.returned, 2);
    ck_assert_int_eq(listened.failures, 0);
    return 0;
}

static void answers_arrive(void)
{
    peer_play(requests, answer, NULL);
}

static void bodies_arrive(void)
{
    peer_play(bodies, answer, NULL);
}

static void it_undoes_the_coding(void)
{
    peer_play(compressed, answer, NULL);
}

static void half_an_answer_is_an_error(void)
{
    peer_play(halves, answer, NULL);
}

static void its_websocket_talks(void)
{
    peer_play(messages, answer, NULL);
}

static const struct suite_case cases[] = {
    plain_case(answers_arrive),       plain_case(bodies_arrive),
    plain_case(it_undoes_the_coding), plain_case(half_an_answer_is_an_error),
    plain_case(its_websocket_talks),
};

test_suite("server_aiohttp", cases, .begin = aiohttp_needed);
