/* A library that blocks, on a thread of its own, with queries that are awaited: what
 * `ThreadPoolExecutor(max_workers=1)` and `run_in_executor` are for.
 *
 * To notice: one thread is the lock. The connection is made, used and closed by it, so a call sees
 * no other in the middle, and a transaction is a function. Also ":memory:" is one database then;
 * each connection would have its own. A caller that runs out of time has its query interrupted, not
 * only forgotten: SQLite asks now and then whether to go on, and the thread asks for its caller. A
 * query that has not begun is withdrawn without that. */
#include "samples/offload/lesson.h"

#include "samples/common/sqlite.h"

#include <bight/errors.h>
#include <bight/gather.h>
#include <bight/runtime.h>
#include <bight/scope.h>

#include <stdio.h>

#define TRANSFERS 20

enum statement { BEGIN, COMMIT, ROLLBACK, TAKE, GIVE, BALANCE, FOREVER, STATEMENTS };

static const char *const statements[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [TAKE] = "UPDATE accounts SET balance = balance - ?2 WHERE name = ?1 AND balance >= ?2",
    [GIVE] = "UPDATE accounts SET balance = balance + ?2 WHERE name = ?1",
    [BALANCE] = "SELECT balance FROM accounts WHERE name = ?1",
    [FOREVER] =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n",
};

static const struct sqlite_base base = {
    .file = ":memory:",
    .schema = "CREATE TABLE accounts (name TEXT PRIMARY KEY, balance INTEGER NOT NULL);"
              "INSERT INTO accounts VALUES ('alice', 97), ('bob', 3);",
    .statements = statements,
    .count = STATEMENTS,
    .busy_ms = 1000,
};

/* --- on the thread ---------------------------------------------------------------------------- */

static int stop(void *arg)
{
    (void)arg;
    return bight_threads_cancelled();
}

/* Run one statement, ?1 a name and ?2 a number if it has them. BIGHT_ENOENT: it changed nothing, or
 * gave no row; otherwise what the row has goes to *number. */
static int run(enum statement which, const char *name, int64_t *number)
{
    struct sqlite_connection *connection = bight_threads_local();
    sqlite3_stmt *statement = connection->prepared[which];
    int count = sqlite3_bind_parameter_count(statement), rows = 0, code = SQLITE_OK, rc;

    sqlite3_progress_handler(connection->database, 1000, stop, NULL);
    if (count >= 1)
        code = sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    if (code == SQLITE_OK && count >= 2)
        code = sqlite3_bind_int64(statement, 2, *number);
    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        *number = sqlite3_column_int64(statement, 0);
        code = SQLITE_OK;
        rows++;
    }
    rc = sqlite_code(connection->database, code);
    if (!sqlite3_stmt_readonly(statement))
        rows = sqlite3_changes(connection->database);
    if (rc == 0 && count >= 1 && rows == 0)
        rc = BIGHT_ENOENT;
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return rc;
}

struct transfer {
    struct bight_executor *thread;
    const char *from, *to;
    int64_t amount;
    bool refused;
};

static int transfer_on_thread(void *arg)
{
    struct transfer *transfer = arg;
    int rc = run(BEGIN, NULL, NULL), undone;

    if (rc)
        return rc;
    rc = run(TAKE, transfer->from, &transfer->amount);
    transfer->refused = rc == BIGHT_ENOENT;
    if (rc == 0)
        rc = run(GIVE, transfer->to, &transfer->amount);
    if (rc == 0)
        rc = run(COMMIT, NULL, NULL);
    if (rc == 0)
        return 0;
    undone = run(ROLLBACK, NULL, NULL);
    return transfer->refused ? undone : rc;
}

struct balance {
    struct bight_executor *thread;
    const char *name;
    int64_t balance;
};

static int balance_on_thread(void *arg)
{
    struct balance *balance = arg;

    return run(BALANCE, balance->name, &balance->balance);
}

static int forever_on_thread(void *arg)
{
    (void)arg;
    return run(FOREVER, NULL, &(int64_t){0});
}

/* --- tasks ------------------------------------------------------------------------------------ */

static int transfer(void *arg)
{
    struct transfer *transfer = arg;

    return bight_threads_call(transfer->thread, transfer_on_thread, transfer);
}

static int forever(void *thread)
{
    return bight_threads_call(thread, forever_on_thread, NULL);
}

static int transfer_all(struct bight_executor *thread)
{
    struct transfer transfers[TRANSFERS];
    int refused = 0, rc;

    for (int i = 0; i < TRANSFERS; i++)
        transfers[i] = (struct transfer){thread, "alice", "bob", 5, false};
    rc = bight_map(transfer, transfers, sizeof transfers[0], TRANSFERS, TRANSFERS, 0);
    for (int i = 0; i < TRANSFERS; i++)
        refused += transfers[i].refused;
    if (rc == 0)
        printf("%d transfers at the same time, %d refused\n", TRANSFERS, refused);
    return rc;
}

static int print_balance(struct bight_executor *thread, const char *name)
{
    struct balance balance = {.thread = thread, .name = name};
    int rc = bight_threads_call(thread, balance_on_thread, &balance);

    if (rc == 0)
        printf("%s has %lld\n", name, (long long)balance.balance);
    return rc;
}

static int use(struct bight_executor *thread)
{
    int rc = transfer_all(thread);

    if (rc == 0)
        rc = print_balance(thread, "alice");
    if (rc)
        return rc;
    rc = bight_timeout(50, forever, thread);
    printf("A query without end: %s\n", bight_strerror(rc));
    return rc == BIGHT_ETIMEDOUT ? print_balance(thread, "bob") : rc;
}

static int lesson(void *arg)
{
    struct bight_executor *thread;
    int ended, rc = sqlite_threads_new(&thread, "sqlite", 1, &base);

    (void)arg;
    if (rc)
        return rc;
    rc = use(thread);
    ended = bight_executor_end(thread);
    return rc ? rc : ended;
}

int main(void)
{
    return lesson_status("sqlite", bight_run(lesson, NULL));
}
