/* Both sides of WebSocket with each other: handshakes of the client, messages in both directions at
 * once, and resets. */
#include "tests/net/websocket/frames.h"

#include <stdlib.h>
#include <string.h>

/* The client's handshake, against text. */

#define AGREED_ANSWER AGREED_BEGIN "\r\n"

enum { SAYS_NOTHING = 0, TALKS_FOR_EVER = 7, SLEEPS = 8 };

static const char *const texts[] = {
    "", /* and ends */
    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    (AGREED_ANSWER), /* to another key */
    "HTTP/1.0 101 Switching Protocols\r\n\r\n",
    "HTTP/1.1 1O1 Switching Protocols\r\n\r\n",
    "SSH-2.0-OpenSSH\r\n\r\n",
    NULL,
    NULL,
    ("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
     "HTTP/1.1 404 Not Found\r\n\r\n"),
    "HTTP/1.1 103 Early Hints\r\n\r\n", /* and no more */
};

/* A header of the request says what to answer. */
static int serve_text(void *arg)
{
    struct bight_stream **pair = arg;
    char request[2048];
    int64_t count = bight_stream_read_until(pair[1], request, sizeof(request), "\r\n\r\n", 4);
    const char *answer;
    int which, rc = 0;

    ck_assert_int_gt(count, 0);
    request[count] = '\0';
    answer = strstr(request, "X-Answer: ");
    ck_assert_ptr_nonnull(answer);
    which = atoi(answer + 10);
    if (which == SLEEPS)
        return bight_sleep(100000);
    while (rc == 0 && which == TALKS_FOR_EVER)
        rc = bight_stream_write(pair[1], "HTTP/1.1 101 x\r\n", 16);
    if (rc)
        return 0;
    ck_ok(bight_stream_write(pair[1], texts[which], strlen(texts[which])));
    if (which == SAYS_NOTHING)
        ck_ok(bight_stream_shutdown(pair[1]));
    return 0;
}

static const struct {
    const char *header;
    int code, status;
} answers[] = {
    {"X-Answer: 0", BIGHT_EOF, 0},          {"X-Answer: 1", BIGHT_EFORBIDDEN, 404},
    {"X-Answer: 2", BIGHT_EPROTOCOL, 101},  {"X-Answer: 3", BIGHT_EPROTOCOL, 101},
    {"X-Answer: 4", BIGHT_EPROTOCOL, 0},    {"X-Answer: 5", BIGHT_EPROTOCOL, 0},
    {"X-Answer: 6", BIGHT_EPROTOCOL, 0},    {"X-Answer: 7", BIGHT_ETOOBIG, 0},
    {"X-Answer: 8", BIGHT_ETIMEDOUT, 0},    {"X-Answer: 9", BIGHT_EFORBIDDEN, 404},
    {"X-Answer: 10", BIGHT_ETIMEDOUT, 103},
};

static int hears(void *arg)
{
    int i = *(int *)arg, status = 1;
    const char *const headers[] = {answers[i].header};
    const struct bight_websocket_options options = {.headers = headers, .header_count = 1};
    struct bight_websocket *socket = NULL;
    struct bight_stream *pair[2];
    struct bight_task *task;

    ck_ok(bight_stream_pair(&pair[0], &pair[1], NULL));
    ck_ok(bight_spawn(&task, serve_text, pair));
    ck_code(bight_websocket_connect(&socket, pair[0], "a", "/", &options, &status),
            answers[i].code);
    ck_assert_int_eq(status, answers[i].status);
    ck_assert_ptr_null(socket);
    bight_stream_abort(pair[0]);
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    bight_stream_abort(pair[1]);
    return 0;
}

static void an_answer_that_does_not_agree_is_refused(int i)
{
    ck_ok(world_run(hears, &i, NULL));
}

static int cannot_ask(void *arg)
{
    static const char *const header_sets[][1] = {{"none"}, {"A: b\r\nC: d"}, {"A b: c"}, {NULL}};
    struct bight_websocket *socket;
    struct bight_stream *left, *right;

    (void)arg;
    ck_ok(bight_stream_pair(&left, &right, NULL));
    ck_code(bight_websocket_connect(&socket, left, "", "/", NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_websocket_connect(&socket, left, "a b", "/", NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_websocket_connect(&socket, left, "a", "x", NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_websocket_connect(&socket, left, "a", "/\r\n", NULL, NULL), BIGHT_EINVAL);
    for (size_t i = 0; i < 4; i++) {
        const struct bight_websocket_options options = {.headers = header_sets[i],
                                                        .header_count = 1};

        ck_code(bight_websocket_connect(&socket, left, "a", "/", &options, NULL), BIGHT_EINVAL);
    }
    bight_stream_abort(left);
    bight_stream_abort(right);
    return 0;
}

/* The trace context of the task goes with the request, where that is asked for. */

#define PARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define OTHER "00-11111111111111111111111111111111-2222222222222222-00"

static char asked[4096];

static int notes_request(void *stream)
{
    int64_t count = bight_stream_read_until(stream, asked, sizeof(asked) - 1, "\r\n\r\n", 4);

    ck_assert_int_gt(count, 0);
    asked[count] = '\0';
    ck_ok(bight_stream_write(stream, texts[1], strlen(texts[1])));
    return 0;
}

/* Whether the request has exactly these lines of the kind. */
static void asks_with(const char *header, bool traces, const char *parent, const char *state)
{
    const struct bight_websocket_options options = {
        .headers = &header, .header_count = header ? 1 : 0, .trace_context = traces};
    struct bight_websocket *socket;
    struct bight_stream *left, *right;
    struct bight_task *task;
    const char *found;

    ck_ok(bight_stream_pair(&left, &right, NULL));
    ck_ok(bight_spawn(&task, notes_request, right));
    ck_code(bight_websocket_connect(&socket, left, "a", "/", &options, NULL), BIGHT_EFORBIDDEN);
    ck_ok(bight_join(task, NULL));
    found = strcasestr(asked, "traceparent:");
    ck_assert_int_eq(found != NULL, parent != NULL);
    if (parent) {
        ck_assert_int_eq(strncmp(found + 13, parent, strlen(parent)), 0);
        ck_assert_int_eq(strncmp(found + 13 + strlen(parent), "\r\n", 2), 0);
        ck_assert_ptr_null(strcasestr(found + 1, "traceparent:"));
    }
    found = strcasestr(asked, "tracestate:");
    ck_assert_int_eq(found != NULL, state != NULL);
    if (state)
        ck_assert_int_eq(strncmp(found + 12, state, strlen(state)), 0);
    bight_stream_abort(left);
    bight_stream_abort(right);
}

static int traces(void *arg)
{
    struct bight_trace_context context;

    (void)arg;
    asks_with(NULL, true, NULL, NULL);
    ck_ok(bight_trace_context_parse(&context, PARENT));
    ck_ok(bight_trace_context_set(&context, NULL));
    asks_with(NULL, false, NULL, NULL);
    asks_with(NULL, true, PARENT, NULL);
    ck_ok(bight_trace_context_set(&context, "rojo=1,congo=2"));
    asks_with(NULL, false, NULL, NULL);
    asks_with("X-Test: yes", true, PARENT, "rojo=1,congo=2\r\n");
    asks_with("Traceparent: " OTHER, true, OTHER, NULL);
    return 0;
}

static int agrees_on_protocol(void *arg)
{
    static const char *const ours[] = {"x", "y"}, *const theirs[] = {"z", "y"};
    const struct bight_websocket_options server = {.protocols = theirs, .protocol_count = 2},
                                         client = {.protocols = ours, .protocol_count = 2};
    struct bight_websocket *socket = frames_connect(frames_echo, &server, &client, NULL);

    (void)arg;
    ck_assert_str_eq(bight_websocket_protocol(socket), "y");
    ck_assert_str_eq(bight_websocket_protocol(frames_socket), "y");
    ck_ok(bight_websocket_close(socket, 1000, NULL, 1000));
    return frames_leave(socket);
}

/* Messages */

static char *large_text(size_t bytes)
{
    char *text = malloc(bytes + 1);

    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < bytes; i++)
        text[i] = (char)('a' + i % 26);
    text[bytes] = '\0';
    return text;
}

#define SIZES 11
static const size_t sizes[SIZES] = {0, 1, 125, 126, 4095, 4097, 16384, 16385, 65535, 65536, 300000};

static int send_all(void *arg)
{
    for (size_t i = 0; i < SIZES; i++) {
        char *text = large_text(sizes[i]);

        ck_ok(bight_websocket_send(arg, BIGHT_WEBSOCKET_TEXT, text, sizes[i]));
        free(text);
    }
    return 0;
}

static void receive_all(struct bight_websocket *socket)
{
    for (size_t i = 0; i < SIZES; i++) {
        char *text = large_text(sizes[i]);
        struct bight_websocket_message message;

        ck_ok(bight_websocket_receive(socket, &message));
        ck_assert_uint_eq(message.bytes, sizes[i]);
        ck_assert_mem_eq(message.data, text, sizes[i] + 1);
        free(text);
    }
}

/* Each side sends before it has received anything: neither waits for the other. */
static int both_ways(struct bight_websocket *socket)
{
    struct bight_group group;

    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, send_all, socket));
    receive_all(socket);
    ck_ok(bight_group_end(&group, 0));
    return 0;
}

static int both_then_close(struct bight_websocket *socket)
{
    both_ways(socket);
    return bight_websocket_close(socket, 1000, NULL, 5000);
}

static int crosses(void *arg)
{
    const struct bight_stream_pair_options *pair = arg;
    struct bight_websocket *client = frames_connect(both_then_close, NULL, NULL, pair);
    struct bight_websocket_message message;

    both_ways(client);
    ck_code(bight_websocket_receive(client, &message), BIGHT_EOF);
    ck_assert_int_eq(bight_websocket_close_code(client), 1000);
    ck_ok(frames_leave(client));
    ck_assert_int_eq(frames_result, 0);
    return 0;
}

static void all_lengths_go_both_ways_at_once(int i)
{
    static struct bight_stream_pair_options pairs[] = {
        {.capacity = 64 << 10},
        {.capacity = 200, .split = true},
        {.capacity = 5000, .delay_ms = 1},
        {.capacity = 1000, .read_max = 100, .write_max = 300},
    };

    ck_ok(world_run(crosses, &pairs[i], NULL));
}

/* Without Close in between, a client's large message can be read in pieces, above the limit. */
static int counts(struct bight_websocket *socket)
{
    enum bight_websocket_type type;
    char piece[1000];
    int64_t count, all = 0;

    ck_ok(bight_websocket_next(socket, &type));
    while ((count = bight_websocket_read(socket, piece, sizeof(piece))) > 0)
        all += count;
    ck_ok((int)count);
    ck_assert_int_eq(all, 300000);
    return bight_websocket_close(socket, 1000, NULL, 5000);
}

static int above_the_limit(void *arg)
{
    const struct bight_websocket_options options = {.max_message_bytes = 100};
    struct bight_websocket *client = frames_connect(counts, &options, NULL, NULL);
    char *text = large_text(300000);
    struct bight_websocket_message message;

    (void)arg;
    ck_ok(bight_websocket_send_part(client, BIGHT_WEBSOCKET_TEXT, text, 100000, false));
    ck_code(bight_websocket_send(client, BIGHT_WEBSOCKET_TEXT, "x", 1), BIGHT_EINVAL);
    ck_code(bight_websocket_send_part(client, BIGHT_WEBSOCKET_BINARY, "x", 1, true), BIGHT_EINVAL);
    ck_ok(bight_websocket_send_part(client, BIGHT_WEBSOCKET_TEXT, text + 100000, 200000, true));
    ck_code(bight_websocket_receive(client, &message), BIGHT_EOF);
    free(text);
    ck_ok(frames_leave(client));
    return frames_result;
}

static int text_only(void *arg)
{
    struct bight_websocket *client = frames_connect(frames_echo, NULL, NULL, NULL);
    struct bight_websocket_message message;

    (void)arg;
    ck_code(bight_websocket_send(client, BIGHT_WEBSOCKET_TEXT, "\xff", 1), BIGHT_EINVAL);
    ck_code(bight_websocket_send(client, BIGHT_WEBSOCKET_TEXT, "\xc3", 1), BIGHT_EINVAL);
    ck_code(bight_websocket_send(client, (enum bight_websocket_type)3, "x", 1), BIGHT_EINVAL);
    ck_ok(bight_websocket_send_part(client, BIGHT_WEBSOCKET_TEXT, "\xc3", 1, false));
    ck_code(bight_websocket_send_part(client, BIGHT_WEBSOCKET_TEXT, "x", 1, true), BIGHT_EINVAL);
    ck_ok(bight_websocket_send_part(client, BIGHT_WEBSOCKET_TEXT, "\xbc", 1, true));
    ck_ok(bight_websocket_receive(client, &message));
    ck_assert_str_eq(message.data, "\xc3\xbc");
    ck_ok(bight_websocket_close(client, 0, NULL, 1000));
    ck_ok(frames_leave(client));
    ck_assert_int_eq(frames_result, BIGHT_EOF);
    return 0;
}

/* A client insists that a server does not mask. */
static int masks(void *arg)
{
    struct bight_websocket *client;
    struct bight_websocket_message message;

    (void)arg;
    client = frames_connect(frames_wait, NULL, NULL, NULL);
    ck_ok(bight_stream_write(frames_stream, "\x81\x80xxxx", 6));
    ck_code(bight_websocket_receive(client, &message), BIGHT_EPROTOCOL);
    ck_code(bight_websocket_receive(frames_socket, &message), BIGHT_EOF);
    ck_assert_int_eq(bight_websocket_close_code(frames_socket), 1002);
    return frames_leave(client);
}

/* The handshake, and some messages. */
#define RESETS 400

/* A reset after each number of bytes: every call says so, and nothing is left. */
static int is_reset(void *arg)
{
    struct bight_stream_pair_options pair = {.reset_after = *(uint64_t *)arg};
    struct bight_websocket *client;
    int rc;

    frames_serve(frames_echo, NULL, &pair);
    rc = bight_websocket_connect(&client, talk_client, "example.org", "/chat", NULL, NULL);
    if (rc == 0) {
        struct bight_websocket_message message;

        while (rc == 0) {
            rc = bight_websocket_send(client, BIGHT_WEBSOCKET_TEXT, "hello", 5);
            if (rc == 0)
                rc = bight_websocket_receive(client, &message);
        }
        ck_ok(bight_websocket_free(client));
    }
    ck_assert_msg(rc == BIGHT_ECONNRESET || rc == BIGHT_EPIPE || rc == BIGHT_EOF, "%s",
                  bight_error_name(rc));
    talk_end();
    return 0;
}

static void a_reset_is_told_wherever_it_comes(int i)
{
    for (uint64_t after = (uint64_t)i + 1; after <= RESETS; after += 8)
        ck_ok(world_run(is_reset, &after, NULL));
}

static const struct suite_case cases[] = {
    each_case(an_answer_that_does_not_agree_is_refused, sizeof(answers) / sizeof(*answers)),
    world_case(what_cannot_be_sent_is_refused, cannot_ask),
    world_case(both_sides_know_the_protocol, agrees_on_protocol),
    world_case(the_trace_context_of_the_task_goes_along, traces),
    each_case(all_lengths_go_both_ways_at_once, 4),
    world_case(pieces_may_be_more_than_the_limit, above_the_limit),
    world_case(only_text_goes_as_text, text_only),
    world_case(a_server_must_not_mask, masks),
    each_case(a_reset_is_told_wherever_it_comes, 8),
};

test_suite("websocket_talk", cases);
