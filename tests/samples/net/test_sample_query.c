/* The sample query, against a PostgreSQL that the suite starts. SAMPLE_QUERY is its path. */
#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/samples/net/postgres.h"
#include "tests/samples/net/tool.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CUT_MS "300"
#define SOON_MS 10000 /* where it would else take a minute */

/* With words to find them by on the server. */
static const char late[] = "SELECT pg_sleep(60) /* late */";
static const char asleep[] = "SELECT pg_sleep(60) /* asleep */";
static const char stopped[] = "SELECT pg_sleep(60) /* stopped */";
static const char killed[] = "SELECT pg_sleep(60) /* killed */";

static struct postgres server;
static struct tool tool;

static void open_server(void)
{
    postgres_start(&server);
}

static void close_server(void)
{
    postgres_stop(&server);
}

static void setup(void)
{
    postgres_meet(&server);
}

static void teardown(void)
{
    tool_forget(&tool);
    postgres_leave(&server);
}

/* Start `query` with these arguments. */
#define start(...) tool_start(&tool, (const char *const[]){SAMPLE_QUERY, __VA_ARGS__, NULL})
/* And wait for it. */
#define run(...) (tool_forget(&tool), start(__VA_ARGS__), tool_wait(&tool))

static void check(int status, const char *said, const char *complained)
{
    ck_assert_str_eq(tool.complained, complained);
    ck_assert_str_eq(tool.said, said);
    ck_assert_int_eq(tool.status, status);
}

static void rows_nulls_and_tags_are_printed(void)
{
    run(server.conninfo, "SELECT 1, NULL, 'two' UNION ALL SELECT 2, '', NULL ORDER BY 1",
        "CREATE TEMPORARY TABLE t (a int)", "SELECT 1 WHERE false", "SELECT", "");
    check(0, "1\t\\N\ttwo\n2\t\t\\N\nCREATE TABLE\n\n", "");
}

static void fields_are_escaped_as_copy_does(void)
{
    run(server.conninfo, "SELECT E'\\\\N', E'a\\tb\\nc\\rd\\\\', 'Zürich'");
    check(0, "\\\\N\ta\\tb\\nc\\rd\\\\\tZürich\n", "");
}

static void statements_of_one_argument_are_all_printed(void)
{
    static const char several[] = "CREATE TEMPORARY TABLE t (a int);"
                                  " INSERT INTO t VALUES (1), (2) RETURNING a;"
                                  " UPDATE t SET a = a + 1; SELECT sum(a) FROM t";

    run(server.conninfo, several, "SELECT 'next'");
    check(0, "CREATE TABLE\n1\n2\nUPDATE 2\n5\nnext\n", "");
}

static void results_are_in_the_order_of_the_arguments(void)
{
    run(server.conninfo, "SELECT 1, pg_sleep(0.3)", "SELECT 2, pg_sleep(0.1)", "SELECT 3");
    check(0, "1\t\n2\t\n3\n", "");
}

#define NAP "SELECT pg_sleep(0.3)"

static void queries_run_at_once_as_many_as_was_said(void)
{
    run("-c8", server.conninfo, NAP, NAP, NAP, NAP, NAP, NAP, NAP, NAP);
    check(0, "\n\n\n\n\n\n\n\n", "");
    ck_assert_double_lt(tool.took_ms, 7 * 300);
    run("-c", "2", server.conninfo, NAP, NAP, NAP, NAP);
    ck_assert_double_ge(tool.took_ms, 2 * 300);
    run("-c", "1", server.conninfo, NAP, NAP, NAP);
    ck_assert_double_ge(tool.took_ms, 3 * 300);
}

static void an_error_is_told_and_the_others_go_on(void)
{
    run(server.conninfo, "SELECT 1", "SELECT nothing", "SELECT 3; SELECT 1/0; SELECT 4",
        "SELECT 5");
    check(1, "1\n3\n5\n",
          "query: 2: ERROR:  column \"nothing\" does not exist\nLINE 1: SELECT nothing\n"
          "               ^\n"
          "query: 3: ERROR:  division by zero\n");
}

static void notices_are_told_with_the_number(void)
{
    run(server.conninfo, "SELECT 1", "DO $$ BEGIN RAISE NOTICE 'by the way'; END $$");
    check(0, "1\nDO\n", "query: 2: NOTICE:  by the way\n");
}

static void a_big_result_is_printed_whole(void)
{
    const char *at;
    char row[64];

    run(server.conninfo, "SELECT i, repeat('x', 30) FROM generate_series(1, 100000) i");
    ck_assert_int_eq(tool.status, 0);
    at = tool.said;
    for (int i = 1; i <= 100000; i++) {
        int bytes = snprintf(row, sizeof row, "%d\t%.30s\n", i, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");

        ck_assert_mem_eq(at, row, (size_t)bytes);
        at += bytes;
    }
    ck_assert_int_eq(*at, '\0');
}

static void one_host_after_the_other_is_tried(void)
{
    static const char *const orders[] = {"%u,%u", "%2$u,%1$u"};
    struct sockaddr_in dead;
    int fd = test_bound_socket(&dead); /* and does not listen: it refuses */

    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        char ports[16], conninfo[128];

        snprintf(ports, sizeof ports, orders[i], ntohs(dead.sin_port), server.port);
        snprintf(conninfo, sizeof conninfo,
                 "host=127.0.0.1,127.0.0.1 port=%s user=postgres dbname=postgres", ports);
        run(conninfo, "SELECT inet_server_port()");
        snprintf(ports, sizeof ports, "%u\n", server.port);
        check(0, ports, "");
    }
    close(fd);
}

static void a_unix_socket_is_a_host_too(void)
{
    char conninfo[128];

    snprintf(conninfo, sizeof conninfo, "host=%s port=%u user=postgres dbname=postgres",
             server.folder, server.port);
    run(conninfo, "SELECT inet_server_port()");
    check(0, "\\N\n", "");
    run("-d", CUT_MS, conninfo, late);
    check(1, "", "query: 1: cancelled after " CUT_MS " ms\n");
}

static void a_refused_connection_is_told(void)
{
    struct sockaddr_in dead;
    int fd = test_bound_socket(&dead);
    char conninfo[64];

    snprintf(conninfo, sizeof conninfo, "host=127.0.0.1 port=%u", ntohs(dead.sin_port));
    run(conninfo, "SELECT 1");
    close(fd);
    ck_assert_int_eq(tool.status, 1);
    ck_assert_str_eq(tool.said, "");
    ck_assert_ptr_nonnull(strstr(tool.complained, "query: 1: "));
    ck_assert_ptr_nonnull(strstr(tool.complained, "Connection refused"));
}

static void what_is_no_conninfo_is_told(void)
{
    run("nonsense=1", "SELECT 1", "SELECT 2");
    check(1, "",
          "query: 1: invalid connection option \"nonsense\"\n"
          "query: 2: invalid connection option \"nonsense\"\n");
}

static void a_silent_server_is_cut_off(void)
{
    struct sockaddr_in silent;
    int fd = test_bound_socket(&silent);
    char conninfo[64];

    ck_assert_int_eq(listen(fd, 16), 0);
    snprintf(conninfo, sizeof conninfo, "host=127.0.0.1 port=%u", ntohs(silent.sin_port));
    run("-d", CUT_MS, conninfo, "SELECT 1", "SELECT 2");
    close(fd);
    check(1, "",
          "query: 1: cut off after " CUT_MS " ms, before it was begun\n"
          "query: 2: cut off after " CUT_MS " ms, before it was begun\n");
    ck_assert_double_lt(tool.took_ms, SOON_MS);
}

static void a_deadline_cancels_on_the_server(void)
{
    run("-d", CUT_MS, server.conninfo, "SELECT 1", late, "SELECT 3");
    check(1, "1\n3\n", "query: 2: cancelled after " CUT_MS " ms\n");
    ck_assert_double_lt(tool.took_ms, SOON_MS);
    ck_assert_int_eq(postgres_says(&server, postgres_busy_with("late")), 0);
}

static void a_deadline_ends_a_wait_for_a_lock(void)
{
    postgres_says(&server, "CREATE TABLE locked (a int)");
    postgres_says(&server, "BEGIN");
    postgres_says(&server, "LOCK TABLE locked");
    run("-d", CUT_MS, server.conninfo, "DELETE FROM locked");
    check(1, "", "query: 1: cancelled after " CUT_MS " ms\n");
    ck_assert_int_eq(postgres_says(&server, "SELECT count(*) FROM pg_locks WHERE NOT granted"), 0);
    postgres_says(&server, "COMMIT");
    postgres_says(&server, "DROP TABLE locked");
}

static void a_big_result_that_is_cut_off_is_drained(void)
{
    run("-d", CUT_MS, server.conninfo, "SELECT generate_series(1, 1000000000) /* much */");
    check(1, "", "query: 1: cancelled after " CUT_MS " ms\n");
    ck_assert_double_lt(tool.took_ms, SOON_MS);
    ck_assert_int_eq(postgres_says(&server, postgres_busy_with("much")), 0);
}

static void an_interrupt_cancels_on_the_server(void)
{
    start("-c2", server.conninfo, "SELECT 1", asleep, asleep, "SELECT 4");
    postgres_comes_to(&server, postgres_busy_with("asleep"), 2);
    ck_assert_int_eq(kill(tool.pid, SIGINT), 0);
    tool_wait(&tool);
    check(1, "1\n",
          "query: 2: cancelled by an interrupt\n"
          "query: 3: cancelled by an interrupt\n"
          "query: 4: cut off by an interrupt, before it was begun\n");
    ck_assert_int_eq(postgres_says(&server, postgres_busy_with("asleep")), 0);
}

/* The backend is stopped, so it does not notice that it is cancelled. */
static void a_server_that_does_not_give_up_is_left(void)
{
    pid_t backend;

    start("-d1000", server.conninfo, stopped);
    postgres_comes_to(&server, postgres_busy_with("stopped"), 1);
    backend = (pid_t)postgres_says(
        &server, "SELECT pid FROM pg_stat_activity WHERE query LIKE '%/* stopped */'");
    ck_assert_int_gt(backend, 1);
    ck_assert_int_eq(kill(backend, SIGSTOP), 0);
    tool_wait(&tool);
    ck_assert_int_eq(kill(backend, SIGCONT), 0);
    check(1, "",
          "query: 1: cut off after 1000 ms, and the server does not say what became of it\n");
    ck_assert_double_lt(tool.took_ms, 2 * SOON_MS);
    postgres_comes_to(&server, postgres_busy_with("stopped"), 0);
}

static void a_connection_that_the_server_ends_is_told(void)
{
    run(server.conninfo, "SELECT pg_terminate_backend(pg_backend_pid())", "SELECT 2");
    check(1, "2\n", "query: 1: FATAL:  terminating connection due to administrator command\n");
}

/* No last word: the backend is killed, whereupon the server ends the others too and recovers. */
static void a_server_that_dies_is_told(void)
{
    pid_t backend;

    start(server.conninfo, killed);
    postgres_comes_to(&server, postgres_busy_with("killed"), 1);
    backend = (pid_t)postgres_says(
        &server, "SELECT pid FROM pg_stat_activity WHERE query LIKE '%/* killed */'");
    ck_assert_int_gt(backend, 1);
    ck_assert_int_eq(kill(backend, SIGKILL), 0);
    tool_wait(&tool);
    ck_assert_int_eq(tool.status, 1);
    ck_assert_str_eq(tool.said, "");
    ck_assert_ptr_nonnull(
        strstr(tool.complained, "query: 1: server closed the connection unexpectedly\n"));
    postgres_recovers(&server);
}

static void copy_is_refused(void)
{
    run(server.conninfo, "COPY (SELECT 1) TO STDOUT",
        "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 100000)) TO STDOUT",
        "CREATE TEMPORARY TABLE t (a int); COPY t FROM STDIN", "SELECT 4");
    check(1, "CREATE TABLE\n4\n",
          "query: 1: COPY to or from the client is not supported\n"
          "query: 2: COPY to or from the client is not supported\n"
          "query: 3: COPY to or from the client is not supported\n");
    ck_assert_double_lt(tool.took_ms, SOON_MS);
}

static void output_that_cannot_be_written_is_a_failure(void)
{
    char command[512];

    snprintf(command, sizeof command, "%s '%s' 'SELECT 1' >/dev/full 2>&1", SAMPLE_QUERY,
             server.conninfo);
    ck_assert_int_eq(WEXITSTATUS(system(command)), 1);
}

static void wrong_arguments_are_refused(void)
{
    static const char usage[] = "usage: query [-d MS] [-c N] CONNINFO SQL...\n";
    static const char *const wrong[] = {"-d", "-d0", "-dx", "-d1x", "-c", "-c-1", "-x", "-c0"};

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        run(wrong[i], server.conninfo, "SELECT 1");
        check(2, "", usage);
    }
    run(server.conninfo);
    check(2, "", usage);
    run("-d1");
    check(2, "", usage);
}

static const struct suite_case cases[] = {
    plain_case(rows_nulls_and_tags_are_printed),
    plain_case(fields_are_escaped_as_copy_does),
    plain_case(statements_of_one_argument_are_all_printed),
    plain_case(results_are_in_the_order_of_the_arguments),
    plain_case(queries_run_at_once_as_many_as_was_said),
    plain_case(an_error_is_told_and_the_others_go_on),
    plain_case(notices_are_told_with_the_number),
    plain_case(a_big_result_is_printed_whole),
    plain_case(one_host_after_the_other_is_tried),
    plain_case(a_unix_socket_is_a_host_too),
    plain_case(a_refused_connection_is_told),
    plain_case(what_is_no_conninfo_is_told),
    plain_case(a_silent_server_is_cut_off),
    plain_case(a_deadline_cancels_on_the_server),
    plain_case(a_deadline_ends_a_wait_for_a_lock),
    plain_case(a_big_result_that_is_cut_off_is_drained),
    plain_case(an_interrupt_cancels_on_the_server),
    plain_case(a_server_that_does_not_give_up_is_left),
    plain_case(a_connection_that_the_server_ends_is_told),
    plain_case(a_server_that_dies_is_told),
    plain_case(copy_is_refused),
    plain_case(output_that_cannot_be_written_is_a_failure),
    plain_case(wrong_arguments_are_refused),
};

test_suite("sample_query", cases, .begin = postgres_needed, .open = open_server,
           .close = close_server, .setup = setup, .teardown = teardown);
