/* net/tls/stream.c and runtime/stream/layer.c: how a TLS connection ends, by which side's will, and
 * what becomes of the stream below. */
#include "tests/net/tls/talk.h"

#include <string.h>

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

static const struct suite_case cases[] = {
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
};

test_suite("tls_end", cases, .open = wire_open, .close = wire_close);
