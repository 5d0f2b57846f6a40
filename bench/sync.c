/* Taking and giving back a mutex that nobody else wants. Baseline: a pthread_mutex_t. */
#include "bench/bench.h"

#include <pthread.h>

#include <bight/errors.h>
#include <bight/runtime.h>
#include <bight/sync.h>

#define ROUNDS 4000000u

static int locks_main(void *arg)
{
    struct bight_mutex mutex;
    uint64_t begin;

    bight_mutex_init(&mutex);
    begin = bench_thread_ns();
    for (unsigned i = 0; i < ROUNDS; i++) {
        bench_check(bight_mutex_lock(&mutex), "lock");
        bight_mutex_unlock(&mutex);
    }
    *(double *)arg = (double)(bench_thread_ns() - begin) / ROUNDS;
    return 0;
}

static double locks(void *arg)
{
    double ns = 0;

    (void)arg;
    bench_check(bight_run(locks_main, &ns), "run");
    return ns;
}

static double pthread_locks(void *arg)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    uint64_t begin = bench_thread_ns();

    (void)arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        bench_check(-pthread_mutex_lock(&mutex), "lock");
        pthread_mutex_unlock(&mutex);
    }
    return (double)(bench_thread_ns() - begin) / ROUNDS;
}

int main(void)
{
    static const struct bench_row row = {"mutex_uncontended", "ns", "pthread mutex"};

    bench_compare(&row, locks, pthread_locks, NULL);
    return 0;
}
