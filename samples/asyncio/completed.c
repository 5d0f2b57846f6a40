/* Results in the order in which they come: the lesson of `max_workers`, `as_completed` and a fetch
 * that returns its error as a result.
 *
 * To notice: a semaphore takes the place of the number of workers, because a task that waits costs
 * a stack and no thread. The items given to bight_as_completed_begin lie in an array, so the one
 * that comes back has an index, and that leads to the request. A broken connection is a result like
 * any other and goes into the record; a cancellation is not a result, and is handed on. */
#include <bight/errors.h>
#include <bight/group.h>
#include <bight/runtime.h>
#include <bight/semaphore.h>
#include <bight/time.h>
#include <bight/wait.h>

#include <stdio.h>
#include <stdlib.h>

#define FETCHES 4
#define WORKERS 2

struct fetch {
    const char *url;
    int64_t latency_ms;
    bool breaks;
    struct bight_semaphore *workers;
    int status, error;
};

/* In place of an HTTP request. */
static int request(struct fetch *fetch)
{
    int rc = bight_sleep(fetch->latency_ms);

    if (rc)
        return rc;
    if (fetch->breaks)
        return BIGHT_ECONNRESET;
    fetch->status = 200;
    return 0;
}

static int fetch_url(void *arg)
{
    struct fetch *fetch = arg;
    int rc = bight_semaphore_acquire(fetch->workers);

    if (rc)
        return rc;
    fetch->error = request(fetch);
    rc = bight_semaphore_release(fetch->workers);
    return fetch->error == BIGHT_ECANCELED ? fetch->error : rc;
}

static void print_result(const struct fetch *fetch)
{
    if (fetch->error)
        printf("{'url': '%s', 'error': '%s'}\n", fetch->url, bight_strerror(fetch->error));
    else
        printf("{'url': '%s', 'status': %d}\n", fetch->url, fetch->status);
}

/* Print fetches[i] when the task of items[i] has ended. */
static int print_results(struct bight_wait_item *items, const struct fetch *fetches)
{
    struct bight_as_completed completed;
    struct bight_wait_item *item;
    int rc = bight_as_completed_begin(&completed, items, FETCHES);

    if (rc)
        return rc;
    while ((rc = bight_as_completed_next(&completed, &item)) == 0)
        print_result(&fetches[item - items]);
    bight_as_completed_end(&completed);
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int fetch_all(struct bight_group *group, void *arg)
{
    struct fetch *fetches = arg;
    struct bight_wait_item items[FETCHES];
    size_t started = 0;
    int rc = 0;

    while (started < FETCHES && rc == 0) {
        rc = bight_group_spawn(&items[started].task, group, NULL, fetch_url, &fetches[started]);
        if (rc == 0)
            started++;
    }
    if (rc == 0)
        rc = print_results(items, fetches);
    while (started)
        bight_task_detach(items[--started].task);
    return rc;
}

static int lesson(void *arg)
{
    struct bight_semaphore workers;
    struct fetch fetches[FETCHES] = {
        {.url = "/slow", .latency_ms = 1000},
        {.url = "/quick", .latency_ms = 100},
        {.url = "/broken", .latency_ms = 100, .breaks = true},
        {.url = "/last", .latency_ms = 100},
    };
    int rc = bight_semaphore_init_bounded(&workers, WORKERS, WORKERS);

    (void)arg;
    for (int i = 0; i < FETCHES; i++)
        fetches[i].workers = &workers;
    return rc ? rc : bight_group_run(fetch_all, fetches);
}

int main(void)
{
    int rc = bight_run(lesson, NULL);

    if (rc < 0)
        fprintf(stderr, "completed: %s\n", bight_strerror(rc));
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
