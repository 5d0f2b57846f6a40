/* What handing an item over costs: a rendezvous there and another one back between two tasks,
 * and a put and a get that need not wait. Baselines: the same as callbacks out of a FIFO queue
 * that hand a pointer over; a ring of pointers behind two functions. */
#include "bench/run.h"

#include <bight/queue.h>
#include <bight/runtime.h>
#include <bight/task.h>

#define TRIPS 1000000u
#define PASSES 4000000u
#define PLACES 16u

static int item;

/* There and back */

struct wires {
    struct bight_queue *there, *back;
    uint64_t trips;
    double ns; /* per trip */
};

static int echo(void *arg)
{
    const struct wires *wires = arg;
    void *got;

    for (uint64_t i = 0; i < wires->trips; i++) {
        bench_check(bight_queue_get(wires->there, &got), "get");
        bench_check(bight_queue_put(wires->back, got), "put");
    }
    return 0;
}

static int trips_main(void *arg)
{
    struct wires *wires = arg;
    struct bight_task *task;
    void *got;
    uint64_t begin;

    bench_check(bight_queue_new(&wires->there, 0), "queue");
    bench_check(bight_queue_new(&wires->back, 0), "queue");
    bench_check(bight_spawn(&task, echo, wires), "spawn");
    bench_check(bight_yield(), "yield");
    begin = bench_begin();
    for (uint64_t i = 0; i < wires->trips; i++) {
        bench_check(bight_queue_put(wires->there, &item), "put");
        bench_check(bight_queue_get(wires->back, &got), "get");
    }
    wires->ns = bench_end(begin, wires->trips);
    bench_check(bight_join(task, NULL), "join");
    bench_check(bight_queue_free(wires->there), "free");
    bench_check(bight_queue_free(wires->back), "free");
    return 0;
}

static double trips(void *arg, uint64_t operations)
{
    struct wires wires = {.trips = operations};

    (void)arg;
    bench_run(trips_main, &wires);
    return wires.ns;
}

/* Callbacks in a FIFO queue. */
struct callback {
    struct callback *next;
    void (*fn)(struct callback *callback);
    struct callback *other;
    void *handed;
    uint64_t left;
};

static struct callback *queue_head, **queue_tail = &queue_head;

static void queue_push(struct callback *callback)
{
    callback->next = NULL;
    *queue_tail = callback;
    queue_tail = &callback->next;
}

static BENCH_OPAQUE void hand_over(struct callback *callback)
{
    if (callback->left-- == 0)
        return;
    callback->other->handed = callback->handed;
    queue_push(callback->other);
}

static double callbacks(void *arg, uint64_t operations)
{
    struct callback there = {.fn = hand_over, .handed = &item, .left = operations};
    struct callback back = {.fn = hand_over, .other = &there, .left = operations};
    uint64_t begin = bench_begin();

    (void)arg;
    there.other = &back;
    queue_push(&there);
    for (struct callback *callback; (callback = queue_head);) {
        queue_head = callback->next;
        if (!queue_head)
            queue_tail = &queue_head;
        callback->fn(callback);
    }
    return bench_end(begin, operations);
}

/* Without waiting */

struct passes {
    uint64_t count;
    double ns; /* per pass */
};

static int passes_main(void *arg)
{
    struct passes *passes = arg;
    struct bight_queue *queue;
    void *got;
    uint64_t begin;

    bench_check(bight_queue_new(&queue, PLACES), "queue");
    begin = bench_begin();
    for (uint64_t i = 0; i < passes->count; i++) {
        bench_check(bight_queue_put(queue, &item), "put");
        bench_check(bight_queue_get(queue, &got), "get");
    }
    passes->ns = bench_end(begin, passes->count);
    bench_check(bight_queue_free(queue), "free");
    return 0;
}

static double passes(void *arg, uint64_t operations)
{
    struct passes sample = {.count = operations};

    (void)arg;
    bench_run(passes_main, &sample);
    return sample.ns;
}

struct ring {
    void *items[PLACES];
    unsigned head, length;
};

static BENCH_OPAQUE int ring_put(struct ring *ring, void *put)
{
    if (ring->length == PLACES)
        return BIGHT_EAGAIN;
    ring->items[(ring->head + ring->length++) % PLACES] = put;
    return 0;
}

static BENCH_OPAQUE int ring_get(struct ring *ring, void **got)
{
    if (ring->length == 0)
        return BIGHT_EAGAIN;
    *got = ring->items[ring->head++ % PLACES];
    ring->length--;
    return 0;
}

static double ring(void *arg, uint64_t operations)
{
    int (*volatile put)(struct ring * ring, void *put) = ring_put;
    int (*volatile get)(struct ring * ring, void **got) = ring_get;
    static struct ring ring;
    uint64_t begin = bench_begin();
    void *got;

    (void)arg;
    for (uint64_t i = 0; i < operations; i++) {
        bench_check(put(&ring, &item), "put");
        bench_check(get(&ring, &got), "get");
    }
    return bench_end(begin, operations);
}

static const struct bench_row rows[] = {
    {"channel_rtt", "ns", "callbacks out of a FIFO queue handing a pointer over", trips, callbacks,
     NULL, TRIPS, .counted = 20000},
    {"queue_put_get", "ns", "a ring behind two functions", passes, ring, NULL, PASSES,
     .counted = 20000},
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
