/* net/tls/stream.c and runtime/stream/layer.c: a TLS connection is a stream like others, over pairs
 * in memory and in virtual time. */
#include "tests/net/tls/talk.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

static int all_forms(void *arg)
{
    const struct bight_slice slices[] = {{"one ", 4}, {NULL, 0}, {"two ", 4}, {"three\n", 6}};
    struct bight_stream_stats stats;
    const void *data;
    char line[32];

    (void)arg;
    both_open(NULL);
    ck_ok(bight_stream_writev(client.stream, slices, 4));
    ck_assert_int_eq(bight_stream_read_line(server.stream, line, sizeof(line)), 13);
    ck_assert_str_eq(line, "one two three");
    ck_assert_int_eq(bight_stream_try_read(server.stream, line, 1), BIGHT_EAGAIN);
    ck_assert_int_eq(bight_stream_try_write(client.stream, "peek!", 5), 5);
    ck_assert_int_eq(bight_stream_peek(server.stream, &data, 1), 5);
    ck_assert_mem_eq(data, "peek!", 5);
    ck_ok(bight_stream_consume(server.stream, 5));
    ck_ok(bight_stream_get_stats(client.stream, &stats));
    ck_assert_uint_eq(stats.bytes_written, 19);
    ck_ok(bight_stream_get_stats(server.stream, &stats));
    ck_assert_uint_eq(stats.bytes_read, 19);
    ck_code(bight_stream_fd(client.stream), BIGHT_ENOTSUP);
    ck_code(bight_stream_set_nagle(client.stream, true), BIGHT_ENOTSUP);
    both_end();
    return 0;
}

/* A server's two tickets are longer, and a record of a byte or two is shorter. */
#define TICKETS_BYTES 200

static uint64_t server_sent(void)
{
    struct bight_stream_stats stats;

    ck_ok(bight_stream_get_stats(server.below, &stats));
    return stats.bytes_written;
}

static int tickets(void *arg)
{
    uint64_t before;
    char byte;

    (void)arg;
    both_open(NULL);
    before = server_sent();
    say(server.stream, "hi");
    ck_assert_uint_gt(server_sent() - before, TICKETS_BYTES);
    before = server_sent();
    say(server.stream, "hi");
    ck_assert_uint_lt(server_sent() - before, TICKETS_BYTES);
    hear(client.stream, "hihi");
    both_end();
    both_open(NULL);
    before = server_sent();
    ck_assert_int_eq(bight_stream_try_read(server.stream, &byte, 1), BIGHT_EAGAIN);
    ck_assert_uint_gt(server_sent() - before, TICKETS_BYTES);
    both_end();
    both_open(NULL);
    before = server_sent();
    ck_ok(bight_stream_shutdown(server.stream));
    ck_assert_uint_gt(server_sent() - before, TICKETS_BYTES);
    ck_assert_int_eq(bight_stream_read(client.stream, &byte, 1), 0);
    both_end();
    return 0;
}

#define MANY ((size_t)1 << 20)

struct direction {
    struct bight_stream *stream;
    size_t step;
};

static int writes_many(void *arg)
{
    const struct direction *direction = arg;
    char bytes[40000];
    size_t step;

    for (size_t place = 0; place < MANY; place += step) {
        step = MANY - place < direction->step ? MANY - place : direction->step;
        fill(bytes, step, place);
        ck_ok(bight_stream_write(direction->stream, bytes, step));
    }
    return bight_stream_shutdown(direction->stream);
}

static int reads_many(void *arg)
{
    const struct direction *direction = arg;
    char bytes[40000], expected[40000];
    size_t place = 0;
    int64_t count;

    while ((count = bight_stream_read(direction->stream, bytes, direction->step)) > 0) {
        fill(expected, (size_t)count, place);
        ck_assert_mem_eq(bytes, expected, (size_t)count);
        place += (size_t)count;
    }
    ck_assert_int_eq(count, 0);
    ck_assert_uint_eq(place, MANY);
    return 0;
}

/* Both directions at once, of two tasks on each side. */
static void exchange(const struct bight_stream_pair_options *options)
{
    struct direction directions[4];
    struct bight_group group;

    both_open(options);
    directions[0] = (struct direction){client.stream, 40000};
    directions[1] = (struct direction){server.stream, 3001};
    directions[2] = (struct direction){client.stream, 40000};
    directions[3] = (struct direction){server.stream, 17};
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, writes_many, &directions[0]));
    ck_ok(bight_group_spawn(NULL, &group, NULL, writes_many, &directions[1]));
    ck_ok(bight_group_spawn(NULL, &group, NULL, reads_many, &directions[2]));
    ck_ok(bight_group_spawn(NULL, &group, NULL, reads_many, &directions[3]));
    ck_ok(bight_group_end(&group, 0));
    both_end();
}

static int much(void *arg)
{
    (void)arg;
    exchange(NULL);
    return 0;
}

static int in_pieces(void *arg)
{
    const struct bight_stream_pair_options options = {
        .capacity = 5000, .read_max = 3000, .write_max = 2000, .split = true, .delay_ms = 1};

    (void)arg;
    exchange(&options);
    return 0;
}

/* What goes on beside the user's bytes */

static int new_keys(void *arg)
{
    (void)arg;
    both_open(NULL);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(SSL_key_update(bight_tls_native(client.stream), SSL_KEY_UPDATE_REQUESTED),
                         1);
        say(client.stream, "ping");
        hear(server.stream, "ping");
        say(server.stream, "pong");
        hear(client.stream, "pong");
    }
    both_end();
    return 0;
}

/* A peer that talks and says nothing. */
static int idle_talk(void *arg)
{
    const struct bight_stream_pair_options wide = {.capacity = 1 << 20};
    int rounds = 0;
    char byte;

    (void)arg;
    both_open(&wide);
    for (; rounds < 5000; rounds++) {
        SSL *ssl = bight_tls_native(client.stream);

        ck_assert_int_eq(SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        ck_assert_int_eq(SSL_do_handshake(ssl), 1);
        if (rounds == 1500) /* in several turns it is the same */
            ck_code((int)bight_stream_try_read(server.stream, &byte, 1), BIGHT_EAGAIN);
    }
    ck_code((int)bight_stream_read(server.stream, &byte, 1), BIGHT_EPROTOCOL);
    ck_code(bight_stream_write(server.stream, "", 1), BIGHT_EPROTOCOL);
    both_end();
    return 0;
}

/* A record that was changed on its way. */
static int forged(void *arg)
{
    char byte;

    (void)arg;
    keep_below();
    bight_stream_abort(server.stream);
    ck_ok(bight_stream_write(server.below,
                             "\x17\x03\x03\x00\x18"
                             "0123456789abcdef01234567",
                             29));
    ck_code((int)bight_stream_read(client.stream, &byte, 1), BIGHT_ETLS);
    ck_code(bight_stream_write(client.stream, "", 1), BIGHT_ETLS);
    ck_ok(bight_stream_end(client.stream, 0));
    ck_ok(bight_stream_end(server.below, 0));
    wire_free_contexts(&client, &server);
    return 0;
}

static int twice(void *arg)
{
    struct wire_end inner_client, inner_server;
    char text[32];

    (void)arg;
    both_open(NULL);
    inner_client = client;
    inner_server = server;
    inner_client.below = client.stream;
    inner_server.below = server.stream;
    wire_shake(&inner_client, &inner_server);
    ck_ok(inner_client.code);
    ck_ok(inner_server.code);
    ck_assert_str_eq(bight_stream_describe(inner_client.stream, text, sizeof(text)),
                     "tls tls memory");
    say(inner_client.stream, "hidden twice");
    hear(inner_server.stream, "hidden twice");
    wire_end(&inner_client, &inner_server);
    return 0;
}

/* Other calls of streams */

static int selected(void *arg)
{
    struct bight_case cases[2];

    (void)arg;
    both_open(NULL);
    bight_case_readable(&cases[0], server.stream);
    bight_case_sleep(&cases[1], 5);
    ck_assert_int_eq(bight_select(cases, 2, BIGHT_SELECT_ORDERED), 1);
    say(client.stream, "!");
    bight_case_readable(&cases[0], server.stream);
    bight_case_sleep(&cases[1], 5);
    ck_assert_int_eq(bight_select(cases, 2, BIGHT_SELECT_ORDERED), 0);
    hear(server.stream, "!");
    both_end();
    return 0;
}

static int copies(void *arg)
{
    return bight_stream_copy(arg, arg) >= 0 ? 0 : 1;
}

/* An echo server is a copy to itself. */
static int copied(void *arg)
{
    struct bight_task *task;

    (void)arg;
    both_open(NULL);
    ck_ok(bight_spawn(&task, copies, server.stream));
    say(client.stream, "echo");
    hear(client.stream, "echo");
    ck_ok(bight_stream_shutdown(client.stream));
    ck_ok(bight_join(task, NULL));
    both_end();
    return 0;
}

static int sends_file(void *arg)
{
    FILE *file = tmpfile();
    char bytes[30000], got[30000];

    (void)arg;
    ck_assert_ptr_nonnull(file);
    fill(bytes, sizeof(bytes), 0);
    ck_assert_uint_eq(fwrite(bytes, 1, sizeof(bytes), file), sizeof(bytes));
    ck_assert_int_eq(fflush(file), 0);
    both_open(NULL);
    ck_ok(bight_stream_send_file(client.stream, fileno(file), 0, -1));
    ck_ok(bight_stream_read_exactly(server.stream, got, sizeof(got)));
    ck_assert_mem_eq(got, bytes, sizeof(got));
    both_end();
    fclose(file);
    return 0;
}

/* Over sockets, whose addresses and options are those of the connection. */
static int over_sockets(void *arg)
{
    struct bight_address peer;
    char text[64];
    uint16_t port;

    (void)arg;
    port = sockets_open(false);
    ck_ok(bight_stream_peer_address(client.stream, &peer));
    ck_assert_int_eq(peer.port, port);
    ck_ok(bight_stream_local_address(server.stream, &peer));
    ck_assert_int_ge(bight_stream_fd(client.stream), 0);
    ck_ok(bight_stream_set_nagle(client.stream, false));
    ck_ok(bight_stream_set_keepalive(client.stream, 10, 0, 0));
    ck_assert_ptr_eq(
        strstr(bight_stream_describe(client.stream, text, sizeof(text)), "tls tcp 127.0.0.1:"),
        text);
    say(client.stream, "by wire");
    hear(server.stream, "by wire");
    both_end();
    return 0;
}

/* What was read of the stream below before belongs to the handshake. */
static int after_a_prologue(void *arg)
{
    char line[32];

    (void)arg;
    client = (struct wire_end){.host = "localhost", .context = wire_client_context(NULL)};
    server = (struct wire_end){.context = wire_server_context(NULL, &localhost)};
    ck_ok(bight_stream_pair(&client.below, &server.below, NULL));
    say(client.below, "PROXY UNKNOWN\r\n");
    ck_assert_int_eq(bight_stream_read_line(server.below, line, sizeof(line)), 13);
    wire_shake(&client, &server);
    ck_ok(server.code);
    say(client.stream, "after");
    hear(server.stream, "after");
    both_end();
    return 0;
}

static const struct suite_case cases[] = {
    world_case(every_form_of_read_and_write_works, all_forms),
    world_case(tickets_go_with_the_first_word_or_wait, tickets),
    world_case(much_goes_both_ways_at_once, much),
    world_case(much_goes_in_pieces_and_late, in_pieces),
    world_case(keys_are_renewed_on_the_way, new_keys),
    world_case(a_peer_that_says_nothing_at_length_is_cut_off, idle_talk),
    world_case(a_forged_record_ends_the_connection, forged),
    world_case(tls_goes_over_tls, twice),
    world_case(a_select_waits_for_tls, selected),
    world_case(a_copy_goes_through_tls, copied),
    world_case(a_file_goes_through_tls, sends_file),
    world_case(tls_over_sockets_has_their_addresses, over_sockets),
    world_case(a_prologue_may_come_before, after_a_prologue),
};

test_suite("tls_stream", cases, .open = wire_open, .close = wire_close);
