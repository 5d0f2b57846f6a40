/* See ways.h: the calls of WebSocket, and the table of tables of the program for that. One end is
 * ours, and main writes and reads frames at the other, as they are on the wire. */
#include "tests/ways/ways.h"

#include <string.h>

#include "net/websocket/websocket.h"
#include "tests/net/websocket/frames.h"
#include "tests/ways/exchange.h"

#define PAIR_BYTES 1024
#define CLOSE "\x03\xe8" /* 1000 */

/* Accepting is an answer. */

static int accept_it(struct stage *stage)
{
    struct bight_websocket *socket;
    int rc = bight_websocket_accept(&socket, stage->exchange, NULL);

    return rc ? rc : bight_websocket_free(socket);
}

const struct exchange_call exchange_calls[] = {
    {"bight_websocket_accept", ASK, NULL, accept_it, LEFT_RESET, AGREED_BEGIN "\r\n<end>"},
    {.name = NULL},
};

/* Connecting waits for the answer, which depends on the request. */

static void pair_open(struct stage *stage)
{
    ck_ok(bight_stream_pair(&stage->ends[0], &stage->ends[1], NULL));
}

static int connect_wait(struct seat *seat)
{
    struct bight_websocket *socket = NULL;
    int status, rc = bight_websocket_connect(&socket, seat->stage->ends[0], "example.org", "/chat",
                                             NULL, &status);

    ck_assert_int_eq(status, rc ? 0 : 101);
    seat->item = socket;
    return rc;
}

static void connect_wake(struct stage *stage)
{
    static const char header[] = "Sec-WebSocket-Key: ";
    char request[1024], accept[ACCEPT_BYTES + 1];
    const char *key;
    int64_t bytes = bight_stream_try_read(stage->ends[1], request, sizeof(request) - 1);

    if (bytes < 0)
        return; /* nobody has asked, or was answered */
    request[bytes] = '\0';
    key = strstr(request, header);
    ck_assert_ptr_nonnull(key);
    ck_ok(bight__websocket_accept_key(key + strlen(header), accept));
    bytes = snprintf(request, sizeof(request),
                     "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                     "Upgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                     accept);
    ck_ok(bight_stream_write(stage->ends[1], request, (size_t)bytes));
}

static void connect_leave(struct seat *seat)
{
    ck_ok(bight_websocket_free(seat->item));
}

static void pair_close(struct stage *stage)
{
    ck_ok(bight_stream_end(stage->ends[0], 0));
    ck_ok(bight_stream_end(stage->ends[1], 0));
}

/* One that is open: its handler sleeps until the scene is over. */

static struct stage *on_stage;

static int wait_event(struct bight_websocket *socket)
{
    (void)socket;
    return bight_event_wait(&on_stage->event);
}

static void socket_open(struct stage *stage)
{
    static const struct bight_stream_pair_options pair = {.capacity = PAIR_BYTES};

    on_stage = stage;
    bight_event_init(&stage->event);
    frames_serve(wait_event, NULL, &pair);
    ck_assert_str_eq(talk_ask(ASK, 101), AGREED_BEGIN "\r\n");
    stage->socket = frames_socket;
}

static void socket_close(struct stage *stage)
{
    bight_event_set(&stage->event);
    ck_ok(frames_end(0));
    ck_assert(link_empty(&stage->event.waiters));
}

/* Receiving: a message of one byte, of which nothing is lost. */

static int receive_wait(struct seat *seat)
{
    struct bight_websocket_message message;
    int rc = bight_websocket_receive(seat->stage->socket, &message);

    if (rc == 0)
        ck_assert_str_eq(message.data, "a");
    return rc;
}

static int next_wait(struct seat *seat)
{
    enum bight_websocket_type type;

    seat->stage->no_memory = true;
    return bight_websocket_next(seat->stage->socket, &type);
}

static int read_wait(struct seat *seat)
{
    char byte;

    seat->stage->no_memory = true;
    return (int)bight_websocket_read(seat->stage->socket, &byte, 1);
}

static void message_wake(struct stage *stage)
{
    if (stage->given == 1)
        frames_say(0x81, "a");
}

static void receive_close(struct stage *stage)
{
    if (stage->given && !stage->taken)
        ck_ok(receive_wait(&stage->seats[0]));
    socket_close(stage);
}

static void read_rest(struct stage *stage)
{
    char bytes[2];

    ck_assert_int_eq(bight_websocket_read(stage->socket, bytes, sizeof(bytes)), 1);
    ck_assert_int_eq(bytes[0], 'a');
}

static void next_close(struct stage *stage)
{
    enum bight_websocket_type type;

    if (stage->given && !stage->taken)
        ck_ok(bight_websocket_next(stage->socket, &type));
    if (stage->given)
        read_rest(stage);
    socket_close(stage);
}

/* The first fragment is empty. */
static void message_open(struct stage *stage)
{
    enum bight_websocket_type type;

    socket_open(stage);
    frames_say(0x01, "");
    ck_ok(bight_websocket_next(stage->socket, &type));
}

static void fragment_wake(struct stage *stage)
{
    if (stage->given == 1)
        frames_say(0x80, "a");
}

static void read_close(struct stage *stage)
{
    if (stage->given && !stage->taken)
        read_rest(stage);
    socket_close(stage);
}

/* Sending, to a client that has no room, or some. */

static char taken[2 * PAIR_BYTES];
static size_t taken_bytes;

static void fill(struct stage *stage, size_t spare)
{
    socket_open(stage);
    while (bight_stream_try_write(frames_stream, ".", 1) == 1)
        continue;
    ck_assert_int_eq(bight_stream_try_read(talk_client, taken, spare), (int64_t)spare);
    taken_bytes = 0;
}

static void full_open(struct stage *stage)
{
    fill(stage, 0);
}

static void narrow_open(struct stage *stage)
{
    fill(stage, 2);
}

static int send_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_websocket_send(seat->stage->socket, BIGHT_WEBSOCKET_TEXT, "a", 1);
}

static int send_part_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_websocket_send_part(seat->stage->socket, BIGHT_WEBSOCKET_TEXT, "a", 1, true);
}

static int ping_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_websocket_ping(seat->stage->socket);
}

static void take(struct stage *stage)
{
    int64_t count;

    (void)stage;
    while ((count = bight_stream_try_read(talk_client, taken + taken_bytes,
                                          sizeof(taken) - 1 - taken_bytes)) > 0)
        taken_bytes += (size_t)count;
}

/* Behind the dots the client gets the frame, and then the message "z". */
static void expect_frame(struct stage *stage, const char *frame, size_t bytes)
{
    const char *heard;

    ck_ok(bight_websocket_send(stage->socket, BIGHT_WEBSOCKET_TEXT, "z", 1));
    take(stage);
    taken[taken_bytes] = '\0';
    heard = taken + strspn(taken, ".");
    ck_assert_int_eq(taken + taken_bytes - heard, (int64_t)bytes + 3);
    ck_assert_mem_eq(heard, frame, bytes);
    ck_assert_mem_eq(heard + bytes, "\x81\x01z", 3);
    socket_close(stage);
}

static void send_close(struct stage *stage)
{
    take(stage);
    expect_frame(stage, "\x81\1a", stage->taken ? 3 : 0);
}

/* A ping whose sender was cancelled goes out all the same. */
static void ping_close(struct stage *stage)
{
    take(stage);
    expect_frame(stage, "\x89", stage->seats[0].cancelled ? 0 : 2);
}

/* Nothing can follow a frame of which a part is missing. */
static void narrow_close(struct stage *stage)
{
    if (stage->taken || stage->seats[0].cancelled) {
        send_close(stage);
        return;
    }
    take(stage);
    ck_assert_int_eq(taken[taken_bytes - 2], '\x81');
    ck_assert_int_eq(taken[taken_bytes - 1], 1);
    ck_code(bight_websocket_send(stage->socket, BIGHT_WEBSOCKET_TEXT, "z", 1), BIGHT_EBROKEN);
    socket_close(stage);
}

/* Closing waits for the peer's Close. */

static int close_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_websocket_close(seat->stage->socket, 1000, NULL, -1);
}

static void close_wake(struct stage *stage)
{
    take(stage);
    if (stage->given == 1)
        frames_say(0x88, CLOSE);
}

/* In any case it is closed in the end. */
static void closed_close(struct stage *stage)
{
    take(stage);
    if (!stage->given)
        frames_say(0x88, CLOSE);
    if (!stage->taken)
        ck_ok(bight_websocket_close(stage->socket, 1000, NULL, -1));
    take(stage);
    ck_assert_int_eq(bight_websocket_close_code(stage->socket), 1000);
    ck_assert_mem_eq(taken + taken_bytes - 4, "\x88\x02" CLOSE, 4);
    ck_code(bight_websocket_send(stage->socket, BIGHT_WEBSOCKET_TEXT, "z", 1), BIGHT_ECLOSED);
    socket_close(stage);
}

static void close_open(struct stage *stage)
{
    socket_open(stage);
    taken_bytes = 0;
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
static const struct way websocket_ways[] = {
    {"bight_websocket_accept", 1, 0, true, 0, full_exchange_open, exchange_wait_with_memory,
     exchange_wake, NULL, full_exchange_close},
    {"bight_websocket_connect", 1, 0, true, 0, pair_open, connect_wait, connect_wake, connect_leave,
     pair_close},
    {"bight_websocket_receive", 1, 0, true, 0, socket_open, receive_wait, message_wake, NULL,
     receive_close},
    {"bight_websocket_next", 1, 0, true, 0, socket_open, next_wait, message_wake, NULL, next_close},
    {"bight_websocket_read", 1, 1, true, 0, message_open, read_wait, fragment_wake, NULL,
     read_close},
    {"bight_websocket_send", 1, 0, true, 0, full_open, send_wait, take, NULL, send_close},
    {"bight_websocket_send", 1, 0, true, 0, narrow_open, send_wait, take, NULL, narrow_close},
    {"bight_websocket_send_part", 1, 0, true, 0, full_open, send_part_wait, take, NULL, send_close},
    {"bight_websocket_ping", 1, 0, true, 0, full_open, ping_wait, take, NULL, ping_close},
    {"bight_websocket_close", 1, 0, true, 0, close_open, close_wait, close_wake, NULL,
     closed_close},
    /* That its own Close goes out is not all that it waits for. */
    {"bight_websocket_close", 1, 0, true, WAY_HINT, full_open, close_wait, close_wake, NULL,
     closed_close},
};

const struct way_table websocket_way_table = {websocket_ways,
                                              sizeof(websocket_ways) / sizeof(websocket_ways[0])};

const int way_table_count = 1;

const struct way_table *way_table_at(int index)
{
    (void)index;
    return &websocket_way_table;
}

bool ways_have_header(const char *header)
{
    return strcmp(header, "websocket") == 0;
}
