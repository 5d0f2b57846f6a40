/* A lock that its holder may take again, and why tasks have none: the lesson of `RLock`.
 *
 * To notice: on a thread the C library has one, and the function that is called in the middle of a
 * change takes it again. A task that does so is told BIGHT_EDEADLK, and does not hang. It is told
 * the same where a re-entrant lock would not have helped: when it holds the lock and waits for a
 * task that wants it. The mend is the same for both, and shows who changes what under which lock:
 * the lock is taken by the function that others see, and what it calls expects it to be held. Most
 * of the time a task needs none at all, because others run only where it waits. */
#include "samples/offload/lesson.h"

#include <bight/errors.h>
#include <bight/gather.h>
#include <bight/mutex.h>
#include <bight/offload.h>
#include <bight/runtime.h>
#include <bight/time.h>

#include <pthread.h>
#include <stdio.h>

struct on_threads {
    pthread_mutex_t mutex;
    int value;
};

static void modify_on_thread(struct on_threads *data)
{
    pthread_mutex_lock(&data->mutex);
    data->value++;
    pthread_mutex_unlock(&data->mutex);
}

static int process_on_thread(void *arg)
{
    struct on_threads *data = arg;

    pthread_mutex_lock(&data->mutex);
    modify_on_thread(data);
    pthread_mutex_unlock(&data->mutex);
    return 0;
}

static int init_recursive(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attr;
    int rc = -pthread_mutexattr_init(&attr);

    if (rc)
        return rc;
    rc = -pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    if (rc == 0)
        rc = -pthread_mutex_init(mutex, &attr);
    pthread_mutexattr_destroy(&attr);
    return rc;
}

static int show_thread(void)
{
    struct on_threads data = {.value = 0};
    int rc = init_recursive(&data.mutex);

    if (rc)
        return rc;
    rc = bight_offload(process_on_thread, &data);
    pthread_mutex_destroy(&data.mutex);
    if (rc == 0)
        printf("A thread takes a recursive mutex twice: value %d\n", data.value);
    return rc;
}

struct in_tasks {
    struct bight_mutex mutex;
    int value;
};

/* For callers that hold the mutex. It waits in the middle of the change: that is what the mutex is
 * for. */
static int modify_locked(struct in_tasks *data)
{
    int value = data->value;
    int rc = bight_sleep(1);

    if (rc == 0)
        data->value = value + 1;
    return rc;
}

/* For all others. */
static int modify(void *arg)
{
    struct in_tasks *data = arg;
    int rc = bight_mutex_lock(&data->mutex);

    if (rc)
        return rc;
    rc = modify_locked(data);
    bight_mutex_unlock(&data->mutex);
    return rc;
}

static int process_by_task(void *arg)
{
    return bight_gather_all(&(struct bight_gather){.fn = modify, .arg = arg}, 1, 0);
}

static int process_locked(void *arg)
{
    return modify_locked(arg);
}

static int process(struct in_tasks *data, int (*change)(void *arg), const char *how)
{
    int rc = bight_mutex_lock(&data->mutex);

    if (rc)
        return rc;
    rc = change(data);
    bight_mutex_unlock(&data->mutex);
    if (rc == 0 || rc == BIGHT_EDEADLK)
        printf("A task %s: %s, value %d\n", how, rc ? bight_error_name(rc) : "done", data->value);
    return rc == BIGHT_EDEADLK ? 0 : rc;
}

static int lesson(void *arg)
{
    struct in_tasks data = {.mutex = BIGHT_MUTEX_INIT};
    int rc = show_thread();

    (void)arg;
    if (rc == 0)
        rc = process(&data, modify, "takes its mutex again");
    if (rc == 0)
        rc = process(&data, process_by_task, "waits for one that wants its mutex");
    if (rc == 0)
        rc = process(&data, process_locked, "calls what expects the mutex to be held");
    return rc;
}

int main(void)
{
    return lesson_status("reentrant", bight_run(lesson, NULL));
}
