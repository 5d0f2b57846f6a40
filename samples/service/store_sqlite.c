/* Notes in a file, by SQLite. Its calls block, so they go to threads, each with a connection that
 * no other call has meanwhile. SQLite lets one connection write at a time, and with a write-ahead
 * log the others read on: so there is one connection that writes, whose callers wait in tasks and
 * not in threads, and a few that read. Another process may write too: for that there is the busy
 * timeout. */
#include "samples/service/store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bight/errors.h>
#include <bight/offload.h>
#include <bight/queue.h>

#define READERS 3
/* A call that has begun is not cancelled: so this is less than a request's deadline. */
#define BUSY_MS 1000

enum statement { ADD, GET, LIST, PUT, REMOVE, STATEMENTS };

static const char schema[] = "PRAGMA journal_mode = WAL;"
                             "CREATE TABLE IF NOT EXISTS notes ("
                             " id INTEGER PRIMARY KEY AUTOINCREMENT,"
                             " version INTEGER NOT NULL DEFAULT 1,"
                             " title TEXT NOT NULL,"
                             " text TEXT NOT NULL);";

/* Whatever comes from a client is a parameter. ?1 is an id, but for ADD. */
static const char *const statements[STATEMENTS] = {
    [ADD] = "INSERT INTO notes (title, text) VALUES (?2, ?3) RETURNING id, version",
    [GET] = "SELECT id, version, title, text FROM notes WHERE id = ?1",
    [LIST] = "SELECT id, version, title FROM notes WHERE id > ?1 ORDER BY id LIMIT ?4",
    [PUT] = ("UPDATE notes SET title = ?2, text = ?3, version = version + 1"
             " WHERE id = ?1 AND ?4 IN (0, version) RETURNING id, version"),
    [REMOVE] = "DELETE FROM notes WHERE id = ?1 AND ?4 IN (0, version) RETURNING id, version",
};

struct connection {
    sqlite3 *database;
    sqlite3_stmt *prepared[STATEMENTS];
};

struct sqlite_store {
    struct store store;
    const char *file;
    struct connection connections[1 + READERS];
    /* Of those that no call has. */
    struct bight_queue *writers, *readers;
};

/* One call, on the stack of its task. Either `note` or `notes` takes the rows. */
struct call {
    enum statement statement;
    struct connection *connection;
    int64_t id;
    int64_t number; /* ?4: a version, or the most rows */
    struct note *note;
    struct notes *notes;
    int rows;
};

static struct sqlite_store *sqlite_of(struct store *store)
{
    return (struct sqlite_store *)store;
}

/* --- on threads ------------------------------------------------------------------------------- */

static int code_of(sqlite3 *database, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return BIGHT_EBUSY;
    case SQLITE_NOMEM:
        return BIGHT_ENOMEM;
    default:
        (void)fprintf(stderr, "sqlite: %s\n", database ? sqlite3_errmsg(database) : "no memory");
        return BIGHT_EIO;
    }
}

static int prepare(struct connection *connection)
{
    int code = SQLITE_OK;

    for (int i = 0; i < STATEMENTS && code == SQLITE_OK; i++)
        code = sqlite3_prepare_v3(connection->database, statements[i], -1,
                                  SQLITE_PREPARE_PERSISTENT, &connection->prepared[i], NULL);
    return code;
}

static int open_connection(struct connection *connection, const char *file)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(file, &connection->database, flags, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_busy_timeout(connection->database, BUSY_MS);
    if (code == SQLITE_OK)
        code = sqlite3_exec(connection->database, schema, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = prepare(connection);
    return code_of(connection->database, code);
}

static int open_all(void *arg)
{
    struct sqlite_store *store = arg;
    int rc = 0;

    for (size_t i = 0; i < 1 + READERS && rc == 0; i++)
        rc = open_connection(&store->connections[i], store->file);
    return rc;
}

static int close_all(void *arg)
{
    struct sqlite_store *store = arg;

    for (size_t i = 0; i < 1 + READERS; i++) {
        for (int j = 0; j < STATEMENTS; j++)
            (void)sqlite3_finalize(store->connections[i].prepared[j]);
        (void)sqlite3_close(store->connections[i].database);
    }
    return 0;
}

/* The parameters that the statement has: the others are out of its range. */
static int bind(const struct call *call, sqlite3_stmt *statement)
{
    int count = sqlite3_bind_parameter_count(statement);
    int code = sqlite3_bind_int64(statement, 1, call->id);

    if (code == SQLITE_OK && count >= 2 && call->note && call->note->title)
        code = sqlite3_bind_text(statement, 2, call->note->title, -1, SQLITE_STATIC);
    if (code == SQLITE_OK && count >= 3 && call->note && call->note->text)
        code = sqlite3_bind_text(statement, 3, call->note->text, -1, SQLITE_STATIC);
    if (code == SQLITE_OK && count >= 4)
        code = sqlite3_bind_int64(statement, 4, call->number);
    return code;
}

/* Copy column `column`, if the row has it. */
static bool take_text(char **out, sqlite3_stmt *statement, int column)
{
    if (column >= sqlite3_column_count(statement))
        return true;
    const char *text = (const char *)sqlite3_column_text(statement, column);
    *out = text ? strdup(text) : NULL;
    return *out;
}

static int take_row(struct call *call, sqlite3_stmt *statement)
{
    struct note *note = call->notes ? notes_add(call->notes) : call->note;

    call->rows++;
    if (call->statement == REMOVE)
        return SQLITE_OK;
    if (!note)
        return SQLITE_NOMEM;
    note->id = sqlite3_column_int64(statement, 0);
    note->version = sqlite3_column_int64(statement, 1);
    return take_text(&note->title, statement, 2) && take_text(&note->text, statement, 3)
               ? SQLITE_OK
               : SQLITE_NOMEM;
}

/* A change is made when the last step says that it is done. */
static int perform(void *arg)
{
    struct call *call = arg;
    sqlite3_stmt *statement = call->connection->prepared[call->statement];
    int code = bind(call, statement);

    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        code = take_row(call, statement);
    int rc = code_of(call->connection->database, code);
    (void)sqlite3_reset(statement); /* says again what the last step said */
    (void)sqlite3_clear_bindings(statement);
    return rc;
}

/* --- on the loop ------------------------------------------------------------------------------ */

static int run(struct bight_queue *idle, struct call *call)
{
    void *connection;
    int rc = bight_queue_get(idle, &connection);

    if (rc)
        return rc;
    call->connection = connection;
    rc = bight_offload(perform, call);
    int given = bight_queue_try_put(idle, connection); /* there is a place for each */
    return rc ? rc : given;
}

static int run_for_one(struct bight_queue *idle, struct call *call)
{
    int rc = run(idle, call);

    return rc == 0 && call->rows == 0 ? BIGHT_ENOENT : rc;
}

static int add(struct store *store, struct note *note)
{
    return run_for_one(sqlite_of(store)->writers, &(struct call){.statement = ADD, .note = note});
}

static int get(struct store *store, int64_t id, struct note *note)
{
    int rc;

    *note = (struct note){0};
    rc = run_for_one(sqlite_of(store)->readers,
                     &(struct call){.statement = GET, .id = id, .note = note});
    if (rc)
        note_free(note);
    return rc;
}

static int list(struct store *store, int64_t after, int most, struct notes *notes)
{
    int rc;

    *notes = (struct notes){0};
    rc = run(sqlite_of(store)->readers,
             &(struct call){.statement = LIST, .id = after, .number = most, .notes = notes});
    if (rc)
        notes_free(notes);
    return rc;
}

static int put(struct store *store, struct note *note)
{
    return run_for_one(
        sqlite_of(store)->writers,
        &(struct call){.statement = PUT, .id = note->id, .number = note->version, .note = note});
}

static int remove_note(struct store *store, int64_t id, int64_t version)
{
    return run_for_one(sqlite_of(store)->writers,
                       &(struct call){.statement = REMOVE, .id = id, .number = version});
}

static void close_store(struct store *store)
{
    struct sqlite_store *sqlite = sqlite_of(store);

    if (bight_offload(close_all, sqlite))
        (void)close_all(sqlite); /* cancelled: then it takes the loop's time */
    bight_queue_free(sqlite->writers);
    bight_queue_free(sqlite->readers);
    free(sqlite);
}

static const struct store_ops ops = {
    .close = close_store,
    .add = add,
    .get = get,
    .list = list,
    .put = put,
    .remove = remove_note,
};

static int open_store(struct sqlite_store *store)
{
    int rc = bight_queue_new(&store->writers, 1);

    if (rc == 0)
        rc = bight_queue_new(&store->readers, READERS);
    if (rc == 0)
        rc = bight_offload(open_all, store);
    for (size_t i = 0; i < 1 + READERS && rc == 0; i++)
        rc = bight_queue_try_put(i ? store->readers : store->writers, &store->connections[i]);
    return rc;
}

int store_sqlite_open(struct store **out, const char *file)
{
    struct sqlite_store *store;
    int rc;

    if (!*file || *file == ':') /* ":memory:" would be another one for each connection */
        return BIGHT_EINVAL;
    store = calloc(1, sizeof *store);
    if (!store)
        return BIGHT_ENOMEM;
    store->store.ops = &ops;
    store->file = file;
    rc = open_store(store);
    if (rc)
        close_store(&store->store);
    else
        *out = &store->store;
    return rc;
}
