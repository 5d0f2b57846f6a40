/* libpq never waits in here: each of its steps says what the next one needs, bight_fd_wait sleeps
 * until that is there. See pg.h.
 *
 * What libpq does not know as a step blocks the loop: it looks names of hosts up by itself, and
 * reads files such as ~/.pgpass. So give hostaddr, or a number as host, or a socket's folder; a
 * name can be looked up by bight_resolve first. And before version 17 it has no form of PQcancel
 * that does not block, so that goes to a thread, which cannot be called back: where the server's
 * host has gone silent, tcp_user_timeout in the conninfo says how long that may take. */
#include "samples/net/pg.h"

#include <bight/errors.h>
#include <bight/fd.h>
#include <bight/offload.h>
#include <bight/scope.h>

#include <stdbool.h>
#include <string.h>

/* For the server to give up what was cut off. */
#define BUDGET_MS 5000
#define REPEAT_MS 250
#define QUERY_CANCELED "57014" /* the server's SQLSTATE for it */

/* PQsocket is asked before each wait: libpq moves on to the next host by another socket, often
 * under the same number. */
int pg_connect(PGconn **connection, const char *conninfo)
{
    PostgresPollingStatusType next = PGRES_POLLING_WRITING; /* to begin with, says its manual */
    PGconn *made = PQconnectStart(conninfo);

    *connection = made;
    if (!made)
        return BIGHT_ENOMEM;
    if (PQstatus(made) == CONNECTION_BAD)
        return BIGHT_ECONNECT;
    while (next != PGRES_POLLING_OK) {
        int rc = bight_fd_wait(PQsocket(made),
                               next == PGRES_POLLING_READING ? BIGHT_FD_READ : BIGHT_FD_WRITE);
        if (rc < 0)
            return rc;
        next = PQconnectPoll(made);
        if (next == PGRES_POLLING_FAILED)
            return BIGHT_ECONNECT;
    }
    return PQsetnonblocking(made, 1) ? BIGHT_ECONNECT : 0;
}

/* A server may want to be heard before it reads on. That a connection is lost, here and below, is
 * for PQgetResult to tell: it has what the server said last, and then does not wait. */
static int send_rest(PGconn *connection)
{
    while (PQflush(connection) == 1) {
        int rc = bight_fd_wait(PQsocket(connection), BIGHT_FD_READ | BIGHT_FD_WRITE);

        if (rc < 0)
            return rc;
        if ((rc & (int)BIGHT_FD_READ) && !PQconsumeInput(connection))
            break;
    }
    return 0;
}

/* Sleeps for as long as PQgetResult would. */
static int hear(PGconn *connection)
{
    while (PQisBusy(connection) && PQsocket(connection) >= 0) {
        int rc = bight_fd_wait(PQsocket(connection), BIGHT_FD_READ);

        if (rc < 0)
            return rc;
        if (!PQconsumeInput(connection))
            break;
    }
    return 0;
}

static bool is_copy(ExecStatusType status)
{
    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

/* Where the server ends the connection and says why, libpq has a second failure: it is dropped. */
static int take_results(PGconn *connection, const struct pg_query *query)
{
    bool failed = false;
    PGresult *result;
    int rc = 0;

    while (rc == 0 && (rc = hear(connection)) == 0 && (result = PQgetResult(connection))) {
        ExecStatusType status = PQresultStatus(result);

        if (is_copy(status))
            rc = BIGHT_ENOTSUP;
        if (rc || failed)
            PQclear(result);
        else
            rc = query->take(query->arg, result);
        failed |= status == PGRES_FATAL_ERROR;
    }
    return rc;
}

static int drop_copied_out(PGconn *connection)
{
    char *row;
    int bytes;

    while ((bytes = PQgetCopyData(connection, &row, 1)) >= 0) {
        int rc = 0;

        if (bytes > 0)
            PQfreemem(row);
        else
            rc = bight_fd_wait(PQsocket(connection), BIGHT_FD_READ);
        if (rc < 0)
            return rc;
        if (bytes == 0 && !PQconsumeInput(connection))
            return BIGHT_EIO;
    }
    return 0;
}

static int refuse_copy_in(PGconn *connection)
{
    int sent;

    while ((sent = PQputCopyEnd(connection, "the client has nothing to copy")) == 0) {
        int rc = bight_fd_wait(PQsocket(connection), BIGHT_FD_WRITE);

        if (rc < 0)
            return rc;
    }
    return sent < 0 ? BIGHT_EIO : send_rest(connection);
}

struct cut {
    PGconn *connection;
    PGcancel *request;
    bool given_up;
};

/* Drops what the server still says of a query, to its end. It can be begun again. */
static int drain(void *arg)
{
    struct cut *cut = arg;
    PGresult *result;
    int rc = send_rest(cut->connection);

    while (rc == 0 && (rc = hear(cut->connection)) == 0 &&
           (result = PQgetResult(cut->connection))) {
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        ExecStatusType status = PQresultStatus(result);

        if (state && strcmp(state, QUERY_CANCELED) == 0)
            cut->given_up = true;
        PQclear(result);
        if (status == PGRES_COPY_OUT)
            rc = drop_copied_out(cut->connection);
        else if (status == PGRES_COPY_IN)
            rc = refuse_copy_in(cut->connection);
    }
    return rc;
}

/* On a thread: it connects to the server, and waits until that has passed the request on. */
static int request_cancel(void *arg)
{
    char why[256];

    return PQcancel(arg, why, sizeof why) ? 0 : BIGHT_EIO;
}

/* A statement of which half was sent is sent to its end, or the server would wait for that. A
 * request that overtakes its statement is lost on a server that still reads, so it is repeated, and
 * so is one that failed. */
static int wind_up(void *arg)
{
    struct cut *cut = arg;
    int rc = send_rest(cut->connection);

    if (rc)
        return rc;
    do {
        rc = bight_offload(request_cancel, cut->request);
        if (rc != BIGHT_ECANCELED)
            rc = bight_timeout(REPEAT_MS, drain, cut);
    } while (rc == BIGHT_ETIMEDOUT);
    return rc;
}

/* Shielded, since it is after a cancellation that there is this to do. */
static enum pg_fate cut_off(PGconn *connection)
{
    struct cut cut = {.connection = connection, .request = PQgetCancel(connection)};
    int rc;

    if (!cut.request) /* out of memory, or the connection is lost */
        return PG_UNKNOWN;
    rc = bight_shield(BUDGET_MS, wind_up, &cut);
    PQfreeCancel(cut.request);
    if (rc)
        return PG_UNKNOWN;
    return cut.given_up ? PG_CANCELLED : PG_ENDED;
}

static int begin(PGconn *connection, const struct pg_query *query)
{
    if (query->sql)
        return PQsendQuery(connection, query->sql);
    return PQsendQueryPrepared(connection, query->prepared, query->count, query->values, NULL, NULL,
                               0);
}

int pg_query(PGconn *connection, struct pg_query *query)
{
    int rc;

    query->fate = PG_NOT_BEGUN;
    if (!begin(connection, query))
        return BIGHT_EIO;
    rc = send_rest(connection);
    if (rc == 0)
        rc = take_results(connection, query);
    query->fate = rc ? cut_off(connection) : PG_ENDED;
    if (PQstatus(connection) != CONNECTION_OK)
        query->fate = PG_UNKNOWN;
    return rc;
}
