/* The sample keyval, against a redis-server that the suite starts, the sample redis, and listeners
 * that say what no such server would. SAMPLE_KEYVAL and SAMPLE_REDIS are the paths of the two. */
#include "tests/harness/program.h"
#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/samples/net/programs.h"
#include "tests/samples/net/tool.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY 10000
#define BIG_BYTES 100000 /* an argument is at most 128 KiB */
#define CUT_MS "300"
#define SOON_MS 10000
#define TRIES 5

static struct server theirs, ours;
static char port[8]; /* of the server that a case is about */
static struct tool tool;

static void redis_needed(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (system("command -v redis-server >/dev/null") != 0)
        test_skip("redis-server");
}

/* Returns whether it runs; it does not where somebody else was faster to take the port. */
static bool start_theirs(void)
{
    static const char *const argv[] = {
        "/usr/bin/env", "redis-server", "--port",      port, "--bind", "127.0.0.1", "--save", "",
        "--appendonly", "no",           "--daemonize", "no", NULL};
    struct sockaddr_in address;
    char line[256];
    int out;

    close(test_bound_socket(&address));
    theirs.port = ntohs(address.sin_port);
    snprintf(port, sizeof port, "%u", theirs.port);
    theirs.pid = test_program_start_heard(argv, SIGKILL, &out);
    if (test_program_says(out, "eady to accept connections", line, sizeof line))
        return true;
    (void)test_program_end(theirs.pid, 0);
    return false;
}

static void open_servers(void)
{
    static const char *const argv[] = {SAMPLE_REDIS, NULL};
    int tries = 0;

    ours = server_start(argv);
    while (!start_theirs())
        ck_assert_int_lt(++tries, TRIES);
}

static void close_servers(void)
{
    (void)test_program_end(theirs.pid, SIGKILL); /* it has nothing to save */
    server_stop(&ours, SIGTERM);
}

static void forget(void)
{
    tool_forget(&tool);
}

static void speak_to(uint16_t number)
{
    snprintf(port, sizeof port, "%u", number);
}

/* For cases that are played with both. */
static void choose(int i)
{
    speak_to(i == 0 ? theirs.port : ours.port);
}

#define start(...) tool_start(&tool, (const char *const[]){SAMPLE_KEYVAL, __VA_ARGS__, NULL})
#define run(...) (tool_forget(&tool), start(__VA_ARGS__), tool_wait(&tool))

static void check(int status, const char *said, const char *complained)
{
    ck_assert_str_eq(tool.complained, complained);
    ck_assert_str_eq(tool.said, said);
    ck_assert_int_eq(tool.status, status);
}

static void replies_are_printed_in_order(int i)
{
    choose(i);
    run(port, "ping", "  set   greeting hello ", "get greeting", "get nothing", "set n 41",
        "incr n", "del greeting n nothing");
    check(0, "PONG\nOK\nhello\n(nil)\nOK\n42\n2\n", "");
}

static void an_error_is_a_reply_and_the_status(int i)
{
    choose(i);
    run(port, "set word x", "incr word", "get word", "del word");
    check(1, "OK\nERR value is not an integer or out of range\nx\n1\n", "");
}

static void arrays_have_an_element_on_each_line(void)
{
    choose(0);
    run(port, "set a 1", "set b 2", "mget a nothing b", "del a b");
    check(0, "OK\nOK\n1\n(nil)\n2\n2\n", "");
}

static void nested_arrays_are_printed_flat(void)
{
    choose(0);
    run(port, "eval return{1,{2,{'x',false}},{},'y'} 0", "ping");
    check(0, "1\n2\nx\n(nil)\n\ny\nPONG\n", "");
}

static void many_commands_are_one_pipeline(int i)
{
    static const char *argv[MANY + 4] = {SAMPLE_KEYVAL, port, "set counted 0"};
    const char *at;
    char line[16];

    choose(i);
    for (int c = 0; c < MANY; c++)
        argv[3 + c] = "incr counted";
    tool_start(&tool, argv);
    tool_wait(&tool);
    ck_assert_int_eq(tool.status, 0);
    ck_assert_mem_eq(tool.said, "OK\n", 3);
    at = tool.said + 3;
    for (int c = 1; c <= MANY; c++) {
        int bytes = snprintf(line, sizeof line, "%d\n", c);

        ck_assert_mem_eq(at, line, (size_t)bytes);
        at += bytes;
    }
    ck_assert_int_eq(*at, '\0');
}

/* More than both sockets hold in either direction: one megabyte goes there, ten times that comes
 * back. */
static void big_values_go_both_ways(int i)
{
    static const char *argv[2 + 110 + 1] = {SAMPLE_KEYVAL, port};
    static char set[BIG_BYTES + 16];
    const char *at;
    int count = 2;

    choose(i);
    strcpy(set, "set big ");
    memset(set + 8, 'v', BIG_BYTES);
    while (count < 2 + 110) {
        argv[count++] = set;
        for (int c = 0; c < 10; c++)
            argv[count++] = "get big";
    }
    tool_start(&tool, argv);
    tool_wait(&tool);
    ck_assert_int_eq(tool.status, 0);
    at = tool.said;
    for (int c = 0; c < 110; c++) {
        size_t length = strcspn(at, "\n");

        ck_assert_uint_eq(length, c % 11 == 0 ? 2 : BIG_BYTES);
        ck_assert_uint_eq(strspn(at, "v"), c % 11 == 0 ? 0 : BIG_BYTES);
        at += length + 1;
    }
    ck_assert_str_eq(at, "");
}

static void a_deadline_cuts_off(void)
{
    choose(0);
    run("-d", CUT_MS, port, "ping", "blpop empty 0", "ping");
    check(1, "PONG\n", "keyval: cut off after " CUT_MS " ms, with 1 of 3 replies\n");
    ck_assert_double_lt(tool.took_ms, SOON_MS);
    run("-d60000", port, "rpush full x", "blpop full 0");
    check(0, "1\nfull\nx\n", "");
}

static void a_refused_connection_is_told(void)
{
    struct sockaddr_in dead;
    int fd = test_bound_socket(&dead);

    speak_to(ntohs(dead.sin_port));
    run(port, "ping");
    close(fd);
    check(1, "", "keyval: Connection refused, with 0 of 1 replies\n");
}

static int listener(void)
{
    struct sockaddr_in address;
    int fd = test_bound_socket(&address);

    ck_assert_int_eq(listen(fd, 1), 0);
    speak_to(ntohs(address.sin_port));
    return fd;
}

static void a_silent_server_is_cut_off(void)
{
    int fd = listener();

    run("-d", CUT_MS, port, "ping");
    close(fd);
    check(1, "", "keyval: cut off after " CUT_MS " ms, with 0 of 1 replies\n");
}

/* A server that takes three pings, answers with `text`, and closes. */
static void answer(const char *text)
{
    static const char ping[] = "*1\r\n$4\r\nping\r\n";
    char heard[3 * (sizeof ping - 1)];
    int fd = listener(), peer;

    tool_forget(&tool);
    start("-d60000", port, "ping", "ping", "ping");
    peer = test_accept(fd);
    ck_assert_int_ge(peer, 0);
    ck_assert_uint_eq(test_read_all(peer, heard, sizeof heard), sizeof heard);
    for (size_t i = 0; i < sizeof heard; i += sizeof ping - 1)
        ck_assert_mem_eq(heard + i, ping, sizeof ping - 1);
    ck_assert_int_eq(send(peer, text, strlen(text), MSG_NOSIGNAL), (int)strlen(text));
    close(peer);
    tool_wait(&tool);
    close(fd);
}

static void a_server_that_closes_in_the_middle_is_told(void)
{
    answer("");
    check(1, "", "keyval: Server closed the connection, with 0 of 3 replies\n");
    answer("+PONG\r\n$10\r\nhalf");
    check(1, "PONG\n", "keyval: Server closed the connection, with 1 of 3 replies\n");
    answer("-ERR not you\r\n");
    check(1, "ERR not you\n", "keyval: Server closed the connection, with 1 of 3 replies\n");
}

static void a_malformed_reply_is_told(void)
{
    answer("+PONG\r\n?what\r\n");
    check(1, "PONG\n",
          "keyval: Protocol error, got \"?\" as reply type byte, with 1 of 3 replies\n");
}

static void more_replies_than_commands_are_left(void)
{
    answer("+1\r\n+2\r\n*2\r\n:3\r\n*0\r\n+5\r\n");
    check(0, "1\n2\n3\n\n", "");
}

/* The connection is reset while there is much to write: no signal ends the program. */
static void a_server_that_does_not_listen_is_told(void)
{
    static const char *argv[2 + 10 + 1] = {SAMPLE_KEYVAL, port};
    static char set[BIG_BYTES + 16];
    const struct linger reset = {.l_onoff = 1};
    int fd = listener(), small = 4096, peer;

    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    strcpy(set, "set big ");
    memset(set + 8, 'v', BIG_BYTES);
    for (int i = 0; i < 10; i++)
        argv[2 + i] = set;
    tool_start(&tool, argv);
    peer = test_accept(fd);
    ck_assert_int_ge(peer, 0);
    ck_assert_int_eq(test_read(peer, &small, 1), 1);
    ck_assert_int_eq(setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    close(peer);
    tool_wait(&tool);
    close(fd);
    ck_assert_int_eq(tool.status, 1);
    ck_assert_ptr_nonnull(strstr(tool.complained, ", with 0 of 10 replies\n"));
}

static void output_that_cannot_be_written_is_a_failure(void)
{
    char command[512];

    snprintf(command, sizeof command, "%s %u ping >/dev/full 2>&1", SAMPLE_KEYVAL, theirs.port);
    ck_assert_int_eq(WEXITSTATUS(system(command)), 1);
}

static void wrong_arguments_are_refused(void)
{
    static const char usage[] = "usage: keyval [-d MS] PORT COMMAND...\n";
    static const char *const wrong[][4] = {
        {"1"},           {"0", "ping"},         {"65536", "ping"}, {"x", "ping"},    {"1", ""},
        {"1", "a", " "}, {"-d", "0", "1", "a"}, {"-dx", "1", "a"}, {"-x", "1", "a"}, {"-d"},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        run(wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3]);
        check(2, "", usage);
    }
}

static const struct suite_case cases[] = {
    each_case(replies_are_printed_in_order, 2),
    each_case(an_error_is_a_reply_and_the_status, 2),
    plain_case(arrays_have_an_element_on_each_line),
    plain_case(nested_arrays_are_printed_flat),
    each_case(many_commands_are_one_pipeline, 2),
    each_case(big_values_go_both_ways, 2),
    plain_case(a_deadline_cuts_off),
    plain_case(a_refused_connection_is_told),
    plain_case(a_silent_server_is_cut_off),
    plain_case(a_server_that_closes_in_the_middle_is_told),
    plain_case(a_malformed_reply_is_told),
    plain_case(more_replies_than_commands_are_left),
    plain_case(a_server_that_does_not_listen_is_told),
    plain_case(output_that_cannot_be_written_is_a_failure),
    plain_case(wrong_arguments_are_refused),
};

test_suite("sample_keyval", cases, .begin = redis_needed, .open = open_servers,
           .close = close_servers, .teardown = forget);
