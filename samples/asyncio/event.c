/* One task waits for what another one does: the lesson of `Event`, `wait()` and `set()`.
 *
 * To notice: an event remembers that it was set, so it does not matter who comes first. What it
 * does not know is whether anyone will ever set it. Here the one that does is the body of the
 * group to which the one that waits belongs: if the body gives up, by an error or because it was
 * cancelled, the group cancels the waiter, and nobody waits for what never comes. */
#include <bight/errors.h>
#include <bight/event.h>
#include <bight/group.h>
#include <bight/runtime.h>
#include <bight/time.h>

#include <stdio.h>
#include <stdlib.h>

static int wait_for_event(void *event)
{
    int rc;

    printf("Waiting for event...\n");
    rc = bight_event_wait(event);
    if (rc == 0)
        printf("Event received!\n");
    return rc;
}

static int set_event(void *event)
{
    int rc = bight_sleep(1000);

    if (rc)
        return rc;
    printf("Setting event\n");
    bight_event_set(event);
    return 0;
}

static int wait_and_set(struct bight_group *group, void *event)
{
    int rc = bight_group_spawn(NULL, group, NULL, wait_for_event, event);

    return rc ? rc : set_event(event);
}

static int lesson(void *arg)
{
    struct bight_event event;

    (void)arg;
    bight_event_init(&event);
    return bight_group_run(wait_and_set, &event);
}

int main(void)
{
    int rc = bight_run(lesson, NULL);

    if (rc < 0)
        fprintf(stderr, "event: %s\n", bight_strerror(rc));
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
