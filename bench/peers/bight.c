/* bight: rows of bench/peers, as a user would write them, but for the bare switch, which is not
 * public. peer.h has the command line. Rows of the same names in bench/ do the same work. */
#include <bight.h>

#include "bench/peers/peer.h"
#include "coro/stack/context.h"

#define TASKS_MAX 10000

/* One row's sample, and what its tasks share. */
struct sample {
    unsigned tasks;
    uint64_t each; /* operations of each task, or rounds */
    uint64_t left;
    struct bight_event gate;
    struct bight_mutex mutex;
    struct bight_queue *queues[2];
    double value;
};

static struct bight_task *tasks[TASKS_MAX];

static void check(int rc, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, bight_strerror(rc));
    exit(1);
}

static void spawn(unsigned i, int (*fn)(void *arg), void *arg)
{
    check(bight_spawn(&tasks[i], fn, arg), "spawn");
}

static void join_all(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        check(bight_join(tasks[i], NULL), "join");
}

static double run(int (*fn)(void *arg), struct sample sample)
{
    check(bight_run(fn, &sample), "run");
    return sample.value;
}

/* Turns */

static void *main_sp, *other_sp;

static void switch_back(void *arg)
{
    (void)arg;
    for (;;)
        bight__switch(&other_sp, main_sp);
}

static double switches(uint64_t count)
{
    static _Alignas(64) char stack[65536];
    uint64_t begin;

    other_sp = bight__switch_prepare(stack, stack + sizeof stack, switch_back, NULL);
    begin = peer_cpu_ns();
    for (uint64_t i = 0; i < count / 2; i++)
        bight__switch(&main_sp, other_sp);
    return peer_ns_each(begin, count);
}

static int yielder(void *arg)
{
    const struct sample *sample = arg;

    for (uint64_t step = 0; step <= sample->each; step++)
        check(bight_yield(), "yield");
    return 0;
}

static int yields_main(void *arg)
{
    struct sample *sample = arg;
    uint64_t begin;

    for (unsigned i = 0; i < sample->tasks; i++)
        spawn(i, yielder, sample);
    check(bight_yield(), "yield");
    begin = peer_cpu_ns();
    join_all(sample->tasks);
    sample->value = peer_ns_each(begin, sample->tasks * sample->each);
    return 0;
}

static double yields(unsigned count, uint64_t operations)
{
    return run(yields_main,
               (struct sample){.tasks = count, .each = peer_batches(operations, count)});
}

static double yield_2(uint64_t count)
{
    return yields(2, count);
}

static double yield_100(uint64_t count)
{
    return yields(100, count);
}

static double yield_10000(uint64_t count)
{
    return yields(10000, count);
}

/* Lives */

static int short_life(void *arg)
{
    return arg == NULL;
}

static int lives_main(void *arg)
{
    struct sample *sample = arg;
    uint64_t begin = 0;

    for (uint64_t round = 0; round <= sample->each; round++) {
        if (round == 1)
            begin = peer_cpu_ns(); /* the stacks are warm */
        for (unsigned i = 0; i < sample->tasks; i++)
            spawn(i, short_life, sample);
        join_all(sample->tasks);
    }
    sample->value = peer_ns_each(begin, sample->tasks * sample->each);
    return 0;
}

static double lives(unsigned batch, uint64_t count)
{
    return run(lives_main, (struct sample){.tasks = batch, .each = peer_batches(count, batch)});
}

static double spawn_join_1000(uint64_t count)
{
    return lives(1000, count);
}

static double spawn_join_10000(uint64_t count)
{
    return lives(10000, count);
}

static int gate_life(void *arg)
{
    struct sample *sample = arg;

    return bight_event_wait(&sample->gate);
}

static void gate_batch(struct sample *sample)
{
    bight_event_init(&sample->gate);
    for (unsigned i = 0; i < sample->tasks; i++)
        spawn(i, gate_life, sample);
    check(bight_yield(), "yield");
    bight_event_set(&sample->gate);
    join_all(sample->tasks);
}

static int gates_main(void *arg)
{
    struct sample *sample = arg;
    uint64_t begin;

    gate_batch(sample);
    begin = peer_cpu_ns();
    for (uint64_t round = 0; round < sample->each; round++)
        gate_batch(sample);
    sample->value = peer_ns_each(begin, sample->tasks * sample->each);
    return 0;
}

static double spawn_gate_1000(uint64_t count)
{
    return run(gates_main, (struct sample){.tasks = 1000, .each = peer_batches(count, 1000)});
}

/* Handing over */

static void queues_new(struct sample *sample, unsigned count, size_t places)
{
    for (unsigned i = 0; i < count; i++)
        check(bight_queue_new(&sample->queues[i], places), "queue");
}

static void queues_free(struct sample *sample, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        check(bight_queue_free(sample->queues[i]), "free");
}

static int answer(void *arg)
{
    const struct sample *sample = arg;
    void *item;

    for (uint64_t i = 0; i < sample->each; i++) {
        check(bight_queue_get(sample->queues[0], &item), "get");
        check(bight_queue_put(sample->queues[1], item), "put");
    }
    return 0;
}

static int trips_main(void *arg)
{
    struct sample *sample = arg;
    uint64_t begin;
    void *item;

    queues_new(sample, 2, 0);
    spawn(0, answer, sample);
    check(bight_yield(), "yield");
    begin = peer_cpu_ns();
    for (uint64_t i = 0; i < sample->each; i++) {
        check(bight_queue_put(sample->queues[0], sample), "put");
        check(bight_queue_get(sample->queues[1], &item), "get");
    }
    join_all(1);
    sample->value = peer_ns_each(begin, sample->each);
    queues_free(sample, 2);
    return 0;
}

static double channel_rtt(uint64_t count)
{
    return run(trips_main, (struct sample){.each = count});
}

static int producer(void *arg)
{
    const struct sample *sample = arg;

    for (uint64_t i = 0; i < sample->each; i++)
        check(bight_queue_put(sample->queues[0], arg), "put");
    return 0;
}

static int passes_main(void *arg)
{
    struct sample *sample = arg;
    uint64_t begin;
    void *item;

    queues_new(sample, 1, QUEUE_PLACES);
    spawn(0, producer, sample);
    begin = peer_cpu_ns();
    for (uint64_t i = 0; i < sample->each; i++)
        check(bight_queue_get(sample->queues[0], &item), "get");
    join_all(1);
    sample->value = peer_ns_each(begin, sample->each);
    queues_free(sample, 1);
    return 0;
}

static double queue_128(uint64_t count)
{
    return run(passes_main, (struct sample){.each = count});
}

static int alternating(void *arg)
{
    const struct sample *sample = arg;

    for (uint64_t i = 0; i < sample->each; i++)
        check(bight_queue_put(sample->queues[i % 2], arg), "put");
    return 0;
}

static int selects_main(void *arg)
{
    struct sample *sample = arg;
    struct bight_case cases[2];
    uint64_t begin;

    queues_new(sample, 2, 0);
    spawn(0, alternating, sample);
    begin = peer_cpu_ns();
    for (uint64_t i = 0; i < sample->each; i++) {
        bight_case_get(&cases[0], sample->queues[0]);
        bight_case_get(&cases[1], sample->queues[1]);
        check(bight_select(cases, 2, 0), "select");
    }
    join_all(1);
    sample->value = peer_ns_each(begin, sample->each);
    queues_free(sample, 2);
    return 0;
}

static double select_2(uint64_t count)
{
    return run(selects_main, (struct sample){.each = count});
}

static int locker(void *arg)
{
    struct sample *sample = arg;

    for (uint64_t i = 0; i < sample->each; i++) {
        check(bight_mutex_lock(&sample->mutex), "lock");
        check(bight_yield(), "yield");
        bight_mutex_unlock(&sample->mutex);
    }
    return 0;
}

static int locks_main(void *arg)
{
    struct sample *sample = arg;
    uint64_t begin = peer_cpu_ns();

    bight_mutex_init(&sample->mutex);
    for (unsigned i = 0; i < sample->tasks; i++)
        spawn(i, locker, sample);
    join_all(sample->tasks);
    sample->value = peer_ns_each(begin, sample->tasks * sample->each);
    return 0;
}

static double mutexes(unsigned count, uint64_t operations)
{
    return run(locks_main,
               (struct sample){.tasks = count, .each = peer_batches(operations, count)});
}

static double mutex_contended_2(uint64_t count)
{
    return mutexes(2, count);
}

static double mutex_contended_100(uint64_t count)
{
    return mutexes(100, count);
}

/* Time */

static int sleeper(void *arg)
{
    struct sample *sample = arg;

    check(bight_event_wait(&sample->gate), "gate");
    for (uint64_t i = 0; i < sample->each; i++)
        check(bight_sleep((int64_t)(1 + peer_random() % 100)), "sleep");
    return 0;
}

static int sleeps_main(void *arg)
{
    struct sample *sample = arg;
    uint64_t begin;

    bight_event_init(&sample->gate);
    for (unsigned i = 0; i < sample->tasks; i++)
        spawn(i, sleeper, sample);
    check(bight_yield(), "yield");
    begin = peer_cpu_ns();
    bight_event_set(&sample->gate);
    join_all(sample->tasks);
    sample->value = peer_ns_each(begin, sample->tasks * sample->each);
    return 0;
}

static double sleep_10000(uint64_t count)
{
    return run(sleeps_main, (struct sample){.tasks = 10000, .each = peer_batches(count, 10000)});
}

static int long_sleeper(void *arg)
{
    struct sample *sample = arg;
    int rc = bight_sleep((int64_t)(60000 + peer_random() % 60000));

    sample->left--;
    return rc;
}

static uint64_t cancel_round(struct sample *sample)
{
    struct bight_group group;
    uint64_t begin;

    check(bight_group_begin(&group, 0), "group");
    for (unsigned i = 0; i < sample->tasks; i++)
        check(bight_group_spawn(NULL, &group, NULL, long_sleeper, sample), "spawn");
    check(bight_yield(), "yield");
    sample->left = sample->tasks;
    begin = peer_cpu_ns();
    bight_scope_cancel(&group.scope);
    (void)!bight_group_end(&group, 0);
    peer_check(sample->left == 0, "sleepers left");
    return peer_cpu_ns() - begin;
}

static int cancels_main(void *arg)
{
    struct sample *sample = arg;
    uint64_t spent = 0;

    for (uint64_t round = 0; round < sample->each; round++)
        spent += cancel_round(sample);
    sample->value = (double)spent / (double)(sample->tasks * sample->each);
    return 0;
}

static double cancel_10000(uint64_t count)
{
    return run(cancels_main, (struct sample){.tasks = 10000, .each = peer_batches(count, 10000)});
}

static int scopes_main(void *arg)
{
    struct sample *sample = arg;
    struct bight_scope scope;
    uint64_t begin = peer_cpu_ns();

    for (uint64_t i = 0; i < sample->each; i++) {
        check(bight_scope_begin(&scope, 30000, 0), "begin");
        check(bight_scope_end(&scope, 0), "end");
    }
    sample->value = peer_ns_each(begin, sample->each);
    return 0;
}

static double deadline_scope(uint64_t count)
{
    return run(scopes_main, (struct sample){.each = count});
}

/* Memory */

static int memory_main(void *arg)
{
    struct sample *sample = arg;
    uint64_t before = peer_resident_bytes();

    bight_event_init(&sample->gate);
    for (unsigned i = 0; i < sample->tasks; i++)
        spawn(i, gate_life, sample);
    check(bight_yield(), "yield");
    sample->value = (double)(peer_resident_bytes() - before) / sample->tasks;
    bight_event_set(&sample->gate);
    join_all(sample->tasks);
    return 0;
}

static double bytes_per_task_10000(uint64_t count)
{
    (void)count;
    return run(memory_main, (struct sample){.tasks = 10000});
}

/* Echo */

static int echo(struct bight_stream *stream, void *arg)
{
    struct bight_listener *listener = arg;
    static unsigned closed;
    char buffer[ECHO_BUFFER_BYTES];
    int64_t got;
    int rc = 0;

    while (rc == 0 && (got = bight_stream_read(stream, buffer, sizeof(buffer))) > 0)
        rc = bight_stream_write(stream, buffer, (size_t)got);
    if (++closed == ECHO_CONNECTIONS)
        check(bight_listener_close(listener), "close");
    return rc;
}

static int echo_main(void *arg)
{
    struct sample *sample = arg;
    struct bight_listener *listener;
    struct bight_address address;
    uint64_t begin = peer_cpu_ns();
    pid_t load;

    check(bight_tcp_listen(&listener, "127.0.0.1", 0, NULL), "listen");
    check(bight_listener_address(listener, &address), "address");
    load = peer_load_start(address.port, sample->each);
    check(bight_serve(listener, echo, listener, NULL), "serve");
    sample->value = peer_ns_each(begin, sample->each);
    peer_load_end(load);
    return bight_listener_end(listener);
}

static double echo_64_c64(uint64_t count)
{
    return run(echo_main, (struct sample){.each = count});
}

static const struct peer_row rows[] = {
    {"switch", switches},
    {"yield_2", yield_2},
    {"yield_100", yield_100},
    {"yield_10000", yield_10000},
    {"spawn_join_1000", spawn_join_1000},
    {"spawn_gate_1000", spawn_gate_1000},
    {"spawn_join_10000", spawn_join_10000},
    {"channel_rtt", channel_rtt},
    {"queue_128", queue_128},
    {"mutex_contended_2", mutex_contended_2},
    {"mutex_contended_100", mutex_contended_100},
    {"select_2", select_2},
    {"sleep_10000", sleep_10000},
    {"cancel_10000", cancel_10000},
    {"deadline_scope", deadline_scope},
    {"bytes_per_task_10000", bytes_per_task_10000},
    {"echo_64_c64", echo_64_c64},
};

int main(int argc, char **argv)
{
    return peer_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
