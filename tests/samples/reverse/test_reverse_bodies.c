/* The sample bight-reverse: SAMPLE_REVERSE is its path. Bodies of requests, while they come. */
#include "tests/samples/reverse/front.h"

#include <stdio.h>
#include <string.h>

const char front_program[] = SAMPLE_REVERSE;

#define HOST "Host: a\r\n"

#define MIB (1 << 20)
#define LARGE_BYTES (64 * MIB)

/* Whatever is on its way is in buffers of sockets, which the system decides about. */
#define UNDER_WAY_BYTES (24 * MIB)

static const char *const limited[] = {"--max-body=1000", NULL};

static size_t came_bytes;

/* The body is counted; "/early" does not want it, "/pieces" says what has come. */
static int takes(struct bight_exchange *exchange, void *arg)
{
    static char piece[65536];
    const char *path = bight_exchange_path(exchange);
    int64_t count;

    (void)arg;
    listened.begun++;
    ck_ok(bight_exchange_set_max_body(exchange, UINT64_MAX));
    if (strcmp(path, "/early") == 0)
        return bight_exchange_answer(exchange, 403, NULL, "not you\n", 8);
    if (strcmp(path, "/later") == 0)
        ck_ok(bight_event_wait(&listened.go_on));
    came_bytes = 0;
    while ((count = bight_exchange_read(exchange, piece, sizeof piece)) > 0)
        came_bytes += (size_t)count;
    listened.last = (int)count;
    listened.returned++;
    return count < 0 ? (int)count : bight_exchange_answer(exchange, 200, NULL, "all of it\n", 10);
}

/* The server behind has a piece before the next one is sent. */
static int piece_by_piece(void)
{
    struct bight_stream *client = front_dial();

    came_bytes = 0;
    listened_say(client, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    for (size_t i = 1; i <= 50; i++) {
        listened_say(client, "3\r\nabc\r\n");
        while (came_bytes < i * 3)
            ck_ok(bight_sleep(1));
        ck_assert_uint_eq(came_bytes, i * 3);
    }
    listened_say(client, "0\r\n\r\n");
    front_has(listened_hear(client, "all of it\n"), "HTTP/1.1 200 ");
    return bight_stream_end(client, 0);
}

/* While nobody takes it, no more than the sockets' buffers is sent. */
static int slow_server(void)
{
    static char piece[65536];
    struct bight_stream *client = front_dial();
    long resident_kib = server_resident_kib(&front);
    size_t sent = 0;
    char head[128];

    snprintf(head, sizeof head, "PUT /later HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n",
             LARGE_BYTES);
    listened_say(client, head);
    listened_wait(&listened.begun, 1);
    while (sent < LARGE_BYTES) {
        struct bight_scope scope;

        ck_ok(bight_scope_begin(&scope, 200, 0));
        int rc = bight_stream_write(client, piece, sizeof piece);
        sent += bight_stream_last_written(client);
        if (bight_scope_end(&scope, rc))
            break;
    }
    ck_assert_uint_le(sent, UNDER_WAY_BYTES);
    ck_assert_int_le(server_resident_kib(&front), resident_kib + 4096);
    bight_stream_abort(client);
    bight_event_set(&listened.go_on);
    listened_wait(&listened.returned, 1);
    ck_assert_int_lt(listened.last, 0);
    return 0;
}

static int large_body(void)
{
    static char piece[65536];
    struct bight_stream *client = front_dial();
    long resident_kib = 0;
    char head[128];

    snprintf(head, sizeof head, "PUT / HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n",
             LARGE_BYTES);
    listened_say(client, head);
    for (size_t sent = 0; sent < LARGE_BYTES; sent += sizeof piece) {
        ck_ok(bight_stream_write(client, piece, sizeof piece));
        if (sent == MIB)
            resident_kib = server_resident_kib(&front);
        if (sent % MIB == 0 && sent > MIB)
            ck_assert_int_le(server_resident_kib(&front), resident_kib + 4096);
    }
    front_has(listened_hear(client, "all of it\n"), "HTTP/1.1 200 ");
    ck_assert_uint_eq(came_bytes, LARGE_BYTES);
    return bight_stream_end(client, 0);
}

/* Who is not wanted is told at once, and who is not there asks for nothing. */
static int not_wanted(void)
{
    struct bight_stream *client = front_dial();
    const char *heard;

    listened_say(client, "PUT /early HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n\r\nmore");
    heard = listened_hear(client, "<end>");
    front_has(heard, "HTTP/1.1 403 ");
    front_has(heard, "not you\n<end>");
    ck_ok(bight_stream_end(client, 0));
    client = front_dial();
    listened_say(client, "PUT /dead HTTP/1.1\r\n" HOST "Content-Length: 3\r\n"
                         "Expect: 100-continue\r\n\r\n");
    heard = listened_hear(client, "Gateway\n");
    ck_assert(heard == strstr(heard, "HTTP/1.1 502 "));
    return bight_stream_end(client, 0);
}

static int malformed(void)
{
    const char *heard = front_ask("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
                                  "Connection: close\r\n\r\n3\r\nabc\r\nx\r\n");
    struct bight_stream *client;

    front_has(heard, "HTTP/1.1 400 ");
    listened_wait(&listened.returned, 1);
    ck_assert_int_lt(listened.last, 0);
    front_has(front_ask("POST / HTTP/1.1\r\n" HOST "Content-Length: 1001\r\n"), "HTTP/1.1 413 ");
    client = front_dial();
    listened_say(client, "POST / HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\nabc");
    listened_wait(&listened.begun, 3);
    bight_stream_abort(client);
    listened_wait(&listened.returned, 3);
    ck_assert_int_lt(listened.last, 0);
    return 0;
}

static void bodies_go_on_piece_by_piece(void)
{
    front_play(piece_by_piece, takes, NULL);
}

static void a_slow_server_holds_up_the_client(void)
{
    front_play(slow_server, takes, NULL);
}

static void a_large_body_costs_no_memory(void)
{
    front_play(large_body, takes, NULL);
}

static void bodies_that_nobody_wants_are_not_awaited(void)
{
    front_play(not_wanted, takes, (const char *const[]){"-r", "/dead=http://127.0.0.1:1", NULL});
}

static void half_a_body_never_looks_whole(void)
{
    front_play(malformed, takes, limited);
}

static const struct suite_case cases[] = {
    plain_case(bodies_go_on_piece_by_piece),   plain_case(a_slow_server_holds_up_the_client),
    plain_case(a_large_body_costs_no_memory),  plain_case(bodies_that_nobody_wants_are_not_awaited),
    plain_case(half_a_body_never_looks_whole),
};

test_suite("reverse_bodies", cases);
