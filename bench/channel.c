/* What handing an item over costs: a rendezvous there and another one back between two tasks, and a put
 * and a get that need not wait. Baselines: the same as callbacks out of a FIFO queue that hand a
 * pointer over; a ring of pointers behind two functions. */
#include "bench/bench.h"

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
};

static int echo(void *arg)
{
    const struct wires *wires = arg;
    void *got;

    for (unsigned i = 0; i < TRIPS; i++) {
        bench_check(bight_queue_get(wires->there, &got), "get");
        bench_check(bight_queue_put(wires->back, got), "put");
    }
    return 0;
}

static int trips_main(void *arg)
{
    struct wires wires;
    struct bight_task *task;
    void *got;
    uint64_t begin;

    bench_check(bight_queue_new(&wires.there, 0), "queue");
    bench_check(bight_queue_new(&wires.back, 0), "queue");
    bench_check(bight_spawn(&task, echo, &wires), "spawn");
    bench_check(bight_yield(), "yield");
    begin = bench_thread_ns();
    for (unsigned i = 0; i < TRIPS; i++) {
        bench_check(bight_queue_put(wires.there, &item), "put");
        bench_check(bight_queue_get(wires.back, &got), "get");
    }
    *(double *)arg = (double)(bench_thread_ns() - begin) / TRIPS;
    bench_check(bight_join(task, NULL), "join");
    bench_check(bight_queue_free(wires.there), "free");
    bench_check(bight_queue_free(wires.back), "free");
    return 0;
}

static double trips(void *arg)
{
    double ns = 0;

    (void)arg;
    bench_check(bight_run(trips_main, &ns), "run");
    return ns;
}

/* Callbacks in a FIFO queue. */
struct callback {
    struct callback *next;
    void (*fn)(struct callback *callback);
    struct callback *other;
    void *handed;
    unsigned left;
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

static double callbacks(void *arg)
{
    struct callback there = {.fn = hand_over, .handed = &item, .left = TRIPS};
    struct callback back = {.fn = hand_over, .other = &there, .left = TRIPS};
    uint64_t begin = bench_thread_ns();

    (void)arg;
    there.other = &back;
    queue_push(&there);
    for (struct callback *callback; (callback = queue_head);) {
        queue_head = callback->next;
        if (!queue_head)
            queue_tail = &queue_head;
        callback->fn(callback);
    }
    return (double)(bench_thread_ns() - begin) / TRIPS;
}

/* Without waiting */

static int passes_main(void *arg)
{
    struct bight_queue *queue;
    void *got;
    uint64_t begin;

    bench_check(bight_queue_new(&queue, PLACES), "queue");
    begin = bench_thread_ns();
    for (unsigned i = 0; i < PASSES; i++) {
        bench_check(bight_queue_put(queue, &item), "put");
        bench_check(bight_queue_get(queue, &got), "get");
    }
    *(double *)arg = (double)(bench_thread_ns() - begin) / PASSES;
    bench_check(bight_queue_free(queue), "free");
    return 0;
}

static double passes(void *arg)
{
    double ns = 0;

    (void)arg;
    bench_check(bight_run(passes_main, &ns), "run");
    return ns;
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

static double ring(void *arg)
{
    int (*volatile put)(struct ring * ring, void *put) = ring_put;
    int (*volatile get)(struct ring * ring, void **got) = ring_get;
    static struct ring ring;
    uint64_t begin = bench_thread_ns();
    void *got;

    (void)arg;
    for (unsigned i = 0; i < PASSES; i++) {
        bench_check(put(&ring, &item), "put");
        bench_check(get(&ring, &got), "get");
    }
    return (double)(bench_thread_ns() - begin) / PASSES;
}

int main(void)
{
    static const struct bench_row rtt = {"channel_rtt", "ns",
                                         "callbacks out of a FIFO queue handing a pointer over"};
    static const struct bench_row put_get = {"queue_put_get", "ns", "a ring behind two functions"};

    bench_compare(&rtt, trips, callbacks, NULL);
    bench_compare(&put_get, passes, ring, NULL);
    return 0;
}
