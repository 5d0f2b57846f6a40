/* Taking and giving back a mutex: one that nobody else wants, and one that two tasks hand to each
 * other. Baselines: a pthread_mutex_t; a callback in a FIFO queue, which is the least that a task
 * costs that yields and is woken. */
#include "bench/run.h"

#include <pthread.h>

#include <bight/event.h>
#include <bight/mutex.h>
#include <bight/task.h>

#define ROUNDS 4000000u
#define HANDED 2000000u

struct sample {
    uint64_t rounds;
    double ns; /* per round */
};

static struct bight_mutex mutex;

static double run(int (*fn)(void *arg), uint64_t rounds)
{
    struct sample sample = {.rounds = rounds};

    bench_run(fn, &sample);
    return sample.ns;
}

static int locks_main(void *arg)
{
    struct sample *sample = arg;
    uint64_t begin;

    bight_mutex_init(&mutex);
    begin = bench_begin();
    for (uint64_t i = 0; i < sample->rounds; i++) {
        bench_check(bight_mutex_lock(&mutex), "lock");
        bight_mutex_unlock(&mutex);
    }
    sample->ns = bench_end(begin, sample->rounds);
    return 0;
}

static double locks(void *arg, uint64_t operations)
{
    (void)arg;
    return run(locks_main, operations);
}

static double pthread_locks(void *arg, uint64_t operations)
{
    pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
    uint64_t begin = bench_begin();

    (void)arg;
    for (uint64_t i = 0; i < operations; i++) {
        bench_check(-pthread_mutex_lock(&plain), "lock");
        pthread_mutex_unlock(&plain);
    }
    return bench_end(begin, operations);
}

/* The holder yields, so the other one always has to wait for it. */
static int holder(void *arg)
{
    const struct sample *sample = arg;

    for (uint64_t i = 0; i < sample->rounds / 2; i++) {
        bench_check(bight_mutex_lock(&mutex), "lock");
        bench_check(bight_yield(), "yield");
        bight_mutex_unlock(&mutex);
    }
    return 0;
}

static int contended_main(void *arg)
{
    struct sample *sample = arg;
    struct bight_task *tasks[2];
    uint64_t begin = bench_begin();

    bight_mutex_init(&mutex);
    for (int i = 0; i < 2; i++)
        bench_check(bight_spawn(&tasks[i], holder, sample), "spawn");
    for (int i = 0; i < 2; i++)
        bench_check(bight_join(tasks[i], NULL), "join");
    sample->ns = bench_end(begin, sample->rounds);
    return 0;
}

static double contended(void *arg, uint64_t operations)
{
    (void)arg;
    return run(contended_main, operations);
}

static double callbacks(void *arg, uint64_t operations)
{
    (void)arg;
    return bench_callbacks(2, operations);
}

static const struct bench_row rows[] = {
    {"mutex_uncontended", "ns", "pthread mutex", locks, pthread_locks, NULL, ROUNDS,
     .counted = 20000},
    {"mutex_contended_2", "ns", "callback out of a FIFO queue", contended, callbacks, NULL, HANDED,
     .counted = 20000},
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
