/* A race, and the counters that have none: the lesson of `UnsafeCounter` and `SafeCounter`.
 *
 * To notice: there are two kinds. `counter++` on several threads is a data race: in C the behaviour
 * is undefined, and a tool can see it (README.md has what ThreadSanitizer says). A load and a store
 * that are both atomic are none, no tool says a word, and the update is lost all the same, because
 * those of others lie in between. Here a barrier has that happen each time. What is needed is
 * one step for the whole update: an atomic addition for a number, a mutex for anything larger. */
#include "samples/offload/lesson.h"

#include <bight/gather.h>
#include <bight/runtime.h>
#include <bight/threads.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define THREADS 4
#define TIMES 2000000

struct counters {
    volatile long plain; /* volatile has the loop stay a loop; it makes nothing safe */
    atomic_long halves;
    atomic_long whole;
    pthread_mutex_t mutex;
    long guarded;
    pthread_barrier_t all_here;
};

static int add_plain(void *arg)
{
    struct counters *counters = arg;

    pthread_barrier_wait(&counters->all_here); /* or the first has done all before the last comes */
    for (int i = 0; i < TIMES; i++)
        counters->plain++;
    return 0;
}

static int add_in_halves(void *arg)
{
    struct counters *counters = arg;
    long value = atomic_load(&counters->halves);

    pthread_barrier_wait(&counters->all_here);
    atomic_store(&counters->halves, value + 1);
    return 0;
}

static int add_whole(void *arg)
{
    struct counters *counters = arg;

    for (int i = 0; i < TIMES; i++)
        atomic_fetch_add(&counters->whole, 1);
    return 0;
}

static int add_guarded(void *arg)
{
    struct counters *counters = arg;

    for (int i = 0; i < TIMES; i++) {
        pthread_mutex_lock(&counters->mutex);
        counters->guarded++;
        pthread_mutex_unlock(&counters->mutex);
    }
    return 0;
}

struct call {
    struct bight_executor *threads;
    int (*fn)(void *arg);
    struct counters *counters;
};

static int call_thread(void *arg)
{
    const struct call *call = arg;

    return bight_threads_call(call->threads, call->fn, call->counters);
}

/* Run `fn` on all threads at the same time. */
static int on_threads(struct bight_executor *threads, int (*fn)(void *arg),
                      struct counters *counters)
{
    struct call calls[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        calls[i] = (struct call){.threads = threads, .fn = fn, .counters = counters};
    return bight_map(call_thread, calls, sizeof calls[0], THREADS, THREADS, 0);
}

static int count(struct bight_executor *threads, struct counters *counters)
{
    const long all = (long)THREADS * TIMES;
    int rc = on_threads(threads, add_plain, counters);

    if (rc == 0)
        rc = on_threads(threads, add_in_halves, counters);
    if (rc == 0)
        rc = on_threads(threads, add_whole, counters);
    if (rc == 0)
        rc = on_threads(threads, add_guarded, counters);
    if (rc)
        return rc;
    printf("counter++: %ld expected, %ld lost\n", all, all - counters->plain);
    printf("An atomic load, an atomic store: %d expected, the counter is %ld\n", THREADS,
           atomic_load(&counters->halves));
    printf("An atomic addition: %ld expected, the counter is %ld\n", all,
           atomic_load(&counters->whole));
    printf("A mutex: %ld expected, the counter is %ld\n", all, counters->guarded);
    return 0;
}

static int lesson(void *arg)
{
    struct counters *counters = arg;
    struct bight_threads_options options = {.threads_most = THREADS, .name = "count"};
    struct bight_executor *threads;
    int ended, rc = bight_threads_new(&threads, &options);

    if (rc)
        return rc;
    rc = count(threads, counters);
    ended = bight_executor_end(threads);
    return rc ? rc : ended;
}

int main(void)
{
    struct counters counters = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    int rc = -pthread_barrier_init(&counters.all_here, NULL, THREADS);

    if (rc == 0) {
        rc = bight_run(lesson, &counters);
        pthread_barrier_destroy(&counters.all_here);
    }
    return lesson_status("race", rc);
}
