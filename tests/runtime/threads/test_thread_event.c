/* runtime/threads/thread_event.c: tasks and plain threads at one flag. How its waits end is in
 * test_waits.c too. */
#include "runtime/runtime.h"

#include <bight.h>
#include <pthread.h>

#include "tests/harness/expect.h"
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#define THREADS 4

static struct bight_thread_event *event;

static void set_it_lets_everybody_through_until_cleared(void)
{
    ck_ok(bight_thread_event_new(&event));
    ck_assert(!bight_thread_event_is_set(event));
    ck_code(bight_thread_event_wait(event, 0), BIGHT_ETIMEDOUT);
    ck_code(bight_thread_event_wait(event, 1), BIGHT_ETIMEDOUT);
    bight_thread_event_set(event);
    ck_assert(bight_thread_event_is_set(event));
    ck_ok(bight_thread_event_wait(event, -1));
    ck_ok(bight_thread_event_wait(event, 0));
    bight_thread_event_clear(event);
    ck_code(bight_thread_event_wait(event, 0), BIGHT_ETIMEDOUT);
    ck_assert_ptr_eq(bight_thread_event_ref(event), event);
    bight_thread_event_unref(event);
    bight_thread_event_unref(event);
    bight_thread_event_unref(NULL);
}

static int wait_in_task(void *arg)
{
    (void)arg;
    return bight_thread_event_wait(event, -1);
}

static int wait_in_tasks(void *arg)
{
    struct bight_task *task;
    int status;

    ck_ok(bight_spawn(&task, wait_in_task, arg));
    ck_ok(bight_thread_event_wait(event, -1));
    ck_ok(bight_join(task, &status));
    return status;
}

static void *wait_in_thread(void *arg)
{
    EXPECT((arg ? bight_run(wait_in_tasks, NULL) : bight_thread_event_wait(event, -1)) == 0);
    return NULL;
}

static void it_wakes_threads_and_tasks_of_several_runtimes(void)
{
    pthread_t threads[THREADS];

    for (int round = 0; round < 50; round++) {
        ck_ok(bight_thread_event_new(&event));
        for (int i = 0; i < THREADS; i++)
            ck_assert_int_eq(
                pthread_create(&threads[i], NULL, wait_in_thread, i % 2 ? &event : NULL), 0);
        bight_thread_event_set(event);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        bight_thread_event_unref(event);
    }
}

static int set_and_clear(void *arg)
{
    struct bight_task *task;
    int status;

    ck_ok(bight_spawn(&task, wait_in_task, arg));
    world_settle();
    bight_thread_event_set(event);
    bight_thread_event_clear(event);
    ck_ok(bight_join(task, &status));
    ck_code(bight_thread_event_wait(event, 1), BIGHT_ETIMEDOUT);
    return status;
}

static void cleared_at_once_it_has_woken_who_waited(void)
{
    ck_ok(bight_thread_event_new(&event));
    ck_ok(world_run(set_and_clear, NULL, NULL));
    bight_thread_event_unref(event);
}

static bool fail_always(void *ctx, const void *site)
{
    (void)site;
    return *(bool *)ctx;
}

static int new_without_memory(void *failing)
{
    *(bool *)failing = true;
    ck_code(bight_thread_event_new(&event), BIGHT_ENOMEM);
    *(bool *)failing = false;
    return 0;
}

static void only_a_new_event_needs_memory(void)
{
    bool failing = false;
    const struct bight_seams seams = {.ctx = &failing, .fail_alloc = fail_always};

    ck_ok(bight__run_with_seams(NULL, &seams, new_without_memory, &failing));
}

static const struct suite_case cases[] = {
    plain_case(set_it_lets_everybody_through_until_cleared),
    plain_case(it_wakes_threads_and_tasks_of_several_runtimes),
    plain_case(cleared_at_once_it_has_woken_who_waited),
    plain_case(only_a_new_event_needs_memory),
};

test_suite("thread_event", cases);
