/* A pool of connections: the lesson of `Semaphore(max_connections)` and `acquire(timeout=...)`.
 *
 * To notice: the semaphore counts, the list says which connection; both change without a wait in
 * between, so they agree and no lock is needed. Connections come back in whatever way their user
 * ends: there is one path out of `client`, after the wait, and it passes the release. A timeout
 * is a scope around the call: a unit that was handed over just as the time ran out is kept, none
 * is lost. */
#include <bight/errors.h>
#include <bight/gather.h>
#include <bight/runtime.h>
#include <bight/scope.h>
#include <bight/semaphore.h>
#include <bight/time.h>

#include <stdio.h>
#include <stdlib.h>

#define CONNECTIONS 2
#define CLIENTS 5

struct connection {
    const char *name;
    struct connection *next;
};

struct pool {
    struct bight_semaphore semaphore;
    struct connection connections[CONNECTIONS];
    struct connection *first; /* the free ones, the longest free first */
};

static void append(struct pool *pool, struct connection *connection)
{
    struct connection **end = &pool->first;

    while (*end)
        end = &(*end)->next;
    connection->next = NULL;
    *end = connection;
}

static int pool_init(struct pool *pool)
{
    static const char *const names[CONNECTIONS] = {"connection A", "connection B"};

    pool->first = NULL;
    for (int i = 0; i < CONNECTIONS; i++) {
        pool->connections[i].name = names[i];
        append(pool, &pool->connections[i]);
    }
    return bight_semaphore_init_bounded(&pool->semaphore, CONNECTIONS, CONNECTIONS);
}

static int acquire_unit(void *semaphore)
{
    return bight_semaphore_acquire(semaphore);
}

/* 0, or BIGHT_ETIMEDOUT when none became free in time. */
static int pool_acquire(struct pool *pool, int64_t timeout_ms, struct connection **out)
{
    int rc = bight_timeout(timeout_ms, acquire_unit, &pool->semaphore);

    if (rc)
        return rc;
    *out = pool->first;
    pool->first = (*out)->next;
    return 0;
}

static int pool_release(struct pool *pool, struct connection *connection)
{
    append(pool, connection);
    return bight_semaphore_release(&pool->semaphore);
}

struct client {
    int number;
    struct pool *pool;
};

static int client(void *arg)
{
    const struct client *client = arg;
    struct connection *connection;
    int rc = pool_acquire(client->pool, 5000, &connection);
    int released;

    if (rc)
        return rc;
    printf("Client %d uses %s\n", client->number, connection->name);
    rc = bight_sleep(100);
    released = pool_release(client->pool, connection);
    return rc ? rc : released;
}

/* More clients than connections: the others wait for their turn. */
static int share(struct pool *pool)
{
    struct client clients[CLIENTS];

    for (int i = 0; i < CLIENTS; i++)
        clients[i] = (struct client){.number = i, .pool = pool};
    return bight_map(client, clients, sizeof clients[0], CLIENTS, CLIENTS, 0);
}

/* With all connections in use, no further one becomes free in time. */
static int exhaust(struct pool *pool)
{
    struct connection *held[CONNECTIONS + 1];
    int rc = 0, count = 0;

    while (rc == 0 && count <= CONNECTIONS) {
        rc = pool_acquire(pool, 200, &held[count]);
        if (rc == 0)
            count++;
    }
    if (rc == BIGHT_ETIMEDOUT) {
        printf("No connection became free in time\n");
        rc = 0;
    }
    while (count > 0) {
        int released = pool_release(pool, held[--count]);

        rc = rc ? rc : released;
    }
    return rc;
}

static int lesson(void *arg)
{
    struct pool pool;
    int rc = pool_init(&pool);

    (void)arg;
    if (rc == 0)
        rc = share(&pool);
    return rc ? rc : exhaust(&pool);
}

int main(void)
{
    int rc = bight_run(lesson, NULL);

    if (rc < 0)
        fprintf(stderr, "pool: %s\n", bight_strerror(rc));
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
