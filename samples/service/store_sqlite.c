/* Notes in a file, by SQLite, on threads (samples/common/sqlite.h). It lets one connection write at
 * a time, and with a write-ahead log the others read on: so there is one thread that writes, and
 * there are a few that read; callers wait in tasks, where they can be cancelled. Another process
 * may write too: for that there is the busy timeout. */
#include "samples/service/store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bight/errors.h>
#include <bight/threads.h>

#include "samples/common/sqlite.h"

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

struct sqlite_store {
    struct store store;
    struct sqlite_base base;
    struct bight_executor *writer, *readers;
};

/* One call, on the stack of its task. Either `note` or `notes` takes the rows. */
struct call {
    enum statement statement;
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
    struct sqlite_connection *connection = bight_threads_local();
    sqlite3_stmt *statement = connection->prepared[call->statement];
    int code = bind(call, statement);

    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        code = take_row(call, statement);
    int rc = sqlite_code(connection->database, code);
    (void)sqlite3_reset(statement); /* says again what the last step said */
    (void)sqlite3_clear_bindings(statement);
    return rc;
}

/* --- on the loop ------------------------------------------------------------------------------ */

static int run_for_one(struct bight_executor *threads, struct call *call)
{
    int rc = bight_threads_call(threads, perform, call);

    return rc == 0 && call->rows == 0 ? BIGHT_ENOENT : rc;
}

static int add(struct store *store, struct note *note)
{
    return run_for_one(sqlite_of(store)->writer, &(struct call){.statement = ADD, .note = note});
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
    rc = bight_threads_call(
        sqlite_of(store)->readers, perform,
        &(struct call){.statement = LIST, .id = after, .number = most, .notes = notes});
    if (rc)
        notes_free(notes);
    return rc;
}

static int put(struct store *store, struct note *note)
{
    return run_for_one(
        sqlite_of(store)->writer,
        &(struct call){.statement = PUT, .id = note->id, .number = note->version, .note = note});
}

static int remove_note(struct store *store, int64_t id, int64_t version)
{
    return run_for_one(sqlite_of(store)->writer,
                       &(struct call){.statement = REMOVE, .id = id, .number = version});
}

/* The connections are closed by their threads. */
static void end_threads(struct bight_executor *threads)
{
    if (threads && bight_executor_end(threads))
        (void)fputs("sqlite: the threads have not ended\n", stderr);
}

static void close_store(struct store *store)
{
    struct sqlite_store *sqlite = sqlite_of(store);

    end_threads(sqlite->readers);
    end_threads(sqlite->writer);
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

/* The writer first: it makes the file and the table. */
static int open_store(struct sqlite_store *store)
{
    int rc = sqlite_threads_new(&store->writer, "sqlite-writer", 1, &store->base);

    return rc ? rc : sqlite_threads_new(&store->readers, "sqlite-reader", READERS, &store->base);
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
    store->base = (struct sqlite_base){
        .file = file,
        .schema = schema,
        .statements = statements,
        .count = STATEMENTS,
        .busy_ms = BUSY_MS,
    };
    rc = open_store(store);
    if (rc)
        close_store(&store->store);
    else
        *out = &store->store;
    return rc;
}
