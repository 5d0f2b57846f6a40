/* net/tls/stream.c and runtime/stream/layer.c: a TLS connection is a stream like others, over pairs
 * in memory and in virtual time. */
#include "tests/net/tls/wire.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

static struct wire_end client, server;

static void both_open(const struct bight_stream_pair_options *options)
{
    wire_connect(&client, &server, options);
}

static void both_end(void)
{
    wire_end(&client, &server);
}

static void say(struct bight_stream *stream, const char *text)
{
    ck_ok(bight_stream_write(stream, text, strlen(text)));
}

static void hear(struct bight_stream *stream, const char *text)
{
    char bytes[256];

    ck_ok(bight_stream_read_exactly(stream, bytes, strlen(text)));
    ck_assert_mem_eq(bytes, text, strlen(text));
}

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

/* Bytes that are known by their place. */
static void fill(char *bytes, size_t count, size_t place)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (char)((place + i) * 7 % 251);
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

/* Ends */

static int half_closed(void *arg)
{
    char byte;

    (void)arg;
    both_open(NULL);
    say(client.stream, "question");
    ck_ok(bight_stream_shutdown(client.stream));
    ck_code(bight_stream_write(client.stream, "!", 1), BIGHT_ECLOSED);
    ck_code(bight_stream_shutdown(client.stream), BIGHT_EALREADY);
    hear(server.stream, "question");
    ck_assert_int_eq(bight_stream_read(server.stream, &byte, 1), 0);
    ck_assert_int_eq(bight_stream_read(server.stream, &byte, 1), 0);
    say(server.stream, "the answer goes on");
    hear(client.stream, "the answer goes on");
    ck_ok(bight_stream_end(server.stream, 0));
    ck_assert_int_eq(bight_stream_read(client.stream, &byte, 1), 0);
    ck_ok(bight_stream_end(client.stream, 0));
    wire_free_contexts(&client, &server);
    return 0;
}

/* What was received and not read is there after a shutdown of our own half. */
static int unread_before_shutdown(void *arg)
{
    (void)arg;
    both_open(NULL);
    say(server.stream, "early words");
    ck_ok(bight_stream_shutdown(client.stream));
    say(server.stream, ", late words");
    hear(client.stream, "early words, late words");
    both_end();
    return 0;
}

/* The connection below ends, and nobody said so: of the server the suite keeps the stream below,
 * which is left when the one above is aborted. */
static void keep_below(void)
{
    client = (struct wire_end){.host = "localhost", .context = wire_client_context(NULL)};
    server = (struct wire_end){.context = wire_server_context(NULL, &localhost),
                               .options.keep_below = true};
    ck_ok(bight_stream_pair(&client.below, &server.below, NULL));
    wire_shake(&client, &server);
    ck_ok(client.code);
    ck_ok(server.code);
}

static int truncated(void *arg)
{
    char bytes[16];

    (void)arg;
    keep_below();
    say(server.stream, "half an ans");
    bight_stream_abort(server.stream);
    ck_ok(bight_stream_shutdown(server.below));
    ck_code(bight_stream_read_exactly(client.stream, bytes, 16), BIGHT_EPROTOCOL);
    hear(client.stream, "half an ans");
    ck_code((int)bight_stream_read(client.stream, bytes, 1), BIGHT_EPROTOCOL);
    ck_code((int)bight_stream_read(client.stream, bytes, 1), BIGHT_EPROTOCOL);
    ck_ok(bight_stream_end(client.stream, 0));
    ck_ok(bight_stream_end(server.below, 0));
    wire_free_contexts(&client, &server);
    return 0;
}

static int reset(void *arg)
{
    char bytes[16];

    (void)arg;
    both_open(NULL);
    say(server.stream, "half an ans");
    bight_stream_abort(server.stream);
    ck_code((int)bight_stream_read(client.stream, bytes, 16), BIGHT_ECONNRESET);
    ck_code((int)bight_stream_write(client.stream, bytes, 16), BIGHT_ECONNRESET);
    ck_ok(bight_stream_end(client.stream, 0));
    wire_free_contexts(&client, &server);
    return 0;
}

/* The usual two over a connection on loopback. */
static uint16_t sockets_open(bool kept)
{
    struct bight_listener *listener;
    struct bight_address address;

    client = (struct wire_end){.host = "localhost", .context = wire_client_context(NULL)};
    server = (struct wire_end){.context = wire_server_context(NULL, &localhost)};
    client.options.keep_below = server.options.keep_below = kept;
    ck_ok(bight_tcp_listen(&listener, "127.0.0.1", 0, NULL));
    ck_ok(bight_listener_address(listener, &address));
    ck_ok(bight_tcp_connect(&client.below, "127.0.0.1", address.port, NULL, NULL));
    ck_ok(bight_listener_accept(&server.below, listener));
    ck_ok(bight_listener_end(listener));
    wire_shake(&client, &server);
    ck_ok(client.code);
    ck_ok(server.code);
    return address.port;
}

static int given_back(void *arg)
{
    char byte;

    (void)arg;
    keep_below();
    say(client.stream, "secret");
    hear(server.stream, "secret");
    ck_ok(bight_stream_end(server.stream, 0));
    ck_assert_int_eq(bight_stream_read(client.stream, &byte, 1), 0);
    say(server.below, "plain"); /* it is open, and the test's */
    ck_ok(bight_stream_end(client.stream, 0));
    ck_code((int)bight_stream_read(server.below, &byte, 1), 1); /* of the client's last word */
    ck_ok(bight_stream_end(server.below, 0));
    wire_free_contexts(&client, &server);
    return 0;
}

/* Over sockets, which could have been half closed by the way: it can be used in both directions. */
static int given_back_patiently(void *arg)
{
    char bytes[64];

    (void)arg;
    sockets_open(true);
    say(client.stream, "never read");
    ck_ok(bight_stream_end(server.stream, 1000));
    ck_assert_int_eq(bight_stream_read(client.stream, bytes, 1), 0);
    ck_ok(bight_stream_end(client.stream, 1000));
    say(server.below, "plain");
    hear(client.below, "plain");
    ck_assert_int_gt(bight_stream_read(server.below, bytes, sizeof(bytes)), 0);
    ck_ok(bight_stream_end(client.below, 0));
    ck_ok(bight_stream_end(server.below, 0));
    wire_free_contexts(&client, &server);
    return 0;
}

static int below_is_taken(void *arg)
{
    struct bight_stream *again;
    char byte;

    (void)arg;
    keep_below();
    ck_code((int)bight_stream_read(server.below, &byte, 1), BIGHT_EBUSY);
    ck_code((int)bight_stream_try_read(server.below, &byte, 1), BIGHT_EBUSY);
    ck_code(bight_stream_write(server.below, "", 1), BIGHT_EBUSY);
    ck_code(bight_stream_shutdown(server.below), BIGHT_EBUSY);
    ck_code(bight_stream_end(server.below, 0), BIGHT_EBUSY);
    ck_code(bight_tls_server(&again, server.below, server.context, NULL, NULL), BIGHT_EBUSY);
    ck_code(bight_tls_get_info(server.below, &(struct bight_tls_info){0}), BIGHT_ENOTSUP);
    ck_assert_ptr_null(bight_tls_native(server.below));
    bight_stream_abort(server.below); /* and the one above with it */
    ck_code((int)bight_stream_read(client.stream, &byte, 1), BIGHT_ECONNRESET);
    ck_ok(bight_stream_end(client.stream, 0));
    wire_free_contexts(&client, &server);
    return 0;
}

static int reads(void *arg)
{
    char byte;

    return (int)bight_stream_read(arg, &byte, 1);
}

static int writes(void *arg)
{
    char bytes[100000] = {0};

    return bight_stream_write(arg, bytes, sizeof(bytes));
}

/* A task inside is told; the last to leave frees all. */
static int ended_under_tasks(void *arg)
{
    const struct bight_stream_pair_options narrow = {.capacity = 1000};
    int status;

    (void)arg;
    for (int way = 0; way < 3; way++) {
        struct bight_task *reader, *writer;

        both_open(&narrow);
        ck_ok(bight_spawn(&reader, reads, client.stream));
        ck_ok(bight_spawn(&writer, writes, client.stream));
        world_settle();
        if (way == 0)
            ck_ok(bight_stream_end(client.stream, 0));
        else if (way == 1)
            bight_stream_abort(client.stream);
        else
            ck_ok(bight_stream_end(client.stream, 10));
        ck_ok(bight_join(reader, &status));
        ck_code(status, BIGHT_ECLOSED);
        ck_ok(bight_join(writer, &status));
        ck_code(status, BIGHT_ECLOSED);
        bight_stream_abort(server.stream);
        wire_free_contexts(&client, &server);
    }
    return 0;
}

static int cancelled_calls(void *arg)
{
    const struct bight_stream_pair_options narrow = {.capacity = 1000};
    struct bight_task *reader, *writer;
    int status;

    (void)arg;
    both_open(&narrow);
    ck_ok(bight_spawn(&reader, reads, client.stream));
    ck_ok(bight_spawn(&writer, writes, client.stream));
    world_settle();
    ck_assert_int_eq(bight_task_cancel(reader), 1);
    ck_ok(bight_join(reader, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert_int_eq(bight_task_cancel(writer), 1);
    ck_ok(bight_join(writer, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert_uint_gt(bight_stream_last_written(client.stream), 0);
    ck_code(bight_stream_write(client.stream, "", 1), BIGHT_EBROKEN);
    say(server.stream, "reading works");
    hear(client.stream, "reading works");
    bight_stream_abort(client.stream);
    bight_stream_abort(server.stream);
    wire_free_contexts(&client, &server);
    return 0;
}

static int ends_patiently(void *arg)
{
    return bight_stream_end(arg, 1000);
}

/* What the peer did not take is sent at the end, while there is time. */
static int end_waits(void *arg)
{
    const struct bight_stream_pair_options narrow = {.capacity = 1000};
    char bytes[10000], got[10000];
    struct bight_task *ender;

    (void)arg;
    both_open(&narrow);
    fill(bytes, sizeof(bytes), 0);
    ck_assert_int_eq(bight_stream_try_write(client.stream, bytes, sizeof(bytes)), 10000);
    ck_code((int)bight_stream_try_write(client.stream, bytes, sizeof(bytes)), BIGHT_EAGAIN);
    ck_ok(bight_spawn(&ender, ends_patiently, client.stream));
    world_settle();
    ck_ok(bight_stream_read_exactly(server.stream, got, sizeof(got)));
    ck_assert_mem_eq(got, bytes, sizeof(got));
    ck_assert_int_eq(bight_stream_read(server.stream, got, 1), 0);
    ck_ok(bight_join(ender, NULL));
    ck_ok(bight_stream_end(server.stream, 0));
    wire_free_contexts(&client, &server);
    return 0;
}

/* The peer takes nothing: the end gives up in time. */
static int end_gives_up(void *arg)
{
    const struct bight_stream_pair_options narrow = {.capacity = 1000};
    uint64_t begin_ns;
    char bytes[10000] = {0};

    (void)arg;
    both_open(&narrow);
    ck_assert_int_eq(bight_stream_try_write(client.stream, bytes, sizeof(bytes)), 10000);
    begin_ns = bight_now_ns();
    ck_ok(bight_stream_end(client.stream, 1000));
    ck_assert_uint_eq(bight_now_ns() - begin_ns, 1000000000u);
    bight_stream_abort(server.stream);
    wire_free_contexts(&client, &server);
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
    world_case(much_goes_both_ways_at_once, much),
    world_case(much_goes_in_pieces_and_late, in_pieces),
    world_case(one_half_ends_and_the_other_goes_on, half_closed),
    world_case(a_shutdown_loses_nothing_unread, unread_before_shutdown),
    world_case(an_end_without_a_word_is_no_end, truncated),
    world_case(a_reset_is_one, reset),
    world_case(a_stream_below_is_given_back, given_back),
    world_case(a_stream_below_is_given_back_in_both_directions, given_back_patiently),
    world_case(a_stream_below_is_nobody_elses, below_is_taken),
    world_case(an_end_wakes_the_tasks_inside, ended_under_tasks),
    world_case(cancelled_calls_leave_a_state, cancelled_calls),
    world_case(an_end_waits_for_the_peer, end_waits),
    world_case(an_end_waits_no_longer_than_told, end_gives_up),
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
