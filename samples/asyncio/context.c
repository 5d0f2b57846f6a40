/* An asynchronous context manager: the lesson of `__aenter__`, `__aexit__` and `async with`.
 *
 * To notice: begin and end are a pair in the same function, and what happened in between goes
 * through the end as a code, which hands on the first that went wrong. The end has to wait, and
 * has to do so also when its task is being cancelled, when every wait would return at once:
 * bight_shield keeps the cancellation out for a time that is enough, and not for ever. */
#include <bight/errors.h>
#include <bight/runtime.h>
#include <bight/scope.h>
#include <bight/time.h>

#include <stdio.h>
#include <stdlib.h>

struct connection {
    bool open;
};

static int disconnect(void *arg)
{
    struct connection *connection = arg;
    int rc = bight_sleep(100); /* stands for a farewell to the database */

    connection->open = false;
    if (rc == 0)
        printf("Disconnected\n");
    return rc;
}

static int connection_begin(struct connection *connection)
{
    int rc = bight_sleep(100);

    connection->open = rc == 0;
    return rc;
}

/* Close the connection, whatever code `rc` its use came to. */
static int connection_end(struct connection *connection, int rc)
{
    int closed = bight_shield(2000, disconnect, connection);

    return rc < 0 ? rc : closed;
}

static int use_connection(void *duration_ms)
{
    struct connection connection;
    int rc = connection_begin(&connection);

    if (rc)
        return rc;
    printf("Using connection\n");
    rc = bight_sleep(*(const int64_t *)duration_ms);
    return connection_end(&connection, rc);
}

static int lesson(void *arg)
{
    int64_t short_ms = 0, long_ms = 10000;
    int rc = use_connection(&short_ms);

    (void)arg;
    if (rc)
        return rc;
    rc = bight_timeout(1000, use_connection, &long_ms);
    if (rc != BIGHT_ETIMEDOUT)
        return rc;
    printf("Timed out\n");
    return 0;
}

int main(void)
{
    int rc = bight_run(lesson, NULL);

    if (rc < 0)
        fprintf(stderr, "context: %s\n", bight_strerror(rc));
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
