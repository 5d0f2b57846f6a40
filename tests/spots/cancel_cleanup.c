/* Cancellation during cleanup.
 *
 * Hard: cleanup of a connection has to wait (say goodbye, let the peer answer), but it runs because
 * the task was cancelled, and in a cancelled scope nothing waits. And whoever cancels may do so
 * again while the cleanup is on its way. A bight_defer handler runs under a shield, whichever
 * way the task ended; a bight_shield of its own gives one step a budget, so that a dead peer
 * cannot hold it. */
#include <bight/event.h>
#include <bight/runtime.h>
#include <bight/scope.h>
#include <bight/task.h>
#include <bight/time.h>

#include <stdio.h>

struct connection {
    struct bight_event serving;
    struct bight_event cleaning;
    struct bight_event answer; /* set by the peer, sooner or later */
    int goodbye, dead_peer, after;
};

static int wait_answer(void *arg)
{
    struct connection *connection = arg;

    return bight_event_wait(&connection->answer);
}

static int wait_for_ever(void *arg)
{
    (void)arg;
    return bight_sleep(-1);
}

static void say_goodbye(void *arg)
{
    struct connection *connection = arg;

    bight_event_set(&connection->cleaning);
    connection->goodbye = wait_answer(connection);
    connection->dead_peer = bight_shield(5, wait_for_ever, NULL);
    connection->after = bight_yield(); /* the budget is spent, the handler's shield is not */
}

static int serve(void *arg)
{
    struct connection *connection = arg;
    int rc = bight_defer(say_goodbye, connection);

    if (rc)
        return rc;
    bight_event_set(&connection->serving);
    return bight_sleep(-1);
}

static int run(void *arg)
{
    struct connection *connection = arg;
    struct bight_task *task;
    int status;
    int rc = bight_spawn(&task, serve, connection);

    if (rc || (rc = bight_event_wait(&connection->serving)))
        return rc;
    bight_task_cancel(task);
    if ((rc = bight_event_wait(&connection->cleaning)))
        return rc;
    bight_task_cancel(task); /* again, in the middle of the cleanup */
    bight_event_set(&connection->answer);
    rc = bight_join(task, &status);
    return rc ? rc : status;
}

int main(void)
{
    struct connection connection = {.goodbye = 1, .dead_peer = 1, .after = 1};

    bight_event_init(&connection.serving);
    bight_event_init(&connection.cleaning);
    bight_event_init(&connection.answer);
    int rc = bight_run(run, &connection);
    bool ok = rc == BIGHT_ECANCELED && connection.goodbye == 0 &&
              connection.dead_peer == BIGHT_ETIMEDOUT && connection.after == 0;

    printf("cancel_cleanup: task %s, goodbye %d, dead peer %s, next wait %d\n",
           bight_error_name(rc), connection.goodbye, bight_error_name(connection.dead_peer),
           connection.after);
    return ok ? 0 : 1;
}
