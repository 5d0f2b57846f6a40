/* See sqlite.h. */
#include "samples/common/sqlite.h"

#include <bight/errors.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int sqlite_code(sqlite3 *database, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return BIGHT_EBUSY;
    case SQLITE_INTERRUPT:
        return BIGHT_ECANCELED;
    case SQLITE_NOMEM:
        return BIGHT_ENOMEM;
    default:
        (void)fprintf(stderr, "sqlite: %s\n", database ? sqlite3_errmsg(database) : "no memory");
        return BIGHT_EIO;
    }
}

static int prepare(struct sqlite_connection *connection)
{
    int code = SQLITE_OK;

    for (int i = 0; i < connection->base->count && code == SQLITE_OK; i++)
        code = sqlite3_prepare_v3(connection->database, connection->base->statements[i], -1,
                                  SQLITE_PREPARE_PERSISTENT, &connection->prepared[i], NULL);
    return code;
}

static int open_connection(struct sqlite_connection *connection)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    const struct sqlite_base *base = connection->base;
    int code = sqlite3_open_v2(base->file, &connection->database, flags, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_busy_timeout(connection->database, base->busy_ms);
    if (code == SQLITE_OK)
        code = sqlite3_exec(connection->database, base->schema, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = prepare(connection);
    return sqlite_code(connection->database, code);
}

static void close_connection(void *local)
{
    struct sqlite_connection *connection = local;

    for (int i = 0; i < connection->base->count; i++)
        (void)sqlite3_finalize(connection->prepared[i]);
    (void)sqlite3_close(connection->database);
    free(connection);
}

/* In each thread before its calls. */
static int have_connection(void *base, void **local)
{
    struct sqlite_connection *connection = calloc(1, sizeof *connection);
    int rc;

    if (!connection)
        return BIGHT_ENOMEM;
    connection->base = base;
    rc = open_connection(connection);
    if (rc)
        close_connection(connection);
    else
        *local = connection;
    return rc;
}

/* The thread that is asked this has its connection. */
static int see_connection(void *arg)
{
    (void)arg;
    return bight_threads_local() ? 0 : BIGHT_EIO;
}

int sqlite_threads_new(struct bight_executor **out, const char *name, unsigned count,
                       const struct sqlite_base *base)
{
    struct bight_threads_options options = {
        .name = name,
        .threads_most = count,
        .threads_least = count,
        .queue_max = SIZE_MAX,
        .init = have_connection,
        .init_arg = (void *)(uintptr_t)base,
        .teardown = close_connection,
    };
    struct bight_executor *threads;
    int ended, rc;

    if (base->count > SQLITE_STATEMENTS_MAX)
        return BIGHT_EINVAL;
    rc = bight_threads_new(&threads, &options);
    if (rc)
        return rc;
    rc = bight_threads_call(threads, see_connection, NULL);
    if (rc == 0) {
        *out = threads;
        return 0;
    }
    ended = bight_executor_end(threads);
    if (ended)
        return ended;
    return rc == BIGHT_EINITFAILED ? BIGHT_EIO : rc; /* the thread has said why */
}
