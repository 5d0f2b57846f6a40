/* Notes in PostgreSQL. Its calls do not block: the task of a request sleeps until the server has
 * answered, and what is cancelled is cancelled on the server too. pg_pool.c has the connections,
 * samples/net/pg.c the queries. */
#include "samples/service/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bight/errors.h>

#include "samples/service/pg_pool.h"

/* Two services that begin at the same time would not both succeed without the lock. */
static const char schema[] = "SELECT pg_advisory_xact_lock(20261129);"
                             "CREATE TABLE IF NOT EXISTS notes ("
                             " id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
                             " version bigint NOT NULL DEFAULT 1,"
                             " title text NOT NULL,"
                             " text text NOT NULL)";

/* Whatever comes from a client is a parameter of these. */
static const char prepare[] =
    "PREPARE add (text, text) AS"
    " INSERT INTO notes (title, text) VALUES ($1, $2) RETURNING id, version;"
    "PREPARE get (bigint) AS SELECT id, version, title, text FROM notes WHERE id = $1;"
    "PREPARE list (bigint, bigint) AS"
    " SELECT id, version, title FROM notes WHERE id > $1 ORDER BY id LIMIT $2;"
    "PREPARE put (bigint, bigint, text, text) AS"
    " UPDATE notes SET title = $3, text = $4, version = version + 1"
    " WHERE id = $1 AND $2 IN (0, version) RETURNING id, version;"
    "PREPARE remove (bigint, bigint) AS"
    " DELETE FROM notes WHERE id = $1 AND $2 IN (0, version) RETURNING id, version";

struct pg_store {
    struct store store;
    struct pg_pool *pool;
};

static struct pg_pool *pool_of(struct store *store)
{
    return ((struct pg_store *)store)->pool;
}

/* The decimal digits of a number, for a parameter. */
struct digits {
    char text[24];
};

static struct digits digits_of(int64_t number)
{
    struct digits digits;

    (void)snprintf(digits.text, sizeof digits.text, "%" PRId64, number);
    return digits;
}

/* --- notes ------------------------------------------------------------------------------------ */

static bool take_text(char **out, const PGresult *result, int row, int column)
{
    if (column >= PQnfields(result))
        return true;
    *out = strdup(PQgetvalue(result, row, column));
    return *out;
}

/* The columns that there are; title and text of the note are NULL for the others. */
static int take_row(struct note *note, const PGresult *result, int row)
{
    if (!note)
        return BIGHT_ENOMEM;
    note->id = strtoll(PQgetvalue(result, row, 0), NULL, 10);
    note->version = strtoll(PQgetvalue(result, row, 1), NULL, 10);
    return take_text(&note->title, result, row, 2) && take_text(&note->text, result, row, 3)
               ? 0
               : BIGHT_ENOMEM;
}

/* Perform a statement for one note, and take what it returns of that; `note` may be NULL. */
static int run_for_one(struct store *store, struct pg_query *query, bool reads, struct note *note)
{
    PGresult *result;
    int rc = pg_pool_run(pool_of(store), query, reads, &result);

    if (rc)
        return rc;
    if (PQntuples(result) == 0)
        rc = BIGHT_ENOENT;
    else if (note)
        rc = take_row(note, result, 0);
    PQclear(result);
    return rc;
}

static int add(struct store *store, struct note *note)
{
    const char *const values[] = {note->title, note->text};
    struct pg_query query = {.prepared = "add", .values = values, .count = 2};

    return run_for_one(store, &query, false, note);
}

static int get(struct store *store, int64_t id, struct note *note)
{
    struct digits digits = digits_of(id);
    const char *const values[] = {digits.text};
    struct pg_query query = {.prepared = "get", .values = values, .count = 1};
    int rc;

    *note = (struct note){0};
    rc = run_for_one(store, &query, true, note);
    if (rc)
        note_free(note);
    return rc;
}

static int list(struct store *store, int64_t after, int most, struct notes *notes)
{
    struct digits from = digits_of(after), limit = digits_of(most);
    const char *const values[] = {from.text, limit.text};
    struct pg_query query = {.prepared = "list", .values = values, .count = 2};
    PGresult *result;
    int rc = pg_pool_run(pool_of(store), &query, true, &result);

    if (rc)
        return rc;
    *notes = (struct notes){0};
    for (int row = 0; row < PQntuples(result) && rc == 0; row++)
        rc = take_row(notes_add(notes), result, row);
    PQclear(result);
    if (rc)
        notes_free(notes);
    return rc;
}

static int put(struct store *store, struct note *note)
{
    struct digits id = digits_of(note->id), version = digits_of(note->version);
    const char *const values[] = {id.text, version.text, note->title, note->text};
    struct pg_query query = {.prepared = "put", .values = values, .count = 4};

    return run_for_one(store, &query, false, note);
}

static int remove_note(struct store *store, int64_t id, int64_t version)
{
    struct digits digits = digits_of(id), of_version = digits_of(version);
    const char *const values[] = {digits.text, of_version.text};
    struct pg_query query = {.prepared = "remove", .values = values, .count = 2};

    return run_for_one(store, &query, false, NULL);
}

/* --- its life --------------------------------------------------------------------------------- */

static void close_store(struct store *store)
{
    pg_pool_close(pool_of(store));
    free(store);
}

static const struct store_ops ops = {
    .close = close_store,
    .add = add,
    .get = get,
    .list = list,
    .put = put,
    .remove = remove_note,
};

int store_pg_open(struct store **out, const char *url)
{
    struct pg_store *store = calloc(1, sizeof *store);
    int rc;

    if (!store)
        return BIGHT_ENOMEM;
    store->store.ops = &ops;
    rc = pg_pool_open(&store->pool, url, schema, prepare);
    if (rc)
        close_store(&store->store);
    else
        *out = &store->store;
    return rc;
}
