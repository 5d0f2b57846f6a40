/* query [-d MS] [-c N] CONNINFO SQL...: performs each SQL on a PostgreSQL server, on a connection
 * of its own, at most N (4) at the same time, and prints the results in the order of the arguments:
 * a row is a line with tabs between its fields, written as COPY does (NULL is \N; backslash, tab
 * and line ends are escaped); a command without rows is its tag. Failures and notices go to
 * standard error with the number of the argument.
 *
 * To notice: libpq knows nothing of bight, nor bight of libpq; pg.c waits for its socket. -d is one
 * bight_timeout around connecting and querying, and SIGINT cancels the main task and with it all
 * queries: to the code they are the same, and either cancels the query on the server too, where it
 * would go on otherwise. What was done until then is printed. */
#include "samples/net/pg.h"

#include <bight/errors.h>
#include <bight/gather.h>
#include <bight/runtime.h>
#include <bight/scope.h>

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tool {
    const char *conninfo;
    int at_once;
    int timeout_ms; /* negative: none */
    struct job *jobs;
    size_t count;
    int outcome; /* of all together */
};

struct job {
    const struct tool *tool;
    const char *sql;
    int number;
    PGresult **results;
    size_t count;
    int status;
    enum pg_fate fate;
    char *why; /* libpq's words for the status, or NULL */
};

static int keep(void *arg, PGresult *result)
{
    struct job *job = arg;
    PGresult **grown = realloc(job->results, (job->count + 1) * sizeof *grown);

    if (!grown) {
        PQclear(result);
        return BIGHT_ENOMEM;
    }
    job->results = grown;
    grown[job->count++] = result;
    return 0;
}

static void notice(void *arg, const char *text)
{
    const struct job *job = arg;

    fprintf(stderr, "query: %d: %s", job->number, text); /* which ends with its line */
}

static int perform(void *arg)
{
    struct job *job = arg;
    struct pg_query query = {.sql = job->sql, .take = keep, .arg = job};
    PGconn *connection;
    int rc = pg_connect(&connection, job->tool->conninfo);

    if (rc == 0) {
        PQsetNoticeProcessor(connection, notice, job);
        rc = pg_query(connection, &query);
        job->fate = query.fate;
    }
    if (rc == BIGHT_ECONNECT || rc == BIGHT_EIO)
        job->why = strdup(PQerrorMessage(connection));
    PQfinish(connection);
    return rc;
}

/* A query that fails is no failure of the others; an interrupt is. */
static int perform_in_time(void *item)
{
    struct job *job = item;

    job->status = bight_timeout(job->tool->timeout_ms, perform, job);
    return job->status == BIGHT_ECANCELED ? BIGHT_ECANCELED : 0;
}

static int run(void *arg)
{
    const struct tool *tool = arg;

    return bight_map(perform_in_time, tool->jobs, sizeof *tool->jobs, tool->count,
                     (size_t)tool->at_once, 0);
}

static void print_field(const char *value, size_t bytes)
{
    static const char special[] = "\\\t\n\r", letters[] = "\\tnr";

    for (size_t i = 0; i < bytes; i++) {
        const char *found = memchr(special, value[i], sizeof special - 1);

        if (found)
            putchar('\\');
        putchar(found ? letters[found - special] : value[i]);
    }
}

static void print_rows(const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++) {
        for (int field = 0; field < PQnfields(result); field++) {
            if (field > 0)
                putchar('\t');
            if (PQgetisnull(result, row, field))
                fputs("\\N", stdout);
            else
                print_field(PQgetvalue(result, row, field),
                            (size_t)PQgetlength(result, row, field));
        }
        putchar('\n');
    }
}

/* Returns whether it is one of success. */
static bool print_result(const struct job *job, PGresult *result)
{
    switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
        print_rows(result);
        return true;
    case PGRES_COMMAND_OK:
        puts(PQcmdStatus(result));
        return true;
    case PGRES_EMPTY_QUERY:
        return true;
    default:
        fflush(stdout);
        fprintf(stderr, "query: %d: %s", job->number, PQresultErrorMessage(result));
        return false;
    }
}

static void explain_cut(const struct job *job)
{
    static const char *const ends[] = {
        [PG_NOT_BEGUN] = ", before it was begun",
        [PG_ENDED] = ", when it had ended on the server",
        [PG_CANCELLED] = "",
        [PG_UNKNOWN] = ", and the server does not say what became of it",
    };

    fprintf(stderr, "query: %d: %s ", job->number,
            job->fate == PG_CANCELLED ? "cancelled" : "cut off");
    if (job->status == BIGHT_ETIMEDOUT)
        fprintf(stderr, "after %d ms%s\n", job->tool->timeout_ms, ends[job->fate]);
    else
        fprintf(stderr, "%s%s\n",
                job->tool->outcome == BIGHT_EINTR ? "by an interrupt" : "with the others",
                ends[job->fate]);
}

static void explain(const struct job *job)
{
    fflush(stdout);
    if (job->status == BIGHT_ETIMEDOUT || job->status == BIGHT_ECANCELED)
        explain_cut(job);
    else if (job->status == BIGHT_ENOTSUP)
        fprintf(stderr, "query: %d: COPY to or from the client is not supported\n", job->number);
    else if (job->why)
        fprintf(stderr, "query: %d: %s", job->number, job->why); /* which ends with its line */
    else
        fprintf(stderr, "query: %d: %s\n", job->number, bight_strerror(job->status));
}

/* Returns whether all of it succeeded. */
static bool print(const struct job *job)
{
    bool well = job->status == 0;

    for (size_t i = 0; i < job->count; i++)
        well &= print_result(job, job->results[i]);
    if (job->status)
        explain(job);
    return well;
}

static void clear(struct job *job)
{
    for (size_t i = 0; i < job->count; i++)
        PQclear(job->results[i]);
    free(job->results);
    free(job->why);
}

static int print_all(struct tool *tool)
{
    bool well = true;

    for (size_t i = 0; i < tool->count; i++) {
        well &= print(&tool->jobs[i]);
        clear(&tool->jobs[i]);
    }
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "query: not all could be printed\n");
        return 1;
    }
    return !well;
}

static int query_all(struct tool *tool, char **sql)
{
    const struct bight_runtime_options options = {.interrupt_signal = SIGINT};
    int status;

    tool->jobs = calloc(tool->count, sizeof *tool->jobs);
    if (!tool->jobs) {
        fprintf(stderr, "query: %s\n", bight_strerror(BIGHT_ENOMEM));
        return 1;
    }
    for (size_t i = 0; i < tool->count; i++)
        tool->jobs[i] = (struct job){
            .tool = tool, .sql = sql[i], .number = (int)i + 1, .status = BIGHT_ECANCELED};
    tool->outcome = bight_run_with(&options, run, tool);
    status = print_all(tool);
    if (tool->outcome && tool->outcome != BIGHT_EINTR)
        fprintf(stderr, "query: %s\n", bight_strerror(tool->outcome));
    free(tool->jobs);
    return tool->outcome ? 1 : status;
}

/* A number that is at least 1, or 0. */
static int parse(const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);

    return *text && !*end && number >= 1 && number <= INT_MAX ? (int)number : 0;
}

int main(int argc, char **argv)
{
    struct tool tool = {.at_once = 4, .timeout_ms = -1};
    bool usable = true;
    int option;

    opterr = 0;
    while ((option = getopt(argc, argv, "+c:d:")) != -1) {
        int number = option == '?' ? 0 : parse(optarg);

        *(option == 'c' ? &tool.at_once : &tool.timeout_ms) = number;
        usable &= number > 0;
    }
    if (!usable || argc - optind < 2) {
        fprintf(stderr, "usage: query [-d MS] [-c N] CONNINFO SQL...\n");
        return 2;
    }
    tool.conninfo = argv[optind];
    tool.count = (size_t)(argc - optind) - 1;
    return query_all(&tool, argv + optind + 1);
}
