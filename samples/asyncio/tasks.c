/* Task management: the lesson of `create_task`, `await task`, `wait_for` and `asyncio.wait` with
 * FIRST_COMPLETED.
 *
 * To notice: tasks are spawned into a group, so none outlives the function that started it, what
 * they are given lies in that function's caller, and the failure of one is what bight_group_run
 * returns. A handle is good for one join or one detach. bight_wait takes no handles: it says
 * which tasks have ended. */
#include <bight/errors.h>
#include <bight/group.h>
#include <bight/runtime.h>
#include <bight/time.h>
#include <bight/wait.h>

#include <stdio.h>
#include <stdlib.h>

#define PENDING 10

struct fetch {
    char url[24];
    char data[64];
};

static int fetch_data(void *arg)
{
    struct fetch *fetch = arg;
    int rc, length;

    printf("Fetching %s\n", fetch->url);
    rc = bight_sleep(1000);
    if (rc)
        return rc;
    length = snprintf(fetch->data, sizeof fetch->data, "Data from %s", fetch->url);
    return length < (int)sizeof fetch->data ? 0 : BIGHT_ERANGE;
}

/* Wait for a certain task, and for another one at most five seconds. */
static int two_tasks(struct bight_group *group, void *arg)
{
    struct fetch *fetches = arg;
    struct bight_task *task1, *task2;
    int rc = bight_group_spawn(&task1, group, NULL, fetch_data, &fetches[0]);

    if (rc)
        return rc;
    rc = bight_group_spawn(&task2, group, NULL, fetch_data, &fetches[1]);
    if (rc)
        goto leave_task1;
    rc = bight_join(task1, NULL);
    if (rc)
        goto leave_both;
    rc = bight_wait_for(task2, 5000, NULL);
    if (rc == BIGHT_ETIMEDOUT)
        printf("Task timed out\n");
    return rc == BIGHT_ETIMEDOUT ? 0 : rc;

leave_both:
    bight_task_detach(task2);
leave_task1:
    bight_task_detach(task1);
    return rc;
}

/* Tasks that were not seen to end yet; fetches[i] is what items[i].task works on. */
struct pending {
    struct bight_wait_item items[PENDING];
    struct fetch *fetches[PENDING];
    size_t count;
};

static int start(struct bight_group *group, struct pending *pending, struct fetch *fetch)
{
    int rc =
        bight_group_spawn(&pending->items[pending->count].task, group, NULL, fetch_data, fetch);

    if (rc == 0)
        pending->fetches[pending->count++] = fetch;
    return rc;
}

/* Print what has ended, keep what has not. */
static void take_done(struct pending *pending)
{
    size_t kept = 0;

    for (size_t i = 0; i < pending->count; i++) {
        if (pending->items[i].done) {
            if (pending->items[i].status == 0)
                printf("Completed: %s\n", pending->fetches[i]->data);
            bight_task_detach(pending->items[i].task);
        } else {
            pending->items[kept].task = pending->items[i].task;
            pending->fetches[kept++] = pending->fetches[i];
        }
    }
    pending->count = kept;
}

/* Take the results in the order in which they come. */
static int many_tasks(struct bight_group *group, void *arg)
{
    struct fetch *fetches = arg;
    struct pending pending = {.count = 0};
    int rc = 0;

    for (size_t i = 0; i < PENDING && rc == 0; i++)
        rc = start(group, &pending, &fetches[i]);
    while (rc >= 0 && pending.count) {
        rc = bight_wait(pending.items, pending.count, BIGHT_WAIT_FIRST_COMPLETED, -1);
        if (rc >= 0)
            take_done(&pending);
    }
    while (pending.count) /* after an error: the group waits for them */
        bight_task_detach(pending.items[--pending.count].task);
    return rc < 0 ? rc : 0;
}

static int lesson(void *arg)
{
    struct fetch two[] = {{.url = "api1.com"}, {.url = "api2.com"}};
    struct fetch many[PENDING];
    int rc = bight_group_run(two_tasks, two);

    (void)arg;
    for (int i = 0; i < PENDING; i++)
        snprintf(many[i].url, sizeof many[i].url, "api%d.com", i);
    return rc < 0 ? rc : bight_group_run(many_tasks, many);
}

int main(void)
{
    int rc = bight_run(lesson, NULL);

    if (rc < 0)
        fprintf(stderr, "tasks: %s\n", bight_strerror(rc));
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
