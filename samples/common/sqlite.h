/* SQLite for tasks: its calls block, so they go to threads, each of which has a connection of its
 * own from its beginning to its end. One thread is a database used by one call at a time. */
#ifndef SAMPLES_COMMON_SQLITE_H
#define SAMPLES_COMMON_SQLITE_H

#include <sqlite3.h>

#include <bight/threads.h>

#define SQLITE_STATEMENTS_MAX 8

/* What each thread opens. All that it points to is kept as long as the threads. */
struct sqlite_base {
    const char *file;
    /* Run by each connection when it is open: pragmas, tables unless they exist. */
    const char *schema;
    /* Prepared by each connection. */
    const char *const *statements;
    int count;
    /* How long another process may hold the database. */
    int busy_ms;
};

/* Of the calling thread, by bight_threads_local. */
struct sqlite_connection {
    sqlite3 *database;
    const struct sqlite_base *base;
    sqlite3_stmt *prepared[SQLITE_STATEMENTS_MAX];
};

/* Start `count` threads, and wait until one of them has its connection; `name` is theirs. As many
 * calls may wait as there is memory for. Suspends. Returns 0; BIGHT_EIO and the like: there is no
 * connection, and standard error says why. Gives *out, to be ended with bight_executor_end. */
BIGHT_MUST_CHECK int sqlite_threads_new(struct bight_executor **out, const char *name,
                                        unsigned count, const struct sqlite_base *base);

/* What SQLite's `code` is in ours: 0, BIGHT_EBUSY, BIGHT_ECANCELED (interrupted), BIGHT_ENOMEM, or
 * BIGHT_EIO, with the text of `database` on standard error. */
int sqlite_code(sqlite3 *database, int code);

#endif
