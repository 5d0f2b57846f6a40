/* pg.c, the bridge of the sample query, in tasks of the suite's own: what no argument of the
 * program can reach. */
#include "samples/net/pg.h"
#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/samples/net/postgres.h"

#include <bight.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CUT_MS 200
#define BIG_BYTES ((size_t)16 << 20) /* more than a socket takes at once */
#define SLEEP "SELECT pg_sleep(60)"

static struct postgres server;
static PGconn *connection; /* of the scene that is played */

static void open_server(void)
{
    postgres_start(&server);
}

static void close_server(void)
{
    postgres_stop(&server);
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* libuv keeps two descriptors for the process from its first loop on. */
static void setup(void)
{
    postgres_meet(&server);
    ck_assert_int_eq(bight_run(nothing, NULL), 0);
}

static void teardown(void)
{
    postgres_leave(&server);
}

static int connected(void *arg)
{
    int (*scene)(void *) = *(int (**)(void *))arg;
    int rc;

    ck_assert_int_eq(pg_connect(&connection, server.conninfo), 0);
    rc = scene(NULL);
    PQfinish(connection);
    return rc;
}

/* The scene has a connection, and leaves no descriptor behind. */
static int play(int (*scene)(void *arg), void *arg)
{
    int fds = test_open_fds(), rc;

    (void)arg;
    rc = bight_run(connected, &scene);
    ck_assert_int_eq(test_open_fds(), fds);
    return rc;
}

/* What came of a query: its results' first fields and errors, a line each. */
struct answer {
    struct pg_query query;
    char text[256];
    int stop_with; /* the code of `take` at the first result */
};

static int take(void *arg, PGresult *result)
{
    struct answer *answer = arg;
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    if (PQresultStatus(result) == PGRES_FATAL_ERROR)
        strcat(answer->text, state ? state : "?");
    else
        strcat(answer->text,
               PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : PQcmdStatus(result));
    strcat(answer->text, "\n");
    PQclear(result);
    return answer->stop_with;
}

static struct answer asking(const char *sql)
{
    return (struct answer){.query = {.sql = sql, .take = take}};
}

static int ask(void *arg)
{
    struct answer *answer = arg;

    answer->query.arg = answer;
    return pg_query(connection, &answer->query);
}

static int still_works(void)
{
    struct answer answer = asking("SELECT 'well'");
    int rc = ask(&answer);

    ck_assert_str_eq(answer.text, "well\n");
    ck_assert_int_eq(answer.query.fate, PG_ENDED);
    return rc;
}

/* It is cut off by a deadline, and the connection goes on. */
static int cut(const char *sql)
{
    struct answer answer = asking(sql);

    ck_assert_int_eq(bight_timeout(CUT_MS, ask, &answer), BIGHT_ETIMEDOUT);
    ck_assert_int_eq(answer.query.fate, PG_CANCELLED);
    return still_works();
}

static int queries_follow_each_other(void *arg)
{
    struct answer answer = asking("SELECT 1; SELECT 2; SELECT 1/0; SELECT 3");

    (void)arg;
    ck_assert_int_eq(ask(&answer), 0);
    ck_assert_str_eq(answer.text, "1\n2\n22012\n");
    ck_assert_int_eq(answer.query.fate, PG_ENDED);
    return still_works();
}

static int prepared_statement_has_values(void *arg)
{
    static const char *const values[] = {"'; SELECT 7", NULL};
    struct answer prepare =
        asking("PREPARE p (text, int) AS SELECT $1 || coalesce($2, 5), pg_sleep(0)");
    struct answer answer = asking(NULL), wrong = asking(NULL);

    (void)arg;
    ck_assert_int_eq(ask(&prepare), 0);
    answer.query.prepared = "p";
    answer.query.values = values;
    answer.query.count = 2;
    ck_assert_int_eq(ask(&answer), 0);
    ck_assert_str_eq(answer.text, "'; SELECT 75\n");
    ck_assert_int_eq(answer.query.fate, PG_ENDED);
    wrong.query.prepared = "nothing";
    ck_assert_int_eq(ask(&wrong), 0);
    ck_assert_str_eq(wrong.text, "26000\n");
    return still_works();
}

static int prepared_statement_is_cut_off(void *arg)
{
    struct answer prepare = asking("PREPARE p AS " SLEEP), answer = asking(NULL);

    (void)arg;
    ck_assert_int_eq(ask(&prepare), 0);
    answer.query.prepared = "p";
    ck_assert_int_eq(bight_timeout(CUT_MS, ask, &answer), BIGHT_ETIMEDOUT);
    ck_assert_int_eq(answer.query.fate, PG_CANCELLED);
    return still_works();
}

static int sleeping_query_is_cut_off(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(cut(SLEEP), 0);
    return 0;
}

static int long_answer_is_cut_off(void *arg)
{
    (void)arg;
    return cut("SELECT generate_series(1, 1000000000)");
}

/* SELECT length('xxx...'), and then what `rest` says. */
static char *big_statement(const char *rest)
{
    static const char head[] = "SELECT length('", tail[] = "');";
    char *sql = malloc(sizeof head + BIG_BYTES + sizeof tail + strlen(rest)), *at = sql;

    ck_assert_ptr_nonnull(sql);
    at = mempcpy(at, head, sizeof head - 1);
    at = (char *)memset(at, 'x', BIG_BYTES) + BIG_BYTES;
    at = mempcpy(at, tail, sizeof tail - 1);
    strcpy(at, rest);
    return sql;
}

static int big_statement_is_sent_whole(void *arg)
{
    char *sql = big_statement("SELECT 'too'");
    struct answer answer = asking(sql);
    int rc = ask(&answer);

    (void)arg;
    free(sql);
    ck_assert_str_eq(answer.text, "16777216\ntoo\n");
    return rc;
}

/* Cancelled before the first wait, when the socket has taken a part of it: that is sent to its end,
 * and what it asks for given up. */
static int statement_half_sent_is_cut_off(void *arg)
{
    char *sql = big_statement(SLEEP);
    struct answer answer = asking(sql);
    int rc;

    (void)arg;
    rc = bight_timeout(0, ask, &answer);
    free(sql);
    ck_assert_int_eq(rc, BIGHT_ETIMEDOUT);
    ck_assert_int_eq(answer.query.fate, PG_CANCELLED);
    return still_works();
}

static int taker_stops_the_query(void *arg)
{
    /* The server sends the first result when it has much to send. */
    struct answer answer =
        asking("SELECT 1; SELECT repeat('x', 100) FROM generate_series(1, 1000); " SLEEP);

    (void)arg;
    answer.stop_with = BIGHT_ENOMEM;
    ck_assert_int_eq(ask(&answer), BIGHT_ENOMEM);
    ck_assert_int_eq(answer.query.fate, PG_CANCELLED);
    return still_works();
}

static int copy_is_refused(const char *sql)
{
    struct answer answer = asking(sql);

    ck_assert_int_eq(ask(&answer), BIGHT_ENOTSUP);
    ck_assert_int_ne(answer.query.fate, PG_UNKNOWN);
    return still_works();
}

static int every_copy_is_refused(void *arg)
{
    (void)arg;
    ck_assert_int_eq(copy_is_refused("COPY (SELECT 1) TO STDOUT"), 0);
    ck_assert_int_eq(copy_is_refused("COPY (SELECT generate_series(1, 1000000000)) TO STDOUT"), 0);
    return copy_is_refused("CREATE TEMPORARY TABLE t (a int); COPY t FROM STDIN");
}

static int lost_connection_is_a_result(void *arg)
{
    struct answer answer = asking("SELECT pg_terminate_backend(pg_backend_pid())");

    (void)arg;
    ck_assert_int_eq(ask(&answer), 0);
    ck_assert_str_eq(answer.text, "57P01\n"); /* the server's last word */
    ck_assert_int_eq(answer.query.fate, PG_UNKNOWN);
    ck_assert_int_eq(PQstatus(connection), CONNECTION_BAD);
    ck_assert_int_eq(ask(&answer), BIGHT_EIO);
    ck_assert_int_eq(answer.query.fate, PG_NOT_BEGUN);
    return 0;
}

/* One task sleeps on the server; others go on. */
static int sleep_there(void *arg)
{
    struct answer answer = asking("SELECT pg_sleep(0.2)");

    *(bool *)arg = ask(&answer) == 0;
    return 0;
}

static int others_run_meanwhile(void *arg)
{
    bool woken = false;
    struct bight_task *task;
    int turns = 0;

    (void)arg;
    ck_assert_int_eq(bight_spawn(&task, sleep_there, &woken), 0);
    while (!woken && bight_sleep(1) == 0)
        turns++;
    ck_assert_int_ge(turns, 3);
    return bight_join(task, NULL);
}

static int reach(void *arg)
{
    return pg_connect(&connection, arg);
}

static int reach_in_time(void *arg)
{
    int rc = bight_timeout(CUT_MS, reach, arg);

    PQfinish(connection);
    return rc;
}

static void connecting_is_cut_off(void)
{
    struct sockaddr_in silent;
    int fd = test_bound_socket(&silent), fds = test_open_fds();
    char conninfo[64];

    ck_assert_int_eq(listen(fd, 1), 0);
    snprintf(conninfo, sizeof conninfo, "host=127.0.0.1 port=%u", ntohs(silent.sin_port));
    ck_assert_int_eq(bight_run(reach_in_time, conninfo), BIGHT_ETIMEDOUT);
    ck_assert_int_eq(test_open_fds(), fds);
    close(fd);
}

static const struct suite_case cases[] = {
    body_case(queries_follow_each_other, play, queries_follow_each_other),
    body_case(prepared_statement_has_values, play, prepared_statement_has_values),
    body_case(prepared_statement_is_cut_off, play, prepared_statement_is_cut_off),
    body_case(sleeping_query_is_cut_off, play, sleeping_query_is_cut_off),
    body_case(long_answer_is_cut_off, play, long_answer_is_cut_off),
    body_case(big_statement_is_sent_whole, play, big_statement_is_sent_whole),
    body_case(statement_half_sent_is_cut_off, play, statement_half_sent_is_cut_off),
    body_case(taker_stops_the_query, play, taker_stops_the_query),
    body_case(every_copy_is_refused, play, every_copy_is_refused),
    body_case(lost_connection_is_a_result, play, lost_connection_is_a_result),
    body_case(others_run_meanwhile, play, others_run_meanwhile),
    plain_case(connecting_is_cut_off),
};

test_suite("sample_pg", cases, .begin = postgres_needed, .open = open_server, .close = close_server,
           .setup = setup, .teardown = teardown);
