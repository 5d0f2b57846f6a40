/* The sample redis, driven by redis-cli and redis-benchmark. SAMPLE_REDIS is its path. */
#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/samples/net/programs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct server server;

static void tools_needed(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (system("command -v redis-cli redis-benchmark >/dev/null") != 0)
        test_skip("redis-tools");
}

static void start_server(void)
{
    static const char *const argv[] = {SAMPLE_REDIS, NULL};

    server = server_start(argv);
}

static void stop_server(void)
{
    server_stop(&server, SIGTERM);
}

/* What `program -p PORT rest` prints, and it succeeds. */
static const char *says(const char *program, const char *rest)
{
    static char text[65536];
    char command[256];
    size_t length;
    FILE *pipe;

    snprintf(command, sizeof command, "%s -p %u %s", program, server.port, rest);
    pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    length = test_read_all(fileno(pipe), text, sizeof text - 1);
    text[length] = '\0';
    ck_assert_int_eq(pclose(pipe), 0);
    return text;
}

static const char *cli(const char *rest)
{
    return says("redis-cli", rest);
}

static void redis_cli_sets_and_gets(void)
{
    ck_assert_str_eq(cli("ping"), "PONG\n");
    ck_assert_str_eq(cli("set greeting 'hello world'"), "OK\n");
    ck_assert_str_eq(cli("get greeting"), "hello world\n");
    ck_assert_str_eq(cli("--no-raw get nothing"), "(nil)\n");
    ck_assert_str_eq(cli("set n 41 EX 100"), "OK\n");
    ck_assert_str_eq(cli("--no-raw incr n"), "(integer) 42\n");
    ck_assert_int_ge(atoi(cli("ttl n")), 50); /* each of these is a process */
    ck_assert_str_eq(cli("--no-raw config get save"), "(empty array)\n");
    ck_assert_str_eq(cli("incr greeting"), "ERR value is not an integer or out of range\n\n");
    ck_assert_str_eq(cli("nosuch"), "ERR unknown command 'nosuch'\n\n");
    ck_assert_str_eq(cli("del greeting n"), "2\n");
    ck_assert_str_eq(cli("dbsize"), "0\n");
}

/* It asks for version 3, is refused, and goes on with 2. */
static void redis_cli_is_content_with_version_2(void)
{
    const char *text = cli("-3 echo hello 2>&1");

    ck_assert_ptr_nonnull(strstr(text, "NOPROTO"));
    ck_assert_ptr_nonnull(strstr(text, "\nhello\n"));
}

static void redis_cli_reads_a_program_of_commands(void)
{
    ck_assert_str_eq(cli("<<END\nset a 1\nincr a\nincr a\nget a\nEND\n"), "OK\n2\n3\n3\n");
}

static void redis_cli_pipes_many_commands(void)
{
    const char *text =
        says("for i in $(seq 5000); do echo incr piped; done | redis-cli --pipe", "");

    ck_assert_ptr_nonnull(strstr(text, "errors: 0, replies: 5000"));
    ck_assert_str_eq(cli("get piped"), "5000\n");
}

static void redis_benchmark_counts_right(void)
{
    const char *text = says("redis-benchmark", "-n 20000 -P 16 -t set,get,incr -q 2>&1");

    ck_assert_ptr_null(strstr(text, "rror"));
    for (int i = 0; i < 3; i++) {
        text = strstr(text, " requests per second");
        ck_assert_ptr_nonnull(text);
        text++;
    }
    ck_assert_str_eq(cli("get counter:__rand_int__"), "20000\n");
    ck_assert_str_eq(cli("exists key:__rand_int__"), "1\n");
}

static const struct suite_case cases[] = {
    plain_case(redis_cli_sets_and_gets),
    plain_case(redis_cli_is_content_with_version_2),
    plain_case(redis_cli_reads_a_program_of_commands),
    plain_case(redis_cli_pipes_many_commands),
    plain_case(redis_benchmark_counts_right),
};

test_suite("sample_redis_tools", cases, .begin = tools_needed, .setup = start_server,
           .teardown = stop_server);
