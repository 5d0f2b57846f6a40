/* net/tls/stream.c and runtime/stream/layer.c: what reading and writing have to do with each other
 * in a TLS connection, over pairs in memory and in virtual time. */
#include "tests/net/tls/talk.h"

#include <bight/testing.h>
#include <openssl/ssl.h>
#include <string.h>

/* A ticket that is too long for one record */

#define RECORD_BYTES 512
#define TICKET_BYTES 1000

/* With room for the first record and a part of the second, which comes a moment later. */
#define CAPACITY 700
#define DELAY_MS 10

static int lengthen(SSL *ssl, void *arg)
{
    static const char filling[TICKET_BYTES];

    (void)arg;
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), filling, sizeof(filling));
}

static SSL_TICKET_RETURN accept_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                       size_t name_bytes, SSL_TICKET_STATUS status, void *arg)
{
    (void)ssl;
    (void)session;
    (void)name;
    (void)name_bytes;
    (void)status;
    (void)arg;
    return SSL_TICKET_RETURN_IGNORE;
}

static int long_tickets(void *arg, struct ssl_ctx_st *native)
{
    (void)arg;
    ck_assert_int_eq(SSL_CTX_set_session_ticket_cb(native, lengthen, accept_ticket, NULL), 1);
    ck_assert_int_eq(SSL_CTX_set_max_send_fragment(native, RECORD_BYTES), 1);
    return 0;
}

/* The client has half a ticket; the server's word is behind it. */
static void half_a_ticket(void)
{
    const struct bight_tls_context_options as_server = {.configure = long_tickets};
    const struct bight_stream_pair_options narrow = {.capacity = CAPACITY, .delay_ms = DELAY_MS};
    char byte;

    client = (struct wire_end){.host = "localhost", .context = wire_client_context(NULL)};
    server = (struct wire_end){.context = wire_server_context(&as_server, &localhost)};
    ck_ok(bight_stream_pair(&client.below, &server.below, &narrow));
    wire_shake(&client, &server);
    ck_ok(client.code);
    ck_ok(server.code);
    say(server.stream, "hi");
    ck_ok(bight_sleep(DELAY_MS + 1));
    ck_assert_int_eq(bight_stream_try_read(client.stream, &byte, 1), BIGHT_EAGAIN);
    ck_assert_int_eq(SSL_in_init(bight_tls_native(client.stream)), 1);
}

static int writes_behind(void *arg)
{
    (void)arg;
    half_a_ticket();
    ck_assert_int_eq(bight_stream_try_write(client.stream, "hello", 5), BIGHT_EAGAIN);
    say(client.stream, "hello");
    hear(server.stream, "hello");
    hear(client.stream, "hi");
    both_end();
    return 0;
}

static int shuts_down_behind(void *arg)
{
    char byte;

    (void)arg;
    half_a_ticket();
    ck_ok(bight_stream_shutdown(client.stream));
    ck_assert_int_eq(bight_stream_read(server.stream, &byte, 1), 0);
    hear(client.stream, "hi");
    both_end();
    return 0;
}

static int reads_the_end(void *arg)
{
    struct bight_stream *stream = arg;
    char byte;

    return (int)bight_stream_read(stream, &byte, 1);
}

static int ends_behind(void *arg)
{
    struct bight_task *reader;

    (void)arg;
    half_a_ticket();
    ck_ok(bight_spawn(&reader, reads_the_end, server.stream));
    ck_ok(bight_stream_end(client.stream, 1000));
    ck_ok(bight_join(reader, NULL));
    ck_ok(bight_stream_end(server.stream, 0));
    wire_free_contexts(&client, &server);
    return 0;
}

/* The same, with the rest in the test's hands: `near` is the other end of the client's stream, and
 * `far` of the server's. */
static struct bight_stream *near, *far;
static char rest[4 * TICKET_BYTES];
static size_t rest_bytes;

static int carries_to_server(void *arg)
{
    (void)arg;
    return (int)bight_stream_copy(near, far);
}

static int carries_to_client(void *arg)
{
    (void)arg;
    return (int)bight_stream_copy(far, near);
}

static void stop(struct bight_task *task)
{
    ck_assert_int_eq(bight_task_cancel(task), 1);
    ck_ok(bight_join(task, NULL));
}

static int writes_hello(void *arg)
{
    (void)arg;
    return bight_stream_write(client.stream, "hello", 5);
}

/* A task that waits to write behind half a ticket. */
static struct bight_task *waits_behind(void)
{
    const struct bight_tls_context_options as_server = {.configure = long_tickets};
    struct bight_task *carriers[2], *writer;
    char byte;
    int64_t count;

    client = (struct wire_end){.host = "localhost", .context = wire_client_context(NULL)};
    server = (struct wire_end){.context = wire_server_context(&as_server, &localhost)};
    ck_ok(bight_stream_pair(&client.below, &near, NULL));
    ck_ok(bight_stream_pair(&server.below, &far, NULL));
    ck_ok(bight_spawn(&carriers[0], carries_to_server, NULL));
    ck_ok(bight_spawn(&carriers[1], carries_to_client, NULL));
    wire_shake(&client, &server);
    ck_ok(client.code);
    ck_ok(server.code);
    stop(carriers[0]);
    stop(carriers[1]);
    say(server.stream, "hi");
    count = bight_stream_try_read(far, rest, sizeof(rest));
    ck_assert_int_gt(count, CAPACITY);
    rest_bytes = (size_t)count - CAPACITY;
    ck_ok(bight_stream_write(near, rest, CAPACITY));
    ck_assert_int_eq(bight_stream_try_read(client.stream, &byte, 1), BIGHT_EAGAIN);
    ck_ok(bight_spawn(&writer, writes_hello, NULL));
    world_settle();
    ck_assert(!bight_task_done(writer));
    return writer;
}

static void rest_comes(void)
{
    ck_assert_int_eq(bight_stream_try_write(near, rest + CAPACITY, rest_bytes),
                     (int64_t)rest_bytes);
}

/* What the server hears, once it is carried there. */
static void server_hears(const char *text)
{
    struct bight_task *carrier;

    ck_ok(bight_spawn(&carrier, carries_to_server, NULL));
    hear(server.stream, text);
    stop(carrier);
}

static void waits_end(struct bight_task *writer, int code)
{
    int status;

    ck_ok(bight_join(writer, &status));
    ck_code(status, code);
    if (code)
        say(client.stream, "again"); /* nothing of the other went out */
    server_hears(code ? "again" : "hello");
    hear(client.stream, "hi");
    bight_stream_abort(client.stream);
    bight_stream_abort(server.stream);
    bight_stream_abort(near);
    bight_stream_abort(far);
    wire_free_contexts(&client, &server);
}

static int woken_behind(void *arg)
{
    struct bight_task *writer = waits_behind();

    (void)arg;
    rest_comes();
    waits_end(writer, 0);
    return 0;
}

static int cancelled_behind(void *arg)
{
    struct bight_task *writer = waits_behind();

    (void)arg;
    ck_assert_int_eq(bight_task_cancel(writer), 1);
    world_settle();
    rest_comes();
    waits_end(writer, BIGHT_ECANCELED);
    return 0;
}

static int woken_then_cancelled_behind(void *arg)
{
    struct bight_task *writer = waits_behind();

    (void)arg;
    rest_comes();
    ck_assert_int_eq(bight_task_cancel(writer), 1);
    waits_end(writer, 0);
    return 0;
}

static int cancelled_then_woken_behind(void *arg)
{
    struct bight_task *writer = waits_behind();

    (void)arg;
    ck_assert_int_eq(bight_task_cancel(writer), 1);
    rest_comes();
    waits_end(writer, BIGHT_ECANCELED);
    return 0;
}

static int out_of_time_behind(void *arg)
{
    (void)arg;
    half_a_ticket();
    ck_code(bight_timeout(DELAY_MS / 2, writes_hello, NULL), BIGHT_ETIMEDOUT);
    say(client.stream, "again");
    hear(server.stream, "again");
    hear(client.stream, "hi");
    both_end();
    return 0;
}

/* An end that has to wait several layers down */

static int reads_late(void *arg)
{
    char bytes[512];
    int64_t count;

    ck_ok(bight_sleep(200));
    while ((count = bight_stream_read(arg, bytes, sizeof(bytes))) > 0)
        continue;
    return (int)count;
}

/* So many bytes that the pair takes the record of the inner stream and not its last word. */
static int ends_in_layers(void *arg)
{
    static const struct bight_stream_pair_options narrow = {.capacity = 2048};
    struct wire_end inner_client, inner_server;
    struct bight_task *reader;
    char bytes[1954] = {0}, byte;
    uint64_t began_ns;

    (void)arg;
    both_open(&narrow);
    inner_client =
        (struct wire_end){.below = client.stream, .host = "localhost", .context = client.context};
    inner_server = (struct wire_end){.below = server.stream, .context = server.context};
    wire_shake(&inner_client, &inner_server);
    ck_ok(inner_client.code);
    ck_ok(inner_server.code);
    ck_assert_int_eq(bight_stream_try_read(inner_server.stream, &byte, 1), BIGHT_EAGAIN);
    ck_assert_int_eq(bight_stream_try_read(inner_client.stream, &byte, 1), BIGHT_EAGAIN);
    ck_ok(bight_stream_write(inner_client.stream, bytes, sizeof(bytes)));
    ck_ok(bight_spawn(&reader, reads_late, inner_server.stream));
    began_ns = bight_now_ns();
    ck_ok(bight_stream_end(inner_client.stream, 5000));
    ck_assert_uint_lt(bight_now_ns() - began_ns, UINT64_C(1000000000));
    ck_ok(bight_join(reader, NULL));
    ck_ok(bight_stream_end(inner_server.stream, 0));
    wire_free_contexts(&client, &server);
    return 0;
}

/* A write that fails is none of the reader's business */

static int after_crowded_shutdown(void *arg)
{
    static const struct bight_stream_pair_options narrow = {.capacity = 4096};
    char bytes[4074] = {0}; /* the pair takes this record and no byte more */

    (void)arg;
    both_open(&narrow);
    say(server.stream, "answer");
    ck_ok(bight_stream_write(client.stream, bytes, sizeof(bytes)));
    ck_ok(bight_stream_shutdown(client.stream));
    ck_code(bight_stream_write(client.stream, "more", 4), BIGHT_ECLOSED);
    ck_code(bight_stream_shutdown(client.stream), BIGHT_EALREADY);
    hear(client.stream, "answer");
    ck_ok(bight_stream_read_exactly(server.stream, bytes, sizeof(bytes)));
    ck_assert_int_eq(bight_stream_read(server.stream, bytes, 1), 0);
    both_end();
    return 0;
}

/* Allocations until the write that has to keep a part of itself; 0: not known yet. */
static uint64_t before_write;

static int writes_without_memory(void *arg)
{
    static const struct bight_stream_pair_options narrow = {.capacity = 4096};
    struct bight_test_result so_far = {0};
    struct bight_stream *left[2], *right[2];
    char bytes[8192] = {0};
    const void *data;

    both_open(&narrow);
    say(server.stream, "answer");
    for (int i = 0; i < 2; i++) { /* the runtime's spare chunks are in use */
        ck_ok(bight_stream_pair(&left[i], &right[i], NULL));
        ck_ok(bight_stream_write(left[i], "z", 1));
        ck_assert_int_eq(bight_stream_peek(right[i], &data, 1), 1);
    }
    ck_ok(bight_test_progress(&so_far));
    before_write = so_far.allocs;
    if (arg) {
        ck_assert_int_eq(bight_stream_try_write(client.stream, bytes, 8192), BIGHT_ENOMEM);
        hear(client.stream, "answer");
    }
    ck_assert_int_eq(bight_stream_try_write(client.stream, bytes, 8192), 8192);
    ck_ok(bight_stream_read_exactly(server.stream, bytes, sizeof(bytes)));
    for (int i = 0; i < 2; i++) {
        bight_stream_abort(left[i]);
        bight_stream_abort(right[i]);
    }
    both_end();
    return 0;
}

static void a_write_without_memory_may_be_made_again(void)
{
    struct bight_test_options options = {.seed = 1};

    ck_ok(bight_test_run(&options, writes_without_memory, NULL, NULL));
    options.alloc = before_write + 1;
    options.alloc_count = 1;
    ck_ok(bight_test_run(&options, writes_without_memory, &options, NULL));
}

/* A select over both ends: to try the second, a server that has tickets to send, readies the first.
 */
static int both_ends_selected(void *arg)
{
    struct bight_case cases[3];

    (void)arg;
    client = (struct wire_end){
        .host = "localhost", .context = wire_client_context(NULL), .options.keep_below = true};
    server = (struct wire_end){.context = wire_server_context(NULL, &localhost)};
    ck_ok(bight_stream_pair(&client.below, &server.below, NULL));
    wire_shake(&client, &server);
    ck_ok(client.code);
    ck_ok(server.code);
    bight_stream_abort(client.stream);
    bight_case_readable(&cases[0], client.below);
    bight_case_readable(&cases[1], server.stream);
    bight_case_sleep(&cases[2], 1000);
    ck_assert_int_eq(bight_select(cases, 3, BIGHT_SELECT_ORDERED), 0);
    ck_ok(cases[0].status);
    bight_stream_abort(server.stream);
    bight_stream_abort(client.below);
    wire_free_contexts(&client, &server);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(a_write_waits_for_the_rest_of_a_message, writes_behind),
    world_case(such_a_write_is_woken, woken_behind),
    world_case(such_a_write_is_cancelled, cancelled_behind),
    world_case(such_a_write_woken_then_cancelled_goes_out, woken_then_cancelled_behind),
    world_case(such_a_write_cancelled_then_woken_does_not, cancelled_then_woken_behind),
    world_case(such_a_write_runs_out_of_time, out_of_time_behind),
    world_case(a_shutdown_waits_for_the_rest_of_a_message, shuts_down_behind),
    world_case(an_end_waits_for_the_rest_of_a_message, ends_behind),
    world_case(an_end_waits_several_layers_down, ends_in_layers),
    world_case(a_shutdown_does_not_wait_for_room, after_crowded_shutdown),
    plain_case(a_write_without_memory_may_be_made_again),
    world_case(a_select_notices_what_its_own_attempt_readied, both_ends_selected),
};

test_suite("tls_directions", cases, .open = wire_open, .close = wire_close);
