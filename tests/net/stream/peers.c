/* See peers.h. */
#include "tests/net/stream/peers.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/net/stream/served.h"

#define MUCH_BYTES ((size_t)1 << 20)

extern char **environ;

void tool_needed(int argc, char **argv)
{
    char command[64];

    (void)argc;
    (void)argv;
    snprintf(command, sizeof(command), "command -v %s >/dev/null", the_tool.name);
    if (system(command) != 0)
        test_skip(the_tool.name);
}

/* Where a scene is played. */

static enum place place;
static char host[64], port[8];
static char folder[32];

static void choose(void)
{
    strcpy(folder, "/tmp/bight-peers-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    if (place == PLACE_UNIX)
        snprintf(host, sizeof(host), "%s/socket", folder);
    else
        strcpy(host, place == PLACE_IPV4 ? "127.0.0.1" : "::1");
    snprintf(port, sizeof(port), "%u", wire_free_port());
}

static void leave(void)
{
    char path[64];

    snprintf(path, sizeof(path), "%s/socket", folder);
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static struct bight_listener *listen_there(void)
{
    struct bight_listener *listener = NULL;

    if (place == PLACE_UNIX)
        ck_ok(bight_unix_listen(&listener, host, NULL));
    else
        ck_ok(bight_tcp_listen(&listener, host, (uint16_t)atoi(port), NULL));
    return listener;
}

static struct bight_stream *connect_there(void)
{
    struct bight_stream *stream = NULL;

    if (place == PLACE_UNIX)
        ck_ok(bight_unix_connect(&stream, host));
    else
        ck_ok(bight_tcp_connect(&stream, host, (uint16_t)atoi(port), NULL, NULL));
    return stream;
}

/* The tool, as a process */

struct process {
    pid_t pid;
    struct bight_stream *in, *out, *err; /* its standard streams: the first is written to */
};

static void start(struct process *process, struct words words)
{
    posix_spawn_file_actions_t actions;
    struct bight_stream **streams[] = {&process->in, &process->out, &process->err};
    int pipes[3][2];

    ck_assert_int_eq(posix_spawn_file_actions_init(&actions), 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pipe2(pipes[i], O_CLOEXEC), 0);
        ck_assert_int_eq(posix_spawn_file_actions_adddup2(&actions, pipes[i][i != 0], i), 0);
    }
    ck_assert_int_eq(posix_spawnp(&process->pid, words.at[0], &actions, NULL,
                                  (char **)(uintptr_t)words.at, environ),
                     0);
    posix_spawn_file_actions_destroy(&actions);
    for (int i = 0; i < 3; i++) {
        close(pipes[i][i != 0]);
        ck_ok(bight_stream_from_fd(streams[i], pipes[i][i == 0]));
    }
}

static void start_client(struct process *process)
{
    start(process, the_tool.connects(place, host, port));
}

static void start_listener(struct process *process)
{
    char line[256];

    start(process, the_tool.listens(place, host, port));
    do {
        ck_assert_int_ge(bight_stream_read_line(process->err, line, sizeof(line)), 0);
    } while (!strcasestr(line, "listening"));
}

/* It says nothing more. Returns its status, as waitpid gives it. */
static int finish(struct process *process)
{
    char byte;
    int status;

    ck_assert_int_eq(bight_stream_read(process->out, &byte, 1), 0); /* while we serve it on */
    if (process->in)
        ck_ok(bight_stream_end(process->in, 0));
    ck_ok(bight_stream_end(process->out, 0));
    ck_assert_int_eq(test_waitpid(process->pid, &status, 0), process->pid);
    ck_ok(bight_stream_end(process->err, 0));
    return status;
}

static void end_input(struct process *process)
{
    ck_ok(bight_stream_end(process->in, 0));
    process->in = NULL;
}

/* Much, both ways at once */

static char much[MUCH_BYTES], returned[MUCH_BYTES];

static int send_much(void *stream)
{
    return bight_stream_write(stream, much, MUCH_BYTES);
}

static void compare_much(struct bight_stream *from)
{
    ck_ok(bight_stream_read_exactly(from, returned, MUCH_BYTES));
    ck_assert_mem_eq(returned, much, MUCH_BYTES);
}

static void make_much(void)
{
    for (size_t i = 0; i < MUCH_BYTES; i++)
        much[i] = (char)(i * 31 + i / 999);
}

static int send_much_and_end(void *arg)
{
    struct process *process = arg;
    int rc = send_much(process->in);

    end_input(process);
    return rc;
}

static void join(struct bight_task *task)
{
    int status;

    ck_ok(bight_join(task, &status));
    ck_ok(status);
}

/* The tool's client has it returned; it ends its half as soon as all is sent. */
static void exchange_through(struct process *process)
{
    struct bight_task *sender;

    make_much();
    ck_ok(bight_spawn(&sender, send_much_and_end, process));
    compare_much(process->out);
    join(sender);
    ck_assert_int_eq(finish(process), 0);
}

/* The scenes */

static void play(int (*scene)(void *arg), int at)
{
    int fds;

    ck_ok(bight_run(world_return, &(int){0})); /* libuv keeps a pipe from its first loop */
    fds = test_open_fds();
    place = (enum place)at;
    choose();
    ck_ok(bight_run(scene, NULL));
    leave();
    ck_assert_int_eq(test_open_fds(), fds);
}

static int echo_scene(void *arg)
{
    struct server server = {.listener = listen_there()};
    struct process client;

    (void)arg;
    server_begin(&server, server_echo);
    start_client(&client);
    exchange_through(&client);
    server_wait(&server.ended, 1);
    return server_close(&server);
}

void what_it_sends_comes_back_after_its_half_was_closed(int at)
{
    play(echo_scene, at);
}

/* "2: 5" to a second line of five bytes; the end after "bye". */
static int answer_lines(struct bight_stream *stream, void *arg)
{
    char line[64], answer[64];
    int64_t count;

    (void)arg;
    for (int i = 1; (count = bight_stream_read_line(stream, line, sizeof(line))) >= 0; i++) {
        int bytes = snprintf(answer, sizeof(answer), "%d: %d\n", i, (int)count);
        int rc = bight_stream_write(stream, answer, (size_t)bytes);

        if (rc || !strcmp(line, "bye"))
            return rc;
    }
    return (int)count;
}

static void ask(struct process *client, const char *line, const char *answer)
{
    char text[64];

    ck_ok(bight_stream_write(client->in, line, strlen(line)));
    ck_assert_int_eq(bight_stream_read_line(client->out, text, sizeof(text)), (int)strlen(answer));
    ck_assert_str_eq(text, answer);
}

static int lines_scene(void *arg)
{
    struct server server = {.listener = listen_there(),
                            .options = {.on_failure = server_on_failure}};
    struct process client;

    (void)arg;
    server_begin(&server, answer_lines);
    start_client(&client);
    ask(&client, "hello\n", "1: 5");
    ask(&client, "\n", "2: 0");
    ask(&client, "hello again\r\n", "3: 11");
    ask(&client, "bye\n", "4: 3");
    end_input(&client);
    ck_assert_int_eq(finish(&client), 0);
    ck_ok(server_close(&server));
    ck_assert_uint_eq(server.failures, 0);
    return 0;
}

void it_has_each_line_answered_before_it_sends_the_next(int at)
{
    play(lines_scene, at);
}

struct direction {
    struct bight_stream *from, *to;
};

static int copy(void *arg)
{
    const struct direction *direction = arg;
    int64_t copied = bight_stream_copy(direction->from, direction->to);

    return copied < 0 ? (int)copied : bight_stream_shutdown(direction->to);
}

/* Behind the proxy is a server of ours, at a port of IPv4. */
static uint16_t port_behind;

static int pass_on(struct bight_stream *client, void *arg)
{
    struct bight_stream *peer = NULL;
    struct direction there = {client, NULL}, back = {NULL, client};
    struct bight_gather calls[] = {{.fn = copy, .arg = &there}, {.fn = copy, .arg = &back}};
    int rc = bight_tcp_connect(&peer, "127.0.0.1", port_behind, NULL, NULL);

    (void)arg;
    if (rc)
        return rc;
    there.to = back.from = peer;
    rc = bight_gather_all(calls, 2, 0);
    ck_ok(bight_stream_end(peer, 0));
    return rc;
}

static int proxy_scene(void *arg)
{
    struct server proxy = {.listener = listen_there(),
                           .options = {.on_failure = server_on_failure}};
    struct server behind = {0};
    struct process client;

    (void)arg;
    server_begin(&behind, server_echo);
    port_behind = wire_port(behind.listener);
    server_begin(&proxy, pass_on);
    start_client(&client);
    exchange_through(&client);
    ck_ok(server_close(&proxy));
    ck_assert_uint_eq(proxy.failures, 0);
    return server_close(&behind);
}

void its_connection_is_passed_on_by_a_proxy(int at)
{
    play(proxy_scene, at);
}

static int hear_much(void *arg)
{
    static char heard[MUCH_BYTES];
    int rc = bight_stream_read_exactly(arg, heard, MUCH_BYTES);

    return rc || !memcmp(heard, much, MUCH_BYTES) ? rc : BIGHT_EIO;
}

/* What it hears is not given to it to say: it may wait to write what it has, and not read
 * meanwhile. ncat is over when it has heard the end of our half, whatever it has to say. */
static int connect_scene(void *arg)
{
    struct bight_task *tasks[3];
    struct process listener;
    struct bight_stream *stream;

    (void)arg;
    start_listener(&listener);
    stream = connect_there();
    make_much();
    ck_ok(bight_spawn(&tasks[0], send_much, stream));
    ck_ok(bight_spawn(&tasks[1], hear_much, listener.out));
    ck_ok(bight_spawn(&tasks[2], send_much_and_end, &listener));
    compare_much(stream);
    for (int i = 0; i < 3; i++)
        join(tasks[i]);
    ck_assert_int_eq(bight_stream_read(stream, returned, 1), 0);
    ck_ok(bight_stream_end(stream, 0));
    ck_assert_int_eq(finish(&listener), 0);
    return 0;
}

void it_answers_when_we_connect(int at)
{
    play(connect_scene, at);
}

static int kill_scene(void *arg)
{
    struct server server = {.listener = listen_there()};
    struct process clients[2];

    (void)arg;
    server_begin(&server, server_echo);
    for (int i = 0; i < 2; i++) {
        start_client(&clients[i]);
        ask(&clients[i], "hello\n", "hello");
    }
    ck_assert_int_eq(kill(clients[0].pid, SIGKILL), 0);
    ck_assert_int_eq(finish(&clients[0]), SIGKILL);
    server_wait(&server.ended, 1);
    ask(&clients[1], "hello again\n", "hello again");
    end_input(&clients[1]);
    ck_assert_int_eq(finish(&clients[1]), 0);
    return server_close(&server);
}

void when_it_is_killed_the_others_are_served_on(int at)
{
    play(kill_scene, at);
}
