/* A program for gdb.sh to look into: two runtimes, whose tasks wait for this and that; then main
 * aborts. Where the suite has the library's insides, guards of stacks are made as on a kernel
 * without guard regions: gdb writes no core file of what lies behind one. */
#include <bight.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#ifdef GDB_SUBJECT_STATIC
#include "runtime/runtime.h"

#include <errno.h>

static bool no_guard_regions(void *ctx, const void *site, const char *name, int *error,
                             size_t *bytes)
{
    (void)ctx;
    (void)site;
    (void)bytes;
    *error = EINVAL;
    return !strcmp(name, "madvise");
}

static int run(int (*fn)(void *arg))
{
    const struct bight_seams seams = {.fail_call = no_guard_regions};

    return bight__run_with_seams(NULL, &seams, fn, NULL);
}
#else
static int run(int (*fn)(void *arg))
{
    return bight_run(fn, NULL);
}
#endif

static struct bight_event never;
static struct bight_mutex mutex;
static sem_t asleep;

static __attribute__((noinline)) int waits_inside(int depth)
{
    int rc = bight_event_wait(&never);

    return rc ? rc : depth;
}

static int waits(void *arg)
{
    (void)arg;
    return waits_inside(7) + 1;
}

static int locks(void *arg)
{
    (void)arg;
    return bight_mutex_lock(&mutex);
}

static int sleeps(void *arg)
{
    (void)arg;
    return bight_sleep(3600000);
}

static int spawns_in_group(void *arg)
{
    struct bight_group group;
    int rc = bight_group_begin(&group, 0);

    (void)arg;
    if (rc)
        return rc;
    rc = bight_group_spawn(NULL, &group, &(struct bight_spawn_options){.name = "child"}, sleeps,
                           NULL);
    return bight_group_end(&group, rc);
}

static void spawn(const char *name, int (*fn)(void *arg))
{
    const struct bight_spawn_options options = {.name = name};

    if (bight_spawn_with(NULL, &options, fn, NULL))
        _Exit(2);
}

static void is_idle(struct bight_hook *hook)
{
    bight_hook_remove(hook);
    sem_post(&asleep);
}

static int elsewhere(void *arg)
{
    struct bight_hook hook;

    (void)arg;
    bight_hook_init(&hook, is_idle);
    return bight_hook_add_idle(&hook) ? 2 : bight_sleep(3600000);
}

static void *other_thread(void *arg)
{
    (void)run(elsewhere);
    return arg;
}

static __attribute__((noinline)) int crashes(void *arg)
{
    if (!arg)
        abort();
    return 1;
}

static int start(void *arg)
{
    bight_mutex_init(&mutex);
    bight_event_init(&never);
    if (bight_mutex_lock(&mutex))
        return 2;
    spawn("waits", waits);
    spawn("locks", locks);
    spawn("groups", spawns_in_group);
    if (bight_sleep(1))
        return 2;
    spawn("fresh", sleeps);
    return crashes(arg) + 1;
}

int main(void)
{
    pthread_t thread;

    sem_init(&asleep, 0, 0);
    if (pthread_create(&thread, NULL, other_thread, NULL))
        return 2;
    sem_wait(&asleep);
    return run(start);
}
