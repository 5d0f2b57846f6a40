/* See pg_pool.h. */
#include "samples/service/pg_pool.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bight/errors.h>
#include <bight/queue.h>

struct pg_pool {
    const char *url, *prepare;
    PGconn *connections[PG_POOL_CONNECTIONS]; /* NULL: there is none now */
    /* Pointers to those that no query has; the one that was used last is taken first. */
    struct bight_queue *idle;
};

/* --- one query -------------------------------------------------------------------------------- */

static void complain(const char *text)
{
    (void)fprintf(stderr, "postgresql: %s", text); /* which ends with its line */
}

/* The last result is the one that counts. */
static int keep(void *arg, PGresult *result)
{
    PGresult **kept = arg;

    PQclear(*kept);
    *kept = result;
    return 0;
}

/* What the server's refusal of a statement is to a request. It has then changed nothing. */
static int code_of(const PGresult *result)
{
    static const struct {
        const char *begin; /* of the SQLSTATE */
        int code;
    } states[] = {
        {"40", BIGHT_EBUSY},    /* a deadlock and the like */
        {"55P03", BIGHT_EBUSY}, /* lock_timeout */
        {"57014", BIGHT_EBUSY}, /* statement_timeout */
        {"53", BIGHT_EBUSY},    /* out of resources */
    };
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    for (size_t i = 0; state && i < sizeof states / sizeof *states; i++)
        if (strncmp(state, states[i].begin, strlen(states[i].begin)) == 0)
            return states[i].code;
    complain(PQresultErrorMessage(result));
    return BIGHT_EIO;
}

static void drop(PGconn **connection)
{
    PQfinish(*connection);
    *connection = NULL;
}

/* Perform `query`. A connection that is of no use any more is dropped. Gives *result on success. */
static int perform(PGconn **connection, struct pg_query *query, PGresult **result)
{
    int rc;

    *result = NULL;
    query->take = keep;
    query->arg = result;
    rc = pg_query(*connection, query);
    if (query->fate == PG_NOT_BEGUN || query->fate == PG_UNKNOWN) {
        if (rc != BIGHT_ECANCELED)
            rc = query->fate == PG_UNKNOWN ? BIGHT_EUNKNOWNOUTCOME : BIGHT_ECONNECT;
        drop(connection);
    } else if (rc == 0 && PQresultStatus(*result) == PGRES_FATAL_ERROR) {
        rc = code_of(*result);
    }
    if (rc) {
        PQclear(*result);
        *result = NULL;
    }
    return rc;
}

/* --- connections ------------------------------------------------------------------------------ */

static void keep_quiet(void *arg, const char *text)
{
    (void)arg;
    (void)text;
}

static int perform_text(PGconn **connection, const char *sql)
{
    struct pg_query query = {.sql = sql};
    PGresult *result;
    int rc = perform(connection, &query, &result);

    PQclear(result);
    return rc == BIGHT_EUNKNOWNOUTCOME ? BIGHT_ECONNECT : rc; /* it changes nothing */
}

static int connect_to(const struct pg_pool *pool, PGconn **connection)
{
    int rc = pg_connect(connection, pool->url);

    if (rc == 0) {
        PQsetNoticeProcessor(*connection, keep_quiet, NULL);
        rc = perform_text(connection, pool->prepare);
    } else if (rc == BIGHT_ECONNECT) {
        complain(PQerrorMessage(*connection));
    }
    if (rc)
        drop(connection);
    return rc;
}

/* A server says nothing to those that ask nothing, unless it ends the connection. */
static bool is_alive(PGconn *connection)
{
    struct pollfd heard = {.fd = PQsocket(connection), .events = POLLIN};

    return PQstatus(connection) == CONNECTION_OK && poll(&heard, 1, 0) == 0;
}

/* A connection that was lost while nobody used it is made anew, and no request is the worse. */
static int connect_if_needed(const struct pg_pool *pool, PGconn **connection)
{
    if (*connection && is_alive(*connection))
        return 0;
    drop(connection);
    return connect_to(pool, connection);
}

/* What only reads is done again, once, if the connection is lost meanwhile. */
static int perform_on(const struct pg_pool *pool, PGconn **connection, struct pg_query *query,
                      bool reads, PGresult **result)
{
    int attempts = reads ? 2 : 1, rc;

    do {
        rc = connect_if_needed(pool, connection);
        if (rc == 0)
            rc = perform(connection, query, result);
    } while (rc == BIGHT_EUNKNOWNOUTCOME && --attempts > 0);
    return rc == BIGHT_EUNKNOWNOUTCOME && reads ? BIGHT_ECONNECT : rc;
}

int pg_pool_run(struct pg_pool *pool, struct pg_query *query, bool reads, PGresult **result)
{
    void *connection;
    int rc = bight_queue_get(pool->idle, &connection);

    if (rc)
        return rc;
    rc = perform_on(pool, connection, query, reads, result);
    int given = bight_queue_try_put(pool->idle, connection); /* there is a place for each */
    return rc ? rc : given;
}

/* --- its life --------------------------------------------------------------------------------- */

/* By a connection of its own, for `prepare` may need what `first` makes. */
static int perform_first(const char *url, const char *first)
{
    PGconn *connection;
    int rc = pg_connect(&connection, url);

    if (rc == BIGHT_ECONNECT)
        complain(PQerrorMessage(connection));
    if (rc == 0) {
        PQsetNoticeProcessor(connection, keep_quiet, NULL);
        rc = perform_text(&connection, first);
    }
    PQfinish(connection);
    return rc;
}

static int open_pool(struct pg_pool *pool, const char *first)
{
    const struct bight_queue_options options = {
        .capacity = PG_POOL_CONNECTIONS,
        .kind = BIGHT_QUEUE_LIFO,
    };
    int rc = bight_queue_new_with(&pool->idle, &options);

    for (size_t i = 0; i < PG_POOL_CONNECTIONS && rc == 0; i++)
        rc = bight_queue_try_put(pool->idle, &pool->connections[i]);
    return rc ? rc : perform_first(pool->url, first);
}

int pg_pool_open(struct pg_pool **out, const char *url, const char *first, const char *prepare)
{
    struct pg_pool *pool = calloc(1, sizeof *pool);
    int rc;

    if (!pool)
        return BIGHT_ENOMEM;
    pool->url = url;
    pool->prepare = prepare;
    rc = open_pool(pool, first);
    if (rc)
        pg_pool_close(pool);
    else
        *out = pool;
    return rc;
}

void pg_pool_close(struct pg_pool *pool)
{
    if (!pool)
        return;
    for (size_t i = 0; i < PG_POOL_CONNECTIONS; i++)
        PQfinish(pool->connections[i]);
    bight_queue_free(pool->idle);
    free(pool);
}
