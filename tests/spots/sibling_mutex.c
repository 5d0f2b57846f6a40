/* A child that fails while its siblings hold a mutex.
 *
 * Hard: the first failure of a group cancels the siblings, one of which holds a mutex and another
 * waits for it. The holder must give it back on its way out, the waiter must not come to own it and
 * end, and the group must report the failure, not the cancellations that it caused. */
#include <bight/event.h>
#include <bight/group.h>
#include <bight/mutex.h>
#include <bight/runtime.h>
#include <bight/task.h>
#include <bight/time.h>

#include <stdio.h>
#include <string.h>

struct shared {
    struct bight_mutex mutex;
    struct bight_event locked;
    int held, waited;
    struct bight_failure failure;
};

static int holder(void *arg)
{
    struct shared *shared = arg;
    int rc = bight_mutex_lock(&shared->mutex);

    if (rc)
        return rc;
    bight_event_set(&shared->locked); /* the others wait for this */
    shared->held = bight_sleep(-1);
    bight_mutex_unlock(&shared->mutex); /* works in a cancelled scope: it does not wait */
    return shared->held;
}

static int waiter(void *arg)
{
    struct shared *shared = arg;

    shared->waited = bight_event_wait(&shared->locked);
    if (shared->waited == 0)
        shared->waited = bight_mutex_lock(&shared->mutex);
    return shared->waited ? shared->waited : bight_mutex_unlock(&shared->mutex);
}

static int fails(void *arg)
{
    struct shared *shared = arg;
    int rc = bight_event_wait(&shared->locked);

    if (rc == 0)
        rc = bight_yield(); /* let the waiter queue up first */
    return rc ? rc : BIGHT_EIO;
}

static int run(void *arg)
{
    struct shared *shared = arg;
    struct bight_group group;
    int rc = bight_group_begin(&group, 0);

    if (rc)
        return rc;
    rc = bight_group_spawn(NULL, &group, NULL, holder, shared);
    if (rc == 0)
        rc = bight_group_spawn(NULL, &group, NULL, waiter, shared);
    if (rc == 0)
        rc = bight_group_spawn(NULL, &group, &(struct bight_spawn_options){.name = "reader"}, fails,
                               shared);
    rc = bight_group_end(&group, rc);
    shared->failure = group.failures[0];
    if (rc != BIGHT_EIO || group.failed != 1)
        return rc < 0 ? rc : BIGHT_EINVAL;
    rc = bight_mutex_try_lock(&shared->mutex); /* free: nobody took it to the grave */
    return rc ? rc : bight_mutex_unlock(&shared->mutex);
}

int main(void)
{
    struct shared shared = {0};

    bight_mutex_init(&shared.mutex);
    bight_event_init(&shared.locked);
    int rc = bight_run(run, &shared);
    bool ok = rc == 0 && shared.held == BIGHT_ECANCELED && shared.waited == BIGHT_ECANCELED &&
              strcmp(shared.failure.task, "reader") == 0;

    printf("sibling_mutex: %s failed with %s, holder %s, waiter %s, mutex free: %s\n",
           shared.failure.task, bight_error_name(shared.failure.code),
           bight_error_name(shared.held), bight_error_name(shared.waited), rc ? "no" : "yes");
    return ok ? 0 : 1;
}
