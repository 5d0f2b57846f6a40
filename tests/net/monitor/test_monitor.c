/* net/monitor: what is answered, in which form, to whom, and how long somebody may take. */
#include <bight.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/harness/world.h"

/* A folder of the case's own, and the path of a socket in it. */
static char folder[] = "/tmp/bight-monitor-XXXXXX";
static char path[64];

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/socket", folder);
}

static void remove_folder(void)
{
    ck_assert_int_eq(rmdir(folder), 0); /* the socket's file is gone */
}

static struct bight_listener *listener;
static struct bight_monitor_options options;

static int serves(void *arg)
{
    (void)arg;
    return bight_monitor_serve(listener, &options);
}

/* Spawn the monitor, and some tasks to be seen. */

static struct bight_event never;

static int waits(void *arg)
{
    (void)arg;
    return bight_event_wait(&never);
}

static int has_child(void *arg)
{
    struct bight_group group;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, &(struct bight_spawn_options){.name = "child"}, waits,
                            NULL));
    return bight_group_end(&group, 0);
}

static void spawn(const char *name, int (*fn)(void *arg))
{
    ck_ok(bight_spawn_with(NULL, &(struct bight_spawn_options){.name = name}, fn, NULL));
}

static struct bight_stream *connect_monitor(void)
{
    struct bight_stream *stream;

    ck_ok(bight_monitor_listen(&listener, path));
    bight_event_init(&never);
    spawn("monitor", serves);
    spawn("parent", has_child);
    spawn("say \"hi\"\t\xc3\xa4\xff", waits);
    world_settle();
    ck_ok(bight_unix_connect(&stream, path));
    return stream;
}

static int disconnect(struct bight_stream *stream)
{
    ck_ok(bight_stream_end(stream, -1));
    return bight_listener_close(listener); /* the runtime frees it */
}

/* All lines up to an empty one, or the one of an answer in JSON. */
static char answer[16384];

static const char *ask(struct bight_stream *stream, const char *request)
{
    size_t length = 0;
    bool json = strstr(request, "json");
    int64_t got;

    ck_ok(bight_stream_write(stream, request, strlen(request)));
    do {
        got = bight_stream_read_line(stream, answer + length, sizeof(answer) - length);
        ck_assert_int_ge(got, 0);
        length += (size_t)got;
        strcpy(answer + length, got && !json ? "\n" : "");
        length += got && !json;
    } while (got && !json);
    return answer;
}

#define ck_has(text, part)                                                                         \
    do {                                                                                           \
        if (!strstr(text, part))                                                                   \
            ck_abort_msg("no %s in: %s", part, text);                                              \
    } while (0)

static int in_text(void *arg)
{
    struct bight_stream *stream = connect_monitor();
    const char *text = ask(stream, "ps\n");

    (void)arg;
    ck_has(text, "ID   PARENT STATE       STACK NAME ");
    ck_has(text, "\n       1        0 "); /* who asks waits, or gave way if it was late */
    ck_has(text, " child                    event\n");
    text = ask(stream, "pstree\n");
    ck_has(text, "\n#3 parent: waits for end of group (1 tasks)\n  #5 child: waits for event\n");
    ck_has(text, "\n#4 say \"hi\"?\xc3\xa4\xff: waits for event\n");
    text = ask(stream, "stats\n");
    ck_has(text, "live             ");
    ck_has(text, "\nwaits for event: 2\n");
    ck_assert_ptr_null(strstr(text, "\nposts            1"));
    text = ask(stream, "stacks\n");
    ck_has(text, "   TASKS      USED     BYTES SUGGESTED NAME ");
    ck_has(text, "test_monitor+0x");
    ck_has(ask(stream, "help\n"), "pstree  the same");
    ck_assert_str_eq(ask(stream, "nonsense\n"), "error: unknown request; try help\n");
    ck_assert_str_eq(ask(stream, "\n"), "error: unknown request; try help\n");
    ck_assert_str_eq(ask(stream, "ps yaml\n"), "error: unknown request; try help\n");
    ck_assert_str_eq(ask(stream, "ps json more\n"), "{\"error\": \"unknown request; try help\"}");
    return disconnect(stream);
}

static int in_json(void *arg)
{
    struct bight_stream *stream = connect_monitor();
    const char *text = ask(stream, "ps json\r\n");

    (void)arg;
    ck_has(text, "{\"live\": 6, \"tasks\": [{\"id\": 1, \"parent\": 0, \"name\": \"main\", "
                 "\"state\": \"");
    ck_has(text, "\"name\": \"say \\\"hi\\\"\\u0009\xc3\xa4\\u00ff\", ");
    ck_has(text, "{\"id\": 5, \"parent\": 3, \"name\": \"child\", \"state\": \"waiting\", "
                 "\"waits_for\": \"event\", \"cancelled\": false, \"deadline_ms\": null, ");
    text = ask(stream, "pstree  json\n");
    ck_has(text, ", \"children\": []}]}, {\"id\": 3, ");
    ck_has(text, ", \"children\": [{\"id\": 5, ");
    text = ask(stream, "stats json\n");
    ck_has(text, "{\"live\": 6, \"ready\": ");
    ck_has(text, ", \"measuring\": false, \"longest_turn\": \"\", \"waits\": {");
    ck_has(text, "\"event\": 2");
    ck_has(ask(stream, "stacks json\n"), ", \"suggested_bytes\": 16384, \"name\": \"");
    ck_has(ask(stream, "help json\n"), "[\"ps\", ");
    return disconnect(stream);
}

/* A JSON parser that is not ours. */
static int is_json(void *arg)
{
    static const char *const requests[] = {"ps json\n", "pstree json\n", "stats json\n",
                                           "stacks json\n", "help json\n"};
    FILE *parser = popen("python3 -ISc 'import json, sys; "
                         "[json.loads(line) for line in sys.stdin]'",
                         "w");
    struct bight_stream *stream = connect_monitor();

    (void)arg;
    ck_assert_ptr_nonnull(parser);
    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
        fprintf(parser, "%s\n", ask(stream, requests[i]));
    ck_assert_int_eq(pclose(parser), 0);
    return disconnect(stream);
}

static int has_limits(void *arg)
{
    struct bight_stream *stream;
    char line[200];

    (void)arg;
    options.tasks_max = 2;
    stream = connect_monitor();
    ck_has(ask(stream, "pstree\n"), "#2 monitor: waits for connection");
    ck_has(answer, "\nand 4 more\n");
    ck_assert_ptr_null(strstr(answer, "parent"));
    ck_has(ask(stream, "ps json\n"), "{\"live\": 6, \"tasks\": [{\"id\": 1,");
    memset(line, 'x', sizeof(line));
    strcpy(line + sizeof(line) - 2, "\n");
    ck_has(ask(stream, line), "error: a request is a word");
    ck_has(ask(stream, "stats\n"), "waits for event: 2\n");
    return disconnect(stream);
}

static int many_waits(void *arg)
{
    struct bight_stream *stream;

    (void)arg;
    options.tasks_max = 2;
    stream = connect_monitor();
    for (int i = 0; i < 20; i++)
        spawn("more", waits);
    world_settle();
    ck_has(ask(stream, "stats json\n"), ", \"waits\": null}");
    ck_assert_ptr_null(strstr(ask(stream, "stats\n"), "waits for"));
    return disconnect(stream);
}

static int is_ended(struct bight_stream *stream)
{
    char byte;
    int64_t rc = bight_stream_read(stream, &byte, 1);

    return rc == BIGHT_ECONNRESET ? 0 : (int)rc;
}

static int is_silent(void *arg)
{
    struct bight_stream *stream;
    uint64_t begin_ns;

    (void)arg;
    options.idle_ms = 50;
    stream = connect_monitor();
    begin_ns = bight_now_ns();
    ck_has(ask(stream, "stats\n"), "live");
    ck_assert_int_eq(is_ended(stream), 0);
    ck_assert_uint_ge(bight_now_ns() - begin_ns, 50 * UINT64_C(1000000));
    return disconnect(stream);
}

/* Long before its time is over. */
static int is_drained(void *arg)
{
    struct bight_stream *stream;

    (void)arg;
    stream = connect_monitor();
    ck_has(ask(stream, "stats\n"), "live");
    ck_ok(bight_runtime_drain());
    ck_assert_int_eq(is_ended(stream), 0);
    bight_stream_abort(stream);
    ck_code(bight_listener_close(listener), BIGHT_EALREADY);
    return 0;
}

/* Who does not read its answers is given up, and the loop goes on meanwhile. */
static int does_not_read(void *arg)
{
    struct bight_stream *stream;
    int64_t sent;

    (void)arg;
    options.write_ms = 100;
    stream = connect_monitor();
    do {
        sent = bight_stream_try_write(stream, "ps json\nps json\n", 16);
        ck_ok(bight_sleep(sent == BIGHT_EAGAIN ? 50 : 0));
    } while (sent > 0 || sent == BIGHT_EAGAIN);
    ck_assert(sent == BIGHT_EPIPE || sent == BIGHT_ECONNRESET);
    bight_stream_abort(stream);
    return bight_listener_close(listener);
}

static int file_mode(void *arg)
{
    struct stat facts;

    (void)arg;
    ck_ok(bight_monitor_listen(&listener, path));
    ck_assert_int_eq(stat(path, &facts), 0);
    ck_assert_uint_eq(facts.st_mode & 07777, 0600);
    return bight_listener_end(listener);
}

/* Another user's process, for which root is needed: it is told so, and gets nothing. */
static pid_t fork_stranger(const int ready[2])
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char text[64] = "", go;
    pid_t pid = fork();
    int fd;

    ck_assert_int_ge(pid, 0);
    if (pid)
        return pid;
    strcpy(name.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (test_read(ready[0], &go, 1) != 1 || setresuid(65534, 65534, 65534) ||
        test_connect(fd, (struct sockaddr *)&name, sizeof(name)))
        _exit(1);
    (void)send(fd, "ps\n", 3, MSG_NOSIGNAL); /* it may have been refused before it has asked */
    for (size_t length = 0; length < sizeof(text) - 1;) {
        ssize_t got = test_read(fd, text + length, sizeof(text) - 1 - length);

        if (got <= 0)
            break;
        length += (size_t)got;
    }
    _exit(strcmp(text, "error: not for you\n\n") ? 3 : 0);
}

struct stranger {
    pid_t pid;
    int ready[2];
};

static int stranger_asks(void *arg)
{
    const struct bight_listen_options open_to_all = {.mode = 0666};
    const struct stranger *stranger = arg;
    int status;
    pid_t ended;

    ck_ok(bight_unix_listen(&listener, path, &open_to_all));
    spawn("monitor", serves);
    ck_assert_int_eq(write(stranger->ready[1], "g", 1), 1);
    do {
        ended = waitpid(stranger->pid, &status, WNOHANG);
        ck_ok(bight_sleep(1));
    } while (ended == 0);
    ck_assert_int_eq(status, 0);
    return bight_listener_close(listener);
}

static void other_users_are_refused(void)
{
    struct stranger stranger;

    if (geteuid() != 0)
        return;
    ck_assert_int_eq(chmod(folder, 0755), 0);
    ck_assert_int_eq(pipe(stranger.ready), 0);
    stranger.pid = fork_stranger(stranger.ready);
    ck_ok(bight_run(stranger_asks, &stranger));
    close(stranger.ready[0]);
    close(stranger.ready[1]);
}

/* TCP does not tell who asks. */
static int by_tcp(void *arg)
{
    struct bight_stream *stream;
    struct bight_address address;
    char line[64];

    (void)arg;
    ck_ok(bight_tcp_listen(&listener, "127.0.0.1", 0, NULL));
    ck_ok(bight_listener_address(listener, &address));
    spawn("monitor", serves);
    ck_ok(bight_tcp_connect_address(&stream, &address, NULL));
    ck_assert_int_gt(bight_stream_read_line(stream, line, sizeof(line)), 0);
    ck_assert_str_eq(line, "error: not for you");
    return disconnect(stream);
}

static void outside_of_tasks_nothing_is_served(void)
{
    ck_code(bight_monitor_serve((void *)&options, NULL), BIGHT_ENOTASK);
}

static const struct suite_case cases[] = {
    world_case(answers_are_text, in_text),
    world_case(answers_are_json, in_json),
    world_case(another_parser_takes_them, is_json),
    world_case(an_answer_tells_of_so_many_tasks, has_limits),
    world_case(too_many_tasks_are_not_counted, many_waits),
    world_case(the_socket_file_is_its_owners, file_mode),
    world_case(who_asks_nothing_is_let_go, is_silent),
    world_case(who_asks_nothing_is_let_go_by_a_drain, is_drained),
    world_case(who_does_not_read_is_let_go, does_not_read),
    world_case(nobody_is_answered_by_tcp, by_tcp),
    plain_case(other_users_are_refused),
    plain_case(outside_of_tasks_nothing_is_served),
};

test_suite("monitor", cases, .setup = make_folder, .teardown = remove_folder);
