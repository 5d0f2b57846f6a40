/* web_chat [PORT]: a chat in the browser. "/" is the page, "/chat?name=NAME" its WebSocket; what
 * one says, all hear.
 *
 * To notice: each connection has two tasks, one that receives and one that sends, in a group that
 * ends them together. What is said goes round by a broadcast that never waits: who reads too slowly
 * is held up in a bight_websocket_send, misses lines meanwhile, and is told how many. A server that
 * ends cancels its handlers, and each says Close under a shield. */
#include "samples/net/serve.h"
#include "samples/net/web_chat_page.h"

#include <bight/broadcast.h>
#include <bight/errors.h>
#include <bight/form.h>
#include <bight/group.h>
#include <bight/router.h>
#include <bight/runtime.h>
#include <bight/scope.h>
#include <bight/websocket.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES 16
#define LINE_BYTES 640 /* 160 characters, as the page has them */
#define KEPT_LINES 64  /* for those who are behind */

/* How long a server that ends waits for an answer to its Close. */
#define GOODBYE_MS 500

struct line {
    char text[NAME_BYTES + LINE_BYTES + 16];
};

struct room {
    uint16_t port;
    struct bight_broadcast *lines;
    struct bight_router *router;
};

struct chatter {
    struct room *room;
    struct bight_websocket *socket;
    struct bight_subscriber subscriber;
    char name[NAME_BYTES];
};

static int tell(const struct chatter *to, const char *text)
{
    return bight_websocket_send(to->socket, BIGHT_WEBSOCKET_TEXT, text, strlen(text));
}

/* To everybody, the one who says it as well. */
static int say(const struct chatter *from, const char *before, const char *between,
               const char *what)
{
    struct line line;

    snprintf(line.text, sizeof line.text, "%s%s%s%s", before, from->name, between, what);
    return bight_broadcast_try_publish(from->room->lines, &line);
}

/* The task that sends. */
static int tell_what_is_said(void *arg)
{
    struct chatter *me = arg;
    struct line line;
    uint64_t missed;
    int rc;

    while ((rc = bight_broadcast_receive(&me->subscriber, &line, &missed)) == 0) {
        char text[64];

        snprintf(text, sizeof text, "* too slow: you missed %" PRIu64 " lines", missed);
        if (missed)
            rc = tell(me, text);
        if (rc == 0)
            rc = tell(me, line.text);
        if (rc == BIGHT_ECLOSED)
            return 0; /* the other task sees how it ended */
        if (rc)
            return rc;
    }
    return rc;
}

/* The task that receives; until the browser has closed. */
static int hear(const struct chatter *me)
{
    struct bight_websocket_message message;
    int rc;

    while ((rc = bight_websocket_receive(me->socket, &message)) == 0) {
        if (message.type == BIGHT_WEBSOCKET_TEXT)
            rc = say(me, "", ": ", message.data);
        if (rc)
            return rc;
    }
    return rc;
}

static int say_goodbye(void *arg)
{
    const struct chatter *me = arg;
    return bight_websocket_close(me->socket, 1001, "the server ends", GOODBYE_MS);
}

static int chat(struct chatter *me)
{
    struct bight_group group;
    int rc = bight_group_begin(&group, 0);

    if (rc)
        return rc;
    rc = bight_group_spawn(NULL, &group, NULL, tell_what_is_said, me);
    if (rc == 0)
        rc = say(me, "* ", " is here", "");
    if (rc == 0)
        rc = hear(me);
    bight_scope_cancel(&group.scope);
    return bight_group_end(&group, rc);
}

static int stay(struct chatter *me)
{
    int left, rc = bight_broadcast_subscribe(me->room->lines, &me->subscriber);

    if (rc)
        return rc;
    rc = chat(me);
    bight_broadcast_unsubscribe(&me->subscriber);
    left = say(me, "* ", " has left", "");
    /* However the connection ended, it is no fault of this program. */
    if (rc != BIGHT_ECANCELED && rc != BIGHT_ENOMEM)
        rc = left;
    return rc;
}

static bool is_name(const char *name)
{
    size_t length = name ? strlen(name) : 0;

    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]))
            return false;
    return length > 0 && length < NAME_BYTES;
}

static int enter(struct bight_exchange *exchange, void *arg)
{
    const struct bight_websocket_options options = {.max_message_bytes = LINE_BYTES};
    struct chatter me = {.room = arg};
    const struct bight_form *query;
    const char *name;
    int rc = bight_exchange_read_query(exchange, &query);

    if (rc)
        return rc;
    name = bight_form_value(query, "name");
    if (!is_name(name))
        return bight_exchange_answer_status(exchange, 400);
    strcpy(me.name, name);
    rc = bight_websocket_accept(&me.socket, exchange, &options);
    if (rc)
        return rc;
    rc = stay(&me);
    /* The browser is told, even if it takes some time; whether it has heard makes no difference. */
    if (rc == BIGHT_ECANCELED && bight_shield(GOODBYE_MS, say_goodbye, &me) == 0)
        rc = 0;
    bight_websocket_free(me.socket);
    return rc;
}

static int show_page(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    return bight_exchange_answer(exchange, 200, "text/html", page, sizeof page - 1);
}

static int serve(struct bight_stream *stream, void *arg)
{
    const struct room *room = arg;
    return bight_http_serve_stream(stream, bight_router_handle, room->router, NULL);
}

static int open_room(struct room *room)
{
    static const struct bight_broadcast_options options = {
        .capacity = KEPT_LINES,
        .value_bytes = sizeof(struct line),
        .policy = BIGHT_BROADCAST_DROP_OLDEST,
    };
    int rc = bight_broadcast_new(&room->lines, &options);

    if (rc == 0)
        rc = bight_router_new(&room->router);
    if (rc == 0)
        rc = bight_router_add(room->router, "GET", "/", show_page, NULL);
    if (rc == 0)
        rc = bight_router_add(room->router, "GET", "/chat", enter, room);
    return rc;
}

static int run(void *arg)
{
    struct room *room = arg;
    int freed, rc = open_room(room);

    if (rc == 0)
        rc = serve_until_signal(room->port, serve, room);
    bight_router_free(room->router);
    freed = bight_broadcast_free(room->lines);
    return rc ? rc : freed;
}

int main(int argc, char **argv)
{
    int wanted = argc > 1 ? parse_port(argv[1]) : 0;
    struct room room = {.port = (uint16_t)wanted};
    int rc;

    if (argc > 2 || wanted < 0) {
        fprintf(stderr, "usage: web_chat [PORT]\n");
        return 2;
    }
    rc = bight_run(run, &room);
    if (rc)
        fprintf(stderr, "web_chat: %s\n", bight_strerror(rc));
    return rc != 0;
}
