/* A few connections to a PostgreSQL server that go round among the tasks that have a query. Each is
 * made when it is needed, has its statements prepared, and is dropped when it is lost: the next one
 * to use it connects anew. */
#ifndef SAMPLES_SERVICE_PG_POOL_H
#define SAMPLES_SERVICE_PG_POOL_H

#include <stdbool.h>

#include "samples/net/pg.h"

#define PG_POOL_CONNECTIONS 8

struct pg_pool;

/* Perform the SQL of `first`, on a connection of its own, and make a pool whose connections begin
 * with the SQL of `prepare`. Keeps `url` and `prepare`. Returns 0, or what pg_pool_run does; gives
 * *out. */
int pg_pool_open(struct pg_pool **out, const char *url, const char *first, const char *prepare);

/* No task uses it any more. NULL does nothing. */
void pg_pool_close(struct pg_pool *pool);

/* Perform `query`, all of whose fields but `take` and `arg` are set, on one of the connections,
 * when one is free. With `reads` it changes nothing, and is done again if its connection is lost.
 *
 * Returns 0, and gives *result, a success; otherwise a code of store.h, with the database's words
 * on standard error where that is BIGHT_EIO or BIGHT_ECONNECT. */
int pg_pool_run(struct pg_pool *pool, struct pg_query *query, bool reads, PGresult **result);

#endif
