/* Results of blocking calls in the order in which they come: the lesson of
 * `ThreadPoolExecutor.submit`, `as_completed`, and the dictionary that leads back to the URL.
 *
 * To notice: what is submitted is a task that calls the executor, so all that tasks can do is there
 * for blocking calls too: to wait for the first, for all, in order of their ends, with a limit. The
 * fetch blocks its thread and nothing else. An error of one fetch is its result and goes into its
 * record; it neither ends the others nor is it lost, as the exception of a future is that nobody
 * asks. How many run at a time is the number of threads, which is what `max_workers` is. */
#include "samples/offload/lesson.h"
#include "samples/offload/slow_server.h"

#include <bight/errors.h>
#include <bight/group.h>
#include <bight/runtime.h>
#include <bight/threads.h>
#include <bight/wait.h>

#include <stdio.h>

#define FETCHES 4

struct fetch {
    struct bight_executor *threads;
    uint16_t port;
    int latency_ms;
    const char *path;
    int error;
    char answer[SLOW_LINE_BYTES];
};

static int fetch_blocking(void *arg) /* on a thread */
{
    struct fetch *fetch = arg;

    return slow_fetch_blocking(fetch->port, fetch->latency_ms, fetch->path, fetch->answer);
}

static int submit(void *arg) /* a task */
{
    struct fetch *fetch = arg;

    fetch->error = bight_threads_call(fetch->threads, fetch_blocking, fetch);
    return fetch->error == BIGHT_ECANCELED ? fetch->error : 0;
}

struct batch {
    struct fetch *fetches;
    struct bight_wait_item submitted[FETCHES]; /* of the fetch with the same index */
};

static void report(const struct fetch *fetch)
{
    if (fetch->error)
        printf("%s: %s\n", fetch->path, bight_strerror(fetch->error));
    else
        printf("%s\n", fetch->answer);
}

static int report_as_completed(struct batch *batch)
{
    struct bight_as_completed completed;
    struct bight_wait_item *next;
    int rc = bight_as_completed_begin(&completed, batch->submitted, FETCHES);

    if (rc)
        return rc;
    while ((rc = bight_as_completed_next(&completed, &next)) == 0)
        report(&batch->fetches[next - batch->submitted]);
    bight_as_completed_end(&completed);
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

/* The tasks are the group's, which waits for them in any case: the handles are only to watch. */
static int submit_all(struct bight_group *group, void *arg)
{
    struct batch *batch = arg;
    int rc = 0, submitted = 0;

    for (; submitted < FETCHES && rc == 0; submitted += rc == 0)
        rc = bight_group_spawn(&batch->submitted[submitted].task, group, NULL, submit,
                               &batch->fetches[submitted]);
    if (rc == 0)
        rc = report_as_completed(batch);
    for (int i = 0; i < submitted; i++)
        bight_task_detach(batch->submitted[i].task);
    return rc;
}

static int fetch_all(uint16_t port)
{
    struct fetch fetches[FETCHES] = {
        {.path = "/slow", .latency_ms = 700},
        {.path = "/quick", .latency_ms = 20},
        {.path = "/broken", .latency_ms = 200},
        {.path = "/last", .latency_ms = 450},
    };
    struct batch batch = {.fetches = fetches};
    struct bight_executor *threads;
    int ended, rc = bight_threads_new(&threads, NULL);

    if (rc)
        return rc;
    for (int i = 0; i < FETCHES; i++) {
        fetches[i].threads = threads;
        fetches[i].port = port;
    }
    rc = bight_group_run(submit_all, &batch);
    ended = bight_executor_end(threads);
    return rc ? rc : ended;
}

static int lesson(void *arg)
{
    struct slow_server *server;
    uint16_t port;
    int rc = slow_server_start(&server, &port);

    (void)arg;
    if (rc)
        return rc;
    rc = fetch_all(port);
    slow_server_stop(server);
    return rc;
}

int main(void)
{
    return lesson_status("completed", bight_run(lesson, NULL));
}
