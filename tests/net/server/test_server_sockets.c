/* A server with a listener: connections and handlers that are counted, its end, and what only
 * sockets do. TCP of loopback, and a Unix socket without a file. */
#include "tests/net/server/talk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness/support.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\n"

static struct bight_listener *listener;
static struct bight_task *server;
static struct bight_http_serve_options how;
static int (*handle)(struct bight_exchange *exchange, void *arg);
static bool is_unix;
static char unix_path[64];
static int begun, returned, last; /* handlers, and what the last call in one returned */
static int failures, last_failure, remaining, drains;
static struct bight_event go_on;

static void on_failure(void *arg, const struct bight_exchange *exchange, int code)
{
    (void)arg;
    (void)exchange;
    failures++;
    last_failure = code;
}

static void on_drain(void *arg)
{
    (void)arg;
    drains++;
}

static void on_remaining(void *arg, const struct bight_stream *stream)
{
    (void)arg;
    (void)stream;
    remaining++;
}

static int serve(void *arg)
{
    (void)arg;
    return bight_http_serve(listener, handle, NULL, &how);
}

static void begin(int (*handler)(struct bight_exchange *exchange, void *arg),
                  const struct bight_http_serve_options *options, bool local)
{
    handle = handler;
    how = options ? *options : (struct bight_http_serve_options){0};
    how.on_failure = on_failure;
    how.serve.on_drain = on_drain;
    how.serve.on_remaining = on_remaining;
    is_unix = local;
    begun = returned = failures = last_failure = remaining = drains = 0;
    last = 1;
    bight_event_init(&go_on);
    if (local) {
        snprintf(unix_path, sizeof(unix_path), "@bight-server-%d", (int)getpid());
        ck_ok(bight_unix_listen(&listener, unix_path, NULL));
    } else {
        ck_ok(bight_tcp_listen(&listener, "127.0.0.1", 0, NULL));
    }
    ck_ok(bight_spawn(&server, serve, NULL));
    world_settle();
}

static struct bight_stream *dial(void)
{
    struct bight_stream *client;
    struct bight_address address;

    if (is_unix) {
        ck_ok(bight_unix_connect(&client, unix_path));
        return client;
    }
    ck_ok(bight_listener_address(listener, &address));
    ck_ok(bight_tcp_connect_address(&client, &address, NULL));
    return client;
}

static void say(struct bight_stream *client, const char *text)
{
    ck_ok(bight_stream_write(client, text, strlen(text)));
}

/* What comes up to `until`, or else up to the end, which is told by "<end>" or "<reset>". */
static const char *hear(struct bight_stream *client, const char *until)
{
    static char heard[1 << 20];
    size_t length = 0;
    int64_t count = 1;

    heard[0] = '\0';
    while (count > 0 && !strstr(heard, until)) {
        count = bight_stream_read(client, heard + length, sizeof(heard) - 16 - length);
        if (count > 0)
            length += (size_t)count;
        heard[length] = '\0';
    }
    if (count <= 0)
        strcat(heard, count == 0 ? "<end>" : "<reset>");
    return heard;
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static void wait_for(const int *count, int value)
{
    while (*count < value)
        ck_ok(bight_sleep(1));
    ck_assert_int_eq(*count, value);
}

/* Close the listener and give what the server returned. */
static int end(void)
{
    int status;

    ck_ok(bight_listener_close(listener));
    ck_ok(bight_join(server, &status));
    ck_ok(bight_listener_end(listener));
    return status;
}

/* Handlers */

static int hello(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    begun++;
    return bight_exchange_answer(exchange, 200, NULL, "hello\n", 6);
}

/* Until it is cancelled, or told to go on. */
static int waits(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    begun++;
    last = bight_event_wait(&go_on);
    returned++;
    return last ? last : bight_exchange_answer(exchange, 200, NULL, "hello\n", 6);
}

/* Answers begun, to be cut off. */
static int begins(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    ck_ok(bight_exchange_begin(exchange, 200, -1));
    ck_ok(bight_exchange_write(exchange, "half", 4));
    return BIGHT_EIO;
}

/* Both kinds of sockets: `arg` says which. */

static bool local = true;

static int answers(void *arg)
{
    struct bight_stream *client;

    begin(hello, NULL, arg != NULL);
    client = dial();
    say(client, GET GET);
    ck_assert(has(hear(client, "hello\n"), OK));
    say(client, GET);
    ck_assert(has(hear(client, "hello\n"), OK));
    ck_ok(bight_stream_end(client, 0));
    ck_ok(end());
    ck_assert_int_eq(failures, 0);
    ck_assert_int_eq(drains, 1);
    return 0;
}

static int reset_cancels(void *arg)
{
    struct bight_stream *client;

    begin(waits, NULL, arg != NULL);
    client = dial();
    say(client, GET);
    wait_for(&begun, 1);
    bight_stream_abort(client);
    wait_for(&returned, 1);
    ck_code(last, BIGHT_ECANCELED);
    ck_assert_int_eq(failures, 0);
    return end();
}

static int half_closed(void *arg)
{
    struct bight_stream *client;

    begin(waits, NULL, arg != NULL);
    client = dial();
    say(client, GET);
    ck_ok(bight_stream_shutdown(client));
    wait_for(&begun, 1);
    ck_ok(bight_sleep(5));
    ck_assert_int_eq(returned, 0);
    bight_event_set(&go_on);
    ck_assert(has(hear(client, "<end>"), "hello\n<end>"));
    ck_ok(bight_stream_end(client, 0));
    return end();
}

static int half_closed_is_closed(void *arg)
{
    const struct bight_http_serve_options options = {.cancel_on_end = true};
    struct bight_stream *client;

    begin(waits, &options, arg != NULL);
    client = dial();
    say(client, GET);
    wait_for(&begun, 1);
    ck_ok(bight_stream_shutdown(client));
    wait_for(&returned, 1);
    ck_code(last, BIGHT_ECANCELED);
    ck_ok(bight_stream_end(client, 0));
    return end();
}

/* TCP alone can say that. */
static int half_an_answer(void *arg)
{
    struct bight_stream *client;

    (void)arg;
    begin(begins, NULL, false);
    client = dial();
    say(client, GET);
    ck_assert(has(hear(client, "<reset>"), "<reset>"));
    ck_ok(bight_stream_end(client, 0));
    client = dial();
    say(client, "GET / HTTP/1.0\r\n\r\n");
    ck_assert(has(hear(client, "<reset>"), "<reset>"));
    ck_ok(bight_stream_end(client, 0));
    ck_assert_int_eq(failures, 2);
    return end();
}

/* A refusal is not overtaken by a reset, though the client has said more than was read. */
static int refusal_arrives(void *arg)
{
    static char much[100000];
    struct bight_stream *client;
    const char *answer;

    (void)arg;
    begin(hello, NULL, false);
    client = dial();
    memset(much, 'x', sizeof(much) - 1);
    say(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n");
    say(client, much);
    answer = hear(client, "<end>");
    ck_assert(has(answer, "HTTP/1.1 400 ") && has(answer, "<end>"));
    ck_ok(bight_stream_end(client, 0));
    ck_assert_int_eq(begun, 0);
    return end();
}

/* Numbers */

static int many_running(void *arg)
{
    const struct bight_http_serve_options one = {.max_running = 1, .retry_after_s = 7};
    struct bight_stream *first, *second;
    const char *answer;

    (void)arg;
    begin(waits, &one, false);
    first = dial();
    second = dial();
    say(first, GET);
    wait_for(&begun, 1);
    say(second, GET);
    answer = hear(second, "Unavailable\n");
    ck_assert(has(answer, "HTTP/1.1 503 ") && has(answer, "\r\nRetry-After: 7\r\n"));
    ck_assert(!has(answer, "Connection"));
    ck_assert_int_eq(begun, 1);
    bight_event_set(&go_on);
    ck_assert(has(hear(first, "hello\n"), OK));
    say(second, GET);
    ck_assert(has(hear(second, "hello\n"), OK));
    ck_ok(bight_stream_end(first, 0));
    ck_ok(bight_stream_end(second, 0));
    return end();
}

static int many_of_a_peer(void *arg)
{
    const struct bight_http_serve_options two = {.max_per_peer = 2};
    struct bight_stream *clients[3];
    const char *answer;

    (void)arg;
    begin(hello, &two, false);
    for (int i = 0; i < 3; i++) {
        clients[i] = dial();
        say(clients[i], GET);
        answer = hear(clients[i], i < 2 ? "hello\n" : "<end>");
        ck_assert(has(answer, i < 2 ? OK : "HTTP/1.1 503 "));
    }
    ck_assert(has(answer, "\r\nConnection: close\r\n") && has(answer, "\r\nRetry-After: 1\r\n"));
    ck_assert_int_eq(begun, 2);
    ck_ok(bight_stream_end(clients[0], 0));
    do { /* until the server has seen that */
        ck_ok(bight_stream_end(clients[2], 0));
        clients[2] = dial();
        say(clients[2], GET);
        answer = hear(clients[2], "hello\n");
    } while (!has(answer, OK));
    ck_ok(bight_stream_end(clients[1], 0));
    ck_ok(bight_stream_end(clients[2], 0));
    return end();
}

static int no_peers(void *arg)
{
    const struct bight_http_serve_options one = {.max_per_peer = 1};
    struct bight_stream *clients[3];

    (void)arg;
    begin(hello, &one, true);
    for (int i = 0; i < 3; i++) {
        clients[i] = dial();
        say(clients[i], GET);
        ck_assert(has(hear(clients[i], "hello\n"), OK));
    }
    for (int i = 0; i < 3; i++)
        ck_ok(bight_stream_end(clients[i], 0));
    return end();
}

static int many_connections(void *arg)
{
    const struct bight_http_serve_options one = {.serve = {.max_connections = 1}};
    struct bight_stream *first, *second;

    (void)arg;
    begin(hello, &one, false);
    first = dial();
    say(first, GET);
    ck_assert(has(hear(first, "hello\n"), OK));
    second = dial();
    say(second, GET);
    ck_ok(bight_sleep(10));
    ck_assert_int_eq(begun, 1);
    ck_ok(bight_stream_end(first, 0));
    ck_assert(has(hear(second, "hello\n"), OK));
    ck_ok(bight_stream_end(second, 0));
    return end();
}

/* Its end */

static int64_t since_ms(uint64_t begun_ns)
{
    return (int64_t)((bight_now_ns() - begun_ns) / 1000000);
}

static int drained(void *arg)
{
    struct bight_stream *busy, *late, *idle, *fresh;
    uint64_t closed_ns;
    const char *answer;
    int status;

    (void)arg;
    begin(waits, NULL, false);
    busy = dial();
    late = dial();
    idle = dial();
    fresh = dial(); /* has said nothing yet */
    bight_event_set(&go_on);
    say(idle, GET);
    ck_assert(has(hear(idle, "hello\n"), OK));
    say(late, GET);
    ck_assert(has(hear(late, "hello\n"), OK));
    bight_event_clear(&go_on);
    say(busy, GET);
    wait_for(&begun, 3);
    closed_ns = bight_now_ns();
    ck_ok(bight_listener_close(listener));
    ck_ok(bight_sleep(20));
    ck_assert_int_eq(drains, 1);
    bight_event_set(&go_on);
    answer = hear(busy, "<end>");
    ck_assert(has(answer, "\r\nConnection: close\r\n") && has(answer, "hello\n<end>"));
    say(late, GET GET);
    answer = hear(late, "<end>");
    ck_assert(has(answer, "\r\nConnection: close\r\n") && has(answer, "hello\n<end>"));
    ck_assert_int_eq(begun, 4);
    ck_assert_int_lt(since_ms(closed_ns), 1000);
    ck_assert_str_eq(hear(idle, "<end>"), "<end>");
    ck_assert_str_eq(hear(fresh, "<end>"), "<end>");
    ck_assert_int_ge(since_ms(closed_ns), 990);
    ck_assert_int_eq(remaining, 0);
    ck_ok(bight_stream_end(busy, 0));
    ck_ok(bight_stream_end(late, 0));
    ck_ok(bight_stream_end(idle, 0));
    ck_ok(bight_stream_end(fresh, 0));
    ck_ok(bight_join(server, &status));
    ck_ok(bight_listener_end(listener));
    return status;
}

static int drained_too_late(void *arg)
{
    const struct bight_http_serve_options hasty = {.serve = {.drain_ms = 30}};
    struct bight_stream *client;
    const char *answer;

    (void)arg;
    begin(waits, &hasty, false);
    client = dial();
    say(client, GET);
    wait_for(&begun, 1);
    ck_ok(end());
    ck_assert_int_eq(remaining, 1);
    ck_code(last, BIGHT_ECANCELED);
    answer = hear(client, "<end>");
    ck_assert(has(answer, "HTTP/1.1 503 ") && has(answer, "\r\nConnection: close\r\n"));
    ck_assert_int_eq(failures, 0);
    ck_ok(bight_stream_end(client, 0));
    return 0;
}

static int cancelled(void *arg)
{
    struct bight_stream *client, *idle;
    int status;

    (void)arg;
    begin(waits, NULL, false);
    idle = dial();
    client = dial();
    say(client, GET);
    wait_for(&begun, 1);
    ck_assert(bight_task_cancel(server));
    ck_ok(bight_join(server, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert_int_eq(returned, 1);
    ck_code(last, BIGHT_ECANCELED);
    ck_assert(has(hear(client, "<end>"), "<"));
    ck_assert(has(hear(idle, "<end>"), "<"));
    ck_ok(bight_stream_end(client, 0));
    ck_ok(bight_stream_end(idle, 0));
    return bight_listener_end(listener);
}

/* Files, which the kernel sends where it can. */

static int file;
static int64_t file_bytes, file_length;

static int sends(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    if (file_length != -2)
        ck_ok(bight_exchange_begin(exchange, 200, file_length));
    last = bight_exchange_send_file(exchange, file, 0, file_bytes);
    return last;
}

static const char *ask_file(int64_t bytes, int64_t length)
{
    struct bight_stream *client = dial();
    const char *answer;

    file_bytes = bytes;
    file_length = length;
    say(client, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    answer = hear(client, "<end>");
    ck_ok(bight_stream_end(client, 0));
    return answer;
}

static void make_file(size_t bytes)
{
    char name[] = "/tmp/bight-server-XXXXXX";
    char *text = malloc(bytes);

    memset(text, 'c', bytes);
    file = mkostemp(name, O_CLOEXEC);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, text, bytes), (ssize_t)bytes);
    unlink(name);
    free(text);
}

static int files(void *arg)
{
    const char *answer;

    begin(sends, NULL, arg != NULL);
    make_file(500000);
    answer = ask_file(500000, -2);
    ck_assert(has(answer, "\r\nContent-Length: 500000\r\n"));
    ck_assert_uint_eq(strspn(strstr(answer, "\r\n\r\n") + 4, "c"), 500000);
    answer = ask_file(500000, -1);
    ck_assert(has(answer, "\r\n7a120\r\n"));
    ck_assert_uint_eq(strspn(strstr(answer, "\r\n7a120\r\n") + 9, "c"), 500000);
    ck_assert_str_eq(answer + strlen(answer) - 12, "\r\n0\r\n\r\n<end>");
    close(file);
    return end();
}

static int short_files(void *arg)
{
    (void)arg;
    begin(sends, NULL, false);
    make_file(1000);
    for (int64_t length = -2; length <= 0; length++) {
        ck_assert(has(ask_file(1001, length ? length : 2000), "<reset>"));
        ck_code(last, BIGHT_EOF);
    }
    ck_assert_int_eq(failures, 3);
    close(file);
    return end();
}

/* The kernel does not send this one, and calls it empty. */
static int odd_file(void *arg)
{
    char text[1000];
    ssize_t count;
    const char *answer;

    (void)arg;
    file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(file, 0);
    count = pread(file, text, 100, 0);
    ck_assert_int_eq(count, 100);
    text[100] = '\0';
    begin(sends, NULL, false);
    answer = ask_file(100, -2);
    ck_assert(has(answer, text) && has(answer, "<end>"));
    close(file);
    return end();
}

static const struct suite_case cases[] = {
    world_case(a_server_answers, answers),
    world_case(one_at_a_unix_socket_too, answers, .arg = &local),
    world_case(a_reset_cancels_the_handler, reset_cancels),
    world_case(the_end_of_a_unix_socket_too, reset_cancels, .arg = &local),
    world_case(a_client_that_has_ended_its_half_gets_its_answer, half_closed),
    world_case(at_a_unix_socket_too, half_closed, .arg = &local),
    world_case(unless_the_server_does_not_want_to, half_closed_is_closed),
    world_case(at_a_unix_socket_neither, half_closed_is_closed, .arg = &local),
    world_case(half_an_answer_is_a_reset, half_an_answer),
    world_case(a_refusal_arrives_though_there_is_more, refusal_arrives),
    world_case(so_many_handlers_run_at_a_time, many_running),
    world_case(a_peer_has_so_many_connections, many_of_a_peer),
    world_case(unix_sockets_have_no_peers, no_peers),
    world_case(there_are_so_many_connections, many_connections),
    world_case(a_server_that_ends_answers_what_it_has, drained),
    world_case(a_handler_that_does_not_return_is_cancelled, drained_too_late),
    world_case(a_server_that_is_cancelled_leaves_nothing, cancelled),
    world_case(files_go_out_from_the_kernel, files),
    world_case(over_a_unix_socket_too, files, .arg = &local),
    world_case(a_file_that_is_too_short_is_a_reset, short_files),
    world_case(a_file_that_the_kernel_does_not_send, odd_file),
};

test_suite("server_sockets", cases);
