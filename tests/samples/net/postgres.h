/* A PostgreSQL server of a suite's own: a new database in a temporary folder. */
#ifndef TESTS_SAMPLES_NET_POSTGRES_H
#define TESTS_SAMPLES_NET_POSTGRES_H

#include <libpq-fe.h>
#include <stdint.h>
#include <sys/types.h>

struct postgres {
    pid_t pid;
    uint16_t port; /* of 127.0.0.1, and of a Unix socket in `folder` */
    char folder[32];
    char conninfo[128]; /* by TCP, as its superuser, who needs no password */
    PGconn *connection; /* of the test's own, for postgres_says */
};

/* The `begin` of suites that are skipped without it. */
void postgres_needed(int argc, char **argv);

/* For `open` and `close` of a suite: the server is for all its cases. */
void postgres_start(struct postgres *postgres);
void postgres_stop(struct postgres *postgres);

/* For `setup` and `teardown`: a connection of the case's own. */
void postgres_meet(struct postgres *postgres);
void postgres_leave(struct postgres *postgres);
/* One of its backends was killed: it ends the others, this connection's too, and begins anew.
 * Returns when it has, with another connection. */
void postgres_recovers(struct postgres *postgres);
/* Perform `sql`, by libpq alone, blocking. The first field of the result as a number, or 0. */
int postgres_says(struct postgres *postgres, const char *sql);
/* Returns when postgres_says(sql) is `value`; it fails after some seconds. Returns the ms. */
double postgres_comes_to(struct postgres *postgres, const char *sql, int value);

/* How many statements that contain `word` are being executed. */
#define postgres_busy_with(word)                                                                   \
    "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%" word "%'"     \
    " AND pid <> pg_backend_pid()"

#endif
