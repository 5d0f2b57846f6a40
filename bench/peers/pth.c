/* GNU Pth: rows of bench/peers. peer.h has the command line. Whenever its scheduler chooses it
 * looks at all threads that wait, so the rows in which many wait are left out: a thousand threads
 * take two seconds to pass a gate. */
#include <pth.h>

#include "peer.h"

#define TASKS_MAX 1000

static pth_t threads[TASKS_MAX];

static void spawn(unsigned i, void *(*fn)(void *arg), void *arg)
{
    threads[i] = pth_spawn(PTH_ATTR_DEFAULT, fn, arg);
    peer_check(threads[i] != NULL, "pth_spawn");
}

static void join_all(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        peer_check(pth_join(threads[i], NULL), "pth_join");
}

/* Turns */

static pth_uctx_t main_context, other_context;

static void switch_back(void *arg)
{
    (void)arg;
    for (;;)
        pth_uctx_switch(other_context, main_context);
}

static double switches(uint64_t count)
{
    uint64_t begin;

    peer_check(pth_uctx_create(&main_context) && pth_uctx_create(&other_context), "context");
    peer_check(pth_uctx_make(other_context, NULL, 65536, NULL, switch_back, NULL, NULL), "make");
    begin = peer_cpu_ns();
    for (uint64_t i = 0; i < count / 2; i++)
        pth_uctx_switch(main_context, other_context);
    return peer_ns_each(begin, count);
}

static void *yielder(void *arg)
{
    for (uint64_t steps = *(const uint64_t *)arg; steps; steps--)
        pth_yield(NULL);
    return NULL;
}

static double yields(unsigned tasks, uint64_t count)
{
    uint64_t steps = peer_batches(count, tasks) + 1, begin;

    for (unsigned i = 0; i < tasks; i++)
        spawn(i, yielder, &steps);
    pth_yield(NULL);
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

/* Lives */

static void *short_life(void *arg)
{
    return arg;
}

static double spawn_join_1000(uint64_t count)
{
    uint64_t batches = peer_batches(count, 1000), begin = 0;

    for (uint64_t round = 0; round <= batches; round++) {
        if (round == 1)
            begin = peer_cpu_ns();
        for (unsigned i = 0; i < 1000; i++)
            spawn(i, short_life, NULL);
        join_all(1000);
    }
    return peer_ns_each(begin, 1000 * batches);
}

/* Handing over */

static void *port_get(pth_msgport_t port, pth_event_t came)
{
    void *message;

    while (!(message = pth_msgport_get(port)))
        pth_wait(came);
    return message;
}

static pth_msgport_t ports[2];

static pth_event_t arrival(pth_msgport_t port)
{
    return pth_event(PTH_EVENT_MSG, port);
}

static void *answer(void *arg)
{
    pth_event_t came = arrival(ports[0]);

    for (uint64_t left = *(const uint64_t *)arg; left; left--)
        pth_msgport_put(ports[1], port_get(ports[0], came));
    pth_event_free(came, PTH_FREE_THIS);
    return NULL;
}

static double channel_rtt(uint64_t count)
{
    pth_message_t message;
    pth_event_t came;
    uint64_t begin;

    memset(&message, 0, sizeof message);
    ports[0] = pth_msgport_create("there");
    ports[1] = pth_msgport_create("back");
    came = arrival(ports[1]);
    spawn(0, answer, &count);
    pth_yield(NULL);
    begin = peer_cpu_ns();
    for (uint64_t i = 0; i < count; i++) {
        pth_msgport_put(ports[0], &message);
        (void)port_get(ports[1], came);
    }
    join_all(1);
    return peer_ns_each(begin, count);
}

static void *alternating(void *arg)
{
    pth_message_t message;

    memset(&message, 0, sizeof message);
    for (uint64_t left = *(const uint64_t *)arg; left; left--) {
        pth_msgport_put(ports[left % 2], &message);
        pth_yield(NULL);
    }
    return NULL;
}

static double select_2(uint64_t count)
{
    pth_event_t any, came[2];
    uint64_t begin, taken = 0;

    for (int i = 0; i < 2; i++) {
        ports[i] = pth_msgport_create(i ? "one" : "other");
        came[i] = arrival(ports[i]);
    }
    any = pth_event_concat(came[0], came[1], NULL);
    spawn(0, alternating, &count);
    begin = peer_cpu_ns();
    while (taken < count) {
        pth_wait(any);
        for (int i = 0; i < 2; i++)
            taken += pth_msgport_get(ports[i]) != NULL;
    }
    join_all(1);
    return peer_ns_each(begin, count);
}

static pth_mutex_t lock = PTH_MUTEX_INIT;

static struct {
    void *items[QUEUE_PLACES];
    uint64_t put, got;
    pth_cond_t not_full, not_empty;
} queue = {.not_full = PTH_COND_INIT, .not_empty = PTH_COND_INIT};

static void *producer(void *arg)
{
    for (uint64_t left = *(const uint64_t *)arg; left; left--) {
        pth_mutex_acquire(&lock, FALSE, NULL);
        while (queue.put - queue.got == QUEUE_PLACES)
            pth_cond_await(&queue.not_full, &lock, NULL);
        queue.items[queue.put++ % QUEUE_PLACES] = arg;
        pth_cond_notify(&queue.not_empty, FALSE);
        pth_mutex_release(&lock);
    }
    return NULL;
}

static double queue_128(uint64_t count)
{
    uint64_t begin;
    void *volatile item;

    spawn(0, producer, &count);
    begin = peer_cpu_ns();
    for (uint64_t i = 0; i < count; i++) {
        pth_mutex_acquire(&lock, FALSE, NULL);
        while (queue.put == queue.got)
            pth_cond_await(&queue.not_empty, &lock, NULL);
        item = queue.items[queue.got++ % QUEUE_PLACES];
        pth_cond_notify(&queue.not_full, FALSE);
        pth_mutex_release(&lock);
    }
    (void)item;
    join_all(1);
    return peer_ns_each(begin, count);
}

static void *locker(void *arg)
{
    for (uint64_t left = *(const uint64_t *)arg; left; left--) {
        pth_mutex_acquire(&lock, FALSE, NULL);
        pth_yield(NULL);
        pth_mutex_release(&lock);
    }
    return NULL;
}

static double mutexes(unsigned tasks, uint64_t count)
{
    uint64_t rounds = peer_batches(count, tasks), begin = peer_cpu_ns();

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

/* Echo */

static void *serve(void *arg)
{
    int client = *(const int *)arg;
    char buffer[ECHO_BUFFER_BYTES];
    ssize_t got;

    while ((got = pth_read(client, buffer, sizeof buffer)) > 0) {
        if (pth_write(client, buffer, (size_t)got) != got)
            break;
    }
    close(client);
    return NULL;
}

static double echo_64_c64(uint64_t count)
{
    uint16_t port;
    int clients[ECHO_CONNECTIONS], listener = peer_listen(&port);
    uint64_t begin = peer_cpu_ns();
    pid_t load = peer_load_start(port, count);
    double ns;

    for (unsigned i = 0; i < ECHO_CONNECTIONS; i++) {
        clients[i] = pth_accept(listener, NULL, NULL);
        spawn(i, serve, &clients[i]);
    }
    join_all(ECHO_CONNECTIONS);
    ns = peer_ns_each(begin, count);
    peer_load_end(load);
    return ns;
}

static const struct peer_row rows[] = {
    {"switch", switches},
    {"yield_2", yield_2},
    {"yield_100", yield_100},
    {"spawn_join_1000", spawn_join_1000},
    {"channel_rtt", channel_rtt},
    {"queue_128", queue_128},
    {"mutex_contended_2", mutex_contended_2},
    {"mutex_contended_100", mutex_contended_100},
    {"select_2", select_2},
    {"echo_64_c64", echo_64_c64},
};

int main(int argc, char **argv)
{
    peer_check(pth_init(), "pth_init");
    return peer_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
