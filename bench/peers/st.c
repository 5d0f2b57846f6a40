/* State Threads: rows of bench/peers. peer.h has the command line. */
#include <st.h>

#include "peer.h"

#define TASKS_MAX 10000

static st_thread_t threads[TASKS_MAX];

static void spawn(unsigned i, void *(*fn)(void *arg), void *arg)
{
    threads[i] = st_thread_create(fn, arg, 1, 0);
    peer_check(threads[i] != NULL, "st_thread_create");
}

static void join_all(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        peer_check(!st_thread_join(threads[i], NULL), "st_thread_join");
}

/* Turns */

static void *yielder(void *arg)
{
    for (uint64_t steps = *(const uint64_t *)arg; steps; steps--)
        st_usleep(0);
    return NULL;
}

static double yields(unsigned tasks, uint64_t count)
{
    uint64_t steps = peer_batches(count, tasks) + 1, begin;

    for (unsigned i = 0; i < tasks; i++)
        spawn(i, yielder, &steps);
    st_usleep(0);
    begin = peer_cpu_ns();
    join_all(tasks);
    return peer_ns_each(begin, tasks * (steps - 1));
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

static void *short_life(void *arg)
{
    return arg;
}

static double lives(unsigned batch, uint64_t count)
{
    uint64_t batches = peer_batches(count, batch), begin = 0;

    for (uint64_t round = 0; round <= batches; round++) {
        if (round == 1)
            begin = peer_cpu_ns(); /* the stacks are warm */
        for (unsigned i = 0; i < batch; i++)
            spawn(i, short_life, NULL);
        join_all(batch);
    }
    return peer_ns_each(begin, batch * batches);
}

static double spawn_join_1000(uint64_t count)
{
    return lives(1000, count);
}

static double spawn_join_10000(uint64_t count)
{
    return lives(10000, count);
}

static st_cond_t gate;

static void *gate_life(void *arg)
{
    st_cond_wait(gate);
    return arg;
}

static double spawn_gate_1000(uint64_t count)
{
    uint64_t batches = peer_batches(count, 1000), begin = 0;

    gate = st_cond_new();
    for (uint64_t round = 0; round <= batches; round++) {
        if (round == 1)
            begin = peer_cpu_ns();
        for (unsigned i = 0; i < 1000; i++)
            spawn(i, gate_life, NULL);
        st_usleep(0);
        st_cond_broadcast(gate);
        join_all(1000);
    }
    return peer_ns_each(begin, 1000 * batches);
}

/* Handing over */

struct place {
    void *item;
    st_cond_t changed;
};

static void place_put(struct place *place, void *item)
{
    while (place->item)
        st_cond_wait(place->changed);
    place->item = item;
    st_cond_signal(place->changed);
}

static void *place_get(struct place *place)
{
    void *item;

    while (!place->item)
        st_cond_wait(place->changed);
    item = place->item;
    place->item = NULL;
    st_cond_signal(place->changed);
    return item;
}

static struct place there, back;

static void *answer(void *arg)
{
    for (uint64_t left = *(const uint64_t *)arg; left; left--)
        place_put(&back, place_get(&there));
    return NULL;
}

static double channel_rtt(uint64_t count)
{
    uint64_t begin;

    there.changed = st_cond_new();
    back.changed = st_cond_new();
    spawn(0, answer, &count);
    st_usleep(0);
    begin = peer_cpu_ns();
    for (uint64_t i = 0; i < count; i++) {
        place_put(&there, &there);
        (void)place_get(&back);
    }
    join_all(1);
    return peer_ns_each(begin, count);
}

static struct {
    void *items[QUEUE_PLACES];
    uint64_t put, got;
    st_cond_t not_full, not_empty;
} queue;

static void *producer(void *arg)
{
    for (uint64_t left = *(const uint64_t *)arg; left; left--) {
        while (queue.put - queue.got == QUEUE_PLACES)
            st_cond_wait(queue.not_full);
        queue.items[queue.put++ % QUEUE_PLACES] = arg;
        st_cond_signal(queue.not_empty);
    }
    return NULL;
}

static double queue_128(uint64_t count)
{
    uint64_t begin;
    void *volatile item;

    queue.not_full = st_cond_new();
    queue.not_empty = st_cond_new();
    spawn(0, producer, &count);
    begin = peer_cpu_ns();
    for (uint64_t i = 0; i < count; i++) {
        while (queue.put == queue.got)
            st_cond_wait(queue.not_empty);
        item = queue.items[queue.got++ % QUEUE_PLACES];
        st_cond_signal(queue.not_full);
    }
    (void)item;
    join_all(1);
    return peer_ns_each(begin, count);
}

static st_mutex_t mutex;

static void *locker(void *arg)
{
    for (uint64_t left = *(const uint64_t *)arg; left; left--) {
        st_mutex_lock(mutex);
        st_usleep(0);
        st_mutex_unlock(mutex);
    }
    return NULL;
}

static double mutexes(unsigned tasks, uint64_t count)
{
    uint64_t rounds = peer_batches(count, tasks), begin = peer_cpu_ns();

    mutex = st_mutex_new();
    for (unsigned i = 0; i < tasks; i++)
        spawn(i, locker, &rounds);
    join_all(tasks);
    return peer_ns_each(begin, tasks * rounds);
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

static void *sleeper(void *arg)
{
    st_cond_wait(gate);
    for (uint64_t left = *(const uint64_t *)arg; left; left--)
        st_usleep((1 + peer_random() % 100) * 1000);
    return NULL;
}

static double sleep_10000(uint64_t count)
{
    uint64_t sleeps = peer_batches(count, 10000), begin;

    gate = st_cond_new();
    for (unsigned i = 0; i < 10000; i++)
        spawn(i, sleeper, &sleeps);
    st_usleep(0);
    begin = peer_cpu_ns();
    st_cond_broadcast(gate);
    join_all(10000);
    return peer_ns_each(begin, 10000 * sleeps);
}

static void *long_sleeper(void *arg)
{
    peer_check(st_usleep((60000 + peer_random() % 60000) * 1000) < 0, "interrupted sleep");
    return arg;
}

static double cancel_10000(uint64_t count)
{
    uint64_t rounds = peer_batches(count, 10000), spent = 0;

    for (uint64_t round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < 10000; i++)
            spawn(i, long_sleeper, NULL);
        st_usleep(0);
        spent -= peer_cpu_ns();
        for (unsigned i = 0; i < 10000; i++)
            st_thread_interrupt(threads[i]);
        join_all(10000);
        spent += peer_cpu_ns();
    }
    return (double)spent / (double)(10000 * rounds);
}

/* Memory */

static double bytes_per_task_10000(uint64_t count)
{
    uint64_t before = peer_resident_bytes();

    (void)count;
    gate = st_cond_new();
    for (unsigned i = 0; i < 10000; i++)
        spawn(i, gate_life, NULL);
    st_usleep(0);
    return (double)(peer_resident_bytes() - before) / 10000;
}

/* Echo */

static void *serve(void *arg)
{
    st_netfd_t client = arg;
    char buffer[ECHO_BUFFER_BYTES];
    ssize_t got;

    while ((got = st_read(client, buffer, sizeof buffer, ST_UTIME_NO_TIMEOUT)) > 0) {
        if (st_write(client, buffer, (size_t)got, ST_UTIME_NO_TIMEOUT) != got)
            break;
    }
    st_netfd_close(client);
    return NULL;
}

static double echo_64_c64(uint64_t count)
{
    uint16_t port;
    st_netfd_t listener = st_netfd_open_socket(peer_listen(&port));
    uint64_t begin = peer_cpu_ns();
    pid_t load = peer_load_start(port, count);
    double ns;

    for (unsigned i = 0; i < ECHO_CONNECTIONS; i++)
        spawn(i, serve, st_accept(listener, NULL, NULL, ST_UTIME_NO_TIMEOUT));
    join_all(ECHO_CONNECTIONS);
    ns = peer_ns_each(begin, count);
    peer_load_end(load);
    return ns;
}

static const struct peer_row rows[] = {
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
    {"sleep_10000", sleep_10000},
    {"cancel_10000", cancel_10000},
    {"bytes_per_task_10000", bytes_per_task_10000},
    {"echo_64_c64", echo_64_c64},
};

int main(int argc, char **argv)
{
    peer_check(!st_set_eventsys(ST_EVENTSYS_ALT) && !st_init(), "st_init");
    return peer_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
