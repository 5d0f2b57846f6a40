/* libpq driven from tasks: a connection is made and a query performed while other tasks run, and
 * both can be cancelled, also on the server. pg.c has how. */
#ifndef SAMPLES_NET_PG_H
#define SAMPLES_NET_PG_H

#include <libpq-fe.h>

/* What became of a query. */
enum pg_fate {
    PG_NOT_BEGUN, /* the server does not know of it */
    PG_ENDED,     /* the server has come to its end, be it success or failure */
    PG_CANCELLED, /* it was cut off, and the server has given it up */
    PG_UNKNOWN,   /* the server did not say, or is gone: the connection is of no use any more */
};

struct pg_query {
    /* One statement or several, which are then one transaction; or NULL. */
    const char *sql;
    /* Then it is the statement that PREPARE has given this name, with `count` values as text, of
     * which NULL is NULL. */
    const char *prepared;
    const char *const *values;
    int count;
    /* Takes each result, in order; one that failed is a result too, of status PGRES_FATAL_ERROR,
     * and the last. A code that is not zero cuts the query off. */
    int (*take)(void *arg, PGresult *result);
    void *arg;
    /* Result. */
    enum pg_fate fate;
};

/* Connect, by as many hosts as `conninfo` has. Whatever it returns, *connection is for PQfinish,
 * and has the message; it is NULL after BIGHT_ENOMEM. BIGHT_ECONNECT: libpq says no. Cancellable.
 */
int pg_connect(PGconn **connection, const char *conninfo);

/* Perform `query`, and nothing else on this connection meanwhile. Returns 0 when all results were
 * taken; BIGHT_EIO when it could not be sent, and PQerrorMessage says why; BIGHT_ENOTSUP for a COPY
 * to or from the client; what `take` returned; BIGHT_ECANCELED. In the last three cases the query
 * is cancelled on the server, for which it has some seconds more, and unless its fate is unknown
 * the connection is ready for the next one. */
int pg_query(PGconn *connection, struct pg_query *query);

#endif
